"""Tasks, their composition and its exact counterpart; how far off it is, and the bound on that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from maxent.plots.maps import grids
from maxent.plots.maps.panels import Panel
from maxent.plots.parts import curve_look, headline, small_colour_scale
from maxent.plots.style import MUTED, named, new_figure, number, setting, styled
from maxent.support.arguments import require_kind, require_names
from maxent.tabular.composition import Composition


@styled
def composition(
    found: Composition, names: Sequence[str] | None = None, *, title: str | None = None
) -> Figure:
    """The tasks, the composed policy and the combined optimum on the map; below them what the
    composed policy loses, the bound on that, and every Q_Sigma - Q*_C against its bound C*.

    names: of the tasks.  Without a map: the last of these alone.  Returns the figure.

    title: in place of the usual one.
    """
    require_kind("found", found, Composition)
    count = len(found.tasks)
    numbered = [f"task {place}" for place in range(1, count + 1)]
    words = numbered if names is None else require_names("names", names, count)
    title = named(f"Composition of {count} tasks", found.mdp)
    title += f"\n{setting(found.mdp, found.temperature)}"
    if found.mdp.grid is None:
        figure = new_figure(5.2, 4.6)
        _against_bound(figure.add_subplot(), found)
        headline(figure, title)
        return figure
    weights = [number(weight) for weight in found.weights]
    panels = [
        Panel(f"{word}, weight {weight}: V", task.policy, task.v)
        for word, weight, task in zip(words, weights, found.tasks)
    ]
    panels += [
        Panel("composed policy: V", found.policy, found.value.v),
        Panel("combined optimum: V", found.optimum.policy, found.optimum.v),
    ]
    across = len(panels)
    figure = new_figure(3.0 * across, 7.6)
    halves: Any = figure.subfigures(2, 1)
    upper, lower = halves
    top_row, low_row = upper.subplots(1, across), lower.subplots(1, 3, width_ratios=[1, 1, 1.2])
    for place, panel in enumerate(panels):
        shared = panels[count:] if place >= count else [panel]
        limits = grids.value_limits(found.mdp, *(each.values for each in shared))
        _map(top_row[place], found, panel, limits)
    for place, panel in enumerate(
        (
            Panel(
                "the composed policy loses: V* \N{MINUS SIGN} V",
                found.policy,
                np.maximum(found.loss, 0.0),
            ),
            Panel("bound on the loss", found.policy, found.loss_bound),
        )
    ):
        entries = _map(low_row[place], found, panel, (0.0, _top(panel.values)))
    _against_bound(low_row[2], found)
    headline(figure, title)
    grids.legend(figure, entries)
    return figure


def _top(values: ndarray) -> float:
    """The upper end of a scale that starts at 0."""
    return float(values.max(initial=0.0)) or 1.0


def _map(ax: Axes, found: Composition, panel: Panel, limits: tuple[float, float]) -> list:
    """One map with its own colour bar; the entries of a legend."""
    mesh, entries = grids.draw_map(ax, found.mdp, panel.policy, panel.values, limits)
    ax.set_title(panel.name, fontsize=9.0, parse_math=False)
    small_colour_scale(mesh, ax, "reward units, discounted")
    return entries


def _against_bound(ax: Axes, found: Composition) -> None:
    """Q_Sigma - Q*_C and Q_Sigma - Q^policy of every state and action, against C*."""
    nonterminal = found.mdp.action_mask & ~found.mdp.terminal[:, None]
    bound = (found.upper - found.lower)[nonterminal]
    for index, (label, q) in enumerate(
        (("combined optimum", found.optimum.q), ("composed policy", found.value.q))
    ):
        look = curve_look(index) | {"linestyle": "none", "markersize": 3.0, "alpha": 0.6}
        ax.plot(bound, (found.upper - q)[nonterminal], label=label, zorder=3 - index, **look)
    end = 1.05 * _top(bound)
    ax.plot([0.0, end], [0.0, end], color=MUTED, linestyle="--", linewidth=1.0, label="the bound")
    ax.set(xlim=(0.0, end), ylim=(0.0, end), xlabel="bound C* (reward units, discounted)")
    ax.set_ylabel("averaged Q \N{MINUS SIGN} exact Q of ...")
    ax.set_title("Every state and action", fontsize=9.0)
    ax.legend()
