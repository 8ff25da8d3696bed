"""Notebook 12: SAC on the pendulum, with honest statistics."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "12-sac-on-pendulum"


def paired(first, second):
    difference = first - second
    return difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))


def seeds_needed(spread, difference):
    noticed = norm.ppf(0.975) + norm.ppf(0.8)
    return np.ceil(2 * (noticed * spread / difference) ** 2)


def _returns(seed):
    """Two agents from common starts: what a start is worth varies more than they differ."""
    rng = np.random.default_rng(seed)
    for count in (20, 7):
        start = rng.normal(-150.0, 70.0, count)
        yield start + rng.normal(2.0, 5.0, count), start + rng.normal(0.0, 5.0, count)


def _spreads(seed):
    return [(12.0 + seed, 7.0), (30.0, 8.0 - 0.3 * seed), (5.0, 6.5)]


def wrong_paired(a, b):
    mean, spread, root = (a - b).mean(), (a - b).std(ddof=1), np.sqrt(len(a))
    return {
        "unpaired": (mean, np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))),
        "deviation instead of error": (mean, spread),
        "divided by n": (mean, spread / len(a)),
        "ddof=0": (mean, (a - b).std() / root),
        "second minus first": ((b - a).mean(), spread / root),
        "absolute differences": (np.abs(a - b).mean(), np.abs(a - b).std(ddof=1) / root),
        "variance instead of deviation": (mean, (a - b).var(ddof=1) / len(a)),
        "error of one agent": (mean, a.std(ddof=1) / root),
        "a whole interval": (mean, 1.96 * spread / root),
    }


def wrong_seeds_needed(spread, d):
    ratio, noticed, chance = spread / d, norm.ppf(0.975), norm.ppf(0.8)
    return {
        "not rounded up": 2 * ((noticed + chance) * ratio) ** 2,
        "one group": np.ceil(((noticed + chance) * ratio) ** 2),
        "chance to notice left out": np.ceil(2 * (noticed * ratio) ** 2),
        "one-sided": np.ceil(2 * ((norm.ppf(0.95) + chance) * ratio) ** 2),
        "not squared": np.ceil(2 * (noticed + chance) * ratio),
        "rounded down": np.floor(2 * ((noticed + chance) * ratio) ** 2),
        "upside down": seeds_needed(d, spread),
        "two within the square": np.ceil((2 * (noticed + chance) * ratio) ** 2),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "12.1", paired, given=_returns, axes=(("mean", "standard error"),), wrong=wrong_paired
    ),
    Exercise(
        "12.2", seeds_needed, given=_spreads, axes=(), tolerance=1e-9, wrong=wrong_seeds_needed
    ),
)
