"""Notebook 1: soft-max, entropy, temperature."""

from __future__ import annotations

from typing import Any

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "01-soft-max"


def soft_value(q, temperature):
    top = q.max(axis=1)
    return top + temperature * np.log(np.exp((q - top[:, None]) / temperature).sum(axis=1))


def prior_for_copies(n):
    return np.array([0.5] + [0.5 / n] * n)


def temperature_for_share(gap, share):
    return gap / np.log((1 - share) / share)


def _arrays(seed: int) -> list[tuple[Any, ...]]:
    """Q of ordinary size, and one so large that exp overflows without a shift."""
    rng = np.random.default_rng(seed)
    ordinary = [(rng.normal(size=(3, 4)), temperature) for temperature in (1.0, 0.1)]
    large = 1e3 * np.diag([1.0, 2.0, 3.0]) + rng.normal(size=(3, 3))
    return [*ordinary, (large, 1e-3)]


def _counts(seed: int) -> list[tuple[Any, ...]]:
    return [(3,), (10,), (int(np.random.default_rng(seed).integers(20, 90)),)]


def _gap_and_share(seed: int) -> list[tuple[Any, ...]]:
    """0.1 and one in ten; with a seed, others."""
    if seed == 0:
        return [(0.1, 0.1)]
    rng = np.random.default_rng(seed)
    return [(float(rng.choice([0.2, 0.3, 0.5, 0.8])), float(rng.choice([0.05, 0.15, 0.2, 0.25])))]


EXERCISES = (
    Exercise(
        number="1.1",
        title="The soft value, without overflow",
        answer="my_soft_value",
        reference=soft_value,
        given=_arrays,
        axes=("state",),
        hint="is the temperature both inside and outside of the logarithm?",
        minutes=10,
        mistakes=(
            Mistake(
                "hard maximum",
                lambda q, temperature: q.max(axis=1),
                "this is the largest entry; the temperature plays no part in it.",
            ),
            Mistake(
                "no shift",
                lambda q, temperature: temperature * np.log(np.exp(q / temperature).sum(axis=1)),
                "the formula is right, but exp(q / temperature) overflows where q is large: "
                "subtract the row's largest entry first, and add it back at the end.",
            ),
            Mistake(
                "one shift for all rows",
                lambda q, temperature: (
                    q.max() + temperature * np.log(np.exp((q - q.max()) / temperature).sum(axis=1))
                ),
                "the largest entry of *all* rows was subtracted: in the other rows every "
                "exponential becomes 0.",
            ),
            Mistake(
                "alpha left out",
                lambda q, temperature: (
                    np.log(np.exp(q - q.max(axis=1, keepdims=True)).sum(axis=1)) + q.max(axis=1)
                ),
                "this is the soft value at temperature 1, whatever the temperature.",
            ),
            Mistake(
                "alpha left out in front",
                lambda q, temperature: (
                    q.max(axis=1)
                    + np.log(np.exp((q - q.max(axis=1, keepdims=True)) / temperature).sum(axis=1))
                ),
                "the temperature divides q, but the logarithm is not multiplied by it.",
            ),
            Mistake(
                "shift not added back",
                lambda q, temperature: soft_value(q, temperature) - q.max(axis=1),
                "the largest entry was subtracted before exp, but not added back after log.",
            ),
            Mistake(
                "mean instead of sum",
                lambda q, temperature: (
                    soft_value(q, temperature) - temperature * np.log(q.shape[1])
                ),
                "this is mellowmax: the mean of the exponentials where their sum is wanted.",
            ),
            Mistake(
                "expected value",
                lambda q, temperature: (np.exp(maxent.boltzmann_policy(q, temperature)) * q).sum(
                    axis=1
                ),
                "this is the average of q under its Boltzmann policy: the entropy is missing.",
            ),
            Mistake(
                "wrong axis",
                lambda q, temperature: soft_value(q.T, temperature),
                "this is one number for each action: the actions are the second axis (axis=1).",
            ),
        ),
    ),
    Exercise(
        number="1.2",
        title="The prior that undoes copies",
        answer="my_prior",
        reference=prior_for_copies,
        given=_counts,
        axes=("action",),
        hint="it sums to 1, and the n copies share what the good action has.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "uniform prior",
                lambda n: np.full(n + 1, 1 / (n + 1)),
                "with every action alike the votes are counted as before.",
            ),
            Mistake(
                "not normalised",
                lambda n: np.array([1.0] + [1 / n] * n),
                "the proportions are right; probabilities must sum to 1.",
            ),
            Mistake(
                "upside down",
                lambda n: np.array([n / (n + 1)] + [1 / (n * (n + 1))] * n),
                "the copies together have 1/n of what the good action has; they should have as "
                "much.",
            ),
            Mistake(
                "every prior on the good action",
                lambda n: np.array([1.0] + [0.0] * n),
                "the copies can no longer be chosen at all; as *one* action they could.",
            ),
            Mistake(
                "logarithm returned",
                lambda n: np.log(prior_for_copies(n)),
                "these are the logarithms of the prior; probabilities are wanted.",
            ),
        ),
    ),
    Exercise(
        number="1.3",
        title="A temperature for a wanted randomness",
        answer="my_temperature",
        reference=temperature_for_share,
        given=_gap_and_share,
        is_value=True,
        tolerance=1e-4,
        hint="write down the ratio of the two probabilities and take its logarithm.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "probability instead of odds",
                lambda gap, share: gap / np.log(1 / share),
                "the first action has the rest of the probability, not all of it: the ratio of "
                "the two is (1 - share) / share.",
            ),
            Mistake(
                "upside down",
                lambda gap, share: np.log((1 - share) / share) / gap,
                "this is the inverse temperature, often written beta.",
            ),
            Mistake(
                "wrong sign",
                lambda gap, share: gap / np.log(share / (1 - share)),
                "a temperature is positive: which of the two actions is the likelier?",
            ),
            Mistake(
                "bits instead of nats",
                lambda gap, share: gap / np.log2((1 - share) / share),
                "soft-max has e in it: use the natural logarithm.",
            ),
            Mistake(
                "logarithm to base 10",
                lambda gap, share: gap / np.log10((1 - share) / share),
                "soft-max has e in it: use the natural logarithm.",
            ),
            Mistake(
                "gap left out",
                lambda gap, share: 1 / np.log((1 - share) / share),
                "this is right for a gap of 1: the temperature is in the unit of reward.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="1.a",
        question="All rewards are given in cents instead of euros: every q is multiplied by 100. "
        "The temperature stays at 0.5. What happens to the policy?",
        choices={
            "a": "nothing: the order of the actions is the same",
            "b": "it comes nearer to the hard maximum",
            "c": "it comes nearer to the uniform policy",
            "d": "it stays as it is, but the soft value is multiplied by 100",
        },
        right="b",
        why={
            "a": "The hard maximum depends on the order alone; soft-max depends on differences "
            "divided by the temperature.",
            "b": "Differences of q are 100 times what they were, measured in temperatures. To "
            "leave the policy alone the temperature must be given in cents too (SCALE).",
            "c": "That is what a larger temperature does; larger differences do the opposite.",
            "d": "Both would be true if the temperature were multiplied by 100 as well (SCALE).",
        },
    ),
)
