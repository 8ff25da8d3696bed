"""What an answer is: right, a mistake that has a name, wrong somewhere, or not there yet.

It goes in two steps, so that a grader can take them in two processes: `hand_in` runs the
learner's function and returns plain numbers and texts; `verdict_on` compares them.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from maxent.errors import MaxEntError
from maxent.learn.differences import agree, difference, pattern
from maxent.learn.exercise import Exercise
from maxent.mdp import MDP


@dataclass(frozen=True)
class HandedIn:
    """A learner's results on every case, as arrays and texts.

    results: one a case; None where nothing came back.
    error: what is wrong before any result, such as what the learner's function raised, and
    mistake, its name; "" otherwise.
    printed: what it printed; changed: whether it changed an array it was given.
    """

    results: list[Any] = field(default_factory=list)
    error: str = ""
    mistake: str = ""
    blank: bool = False
    printed: str = ""
    changed: bool = False


@dataclass(frozen=True)
class Verdict:
    """kind: what the answer is.  mistake: the name of a known mistake, or "".  words: to say."""

    kind: Literal["right", "wrong", "not attempted"]
    mistake: str = ""
    words: str = ""


def hand_in(exercise: Exercise, answer: Any, seed: int) -> HandedIn:
    """The results of an answer, whatever it is and does."""
    if answer is ...:
        return HandedIn(blank=True)
    if exercise.is_value:
        if callable(answer):
            return HandedIn(
                error="a value is wanted here, not a function: hand over its result",
                mistake="function instead of value",
            )
        return HandedIn([_readable(answer)])
    if not callable(answer):
        return HandedIn(
            error=f"a function is wanted here: hand over {exercise.answer} itself, without calling "
            "it",
            mistake="no function",
        )
    return _run(answer, exercise.cases(seed))


def _run(function: Callable[..., Any], cases: Sequence[tuple[Any, ...]]) -> HandedIn:
    results: list[Any] = []
    changed = False
    said = io.StringIO()
    for number, case in enumerate(cases, start=1):
        arguments = copy.deepcopy(case)
        try:
            with redirect_stdout(said), np.errstate(all="ignore"):
                result = function(*arguments)
        except Exception as error:
            kind = type(error).__name__
            words = f"case {number} of {len(cases)}: your function raised {kind}: {error}"
            return HandedIn(results, words, mistake=f"raises {kind}", printed=said.getvalue())
        if result is ...:
            return HandedIn(blank=True)
        results.append(_readable(result))
        changed |= not all(_same(a, b) for a, b in zip(arguments, case))
    return HandedIn(results, printed=said.getvalue(), changed=changed)


def verdict_on(exercise: Exercise, handed: HandedIn, seed: int) -> Verdict:
    """What the results are, told to the one who handed them in."""
    if handed.blank:
        return Verdict("not attempted", "", "Not attempted yet: replace the `...` and run again.")
    if handed.error:
        return Verdict("wrong", handed.mistake, handed.error)
    if any(result is None for result in handed.results) or not handed.results:
        if handed.printed or exercise.is_value:
            instead = f"write `{exercise.answer} = ...`" if exercise.is_value else "use `return`"
            words = f"`print` shows a number but gives back nothing (None): {instead}."
            return Verdict("wrong", "printed instead of returned", words)
        return Verdict("wrong", "nothing returned", "your function gives back nothing: `return`?")
    cases = exercise.cases(seed)
    if exercise.judge is not None:
        return _judged(exercise, handed.results[0], cases[0])
    return _compared(exercise, handed, cases[:1] if exercise.is_value else cases)


def _judged(exercise: Exercise, answer: Any, given: tuple[Any, ...]) -> Verdict:
    assert exercise.judge is not None
    try:
        found = exercise.judge(answer, *given)
    except (MaxEntError, TypeError, ValueError) as error:
        return Verdict("wrong", "", f"{error}")
    if found in exercise.corrections:
        return Verdict("wrong", found, exercise.corrections[found])
    return Verdict("wrong", "", found) if found else Verdict("right", "", "Right.")


def _compared(exercise: Exercise, handed: HandedIn, cases: Sequence[tuple[Any, ...]]) -> Verdict:
    wanted = [np.asarray(_quietly(exercise.reference, case), dtype=float) for case in cases]
    for number, (result, right) in enumerate(zip(handed.results, wanted), start=1):
        if not isinstance(result, ndarray):
            words = f"a number or an array of numbers is wanted, not {_kind(result)}."
            return Verdict("wrong", "", _in_case(number, len(cases)) + words)
        if not agree(result, right, exercise.tolerance):
            break
    else:
        return Verdict("right", "", _praise(wanted, handed.changed))
    if not all(isinstance(result, ndarray) for result in handed.results):
        return Verdict("wrong", "", "some results are numbers, some are not.")
    made = [_quietly(exercise.wrong, case) for case in cases]
    for name, words in exercise.corrections.items():
        wrong = [_quietly(each[name], ()) if callable(each[name]) else each[name] for each in made]
        arrays = [np.asarray(each, dtype=float) for each in wrong]
        if all(agree(r, w, exercise.tolerance) for r, w in zip(handed.results, arrays)):
            return Verdict("wrong", name, words)
    name, words = pattern(handed.results, wanted, exercise.tolerance, rounded=exercise.is_value)
    if name:
        return Verdict("wrong", name, words)
    mdp = next((part for part in cases[number - 1] if isinstance(part, MDP)), None)
    words = difference(result, right, exercise.tolerance, exercise.axes, mdp)
    return Verdict("wrong", "", _in_case(number, len(cases)) + words)


def _quietly(function: Callable[..., Any], case: tuple[Any, ...]) -> Any:
    with np.errstate(all="ignore"):
        return function(*copy.deepcopy(case))


def _readable(result: Any) -> Any:
    """A result as an array of numbers, a text, None, or the name of what else it is."""
    if result is None or isinstance(result, str):
        return result
    if isinstance(result, (bool, np.bool_)):
        return "<bool>"
    try:
        detached = result.detach() if hasattr(result, "detach") else result
        return np.array(detached, dtype=float)
    except (TypeError, ValueError, RuntimeError):
        return f"<{type(result).__name__}>"


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, ndarray) and isinstance(second, ndarray):
        return first.shape == second.shape and np.array_equal(first, second, equal_nan=True)
    return True


def _kind(result: Any) -> str:
    return f"this {result[1:-1]}" if str(result).startswith("<") else "a text"


def _in_case(number: int, count: int) -> str:
    return f"case {number} of {count}: " if count > 1 else ""


def _praise(wanted: list[ndarray], changed: bool) -> str:
    numbers = sum(right.size for right in wanted)
    cases = f" in {len(wanted)} of {len(wanted)} cases" if len(wanted) > 1 else ""
    every = f"all {numbers} numbers agree{cases}" if numbers > 1 else ""
    words = f"Right: {every}." if every else "Right."
    if changed:
        words += " (It changes the array that it is given, though: the caller may not expect that.)"
    return words
