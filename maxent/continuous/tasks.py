"""Continuous tasks as vectorised dynamics, and episodes of a policy in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy import ndarray

from maxent.support.shapes import Bool, Float

Step: TypeAlias = Callable[[ndarray, ndarray], tuple[ndarray, ndarray, ndarray]]
"""states (N, n), actions (N, m) -> next states (N, n), rewards (N,), terminated bool (N,)."""


@dataclass(frozen=True)
class Task:
    """A deterministic continuous task, vectorised.

    step : the dynamics.  A successor outside the state box counts as on its border.
    state_low, state_high, action_low, action_high : the boxes.
    periodic : for each state coordinate, whether high is low again.
    start : (count, generator) -> start states (count, n).
    observe : states (N, n) -> what an agent sees (N, d).
    """

    step: Step
    state_low: tuple[float, ...]
    state_high: tuple[float, ...]
    action_low: tuple[float, ...]
    action_high: tuple[float, ...]
    periodic: tuple[bool, ...]
    start: Callable[[int, np.random.Generator], ndarray]
    observe: Callable[[ndarray], ndarray]


@dataclass(frozen=True, eq=False)
class Rollouts:
    """N episodes of T steps: states (T+1, N, n), actions (T, N, m), rewards (T, N),
    running bool (T, N).

    Once an episode has terminated `running` is false, the state stays, the action is 0, and nothing
    is paid.
    """

    states: ndarray
    actions: ndarray
    rewards: ndarray
    running: ndarray

    @property
    def returns(self) -> Float[ndarray, " N"]:
        """(N,), undiscounted sums of reward."""
        found: Float[ndarray, " N"] = self.rewards.sum(axis=0)
        return found


def roll_out(
    task: Task, act: Callable[[ndarray], ndarray], starts: Float[ndarray, "N n"], steps: int
) -> Rollouts:
    """Play `act`, states (N, n) -> actions (N, m), from each start for `steps` steps."""
    count, size = len(starts), len(task.action_low)
    states = np.empty((steps + 1, count, starts.shape[1]))
    actions, rewards = np.zeros((steps, count, size)), np.zeros((steps, count))
    running: Bool[ndarray, "T N"] = np.zeros((steps, count), dtype=bool)
    states[0], going = starts, np.arange(count)
    for t in range(steps):
        states[t + 1] = states[t]
        if going.size == 0:
            continue
        running[t, going] = True
        actions[t, going] = act(states[t, going])
        after, rewards[t, going], terminated = task.step(states[t, going], actions[t, going])
        states[t + 1, going] = after
        going = going[~terminated]
    return Rollouts(states, actions, rewards, running)
