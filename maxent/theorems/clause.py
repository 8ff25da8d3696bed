"""A clause of a theorem: its words, and the cases that put it to the test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maxent.support.data_files import paragraphs
from maxent.theorems.case import Case
from maxent.theorems.check import Check
from maxent.theorems.hypotheses import Hypothesis


@dataclass(frozen=True)
class Clause:
    """One clause of a theorem.

    key : of the statement in `maxent.theorems.statements`, which adds its own hypotheses and, where
        the clause names no source, its own source.
    name : which part of the statement, as in "contraction"; no other clause of the key has it.
    statement : what is checked, in one sentence.
    hypotheses : what it assumes.
    source : where it is proved.
    cases : makes the cases on an `Instance` of the problem.
    """

    key: str
    name: str
    statement: str
    hypotheses: tuple[Hypothesis, ...]
    source: str
    cases: Callable[[Any], Iterable[Case]]

    def check(self, instance: Any) -> Check:
        """Run the cases on an `Instance` and judge by the worst."""
        missing = [each.words for each in self.hypotheses if not each.is_met(instance)]
        if missing:
            return self.not_applicable("; ".join(missing))
        with np.errstate(all="ignore"):  # what is not finite is a finding, not a warning
            worst = max(self.cases(instance), key=lambda case: case.gravity, default=None)
        if worst is None:
            return self.not_applicable("an input that float64 can hold")
        return Check(*self._about, worst.slack, worst.tolerance, worst.witness, worst.verdict)

    def not_applicable(self, missing: str) -> Check:
        """The verdict where something is missing."""
        return Check(*self._about, math.nan, math.nan, {"missing": missing}, "not applicable")

    @property
    def _about(self) -> tuple[str, str, str, str, tuple[str, ...]]:
        words = tuple(each.words for each in self.hypotheses)
        return self.key, self.name, self.statement, self.source, words


def clause(
    key: str, name: str, *hypotheses: Hypothesis, source: str = ""
) -> Callable[[Callable[[Any], Iterable[Case]]], Clause]:
    """Decorator: a generator of cases becomes the clause that its docstring states.

    hypotheses : those beyond the key's own.  source : where it is not the key's.
    """

    def made(cases: Callable[[Any], Iterable[Case]]) -> Clause:
        return Clause(key, name, in_words(cases), hypotheses, source, cases)

    return made


def in_words(check: Callable[..., Any]) -> str:
    """What a check's docstring says; its name where Python was told to drop docstrings (-OO)."""
    return str(paragraphs(check.__doc__ or check.__name__))
