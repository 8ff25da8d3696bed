"""Many seeds of maxent's soft actor-critic on one GPU, each to a curve.

    python benchmarks/mujoco_returns/run_stacked.py --env HalfCheetah-v5      # ten seeds, 1e6 steps

The settings are the protocol's, evaluations are further apart.  All agents are one graph
(`maxent.neural.training.stacked`), each with an environment, a replay buffer on the card and noise
of its own.  A run that is cut begins anew; what the evaluations said is in its output.
`compare.py --curves FOLDER` reads what it writes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from protocol import (
    EPISODES,
    EVALUATION_SEED,
    HERE,
    Settings,
    Task,
    curve_path,
    settings_of,
    write_curve,
)
from run_ours import PACKAGE, settings_for_train

from maxent.errors import ConfigError, MaxEntError
from maxent.neural.algorithms import sac
from maxent.neural.runs import Run, require_same_configuration, stop_requested
from maxent.neural.training.agent import Agent
from maxent.neural.training.stacked import unstack
from maxent.support.arguments import require_count

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


def opened(folder: Path, asked: argparse.Namespace, settings: Settings) -> Run:
    """The run of all agents: a new one, or the one that was cut."""
    names = ("env", "first_seed", "seeds", "steps", "evaluate_every", "device", "backend")
    config = {name: getattr(asked, name) for name in names} | {"settings": asdict(settings)}
    if not (folder / "config.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Run.create(folder, config)
    found = Run.open(folder)
    require_same_configuration(found.config, config)
    return found


def folder_of(asked: argparse.Namespace) -> Path:
    """Where the run of all agents is kept until its curves are written."""
    last = asked.first_seed + asked.seeds - 1
    return Path(asked.out, f"{asked.env}-{asked.first_seed}-to-{last}.run")


def paths_of(asked: argparse.Namespace) -> dict[int, Path]:
    """The curve of each seed."""
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    return {seed: curve_path(PACKAGE, asked.env, seed, asked.out) for seed in seeds}


def run(asked: argparse.Namespace, settings: Settings) -> Agents:
    """Train all seeds together, or go on with them, and write their curves; the agents."""
    config = sac.Config(**settings_for_train(settings))
    if asked.steps < max(asked.evaluate_every, config.learning_starts + 1):
        raise ConfigError(f"steps = {asked.steps} are over before the first evaluation; give more")
    with opened(folder_of(asked), asked, settings) as kept, stop_requested() as stop:
        agents = Agents(asked.env, asked.first_seed, asked.seeds, config, asked.device)
        step, before = config.learning_starts, 0.0
        told: dict[str, list[Any]] = {"steps": [], "returns": [], "seconds": []}
        if (saved := kept.resume()) is not None:
            agents.restore(saved)
            step, before, told = saved.step, saved.values["spent"], saved.values["told"]
            print(f"goes on after step {step}", flush=True)
        else:
            agents.explore()
        agents.prepare(asked.backend)
        began, first = time.perf_counter(), step

        def save() -> None:
            agents.save(kept, step, {"told": told, "spent": before + time.process_time()})

        while step < asked.steps and not stop:
            agents.step()
            agents.update()
            step += 1
            if step % asked.evaluate_every == 0:
                returns = evaluated(agents, asked.env, step)
                spent = before + time.process_time()
                for column, value in zip(told.values(), (step, returns, spent)):
                    column.append(value)
                rate = (step - first) / (time.perf_counter() - began)
                said = ", ".join(f"{value:.0f}" for value in returns)
                print(f"step {step}, {rate:.0f} steps/s a seed: {said}", flush=True)
                save()
        if step not in kept.steps:
            save()
        agents.environments.close()
    if step < asked.steps:
        print(f"stopped after step {step}; the same command goes on", file=sys.stderr)
        raise SystemExit(stop.exit_code)
    for index, (seed, path) in enumerate(paths_of(asked).items()):
        write_curve(
            Task(asked.env, seed, asked.steps, path),
            PACKAGE,
            told["steps"],
            [row[index] for row in told["returns"]],
            told["seconds"],
            [PACKAGE, "torch", "gymnasium", "mujoco"],
        )
    return agents


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
    try:
        for name in ("seeds", "steps", "evaluate_every"):
            require_count(name, getattr(asked, name))
        if all(path.exists() for path in paths_of(asked).values()):
            print(f"the curves are in {asked.out}: nothing to do")
        else:
            run(asked, settings_of(asked.env, asked.steps))
    except MaxEntError as error:
        raise SystemExit(f"run_stacked.py: error: {error}") from None
    shutil.rmtree(folder_of(asked), ignore_errors=True)


if __name__ == "__main__":
    main()
