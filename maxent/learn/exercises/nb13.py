"""Notebook 13: econometricians knew it."""

from __future__ import annotations

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "13-dynamic-logit"


def gumbel_value(q, scale):
    return maxent.soft_value(q, scale) + scale * np.euler_gamma


def log_likelihood(log_policy, states, actions):
    return log_policy[states, actions].sum()


def reward_that_explains(mdp, policy, potential, temperature):
    following = mdp.to_dense().transition @ potential
    return temperature * np.log(policy) + potential[:, None] - mdp.discount * following


def _values(seed):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(3, 4)), scale) for scale in (1.0, 0.3)]


def _choices(seed):
    rng = np.random.default_rng(seed)
    log_policy = np.log(rng.dirichlet(np.ones(3), 5))
    return [(log_policy, rng.integers(5, size=n), rng.integers(3, size=n)) for n in (6, 2000)]


def _explained(seed):
    rng = np.random.default_rng(seed)
    for discount, temperature in ((0.9, 1.0), (0.5, 0.2)):
        mdp = maxent.garnet(4, 3, discount=discount, branching=2, seed=seed)
        yield mdp, rng.dirichlet(np.ones(3), 4), rng.normal(size=4), temperature


def _explained_by(log_weight, own, next_weight):
    """alpha log pi and a shaping term with other factors in front of its parts."""

    def wrong(mdp, policy, potential, temperature):
        following = mdp.to_dense().transition @ potential
        return (
            log_weight(temperature) * np.log(policy)
            + own * potential[:, None]
            + next_weight(mdp.discount) * following
        )

    return wrong


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "13.1",
        gumbel_value,
        given=_values,
        axes=("state",),
        wrong={
            "Euler's constant left out": lambda q, b: maxent.soft_value(q, b),
            "Euler's constant without the scale": lambda q, b: (
                maxent.soft_value(q, b) + np.euler_gamma
            ),
            "the best on average": lambda q, b: q.max(axis=1) + b * np.euler_gamma,
            "scale left out": lambda q, b: maxent.soft_value(q, 1.0) + np.euler_gamma,
            "Euler's constant rounded": lambda q, b: maxent.soft_value(q, b) + 0.5772 * b,
            "sign of Euler's constant": lambda q, b: maxent.soft_value(q, b) - b * np.euler_gamma,
            "entropy left out": lambda q, b: (
                (np.exp(maxent.boltzmann_policy(q, b)) * q).sum(axis=1) + b * np.euler_gamma
            ),
            "divided and not multiplied back": lambda q, b: (
                maxent.soft_value(q, b) / b + np.euler_gamma
            ),
        },
    ),
    Exercise(
        "13.2",
        log_likelihood,
        given=_choices,
        wrong={
            "a mean": lambda logs, s, a: logs[s, a].mean(),
            "probabilities added": lambda logs, s, a: np.exp(logs[s, a]).sum(),
            "log of a product": lambda logs, s, a: np.log(np.exp(logs[s, a]).prod()),
            "a table instead of pairs": lambda logs, s, a: logs[s][:, a].sum(),
            "minus": lambda logs, s, a: -logs[s, a].sum(),
            "a likelihood": lambda logs, s, a: np.exp(logs[s, a].sum()),
            "log of a sum": lambda logs, s, a: np.log(np.exp(logs[s, a]).sum()),
            "not added up": lambda logs, s, a: logs[s, a],
            "all actions of the states": lambda logs, s, a: logs[s].sum(),
        },
    ),
    Exercise(
        "13.3",
        reward_that_explains,
        given=_explained,
        axes=("state", "action"),
        wrong={
            "shaping left out": _explained_by(lambda alpha: alpha, 0.0, lambda gamma: 0.0),
            "sign of the shaping": _explained_by(lambda alpha: alpha, -1.0, lambda gamma: gamma),
            "gamma left out": _explained_by(lambda alpha: alpha, 1.0, lambda gamma: -1.0),
            "alpha left out": _explained_by(lambda alpha: 1.0, 1.0, lambda gamma: -gamma),
            "nothing after the next state": _explained_by(
                lambda alpha: alpha, 1.0, lambda gamma: 0.0
            ),
            "sign of the next value": _explained_by(lambda alpha: alpha, 1.0, lambda gamma: gamma),
            "sign of log pi": _explained_by(lambda alpha: -alpha, 1.0, lambda gamma: -gamma),
            "temperature on everything": lambda m, pi, phi, alpha: (
                alpha * reward_that_explains(m, pi, phi, 1.0)
            ),
            "probabilities instead of logarithms": lambda m, pi, phi, alpha: reward_that_explains(
                m, np.exp(pi), phi, alpha
            ),
        },
    ),
)
