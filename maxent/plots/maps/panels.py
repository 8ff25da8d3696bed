"""The hard answer beside soft ones: what a temperature does to values and policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.plots.maps import dot_plots, grids
from maxent.plots.parts import colour_scale, grid_of_axes, headline, small_colour_scale
from maxent.plots.style import MAX_PANELS, new_figure, problem, require_pair, styled
from maxent.solution import Solution
from maxent.support.arguments import quoted
from maxent.tabular.solvers import solve
from maxent.tabular.tradeoff.reaching import reaching_probability

LONGEST = 10_000
"""Steps of the longest horizon that arrivals are counted within."""


@styled
def hard_and_soft(
    mdp: MDP,
    temperatures: Sequence[float | Solution] = (0.1, 1.0),
    *,
    columns: int = 4,
    title: str | None = None,
) -> Figure:
    """A panel for the hard solution and one for each temperature, values and arrows in each.

    temperatures: numbers, which are solved for here, or Solutions of this MDP.  The hard solution
    (temperature 0) comes first; it is solved for where it is not among them.  Where episodes end,
    the name of a panel says how likely its policy is to arrive (at a goal of the map, if it has
    some) within 5/(1 - discount) steps, beyond which the discount leaves less than 1 % of a reward.

    One colour scale serves all panels where that leaves each of them readable.  Otherwise each has
    its own, named below it: values rise with the temperature by the entropy they count, and on a
    common scale every panel would be of one colour.

    title: in place of the usual one.
    """
    solutions = _solutions(mdp, temperatures)
    if mdp.grid is None:
        values = {panel_name(solution): solution.v for solution in solutions}
        label, what = grids.value_label(solutions[-1]), "Hard and soft values by state"
        return dot_plots.dots_of_several(mdp, values, label, what)
    everyone = grids.value_limits(mdp, *(solution.v for solution in solutions))
    return draw_panels(
        mdp,
        [
            Panel(panel_name(solution) + _arrivals(mdp, solution), solution.policy, solution.v)
            for solution in solutions
        ],
        f"Hard and soft values and policies\n{problem(mdp)}",
        (grids.VALUE_LABEL, "V (reward units, discounted)"),
        everyone if one_scale(mdp, solutions) else None,
        columns=columns,
    )


@dataclass(frozen=True)
class Panel:
    """One map of several: its name, the policy (S, A) as arrows, the values (S,) as colours."""

    name: str
    policy: ndarray
    values: ndarray


def draw_panels(
    mdp: MDP,
    panels: Sequence[Panel],
    title: str,
    labels: tuple[str, str],
    limits: tuple[float, float] | Normalize | None,
    *,
    columns: int = 4,
    extend: str = "neither",
    narrowest: float = 2.2,
    letters: float = 9.0,
) -> Figure:
    """A map for each panel in a figure of its own, with one legend.

    limits: the colour scale of all panels; None: each has its own, named below it.
    labels: what the colours mean with its unit, on a common scale and, shorter, below a panel.
    extend: "min" where values below a common scale take its lowest colour.
    narrowest, letters: inches of a panel, and the size of its name in points.
    """
    assert mdp.grid is not None
    rows, wide = mdp.grid.shape
    across = min(len(panels), columns)
    down = -(-len(panels) // across)
    side = min(0.62, 2.9 / max(rows, wide))
    shared = limits is not None
    width = max(4.6, across * (max(narrowest, wide * side) + 0.55) + (0.9 if shared else 0.2))
    named = 0.2 * max(panel.name.count("\n") for panel in panels)
    figure = new_figure(
        width, 1.15 + down * (rows * side + named + (0.6 if shared else 1.2)), square_cells=True
    )
    axes = grid_of_axes(figure, len(panels), columns)
    for ax, panel in zip(axes, panels):
        scale = limits if limits is not None else grids.value_limits(mdp, panel.values)
        mesh, entries = grids.draw_map(ax, mdp, panel.policy, panel.values, scale)
        ax.set_title(panel.name, fontsize=letters)
        ax.label_outer()
        if not shared:
            small_colour_scale(mesh, ax, labels[1])
    if shared:
        bar = colour_scale(figure, mesh, axes, labels[0], extend=extend)
        bar.minorticks_off()
        if labels[0] == grids.ENTROPY_LABEL and isinstance(limits, tuple):
            grids.mark_most(bar, limits)
    headline(figure, title)
    grids.legend(figure, entries)
    return figure


def one_scale(mdp: MDP, solutions: Sequence[Solution]) -> bool:
    """Whether a common colour scale leaves each panel at least 40 % of the colours."""
    spans = [np.ptp(grids.value_limits(mdp, solution.v)) for solution in solutions]
    together = np.ptp(grids.value_limits(mdp, *(solution.v for solution in solutions)))
    return bool(min(spans) >= 0.4 * together)


def _solutions(mdp: MDP, temperatures: Sequence[float | Solution]) -> list[Solution]:
    if isinstance(temperatures, str) or not isinstance(temperatures, Iterable):
        raise ConfigError(
            f"temperatures = {quoted(temperatures)}; give a list of numbers or Solutions"
        )
    given = list(temperatures)
    chosen = {t.temperature if isinstance(t, Solution) else t for t in given}
    if 0.0 not in chosen:
        given = [0.0, *given]
    if len(given) > MAX_PANELS:
        raise ConfigError(
            f"{len(given)} panels do not fit a page; give at most {MAX_PANELS - 1} temperatures"
        )
    return solved(mdp, given)


def solved(mdp: MDP, temperatures: Iterable[float | Solution]) -> list[Solution]:
    """The Solutions of this MDP, solved for where only a temperature is given, in rising order."""
    solutions = [t if isinstance(t, Solution) else solve(mdp, t) for t in temperatures]
    for solution in solutions:
        require_pair(mdp, solution)
    return sorted(solutions, key=lambda solution: solution.temperature)


def _arrivals(mdp: MDP, solution: Solution) -> str:
    """The second line of a panel's name; empty where no episode ends, or the discount is so near 1
    that there is no horizon."""
    steps = 5.0 / (1.0 - mdp.discount) if mdp.discount < 1.0 else np.inf
    if not mdp.terminal.any() or steps > LONGEST:
        return ""
    horizon = max(1, round(steps))
    reached = mdp.initial_distribution @ reaching_probability(mdp, solution.policy, horizon)
    return f"\narrives within {horizon} steps: {_percent(float(reached))}"


def _percent(probability: float) -> str:
    """A probability in percent that is 0 or 100 only where it is so to two digits more."""
    if 0.9995 <= probability < 0.99995 or 0.00005 <= probability < 0.0005:
        return f"{100 * probability:.2f} %"
    return f"{100 * probability:.3g} %"


def panel_name(solution: Solution) -> str:
    """What tells a panel from the others."""
    return f"{'hard: ' if solution.temperature == 0.0 else ''}temperature {solution.temperature:g}"
