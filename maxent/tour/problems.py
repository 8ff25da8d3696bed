"""What the tour solves: well-known MDPs, named as on the command line."""

from __future__ import annotations

from dataclasses import dataclass

import maxent
from maxent.mdp import MDP

GYM = "gym:"


@dataclass(frozen=True)
class TourProblem:
    """An MDP, named as on the command line, and the temperatures it is solved at.

    discount: None is the named map's own.
    """

    name: str
    temperatures: tuple[float, ...]
    discount: float | None = None

    def build(self) -> MDP:
        """The MDP."""
        if self.name.startswith(GYM):
            assert self.discount is not None
            return maxent.from_gymnasium(self.name.removeprefix(GYM), discount=self.discount)
        return maxent.gridworld(self.name, discount=self.discount)


PROBLEMS = (
    TourProblem("four-rooms", (0.0, 0.01, 0.1, 1.0)),
    TourProblem("russell-norvig-4x3", (0.0,)),
    TourProblem("russell-norvig-4x3", (0.01, 0.1), 0.99),
    TourProblem("sutton-barto-5x5", (0.0, 0.1, 1.0)),
    TourProblem("two-goals", (0.0, 0.01, 0.03, 0.1)),
    TourProblem("cliff-walking", (0.0,)),
    TourProblem("cliff-walking", (0.1, 1.0), 0.99),
    TourProblem("maze-21x31", (0.0, 0.01, 0.1)),
    TourProblem("frozen-lake-8x8", (0.0, 0.01, 0.1)),
    TourProblem("gym:FrozenLake-v1", (0.0, 0.01, 0.1), 0.99),
    TourProblem("gym:CliffWalking-v1", (0.0, 0.1, 1.0), 0.99),
    TourProblem("gym:Taxi-v4", (0.0, 0.1, 1.0), 0.99),
)
"""Solved, hard and at a few temperatures, by every solver."""

VERIFIED = (
    TourProblem("russell-norvig-4x3", (0.1,), 0.95),
    TourProblem("sutton-barto-5x5", (0.0, 1.0)),
    TourProblem("two-goals", (0.1,)),
    TourProblem("gym:FrozenLake-v1", (0.1,), 0.95),
)
"""Taken through `maxent.verify`."""


def problem_called(name: str) -> TourProblem:
    """The last problem of that name, the one with soft solutions."""
    return [problem for problem in PROBLEMS if problem.name == name][-1]
