"""The primer before notebook 1."""

from __future__ import annotations

import numpy as np

from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "00a-primer"


def discounted(rewards, discount):
    return float(np.sum(discount ** np.arange(len(rewards)) * np.asarray(rewards)))


def kl(p, q):
    return float(np.sum(p * np.log(p / q)))


def _rewards(seed):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=4), 0.9), (rng.normal(size=7), 0.5)]


def _pairs(seed):
    rng = np.random.default_rng(seed)
    return [tuple(rng.dirichlet(np.full(n, 2.0), 2)) for n in (2, 5)]


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "P.1",
        discounted,
        given=_rewards,
        wrong={
            "gamma left out": lambda r, g: np.sum(r),
            "first reward discounted": lambda r, g: g * discounted(r, g),
            "backwards": lambda r, g: discounted(r[::-1], g),
            "gamma once": lambda r, g: r[0] + g * np.sum(r[1:]),
            "terms instead of their sum": lambda r, g: g ** np.arange(len(r)) * r,
            "gamma for each alike": lambda r, g: g * np.sum(r),
            "divided instead of multiplied": lambda r, g: np.sum(r / g ** np.arange(len(r))),
            "running sums": lambda r, g: np.cumsum(g ** np.arange(len(r)) * r),
        },
    ),
    Exercise(
        "P.2",
        kl,
        given=_pairs,
        wrong={
            "the other way round": lambda p, q: kl(q, p),
            "bits instead of nats": lambda p, q: kl(p, q) / np.log(2),
            "wrong sign": lambda p, q: -kl(p, q),
            "not weighted": lambda p, q: np.sum(np.log(p / q)),
            "cross entropy": lambda p, q: -np.sum(p * np.log(q)),
            "terms instead of their sum": lambda p, q: p * np.log(p / q),
            "weighted with q": lambda p, q: np.sum(q * np.log(p / q)),
            "difference of entropies": lambda p, q: np.sum(p * np.log(p)) - np.sum(q * np.log(q)),
            "mean of the terms": lambda p, q: kl(p, q) / len(p),
        },
    ),
)
