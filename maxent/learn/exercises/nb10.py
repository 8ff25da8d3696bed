"""Notebook 10: continuous actions."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "10-continuous-actions"
WIDTH, DIMENSIONS, SAMPLES = 0.3, 6, 16


def sampled_soft_value(q, temperature, dimensions):
    samples = q.shape[1]
    log_sum = logsumexp(q / temperature, axis=1)
    return temperature * (log_sum + dimensions * np.log(2) - np.log(samples))


def deviation_of_the_proposal():
    return 0.4


def missing_per_step(low, high, temperature):
    return temperature * np.log(high - low).sum()


def bias(deviation=None, estimates=2000, seed=0):
    """Of the soft value of Q = -|a|^2 / (2 * 0.3^2) on [-1, 1]^6 from 16 actions, in nats.

    deviation: of the Gaussian, cut off at the box, that the actions are drawn from; None: uniform.
    """
    rng, shape = np.random.default_rng(seed), (estimates, SAMPLES, DIMENSIONS)
    if deviation is None:
        actions = rng.uniform(-1, 1, shape)
        log_density = np.full(shape[:2], -DIMENSIONS * np.log(2))
    else:
        below = norm.cdf(-1 / deviation)
        actions = deviation * norm.ppf(rng.uniform(below, 1 - below, shape))
        each = norm.logpdf(actions, scale=deviation) - np.log1p(-2 * below)
        log_density = each.sum(axis=-1)
    scores = -(actions**2).sum(axis=-1) / (2 * WIDTH**2) - log_density
    inside = norm.cdf(1 / WIDTH) - norm.cdf(-1 / WIDTH)
    exact = DIMENSIONS * np.log(WIDTH * np.sqrt(2 * np.pi) * inside)
    return float((logsumexp(scores, axis=1) - np.log(SAMPLES)).mean() - exact)


def judge_deviation(deviation):
    """Whether a proposal of that deviation has at most half of the uniform one's bias."""
    try:
        value = float(deviation)
    except (TypeError, ValueError):
        value = np.nan
    if not 0.0 < value < np.inf:
        return "one positive number is wanted, a standard deviation."
    if abs(bias(value)) <= abs(bias()) / 2:
        return ""
    return "too narrow" if value < WIDTH else "too wide"


def _estimates(seed):
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(3, 16)), 1.0, 2),
        (5e2 * rng.normal(size=(3, 50)), 0.2, 6),
        (rng.normal(size=(2, 20)), 0.5, 3),
    ]


def _boxes(seed):
    rng = np.random.default_rng(seed)
    unit = np.ones(3)
    high = rng.uniform(0.2, 3.0, size=2)
    return [(-unit, unit, 0.1), (-high / 2, high, 0.5)]


def wrong_sampled_soft_value(q, alpha, m):
    log_sum, log_volume, log_samples = (
        logsumexp(q / alpha, axis=1),
        m * np.log(2),
        np.log(q.shape[1]),
    )
    return {
        "the volume forgotten": alpha * (log_sum - log_samples),
        "a sum instead of a mean": alpha * (log_sum + log_volume),
        "one dimension": sampled_soft_value(q, alpha, 1),
        "sign of the volume": sampled_soft_value(q, alpha, -m),
        "the best that was drawn": q.max(axis=1),
        "no shift": alpha * (np.log(np.exp(q / alpha).mean(axis=1)) + log_volume),
        "alpha left out of the exponent": logsumexp(q, axis=1) + alpha * (log_volume - log_samples),
        "alpha left out in front": sampled_soft_value(q, alpha, m) / alpha,
        "volume without alpha": sampled_soft_value(q, alpha, 0) + log_volume,
        "the number of states": alpha * (log_sum + log_volume - np.log(len(q))),
    }


def wrong_deviations():
    return {"too narrow": 0.1, "too wide": 2.0}


def wrong_missing_per_step(low, high, alpha):
    sides = high - low
    return {
        "m log 2 for every box": alpha * len(low) * np.log(2),
        "alpha left out": np.log(sides).sum(),
        "half-widths": alpha * np.log(sides / 2).sum(),
        "the volume itself": alpha * np.prod(sides),
        "a mean over dimensions": alpha * np.log(sides).mean(),
        "log of the sum of sides": alpha * np.log(sides.sum()),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "10.1",
        sampled_soft_value,
        given=_estimates,
        axes=("state",),
        wrong=wrong_sampled_soft_value,
    ),
    Exercise(
        "10.2",
        deviation_of_the_proposal,
        is_value=True,
        judge=judge_deviation,
        wrong=wrong_deviations,
    ),
    Exercise("10.3", missing_per_step, given=_boxes, wrong=wrong_missing_per_step),
)
