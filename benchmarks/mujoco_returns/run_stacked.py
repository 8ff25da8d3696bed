"""Many seeds of maxent's soft actor-critic on one GPU, each to a curve.

    python benchmarks/mujoco_returns/run_stacked.py --env HalfCheetah-v5      # ten seeds, 1e6 steps

The settings are the protocol's, evaluations are further apart.  All agents are one graph
(`maxent.neural.training.stacked`), each with an environment, a replay buffer on the card and noise
of its own.  A run that is cut begins anew; what the evaluations said is in its output.
`compare.py --curves FOLDER` reads what it writes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import torch
from protocol import EPISODES, EVALUATION_SEED, HERE, Settings, Task, curve_path, write_curve
from run_ours import PACKAGE, settings_for_train

from maxent.neural.algorithms import sac
from maxent.neural.training.agent import Agent
from maxent.neural.training.stacked import unstack

sys.path.insert(0, str(HERE.parent))

from stacked_seeds import Agents

FOLDER = HERE / "curves-1e6"


def on_cpu(tree: dict[str, Any]) -> dict[str, Any]:
    """A state's tensors in the machine's own memory."""
    return {name: on_cpu(x) if isinstance(x, dict) else x.cpu() for name, x in tree.items()}


def evaluated(agents: Agents, env: str, step: int) -> list[float]:
    """The mean return of the deterministic policy of each agent."""
    found = []
    for index in range(agents.count):
        agent = Agent(
            algorithm="sac",
            config=agents.config,
            spaces=agents.spaces,
            state=on_cpu(unstack(agents.state, index)),
            steps=step,
            env=env,
        )
        evaluation = agent.evaluate(episodes=EPISODES, seed=EVALUATION_SEED)
        found.append(float(evaluation.returns.mean()))
    return found


def run(asked: argparse.Namespace, settings: Settings) -> None:
    """Train all seeds together, and write their curves."""
    config = sac.Config(**settings_for_train(settings))
    agents = Agents(asked.env, asked.first_seed, asked.seeds, config, asked.device, asked.backend)
    steps, returns, seconds = [], [], []
    began = time.perf_counter()
    for step in range(config.learning_starts + 1, asked.steps + 1):
        agents.step()
        agents.update()
        if step % asked.evaluate_every == 0:
            steps.append(step)
            returns.append(evaluated(agents, asked.env, step))
            seconds.append(time.process_time())
            rate = (step - config.learning_starts) / (time.perf_counter() - began)
            told = ", ".join(f"{value:.0f}" for value in returns[-1])
            print(f"step {step}, {rate:.0f} steps/s a seed: {told}", flush=True)
    agents.environments.close()
    for index in range(asked.seeds):
        seed = asked.first_seed + index
        out = curve_path(PACKAGE, asked.env, seed, asked.out)
        write_curve(
            Task(asked.env, seed, asked.steps, out),
            PACKAGE,
            steps,
            [row[index] for row in returns],
            seconds,
            [PACKAGE, "torch", "gymnasium", "mujoco"],
        )


def main() -> None:
    """Read what is asked for."""
    best = "cuda" if torch.cuda.is_available() else "cpu"
    parser = argparse.ArgumentParser(description="Many seeds on one device, each to a curve.")
    parser.add_argument("--env", default="HalfCheetah-v5")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--evaluate-every", type=int, default=50_000)
    parser.add_argument("--device", choices=["cpu", "cuda"], default=best)
    parser.add_argument("--backend", default="inductor", help="of torch.compile")
    parser.add_argument("--out", type=Path, default=FOLDER)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    run(asked, Task(asked.env, asked.first_seed, asked.steps, asked.out).settings)


if __name__ == "__main__":
    main()
