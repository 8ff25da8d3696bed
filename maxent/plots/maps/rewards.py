"""Rewards by state and action on the map, and side by side: the true one and a recovered one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.plots.maps import basemap, grids
from maxent.plots.maps.arrows import unit_moves
from maxent.plots.parts import colour_scale, curve_look, grid_of_axes, headline
from maxent.plots.style import MAX_PANELS, MUTED, PAPER, new_figure, problem, styled, value_colours
from maxent.tabular.inverse import remove_shaping

BARE_LABEL = "reward less shaping (reward units)"
REWARD_LABEL = "reward (reward units)"


@styled
def reward_map(
    mdp: MDP,
    rewards: Mapping[str, ndarray] | ndarray,
    *,
    shaping: bool = False,
    columns: int = 3,
    title: str | None = None,
) -> Figure:
    """Rewards by state and action: a piece of the cell for each move, on one scale.

    rewards: {name: reward}, or one, each (S, A) or (S,).  Two rewards that differ by shaping mean
    the same and look different, so that part is removed from each (`remove_shaping`, SHAPE) unless
    shaping=True.  Terminal cells hold no reward and carry a symbol.

    A map whose actions do not all move in directions of their own shows the mean over actions.
    Without a map, the first reward is drawn along an axis and the others against it, a mark for
    each state and action: equal ones lie on the diagonal.

    title: in place of the usual one.
    """
    named = dict(rewards) if isinstance(rewards, Mapping) else {"reward": rewards}
    if not 1 <= len(named) <= MAX_PANELS:
        raise ConfigError(f"{len(named)} rewards; give 1 to {MAX_PANELS}, as many as fit a page")
    bare = {name: remove_shaping(mdp, reward) for name, reward in named.items()}
    shown = {name: _by_action(mdp, named[name]) for name in named} if shaping else bare
    label = REWARD_LABEL if shaping else BARE_LABEL
    free = mdp.action_mask & ~mdp.terminal[:, None]
    seen = np.concatenate([reward[free] for reward in shown.values()])
    limits = grids.limits_of(seen)
    whole = mdp.grid is not None and _pieces(mdp) is None
    what = "mean over actions" if whole else "by state and action"
    title = f"Rewards, {what}\n{problem(mdp)}"
    if mdp.grid is None:
        return _against(mdp, shown, label, title)
    rows, wide = mdp.grid.shape
    across = min(len(shown), columns)
    down = -(-len(shown) // across)
    side = min(0.75, 3.6 / max(rows, wide))
    figure = new_figure(
        max(4.6, across * (max(2.2, wide * side) + 0.55) + 0.9),
        1.15 + down * (rows * side + 0.6),
        square_cells=True,
    )
    axes = grid_of_axes(figure, len(shown), columns)
    for ax, (name, reward) in zip(axes, shown.items()):
        pieces = _draw(ax, mdp, reward, limits)
        entries = basemap.draw_blocks(ax, mdp.grid)
        entries += basemap.draw_ends(ax, mdp, grids.cell_points(ax, mdp.grid.shape))
        ax.set_title(name, fontsize=9.0)
        ax.label_outer()
    colour_scale(figure, pieces, axes, label)
    headline(figure, title)
    grids.legend(figure, entries)
    return figure


def _by_action(mdp: MDP, reward: ndarray) -> ndarray:
    """(S, A), as `remove_shaping` has checked it."""
    array = np.asarray(reward, dtype=float)
    return np.repeat(array[:, None], mdp.n_actions, axis=1) if array.ndim == 1 else array


def _draw(ax: Axes, mdp: MDP, reward: ndarray, limits: tuple[float, float]) -> PolyCollection:
    assert mdp.grid is not None
    basemap.tick_cells(ax, mdp.grid)
    polygons, values = [], []
    pieces = _pieces(mdp)
    square = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    for state in np.flatnonzero(~mdp.terminal & (mdp.grid.cells[:, 0] >= 0)):
        middle = mdp.grid.cells[state][::-1]
        available = mdp.action_mask[state]
        if pieces is None:
            polygons.append(middle + square)
            values.append(reward[state, available].mean())
        else:
            polygons += [middle + pieces[action] for action in np.flatnonzero(available)]
            values += list(reward[state, available])
    cell = grids.cell_points(ax, mdp.grid.shape)
    drawn = PolyCollection(
        polygons,
        array=np.array(values),
        cmap=value_colours(),
        norm=Normalize(*limits),
        edgecolors=PAPER if cell > 12.0 else "face",
        linewidths=0.4,
        gid="rewards",
    )
    ax.add_collection(drawn)
    return drawn


def _pieces(mdp: MDP) -> list[ndarray] | None:
    """For each action its part of the unit square around (0, 0), y downwards: what lies in its
    direction.  None where actions share a direction or stay."""
    moves = unit_moves(mdp)
    angles = np.arctan2(moves[:, 1], moves[:, 0])
    distinct = len(np.unique(angles.round(6))) == len(angles)
    if mdp.n_actions < 3 or not distinct or not moves.any(axis=1).all():
        return None
    order = np.argsort(angles)
    pieces: list[ndarray] = [np.empty(0)] * len(angles)
    inner = angles[order]
    turned = np.concatenate([[inner[-1] - 2 * np.pi], inner, [inner[0] + 2 * np.pi]])
    corners = np.pi / 4 + np.pi / 2 * np.arange(-3, 6)
    for place, action in enumerate(order, start=1):
        first = (turned[place - 1] + turned[place]) / 2
        last = (turned[place] + turned[place + 1]) / 2
        between = corners[(corners > first + 1e-9) & (corners < last - 1e-9)]
        rays = np.concatenate([[first], between, [last]])
        edge = np.stack([np.cos(rays), np.sin(rays)], axis=1)
        edge *= 0.5 / np.abs(edge).max(axis=1, keepdims=True)
        pieces[action] = np.concatenate([[[0.0, 0.0]], edge])
    return pieces


def _against(mdp: MDP, shown: Mapping[str, ndarray], label: str, title: str) -> Figure:
    """Without a map: each reward against the first, a mark for each state and action."""
    free = mdp.action_mask & ~mdp.terminal[:, None]
    figure = new_figure(5.6, 5.0)
    ax = figure.add_subplot()
    (first, along), *others = shown.items()
    low, high = grids.limits_of(np.concatenate([reward[free] for reward in shown.values()]))
    ax.axline((low, low), (high, high), color=MUTED, linewidth=1.0, linestyle="--", label="equal")
    for series, (name, reward) in enumerate(others or [(first, along)]):
        look = curve_look(series) | {"linestyle": "none", "markersize": 4.5}
        ax.plot(along[free], reward[free], label=name, **look)
    ax.set(xlabel=f"{first}: {label}", ylabel=label, title=title)
    ax.legend()
    return figure
