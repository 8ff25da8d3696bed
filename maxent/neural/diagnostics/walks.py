"""Whole episodes of an agent in an environment, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import gymnasium
from numpy import ndarray

from maxent.environments.guard import Guarded
from maxent.environments.masks import mask_in
from maxent.neural.diagnostics.trained import LONGEST, TrainedAgent


class Step(NamedTuple):
    """One step: the flattened observation (d,), the action in the policy's units, the reward and
    the next observation; the action masks of both, None where there is none.

    first, over : whether it begins its episode, and whether it is the last of it.
    """

    state: ndarray
    action: ndarray
    reward: float
    following: ndarray
    terminated: bool
    first: bool
    over: bool
    available: ndarray | None
    beyond_available: ndarray | None


def steps(
    agent: TrainedAgent,
    environment: gymnasium.Env,
    draw: Callable[[ndarray, ndarray | None], ndarray],
    *,
    episodes: int,
    seed: int,
) -> Iterator[Step]:
    """The steps of whole episodes, each stopped after `LONGEST` of them.

    draw : an action for a flattened observation and its mask.
    """
    guarded = Guarded(environment)
    for episode in range(episodes):
        observation, info = guarded.reset(seed=seed + episode)
        state, available = agent.spaces.flatten(observation), mask_in(info, agent.spaces.action)
        for taken in range(1, LONGEST + 1):
            action = draw(state, available)
            observation, reward, terminated, truncated, info = guarded.step(
                agent.spaces.to_environment(action)
            )
            following = agent.spaces.flatten(observation)
            beyond = None if terminated else mask_in(info, agent.spaces.action)
            over = bool(terminated or truncated) or taken == LONGEST
            told = (bool(terminated), taken == 1, over, available, beyond)
            yield Step(state, action, float(reward), following, *told)
            if over:
                break
            state, available = following, beyond
