"""Notebook 12: SAC on the pendulum, with honest statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "12-sac-on-pendulum"


def paired(first, second):
    difference = first - second
    return difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))


def seeds_needed(spread, difference):
    noticed = norm.ppf(0.975) + norm.ppf(0.8)
    return np.ceil(2 * (noticed * spread / difference) ** 2)


def _returns(seed: int) -> list[tuple[Any, ...]]:
    """Two agents from common starts: what a start is worth varies more than they differ."""
    rng = np.random.default_rng(seed)
    cases = []
    for count in (20, 7):
        start = rng.normal(-150.0, 70.0, count)
        cases.append((start + rng.normal(2.0, 5.0, count), start + rng.normal(0.0, 5.0, count)))
    return cases


def _spreads(seed: int) -> list[tuple[Any, ...]]:
    return [(12.0 + seed, 7.0), (30.0, 8.0 - 0.3 * seed), (5.0, 6.5)]


def _needed(z, factor, power, rounding):
    def wrong(spread, difference):
        return rounding(factor * (z * spread / difference) ** power)

    return wrong


_BOTH = float(norm.ppf(0.975) + norm.ppf(0.8))

EXERCISES = (
    Exercise(
        number="12.1",
        title="A paired comparison",
        answer="my_paired",
        reference=paired,
        given=_returns,
        axes=(("mean", "standard error"),),
        hint="first the difference on each start, then its mean and the error of that mean.",
        minutes=10,
        mistakes=(
            Mistake(
                "unpaired",
                lambda a, b: (
                    (a - b).mean(),
                    np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)),
                ),
                "the mean is right; the error is that of two agents on different starts. Take the "
                "spread of the differences.",
            ),
            Mistake(
                "deviation instead of error",
                lambda a, b: ((a - b).mean(), (a - b).std(ddof=1)),
                "this is how much single differences vary; the error of their mean is smaller by "
                "the root of their number.",
            ),
            Mistake(
                "divided by n",
                lambda a, b: ((a - b).mean(), (a - b).std(ddof=1) / len(a)),
                "the deviation was divided by the number of starts; it takes the root of it.",
            ),
            Mistake(
                "ddof=0",
                lambda a, b: ((a - b).mean(), (a - b).std() / np.sqrt(len(a))),
                "a deviation about the sample's own mean is too small: ddof=1.",
            ),
            Mistake(
                "second minus first",
                lambda a, b: ((b - a).mean(), (a - b).std(ddof=1) / np.sqrt(len(a))),
                "the sign: first minus second.",
            ),
        ),
    ),
    Exercise(
        number="12.2",
        title="How many seeds",
        answer="my_seeds",
        reference=seeds_needed,
        given=_spreads,
        axes=(),
        tolerance=1e-9,
        hint="2 (z spread / difference)^2 with z = 1.96 + 0.84, rounded up.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "not rounded up",
                _needed(_BOTH, 2, 2, lambda n: n),
                "right but for the rounding: there is no fraction of a seed, and fewer are too "
                "few.",
            ),
            Mistake(
                "one group",
                _needed(_BOTH, 1, 2, np.ceil),
                "this is for one agent against a known number: the difference of two means has "
                "twice the variance.",
            ),
            Mistake(
                "chance to notice left out",
                _needed(float(norm.ppf(0.975)), 2, 2, np.ceil),
                "with so few a difference of that size is noticed only half of the time: 0.84 is "
                "missing.",
            ),
            Mistake(
                "one-sided",
                _needed(float(norm.ppf(0.95) + norm.ppf(0.8)), 2, 2, np.ceil),
                "1.645 is for a difference whose sign is known beforehand; here it is 1.96.",
            ),
            Mistake(
                "not squared",
                _needed(_BOTH, 2, 1, np.ceil),
                "errors fall with the root of the number, so that the ratio is to be squared.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="12.a",
        question="A table says: our agent -131 (ten episodes, best of five seeds), the baseline "
        "-137 (a hundred episodes, mean of five seeds). What does that show?",
        choices={
            "a": "that ours is better by 6",
            "b": "that ours is better, though by less than 6",
            "c": "nothing: the best of five ten-episode means of the *baseline's own policy* is "
            "about -111",
        },
        right="c",
        why={
            "a": "Two differences in how it was measured are larger than the difference itself.",
            "b": "Not even the sign: choosing the best of several noisy numbers adds to the one "
            "side only.",
            "c": "Same starts, same number of episodes, all seeds, and the error of the "
            "difference: less is no comparison.",
        },
    ),
)
