"""One run of Stable-Baselines3's soft actor-critic, to a curve.

.venv-sb3/bin/python benchmarks/mujoco_returns/run_sb3.py --env HalfCheetah-v5 --seed 1
"""

from __future__ import annotations

import time

import gymnasium
import numpy as np
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
from stable_baselines3 import SAC
from stable_baselines3.common.callbacks import BaseCallback

PACKAGE = "stable-baselines3"


def learner(env: str, seed: int, settings: Settings) -> SAC:
    """Stable-Baselines3's learner with the common settings; all others are its defaults."""
    return SAC(
        "MlpPolicy",
        env,
        seed=seed,
        learning_rate=settings.learning_rate,
        buffer_size=settings.replay_capacity,
        learning_starts=settings.learning_starts,
        batch_size=settings.batch_size,
        tau=settings.target_rate,
        gamma=settings.discount,
        train_freq=1,
        gradient_steps=settings.updates_per_step,
        ent_coef=f"auto_{settings.initial_temperature}",
        target_entropy="auto",
        policy_kwargs={"net_arch": list(settings.hidden)},
        device="cpu",
    )


class Evaluations(BaseCallback):
    """The mean return of the deterministic policy, every so many steps."""

    def __init__(self, env: str) -> None:
        super().__init__()
        self.environment = gymnasium.make(env)
        self.steps: list[int] = []
        self.returns: list[float] = []
        self.cpu_seconds: list[float] = []

    def _on_step(self) -> bool:
        if self.num_timesteps % EVALUATE_EVERY == 0:
            mean = float(np.mean([self._episode(EVALUATION_SEED + i) for i in range(EPISODES)]))
            self.steps.append(self.num_timesteps)
            self.returns.append(mean)
            self.cpu_seconds.append(time.process_time())
            print(f"{self.num_timesteps} steps: {mean:.1f}", flush=True)
        return True

    def _episode(self, seed: int) -> float:
        observation, _ = self.environment.reset(seed=seed)
        total, over = 0.0, False
        while not over:
            action, _ = self.model.predict(observation, deterministic=True)
            observation, reward, ended, cut, _ = self.environment.step(action)
            total += float(reward)
            over = ended or cut
        return total


def run(task: Task) -> None:
    """Train, and write the curve."""
    evaluations = Evaluations(task.env)
    learner(task.env, task.seed, task.settings).learn(task.steps, callback=evaluations)
    distributions = [PACKAGE, "torch", "gymnasium", "mujoco"]
    found = (evaluations.steps, evaluations.returns, evaluations.cpu_seconds)
    write_curve(task, PACKAGE, *found, distributions)


if __name__ == "__main__":
    torch.set_num_threads(1)
    asked = task_from_command_line(PACKAGE)
    if asked is not None:
        run(asked)
