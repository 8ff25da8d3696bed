"""GIFs: a solver's iterations, and agents that follow a policy.

Frames are drawn with the Agg canvas (no display is needed) and written by Pillow (`gifs.py`): whole
or absent, on one palette of 256 colours for all frames, the same bytes for the same input.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.plots.maps import arrows, basemap, dot_plots, gifs, grids
from maxent.plots.maps.occupancy import policy_of
from maxent.plots.style import (
    INK,
    LINES,
    MARKERS,
    discount_text,
    named,
    setting,
    setting_of,
    styled,
)
from maxent.solution import Iteration, Solution
from maxent.support.arguments import quoted, require_count, require_positive, require_temperature
from maxent.tabular import operators
from maxent.tabular.sampled.simulation import Simulation, simulate
from maxent.tabular.solvers import soft_value_iteration
from maxent.tabular.solvers.convergence import reference_value

MAX_FRAMES, MAX_EPISODES = 200, 12


@styled
def animate_iterations(
    mdp: MDP,
    temperature: float,
    path: str | os.PathLike[str],
    *,
    solver: Callable[..., Solution] = soft_value_iteration,
    frames: int = 40,
    fps: float = 4.0,
    dpi: float = 80.0,
    overwrite: bool = False,
    title: str | None = None,
    **options: Any,
) -> Path:
    """A GIF of a solver at work: its values as colours and their Boltzmann policy as arrows.

    solver: `soft_value_iteration`, `soft_policy_iteration`, `modified_soft_policy_iteration`, or
    any function of their form; options (prior, tolerance, max_iterations, v0) go to it.  The title
    of each frame gives the iteration, the true error max |V_k - V*| and the solver's certified
    bound on it.  One colour scale serves all frames.  Where there are more iterations than
    `frames` (200 at most), the first ones are shown and then ever fewer, and the last.

    fps: frames a second.  Without a map: the values by state.  Returns the path.  Raises
    ConfigError for a path that does not end in .gif, OutputExistsError (nothing changed) where it
    exists and `overwrite` is false.

    title: in place of the first line of the usual one.
    """
    require_mdp(mdp)
    destination = gifs.require_gif(path, overwrite)
    temperature = require_temperature(temperature)
    frames = _check_at_most("frames", frames, MAX_FRAMES)
    duration, dpi = 1.0 / require_positive("fps", fps), gifs.require_dpi(mdp, dpi, frames)
    prior = options.get("prior")
    optimum, known = reference_value(mdp, temperature, prior)
    v0 = options.get("v0")
    start = np.zeros(mdp.n_states) if v0 is None else np.where(mdp.terminal, 0.0, v0)
    record = _Record(start)
    solution = solver(mdp, temperature, callback=record, **options)
    kept = record.chosen(frames)
    norm = Normalize(*grids.value_limits(mdp, optimum, *(v for _, v, _ in kept)))
    log_prior = mdp.log_prior(prior)

    def draw(ax: Axes, frame: tuple[int, ndarray, float]) -> str:
        iteration, v, bound = frame
        if mdp.grid is None:
            ends = (float(norm.vmin or 0.0), float(norm.vmax or 1.0))
            label = grids.value_label(solution)
            dot_plots.draw_dots(ax, mdp, v, label, bounds=None, limits=None, name="V")
            listed = mdp.n_states <= dot_plots.NAMED
            room = 0.04 * (ends[1] - ends[0])
            (ax.set_xlim if listed else ax.set_ylim)(ends[0] - room, ends[1] + room)
        else:
            q = operators.backup(mdp, v)
            policy = np.exp(operators.boltzmann_policy(q, temperature, log_prior))
            grids.draw_map(ax, mdp, policy, v, norm)
        certified = "start" if iteration == 0 else f"certified ≤ {_short(bound)}"
        error = float(np.abs(v - optimum).max())
        return (
            f"{title or named(solution.method, mdp)}\n{setting(mdp, temperature)}\n"
            f"iteration {iteration}: error {_error(error, known)}, {certified}"
        )

    label = None if mdp.grid is None else (grids.value_label(solution), norm)
    return gifs.write_gif(destination, overwrite, mdp, kept, draw, label, duration, dpi)


@styled
def animate_rollouts(
    mdp: MDP,
    policy: Solution | ndarray,
    path: str | os.PathLike[str],
    *,
    episodes: int = 4,
    seed: int = 0,
    max_steps: int = 60,
    fps: float = 5.0,
    dpi: float = 80.0,
    overwrite: bool = False,
    title: str | None = None,
) -> Path:
    """A GIF of agents that follow a policy, all at once, with the way each came behind it.

    policy: a Solution, or probabilities (S, A).  episodes: 12 at most, each with a marker and a
    colour of its own, drawn by `maxent.simulate` with that seed; the title counts the steps and
    those that have ended.  max_steps: where an episode is cut off, 200 at most.

    Without a map: state numbers against time.  Path, `overwrite`, fps and errors as in
    `animate_iterations`.

    title: in place of the first line of the usual one.
    """
    require_mdp(mdp)
    destination = gifs.require_gif(path, overwrite)
    probabilities = policy_of(mdp, policy)
    episodes = _check_at_most("episodes", episodes, MAX_EPISODES)
    max_steps = _check_at_most("max_steps", max_steps, MAX_FRAMES)
    duration, dpi = 1.0 / require_positive("fps", fps), gifs.require_dpi(mdp, dpi, max_steps + 1)
    runs = simulate(
        mdp, probabilities, episodes=episodes, horizon=max_steps, seed=seed, trajectories=True
    )
    solved = f"discount {discount_text(mdp.discount)}"
    if isinstance(policy, Solution):
        solved = setting_of(mdp, policy)
    last = int(runs.lengths.max(initial=0))

    def draw(ax: Axes, step: int) -> str:
        (_by_time if mdp.grid is None else _on_map)(ax, mdp, probabilities, runs, step)
        finished = int((runs.terminated & (runs.lengths <= step)).sum())
        ends = f", {finished} of {episodes} ended" if mdp.terminal.any() else ""
        what = title or named(f"Rollouts, seed {seed}", mdp)
        return f"{what}\n{solved}\nstep {step}{ends}"

    return gifs.write_gif(destination, overwrite, mdp, range(last + 1), draw, None, duration, dpi)


class _Record:
    """A solver's callback: keeps the first 12 iterates, then one each time their number has grown
    by a tenth, and the last."""

    def __init__(self, start: ndarray) -> None:
        self.kept: list[tuple[int, ndarray, float]] = [(0, start, float("nan"))]
        self.last = self.kept[0]

    def __call__(self, iteration: Iteration) -> None:
        count = iteration.iteration
        self.last = (count, iteration.v, iteration.error_bound)
        if count <= 12 or count >= 1.1 * self.kept[-1][0]:
            self.kept.append((count, iteration.v.copy(), iteration.error_bound))

    def chosen(self, frames: int) -> list[tuple[int, ndarray, float]]:
        """At most `frames` of them, first and last among them."""
        kept = self.kept if self.kept[-1][0] == self.last[0] else [*self.kept, self.last]
        places = np.unique(np.linspace(0, len(kept) - 1, min(frames, len(kept))).round())
        return [kept[int(place)] for place in places]


def _on_map(ax: Axes, mdp: MDP, policy: ndarray, runs: Simulation, step: int) -> None:
    """The map, faint, with the policy, and each agent with the way it came.  Agents are set apart
    within a cell so that none hides another."""
    assert mdp.grid is not None and runs.states is not None
    basemap.tick_cells(ax, mdp.grid)
    cell = grids.cell_points(ax, mdp.grid.shape)
    shade = np.zeros(mdp.n_states)
    basemap.draw_blocks(ax, mdp.grid)
    basemap.draw_ends(ax, mdp, cell)
    basemap.draw_letters(ax, mdp, cell, shade)
    seen = np.flatnonzero((mdp.grid.cells[:, 0] >= 0) & ~mdp.terminal)
    if cell >= grids.ROOM_FOR_ACTIONS:
        faint = arrows.action_arrows(mdp, policy, seen, 0.80, 0.0)
        arrows.draw_arrows(ax, faint, np.full(mdp.n_states, 0.75), 0.05)
    for episode, offset in enumerate(_offsets(runs.episodes)):
        now = min(step, int(runs.lengths[episode]))
        visited = runs.states[episode, : now + 1]
        row, column = mdp.grid.cells[visited].T.astype(float)
        on_map = row >= 0
        x, y = column[on_map] + offset[0], row[on_map] + offset[1]
        colour = LINES[episode % len(LINES)]
        ax.plot(x, y, color=colour, linewidth=max(0.9, 0.035 * cell), alpha=0.55, zorder=7)
        marker = MARKERS[(episode + episode // len(LINES)) % len(MARKERS)]
        look: Any = {"markersize": float(np.clip(0.26 * cell, 3.5, 12.0)), "markeredgecolor": INK}
        ax.plot(x[-1:], y[-1:], marker=marker, color=colour, markeredgewidth=0.8, zorder=8, **look)


def _by_time(ax: Axes, mdp: MDP, policy: ndarray, runs: Simulation, step: int) -> None:
    """Without a map: the states of each agent so far, against time."""
    assert runs.states is not None
    for episode in range(runs.episodes):
        now = min(step, int(runs.lengths[episode]))
        ax.plot(
            np.arange(now + 1),
            runs.states[episode, : now + 1],
            marker=MARKERS[(episode + episode // len(LINES)) % len(MARKERS)],
            markevery=[now],
            markeredgecolor=INK,
            color=LINES[episode % len(LINES)],
            drawstyle="steps-post",
            alpha=0.8,
        )
    ax.set_xlim(-0.5, int(runs.lengths.max(initial=0)) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    ax.set_xlabel("step")
    ax.set_ylabel("state")
    if mdp.n_states <= dot_plots.NAMED:
        dot_plots.name_states(ax, mdp)
    ax.set_ylim(mdp.n_states - 0.4, -0.6)


def _offsets(count: int) -> ndarray:
    """(count, 2): places on a ring in the middle of a cell."""
    angle = 2 * np.pi * np.arange(count) / count
    return (0.0 if count == 1 else 0.22) * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _error(error: float, known: float) -> str:
    """An error against a V* that is known to within `known`."""
    return _short(error) if error > known else f"< {_short(known)}"


def _short(value: float) -> str:
    """Two digits that do not change width much from frame to frame: 0.73, 4.1e-05."""
    return f"{value:.2g}" if value == 0.0 or value >= 0.01 else f"{value:.1e}"


def _check_at_most(name: str, value: Any, most: int) -> int:
    count = require_count(name, value)
    if count > most:
        raise ConfigError(f"{name} = {quoted(value)} is more than {most}, the most that is drawn")
    return count
