"""The third step: the theorems, each clause held against an independent truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import maxent
from maxent import reports
from maxent.theorems.check import Check
from maxent.tour.problems import TourProblem
from maxent.tour.state import Tour, heading, say


def verify_all(tour: Tour, problems: Sequence[TourProblem]) -> list[dict[str, Any]]:
    """Check the theorems; one line for each key, over all problems."""
    heading("Theorems, each clause held against an independent truth")
    records, checks = [], []
    for problem in problems:
        mdp = tour.mdp(problem)
        for temperature in problem.temperatures:
            report = maxent.verify(mdp, temperature)
            checks += list(report)
            say(
                f"{problem.name}, discount {mdp.discount:g}, temperature {temperature:g}: "
                f"{len(report)} clauses, {'passed' if report.passed else 'NOT PASSED'}"
            )
            about = {"mdp": problem.name, "discount": mdp.discount, "temperature": temperature}
            records.append(about | report.to_dict())
    rows = []
    for key in dict.fromkeys(check.key for check in checks):
        rows.append(_theorem_row(tour, key, [check for check in checks if check.key == key]))
    header = ("theorem", "clauses", "held", "closest slack", "tolerance", "verdict")
    say(f"\n{reports.table(header, rows)}")
    say("A negative slack is a violation; down to minus the tolerance it is rounding.")
    return records


def _theorem_row(tour: Tour, key: str, checks: list[Check]) -> tuple[str, ...]:
    tried = [check for check in checks if check.verdict != "not applicable"]
    held = [check for check in tried if check.verdict == "holds"]
    fine = tour.require(len(held) == len(tried), f"{key} does not hold")
    clauses = len({check.clause for check in checks})
    if not tried:
        return key, str(clauses), "0 of 0", "", "", "not applicable"
    closest = min(tried, key=lambda check: check.slack / max(check.tolerance, 1e-300))
    return (
        key,
        str(clauses),
        f"{len(held)} of {len(tried)}",
        f"{closest.slack:.1e}",
        f"{closest.tolerance:.1e}",
        "holds" if fine else "DOES NOT",
    )
