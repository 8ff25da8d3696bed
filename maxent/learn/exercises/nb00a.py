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


def wrong_discounted(r, g):
    terms = g ** np.arange(len(r)) * r
    return {
        "gamma left out": np.sum(r),
        "first reward discounted": g * discounted(r, g),
        "backwards": discounted(r[::-1], g),
        "gamma once": r[0] + g * np.sum(r[1:]),
        "terms instead of their sum": terms,
        "gamma for each alike": g * np.sum(r),
        "divided instead of multiplied": np.sum(r / g ** np.arange(len(r))),
        "running sums": np.cumsum(terms),
    }


def wrong_kl(p, q):
    return {
        "the other way round": kl(q, p),
        "bits instead of nats": kl(p, q) / np.log(2),
        "wrong sign": -kl(p, q),
        "not weighted": np.sum(np.log(p / q)),
        "cross entropy": -np.sum(p * np.log(q)),
        "terms instead of their sum": p * np.log(p / q),
        "weighted with q": np.sum(q * np.log(p / q)),
        "difference of entropies": np.sum(p * np.log(p)) - np.sum(q * np.log(q)),
        "mean of the terms": kl(p, q) / len(p),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("P.1", discounted, given=_rewards, wrong=wrong_discounted),
    Exercise("P.2", kl, given=_pairs, wrong=wrong_kl),
)
