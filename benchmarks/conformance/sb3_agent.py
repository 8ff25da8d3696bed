"""Stable-Baselines3's soft actor-critic as `maxent.testing.check_agent` takes any agent.

.venv-sb3/bin/python benchmarks/conformance/run.py sb3_agent
"""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import torch
from stable_baselines3 import SAC

VERSIONS = {name: version(name) for name in ("stable-baselines3", "gymnasium", "torch")}


class Adapter:
    """Its defaults, but for small networks and rates that learn in a few thousand steps."""

    name = f"Stable-Baselines3 {VERSIONS['stable-baselines3']} SAC"

    def train(self, make_env, *, steps, temperature, target_entropy, discount, seed):
        """A model of its own; tuned where there is no temperature."""
        env = make_env()
        if not np.isfinite(env.action_space.low).all():  # it refuses them too, by an assertion
            raise NotImplementedError("it needs a box with finite sides, and says so")
        self.model = SAC(
            "MlpPolicy",
            env,
            seed=seed,
            learning_rate=3e-3,
            learning_starts=200,
            batch_size=64,
            tau=0.02,
            gamma=discount,
            ent_coef="auto" if temperature is None else temperature,
            target_entropy="auto" if target_entropy is None else target_entropy,
            policy_kwargs={"net_arch": [32, 32]},
            buffer_size=4 * steps,
            device="cpu",
        )
        self.model.learn(steps)

    @torch.no_grad()
    def sample(self, observations, n, seed):
        """By `predict`, as its users call it."""
        torch.manual_seed(seed)
        actions, _ = self.model.predict(np.repeat(observations, n, axis=0), deterministic=False)
        return actions.reshape(len(observations), n, -1)

    @torch.no_grad()
    def log_density(self, observations, actions):
        """By its own distribution, which is of actions in [-1, 1]."""
        count, n = actions.shape[:2]
        actor = self.model.actor
        mean, log_std, _ = actor.get_action_dist_params(self._each(observations, n))
        law = actor.action_dist.proba_distribution(mean, log_std)
        return law.log_prob(self._scaled(actions)).reshape(count, n).numpy()

    @torch.no_grad()
    def q(self, observations, actions):
        """The smaller of both critics."""
        count, n = actions.shape[:2]
        values = self.model.critic(self._each(observations, n), self._scaled(actions))
        return torch.cat(values, dim=1).amin(1).reshape(count, n).numpy()

    def _each(self, observations, n):
        return torch.as_tensor(np.repeat(observations, n, axis=0), dtype=torch.float32)

    def _scaled(self, actions):
        flat = actions.reshape(-1, actions.shape[-1])
        return torch.as_tensor(self.model.policy.scale_action(flat), dtype=torch.float32)
