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

import math
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy import ndarray

from maxent.errors import ConfigError


@dataclass(frozen=True)
class Spaces:
    """An environment's `observation` and `action` spaces, read for a network.

    Raises ConfigError for a space that no algorithm here can handle.
    """

    observation: gymnasium.Space
    action: gymnasium.Space

    def __post_init__(self) -> None:
        try:
            flat = spaces.flatten_space(self.observation)
            size = None if not isinstance(flat, spaces.Box) else flat.shape
        except NotImplementedError:
            size = None
        if size is None or 0 in size:
            raise ConfigError(
                f"observation space {self.observation} does not flatten to a vector; wrap the "
                "environment so that it is made of Box, Discrete, MultiBinary, Dict and Tuple"
            )
        if isinstance(self.action, spaces.Discrete):
            return
        if not isinstance(self.action, spaces.Box):
            raise ConfigError(
                f"action space {self.action} is neither Box nor Discrete; {_way_out(self.action)}"
            )
        with np.errstate(over="ignore"):
            finite = np.isfinite(_float(self.action.high) - _float(self.action.low))
        endless = np.isinf(self.action.low) & np.isinf(self.action.high)
        if np.any(self.action.high <= self.action.low):
            raise ConfigError(
                f"action space {self.action} must have low < high on every side; leave out what "
                "cannot be chosen, with gymnasium.wrappers.TransformAction"
            )
        if not (finite.all() or endless.all()):
            raise ConfigError(
                f"action space {self.action} must have all sides finite, or none; "
                "wrap the environment with gymnasium.wrappers.ClipAction, whose box has no sides "
                "(RescaleAction raises where a side is infinite)"
            )

    @cached_property
    def observation_size(self) -> int:
        """d, the length of a flattened observation."""
        flat: Any = spaces.flatten_space(self.observation)
        return int(np.prod(flat.shape))

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

    def flatten(self, observation: Any) -> ndarray:
        """One observation as a vector (d,), float32; a number beyond float32 becomes infinite."""
        with np.errstate(over="ignore"):
            flat: Any = spaces.flatten(self.observation, observation)
            return np.asarray(flat, dtype=np.float32).ravel()

    def checked(self, observation: Any) -> ndarray:
        """`flatten`; ConfigError for what is no observation of this space by its size or kind."""
        space = self.observation
        with suppress(TypeError, ValueError, KeyError, IndexError):
            if not isinstance(space, spaces.Discrete) or space.contains(observation):
                flat = self.flatten(observation)
                if flat.shape == (self.observation_size,):
                    return flat
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
            low, high = _float(box.low), _float(box.high)
            half = 0.5 * (high - low)
            shaped = np.clip(low + half * (shaped + 1.0), low, high)
        if np.issubdtype(box.dtype, np.integer):
            shaped = np.rint(shaped)
        return np.asarray(shaped, dtype=box.dtype)

    def from_environment(self, actions: ndarray) -> ndarray:
        """Actions (..., m) of the environment's box in the policy's units, (..., m) float32."""
        box: Any = self.action
        if not self.bounded:
            return np.asarray(actions, dtype=np.float32)
        low, high = _float(box.low).ravel(), _float(box.high).ravel()
        return np.asarray(2.0 * (actions - low) / (high - low) - 1.0, dtype=np.float32)


def _way_out(action: gymnasium.Space) -> str:
    """What to do about actions of a kind that no algorithm here has."""
    sizes = {
        spaces.MultiDiscrete: lambda space: np.asarray(space.nvec).ravel(),
        spaces.MultiBinary: lambda space: np.full(int(np.prod(space.shape)), 2),
    }
    for kind, of in sizes.items():
        if isinstance(action, kind):
            each = [int(n) for n in of(action)]
            product = math.prod(each)
            return (
                f"number its {' x '.join(map(str, each)):.60} = {product} combinations as one "
                f"Discrete({product}): gymnasium.wrappers.TransformAction(env, lambda a: "
                f"np.array(np.unravel_index(a, {tuple(each)!s:.60})), Discrete({product}))"
            )
    return "wrap the environment with gymnasium.wrappers.TransformAction"


def _float(sides: ndarray) -> ndarray:
    """Sides of a box as floating point numbers: differences of small integers overflow."""
    return sides if np.issubdtype(sides.dtype, np.floating) else sides.astype(float)
