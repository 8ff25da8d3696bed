"""The figure of the README: chosen values against those found, by a solver and by two agents.

python benchmarks/known_answers/ladder.py docs/images/ladder.png    # a minute
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from problems import point
from study import PROBLEM, trained
from torch.distributions import Distribution

import maxent
from maxent import plots
from maxent.neural.diagnostics.rollouts import claims
from maxent.plots.style import INK, LINES, MUTED, new_figure, styled

Panel = tuple[str, np.ndarray, np.ndarray, str]


def solved() -> Panel:
    """A table: the known answer of a gridworld, and what the solver finds."""
    rooms = maxent.gridworld("four-rooms", slip=0.1, discount=PROBLEM["discount"])
    rng = np.random.default_rng(0)
    policy = rng.dirichlet(np.ones(4), rooms.n_states)
    chosen = rng.uniform(-3.0, 3.0, rooms.n_states)
    known = maxent.known_answer(rooms, policy, chosen, PROBLEM["temperature"])
    solution = maxent.solve(known.mdp, PROBLEM["temperature"])
    inner = np.flatnonzero(~known.mdp.terminal)
    text = f"off by {np.abs(solution.v - known.v).max():.0e}\ncertified: {solution.error_bound:.0e}"
    return "a table, solved", known.v[inner], solution.v[inner], text


def learnt(title: str, critics: int) -> Panel:
    """An agent of the study's base, in the states that it visits."""
    known = point(**PROBLEM)
    agent = trained(known, {"critics": critics}, seed=1)
    found = maxent.diagnose(agent, known, episodes=20)["KNOWN"].error
    seen, rng = [], np.random.default_rng(0)
    for episode in range(12):
        observation, _ = known.env.reset(seed=episode)
        for step in range(50):
            if rng.random() < 0.5:
                seen.append(np.asarray(observation, dtype=np.float32))
            action = agent.act(observation, seed=50 * episode + step)
            observation = known.env.step(action)[0]
    states = np.array(seen)
    v, said = known.v(states), claims(agent, states, agent.generator(0)).v
    text = f"KL(policy || π*) {found:.3f}\nmean of V - V* {(said - v).mean():+.2f}"
    return title, v, said, text


@styled
def ladder(panels: list[Panel]) -> Any:
    """A panel each: values chosen against values found."""
    figure = new_figure(9.6, 3.9)
    most = 1.1 * max(np.abs([*chosen, *found]).max() for _, chosen, found, _ in panels)
    for ax, (title, chosen, found, text) in zip(
        figure.subplots(1, len(panels), sharex=True, sharey=True), panels, strict=True
    ):
        ax.axline((0.0, 0.0), slope=1.0, color=MUTED, linewidth=0.8)
        ax.plot(chosen, found, "o", color=LINES[0], markersize=3.0, alpha=0.5)
        ax.text(0.04, 0.96, text, transform=ax.transAxes, va="top", color=INK, fontsize=9)
        ax.set_title(title)
        ax.set(xlim=(-most, most), ylim=(-most, most), box_aspect=1.0)
        ax.set_xlabel("V* as chosen, discounted")
    figure.axes[0].set_ylabel("V as found, discounted")
    setting = f"temperature {PROBLEM['temperature']}, discount {PROBLEM['discount']}"
    figure.suptitle(f"Held against known answers: {setting}", x=0.01, ha="left")
    return figure


if __name__ == "__main__":
    torch.set_num_threads(1)
    Distribution.set_default_validate_args(False)
    three = [
        solved(),
        learnt("soft actor-critic, one Q", 1),
        learnt("two Q's, of which the smaller counts", 2),
    ]
    plots.save(ladder(three), sys.argv[1], overwrite=True)
