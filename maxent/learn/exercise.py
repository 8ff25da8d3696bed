"""What an exercise and a quiz are: a right answer, and the wrong ones that people give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


def _nothing_given(seed: int) -> list[tuple[Any, ...]]:
    return [()]


@dataclass(frozen=True)
class Mistake:
    """A wrong solution that is known, and what to say to somebody who gives it.

    name: a few words, such as "hard maximum".
    solution: wrong, in the form of the exercise's reference.
    words: what is wrong with it, in a sentence or two; it does not give the answer away.
    """

    name: str
    solution: Callable[..., Any]
    words: str


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    number: of the notebook and within it, such as "3.2".
    title: what it is about, in a few words.
    answer: what the notebook calls the answer, such as "my_sweep".
    reference: the right solution.  Of a function: that function.  Of a value: a function of what
        is given, whose result is the value.
    given: a function of a seed that returns a list of tuples of arguments.  A function is tried on
        each.  A value is asked for the first; seed 0 is what the notebook says, other seeds are
        variants of the exercise.
    is_value: the answer is a number, an array or a text; otherwise it is a function.
    mistakes: the wrong solutions that are recognised by name, the likelier first.
    hint: for a wrong answer that is not recognised.
    axes: what the axes of a result are: "state" and "action" (named by cell and by direction where
        an MDP is among the arguments), another word, or a tuple of names for its entries.
    tolerance: how far a number may be off, relative to the largest in the answer, at least 1.
    judge: where many answers are right: a function of the answer and of what is given that returns
        "" if it is right, the name of one of `mistakes`, or a sentence that says what is wrong.
    difficulty, minutes: 1 (a line) to 3 (think), and how long it takes; for teachers.
    """

    number: str
    title: str
    answer: str
    reference: Callable[..., Any]
    given: Callable[[int], Sequence[tuple[Any, ...]]] = _nothing_given
    is_value: bool = False
    mistakes: tuple[Mistake, ...] = ()
    hint: str = ""
    axes: tuple[str | tuple[str, ...], ...] = ()
    tolerance: float = 1e-8
    judge: Callable[..., str] | None = None
    difficulty: int = 1
    minutes: int = 5


@dataclass(frozen=True)
class Quiz:
    """A question with choices, each of which is answered.

    number: of the notebook, and a letter: "3.a".
    choices: the text of each choice, by its letter.
    right: the letter of the right one.
    why: what to say to somebody who chose a letter, for every letter.
    """

    number: str
    question: str
    choices: Mapping[str, str]
    right: str
    why: Mapping[str, str]
