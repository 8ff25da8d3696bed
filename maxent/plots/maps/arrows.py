"""The policy on a map: an arrow for each action, as long and as opaque as it is probable.

Maximum-entropy policies are stochastic, so one arrow for the likeliest action would hide the
point.  A cell whose actions are equally probable shows a small even cross; a decided one a single
arrow.  Displacements come from `grid.moves` alone: rows grow downwards, and so does the y axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from numpy import ndarray

from maxent.mdp import MDP

GAP, FAINT = 0.04, 0.02
"""How far from its origin an arrow starts, in cells, so that small ones form a clean rosette; and
the probability below which an action is not drawn."""


@dataclass(frozen=True)
class Arrows:
    """Arrows in cells: start (x, y), displacement (dx, dy) with y downwards, and opacity."""

    start: ndarray
    step: ndarray
    opacity: ndarray
    state: ndarray

    @property
    def count(self) -> int:
        """How many."""
        return len(self.start)


def unit_moves(mdp: MDP) -> ndarray:
    """(A, 2) displacement (dx, dy) of each action, of length 1, or 0 for an action that stays."""
    assert mdp.grid is not None
    moves = np.asarray(mdp.grid.moves, dtype=float)[:, ::-1]
    size = np.linalg.norm(moves, axis=1, keepdims=True)
    found: ndarray = np.divide(moves, size, out=np.zeros_like(moves), where=size > 0)
    return found


def action_arrows(mdp: MDP, policy: ndarray, states: ndarray, reach: float, rise: float) -> Arrows:
    """An arrow for each state in `states` and each action that moves, of length reach * pi(a|s).

    The arrows of a cell share an origin, set back by half their mean so that they lie in the
    middle of it: none ends farther than reach / 2 + GAP from the middle along rows or columns.
    rise: how far above the centre of its cell that middle is (to leave room for a number).
    """
    assert mdp.grid is not None
    moves = unit_moves(mdp)
    probable = np.where(mdp.action_mask[states], policy[states], 0.0)
    middle = mdp.grid.cells[states][:, ::-1] - np.array([0.0, rise])
    origin = middle - 0.5 * reach * (probable @ moves)
    which, action = np.nonzero((probable > FAINT) & moves.any(axis=1))
    probability = probable[which, action]
    start = origin[which] + GAP * moves[action]
    step = reach * probability[:, None] * moves[action]
    opacity = 0.55 + 0.45 * probability
    return Arrows(start, step, opacity, states[which])


def mean_arrows(mdp: MDP, policy: ndarray, states: ndarray, every: int) -> Arrows:
    """One arrow, the mean of the moves under the policy, in every `every`-th row and column."""
    assert mdp.grid is not None
    row, column = mdp.grid.cells[states].T
    offset = every // 2
    state = states[(row % every == offset) & (column % every == offset)]
    middle = mdp.grid.cells[state][:, ::-1].astype(float)
    mean = policy[state] @ unit_moves(mdp)
    step = 0.95 * every * mean
    size = np.linalg.norm(mean, axis=1)
    drawn = size > FAINT
    opacity = 0.55 + 0.45 * np.minimum(size, 1.0)
    return Arrows((middle - step / 2)[drawn], step[drawn], opacity[drawn], state[drawn])


def draw_arrows(ax: Axes, arrows: Arrows, shade: ndarray, width: float) -> None:
    """Draw them, black (0) or white (1) by `shade` (S,), with shafts `width` cells wide."""
    if arrows.count == 0:
        return
    colours = to_rgba_array(["black"] * arrows.count)
    colours[:, :3] = shade[arrows.state][:, None]
    colours[:, 3] = arrows.opacity
    cells: Any = {"angles": "xy", "scale_units": "xy", "scale": 1.0, "units": "xy"}
    head: Any = {"headwidth": 3.6, "headlength": 3.6, "headaxislength": 3.4}
    least: Any = {"minlength": 0.0, "minshaft": 1.4, "zorder": 4, "gid": "policy"}
    where = (*arrows.start.T, *arrows.step.T)
    ax.quiver(*where, color=colours, width=width, **cells, **head, **least)


def draw_stays(
    ax: Axes, mdp: MDP, policy: ndarray, states: ndarray, shade: ndarray, cell: float, rise: float
) -> None:
    """A dot for the actions that stay in place, its area proportional to their probability."""
    still = ~unit_moves(mdp).any(axis=1)
    if not still.any():
        return
    assert mdp.grid is not None
    probability = (policy * mdp.action_mask)[np.ix_(states, np.flatnonzero(still))].sum(axis=1)
    seen = probability > FAINT
    row, column = mdp.grid.cells[states[seen]].T
    colours = np.repeat(shade[states[seen]][:, None], 3, axis=1)
    area = (0.22 * cell) ** 2 * probability[seen]
    ax.scatter(column, row - rise, s=area, c=colours, linewidths=0, zorder=4)
