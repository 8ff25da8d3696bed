"""Values, entropies and policies drawn on the map of a gridworld."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy import ndarray

from maxent.mdp import MDP, require_mdp
from maxent.plots.maps import arrows, basemap, dot_plots
from maxent.plots.parts import axes_for, colour_scale
from maxent.plots.style import (
    INK,
    PAPER,
    contrasting,
    figure_of,
    named,
    number,
    require_pair,
    styled,
    subtitle,
    value_colours,
)
from maxent.solution import Solution
from maxent.support.arguments import require_kind
from maxent.tabular.operators import entropy

VALUE_LABEL = "soft value V (reward units, discounted)"
HARD_LABEL = "value V (reward units, discounted)"
ENTROPY_LABEL = "policy entropy (nats)"
ROOM_FOR_NUMBERS, ROOM_FOR_ACTIONS, ROOM_FOR_ARROWS = 38.0, 10.0, 2.5
"""Least side of a cell, in points, for numbers, an arrow an action, and any arrow."""


@styled
def value_map(
    mdp: MDP, solution: Solution, *, ax: Axes | None = None, title: str | None = None
) -> Figure:
    """Soft values as colours and the policy as arrows, on the map of the MDP.

    Every action has an arrow, as long and as opaque as it is probable.  Small maps show the
    values as numbers; on larger ones the arrows thin out to the mean direction of every n-th
    cell and then vanish.  Terminal cells carry a symbol, as they hold no value.

    An MDP without a map gives a plot of the values by state with their certified bounds.

    ax: draw there instead of in a new figure.  Returns the figure.

    title: in place of the usual one.
    """
    require_mdp(mdp)
    require_kind("solution", solution, Solution)
    return _map(mdp, solution, solution.v, value_label(solution), None, ax)


@styled
def entropy_map(
    mdp: MDP, solution: Solution, *, ax: Axes | None = None, title: str | None = None
) -> Figure:
    """Entropy of the policy in each state, in nats, from 0 (decided) to log A (indifferent).

    Drawn like `value_map`, arrows included.

    title: in place of the usual one.
    """
    require_mdp(mdp)
    require_kind("solution", solution, Solution)
    values = np.abs(entropy(solution.log_policy))
    return _map(mdp, solution, values, ENTROPY_LABEL, entropy_limits(mdp), ax)


def entropy_limits(mdp: MDP) -> tuple[float, float]:
    """From 0 to log A, A the largest number of actions available in a state."""
    most = np.log(mdp.action_mask[~mdp.terminal].sum(axis=1).max(initial=1))
    return 0.0, float(most) if most > 0.0 else 1.0


def value_label(solution: Solution) -> str:
    """Name and unit of v."""
    return HARD_LABEL if solution.temperature == 0.0 else VALUE_LABEL


@styled
def _map(
    mdp: MDP,
    solution: Solution,
    values: ndarray,
    label: str,
    limits: tuple[float, float] | None,
    ax: Axes | None,
) -> Figure:
    require_pair(mdp, solution)
    of_entropy = label == ENTROPY_LABEL
    if mdp.grid is None:
        bounds = None if of_entropy else (solution.lower, solution.upper)
        return dot_plots.dot_plot(mdp, solution, values, label, bounds=bounds, limits=limits, ax=ax)
    ax, own = axes_for(ax, *figure_size(mdp.grid.shape), square_cells=True)
    figure = figure_of(ax)
    mesh, entries = draw_map(ax, mdp, solution.policy, values, limits or value_limits(mdp, values))
    what = "Policy entropy" if of_entropy else "Soft values and policy"
    if solution.temperature == 0.0 and not of_entropy:
        what = "Values and policy"
    ax.set_title(f"{named(what, mdp)}\n{subtitle(mdp, solution)}")
    bar = colour_bar(figure, [ax], mesh, label, mdp.grid.shape)
    if of_entropy:
        mark_most(bar, limits)
    if own:
        legend(figure, entries)
    return figure


def figure_size(shape: tuple[int, int], longest: float = 6.4) -> tuple[float, float]:
    """Width and height in inches for a map whose longer side is at most `longest`."""
    rows, columns = shape
    cell = min(0.95, longest / max(rows, columns))
    flat = is_flat(shape)
    return max(4.6, columns * cell + (0.9 if flat else 1.8)), rows * cell + (2.15 if flat else 1.4)


def is_flat(shape: tuple[int, int]) -> bool:
    """Whether a map is too low for a colour bar at its side."""
    return rows_high(shape) < 2.4


def rows_high(shape: tuple[int, int]) -> float:
    """Height in inches of a map in a figure of its own."""
    return shape[0] * min(0.95, 6.4 / max(shape))


def value_limits(mdp: MDP, *values: ndarray) -> tuple[float, float]:
    """Least and greatest value over the states that have one, never equal."""
    return limits_of(np.concatenate([v[~mdp.terminal] for v in values]))


def limits_of(seen: ndarray) -> tuple[float, float]:
    """A scale from the least to the greatest number, wider where they are all the same."""
    if len(seen) == 0:
        return 0.0, 1.0
    low, high = float(seen.min()), float(seen.max())
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        room = 0.5 * max(abs(low), 1e-3)
        return low - room, high + room
    return low, high


def draw_map(
    ax: Axes, mdp: MDP, policy: ndarray, values: ndarray, limits: tuple[float, float] | Normalize
) -> tuple[QuadMesh, list[Artist]]:
    """Everything inside the axes; returns the coloured mesh and the entries of a legend.

    limits: the ends of a linear colour scale, or any scale as a matplotlib norm.
    """
    grid = mdp.grid
    assert grid is not None
    basemap.tick_cells(ax, grid)
    cell = cell_points(ax, grid.shape)
    shown = np.where(mdp.terminal, np.nan, values)
    norm = limits if isinstance(limits, Normalize) else Normalize(*limits)
    colours = value_colours()
    x, y = basemap.edges(grid)
    mesh = ax.pcolormesh(
        x,
        y,
        np.ma.masked_invalid(grid.picture(shown)),
        cmap=colours,
        norm=norm,
        edgecolors=PAPER if cell > 12.0 else "none",
        linewidth=0.5 if cell > 12.0 else 0.0,
        rasterized=cell <= 12.0,
        gid="values",
    )
    shade = contrasting(colours(norm(values)))
    entries = basemap.draw_blocks(ax, grid)
    entries += basemap.draw_ends(ax, mdp, cell)
    entries += basemap.draw_letters(ax, mdp, cell, shade)
    entries += _draw_policy(ax, mdp, policy, shade, cell)
    if cell >= ROOM_FOR_NUMBERS:
        _write_numbers(ax, mdp, values, shade, cell)
    absent = basemap.absent_states(mdp)
    if absent:
        noun = "state without a cell is" if absent == 1 else "states without a cell are"
        entries.append(Line2D([], [], linestyle="none", label=f"{absent} {noun} not drawn"))
    return mesh, entries


def _draw_policy(ax: Axes, mdp: MDP, policy: ndarray, shade: ndarray, cell: float) -> list[Artist]:
    grid = mdp.grid
    assert grid is not None
    states = np.flatnonzero((grid.cells[:, 0] >= 0) & ~mdp.terminal)
    if cell < ROOM_FOR_ARROWS or len(states) == 0:
        return []
    if cell >= ROOM_FOR_ACTIONS:
        numbers = cell >= ROOM_FOR_NUMBERS
        reach, rise = (0.58, 0.13) if numbers else (0.80, 0.0)
        drawn = arrows.action_arrows(mdp, policy, states, reach, rise)
        arrows.draw_arrows(ax, drawn, shade, 0.04 if numbers else 0.07)
        arrows.draw_stays(ax, mdp, policy, states, shade, cell, rise)
        return [basemap.symbol("$\\rightarrow$", "length: probability of the action")]
    every = int(np.ceil(9.0 / cell))
    arrows.draw_arrows(ax, arrows.mean_arrows(mdp, policy, states, every), shade, 0.10 * every)
    which = "" if every == 1 else f", one cell in {every} each way"
    return [basemap.symbol("$\\rightarrow$", f"mean move{which}")]


def _write_numbers(ax: Axes, mdp: MDP, values: ndarray, shade: ndarray, cell: float) -> None:
    grid = mdp.grid
    assert grid is not None
    size = float(np.clip(0.16 * cell, 5.5, 9.0))
    for state in np.flatnonzero((grid.cells[:, 0] >= 0) & ~mdp.terminal):
        row, column = grid.cells[state]
        look: Any = {"ha": "center", "va": "bottom", "fontsize": size, "zorder": 5}
        colour = "white" if shade[state] else INK
        ax.text(column, row + 0.45, number(values[state]), color=colour, **look)


def cell_points(ax: Axes, shape: tuple[int, int]) -> float:
    """Side of a cell in points, before the layout is settled."""
    box = ax.get_window_extent()
    scale = 72.0 / figure_of(ax).dpi
    return float(min(box.width / shape[1], box.height / shape[0]) * scale)


def colour_bar(
    figure: Figure,
    axes: Sequence[Axes],
    mesh: ScalarMappable,
    label: str,
    shape: tuple[int, int],
    extend: str = "neither",
) -> Any:
    """A colour bar named with its unit, at the side, or below a flat map."""
    flat = is_flat(shape)
    fraction = float(np.clip(0.18 / rows_high(shape), 0.06, 0.3)) if flat else 0.06
    place: Any = {"location": "bottom" if flat else "right", "fraction": fraction, "pad": 0.03}
    return colour_scale(figure, mesh, axes, label, extend=extend, **place)


def mark_most(bar: Any, limits: tuple[float, float] | None) -> None:
    """Name the top of an entropy's colour bar, log A."""
    assert limits is not None
    n_actions = round(float(np.exp(limits[1])))
    ticks = [tick for tick in bar.get_ticks() if 0.0 <= tick < 0.93 * limits[1]]
    bar.set_ticks([*ticks, limits[1]], labels=[*(f"{t:.2f}" for t in ticks), f"log {n_actions}"])


def legend(figure: Figure, entries: Sequence[Artist]) -> None:
    """The legend below a figure."""
    if entries:
        width = figure.get_figwidth()
        columns = max(1, min(len(entries), int(width / 1.55)))
        place: Any = {"loc": "outside lower center", "ncols": columns, "handlelength": 1.2}
        figure.legend(handles=list(entries), handletextpad=0.4, columnspacing=1.4, **place)
