"""What an exercise and a quiz are: a right answer, and the wrong ones that people give.

Of each notebook, what is code is in a Python file, and what is said about it in a TOML file beside
it, by the exercise's number and the mistake's name; `sheet` puts the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from maxent.support.data_files import beside, paragraphs


def _nothing_given(seed: int) -> list[tuple[Any, ...]]:
    return [()]


def _none_known(*given: Any) -> dict[str, Any]:
    return {}


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

    In the Python file:

    number: of the notebook and within it, such as "3.2".
    reference: the right solution.  Of a function: that function.  Of a value: a function of what
        is given, whose result is the value.
    given: a function of a seed that returns or yields tuples of arguments.  A function is tried on
        each.  A value is asked for the first; seed 0 is what the notebook says, other seeds are
        variants of the exercise.
    is_value: the answer is a number, an array or a text; otherwise it is a function.
    axes: what the axes of a result are: "state" and "action" (named by cell and by direction where
        an MDP is among the arguments), another word, or a tuple of names for its entries.
    tolerance: how far a number may be off, relative to the largest in the answer, at least 1.
    judge: where many answers are right: a function of the answer and of what is given that returns
        "" if it is right, the name of a mistake, or a sentence that says what is wrong.
    wrong: a function of what is given whose result is what the wrong solutions that are recognised
        give, by name, the likelier first; formulas in the letters of the theory (m for the MDP, pi,
        alpha, gamma), or a function where a result takes long.

    In the TOML file:

    title: what it is about, in a few words.
    answer: what the notebook calls the answer, such as "my_sweep".
    hint: for a wrong answer that is not recognised.
    difficulty, minutes: 1 (a line) to 3 (think), and how long it takes; for teachers.
    corrections: what to say of each wrong solution, by its name, in the same order.
    """

    number: str
    reference: Callable[..., Any]
    given: Callable[[int], Iterable[tuple[Any, ...]]] = _nothing_given
    is_value: bool = False
    axes: tuple[str | tuple[str, ...], ...] = ()
    tolerance: float = 1e-8
    judge: Callable[..., str] | None = None
    wrong: Callable[..., Mapping[str, Any]] = _none_known
    title: str = ""
    answer: str = ""
    hint: str = ""
    difficulty: int = 1
    minutes: int = 5
    corrections: Mapping[str, str] = field(default_factory=dict)

    def cases(self, seed: int) -> list[tuple[Any, ...]]:
        """What is given for that seed."""
        return list(self.given(seed))

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The wrong solutions with their names and words."""
        return tuple(
            Mistake(name, partial(self._wrong, name), words)
            for name, words in self.corrections.items()
        )

    def _wrong(self, name: str, *given: Any) -> Any:
        found = self.wrong(*given)[name]
        return found() if callable(found) else found


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
    right: str
    choices: Mapping[str, str]
    why: Mapping[str, str]


def sheet(file: str, *exercises: Exercise) -> tuple[tuple[Exercise, ...], tuple[Quiz, ...]]:
    """Exercises with the words of the TOML file beside `file`, and the quizzes of that file."""
    text = paragraphs(beside(file))
    words = {each["number"]: each for each in text["exercises"]}
    if list(words) != [each.number for each in exercises]:
        raise ValueError(f"{file} and its TOML file have not the same exercises: {list(words)}")
    complete = tuple(replace(each, **words[each.number]) for each in exercises)
    return complete, tuple(Quiz(**each) for each in text.get("quizzes", ()))
