"""Notebook 4: improvement and policy iteration."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

import maxent
from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "04-policy-iteration"


def step(mdp, policy, temperature):
    q = maxent.soft_policy_evaluation(mdp, policy, temperature=temperature).q
    return np.exp(maxent.boltzmann_policy(q, temperature))


def order(e0, e1, e2):
    return np.log(e2 / e1) / np.log(e1 / e0)


def verdicts():
    return [False, False, True, True, False]


def _worlds(seed):
    rng = np.random.default_rng(seed)
    mdp = maxent.gridworld("S..#\n...G", slip=0.2, discount=0.9, goals="absorbing")
    return [(mdp, rng.dirichlet(np.ones(4), mdp.n_states), alpha) for alpha in (0.2, 2.0)]


def _errors(seed):
    """Three errors of a method of order 2, of order 1, and of one in between."""
    rng = np.random.default_rng(seed)
    for m in (2.0, 1.0, 1.6):
        c, e0 = rng.uniform(0.2, 0.8), rng.uniform(0.01, 0.1)
        e1 = c * e0**m
        yield e0, e1, c * e1**m


def judge_verdicts(answer):
    """What is wrong with the verdicts on A to E: the first step that is judged wrongly."""
    if not isinstance(answer, np.ndarray) or answer.shape != (5,) or set(answer) - {0.0, 1.0}:
        return "five times True or False is wanted, for A, B, C, D and E: [True, False, ...]."
    if answer.all() or not answer.any():
        return "all accepted" if answer.all() else "both rewritings condemned"
    each = (
        "hard maximum accepted",
        "temperature forgotten",
        "advantage condemned",
        "halfway condemned",
        "old policy forgotten",
    )
    return next((name for name, said, so in zip(each, answer, verdicts()) if said != so), "")


def wrong_step(m, pi, alpha):
    found = maxent.soft_policy_evaluation(m, pi, temperature=alpha)
    q, right = found.q, step(m, pi, alpha)
    without = maxent.soft_policy_evaluation(m, pi, temperature=0.0).q
    return {
        "hard maximum": np.eye(4)[q.argmax(1)],
        "logarithm returned": np.log(right),
        "alpha left out of the step": np.exp(maxent.boltzmann_policy(q, 1.0)),
        "entropy left out of the evaluation": np.exp(maxent.boltzmann_policy(without, alpha)),
        "old policy kept as a prior": _tilted(pi, np.log(right)),
        "no step": pi,
        "optimum returned": maxent.solve(m, alpha).policy,
        "not normalised": np.exp(q / alpha),
        "advantage not normalised": np.exp((q - found.v[:, None]) / alpha),
        "normalised over all states": softmax(q / alpha),
        "temperature multiplied": softmax(q * alpha, axis=1),
    }


def wrong_order(e0, e1, e2):
    return {
        "ratio of errors": e2 / e1,
        "ratio of logarithms": np.log(e2) / np.log(e1),
        "upside down": np.log(e1 / e0) / np.log(e2 / e1),
        "logarithm left out": (e2 / e1) / (e1 / e0),
        "steps too far apart": np.log(e2 / e0) / np.log(e1 / e0),
    }


def wrong_verdicts():
    return {
        "all accepted": [True, True, True, True, True],
        "both rewritings condemned": [False, False, False, False, False],
        "hard maximum accepted": [True, False, True, True, False],
        "temperature forgotten": [False, True, True, True, False],
        "advantage condemned": [False, False, False, True, False],
        "halfway condemned": [False, False, True, False, False],
        "old policy forgotten": [False, False, True, True, True],
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("4.1", step, given=_worlds, axes=("state", "action"), wrong=wrong_step),
    Exercise("4.2", order, given=_errors, tolerance=1e-6, wrong=wrong_order),
    Exercise("4.3", verdicts, is_value=True, judge=judge_verdicts, wrong=wrong_verdicts),
)


def _tilted(policy, log_weights):
    weights = policy * np.exp(log_weights)
    return weights / weights.sum(axis=1, keepdims=True)
