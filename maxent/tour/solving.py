"""The first step: every problem solved, by `solve` and by each solver, with certified bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import maxent
from maxent import reports
from maxent.solution import Solution
from maxent.tour.problems import TourProblem
from maxent.tour.state import Tour, heading, say

SOLVERS = {
    "VI": maxent.soft_value_iteration,
    "PI": maxent.soft_policy_iteration,
    "MPI": maxent.modified_soft_policy_iteration,
}
SHORT = {
    "soft value iteration": "VI",
    "soft policy iteration": "PI",
    "modified soft policy iteration": "MPI",
}

COLUMNS = ("MDP", "states", "discount", "temp.", "V at start", "error", "by", "iter.", "ms")
WIDTHS = (19, 6, 8, 5, 13, 7, 3, 5, 5)


def solve_all(tour: Tour, problems: Sequence[TourProblem]) -> list[dict[str, Any]]:
    """Solve every problem at its temperatures, by `solve` and by each solver."""
    heading("Solving, with certified bounds: |V - V*| <= error in every state")
    say(reports.table_row(COLUMNS, WIDTHS))
    records = [
        _solve(tour, problem, temperature)
        for problem in problems
        for temperature in problem.temperatures
    ]
    agree = sum(record["solvers_agree"] for record in records)
    tour.require(agree == len(records), "solvers disagree beyond their bounds")
    say(
        "VI soft value iteration, PI soft policy iteration, MPI modified; temperature 0\n"
        f"is the hard maximum.  All {len(SOLVERS)} solvers agree within their bounds on "
        f"{agree} of {len(records)}."
    )
    return records


def _solve(tour: Tour, problem: TourProblem, temperature: float) -> dict[str, Any]:
    mdp, solution = tour.mdp(problem), tour.solution(problem, temperature)
    tour.require(solution.converged, f"{problem.name} at {temperature:g}: {solution.status}")
    cells = (
        problem.name,
        str(mdp.n_states),
        reports.discount_text(mdp.discount),
        f"{temperature:g}",
        f"{reports.value_at_start(mdp, solution):.7f}",
        f"{solution.error_bound:.1e}",
        SHORT[solution.method],
        str(solution.iterations),
        f"{1000 * solution.seconds:.1f}",
    )
    say(reports.table_row(cells, WIDTHS))
    others = {name: solver(mdp, temperature) for name, solver in SOLVERS.items()}
    apart = {name: _apart(solution, other) for name, other in others.items()}
    return {
        "mdp": {"name": problem.name} | reports.mdp_record(mdp),
        "solution": reports.solution_record(mdp, solution),
        "solvers": [
            {
                "method": other.method,
                "iterations": other.iterations,
                "seconds": other.seconds,
                "error_bound": other.error_bound,
                "status": other.status,
                "difference": float(np.abs(other.v - solution.v).max()),
                "agrees": bool(apart[name] <= 0.0),
            }
            for name, other in others.items()
        ],
        "solvers_agree": all(gap <= 0.0 for gap in apart.values()),
    }


def _apart(one: Solution, other: Solution) -> float:
    """The widest gap between the intervals of two solutions; at most 0 where all overlap."""
    return float(np.maximum(one.lower - other.upper, other.lower - one.upper).max())
