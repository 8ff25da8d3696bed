"""What diagnostics need of a trained agent, and how it is read: by its algorithm's contract."""

from __future__ import annotations

from typing import Any, Protocol

import gymnasium
import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from maxent.neural.algorithms import ALGORITHMS, State
from maxent.neural.algorithms.settings import Settings
from maxent.neural.parts.normalise import as_seen
from maxent.neural.parts.policies import Policy
from maxent.neural.parts.spaces import Spaces
from maxent.support.shapes import Float, Int

LONGEST = 10_000
"""Steps after which an episode that nothing ends is stopped, where an agent is looked at."""


class TrainedAgent(Protocol):
    """What a `maxent.neural.training.agent.Agent` is to the diagnostics."""

    @property
    def algorithm(self) -> str: ...
    @property
    def config(self) -> Settings: ...
    @property
    def spaces(self) -> Spaces: ...
    @property
    def state(self) -> State: ...
    @property
    def temperature(self) -> float: ...
    @property
    def device(self) -> torch.device: ...
    def generator(self, seed: int) -> torch.Generator: ...
    def actions(
        self,
        observations: ndarray,
        generator: torch.Generator | None = None,
        *,
        available: ndarray | None = None,
    ) -> Any: ...
    def environment(self) -> gymnasium.Env: ...


def policy_in(agent: TrainedAgent, states: Float[ndarray, "n d"]) -> Policy:
    """The agent's policy in flattened observations."""
    with torch.no_grad():
        return ALGORITHMS[agent.algorithm].policy(agent.state, _seen(agent, states), agent.spaces)


def q_in(agent: TrainedAgent, states: Float[ndarray, "n d"], actions: ndarray | Tensor) -> Tensor:
    """The agent's q (of two the smaller) of N actions in each state, (n, N, m) or (n, N) -> (n, N).

    actions: in the policy's units.
    """
    algorithm, taken = ALGORITHMS[agent.algorithm], torch.as_tensor(actions, device=agent.device)
    with torch.no_grad():
        return algorithm.q_values(agent.state, _seen(agent, states), taken, agent.spaces)


def log_policy_in(agent: TrainedAgent, states: Float[ndarray, "n d"], actions: ndarray) -> Tensor:
    """log pi(a|s) of N actions in each state, (n, N, m) or (n, N) -> (n, N)."""
    algorithm, taken = ALGORITHMS[agent.algorithm], torch.as_tensor(actions, device=agent.device)
    with torch.no_grad():
        return algorithm.log_policy(agent.state, _seen(agent, states), taken, agent.spaces)


def state_values_in(agent: TrainedAgent, states: Float[ndarray, "n d"]) -> Tensor | None:
    """V(s) of the agent's value network, (n,); None where it has none."""
    with torch.no_grad():
        return ALGORITHMS[agent.algorithm].state_values(agent.state, _seen(agent, states))


def every_action(agent: TrainedAgent, count: int) -> Int[ndarray, "n A"]:
    """All discrete actions, in each of `count` states."""
    return np.tile(np.arange(agent.spaces.action_size), (count, 1))


def as_doubles(numbers: Tensor) -> ndarray:
    """A tensor as an array of doubles."""
    array: ndarray = numbers.double().cpu().numpy()
    return array


def _seen(agent: TrainedAgent, states: ndarray) -> Tensor:
    seen = torch.as_tensor(states, dtype=torch.float32, device=agent.device)
    return as_seen(agent.state, seen)
