"""One run of maxent's soft actor-critic, to a curve.

python benchmarks/mujoco_returns/run_ours.py --env HalfCheetah-v5 --seed 1
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import torch
from protocol import (
    EPISODES,
    EVALUATE_EVERY,
    EVALUATION_SEED,
    Settings,
    Task,
    task_from_command_line,
    write_curve,
)

from maxent.neural.runs import Run
from maxent.neural.training import learner, resume, train

PACKAGE = "maxent"


def settings_for_train(settings: Settings) -> dict[str, Any]:
    """The common settings under maxent's names."""
    return {
        "actor_rate": settings.learning_rate,
        "critic_rate": settings.learning_rate,
        "temperature_rate": settings.learning_rate,
        "replay_capacity": settings.replay_capacity,
        "learning_starts": settings.learning_starts,
        "batch_size": settings.batch_size,
        "target_rate": settings.target_rate,
        "discount": settings.discount,
        "updates_per_step": settings.updates_per_step,
        "initial_temperature": settings.initial_temperature,
        "hidden": settings.hidden,
    }


class Evaluations:
    """The rows with an evaluation, and the processor seconds until then, over all sittings."""

    def __init__(self, clock: Path) -> None:
        self.clock, self.before = clock, 0.0

    def begin_at(self, step: int) -> None:
        """Count on from the seconds that were written down at this step."""
        self.before = self.seconds()[step]

    def seconds(self) -> dict[int, float]:
        """By step; a later sitting's word counts."""
        lines = self.clock.read_text().splitlines() if self.clock.exists() else []
        return {int(step): float(seconds) for step, seconds in map(str.split, lines)}

    def __call__(self, row: dict[str, Any]) -> None:
        with self.clock.open("a") as file:
            file.write(f"{row['step']} {self.before + time.process_time():.1f}\n")


def run(task: Task) -> None:
    """Train, or go on with what was cut, and write the curve."""
    if learner.EVALUATION_SEED != EVALUATION_SEED:
        raise SystemExit("the evaluations would not start from the seeds of the protocol")
    folder = task.out.with_suffix(".run")
    evaluations = Evaluations(task.out.with_suffix(".clock"))
    if folder.exists() and (begun := Run.open(folder)).steps:
        evaluations.begin_at(begun.steps[-1])
        begun.close()
        agent = resume(folder, progress=True, report=evaluations)
    else:
        evaluations.clock.unlink(missing_ok=True)
        agent = train(
            "sac",
            task.env,
            steps=task.steps,
            seed=task.seed,
            run=folder,
            overwrite=True,
            checkpoint_every=EVALUATE_EVERY,
            log_every=EVALUATE_EVERY,
            evaluate_every=EVALUATE_EVERY,
            evaluation_episodes=EPISODES,
            progress=True,
            report=evaluations,
            **settings_for_train(task.settings),
        )
    if agent.stopped_by is not None:
        evaluations({"step": agent.steps})
        raise SystemExit(128 + agent.stopped_by)
    rows = [row for row in agent.history if "evaluation_return" in row]
    seconds = evaluations.seconds()
    write_curve(
        task,
        PACKAGE,
        [row["step"] for row in rows],
        [row["evaluation_return"] for row in rows],
        [seconds[row["step"]] for row in rows],
        [PACKAGE, "torch", "gymnasium", "mujoco"],
    )
    shutil.rmtree(folder)
    evaluations.clock.unlink()


if __name__ == "__main__":
    torch.set_num_threads(1)
    asked = task_from_command_line(PACKAGE)
    if asked is not None:
        run(asked)
