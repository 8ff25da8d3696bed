"""A check: the verdict on one clause of a theorem, with how close it came.

Sign convention.  The *slack* of a check is the margin of its worst case, in the units of the
quantity compared: for "left <= right" it is right - left, for "left = right" it is
-|left - right|.  So a negative slack is a violation, and a clause *holds* where no case is
violated by more than its *tolerance*, a bound on rounding derived in docs/checks.md.  The truth it
is compared with comes from an independent route that has an error of its own, the *doubt*; where
that is too large to tell, the verdict is "undecided".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from maxent.errors import MaxEntError
from maxent.support.frames import data_frame

Verdict = Literal["holds", "fails", "undecided", "not applicable"]
_GRAVITY: dict[Verdict, int] = {"holds": 0, "undecided": 1, "fails": 2}


class CheckFailedError(MaxEntError, AssertionError):
    """A report contains a check that fails or is undecided."""


@dataclass(frozen=True)
class Check:
    """The verdict on one clause.

    key : the statement's name, as in "SQL-T3".
    clause : which part of it, as in "contraction".
    statement : what was checked, in one sentence.
    source : where it is proved.
    hypotheses : what the statement assumes.
    slack : margin of the worst case; negative is a violation; nan where not applicable.
    tolerance : rounding bound of that case.
    witness : where the worst case is (state, action, input, ...); for "not applicable", which
        hypothesis is missing.
    verdict : "holds", "fails", "undecided" or "not applicable".
    strength : how strong the evidence is; "numerical" is float64 against an independent route,
        on finitely many inputs.
    """

    key: str
    clause: str
    statement: str
    source: str
    hypotheses: tuple[str, ...]
    slack: float
    tolerance: float
    witness: dict[str, Any]
    verdict: Verdict
    strength: str = "numerical"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        plain = asdict(self)
        plain["hypotheses"] = list(self.hypotheses)
        for name in ("slack", "tolerance"):
            plain[name] = plain[name] if math.isfinite(plain[name]) else None
        return plain

    def __str__(self) -> str:
        place = ", ".join(f"{name} {value}" for name, value in self.witness.items())
        numbers = "" if math.isnan(self.slack) else f" (slack {_number(self.slack)}, "
        numbers += "" if math.isnan(self.slack) else f"tolerance {_number(self.tolerance)})"
        return f"{self.key} {self.clause}: {self.verdict}{numbers}; {place}"


@dataclass(frozen=True)
class Report:
    """The checks of one run, in order."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check fails and none is undecided."""
        return not self._unpassed()

    def raise_if_failed(self) -> None:
        """CheckFailedError naming each check that fails or is undecided; else nothing."""
        unpassed = self._unpassed()
        if unpassed:
            lines = "\n".join(f"  {check}\n    {check.statement}" for check in unpassed)
            raise CheckFailedError(
                f"{len(unpassed)} of {len(self.checks)} checks did not pass:\n{lines}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"passed": self.passed, "checks": [check.to_dict() for check in self.checks]}

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row a check.  Needs pandas: `pip install maxent[data]`."""
        return data_frame([asdict(check) for check in self.checks])

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __str__(self) -> str:
        """A table for people: one line a check, and how many of each verdict."""
        header = ("key", "clause", "verdict", "slack", "tolerance", "where")
        body = [_table_row(check) for check in self.checks]
        widths = [max(len(row[i]) for row in [header, *body]) for i in range(len(header))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in [header, tuple("-" * width for width in widths), *body]
        ]
        verdicts = [check.verdict for check in self.checks]
        counts = ", ".join(
            f"{verdicts.count(verdict)} {word}"
            for verdict, word in (
                ("holds", "hold"),
                ("fails", "fail"),
                ("undecided", "undecided"),
                ("not applicable", "not applicable"),
            )
            if verdict in verdicts
        )
        return "\n".join([*lines, f"{len(verdicts)} checks: {counts or 'none'}"])

    def _unpassed(self) -> list[Check]:
        return [check for check in self.checks if check.verdict in ("fails", "undecided")]


@dataclass(frozen=True)
class Case:
    """One input of one clause: the worst slack over states and actions, and where."""

    slack: float
    tolerance: float
    doubt: float
    witness: dict[str, Any]

    @classmethod
    def worst_of(
        cls, slack: ndarray, where: ndarray, tolerance: float, doubt: float, **witness: Any
    ) -> Case:
        """The case of slacks over (), (S,) or (S, A), looked at only `where` (same shape)."""
        looked_at = np.where(where, np.where(np.isnan(slack), -np.inf, slack), np.inf)
        place = np.unravel_index(int(np.argmin(looked_at)), looked_at.shape)
        named = {name: int(i) for name, i in zip(("state", "action"), place)}
        return cls(float(looked_at[place]), float(tolerance), float(doubt), witness | named)

    @property
    def verdict(self) -> Verdict:
        """The true slack lies within `doubt` of the one found: where does that interval lie?"""
        if not (self.tolerance < math.inf and self.slack >= -(self.tolerance + self.doubt)):
            return "fails"  # nan as well: something was not finite
        return "holds" if self.slack >= self.doubt - self.tolerance else "undecided"

    @property
    def gravity(self) -> tuple[int, float]:
        """For comparing cases: by verdict, then by how many tolerances the slack is negative."""
        scale = self.tolerance if self.tolerance > 0.0 else math.ulp(0.0)
        with np.errstate(all="ignore"):
            excess = float(-np.float64(self.slack) / scale)
        return _GRAVITY[self.verdict], math.inf if math.isnan(excess) else excess


@dataclass(frozen=True)
class Hypothesis:
    """Something a statement assumes, in words and as a test of the setting at hand."""

    words: str
    is_met: Callable[[Any], bool]


@dataclass(frozen=True)
class Clause:
    """One clause of a theorem: its words, and the cases that put it to the test."""

    key: str
    name: str
    statement: str
    source: str
    hypotheses: tuple[Hypothesis, ...]
    cases: Callable[[Any], Iterable[Case]]

    def check(self, instance: Any) -> Check:
        """Run the cases on an `Instance` and judge by the worst."""
        words = tuple(hypothesis.words for hypothesis in self.hypotheses)
        about = (self.key, self.name, self.statement, self.source, words)
        missing = [
            hypothesis.words for hypothesis in self.hypotheses if not hypothesis.is_met(instance)
        ]
        if missing:
            witness = {"missing": "; ".join(missing)}
            return Check(*about, math.nan, math.nan, witness, "not applicable")
        with np.errstate(all="ignore"):  # what is not finite is a finding, not a warning
            worst = max(self.cases(instance), key=lambda case: case.gravity, default=None)
        if worst is None:
            witness = {"missing": "an input that float64 can hold"}
            return Check(*about, math.nan, math.nan, witness, "not applicable")
        return Check(*about, worst.slack, worst.tolerance, worst.witness, worst.verdict)


def clause(
    key: str, name: str, statement: str, source: str, hypotheses: tuple[Hypothesis, ...]
) -> Callable[[Callable[[Any], Iterable[Case]]], Clause]:
    """Decorator: a generator of cases becomes the clause that it tests."""

    def made(cases: Callable[[Any], Iterable[Case]]) -> Clause:
        return Clause(key, name, statement, source, hypotheses, cases)

    return made


def _number(value: float) -> str:
    return f"{value:.2e}"


def _table_row(check: Check) -> tuple[str, ...]:
    place = ", ".join(f"{name} {value}" for name, value in check.witness.items())
    if check.verdict == "not applicable":
        return check.key, check.clause, check.verdict, "", "", place
    numbers = _number(check.slack), _number(check.tolerance)
    return check.key, check.clause, check.verdict, *numbers, place
