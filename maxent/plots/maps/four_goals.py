"""The four-goal task: what policies do, and how they choose, one row a policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy import ndarray

from maxent.continuous.multigoal import BORDER, FIGURE_STATES, GOALS, REACH
from maxent.errors import ConfigError
from maxent.plots.parts import headline
from maxent.plots.style import LINES, MUTED, new_figure, styled
from maxent.support.arguments import require_kind
from maxent.support.shapes import Float


class Player(NamedTuple):
    """A policy of the four-goal task.

    paths : (T, n, 2), n episodes.  q : (3, k, k), Q on a grid of k x k actions over [-1, 1]^2, the
    first axis their first coordinate, at `FIGURE_STATES`.  samples : (3, m, 2), drawn there.
    """

    paths: Float[ndarray, "T n 2"]
    q: Float[ndarray, "3 k k"]
    samples: Float[ndarray, "3 m 2"]


@styled
def four_goals(players: Mapping[str, Player], *, title: str) -> Figure:
    """Paths, then contours of Q over the action square with drawn actions at the three states of
    Haarnoja et al. (2017), Fig. 3; a row for each policy."""
    require_kind("players", players, Mapping)
    if not players:
        raise ConfigError("players is empty; give at least one")
    figure = new_figure(11.0, 0.7 + 2.9 * len(players))
    axes = figure.subplots(len(players), 4, squeeze=False)
    for row, (name, player) in zip(axes, players.items()):
        _paths(row[0], player.paths)
        row[0].set_title(name, parse_math=False)
        for index, (ax, state) in enumerate(zip(row[1:], FIGURE_STATES)):
            _choice(ax, player.q[index], player.samples[index])
            ax.set_title(f"at ({state[0]:g}, {state[1]:g})", fontsize=9.0)
    headline(figure, title)
    return figure


def _paths(ax: Axes, paths: Float[ndarray, "T n 2"]) -> None:
    for index, path in enumerate(np.moveaxis(paths, 1, 0)):
        ax.plot(*path.T, color=LINES[index % len(LINES)], linewidth=0.7, alpha=0.7)
    for goal in GOALS:
        ax.add_patch(Circle(tuple(goal), REACH, fill=False, edgecolor=MUTED, linewidth=1.0))
    for state, mark in zip(FIGURE_STATES, "123"):
        ax.annotate(mark, state, ha="center", va="center", fontsize=8.0, fontweight="bold")
    ax.set(xlim=(-BORDER, BORDER), ylim=(-BORDER, BORDER), aspect="equal", xlabel="x", ylabel="y")


def _choice(ax: Axes, q: Float[ndarray, "k k"], samples: Float[ndarray, "m 2"]) -> None:
    side = np.linspace(-1.0, 1.0, len(q))
    ax.contour(side, side, q.T, levels=14, cmap="cividis", linewidths=0.8)
    ax.plot(*samples.T, ".", color=LINES[1], markersize=2.2, alpha=0.6, clip_on=False)
    ax.set(xlim=(-1.0, 1.0), ylim=(-1.0, 1.0), aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    ax.set_xlabel("action x")
    ax.set_ylabel("action y")
