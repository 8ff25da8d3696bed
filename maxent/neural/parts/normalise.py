"""Observations in units of what was seen: less their mean, over their deviation.

With `normalize_observations` the state of an algorithm has a part "observations" beside its
networks: so the statistics are in every checkpoint, go on when a run is resumed, and are what
an evaluation, which only reads them, uses.  The replay buffer keeps observations as they came;
networks see them in today's units.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from maxent.support.shapes import Float

PART = "observations"
LARGEST, EPSILON = 10.0, 1e-8
"""What a network sees is within 10 deviations; added to the variance."""


def begun(size: int, device: torch.device) -> dict[str, Any]:
    """The part of a state that holds the statistics of d numbers, before anything was seen."""
    zeros = torch.zeros(size, dtype=torch.float64, device=device)
    count = torch.zeros((), dtype=torch.float64, device=device)
    return {PART: {"count": count, "mean": zeros, "squares": zeros.clone()}}


def include(state: dict[str, Any], seen: Float[Tensor, "n d"]) -> None:
    """Take n observations into the mean and the summed squares about it, in place.

    Chan, Golub, LeVeque (1983): exact for batches of any size.
    """
    if PART not in state:
        return
    found, new = state[PART], seen.double()
    count = found["count"] + len(new)
    off = new.mean(0) - found["mean"]
    found["squares"] += ((new - new.mean(0)) ** 2).sum(0)
    found["squares"] += off**2 * found["count"] * len(new) / count
    found["mean"] += off * len(new) / count
    found["count"].copy_(count)


def as_seen(state: dict[str, Any], observations: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Observations as the networks of a state see them: (n, d) -> (n, d)."""
    if PART not in state:
        return observations
    found = state[PART]
    variance = found["squares"] / found["count"].clamp(min=1.0)
    scaled: Tensor = (observations.double() - found["mean"]) / torch.sqrt(variance + EPSILON)
    return scaled.clamp(-LARGEST, LARGEST).to(observations.dtype)
