"""What both packages are asked to do, and the file in which each says how it went.

Imports nothing but the standard library, so that either package's own environment can run it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
CURVES = HERE / "curves"

ENVIRONMENTS = ("HalfCheetah-v5", "Hopper-v5")
SEEDS = (1, 2, 3)
STEPS = 100_000

RANDOM_STEPS = {"HalfCheetah-v5": 10_000, "Ant-v5": 10_000}
"""Steps with uniformly random actions before the first update; elsewhere 1,000 (SAC, App. D)."""

EVALUATE_EVERY, EPISODES = 10_000, 10
EVALUATION_SEED = 1_000_000
"""Episode i of every evaluation starts from this seed + i, in an environment of its own."""


@dataclass(frozen=True)
class Settings:
    """Soft actor-critic with a tuned temperature; the rest is what both packages do alike.

    The temperature starts at 1 and is tuned to an entropy of -dim(A); networks have rectified
    linear units; the replay buffer keeps every step of the run.
    """

    learning_starts: int
    replay_capacity: int
    learning_rate: float = 3e-4
    batch_size: int = 256
    hidden: tuple[int, ...] = (256, 256)
    target_rate: float = 0.005
    discount: float = 0.99
    initial_temperature: float = 1.0
    updates_per_step: int = 1


def settings_of(env: str, steps: int) -> Settings:
    """The settings for an environment's id."""
    return Settings(learning_starts=RANDOM_STEPS.get(env, 1_000), replay_capacity=steps)


@dataclass(frozen=True)
class Task:
    """One run: an environment's id, a seed, environment steps, and the file of its curve."""

    env: str
    seed: int
    steps: int
    out: Path

    @property
    def settings(self) -> Settings:
        """What the algorithm is told."""
        return settings_of(self.env, self.steps)


def curve_path(package: str, env: str, seed: int, folder: Path = CURVES) -> Path:
    """Where the curve of a run lies."""
    return folder / f"{package}-{env}-{seed}.json"


def task_from_command_line(package: str) -> Task | None:
    """The run asked for; None where its file is already there."""
    parser = argparse.ArgumentParser(description=f"One run of {package}, to a curve.")
    parser.add_argument("--env", default=ENVIRONMENTS[0])
    parser.add_argument("--seed", type=int, default=SEEDS[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    out = told.out or curve_path(package, told.env, told.seed)
    if out.exists():
        print(f"{out} is there: nothing to do")
        return None
    return Task(told.env, told.seed, told.steps, out)


def version_of(distribution: str) -> str | None:
    """Of an installed package; None where it is not installed (Pendulum-v1 needs no mujoco)."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def write_curve(
    task: Task,
    package: str,
    steps: list[int],
    returns: list[float],
    cpu_seconds: list[float],
    distributions: list[str],
) -> None:
    """Write a finished run's curve, whole or not at all.

    steps, returns, cpu_seconds: at each evaluation, environment steps so far, the mean return of
    its episodes, and the processor seconds that the run had taken, evaluations and imports
    included.  distributions: the installed packages whose versions matter.
    """
    curve = {
        "package": package,
        "env": task.env,
        "seed": task.seed,
        "versions": {name: version_of(name) for name in distributions},
        "settings": asdict(task.settings),
        "evaluation": {"episodes": EPISODES, "first_seed": EVALUATION_SEED},
        "steps": steps,
        "returns": [round(value, 2) for value in returns],
        "cpu_seconds": [round(value, 1) for value in cpu_seconds],
    }
    task.out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = task.out.with_suffix(".unfinished")
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in curve.items()]
    unfinished.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    unfinished.replace(task.out)
    print(f"wrote {task.out}")
