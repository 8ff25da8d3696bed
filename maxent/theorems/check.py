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
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from maxent.errors import MaxEntError
from maxent.support.frames import data_frame
from maxent.theorems import report_text

Verdict = Literal["holds", "fails", "undecided", "not applicable"]


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

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> check = maxent.verify(mdp, temperature=0.1, keys="SQL-T2").checks[0]
    >>> check.key, check.clause, check.verdict
    ('SQL-T2', 'soft Bellman equation', 'holds')
    >>> check.slack >= -check.tolerance
    True
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
        numbers = report_text.numbers(self)
        numbers = f" ({numbers})" if numbers else ""
        return f"{self.key} {self.clause}: {self.verdict}{numbers}; {report_text.place(self)}"


@dataclass(frozen=True)
class Report:
    """The checks of one run, in order.

    `str(report)` is the verdict, then a line a key, with what did not pass in full beneath its key;
    `clause_table()` is a line a clause.

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> report = maxent.verify(mdp, temperature=0.1, keys=["SQL-T2", "SAC-L2"])
    >>> report.passed, len(report)
    (True, 6)
    >>> print(report)
    passed: 6 clauses hold
    <BLANKLINE>
    SQL-T2  3 hold
    SAC-L2  3 hold
    """

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

    def clause_table(self) -> str:
        """A line a clause: key, clause, verdict, slack, tolerance and where the worst case is; a
        table for each strength of evidence."""
        return report_text.clause_tables(self.checks)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __str__(self) -> str:
        return report_text.summary(self.checks)

    def _unpassed(self) -> list[Check]:
        return [check for check in self.checks if check.verdict in ("fails", "undecided")]
