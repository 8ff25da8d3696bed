"""The second step: computed values held against published ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy import ndarray

import maxent
from maxent import reports
from maxent.mdp import MDP
from maxent.support.data_files import beside
from maxent.tabular.solvers.convergence import reference_value
from maxent.tour.problems import TourProblem
from maxent.tour.state import Tour, heading, say

Row = tuple[float | None, ...]


@dataclass(frozen=True)
class Published:
    """Values printed somewhere, row by row from the top of the map, None where none is.

    temperature: None is the evaluation, without entropy, of the uniform policy.
    decimals: how many are printed; half a unit of the last one is allowed as difference.
    """

    source: str
    name: str
    discount: float | None
    temperature: float | None
    decimals: int
    rows: tuple[Row, ...]

    def problem(self) -> TourProblem:
        """The problem it is about."""
        return TourProblem(self.name, (), self.discount)


SOURCES = (
    "R&N: Russell & Norvig (2010), 3rd ed.; S&B: Sutton & Barto (2018), 2nd ed.;\n"
    "independent: computed without this package.  A line shows its worst value."
)


def _read(rows: str, **facts: Any) -> Published:
    """A table of the file beside this one."""
    printed = (
        tuple(None if word == "-" else json.loads(word) for word in line.split())
        for line in rows.splitlines()
    )
    return Published(**{"discount": None, "temperature": None, **facts, "rows": tuple(printed)})


PUBLISHED = tuple(_read(**table) for table in beside(__file__)["values"])


def compare_all(tour: Tour, table: Sequence[Published]) -> list[dict[str, Any]]:
    """Hold published values against computed ones."""
    heading("Beside published values")
    rows, records = [], []
    for published in table:
        record = _compare(tour, published)
        records.append(record)
        worst = record["worst"]
        decimals = published.decimals
        rows.append(
            (
                published.source,
                published.name,
                "uniform" if published.temperature is None else f"{published.temperature:g}",
                f"{worst['published']:.{decimals}f}",
                f"{worst['computed']:.{decimals}f}",
                "yes" if record["agrees"] else "NO",
            )
        )
    say(reports.table(("source", "MDP", "temp.", "published", "computed", "agree"), rows))
    count = sum(len(record["values"]) for record in records)
    agree = sum(value["agrees"] for record in records for value in record["values"])
    say(f"{SOURCES}\n{agree} of {count} values agree to every printed digit.")
    return records


def _compare(tour: Tour, published: Published) -> dict[str, Any]:
    problem = published.problem()
    mdp = tour.mdp(problem)
    v, error_bound = _tightly(mdp, published.temperature)
    half_unit = 0.5 * 10.0**-published.decimals
    values: list[dict[str, Any]] = []
    for row, printed in enumerate(published.rows):
        for column, value in enumerate(printed):
            if value is None:
                continue
            assert mdp.grid is not None
            computed = float(v[mdp.grid.state_at(row, column)])
            values.append(
                {
                    "cell": [row, column],
                    "published": value,
                    "computed": computed,
                    "difference": computed - value,
                    "agrees": abs(computed - value) <= half_unit + error_bound,
                }
            )
    agrees = tour.require(
        all(value["agrees"] for value in values), f"{published.source} ({published.name}) differs"
    )
    return {
        "source": published.source,
        "mdp": published.name,
        "discount": mdp.discount,
        "temperature": published.temperature,
        "policy": "uniform" if published.temperature is None else "optimal",
        "decimals": published.decimals,
        "error_bound": error_bound,
        "values": values,
        "worst": max(values, key=lambda value: abs(value["difference"])),
        "agrees": agrees,
    }


def _tightly(mdp: MDP, temperature: float | None) -> tuple[ndarray, float]:
    """Values as close as float64 can certify, and their error; temperature None: those of the
    uniform policy."""
    if temperature is not None:
        return reference_value(mdp, temperature)
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    evaluated = maxent.soft_policy_evaluation(mdp, uniform, 0.0, method="direct")
    return evaluated.v, evaluated.error_bound
