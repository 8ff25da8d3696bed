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


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "1.1",
        soft_value,
        given=_arrays,
        axes=("state",),
        wrong={
            "hard maximum": lambda q, alpha: q.max(axis=1),
            "no shift": lambda q, alpha: alpha * np.log(np.exp(q / alpha).sum(axis=1)),
            "one shift for all rows": lambda q, alpha: (
                q.max() + alpha * np.log(np.exp((q - q.max()) / alpha).sum(axis=1))
            ),
            "alpha left out": lambda q, alpha: (
                np.log(np.exp(q - q.max(axis=1, keepdims=True)).sum(axis=1)) + q.max(axis=1)
            ),
            "alpha left out in front": lambda q, alpha: (
                q.max(axis=1)
                + np.log(np.exp((q - q.max(axis=1, keepdims=True)) / alpha).sum(axis=1))
            ),
            "shift not added back": lambda q, alpha: soft_value(q, alpha) - q.max(axis=1),
            "mean instead of sum": lambda q, alpha: (
                soft_value(q, alpha) - alpha * np.log(q.shape[1])
            ),
            "expected value": lambda q, alpha: (np.exp(maxent.boltzmann_policy(q, alpha)) * q).sum(
                axis=1
            ),
            "wrong axis": lambda q, alpha: soft_value(q.T, alpha),
            "the policy instead of its value": lambda q, alpha: np.exp(
                maxent.boltzmann_policy(q, alpha)
            ),
            "temperature multiplied": lambda q, alpha: alpha * soft_value(q * alpha, 1.0),
            "inverse temperature": lambda q, alpha: soft_value(q, 1 / alpha),
        },
    ),
    Exercise(
        "1.2",
        prior_for_copies,
        given=_counts,
        axes=("action",),
        wrong={
            "uniform prior": lambda n: np.full(n + 1, 1 / (n + 1)),
            "not normalised": lambda n: np.array([1.0] + [1 / n] * n),
            "upside down": lambda n: np.array([n / (n + 1)] + [1 / (n * (n + 1))] * n),
            "every prior on the good action": lambda n: np.array([1.0] + [0.0] * n),
            "logarithm returned": lambda n: np.log(prior_for_copies(n)),
            "good action last": lambda n: prior_for_copies(n)[::-1],
        },
    ),
    Exercise(
        "1.3",
        temperature_for_share,
        given=_gap_and_share,
        is_value=True,
        tolerance=1e-4,
        wrong={
            "probability instead of odds": lambda gap, share: gap / np.log(1 / share),
            "upside down": lambda gap, share: np.log((1 - share) / share) / gap,
            "wrong sign": lambda gap, share: gap / np.log(share / (1 - share)),
            "bits instead of nats": lambda gap, share: gap / np.log2((1 - share) / share),
            "logarithm to base 10": lambda gap, share: gap / np.log10((1 - share) / share),
            "gap left out": lambda gap, share: 1 / np.log((1 - share) / share),
            "multiplied by the logarithm": lambda gap, share: gap * np.log((1 - share) / share),
        },
    ),
)
