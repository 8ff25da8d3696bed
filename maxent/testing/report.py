"""What `check_solver` reports: findings, each with a witness."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from maxent.mdp import MDP
from maxent.support.arguments import count
from maxent.testing.cases import as_code
from maxent.theorems.report import CheckFailedError


@dataclass(frozen=True)
class SolverFault:
    """One thing that a solver gets wrong, with the smallest problem found that shows it.

    fault : its name, as in "mask ignored".
    detail : what came out on the witness, and what should have.
    runs : in how many runs it showed.
    error, tolerance : on the witness; nan where nothing could be compared.
    mdp, temperature : the witness.
    """

    fault: str
    detail: str
    runs: int
    error: float
    tolerance: float
    mdp: MDP = field(repr=False)
    temperature: float

    @property
    def code(self) -> str:
        """Python that makes the witness again."""
        return f"import maxent\n\n{as_code(self.mdp)}\ntemperature = {self.temperature!r}\n"

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the witness MDP to an .npz file, for `maxent.MDP.load` or `maxent solve`."""
        self.mdp.save(path, overwrite=overwrite)

    def __str__(self) -> str:
        size = f"{count(self.mdp.n_states, 'state')}, {count(self.mdp.n_actions, 'action')}"
        shown = "\n".join(f"      {line}" for line in as_code(self.mdp).splitlines())
        return (
            f"{self.fault} ({self.runs} runs)\n    {self.detail}\n"
            f"    smallest witness ({size}), at temperature {self.temperature:g}:\n{shown}"
        )


@dataclass(frozen=True)
class SolverReport:
    """What `check_solver` found.

    solver : its name.
    findings : what it gets wrong, named mistakes and the most frequent first; empty if nothing.
    runs : how often it was called; failed : in how many of these it was wrong.
    largest_error : of v, in units of the tolerance of its run, over the runs that passed.
    """

    solver: str
    findings: tuple[SolverFault, ...]
    runs: int
    failed: int
    largest_error: float

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong in any run."""
        return not self.findings

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of what it gets wrong."""
        return tuple(finding.fault for finding in self.findings)

    def raise_if_failed(self) -> None:
        """CheckFailedError with the whole report unless it passed."""
        if not self.passed:
            raise CheckFailedError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; each witness as code."""
        names = ("fault", "detail", "runs", "temperature", "code")
        found = [{name: getattr(each, name) for name in names} for each in self.findings]
        totals = {"runs": self.runs, "failed": self.failed, "passed": self.passed}
        return {"solver": self.solver, **totals, "findings": found}

    def __str__(self) -> str:
        if self.passed:
            return (
                f"{self.solver}: right in all {self.runs} runs "
                f"(largest error {self.largest_error:.2g} of the tolerance)"
            )
        head = f"{self.solver}: wrong in {self.failed} of {self.runs} runs"
        listed = (f"{number}. {each}" for number, each in enumerate(self.findings, start=1))
        return "\n".join([head, *listed])
