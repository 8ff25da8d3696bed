"""The figures of the tour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from maxent import plots
from maxent.plots import Figure
from maxent.tabular.solvers.convergence import Convergence, convergence
from maxent.tabular.tradeoff import tradeoff
from maxent.tour.problems import problem_called
from maxent.tour.solving import SOLVERS
from maxent.tour.state import Tour, say


@dataclass(frozen=True)
class Drawing:
    """A figure of the tour: its file, what it shows, and how it is drawn; an animation writes its
    file itself and returns None."""

    file: str
    shows: str
    draw: Callable[[Tour], Figure | None]


def draw(tour: Tour, drawing: Drawing) -> None:
    """Draw it and say so."""
    if (figure := drawing.draw(tour)) is not None:
        plots.save(figure, tour.folder / drawing.file, overwrite=tour.overwrite)
    tour.figures.append({"file": drawing.file, "shows": drawing.shows})
    say(f"{drawing.file:<28} {drawing.shows}")


def _one(figure: Callable[..., Figure], name: str, temperature: float) -> Callable[[Tour], Figure]:
    """A figure of one solution."""
    problem = problem_called(name)
    return lambda tour: figure(tour.mdp(problem), tour.solution(problem, temperature))


def _several(name: str, *temperatures: float) -> Callable[[Tour], Figure]:
    """The solutions at several temperatures, side by side."""
    problem = problem_called(name)
    return lambda tour: plots.hard_and_soft(
        tour.mdp(problem), [tour.solution(problem, temperature) for temperature in temperatures]
    )


def _walk(tour: Tour) -> None:
    """Agents on their way through four rooms."""
    problem = problem_called("four-rooms")
    mdp, solution = tour.mdp(problem), tour.solution(problem, 0.02)
    path = tour.folder / "walk.gif"
    plots.animate_rollouts(mdp, solution, path, dpi=60.0, overwrite=tour.overwrite)


CURVES = "frozen-lake-8x8"
"""The problem whose convergence is drawn."""


def _curves(tour: Tour, *solvers: str) -> list[Convergence]:
    """Convergence records of the solvers, each run once and held against its own bound."""
    mdp = tour.mdp(problem_called(CURVES))
    for name in solvers:
        if name not in tour.curves:
            curve = tour.curves[name] = convergence(mdp, 0.01, solver=SOLVERS[name])
            below = curve.errors[1:] <= curve.certified[1:] + curve.reference_error
            tour.require(bool(below.all()), f"{curve.method}: an error above its certified bound")
    return [tour.curves[name] for name in solvers]


def _front(tour: Tour) -> Figure:
    """Return against entropy at every temperature; the curve's numbers go into the record."""
    curve = tradeoff(tour.mdp(problem_called("four-rooms")), np.geomspace(1e-3, 10.0, 40))
    tour.tradeoffs.append({"mdp": "four-rooms"} | curve.to_dict())
    return plots.tradeoff(curve, tangent=0.02, random_policies=200)


def _taxi(tour: Tour) -> Figure:
    problem = problem_called("gym:Taxi-v4")
    mdp = tour.mdp(problem)
    title = "Taxi-v4: each stair is a step nearer to dropping the passenger off\n"
    title += f"temperature 0.1, discount {mdp.discount:g}"
    return plots.value_map(mdp, tour.solution(problem, 0.1), title=title)


FIGURES = (
    Drawing(
        "four-rooms-values.png",
        "values and policy in four rooms, temperature 0.01",
        _one(plots.value_map, "four-rooms", 0.01),
    ),
    Drawing(
        "four-rooms-entropy.png",
        "where that policy is undecided",
        _one(plots.entropy_map, "four-rooms", 0.01),
    ),
    Drawing(
        "two-goals-temperatures.png",
        "hard beside soft: two equally good goals",
        _several("two-goals", 0.0, 0.01, 0.03, 0.1),
    ),
    Drawing(
        "russell-norvig.png",
        "the 4x3 world: risk and temperature",
        _several("russell-norvig-4x3", 0.0, 0.01, 0.1),
    ),
    Drawing(
        "maze-values.png", "a maze, temperature 0.01", _one(plots.value_map, "maze-21x31", 0.01)
    ),
    Drawing(
        "frozen-lake.png",
        "Gymnasium's FrozenLake, hard and soft",
        _several("gym:FrozenLake-v1", 0.0, 0.01, 0.1),
    ),
    Drawing(
        "cliff-walking.png",
        "Gymnasium's CliffWalking, hard and soft",
        _several("gym:CliffWalking-v1", 0.0, 0.1, 1.0),
    ),
    Drawing("taxi.png", "Gymnasium's Taxi: values, in their order", _taxi),
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
    Drawing("tradeoff.png", "the price of entropy in four rooms: the front", _front),
    Drawing("walk.gif", "agents that follow the policy through four rooms", _walk),
)
"""The first is drawn at once, so that there is something to see."""
