"""What a notebook asks and tells: predictions, exercises, quizzes, references, links."""

from __future__ import annotations

import inspect
import pkgutil
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

import maxent
from maxent.errors import ConfigError
from maxent.learn import progress, registry
from maxent.learn.judging import hand_in, verdict_on
from maxent.support.arguments import nearest, quoted


def reveal(prediction: Any, actual: Any, because: str = "") -> None:
    """Print a prediction beside what came out, and why it came out so.

    prediction: a number, a bool, a word, or `...` where none was made.

    >>> reveal(0.75, 0.5, "Two of four.")
    You predicted 0.75; it is 0.5 (off by 0.25).
    Two of four.
    """
    if prediction is ... or prediction is None:
        print(f"No prediction made. The answer: {_show(actual)}.")
    elif isinstance(actual, (bool, str, np.bool_)):
        said = str(prediction).strip(" .!\"'")
        right = said.lower() == str(actual).lower()
        word = "as you predicted" if right else f"you predicted {said}"
        print(f"The answer: {_show(actual)}; {word}.")
    else:
        try:
            off = abs(float(prediction) - float(actual))
        except (TypeError, ValueError, OverflowError):
            print(f"It is {_show(actual)}; your prediction {prediction!r} is not a number.")
        else:
            print(f"You predicted {_show(prediction)}; it is {_show(actual)} (off by {off:.2g}).")
    if because:
        print(because)


def check_exercise(number: str, answer: Any) -> None:
    """Print whether the answer to an exercise is right; else which mistake it is, or where it is
    wrong and by how much.

    number: of the exercise, as the notebook gives it: "3.2".
    answer: the function or the value; `...` counts as not attempted.
    Never raises for a wrong answer; ConfigError for a number that no exercise has.

    >>> check_exercise("3.1", lambda mdp, v, temperature: maxent.backup(mdp, v).max(axis=1))
    Not quite (hard maximum): this is a sweep of ordinary value iteration; where is the temperature?
    """
    exercise, seed = registry.exercise(number), progress.seed_here()
    handed = hand_in(exercise, answer, seed)
    verdict = verdict_on(exercise, handed, seed)
    if verdict.kind == "wrong":
        name = f" ({verdict.mistake})" if verdict.mistake else ""
        print(f"Not quite{name}: {verdict.words}")
        if handed.printed:
            print(f"It printed: {textwrap.shorten(handed.printed, 300)}")
        if exercise.hint and verdict.mistake not in exercise.corrections:
            print(f"Hint: {exercise.hint}")
    else:
        print(verdict.words)
        if verdict.kind == "right":
            print(f'Ours, to compare with: learn.reference("{number}")')
    if verdict.kind != "not attempted":
        right = verdict.kind == "right"
        progress.note("exercises", number, right=right, mistake=verdict.mistake)


def variant(number: str) -> Any:
    """What an exercise gives: the notebook's own numbers, or others where the learner has a seed
    (`maxent learn DIR --seed 7`).  One value, or a tuple of them.

    >>> mdp, v, temperature = variant("3.1")
    >>> temperature
    0.05
    """
    given = registry.exercise(number).cases(progress.seed_here())[0]
    return given[0] if len(given) == 1 else given


def reference(number: str) -> None:
    """Print our solution of an exercise; the record of progress says that it was asked for.

    >>> reference("3.1")
    def sweep(mdp, v, temperature):
        return maxent.soft_value(maxent.backup(mdp, v), temperature)
    """
    exercise = registry.exercise(number)
    progress.note("exercises", number)
    print(textwrap.dedent(inspect.getsource(exercise.reference)).strip())


def quiz(number: str, choice: Any = ...) -> None:
    """Print a question and its choices or, for a choice, whether it is right and why.

    >>> quiz("3.a", "a")
    (a) the slip makes the discount smaller: Not quite. The discount is 0.9 whatever the slip; slip
    only mixes next states.
    """
    about = registry.quiz(number)
    if choice is ... or choice is None:
        print(textwrap.fill(about.question, 96))
        for letter, text in about.choices.items():
            print(f"  ({letter}) {text}")
        print("Put the letter of your choice in place of the `...`.")
        return
    letter = str(choice).strip().strip("()").lower()
    if letter not in about.choices:
        letters = ", ".join(about.choices)
        print(f"{choice!r} is not among the choices; it takes one of {letters}.")
        return
    right = letter == about.right
    word = "Right." if right else "Not quite."
    print(textwrap.fill(f"({letter}) {about.choices[letter]}: {word} {about.why[letter]}", 96))
    progress.note("quizzes", number, right=right)


def links(*keys: str) -> None:
    """Print where statements are: what they say, the functions, and the lines that check them.

    keys: such as "SQL-T3"; ConfigError for one that there is not.

    >>> links("GIBBS-1")  # doctest: +ELLIPSIS
    GIBBS-1  Why the soft maximum: the Gibbs principle (...)
      statement, proof docs/theory.md#soft-maximum
      function         maxent.soft_value  maxent/tabular/operators.py:...
      ...
    """
    from maxent.theorems.statements import CLAUSES, STATEMENTS

    for key in keys:
        if not isinstance(key, str) or key not in STATEMENTS:
            raise ConfigError(f"no statement has the key {quoted(key)}; {nearest(key, STATEMENTS)}")
        about = STATEMENTS[key]
        source = about.source.removesuffix("; below")  # on the page
        print(f"{key}  {about.title} ({source})")
        print(f"  statement, proof {about.anchor}")
        for name in about.functions:
            print(f"  function         {name}  {_line_of(pkgutil.resolve_name(name))}")
        clauses = [each for each in CLAUSES if each.key == key]
        if clauses:
            names = ", ".join(each.name for each in clauses)
            print(f"  check            {_line_of(clauses[0].cases)} and below: {names}")
        print(f"  its tests        docs/keys.md, row {key}")


def _line_of(function: Any) -> str:
    """Where a function is defined: file, from the package on, and line."""
    function = inspect.unwrap(function)
    path = inspect.getsourcefile(function) or ""
    relative = Path(path).relative_to(Path(maxent.__file__).parents[1])
    return f"{relative.as_posix()}:{inspect.getsourcelines(function)[1]}"


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
