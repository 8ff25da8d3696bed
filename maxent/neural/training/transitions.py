"""What steps of environments leave: transitions, and the returns and lengths of episodes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from maxent.errors import TrainingDivergedError
from maxent.support.shapes import Bool, Float

LARGEST = float(np.finfo(np.float32).max)


class Transitions(NamedTuple):
    """n transitions: observation (n, d), action (n, m) or (n,) in the policy's units, reward
    (n,), next_observation (n, d), terminated (n,); available and next_available (n, A), or None
    where the environment tells of no action mask."""

    observation: ndarray
    action: ndarray
    reward: ndarray
    next_observation: ndarray
    terminated: ndarray
    available: ndarray | None = None
    next_available: ndarray | None = None

    def require_float32(self, step: int) -> None:
        """TrainingDivergedError for numbers that are none in float32.  step : when they began."""
        require_float32("observation", self.observation, step)
        for name in ("reward", "next_observation"):
            require_float32(name, getattr(self, name), step + len(self.reward))


class Episode(NamedTuple):
    """A finished episode: the sum of its rewards, undiscounted, and its number of steps."""

    total: float
    length: int


class Tally:
    """The running sums of the episodes of n environments."""

    def __init__(self, count: int) -> None:
        self.totals, self.lengths = np.zeros(count), np.zeros(count, dtype=int)

    def add(self, rewards: Float[ndarray, " n"], over: Bool[ndarray, " n"]) -> list[Episode]:
        self.totals += rewards
        self.lengths += 1
        return [self.take(index) for index in np.flatnonzero(over).tolist()]

    def take(self, index: int) -> Episode:
        episode = Episode(float(self.totals[index]), int(self.lengths[index]))
        self.totals[index], self.lengths[index] = 0.0, 0
        return episode


def require_float32(name: str, numbers: ndarray, step: int) -> None:
    """TrainingDivergedError for numbers of the environment that are none in float32.

    step : the environment steps taken when they came; 0: from a reset, before any.
    """
    if not (np.abs(numbers) <= LARGEST).all():
        article = "an" if name[0] in "aeio" else "a"
        raise TrainingDivergedError(
            f"step {step}: the environment gave {article} {name} that is NaN, infinite or beyond "
            "float32; look at the environment, or at the actions it was sent"
        )


def copied(masks: ndarray | None) -> ndarray | None:
    """A copy of action masks; None of None."""
    return None if masks is None else masks.copy()
