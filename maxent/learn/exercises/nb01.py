"""Notebook 1: soft-max, entropy, temperature."""

from __future__ import annotations

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "01-soft-max"


def soft_value(q, temperature):
    top = q.max(axis=1)
    return top + temperature * np.log(np.exp((q - top[:, None]) / temperature).sum(axis=1))


def prior_for_copies(n):
    return np.array([0.5] + [0.5 / n] * n)


def temperature_for_share(gap, share):
    return gap / np.log((1 - share) / share)


def _arrays(seed):
    """Q of ordinary size, and one so large that exp overflows without a shift."""
    rng = np.random.default_rng(seed)
    ordinary = [(rng.normal(size=(3, 4)), temperature) for temperature in (1.0, 0.1)]
    large = 1e3 * np.diag([1.0, 2.0, 3.0]) + rng.normal(size=(3, 3))
    return [*ordinary, (large, 1e-3)]


def _counts(seed):
    return [(3,), (10,), (int(np.random.default_rng(seed).integers(20, 90)),)]


def _gap_and_share(seed):
    """0.1 and one in ten; with a seed, others."""
    if seed == 0:
        return [(0.1, 0.1)]
    rng = np.random.default_rng(seed)
    return [(float(rng.choice([0.2, 0.3, 0.5, 0.8])), float(rng.choice([0.05, 0.15, 0.2, 0.25])))]


def wrong_soft_value(q, alpha):
    top, log_policy = q.max(axis=1), maxent.boltzmann_policy(q, alpha)
    below = q - top[:, None]
    return {
        "hard maximum": top,
        "no shift": alpha * np.log(np.exp(q / alpha).sum(axis=1)),
        "one shift for all rows": (
            q.max() + alpha * np.log(np.exp((q - q.max()) / alpha).sum(axis=1))
        ),
        "alpha left out": np.log(np.exp(below).sum(axis=1)) + top,
        "alpha left out in front": top + np.log(np.exp(below / alpha).sum(axis=1)),
        "shift not added back": soft_value(q, alpha) - top,
        "mean instead of sum": soft_value(q, alpha) - alpha * np.log(q.shape[1]),
        "expected value": (np.exp(log_policy) * q).sum(axis=1),
        "wrong axis": soft_value(q.T, alpha),
        "the policy instead of its value": np.exp(log_policy),
        "temperature multiplied": alpha * soft_value(q * alpha, 1.0),
        "inverse temperature": soft_value(q, 1 / alpha),
    }


def wrong_prior_for_copies(n):
    return {
        "uniform prior": np.full(n + 1, 1 / (n + 1)),
        "not normalised": np.array([1.0] + [1 / n] * n),
        "upside down": np.array([n / (n + 1)] + [1 / (n * (n + 1))] * n),
        "every prior on the good action": np.array([1.0] + [0.0] * n),
        "logarithm returned": np.log(prior_for_copies(n)),
        "good action last": prior_for_copies(n)[::-1],
    }


def wrong_temperature_for_share(gap, share):
    odds = (1 - share) / share
    return {
        "probability instead of odds": gap / np.log(1 / share),
        "upside down": np.log(odds) / gap,
        "wrong sign": gap / np.log(share / (1 - share)),
        "bits instead of nats": gap / np.log2(odds),
        "logarithm to base 10": gap / np.log10(odds),
        "gap left out": 1 / np.log(odds),
        "multiplied by the logarithm": gap * np.log(odds),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("1.1", soft_value, given=_arrays, axes=("state",), wrong=wrong_soft_value),
    Exercise(
        "1.2", prior_for_copies, given=_counts, axes=("action",), wrong=wrong_prior_for_copies
    ),
    Exercise(
        "1.3",
        temperature_for_share,
        given=_gap_and_share,
        is_value=True,
        tolerance=1e-4,
        wrong=wrong_temperature_for_share,
    ),
)
