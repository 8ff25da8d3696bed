"""What is told before a training begins: what cannot end well, and what is probably not meant."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import gymnasium
import numpy as np
from gymnasium import spaces

from maxent.errors import ConfigError, MaxEntWarning
from maxent.neural.algorithms.settings import Settings
from maxent.neural.parts.spaces import Spaces


def require_scaled(found: Spaces) -> None:
    """ConfigError for observations that are bytes."""
    for box in _boxes(found.observation):
        if box.dtype == np.uint8 and bool((box.high == 255).any()):
            raise ConfigError(
                f"observation space {str(found.observation)[:60]} holds bytes from 0 to 255 (an "
                "image?), on which these networks do not learn: scale them, with gymnasium."
                f"wrappers.TransformObservation(env, lambda x: x / 255.0, Box(0, 1, {box.shape}, "
                "float)); for images GrayscaleObservation and ResizeObservation first"
            )


def warn_of_no_learning(config: Settings, steps: int) -> None:
    """A warning where every step would be random."""
    if config.learning_starts >= steps:
        warnings.warn(
            f"learning_starts = {config.learning_starts} of {steps} steps: every action is random "
            "and nothing is learned; lower learning_starts, or give more steps",
            MaxEntWarning,
            stacklevel=4,
        )


def warn_of_what_is_forgotten(lost: Sequence[str]) -> None:
    """A warning where a checkpoint cannot hold what an environment remembers."""
    if lost:
        warnings.warn(
            f"a checkpoint does not hold {', '.join(lost)[:200]}: a resumed run begins with "
            "what they are when made, not bit for bit; use the generator np_random of "
            "gymnasium.Env, and attributes that are numbers, text, arrays, lists or dictionaries",
            MaxEntWarning,
            stacklevel=3,
        )


def _boxes(space: gymnasium.Space) -> Iterator[spaces.Box]:
    """Every box in a space, in dictionaries and tuples too."""
    if isinstance(space, spaces.Box):
        yield space
    elif isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces
        for part in parts:
            yield from _boxes(part)
