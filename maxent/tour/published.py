"""The second step: computed values held against published ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy import ndarray

import maxent
from maxent import reports
from maxent.mdp import MDP
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


INDEPENDENT = "independent"
SOURCES = (
    "R&N: Russell & Norvig (2010), 3rd ed.; S&B: Sutton & Barto (2018), 2nd ed.;\n"
    "independent: computed without this package.  A line shows its worst value."
)
ABOVE: tuple[Row, ...] = ((), (), ())
"""The rows above the start of CliffWalking."""

PUBLISHED = (
    Published(
        "R&N Fig. 17.3",
        "russell-norvig-4x3",
        discount=None,
        temperature=0.0,
        decimals=3,
        rows=(
            (0.812, 0.868, 0.918, None),
            (0.762, None, 0.660, None),
            (0.705, 0.655, 0.611, 0.388),
        ),
    ),
    Published(
        "S&B Ex. 3.5",
        "sutton-barto-5x5",
        discount=0.9,
        temperature=None,
        decimals=3,
        rows=((3.309, 8.789, 4.428, 5.322, 1.492),),
    ),
    Published(
        "S&B Ex. 3.8",
        "sutton-barto-5x5",
        discount=0.9,
        temperature=0.0,
        decimals=3,
        rows=((21.977, 24.419, 21.977, 19.419, 17.477),),
    ),
    Published(
        "S&B Ex. 4.1",
        "sutton-barto-4x4",
        discount=1.0,
        temperature=None,
        decimals=0,
        rows=((0, -14, -20, -22), (-14, -18, -20, -20), (-20, -20, -18, -14), (-22, -20, -14, 0)),
    ),
    Published(INDEPENDENT, "gym:FrozenLake-v1", 0.99, 0.0, 10, ((0.5420259320,),)),
    Published(INDEPENDENT, "frozen-lake-8x8", 0.99, 0.0, 10, ((0.4146403618,),)),
    Published(INDEPENDENT, "gym:CliffWalking-v1", 0.99, 0.0, 7, (*ABOVE, (-12.2478977,))),
    Published(
        INDEPENDENT,
        "sutton-barto-5x5",
        discount=0.9,
        temperature=1.0,
        decimals=10,
        rows=((26.0540820436, 28.8707473200), (), (), (), (None, None, None, None, 17.5574614613)),
    ),
    Published(
        INDEPENDENT,
        "sutton-barto-5x5",
        discount=0.9,
        temperature=0.1,
        decimals=10,
        rows=((22.2821579265, 24.7579532517), (), (), (), (None, None, None, None, 12.1189581425)),
    ),
    Published(INDEPENDENT, "gym:FrozenLake-v1", 0.99, 0.1, 10, ((2.4710324780,),)),
    Published(INDEPENDENT, "gym:FrozenLake-v1", 0.99, 0.01, 10, ((0.5989242013,),)),
    Published(INDEPENDENT, "gym:CliffWalking-v1", 0.99, 0.1, 10, (*ABOVE, (-12.2478482457,))),
)


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
