"""The figure of the four-goal task: the exact policy, soft Q-learning and soft actor-critic.

    python benchmarks/learning/four_goals.py --temperature 10 --seed 3 --out FILE.png
    python benchmarks/learning/four_goals.py --temperature 1 --classes sac_mixture sql_uniform \
        --agents FOLDER --out FILE.png

Trains both with the settings and seed of `targets.py` (minutes; a quarter of an hour at
temperature 1) and draws them under the exact solution.  With `--classes` others; with `--agents`
those that `targets.py --agents FOLDER` has kept there, where it has.
"""

from __future__ import annotations

import argparse
from pathlib import Path

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
NAMES = {
    "sql": "soft Q-learning",
    "sac": "soft actor-critic",
    "sac_mixture": "sac, mixture",
    "sac_flow": "sac, flow",
    "sql_resampled": "sql, resampled",
    "sql_cooled": "sql, resampled, cooled",
    "sql_uniform": "sql, resampled, uniform",
}


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


def agent_of(task: str, name: str, seed: int, agents: Path | None) -> Agent:
    """The agent that was kept in a folder, or a new one, which is kept there."""
    if agents is None:
        return targets.train(task, name, seed)
    path = agents / f"{task}-{name}-{seed}.safetensors"
    if not path.exists():
        agents.mkdir(parents=True, exist_ok=True)
        targets.train(task, name, seed).save(path)
    return maxent.load_agent(path)


def main() -> None:
    """Train and draw."""
    parser = argparse.ArgumentParser(description="The figure of the four-goal task.")
    parser.add_argument("--temperature", choices=("10", "1"), default="10")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--classes", nargs="+", choices=NAMES, default=["sql", "sac"])
    parser.add_argument("--agents", type=Path)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = f"multigoal-{options.temperature}"
    players = {"exact, on a grid": exact_player(float(options.temperature))}
    for name in options.classes:
        players[NAMES[name]] = learned_player(agent_of(task, name, options.seed, options.agents))
    title = (
        f"Four goals at temperature {options.temperature}: paths, and actions over contours of Q"
    )
    plots.save(plots.four_goals(players, title=title), options.out, overwrite=True)


if __name__ == "__main__":
    main()
