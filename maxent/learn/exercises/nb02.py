"""Notebook 2: soft policy evaluation."""

from __future__ import annotations

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "02-soft-policy-evaluation"


def evaluation(mdp, policy, temperature):
    step = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    earned = (policy * mdp.reward).sum(axis=1) + temperature * maxent.entropy(np.log(policy))
    earned[mdp.terminal] = 0.0
    return np.linalg.solve(np.eye(mdp.n_states) - mdp.discount * step, earned)


def crossing(mdp, first, second):
    paid = maxent.policy_return(mdp, first) - maxent.policy_return(mdp, second)
    return paid / (maxent.discounted_entropy(mdp, second) - maxent.discounted_entropy(mdp, first))


def q_sweep(mdp, policy, temperature, q):
    v = (policy * q).sum(axis=1) + temperature * maxent.entropy(np.log(policy))
    v[mdp.terminal] = 0.0
    return maxent.backup(mdp, v)


def _worlds(seed):
    """Two worlds, each with a random policy."""
    rng = np.random.default_rng(seed)
    for text, temperature in (("S..#\n...G", 0.3), ("S.X\n..G", 2.0)):
        mdp = maxent.gridworld(text, slip=0.2, discount=0.9)
        yield mdp, rng.dirichlet(np.ones(4), mdp.n_states), temperature


def _pairs(seed):
    """A world with a policy that is nearly decided, and a more random one."""
    rng = np.random.default_rng(seed)
    for text in ("S..#\n...G", "S....\n.##.G"):
        mdp = maxent.gridworld(text, slip=0.1, discount=0.9)
        random = rng.dirichlet(np.full(4, 5.0), mdp.n_states)
        yield mdp, maxent.solve(mdp, 0.05).policy, random


def _with_q(seed):
    rng = np.random.default_rng(seed)
    return [(*case, rng.normal(size=(case[0].n_states, 4))) for case in _worlds(seed)]


def _evaluated(mdp, policy, earned, discount):
    """As `evaluation`, with other earnings or another discount."""
    step = _chain(mdp, policy) * ~mdp.terminal[:, None]
    return np.linalg.solve(np.eye(mdp.n_states) - discount * step, earned)


def _chain(mdp, policy):
    return np.einsum("sa,sat->st", policy, mdp.to_dense().transition)


def _earned(mdp, policy, rate, terminal=0.0):
    """Reward, and entropy at a rate; times `terminal` in terminal states."""
    earned = (policy * mdp.reward).sum(axis=1) + rate * maxent.entropy(np.log(policy))
    return np.where(mdp.terminal, terminal * earned, earned)


def _sweep_with(mdp, policy, q, nats, discounted=True):
    """A sweep of Q with other earnings `nats` of the next state, inside of the discount or not."""
    nats = np.where(mdp.terminal, 0.0, nats)
    v = np.where(mdp.terminal, 0.0, (policy * q).sum(axis=1))
    if discounted:
        return maxent.backup(mdp, v + nats)
    return maxent.backup(mdp, v + nats / mdp.discount)


def _nats(policy):
    return maxent.entropy(np.log(policy))


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "2.1",
        evaluation,
        given=_worlds,
        axes=("state",),
        wrong={
            "entropy left out": lambda m, pi, alpha: evaluation(m, pi, 0.0),
            "alpha left out": lambda m, pi, alpha: evaluation(m, pi, 1.0),
            "wrong sign of the entropy": lambda m, pi, alpha: evaluation(m, pi, -alpha),
            "gamma left out": lambda m, pi, alpha: _evaluated(m, pi, _earned(m, pi, alpha), 1.0),
            "from next states to states": lambda m, pi, alpha: np.linalg.solve(
                np.eye(m.n_states) - m.discount * (_chain(m, pi) * ~m.terminal[:, None]).T,
                _earned(m, pi, alpha),
            ),
            "terminal states earn": lambda m, pi, alpha: _evaluated(
                m, pi, _earned(m, pi, alpha, terminal=1.0), m.discount
            ),
            "bits instead of nats": lambda m, pi, alpha: evaluation(m, pi, alpha / np.log(2)),
            "probabilities instead of their logarithms": lambda m, pi, alpha: _evaluated(
                m,
                pi,
                np.where(m.terminal, 0.0, (pi * m.reward).sum(axis=1) + alpha * maxent.entropy(pi)),
                m.discount,
            ),
            "optimum returned": lambda m, pi, alpha: maxent.solve(m, alpha).v,
            "Q instead of V": lambda m, pi, alpha: maxent.backup(m, evaluation(m, pi, alpha)),
            "every action alike in the reward": lambda m, pi, alpha: _evaluated(
                m,
                pi,
                _earned(m, pi, alpha)
                + np.where(m.terminal, 0.0, m.reward.mean(axis=1) - (pi * m.reward).sum(axis=1)),
                m.discount,
            ),
        },
    ),
    Exercise(
        "2.2",
        crossing,
        given=_pairs,
        tolerance=1e-6,
        wrong={
            "wrong sign": lambda m, one, two: -crossing(m, one, two),
            "upside down": lambda m, one, two: 1 / crossing(m, one, two),
            "entropy of one only": lambda m, one, two: (
                (maxent.policy_return(m, one) - maxent.policy_return(m, two))
                / maxent.discounted_entropy(m, two)
            ),
            "entropies not discounted": lambda m, one, two: (
                (maxent.policy_return(m, one) - maxent.policy_return(m, two))
                / (_mean_entropy(m, two) - _mean_entropy(m, one))
            ),
        },
    ),
    Exercise(
        "2.3",
        q_sweep,
        given=_with_q,
        axes=("state", "action"),
        wrong={
            "gamma left out of the entropy": lambda m, pi, alpha, q: _sweep_with(
                m, pi, q, alpha * _nats(pi), discounted=False
            ),
            "entropy left out": lambda m, pi, alpha, q: _sweep_with(m, pi, q, 0.0),
            "alpha left out": lambda m, pi, alpha, q: _sweep_with(m, pi, q, _nats(pi)),
            "entropy of the wrong state": lambda m, pi, alpha, q: (
                _sweep_with(m, pi, q, 0.0) + alpha * _nats(pi)[:, None]
            ),
            "gamma left out": lambda m, pi, alpha, q: (
                m.reward + (q_sweep(m, pi, alpha, q) - m.reward) / m.discount
            ),
            "terminal states earn": lambda m, pi, alpha, q: (
                m.reward
                + m.discount
                * np.einsum(
                    "sat,t->sa", m.to_dense().transition, (pi * q).sum(axis=1) + alpha * _nats(pi)
                )
            ),
            "probabilities instead of their logarithms": lambda m, pi, alpha, q: _sweep_with(
                m, pi, q, alpha * maxent.entropy(pi)
            ),
            "wrong sign of the entropy": lambda m, pi, alpha, q: _sweep_with(
                m, pi, q, -alpha * _nats(pi)
            ),
            "entropy of this state, discounted": lambda m, pi, alpha, q: (
                _sweep_with(m, pi, q, 0.0) + m.discount * alpha * _nats(pi)[:, None]
            ),
            "soft maximum of q": lambda m, pi, alpha, q: maxent.backup(
                m, np.where(m.terminal, 0.0, maxent.soft_value(q, alpha))
            ),
            "V instead of Q": lambda m, pi, alpha, q: np.where(
                m.terminal, 0.0, (pi * q).sum(axis=1) + alpha * _nats(pi)
            ),
        },
    ),
)


def _mean_entropy(mdp, policy):
    log_policy = np.log(np.clip(policy, 1e-300, None))
    return maxent.entropy(log_policy)[~mdp.terminal].mean()
