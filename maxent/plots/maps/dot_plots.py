"""Values by state where there is no map: a dot a state, with its certified interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy import ndarray

from maxent.mdp import MDP
from maxent.plots.parts import axes_for
from maxent.plots.style import (
    INK,
    LINES,
    MARKERS,
    MUTED,
    PAPER,
    figure_of,
    named,
    problem,
    subtitle,
)
from maxent.solution import Solution

NAMED = 30
"""Up to this many states are listed by name, one a line; more are drawn along an axis."""


def dot_plot(
    mdp: MDP,
    solution: Solution,
    values: ndarray,
    label: str,
    *,
    bounds: tuple[ndarray, ndarray] | None = None,
    limits: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """`values` (S,) by state, with `bounds` (lower, upper) as error bars; terminal hollow."""
    listed = mdp.n_states <= NAMED
    size = (6.0, 1.5 + 0.22 * mdp.n_states) if listed else (7.5, 3.9)
    ax, own = axes_for(ax, *size)
    draw_dots(ax, mdp, values, label, bounds=bounds, limits=limits, ordered=not listed)
    what = "Policy entropy" if bounds is None else "Values"
    ax.set_title(f"{named(f'{what} by state', mdp)}\n{subtitle(mdp, solution)}")
    figure = figure_of(ax)
    if own and ax.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=3, markerscale=1.5)
    return figure


def dots_of_several(
    mdp: MDP,
    named: Mapping[str, ndarray],
    label: str,
    what: str,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Several values (S,) of each state, under their names; else as `dot_plot`."""
    listed = mdp.n_states <= NAMED
    ax, _ = axes_for(None, *((6.0, 1.6 + 0.24 * mdp.n_states) if listed else (7.5, 4.2)))
    for series, (name, values) in enumerate(named.items()):
        own = limits if series == 0 else None
        draw_dots(ax, mdp, values, label, bounds=None, limits=own, name=name, series=series)
    ax.set_title(f"{what}\n{problem(mdp)}")
    columns = 2 if listed else min(4, 1 + len(named))
    figure_of(ax).legend(loc="outside lower center", ncols=columns, markerscale=1.5)
    return figure_of(ax)


def draw_dots(
    ax: Axes,
    mdp: MDP,
    values: ndarray,
    label: str,
    *,
    bounds: tuple[ndarray, ndarray] | None,
    limits: tuple[float, float] | None,
    name: str | None = None,
    series: int = 0,
    ordered: bool = False,
) -> None:
    """The dots, inside the axes: few states from top to bottom by name, many from left to right.

    name, series: the legend entry, and which colour and marker (0, 1, ...), of one plot of many.
    ordered: whether many states are in the order of their values instead of their numbers.
    """
    listed = mdp.n_states <= NAMED
    chosen = np.flatnonzero(~mdp.terminal)
    if ordered:
        chosen = chosen[np.argsort(values[chosen], kind="stable")]
    place = np.arange(len(chosen)) if ordered else chosen
    spread = None
    if bounds is not None:
        lower, upper = bounds[0][chosen], bounds[1][chosen]
        spread = np.maximum(0.0, np.stack([values[chosen] - lower, upper - values[chosen]]))
        name = name or "value with its certified interval"
    along, across = (values[chosen], place) if listed else (place, values[chosen])
    ax.errorbar(
        along,
        across,
        xerr=spread if listed else None,
        yerr=None if listed else spread,
        fmt=MARKERS[series % len(MARKERS)],
        markersize=5.0 if listed else float(np.clip(900.0 / mdp.n_states, 1.5, 4.0)),
        color=LINES[series % len(LINES)],
        markeredgewidth=0.0,
        ecolor=MUTED,
        elinewidth=1.2,
        capsize=3.0 if listed else 0.0,
        label=name,
        zorder=3,
    )
    if series == 0:
        ends = np.arange(len(chosen), mdp.n_states) if ordered else np.flatnonzero(mdp.terminal)
        _mark_terminal(ax, ends, listed)
        _name_axes(ax, mdp, label, limits, listed)
        if ordered:
            ax.set_xlabel("states in the order of their values")


def _mark_terminal(ax: Axes, terminal: ndarray, listed: bool) -> None:
    """Hollow marks at the edge for terminal states: their value is 0, perhaps far off the scale."""
    if len(terminal) == 0:
        return
    edge = np.full(len(terminal), 0.015)
    along, across = (edge, terminal) if listed else (terminal, edge)
    look: Any = {"linestyle": "none", "marker": "D", "markeredgewidth": 0.8, "color": INK}
    ax.plot(
        along,
        across,
        markersize=5.0 if listed else 3.0,
        markerfacecolor=PAPER,
        transform=ax.get_yaxis_transform() if listed else ax.get_xaxis_transform(),
        label="terminal (value 0, no policy)",
        **look,
    )


def _name_axes(
    ax: Axes, mdp: MDP, label: str, limits: tuple[float, float] | None, listed: bool
) -> None:
    state_axis, value_axis = (ax.yaxis, ax.xaxis) if listed else (ax.xaxis, ax.yaxis)
    value_axis.set_label_text(label)
    state_axis.set_label_text("state")
    ax.grid(axis="x" if listed else "y", color="#dddddd", linewidth=0.7, zorder=0)
    if listed:
        name_states(ax, mdp)
        ax.set_ylim(mdp.n_states - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
    else:
        ax.set_xlim(-0.01 * mdp.n_states, 1.01 * mdp.n_states)
        ax.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    if limits is not None:
        room = 0.03 * (limits[1] - limits[0])
        (ax.set_xlim if listed else ax.set_ylim)(limits[0] - room, limits[1] + room)
        line = ax.axvline if listed else ax.axhline
        line(
            limits[1], color=MUTED, linewidth=1.0, linestyle="--", label="log A, the most possible"
        )


def name_states(ax: Axes, mdp: MDP) -> None:
    """The states' names along the vertical axis, long ones cut short."""
    names = mdp.state_names or tuple(str(state) for state in range(mdp.n_states))
    short = [name if len(name) <= 24 else name[:23] + "…" for name in names]
    ax.set_yticks(np.arange(mdp.n_states), labels=short, parse_math=False)
