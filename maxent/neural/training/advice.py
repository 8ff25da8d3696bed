"""What is warned of before a training begins."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from maxent.errors import MaxEntWarning
from maxent.neural.algorithms.settings import Settings


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
