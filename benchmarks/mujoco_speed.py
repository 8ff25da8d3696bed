"""Environment steps a second, learning included: maxent beside Stable-Baselines3, interleaved.

    python benchmarks/mujoco_speed.py --sb3-python .venv-sb3/bin/python

Each package learns in a process and an environment of its own, on one thread.  They take turns:
while one lives through a segment of steps (act, step, store, one gradient step a step, its usual
logging) the other waits, so that whatever else the machine does meets both alike.  What is
reported is the ratio: of medians over the rounds, and the median of the rounds' own ratios, in
seconds of the clock and in seconds of the processor, which other work on the machine disturbs less.
Imports, construction, the random steps and the first segment are not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

PROTOCOL = Path(__file__).parent / "mujoco_returns"
RANDOM_STEPS, WARM_STEPS, CAPACITY, SEED = 1_000, 200, 100_000, 1
THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(PROTOCOL)}

Segment = Callable[[int], object]
"""Live through so many steps, and learn."""


class Seconds(NamedTuple):
    """What a segment took, by the clock and of the processor."""

    clock: float
    processor: float


def maxent_segments(env: str) -> Segment:
    """maxent's learner, a segment at a time."""
    from protocol import settings_of
    from run_ours import settings_for_train

    from maxent.neural.training.learner import Learner
    from maxent.neural.training.plan import Plan

    settings = replace(settings_of(env, CAPACITY), learning_starts=RANDOM_STEPS)
    plan = Plan(algorithm="sac", env=env, steps=1, seed=SEED)
    learner = Learner(plan, env, settings_for_train(settings))

    def segment(count: int) -> None:
        learner.plan = replace(plan, steps=learner.step + count)
        learner.train()

    return segment


def sb3_segments(env: str) -> Segment:
    """Stable-Baselines3's learner, a segment at a time."""
    from protocol import settings_of
    from run_sb3 import learner

    settings = replace(settings_of(env, CAPACITY), learning_starts=RANDOM_STEPS)
    model = learner(env, SEED, settings)
    return lambda count: model.learn(count, reset_num_timesteps=False)


WORKERS = {"maxent": maxent_segments, "stable-baselines3": sb3_segments}


def work(package: str, env: str) -> None:
    """In a worker: for each number of steps read, live through them and write what they took."""
    import torch

    torch.set_num_threads(1)
    segment = WORKERS[package](env)
    for line in sys.stdin:
        clock, processor = time.perf_counter(), time.process_time()
        segment(int(line))
        print("took", time.perf_counter() - clock, time.process_time() - processor, flush=True)


class Worker:
    """A package in a process of its own."""

    def __init__(self, python: str, package: str, env: str) -> None:
        command = [python, __file__, "--worker", package, "--env", env]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | THREADS,
        )

    def take(self, steps: int) -> Seconds:
        """Have it live through so many steps."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("took "):
                return Seconds(*map(float, line.split()[1:]))
        raise SystemExit(f"the worker ended: {' '.join(map(str, self.process.args))}")

    def close(self) -> None:
        """Let it end."""
        self.process.communicate()


def compare(pythons: dict[str, str], env: str, rounds: int, steps: int) -> None:
    """Print each round's steps a second, and the ratios."""
    workers = {package: Worker(python, package, env) for package, python in pythons.items()}
    for worker in workers.values():
        worker.take(RANDOM_STEPS + WARM_STEPS)
    taken: dict[str, list[Seconds]] = {package: [] for package in workers}
    for number in range(rounds):
        order = list(workers) if number % 2 == 0 else list(workers)[::-1]
        for package in order:
            taken[package].append(workers[package].take(steps))
        rates = ", ".join(
            f"{package} {steps / taken[package][-1].clock:.1f}" for package in workers
        )
        print(f"round {number + 1}: steps a second {rates}", flush=True)
    for worker in workers.values():
        worker.close()
    ours, theirs = (taken[package] for package in ("maxent", "stable-baselines3"))
    for name in Seconds._fields:
        mine, other = ([getattr(one, name) for one in side] for side in (ours, theirs))
        each = sorted(b / a for a, b in zip(mine, other, strict=True))
        print(
            f"{name}: maxent is {median(other) / median(mine):.2f} times as fast "
            f"(median of the rounds' ratios {median(each):.2f}, {each[0]:.2f} to {each[-1]:.2f})"
        )


def main() -> None:
    """Compare, or be a worker."""
    parser = argparse.ArgumentParser(description="Steps a second, interleaved.")
    parser.add_argument("--env", default="HalfCheetah-v5")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=1_500, help="in each segment")
    parser.add_argument("--sb3-python", default=".venv-sb3/bin/python")
    parser.add_argument("--worker", choices=WORKERS, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.worker:
        work(told.worker, told.env)
    else:
        pythons = {"maxent": sys.executable, "stable-baselines3": told.sb3_python}
        compare(pythons, told.env, told.rounds, told.steps)


if __name__ == "__main__":
    main()
