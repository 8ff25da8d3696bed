"""How sure simulated episodes make: batches, levels, confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import stats

from maxent.errors import ConfigError
from maxent.support.arguments import require_real
from maxent.support.shapes import Float, Int

BATCHES = 32
"""Visits are kept for this many batches of episodes, whose spread gives their intervals."""


@dataclass(frozen=True)
class Interval:
    """An estimate and an interval that holds the truth with probability `level`, about."""

    mean: float
    low: float
    high: float
    level: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.mean:.6g} [{self.low:.6g}, {self.high:.6g}] ({self.level:.0%})"


def batch_of(episodes: int) -> Int[ndarray, " n"]:
    return np.arange(episodes) % min(BATCHES, episodes)


def require_level(level: Any) -> float:
    """A confidence level in (0, 1), else ConfigError."""
    number = require_real("level", level, "(0, 1)")
    if not (0.0 < number < 1.0):
        raise ConfigError(f"level = {level!r} is outside (0, 1); a usual one is 0.95")
    return number


def confidence(
    samples: Float[ndarray, " n"], level: float, method: str, seed: int
) -> tuple[float, float]:
    """Two-sided interval for the mean; infinite for a single sample."""
    if len(samples) < 2 or not np.isfinite(samples).all():
        return -math.inf, math.inf
    spread = float(samples.std(ddof=1))
    mean = float(samples.mean())
    if spread <= 1e-14 * abs(mean):  # all the same, up to rounding
        return mean - 1e-12 * abs(mean), mean + 1e-12 * abs(mean)
    if method == "student":
        half = float(stats.t.ppf(0.5 + level / 2, len(samples) - 1)) * spread
        return mean - half / math.sqrt(len(samples)), mean + half / math.sqrt(len(samples))
    found = stats.bootstrap(
        (samples,), np.mean, confidence_level=level, n_resamples=999, batch=100,
        rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)
