"""Notebook 14: a prior in place of the uniform one."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "14-a-prior"


def value_with_prior(q, prior, temperature):
    return temperature * logsumexp(q / temperature, b=prior, axis=1)


def reward_difference(log_policy, log_reference, better, worse, beta):
    ratio = log_policy - log_reference
    return beta * (ratio[better].sum() - ratio[worse].sum())


def edge_rewards(edges, nodes):
    parents = np.bincount(edges[:, 1], minlength=nodes)
    return -np.log(parents[edges[:, 1]])


def _priors(seed):
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(3, 4)), rng.dirichlet(np.ones(4), 3), temperature)
        for temperature in (1.0, 0.2)
    ]


def _answers(seed):
    """Log-probabilities of 9 tokens under two models; two answers of 3 and 5 of these tokens."""
    rng = np.random.default_rng(seed)
    for beta in (0.1, 0.7):
        tokens = rng.permutation(9)
        log_policy, log_reference = np.log(rng.uniform(0.05, 0.9, size=(2, 9)))
        yield log_policy, log_reference, tokens[:3], tokens[3:8], beta


def _graphs(seed):
    """A diamond, and a random directed graph without circles."""
    rng = np.random.default_rng(seed)
    diamond = np.array([[0, 1], [0, 2], [1, 3], [2, 3], [3, 4]])
    pairs = [(i, j) for j in range(1, 7) for i in range(j)]
    kept = [pair for pair in pairs if pair[0] == pair[1] - 1 or rng.random() < 0.5]
    return [(diamond, 5), (np.array(kept), 7)]


def _tilted(q, prior, temperature):
    """The best policy with a prior."""
    weights = prior * np.exp(q / temperature)
    return weights / weights.sum(axis=1, keepdims=True)


def _margin(change):
    def wrong(log_policy, log_reference, better, worse, beta):
        return change(log_policy - log_reference, log_policy, better, worse, beta)

    return wrong


def _paths(edges, nodes):
    counts = np.eye(nodes)[0]
    for source, target in edges[np.argsort(edges[:, 1], kind="stable")]:
        counts[target] += counts[source]
    return counts


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "14.1",
        value_with_prior,
        given=_priors,
        axes=("state",),
        wrong={
            "the prior ignored": lambda q, p, alpha: alpha * logsumexp(q / alpha, axis=1),
            "alpha left out in front": lambda q, p, alpha: logsumexp(q / alpha, b=p, axis=1),
            "expected q": lambda q, p, alpha: (p * q).sum(axis=1),
            "log prior without the temperature": lambda q, p, alpha: (
                alpha * logsumexp((q + np.log(p)) / alpha, axis=1)
            ),
            "uniform prior": lambda q, p, alpha: (
                alpha * (logsumexp(q / alpha, axis=1) - np.log(q.shape[1]))
            ),
            "alpha left out of the exponent": lambda q, p, alpha: alpha * logsumexp(q, b=p, axis=1),
            "prior added instead of multiplied": lambda q, p, alpha: (
                alpha * logsumexp(q / alpha + p, axis=1)
            ),
            "KL left out": lambda q, p, alpha: (_tilted(q, p, alpha) * q).sum(axis=1),
            "entropy instead of KL": lambda q, p, alpha: (
                _tilted(q, p, alpha) * (q - alpha * np.log(_tilted(q, p, alpha)))
            ).sum(axis=1),
        },
    ),
    Exercise(
        "14.2",
        reward_difference,
        given=_answers,
        wrong={
            "the reference left out": _margin(
                lambda ratio, logs, b, w, beta: beta * (logs[b].sum() - logs[w].sum())
            ),
            "beta left out": _margin(
                lambda ratio, logs, b, w, beta: ratio[b].sum() - ratio[w].sum()
            ),
            "divided by beta": _margin(
                lambda ratio, logs, b, w, beta: (ratio[b].sum() - ratio[w].sum()) / beta
            ),
            "a mean over tokens": _margin(
                lambda ratio, logs, b, w, beta: beta * (ratio[b].mean() - ratio[w].mean())
            ),
            "worse minus better": _margin(
                lambda ratio, logs, b, w, beta: beta * (ratio[w].sum() - ratio[b].sum())
            ),
            "one answer only": _margin(lambda ratio, logs, b, w, beta: beta * ratio[b].sum()),
            "a probability of preference": _margin(
                lambda ratio, logs, b, w, beta: (
                    1 / (1 + np.exp(-beta * (ratio[b].sum() - ratio[w].sum())))
                )
            ),
            "the loss of DPO": _margin(
                lambda ratio, logs, b, w, beta: np.log1p(
                    np.exp(-beta * (ratio[b].sum() - ratio[w].sum()))
                )
            ),
            "sign of the reference": lambda logs, ref, b, w, beta: (
                beta * ((logs + ref)[b].sum() - (logs + ref)[w].sum())
            ),
        },
    ),
    Exercise(
        "14.3",
        edge_rewards,
        given=_graphs,
        axes=("edge",),
        wrong={
            "children instead of parents": lambda e, n: (
                -np.log(np.bincount(e[:, 0], minlength=n)[e[:, 0]])
            ),
            "parents of the source": lambda e, n: (
                -np.log(np.maximum(np.bincount(e[:, 1], minlength=n)[e[:, 0]], 1))
            ),
            "wrong sign": lambda e, n: -edge_rewards(e, n),
            "not a logarithm": lambda e, n: np.exp(edge_rewards(e, n)),
            "all paths at every edge": lambda e, n: -np.log(_paths(e, n)[e[:, 1]]),
            "the number itself": lambda e, n: -np.bincount(e[:, 1], minlength=n)[e[:, 1]],
            "one number for each node": lambda e, n: (
                -np.log(np.maximum(np.bincount(e[:, 1], minlength=n), 1))
            ),
            "children of the target": lambda e, n: (
                -np.log(np.maximum(np.bincount(e[:, 0], minlength=n)[e[:, 1]], 1))
            ),
            "all neighbours": lambda e, n: -np.log(np.bincount(e.ravel(), minlength=n)[e[:, 1]]),
        },
    ),
)
