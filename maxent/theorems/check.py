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
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["holds", "fails", "undecided", "not applicable"]


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

    @property
    def place(self) -> str:
        """Where the worst case is, or what is missing, in words."""
        return ", ".join(f"{name} {value}" for name, value in self.witness.items())

    @property
    def numbers(self) -> str:
        """Slack and tolerance in words; nothing for a check that does not apply."""
        if math.isnan(self.slack) and self.verdict == "not applicable":
            return ""
        return f"slack {self.slack:.2e}, tolerance {self.tolerance:.2e}"

    def __str__(self) -> str:
        numbers = f" ({self.numbers})" if self.numbers else ""
        return f"{self.key} {self.clause}: {self.verdict}{numbers}; {self.place}"
