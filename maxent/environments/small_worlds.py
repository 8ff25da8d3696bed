"""Environments of one to three states whose maximum-entropy solution is known: for agents on trial.

In a `Ring` each state leads to the next, whatever the action, and the action decides the reward
alone.  So the soft-optimal policy of a state is proportional to exp(reward / temperature), and
values are sums: an agent's mistake has one place to show.  `Drifting` is a bandit whose
observations spread while it is being learnt.

Rewards are functions of the action in the units [-1, 1]^m of its box; of a box without sides, in
its own; of discrete actions, of numbers that lie evenly in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy import ndarray

from maxent.support.shapes import Float


@dataclass(frozen=True)
class Curve:
    """A reward as a function of the action: base + sum_i (slope a_i - curvature (a_i - centre)^2).

    a : (..., m) -> (...).
    """

    base: float = 0.0
    slope: float = 0.0
    curvature: float = 0.0
    centre: float = 0.0

    def __call__(self, a: Float[ndarray, "*n m"]) -> Float[ndarray, "*n"]:
        """The reward."""
        paid: ndarray = self.slope * a - self.curvature * (a - self.centre) ** 2
        total: ndarray = self.base + paid.sum(axis=-1)
        return total


def unit_of(space: gymnasium.Space, actions: ndarray) -> ndarray:
    """Actions (..., m) or (...,) of a space in the units of the rewards, (..., m)."""
    taken = np.asarray(actions)
    if isinstance(space, spaces.Discrete):
        levels: ndarray = 2.0 * (taken - space.start) / (space.n - 1) - 1.0
        return levels[..., None]
    assert isinstance(space, spaces.Box)
    low, high = space.low.astype(float), space.high.astype(float)
    if not np.isfinite(low).all():
        return taken.astype(float)
    unit: ndarray = 2.0 * (taken - low) / (high - low) - 1.0
    return unit


def taken_of(space: gymnasium.Space, unit: ndarray) -> ndarray:
    """`unit_of` the other way round."""
    if isinstance(space, spaces.Discrete):
        number: ndarray = np.rint((unit[..., 0] + 1.0) * (space.n - 1) / 2.0).astype(np.int64)
        return number + int(space.start)
    assert isinstance(space, spaces.Box)
    low, high = space.low.astype(float), space.high.astype(float)
    if not np.isfinite(low).all():
        return unit
    taken: ndarray = low + 0.5 * (unit + 1.0) * (high - low)
    return taken


def taken_within(space: gymnasium.Space, action: Any) -> ndarray:
    """One action as the environment takes it, cut to its box, (m,), in the rewards' units."""
    unit = unit_of(space, np.asarray(action))
    if isinstance(space, spaces.Box) and bool(np.isfinite(space.low).all()):
        unit = np.clip(unit, -1.0, 1.0)
    return unit


class Ring(gymnasium.Env[Any, Any]):
    """States 0, 1, ..., K-1, each of which leads to the next; observations are one-hot, (K,).

    curves : a reward for each state.
    cut_after : None: episodes start in state 0 and terminate after state K-1, with the observation
        of state 1 (of one state, of that), which is worth nothing there; every second one is
        truncated at the same step, which changes nothing.  Else episodes start in any state, go
        round and round, and are truncated after so many steps, never terminated.

    >>> ring = Ring([Curve(1.0)], spaces.Discrete(2))
    >>> ring.reset(seed=0)[0].tolist(), ring.step(0)[1:4]
    ([1.0], (1.0, True, False))
    """

    def __init__(
        self, curves: Sequence[Curve], action_space: gymnasium.Space, cut_after: int | None = None
    ) -> None:
        self.curves, self.cut_after = tuple(curves), cut_after
        self.observation_space = spaces.Box(0.0, 1.0, (len(curves),), np.float32)
        self.action_space = action_space
        self._state, self._steps, self._episodes = 0, 0, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ndarray, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        self._state = 0
        if self.cut_after is not None:
            self._state = int(self.np_random.integers(len(self.curves)))
        self._steps = 0
        self._episodes += 1
        return self._observation(), {}

    def step(self, action: Any) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        """Pay the state's reward for the action and go on to the next state."""
        paid = float(self.curves[self._state](taken_within(self.action_space, action)))
        self._state = (self._state + 1) % len(self.curves)
        self._steps += 1
        if self.cut_after is not None:
            return self._observation(), paid, False, self._steps >= self.cut_after, {}
        ended = self._state == 0
        if ended:
            self._state = 1 % len(self.curves)
        return self._observation(), paid, ended, ended and self._episodes % 2 == 0, {}

    def _observation(self) -> ndarray:
        one_hot: ndarray = np.eye(len(self.curves), dtype=np.float32)[self._state]
        return one_hot


class Clock:
    """Steps taken in all the environments of a training together."""

    def __init__(self) -> None:
        self.steps = 0


class Drifting(gymnasium.Env[Any, Any]):
    """One step an episode in x, the observation, (1,): -curvature (a - best(x))^2 is paid.

    x is uniform on `early`, and after `phase` steps on the clock on `late`: an average of the
    observations at first says little of what they are later.

    >>> env = Drifting(Clock(), phase=10, action_space=spaces.Box(-1.0, 1.0, (1,)))
    >>> x, _ = env.reset(seed=0)
    >>> bool(0.4 <= x[0] <= 0.6), env.step(env.best(x))[1] > -1e-9
    (True, True)
    """

    early, late, curvature = (0.4, 0.6), (0.0, 3.0), 5.0

    @staticmethod
    def best(x: ndarray) -> ndarray:
        """The action of the greatest reward, half the distance from 1.5."""
        best: ndarray = 0.5 * (np.asarray(x, dtype=float) - 1.5)
        return best

    def __init__(self, clock: Clock, phase: int, action_space: gymnasium.Space) -> None:
        self.clock, self.phase = clock, phase
        self.observation_space = spaces.Box(*self.late, (1,), np.float32)
        self.action_space = action_space
        self._x = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ndarray, dict[str, Any]]:
        """Draw x."""
        super().reset(seed=seed)
        sides = self.early if self.clock.steps < self.phase else self.late
        self._x = float(self.np_random.uniform(*sides))
        return np.array([self._x], dtype=np.float32), {}

    def step(self, action: Any) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        """Pay for the distance between the action and the best one."""
        self.clock.steps += 1
        away = taken_within(self.action_space, action) - self.best(np.array([self._x]))
        paid = -self.curvature * float((away**2).sum())
        return np.array([self._x], dtype=np.float32), paid, True, False, {}
