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


def _needed(z, factor, power, rounding):
    def wrong(spread, difference):
        return rounding(factor * (z * spread / difference) ** power)

    return wrong


_BOTH = float(norm.ppf(0.975) + norm.ppf(0.8))

EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "12.1",
        paired,
        given=_returns,
        axes=(("mean", "standard error"),),
        wrong={
            "unpaired": lambda a, b: (
                (a - b).mean(),
                np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)),
            ),
            "deviation instead of error": lambda a, b: ((a - b).mean(), (a - b).std(ddof=1)),
            "divided by n": lambda a, b: ((a - b).mean(), (a - b).std(ddof=1) / len(a)),
            "ddof=0": lambda a, b: ((a - b).mean(), (a - b).std() / np.sqrt(len(a))),
            "second minus first": lambda a, b: (
                (b - a).mean(),
                (a - b).std(ddof=1) / np.sqrt(len(a)),
            ),
            "absolute differences": lambda a, b: (
                np.abs(a - b).mean(),
                np.abs(a - b).std(ddof=1) / np.sqrt(len(a)),
            ),
            "variance instead of deviation": lambda a, b: (
                (a - b).mean(),
                (a - b).var(ddof=1) / len(a),
            ),
            "error of one agent": lambda a, b: ((a - b).mean(), a.std(ddof=1) / np.sqrt(len(a))),
            "a whole interval": lambda a, b: (
                (a - b).mean(),
                1.96 * (a - b).std(ddof=1) / np.sqrt(len(a)),
            ),
        },
    ),
    Exercise(
        "12.2",
        seeds_needed,
        given=_spreads,
        axes=(),
        tolerance=1e-9,
        wrong={
            "not rounded up": _needed(_BOTH, 2, 2, lambda n: n),
            "one group": _needed(_BOTH, 1, 2, np.ceil),
            "chance to notice left out": _needed(float(norm.ppf(0.975)), 2, 2, np.ceil),
            "one-sided": _needed(float(norm.ppf(0.95) + norm.ppf(0.8)), 2, 2, np.ceil),
            "not squared": _needed(_BOTH, 2, 1, np.ceil),
            "rounded down": _needed(_BOTH, 2, 2, np.floor),
            "upside down": lambda spread, d: seeds_needed(d, spread),
            "two within the square": _needed(2 * _BOTH, 1, 2, np.ceil),
        },
    ),
)
