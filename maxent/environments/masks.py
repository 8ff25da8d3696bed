"""Which actions are available, as an environment tells it in `info["action_mask"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.support.shapes import Bool

KEY = "action_mask"


def require_mask(value: Any, n_actions: int, over: bool = False) -> Bool[ndarray, " A"]:
    """A mask (A,), 1 or True where an action is available, as booleans.

    over : whether the episode has terminated: no action follows, and all count as available.

    Raises ConfigError for other shapes and values, and where no action is left.
    """
    if over:
        return np.ones(n_actions, dtype=bool)
    try:
        mask = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # a ragged list, a tensor that NumPy cannot read
        mask = np.array(None)
    if mask.shape != (n_actions,) or mask.dtype.kind not in "biuf":
        raise ConfigError(
            f"info[{KEY!r}] is {str(value)[:60]}; give {n_actions} numbers, 1 where an "
            "action is available"
        )
    if not np.isin(mask, (0, 1)).all() or not mask.any():
        raise ConfigError(
            f"info[{KEY!r}] is {mask.tolist()}; give 1 where an action is available and 0 elsewhere"
            ", with at least one 1 unless the episode has terminated"
        )
    return mask.astype(bool)


def mask_in(info: Mapping[str, Any], action: gymnasium.Space) -> Bool[ndarray, " A"] | None:
    """The mask of an info, (A,); None where it has none, or where actions are not discrete."""
    if not isinstance(action, spaces.Discrete) or KEY not in info:
        return None
    return require_mask(info[KEY], int(action.n))
