"""What `check_agent` reports: mistakes, each with a number that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maxent.theorems.report import CheckFailedError


@dataclass(frozen=True)
class AgentFault:
    """One mistake of an agent.

    fault : its name, as in "bootstraps through a termination".
    case, question : the training that showed it, and what is learnt there.
    detail : what came out, and what should have.
    measured, right : the number of `detail`; mistaken: what this mistake makes of it (nan where
        that is not known).
    """

    fault: str
    case: str
    question: str
    detail: str
    measured: float
    right: float
    mistaken: float

    @property
    def deviation(self) -> float:
        """measured - right."""
        return self.measured - self.right

    def __str__(self) -> str:
        return f"{self.fault}\n    {self.detail}\n    in the case {self.case!r}: {self.question}"


@dataclass(frozen=True)
class AgentReport:
    """What `check_agent` found.

    agent : its name.
    findings : its mistakes; none if it is right.
    cases : the trainings that were judged.
    not_checked : what could not be, with the reason.
    seconds : of processor time, of all trainings.
    """

    agent: str
    findings: tuple[AgentFault, ...]
    cases: tuple[str, ...]
    not_checked: dict[str, str]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether something was checked, and nothing was wrong."""
        return bool(self.cases) and not self.findings

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of its mistakes, each once."""
        return tuple(dict.fromkeys(finding.fault for finding in self.findings))

    def raise_if_failed(self) -> None:
        """CheckFailedError with the whole report unless it passed."""
        if not self.passed:
            raise CheckFailedError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; a number that is not known is None."""

        def plain(finding: AgentFault) -> dict[str, Any]:
            words = {name: getattr(finding, name) for name in ("fault", "case", "detail")}
            numbers = {name: getattr(finding, name) for name in ("measured", "right", "mistaken")}
            return words | {
                name: None if number != number else number for name, number in numbers.items()
            }

        return {
            "agent": self.agent,
            "passed": self.passed,
            "findings": [plain(finding) for finding in self.findings],
            "cases": list(self.cases),
            "not_checked": self.not_checked,
            "seconds": round(self.seconds, 1),
        }

    def __str__(self) -> str:
        if self.findings:
            count = len(self.faults)
            head = f"{self.agent}: {count} mistake{'s' * (count > 1)}"
        elif self.cases:
            head = f"{self.agent}: right in {', '.join(self.cases)}"
        else:
            head = f"{self.agent}: nothing could be checked"
        lines = [f"{number}. {each}" for number, each in enumerate(self.findings, start=1)]
        lines += [f"not checked: {name} ({why})" for name, why in self.not_checked.items()]
        return "\n".join([f"{head} ({self.seconds:.0f} s of processor time)", *lines])
