"""A report: the checks of one run, whether it passed, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from maxent.errors import MaxEntError
from maxent.support.frames import data_frame
from maxent.theorems import report_text
from maxent.theorems.check import Check


class CheckFailedError(MaxEntError, AssertionError):
    """A report contains a check that fails or is undecided."""


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
        """A pandas DataFrame, one row a check.  Needs pandas: `pip install pandas`."""
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
