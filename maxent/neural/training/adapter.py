"""An algorithm of ours as `maxent.testing.check_agent` sees any agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.neural.algorithms import ALGORITHMS, require_algorithm
from maxent.neural.algorithms.settings import configured
from maxent.neural.diagnostics.trained import as_doubles, log_policy_in, q_in
from maxent.neural.training import train
from maxent.neural.training.agent import Agent

QUICK = {"hidden": (32, 32), "batch_size": 64, "learning_starts": 200}
RATE, TARGET_RATE = 3e-3, 0.02
"""Settings that learn in a few thousand steps; others may be given."""


class OurAgent:
    """An algorithm by name, with settings of ours; `maxent.testing.our_agent` makes it."""

    def __init__(self, algorithm: str, settings: dict[str, Any]) -> None:
        require_algorithm(algorithm)
        self.algorithm = algorithm
        self.name = f"maxent {algorithm}"
        self.discrete = algorithm.endswith("_discrete")
        known = ALGORITHMS[algorithm].Config().to_dict()
        rates = {name: RATE for name in known if name.endswith("_rate")}
        rates |= {"target_rate": TARGET_RATE} if "target_rate" in known else {}
        self.tunes = "temperature_rate" in known
        self.settings = QUICK | rates | settings
        self.agent: Agent | None = None

    def train(
        self,
        make_env: Callable[[], gymnasium.Env],
        *,
        steps: int,
        temperature: float | None,
        target_entropy: float | None,
        discount: float,
        seed: int,
    ) -> None:
        """As `maxent.testing.check_agent` asks for it."""
        settings: dict[str, Any] = self.settings | {
            "discount": discount,
            "temperature": temperature,
        }
        if temperature is None:
            if not self.tunes:
                raise NotImplementedError(f"{self.algorithm} has a fixed temperature")
            settings["target_entropy"] = target_entropy
        unused = configured(ALGORITHMS[self.algorithm].Config, settings).unused
        settings = {name: each for name, each in settings.items() if name not in unused}
        space = make_env().action_space
        if self.algorithm == "sql" and not np.isfinite(space.low).all():  # type: ignore[attr-defined]
            raise NotImplementedError("sql needs a box with sides")
        self.agent = train(
            self.algorithm,
            make_env,
            steps=steps,
            seed=seed,
            log_every=0,
            progress=False,
            **settings,
        )

    def sample(self, observations: ndarray, n: int, seed: int) -> ndarray:
        """n actions in each observation, in the environment's units."""
        agent = self._trained()
        drawn = agent.actions(np.repeat(observations, n, axis=0), agent.generator(seed))
        taken = np.array([agent.spaces.to_environment(action) for action in drawn])
        return taken.reshape(len(observations), n, *taken.shape[1:])

    def log_density(self, observations: ndarray, actions: ndarray) -> ndarray:
        """In the units of [-1, 1]^m."""
        agent = self._trained()
        if getattr(agent.config, "policy", None) == "sampler":
            raise NotImplementedError("the sampling network of sql has no density of given actions")
        return as_doubles(log_policy_in(agent, observations, self._ours(actions)))

    def q(self, observations: ndarray, actions: ndarray) -> ndarray:
        """Of two the smaller."""
        agent = self._trained()
        return as_doubles(q_in(agent, observations, self._ours(actions)))

    def _ours(self, actions: ndarray) -> ndarray:
        spaces = self._trained().spaces
        if spaces.discrete:
            return np.asarray(actions).astype(np.int64) - int(spaces.action.start)  # type: ignore
        return spaces.from_environment(np.asarray(actions, dtype=float))

    def _trained(self) -> Agent:
        if self.agent is None:
            raise ConfigError("call train first")
        return self.agent
