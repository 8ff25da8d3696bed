"""The figure of the four-goal task: the exact policy, soft Q-learning and soft actor-critic.

    python benchmarks/learning/four_goals.py --temperature 10 --seed 3 --out FILE.png

Trains both with the settings and seed of `targets.py` (minutes; a quarter of an hour at
temperature 1) and draws them under the exact solution.
"""

from __future__ import annotations

import argparse

import numpy as np
import targets
import torch

import maxent
from maxent import plots
from maxent.continuous import multigoal
from maxent.continuous.discretise import roll_out, sampled
from maxent.neural.parts.networks import action_values
from maxent.neural.training.agent import Agent

DRAWN, PATHS = 200, 40
SIDE = np.linspace(-1.0, 1.0, 21)


def exact_player(temperature: float) -> plots.Player:
    """The exact policy, on the grid of step 0.1."""
    grid = multigoal.multigoal()
    solution = maxent.solve(grid.mdp(temperature), temperature, tolerance=1e-3)
    rng = np.random.default_rng(0)
    paths = roll_out(
        grid.task, sampled(grid, solution, rng), multigoal.start(PATHS, rng), multigoal.HORIZON
    )
    policy = np.exp(grid.log_policy(solution, multigoal.FIGURE_STATES))
    drawn = [rng.choice(len(grid.actions), DRAWN, p=row / row.sum()) for row in policy]
    jitter = rng.uniform(-0.05, 0.05, (3, DRAWN, 2))
    samples = np.clip(grid.actions[np.stack(drawn)] + jitter, -1.0, 1.0)
    q = grid.q(solution, multigoal.FIGURE_STATES)
    return plots.Player(paths.states, q.reshape(3, 21, 21), samples)


def learned_player(agent: Agent) -> plots.Player:
    """A trained agent."""
    _, paths = targets.multigoal_rollouts(agent, PATHS)
    generator = agent.generator(2)
    states = np.asarray(multigoal.FIGURE_STATES, dtype=np.float32)
    samples = [agent.actions(np.tile(state, (DRAWN, 1)), generator) for state in states]
    actions = np.stack(np.meshgrid(SIDE, SIDE, indexing="ij"), axis=-1).reshape(-1, 2)
    with torch.no_grad():
        every = torch.as_tensor(actions, dtype=torch.float32).expand(3, -1, -1)
        q = action_values(agent.state["critic"], torch.as_tensor(states), every).amin(0)
    return plots.Player(paths, q.reshape(3, 21, 21).numpy(), np.stack(samples))


def main() -> None:
    """Train and draw."""
    parser = argparse.ArgumentParser(description="The figure of the four-goal task.")
    parser.add_argument("--temperature", choices=("10", "1"), default="10")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = f"multigoal-{options.temperature}"
    players = {"exact, on a grid": exact_player(float(options.temperature))}
    for algorithm, name in (("sql", "soft Q-learning"), ("sac", "soft actor-critic")):
        players[name] = learned_player(targets.train(task, algorithm, options.seed))
    title = (
        f"Four goals at temperature {options.temperature}: paths, and actions over contours of Q"
    )
    plots.save(plots.four_goals(players, title=title), options.out, overwrite=True)


if __name__ == "__main__":
    main()
