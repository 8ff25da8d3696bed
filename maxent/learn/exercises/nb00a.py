"""The primer before notebook 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "00a-primer"


def discounted(rewards, discount):
    return float(np.sum(discount ** np.arange(len(rewards)) * np.asarray(rewards)))


def kl(p, q):
    return float(np.sum(p * np.log(p / q)))


def _rewards(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=4), 0.9), (rng.normal(size=7), 0.5)]


def _pairs(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [tuple(rng.dirichlet(np.full(n, 2.0), 2)) for n in (2, 5)]


EXERCISES = (
    Exercise(
        number="P.1",
        title="The return of a list of rewards",
        answer="my_discounted",
        reference=discounted,
        given=_rewards,
        hint="the first reward counts in full, the next gamma times.",
        minutes=3,
        mistakes=(
            Mistake("gamma left out", lambda r, g: np.sum(r), "this is the plain sum."),
            Mistake(
                "first reward discounted",
                lambda r, g: g * discounted(r, g),
                "the first reward comes now: it counts in full.",
            ),
            Mistake(
                "backwards",
                lambda r, g: discounted(r[::-1], g),
                "the *last* reward counts in full here; it should be the first.",
            ),
            Mistake(
                "gamma once",
                lambda r, g: r[0] + g * np.sum(r[1:]),
                "each further step multiplies by gamma once more.",
            ),
            Mistake(
                "terms instead of their sum",
                lambda r, g: g ** np.arange(len(r)) * r,
                "these are the terms; their sum is wanted.",
            ),
        ),
    ),
    Exercise(
        number="P.2",
        title="The Kullback-Leibler divergence",
        answer="my_kl",
        reference=kl,
        given=_pairs,
        hint="an average under p of log(p / q).",
        minutes=3,
        mistakes=(
            Mistake(
                "the other way round",
                lambda p, q: kl(q, p),
                "this is KL(q || p), the average under q; it is not symmetric.",
            ),
            Mistake(
                "bits instead of nats",
                lambda p, q: kl(p, q) / np.log(2),
                "use the natural logarithm.",
            ),
            Mistake("wrong sign", lambda p, q: -kl(p, q), "a divergence is never negative."),
            Mistake(
                "not weighted",
                lambda p, q: np.sum(np.log(p / q)),
                "each logarithm counts p times.",
            ),
            Mistake(
                "cross entropy",
                lambda p, q: -np.sum(p * np.log(q)),
                "this is the cross entropy: the entropy of p is still to be taken off.",
            ),
            Mistake(
                "terms instead of their sum",
                lambda p, q: p * np.log(p / q),
                "these are the terms; their sum is wanted.",
            ),
        ),
    ),
)

QUIZZES: tuple[Quiz, ...] = ()
