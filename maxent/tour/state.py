"""What a tour carries along: what it has solved, what failed, and how it speaks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import maxent
from maxent.mdp import MDP
from maxent.solution import Solution
from maxent.tabular.solvers.convergence import Convergence
from maxent.tour.problems import TourProblem


@dataclass
class Tour:
    """What has been computed so far."""

    folder: Path
    overwrite: bool
    started: float = field(default_factory=time.perf_counter)
    mdps: dict[tuple[str, float | None], MDP] = field(default_factory=dict)
    solutions: dict[tuple[str, float | None, float], Solution] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    figures: list[dict[str, str]] = field(default_factory=list)
    curves: dict[str, Convergence] = field(default_factory=dict)
    tradeoffs: list[dict[str, Any]] = field(default_factory=list)

    def mdp(self, problem: TourProblem) -> MDP:
        """The MDP of a problem, built once."""
        key = (problem.name, problem.discount)
        if key not in self.mdps:
            self.mdps[key] = problem.build()
        return self.mdps[key]

    def solution(self, problem: TourProblem, temperature: float) -> Solution:
        """Its solution, solved once."""
        key = (problem.name, problem.discount, temperature)
        if key not in self.solutions:
            self.solutions[key] = maxent.solve(self.mdp(problem), temperature)
        return self.solutions[key]

    def require(self, fine: bool, what: str) -> bool:
        """Note a failure."""
        if not fine:
            self.failures.append(what)
        return fine

    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self.started


def heading(text: str) -> None:
    """A line that opens a section."""
    say(f"\n{text}\n{'-' * len(text)}")


def say(text: str) -> None:
    """A line, at once."""
    print(text, flush=True)
