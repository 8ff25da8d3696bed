"""Everything on a map that is not a value: walls, cliffs, terminal cells, starts, portals."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy import ndarray

from maxent.mdp import MDP
from maxent.mdp.grid import Grid
from maxent.plots.style import INK, MUTED, PAPER

WALL, CLIFF, HATCH = "#2b2b2b", "#f6e3db", "#a8492b"
PLAIN = "#. !"
"""Characters without a mark of their own: walls, floor, cliffs (drawn as blocks)."""
SYMBOLS = {"G": ("*", 0.60, "goal"), "X": ("X", 0.42, "pit")}
OTHER_END = ("s", 0.34, "terminal")
MAX_LETTERS, ROOM_FOR_LETTERS = 400, 14.0


def characters(grid: Grid) -> ndarray:
    """The map as an array of single characters, (rows, columns)."""
    return np.array([list(line) for line in grid.text])


def edges(grid: Grid) -> tuple[ndarray, ndarray]:
    """Where cells begin and end: (x, y), so that cell (row, column) is centred on its numbers."""
    rows, columns = grid.shape
    return np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5


def draw_blocks(ax: Axes, grid: Grid) -> list[Artist]:
    """Walls and cliffs, the cells that are no states; returns their legend entries."""
    text = characters(grid)
    blocked = np.ones(grid.shape, dtype=bool)
    blocked[tuple(grid.cells[grid.cells[:, 0] >= 0].T)] = False
    cliff = blocked & (text == "!")
    entries: list[Artist] = []
    if (blocked & ~cliff).any():
        _fill(ax, grid, blocked & ~cliff, WALL)
        entries.append(Patch(facecolor=WALL, label="wall"))
    if cliff.any():
        _fill(ax, grid, cliff, CLIFF)
        cells = [Rectangle((column - 0.5, row - 0.5), 1, 1) for row, column in np.argwhere(cliff)]
        hatched: Any = {"edgecolor": HATCH, "hatch": "////", "linewidth": 0.0}
        ax.add_collection(PatchCollection(cells, facecolor="none", zorder=2.5, **hatched))
        entries.append(Patch(facecolor=CLIFF, label="cliff", **hatched))
    return entries


def _fill(ax: Axes, grid: Grid, where: ndarray, colour: str) -> None:
    colours, shown = ListedColormap([colour]), np.ma.masked_where(~where, np.ones(grid.shape))
    ax.pcolormesh(*edges(grid), shown, cmap=colours, rasterized=where.size > 4096, zorder=2)


def draw_ends(ax: Axes, mdp: MDP, cell: float) -> list[Artist]:
    """A symbol in each terminal cell (they hold no value); `cell` is a cell's side in points."""
    assert mdp.grid is not None
    text = characters(mdp.grid)
    kinds: dict[tuple[str, float, str], list[tuple[int, int]]] = {}
    for row, column in mdp.grid.cells[mdp.terminal & (mdp.grid.cells[:, 0] >= 0)]:
        kinds.setdefault(SYMBOLS.get(text[row, column], OTHER_END), []).append((row, column))
    entries: list[Artist] = []
    for (marker, part, name), cells in kinds.items():
        row, column = np.array(cells).T
        side = float(np.clip(part * cell, 9.0, 26.0))
        edge = PAPER if cell < 14.0 else INK
        look: Any = {"c": INK, "edgecolors": edge, "linewidths": 0.7, "clip_on": False}
        ax.scatter(column, row, s=side**2, marker=marker, zorder=6, **look)
        entries.append(symbol(marker, f"{name} (terminal)" if name != "terminal" else name))
    return entries


def draw_letters(ax: Axes, mdp: MDP, cell: float, shade: ndarray) -> list[Artist]:
    """Starts, portals and other named cells as letters in a corner; starts of large maps as rings.

    shade: (S,), 0 for black letters, 1 for white.
    """
    assert mdp.grid is not None
    text = characters(mdp.grid)
    on_map = np.flatnonzero((mdp.grid.cells[:, 0] >= 0) & ~mdp.terminal)
    row, column = mdp.grid.cells[on_map].T
    written = text[row, column]
    entries: list[Artist] = []
    starts = written == "S"
    ringed = starts.any() and cell < ROOM_FOR_LETTERS
    if ringed:
        hollow = cell >= 10.0  # the arrows of the cell show through
        ax.scatter(
            column[starts],
            row[starts],
            s=float(max(0.85 * cell, 6.0)) ** 2,
            marker="o",
            c="none" if hollow else PAPER,
            edgecolors=["white" if light and hollow else INK for light in shade[on_map[starts]]],
            linewidths=1.2,
            zorder=6,
            clip_on=False,
        )
        entries.append(symbol("o", "start", face=PAPER))
    elif starts.any():
        entries.append(symbol("$\\mathrm{S}$", "start"))
    named = ~np.isin(written, list(PLAIN)) & ~(starts & ringed)
    if named.sum() <= MAX_LETTERS:
        for place in np.flatnonzero(named):
            words: Any = {"ha": "left", "va": "top", "fontweight": "bold", "parse_math": False}
            words["fontsize"] = float(np.clip(0.17 * cell, 5.5, 9.0))
            words["color"] = "white" if shade[on_map[place]] else INK
            at = column[place] - 0.40, row[place] - 0.40
            ax.text(*at, written[place], zorder=5, **words)
    letters = set(written[named])
    if "G" in letters:
        entries.append(symbol("$\\mathrm{G}$", "goal"))
    entries += [
        symbol(f"$\\mathrm{{{letter}}}$", f"portal to {letter.lower()}")
        for letter in sorted(letters)
        if letter.isupper() and letter not in "SGX" and (text == letter.lower()).any()
    ]
    return entries


def symbol(marker: str, label: str, face: str = INK) -> Line2D:
    """A legend entry that shows a marker."""
    return Line2D(
        [], [], linestyle="none", marker=marker, color=INK, markerfacecolor=face, label=label,
        markersize=7, markeredgewidth=0.0 if marker.startswith("$") else 1.0,
    )  # fmt: skip


def absent_states(mdp: MDP) -> int:
    """How many non-terminal states have no cell on the map."""
    assert mdp.grid is not None
    return int(((mdp.grid.cells[:, 0] < 0) & ~mdp.terminal).sum())


def tick_cells(ax: Axes, grid: Grid) -> None:
    """Row and column numbers, axis names, rows growing downwards, square cells."""
    rows, columns = grid.shape
    ax.set(aspect="equal", xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    for axis, size in ((ax.xaxis, columns), (ax.yaxis, rows)):
        step = next(
            step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**6) if size / step <= 16
        )
        axis.set_ticks(np.arange(0, size, step))
        axis.set_tick_params(length=0 if step == 1 else 3)
    ax.set(xlabel="column", ylabel="row")
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color(MUTED)
