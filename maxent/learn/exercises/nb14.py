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


def _paths(edges, nodes):
    counts = np.eye(nodes)[0]
    for source, target in edges[np.argsort(edges[:, 1], kind="stable")]:
        counts[target] += counts[source]
    return counts


def wrong_value_with_prior(q, p, alpha):
    best = p * np.exp(q / alpha)
    best /= best.sum(axis=1, keepdims=True)
    return {
        "the prior ignored": alpha * logsumexp(q / alpha, axis=1),
        "alpha left out in front": logsumexp(q / alpha, b=p, axis=1),
        "expected q": (p * q).sum(axis=1),
        "log prior without the temperature": alpha * logsumexp((q + np.log(p)) / alpha, axis=1),
        "uniform prior": alpha * (logsumexp(q / alpha, axis=1) - np.log(q.shape[1])),
        "alpha left out of the exponent": alpha * logsumexp(q, b=p, axis=1),
        "prior added instead of multiplied": alpha * logsumexp(q / alpha + p, axis=1),
        "KL left out": (best * q).sum(axis=1),
        "entropy instead of KL": (best * (q - alpha * np.log(best))).sum(axis=1),
    }


def wrong_reward_difference(logs, reference, b, w, beta):
    ratio = logs - reference
    both = logs + reference
    difference = ratio[b].sum() - ratio[w].sum()
    return {
        "the reference left out": beta * (logs[b].sum() - logs[w].sum()),
        "beta left out": difference,
        "divided by beta": difference / beta,
        "a mean over tokens": beta * (ratio[b].mean() - ratio[w].mean()),
        "worse minus better": beta * (ratio[w].sum() - ratio[b].sum()),
        "one answer only": beta * ratio[b].sum(),
        "a probability of preference": 1 / (1 + np.exp(-beta * difference)),
        "the loss of DPO": np.log1p(np.exp(-beta * difference)),
        "sign of the reference": beta * (both[b].sum() - both[w].sum()),
    }


def wrong_edge_rewards(e, n):
    (source, target), right = e.T, edge_rewards(e, n)
    parents, children = np.bincount(target, minlength=n), np.bincount(source, minlength=n)
    return {
        "children instead of parents": -np.log(children[source]),
        "parents of the source": -np.log(np.maximum(parents[source], 1)),
        "wrong sign": -right,
        "not a logarithm": np.exp(right),
        "all paths at every edge": -np.log(_paths(e, n)[target]),
        "the number itself": -parents[target],
        "one number for each node": -np.log(np.maximum(parents, 1)),
        "children of the target": -np.log(np.maximum(children[target], 1)),
        "all neighbours": -np.log((parents + children)[target]),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "14.1", value_with_prior, given=_priors, axes=("state",), wrong=wrong_value_with_prior
    ),
    Exercise("14.2", reward_difference, given=_answers, wrong=wrong_reward_difference),
    Exercise("14.3", edge_rewards, given=_graphs, axes=("edge",), wrong=wrong_edge_rewards),
)
