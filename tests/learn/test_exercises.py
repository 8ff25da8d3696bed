"""The exercises: each reference is right, each known mistake is called by its name."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from no_torch import HIDE_TORCH

import maxent
from maxent.learn.judging import hand_in, verdict_on
from maxent.learn.registry import exercise, exercises, quizzes, sheets

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SEEDS = (0, pytest.param(1, marks=pytest.mark.slow), pytest.param(7, marks=pytest.mark.slow))
EACH = pytest.mark.parametrize("number", exercises())
WITH_MISTAKES = [(n, m) for n, each in exercises().items() for m in each.mistakes]


def told(exercise, answer, seed):
    return verdict_on(exercise, hand_in(exercise, answer, seed), seed)


def as_answer(exercise, solution, seed):
    """What a learner hands in who solves it like this: the function, or its value."""
    return solution(*exercise.cases(seed)[0]) if exercise.is_value else solution


@EACH
@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_is_right(number, seed):
    exercise = exercises()[number]
    verdict = told(exercise, as_answer(exercise, exercise.reference, seed), seed)
    assert verdict.kind == "right", verdict.words


@pytest.mark.parametrize(
    "number, mistake", WITH_MISTAKES, ids=[f"{n} {m.name}" for n, m in WITH_MISTAKES]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_known_mistake_is_called_by_its_name(number, mistake, seed):
    exercise = exercises()[number]
    verdict = told(exercise, as_answer(exercise, mistake.solution, seed), seed)
    assert (verdict.kind, verdict.mistake) == ("wrong", mistake.name), verdict.words
    assert verdict.words == mistake.words


@EACH
def test_what_every_exercise_says_of_answers_that_are_none(number):
    exercise = exercises()[number]
    stub = ... if exercise.is_value else lambda *given: ...
    assert told(exercise, stub, 0).kind == "not attempted"
    printed = print() if exercise.is_value else lambda *given: print(1.0)
    assert told(exercise, printed, 0).mistake == "printed instead of returned"
    other = (lambda *given: 1.0) if exercise.is_value else 1.0
    named = "function instead of value" if exercise.is_value else "no function"
    assert told(exercise, other, 0).mistake == named


@EACH
def test_an_answer_that_is_no_known_mistake_is_told_where_it_is_wrong(number):
    exercise = exercises()[number]
    if exercise.judge is not None:
        return
    rng = np.random.default_rng(3)

    def noisy(*given):
        right = np.asarray(exercise.reference(*given), dtype=float)
        return right + 0.37 + rng.random(right.shape)

    verdict = told(exercise, as_answer(exercise, noisy, 0), 0)
    assert verdict.kind == "wrong" and verdict.mistake in ("", "off by a constant")
    assert "off by" in verdict.words


@EACH
def test_the_facts_for_teachers_are_there(number):
    exercise = exercises()[number]
    assert exercise.title and exercise.mistakes and exercise.difficulty in (1, 2, 3)
    assert 1 <= exercise.minutes <= 60
    assert list(exercise.corrections) == list(exercise.wrong(*exercise.cases(0)[0]))
    assert all(mistake.words[-1] in ".?" for mistake in exercise.mistakes)


@pytest.mark.parametrize("number", quizzes())
def test_a_quiz_explains_every_choice(number):
    quiz = quizzes()[number]
    assert quiz.right in quiz.choices and set(quiz.why) == set(quiz.choices)
    assert all(quiz.why.values()) and len(quiz.choices) >= 3


@pytest.mark.parametrize("name", sheets())
def test_a_notebook_and_its_file_of_exercises_agree(name):
    """Each exercise and quiz of the file is asked in the notebook by its number, and no other."""
    text = (NOTEBOOKS / "sources" / f"{name}.py").read_text(encoding="utf-8")
    sheet = sheets()[name]
    asked = re.findall(r'learn\.check_exercise\(\s*"([^"]+)",\s*(\w+)\s*,?\s*\)', text)
    assert asked == [(each.number, each.answer) for each in sheet.EXERCISES]
    assert re.findall(r"\*\*Exercise (\w+\.\d)[. ]", text) == [n for n, _ in asked]
    assert re.findall(r'learn\.quiz\("([^"]+)"', text) == [each.number for each in sheet.QUIZZES]
    assert "learn.reference(" not in text  # a learner asks for it


def test_no_number_is_given_twice():
    for kind in ("EXERCISES", "QUIZZES"):
        numbers = [each.number for sheet in sheets().values() for each in getattr(sheet, kind)]
        assert len(set(numbers)) == len(numbers) > 0


def test_the_exercises_need_no_torch():
    code = HIDE_TORCH + "from maxent.learn import registry\n"
    code += "assert registry.exercises() and registry.quizzes()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_reference_is_readable_source():
    """A reference is a function of its own, not a lambda within a table."""
    for name, sheet in sheets().items():
        path = importlib.util.find_spec(sheet.__name__).origin
        functions = {n.name for n in ast.parse(Path(path).read_text("utf-8")).body
                     if isinstance(n, ast.FunctionDef)}  # fmt: skip
        for each in sheet.EXERCISES:
            assert each.reference.__name__ in functions, (name, each.number)


def test_a_number_without_quotes():
    with pytest.raises(maxent.ConfigError, match=r"1\.1; write its number in quotes, '1\.1'"):
        exercise(1.1)
