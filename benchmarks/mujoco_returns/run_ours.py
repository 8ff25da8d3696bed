"""One run of maxent's soft actor-critic, to a curve.

python benchmarks/mujoco_returns/run_ours.py --env HalfCheetah-v5 --seed 1
"""

from __future__ import annotations

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

from maxent.neural.training import learner, train

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


def run(task: Task) -> None:
    """Train, and write the curve."""
    if learner.EVALUATION_SEED != EVALUATION_SEED:
        raise SystemExit("the evaluations would not start from the seeds of the protocol")
    agent = train(
        "sac",
        task.env,
        steps=task.steps,
        seed=task.seed,
        log_every=EVALUATE_EVERY,
        evaluate_every=EVALUATE_EVERY,
        evaluation_episodes=EPISODES,
        progress=True,
        **settings_for_train(task.settings),
    )
    if agent.stopped_by is not None:
        raise SystemExit(128 + agent.stopped_by)
    rows = [row for row in agent.history if "evaluation_return" in row]
    write_curve(
        task,
        PACKAGE,
        [row["step"] for row in rows],
        [row["evaluation_return"] for row in rows],
        [PACKAGE, "torch", "gymnasium", "mujoco"],
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    asked = task_from_command_line(PACKAGE)
    if asked is not None:
        run(asked)
