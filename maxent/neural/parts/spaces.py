"""What an environment's spaces mean to a network.

Observations of any Gymnasium space that flattens (boxes, discrete, dictionaries, tuples ...)
become vectors of float32; a discrete one becomes its one-hot vector.  Actions are

- **discrete**: whole numbers 0 ... n-1 (the space's own start is added on the way out);
- **bounded**: a box with finite sides.  Policies live in [-1, 1]^m, all their densities are in
  those units, and actions are scaled to the box on the way out (and, in a box of whole numbers,
  rounded to the nearest);
- **unbounded**: a box without sides.  Policies are unsquashed, in the environment's own units.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy import ndarray

from maxent.environments.space_checks import as_floats, require_actions, require_observations
from maxent.errors import ConfigError
from maxent.support.memory import require_memory


@dataclass(frozen=True)
class Spaces:
    """An environment's `observation` and `action` spaces, read for a network.

    Raises ConfigError for a space that no algorithm here can handle, MemoryBudgetError where one
    observation, flattened, would not fit in memory.
    """

    observation: gymnasium.Space
    action: gymnasium.Space

    def __post_init__(self) -> None:
        require_observations(self.observation)
        self.require_room(1)
        require_actions(self.action)

    @cached_property
    def observation_size(self) -> int:
        """d, the length of a flattened observation."""
        return spaces.flatdim(self.observation)

    def require_room(self, count: int) -> None:
        """MemoryBudgetError where so many observations, flattened, would not fit in memory."""
        require_memory(
            (8 + 4) * count * self.observation_size,  # Gymnasium's own vector, and float32
            f"{count} observation{'s' * (count > 1)} of {str(self.observation)[:60]}, as vectors "
            f"of {self.observation_size} numbers,",
            "lower num_envs"
            if count > 1
            else "wrap the environment so that fewer numbers tell its state, with gymnasium."
            "wrappers.TransformObservation (a Discrete space of n becomes n numbers, one-hot)",
        )

    @cached_property
    def discrete(self) -> bool:
        """Whether actions are whole numbers."""
        return isinstance(self.action, spaces.Discrete)

    @cached_property
    def action_size(self) -> int:
        """Dimension m of a box, number A of discrete actions."""
        if isinstance(self.action, spaces.Discrete):
            return int(self.action.n)
        return int(np.prod(self.action.shape))  # type: ignore[arg-type]

    @cached_property
    def bounded(self) -> bool:
        """Whether actions fill a box with finite sides."""
        return isinstance(self.action, spaces.Box) and bool(np.isfinite(self.action.low).all())

    @cached_property
    def _sides(self) -> tuple[ndarray, ndarray, ndarray]:
        """Of a box the lower sides, half the widths, and the upper sides."""
        box: Any = self.action
        low, high = as_floats(box.low), as_floats(box.high)
        return low, 0.5 * (high - low), high

    def flatten(self, observation: Any) -> ndarray:
        """One observation as a vector (d,), float32; a number beyond float32 becomes infinite."""
        with np.errstate(over="ignore"):
            flat: Any = spaces.flatten(self.observation, observation)
            return np.asarray(flat, dtype=np.float32).ravel()

    def checked(self, observation: Any) -> ndarray:
        """`flatten`; ConfigError for what is no observation of this space by its size or kind."""
        space, flat = self.observation, None
        with suppress(TypeError, ValueError, KeyError, IndexError):
            if not isinstance(space, spaces.Discrete) or space.contains(observation):
                flat = self.flatten(observation)
                if flat.shape == (self.observation_size,) and np.isfinite(flat).all():
                    return flat
        if flat is not None and flat.shape == (self.observation_size,):
            raise ConfigError(
                f"observation {str(observation)[:60]} has numbers that are NaN, infinite or beyond "
                "float32; look at where it came from"
            )
        raise ConfigError(
            f"observation {str(observation)[:60]} is none of {space}, which the agent was made for"
        )

    def to_environment(self, action: ndarray) -> Any:
        """One action of a policy, (m,) or a whole number, as the environment takes it."""
        if isinstance(self.action, spaces.Discrete):
            return self.action.start + int(action)
        box: Any = self.action
        shaped = action.reshape(box.shape)
        if self.bounded:
            low, half, high = self._sides
            shaped = np.minimum(np.maximum(low + half * (shaped + 1.0), low), high)
        if box.dtype.kind in "iu":
            shaped = np.rint(shaped)
        return np.asarray(shaped, dtype=box.dtype)

    def from_environment(self, actions: ndarray) -> ndarray:
        """Actions (..., m) of the environment's box in the policy's units, (..., m) float32."""
        box: Any = self.action
        if not self.bounded:
            return np.asarray(actions, dtype=np.float32)
        low, high = as_floats(box.low).ravel(), as_floats(box.high).ravel()
        return np.asarray(2.0 * (actions - low) / (high - low) - 1.0, dtype=np.float32)
