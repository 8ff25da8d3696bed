"""Notebook 10: continuous actions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "10-continuous-actions"
WIDTH, DIMENSIONS, SAMPLES = 0.3, 6, 16


def sampled_soft_value(q, temperature, dimensions):
    samples = q.shape[1]
    log_sum = logsumexp(q / temperature, axis=1)
    return temperature * (log_sum + dimensions * np.log(2) - np.log(samples))


def deviation_of_the_proposal():
    return 0.4


def bonus_per_step(low, high, temperature):
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


def _estimates(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(3, 16)), 1.0, 2),
        (5e2 * rng.normal(size=(3, 50)), 0.2, 6),
    ]


def _boxes(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    unit = np.ones(3)
    high = rng.uniform(0.2, 3.0, size=2)
    return [(-unit, unit, 0.1), (-high / 2, high, 0.5)]


EXERCISES = (
    Exercise(
        number="10.1",
        title="The soft value from uniformly drawn actions",
        answer="my_sampled_value",
        reference=sampled_soft_value,
        given=_estimates,
        axes=("state",),
        hint="log of a mean of exp(q / alpha) / density; the density is 2 to the power -m.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "the volume forgotten",
                lambda q, temperature, m: (
                    temperature * (logsumexp(q / temperature, axis=1) - np.log(q.shape[1]))
                ),
                "the density of a uniform action in [-1, 1]^m is 2^-m, not 1: m log 2 is missing.",
            ),
            Mistake(
                "a sum instead of a mean",
                lambda q, temperature, m: (
                    temperature * (logsumexp(q / temperature, axis=1) + m * np.log(2))
                ),
                "the estimate grows with the number of samples: an expectation is a mean.",
            ),
            Mistake(
                "one dimension",
                lambda q, temperature, m: sampled_soft_value(q, temperature, 1),
                "log 2 belongs to one dimension; there are m of them.",
            ),
            Mistake(
                "sign of the volume",
                lambda q, temperature, m: sampled_soft_value(q, temperature, -m),
                "the density divides the weight: minus the log of 2^-m is plus m log 2.",
            ),
            Mistake(
                "the best that was drawn",
                lambda q, temperature, m: q.max(axis=1),
                "this is the largest q that was drawn; the temperature plays no part in it.",
            ),
            Mistake(
                "no shift",
                lambda q, temperature, m: (
                    temperature * (np.log(np.exp(q / temperature).mean(axis=1)) + m * np.log(2))
                ),
                "right on paper, but the exponential overflows: use logsumexp.",
            ),
        ),
    ),
    Exercise(
        number="10.2",
        title="A proposal that halves the bias",
        answer="my_deviation",
        reference=deviation_of_the_proposal,
        is_value=True,
        judge=judge_deviation,
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "too narrow",
                lambda: 0.1,
                "the bias is larger than half of the uniform one's: the proposal hardly ever draws "
                "what lies further out, and the few that come have enormous weights.",
            ),
            Mistake(
                "too wide",
                lambda: 2.0,
                "this is nearly uniform: most of the 16 actions fall where exp(Q) is next to "
                "nothing.",
            ),
        ),
    ),
    Exercise(
        number="10.3",
        title="What a forgotten volume pays in each step",
        answer="my_bonus",
        reference=bonus_per_step,
        given=_boxes,
        hint="the soft value over a box has the term alpha log(volume of the box).",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "m log 2 for every box",
                lambda low, high, temperature: temperature * len(low) * np.log(2),
                "right for the box from -1 to 1 only.",
            ),
            Mistake(
                "alpha left out",
                lambda low, high, temperature: np.log(high - low).sum(),
                "this is in nats; times the temperature it is in units of reward.",
            ),
            Mistake(
                "half-widths",
                lambda low, high, temperature: temperature * np.log((high - low) / 2).sum(),
                "these are half-widths: that is the change from the box [-1, 1], not the volume.",
            ),
            Mistake(
                "the volume itself",
                lambda low, high, temperature: temperature * np.prod(high - low),
                "this is the volume; its logarithm enters the value.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="10.a",
        question="A program leaves out the constant m log 2 of the uniform proposal. In a task "
        "that ends when the robot falls and pays the same in every step, what does its agent do?",
        choices={
            "a": "nothing else: a constant changes no policy",
            "b": "it values staying alive too little, by alpha m log 2 a step, and may fall on "
            "purpose",
            "c": "it values staying alive too much",
        },
        right="b",
        why={
            "a": "A constant in every step changes no policy only if the number of steps is not "
            "the agent's choice; here it is.",
            "b": "V(s') is too small in every state that is not terminal, and V = 0 at the end is "
            "right: ending looks better than it is.",
            "c": "The other way round: log 2 is positive and was left out.",
        },
    ),
)
