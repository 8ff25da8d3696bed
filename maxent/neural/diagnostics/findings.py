"""What a diagnosis says: one finding for each equality of the theory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.support.frames import data_frame


@dataclass(frozen=True)
class Finding:
    """One equality: its key in docs/theory.md, what it says, and by how much it fails.

    error : weighted mean (values: root mean square) over visited states.  largest : over all states
    looked at; nan where that means nothing.  unit : "reward", "nats" or "" for a ratio.
    """

    key: str
    statement: str
    error: float
    largest: float
    unit: str

    @classmethod
    def of(cls, key: str, statement: str, error: float, each: ndarray, unit: str) -> Finding:
        """One whose largest is that of the errors `each`."""
        return cls(key, statement, float(error), float(np.abs(each).max()), unit)


@dataclass(frozen=True)
class Diagnosis:
    """What was found; printed as a table, `to_frame()` for pandas."""

    title: str
    findings: tuple[Finding, ...]

    def __getitem__(self, key: str) -> Finding:
        """The finding of a key."""
        return next(finding for finding in self.findings if finding.key == key)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for files."""
        return {"title": self.title, "findings": [vars(finding) for finding in self.findings]}

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row a finding.  Needs pandas."""
        return data_frame([vars(finding) for finding in self.findings])

    def __str__(self) -> str:
        wide = max(len(finding.statement) for finding in self.findings)
        lines = [self.title, f"{'key':12} {'':{wide}} {'error':>10} {'largest':>10}"]
        for finding in self.findings:
            largest = "" if np.isnan(finding.largest) else f"{finding.largest:.3g}"
            lines.append(
                f"{finding.key:12} {finding.statement:{wide}} {finding.error:10.3g} "
                f"{largest:>10} {finding.unit}".rstrip()
            )
        return "\n".join(lines)
