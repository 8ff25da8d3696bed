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


def wrong_gumbel_value(q, b):
    soft, policy = maxent.soft_value(q, b), np.exp(maxent.boltzmann_policy(q, b))
    return {
        "Euler's constant left out": soft,
        "Euler's constant without the scale": soft + np.euler_gamma,
        "the best on average": q.max(axis=1) + b * np.euler_gamma,
        "scale left out": maxent.soft_value(q, 1.0) + np.euler_gamma,
        "Euler's constant rounded": soft + 0.5772 * b,
        "sign of Euler's constant": soft - b * np.euler_gamma,
        "entropy left out": (policy * q).sum(axis=1) + b * np.euler_gamma,
        "divided and not multiplied back": soft / b + np.euler_gamma,
    }


def wrong_log_likelihood(logs, s, a):
    return {
        "a mean": logs[s, a].mean(),
        "probabilities added": np.exp(logs[s, a]).sum(),
        "log of a product": np.log(np.exp(logs[s, a]).prod()),
        "a table instead of pairs": logs[s][:, a].sum(),
        "minus": -logs[s, a].sum(),
        "a likelihood": np.exp(logs[s, a].sum()),
        "log of a sum": np.log(np.exp(logs[s, a]).sum()),
        "not added up": logs[s, a],
        "all actions of the states": logs[s].sum(),
    }


def wrong_reward_that_explains(m, pi, phi, alpha):
    following, gamma = m.to_dense().transition @ phi, m.discount

    def explained(weight, own, after):
        return weight * np.log(pi) + own * phi[:, None] + after * following

    return {
        "shaping left out": explained(alpha, 0.0, 0.0),
        "sign of the shaping": explained(alpha, -1.0, gamma),
        "gamma left out": explained(alpha, 1.0, -1.0),
        "alpha left out": explained(1.0, 1.0, -gamma),
        "nothing after the next state": explained(alpha, 1.0, 0.0),
        "sign of the next value": explained(alpha, 1.0, gamma),
        "sign of log pi": explained(-alpha, 1.0, -gamma),
        "temperature on everything": alpha * explained(1.0, 1.0, -gamma),
        "probabilities instead of logarithms": reward_that_explains(m, np.exp(pi), phi, alpha),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("13.1", gumbel_value, given=_values, axes=("state",), wrong=wrong_gumbel_value),
    Exercise("13.2", log_likelihood, given=_choices, wrong=wrong_log_likelihood),
    Exercise(
        "13.3",
        reward_that_explains,
        given=_explained,
        axes=("state", "action"),
        wrong=wrong_reward_that_explains,
    ),
)
