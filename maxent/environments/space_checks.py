"""Which observations and actions a neural agent can be trained on, and what to do about others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.support.arguments import quoted

LARGEST_PRODUCT = 1_000
"""Factors of a combination of actions above which nobody would number them all."""


def require_space(kind: str, space: Any) -> None:
    """ConfigError for what is no space of Gymnasium's (of the old gym's, say, or None)."""
    if not isinstance(space, gymnasium.Space):
        raise ConfigError(
            f"{kind} space {quoted(space)} is a {type(space).__name__}; give a gymnasium.Space"
        )


def require_observations(space: gymnasium.Space) -> None:
    """ConfigError for observations that do not flatten to a vector of numbers."""
    require_space("observation", space)
    try:
        size = spaces.flatdim(space)  # looked at without making a vector of that size
    except (NotImplementedError, ValueError):
        size = 0
    if size < 1:
        raise ConfigError(
            f"observation space {space} does not flatten to a vector; wrap the "
            "environment so that it is made of Box, Discrete, MultiBinary, Dict and Tuple"
        )


def require_actions(space: gymnasium.Space) -> None:
    """ConfigError for actions that are neither discrete nor a box with all sides, or none."""
    require_space("action", space)
    if isinstance(space, spaces.Discrete):
        return
    if not isinstance(space, spaces.Box):
        raise ConfigError(f"action space {space} is neither Box nor Discrete; {_way_out(space)}")
    if math.prod(space.shape) == 0:
        raise ConfigError(f"action space {space} has no side, so nothing can be chosen")
    with np.errstate(over="ignore"):
        finite = np.isfinite(as_floats(space.high) - as_floats(space.low))
    endless = np.isinf(space.low) & np.isinf(space.high)
    if np.any(space.high <= space.low):
        raise ConfigError(
            f"action space {space} must have low < high on every side; leave out what "
            "cannot be chosen, with gymnasium.wrappers.TransformAction"
        )
    if not (finite.all() or endless.all()):
        raise ConfigError(
            f"action space {space} must have all sides finite, or none; "
            "wrap the environment with gymnasium.wrappers.ClipAction, whose box has no sides "
            "(RescaleAction raises where a side is infinite)"
        )


def require_no_bytes(space: gymnasium.Space) -> None:
    """ConfigError for observations that are bytes."""
    for box in _boxes(space):
        if box.dtype == np.uint8 and bool((box.high == 255).any()):
            raise ConfigError(
                f"observation space {str(space)[:60]} holds bytes from 0 to 255 (an "
                "image?), on which these networks do not learn: scale them, with gymnasium."
                f"wrappers.TransformObservation(env, lambda x: x / 255.0, Box(0, 1, {box.shape}, "
                "float)); for images GrayscaleObservation and ResizeObservation first"
            )


def as_floats(sides: ndarray) -> ndarray:
    """Sides of a box as floating point numbers: differences of small integers overflow."""
    return sides if np.issubdtype(sides.dtype, np.floating) else sides.astype(float)


def _boxes(space: gymnasium.Space) -> Iterator[spaces.Box]:
    """Every box in a space, in dictionaries and tuples too."""
    if isinstance(space, spaces.Box):
        yield space
    elif isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces
        for part in parts:
            yield from _boxes(part)


def _way_out(action: gymnasium.Space) -> str:
    """What to do about actions of a kind that no algorithm here has."""
    sizes = {
        spaces.MultiDiscrete: lambda space: np.asarray(space.nvec).ravel(),
        spaces.MultiBinary: lambda space: np.full(int(np.prod(space.shape)), 2),
    }
    for kind, of in sizes.items():
        if isinstance(action, kind):
            if math.prod(action.shape or ()) > LARGEST_PRODUCT:
                break
            each = [int(n) for n in of(action)]
            product = math.prod(each)
            return (
                f"number its {' x '.join(map(str, each)):.60} = {product} combinations as one "
                f"Discrete({product}): gymnasium.wrappers.TransformAction(env, lambda a: "
                f"np.array(np.unravel_index(a, {tuple(each)!s:.60})), Discrete({product}))"
            )
    return "wrap the environment with gymnasium.wrappers.TransformAction"
