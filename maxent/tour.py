"""The tour: well-known MDPs solved, held against published values, theorems and bounds, and drawn.

Everything the tour does is listed in the tables below: `PROBLEMS` are solved, hard and at a few
temperatures, by each solver; `PUBLISHED` values are compared; `VERIFIED` problems go through
`maxent.verify`; `FIGURES` are drawn.  Its tables are printed as they are computed, and every
number goes to `tour.json`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

import maxent
from maxent import plots, reports
from maxent.errors import ConfigError, OutputExistsError
from maxent.mdp import MDP
from maxent.plots import Figure
from maxent.solution import Solution
from maxent.tabular.convergence import Convergence, convergence, reference_value
from maxent.theorems.check import Check

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
Row = tuple[float | None, ...]


@dataclass(frozen=True)
class Problem:
    """An MDP, named as on the command line, and the temperatures it is solved at.

    discount: None is the named map's own.
    """

    name: str
    temperatures: tuple[float, ...]
    discount: float | None = None

    def build(self) -> MDP:
        """The MDP."""
        if self.name.startswith("gym:"):
            assert self.discount is not None
            return maxent.from_gymnasium(self.name.removeprefix("gym:"), discount=self.discount)
        return maxent.gridworld(self.name, discount=self.discount)


PROBLEMS = (
    Problem("four-rooms", (0.0, 0.01, 0.1, 1.0)),
    Problem("russell-norvig-4x3", (0.0,)),
    Problem("russell-norvig-4x3", (0.01, 0.1), 0.99),
    Problem("sutton-barto-5x5", (0.0, 0.1, 1.0)),
    Problem("two-goals", (0.0, 0.01, 0.03, 0.1)),
    Problem("cliff-walking", (0.0,)),
    Problem("cliff-walking", (0.1, 1.0), 0.99),
    Problem("maze-21x31", (0.0, 0.01, 0.1)),
    Problem("frozen-lake-8x8", (0.0, 0.01, 0.1)),
    Problem("gym:FrozenLake-v1", (0.0, 0.01, 0.1), 0.99),
    Problem("gym:CliffWalking-v1", (0.0, 0.1, 1.0), 0.99),
    Problem("gym:Taxi-v4", (0.0, 0.1, 1.0), 0.99),
)


@dataclass(frozen=True)
class Published:
    """Values printed somewhere, row by row from the top of the map, None where none is.

    temperature: None is the evaluation, without entropy, of the policy with equal chances.
    decimals: how many are printed; half a unit of the last one is allowed as difference.
    """

    source: str
    name: str
    discount: float | None
    temperature: float | None
    rows: tuple[Row, ...]
    decimals: int

    def problem(self) -> Problem:
        """The problem it is about."""
        return Problem(self.name, (), self.discount)


INDEPENDENT = "independent"
SOURCES = (
    "R&N: Russell & Norvig (2010), 3rd ed.; S&B: Sutton & Barto (2018), 2nd ed.;\n"
    "independent: computed without this package.  A line shows its worst value."
)
ABOVE: tuple[Row, ...] = ((), (), ())
"""The rows above the start of CliffWalking."""

PUBLISHED = (
    Published(
        *("R&N Fig. 17.3", "russell-norvig-4x3", None, 0.0),
        ((0.812, 0.868, 0.918, None), (0.762, None, 0.660, None), (0.705, 0.655, 0.611, 0.388)),
        3,
    ),
    Published(
        *("S&B Ex. 3.5", "sutton-barto-5x5", 0.9, None), ((3.309, 8.789, 4.428, 5.322, 1.492),), 3
    ),
    Published(
        *("S&B Ex. 3.8", "sutton-barto-5x5", 0.9, 0.0),
        ((21.977, 24.419, 21.977, 19.419, 17.477),),
        3,
    ),
    Published(
        *("S&B Ex. 4.1", "sutton-barto-4x4", 1.0, None),
        ((0, -14, -20, -22), (-14, -18, -20, -20), (-20, -20, -18, -14), (-22, -20, -14, 0)),
        0,
    ),
    Published(INDEPENDENT, "gym:FrozenLake-v1", 0.99, 0.0, ((0.5420259320,),), 10),
    Published(INDEPENDENT, "frozen-lake-8x8", 0.99, 0.0, ((0.4146403618,),), 10),
    Published(INDEPENDENT, "gym:CliffWalking-v1", 0.99, 0.0, (*ABOVE, (-12.2478977,)), 7),
    Published(
        *(INDEPENDENT, "sutton-barto-5x5", 0.9, 1.0),
        ((26.0540820436, 28.8707473200), (), (), (), (None, None, None, None, 17.5574614613)),
        10,
    ),
    Published(
        *(INDEPENDENT, "sutton-barto-5x5", 0.9, 0.1),
        ((22.2821579265, 24.7579532517), (), (), (), (None, None, None, None, 12.1189581425)),
        10,
    ),
    Published(INDEPENDENT, "gym:FrozenLake-v1", 0.99, 0.1, ((2.4710324780,),), 10),
    Published(INDEPENDENT, "gym:FrozenLake-v1", 0.99, 0.01, ((0.5989242013,),), 10),
    Published(INDEPENDENT, "gym:CliffWalking-v1", 0.99, 0.1, (*ABOVE, (-12.2478482457,)), 10),
)

VERIFIED = (
    Problem("russell-norvig-4x3", (0.1,), 0.95),
    Problem("sutton-barto-5x5", (0.0, 1.0)),
    Problem("two-goals", (0.1,)),
    Problem("gym:FrozenLake-v1", (0.1,), 0.95),
)


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

    def mdp(self, problem: Problem) -> MDP:
        """The MDP of a problem, built once."""
        key = (problem.name, problem.discount)
        if key not in self.mdps:
            self.mdps[key] = problem.build()
        return self.mdps[key]

    def solution(self, problem: Problem, temperature: float) -> Solution:
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


def take(folder: str | os.PathLike[str], *, overwrite: bool = False) -> bool:
    """Take the tour; figures and `tour.json` go to `folder`, the tables to standard output.

    The folder is created; one that is not empty is refused with OutputExistsError, unless
    `overwrite` is true: then the files of an earlier tour are replaced, each when its successor
    is complete, and other files are left alone.  Returns whether everything agreed.
    """
    tour = Tour(_prepared(folder, overwrite), overwrite)
    _say(f"maxent {maxent.__version__}: the tour.  Figures and numbers go to {tour.folder}/")
    draw(tour, FIGURES[0])
    record: dict[str, Any] = {
        "format": "maxent-tour-1",
        "versions": reports.versions(),
        "solved": solve_all(tour),
        "published": compare_all(tour),
        "theorems": verify_all(tour),
    }
    heading("Figures")
    for figure in FIGURES[1:]:
        draw(tour, figure)
    record |= {
        "figures": tour.figures,
        "convergence": [_curve_record(curve) for curve in tour.curves.values()],
        "failures": tour.failures,
        "passed": not tour.failures,
        "seconds": tour.seconds(),
    }
    reports.write_json(record, tour.folder / "tour.json", overwrite=overwrite)
    conclude(tour)
    return not tour.failures


def _prepared(folder: str | os.PathLike[str], overwrite: bool) -> Path:
    """The folder, created where it is missing; an error for one that may not be used."""
    path = Path(folder)
    if "\0" in os.fspath(folder) or any(len(os.fsencode(part)) > 255 for part in path.parts):
        raise ConfigError(f"folder {os.fspath(folder)[:60]!r} has an impossible name")
    if not os.fspath(folder) or path.name.startswith("-"):
        raise ConfigError(
            f"folder {os.fspath(folder)!r} is empty or begins with '-'; choose another name"
        )
    if path.exists() and not path.is_dir():
        raise OutputExistsError(f"{os.fspath(folder)!r} exists and is no folder; name another")
    if not path.parent.is_dir():
        raise ConfigError(f"folder {str(path.parent)!r} does not exist; create it first")
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise OutputExistsError(
            f"folder {os.fspath(folder)!r} is not empty and was left as it is; pass --overwrite to "
            "replace the files of an earlier tour, or --out another folder"
        )
    path.mkdir(exist_ok=True)
    return path


# solving

COLUMNS = ("MDP", "states", "discount", "temp.", "V at start", "error", "by", "iter.", "ms")
WIDTHS = (19, 6, 8, 5, 13, 7, 3, 5, 5)


def solve_all(tour: Tour) -> list[dict[str, Any]]:
    """Solve every problem at its temperatures, by `solve` and by each solver."""
    heading("Solving, with certified bounds: |V - V*| <= error in every state")
    _say(reports.table_row(COLUMNS, WIDTHS))
    records = [
        _solve(tour, problem, temperature)
        for problem in PROBLEMS
        for temperature in problem.temperatures
    ]
    agree = sum(record["solvers_agree"] for record in records)
    tour.require(agree == len(records), "solvers disagree beyond their bounds")
    _say(
        "VI soft value iteration, PI soft policy iteration, MPI modified; temperature 0\n"
        f"is the hard maximum.  All {len(SOLVERS)} solvers agree within their bounds on "
        f"{agree} of {len(records)}."
    )
    return records


def _solve(tour: Tour, problem: Problem, temperature: float) -> dict[str, Any]:
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
    _say(reports.table_row(cells, WIDTHS))
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


# published values


def compare_all(tour: Tour) -> list[dict[str, Any]]:
    """Hold published values against computed ones."""
    heading("Beside published values")
    rows, records = [], []
    for published in PUBLISHED:
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
    _say(reports.table(("source", "MDP", "temp.", "published", "computed", "agree"), rows))
    count = sum(len(record["values"]) for record in records)
    agree = sum(value["agrees"] for record in records for value in record["values"])
    _say(f"{SOURCES}\n{agree} of {count} values agree to every printed digit.")
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
    policy with equal chances."""
    if temperature is not None:
        return reference_value(mdp, temperature)
    equal = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    evaluated = maxent.soft_policy_evaluation(mdp, equal, 0.0, method="direct")
    return evaluated.v, evaluated.error_bound


# theorems


def verify_all(tour: Tour) -> list[dict[str, Any]]:
    """Check the theorems; one line for each key, over all problems."""
    heading("Theorems, each clause held against an independent truth")
    records, checks = [], []
    for problem in VERIFIED:
        mdp = tour.mdp(problem)
        for temperature in problem.temperatures:
            report = maxent.verify(mdp, temperature)
            checks += list(report)
            _say(
                f"{problem.name}, discount {mdp.discount:g}, temperature {temperature:g}: "
                f"{len(report)} clauses, {'passed' if report.passed else 'NOT PASSED'}"
            )
            about = {"mdp": problem.name, "discount": mdp.discount, "temperature": temperature}
            records.append(about | report.to_dict())
    rows = []
    for key in dict.fromkeys(check.key for check in checks):
        rows.append(_theorem_row(tour, key, [check for check in checks if check.key == key]))
    header = ("theorem", "clauses", "held", "closest slack", "tolerance", "verdict")
    _say(f"\n{reports.table(header, rows)}")
    _say("A negative slack is a violation; down to minus the tolerance it is rounding.")
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


# figures


@dataclass(frozen=True)
class Drawing:
    """A figure of the tour: its file, what it shows, and how it is drawn."""

    file: str
    shows: str
    draw: Callable[[Tour], Figure]


def draw(tour: Tour, drawing: Drawing) -> None:
    """Draw it and say so."""
    plots.save(drawing.draw(tour), tour.folder / drawing.file, overwrite=tour.overwrite)
    tour.figures.append({"file": drawing.file, "shows": drawing.shows})
    _say(f"{drawing.file:<28} {drawing.shows}")


def _problem(name: str) -> Problem:
    """The last problem of that name, the one with soft solutions."""
    return [problem for problem in PROBLEMS if problem.name == name][-1]


def _values(name: str, temperature: float) -> Callable[[Tour], Figure]:
    def drawn(tour: Tour) -> Figure:
        problem = _problem(name)
        return plots.value_map(tour.mdp(problem), tour.solution(problem, temperature))

    return drawn


def _entropies(name: str, temperature: float) -> Callable[[Tour], Figure]:
    def drawn(tour: Tour) -> Figure:
        problem = _problem(name)
        return plots.entropy_map(tour.mdp(problem), tour.solution(problem, temperature))

    return drawn


def _temperatures(name: str, *temperatures: float) -> Callable[[Tour], Figure]:
    def drawn(tour: Tour) -> Figure:
        problem = _problem(name)
        solved = [tour.solution(problem, temperature) for temperature in temperatures]
        return plots.hard_and_soft(tour.mdp(problem), solved)

    return drawn


CURVES = "frozen-lake-8x8"
"""The problem whose convergence is drawn."""


def _curves(tour: Tour, *solvers: str) -> list[Convergence]:
    """Convergence records of the solvers, each run once and held against its own bound."""
    mdp = tour.mdp(_problem(CURVES))
    for name in solvers:
        if name not in tour.curves:
            curve = tour.curves[name] = convergence(mdp, 0.01, solver=SOLVERS[name])
            below = curve.errors[1:] <= curve.certified[1:] + curve.reference_error
            tour.require(bool(below.all()), f"{curve.method}: an error above its certified bound")
    return [tour.curves[name] for name in solvers]


FIGURES = (
    Drawing(
        "four-rooms-values.png",
        "values and policy in four rooms, temperature 0.01",
        _values("four-rooms", 0.01),
    ),
    Drawing(
        "four-rooms-entropy.png",
        "where that policy is undecided",
        _entropies("four-rooms", 0.01),
    ),
    Drawing(
        "two-goals-temperatures.png",
        "hard beside soft: two equally good goals",
        _temperatures("two-goals", 0.0, 0.01, 0.03, 0.1),
    ),
    Drawing(
        "russell-norvig.png",
        "the 4x3 world: risk and temperature",
        _temperatures("russell-norvig-4x3", 0.0, 0.01, 0.1),
    ),
    Drawing("maze-values.png", "a maze, temperature 0.01", _values("maze-21x31", 0.01)),
    Drawing(
        "frozen-lake.png",
        "Gymnasium's FrozenLake, hard and soft",
        _temperatures("gym:FrozenLake-v1", 0.0, 0.01, 0.1),
    ),
    Drawing(
        "cliff-walking.png",
        "Gymnasium's CliffWalking, hard and soft",
        _temperatures("gym:CliffWalking-v1", 0.0, 0.1, 1.0),
    ),
    Drawing("taxi.png", "Gymnasium's Taxi: values by state", _values("gym:Taxi-v4", 0.1)),
    Drawing(
        "convergence.png",
        "errors under their bounds, on the 8x8 lake",
        lambda tour: plots.convergence(*_curves(tour, "VI", "MPI")),
    ),
    Drawing(
        "newton.png",
        "soft policy iteration is Newton's method",
        lambda tour: plots.newton(*_curves(tour, "PI", "VI")),
    ),
)


# the end


def _curve_record(curve: Convergence) -> dict[str, Any]:
    names = "method temperature discount errors certified theoretical reference_error order rate"
    return {"mdp": CURVES} | {name: getattr(curve, name) for name in names.split()}


def conclude(tour: Tour) -> None:
    """Whether all went well, and where to look next."""
    heading("Where to look next")
    _say(f"{tour.folder}/{FIGURES[0].file} and {len(FIGURES) - 1} more figures beside it")
    _say(f"{tour.folder}/tour.json holds every number")
    _say("maxent solve four-rooms --temperature 0.01    any map, file or environment")
    _say("maxent verify four-rooms --temperature 0.1    every theorem, clause by clause")
    _say("maxent maps                                   the named maps")
    for failure in tour.failures:
        _say(f"FAILED: {failure}")
    verdict = "everything agreed" if not tour.failures else f"{len(tour.failures)} FAILED"
    _say(f"\n{verdict}, in {tour.seconds():.0f} s")


def heading(text: str) -> None:
    """A line that opens a section."""
    _say(f"\n{text}\n{'-' * len(text)}")


def _say(text: str) -> None:
    print(text, flush=True)
