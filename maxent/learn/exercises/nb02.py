"""Notebook 2: soft policy evaluation."""

from __future__ import annotations

from typing import Any

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


def _worlds(seed: int) -> list[tuple[Any, ...]]:
    """Two worlds, each with a random policy."""
    rng = np.random.default_rng(seed)
    cases = []
    for text, temperature in (("S..#\n...G", 0.3), ("S.X\n..G", 2.0)):
        mdp = maxent.gridworld(text, slip=0.2, discount=0.9)
        cases.append((mdp, rng.dirichlet(np.ones(4), mdp.n_states), temperature))
    return cases


def _pairs(seed: int) -> list[tuple[Any, ...]]:
    """A world with a policy that is nearly decided, and a more random one."""
    rng = np.random.default_rng(seed)
    cases = []
    for text in ("S..#\n...G", "S....\n.##.G"):
        mdp = maxent.gridworld(text, slip=0.1, discount=0.9)
        random = rng.dirichlet(np.full(4, 5.0), mdp.n_states)
        cases.append((mdp, maxent.solve(mdp, 0.05).policy, random))
    return cases


def _with_q(seed: int) -> list[tuple[Any, ...]]:
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
            "entropy left out": lambda mdp, policy, temperature: evaluation(mdp, policy, 0.0),
            "alpha left out": lambda mdp, policy, temperature: evaluation(mdp, policy, 1.0),
            "wrong sign of the entropy": lambda mdp, policy, temperature: evaluation(
                mdp, policy, -temperature
            ),
            "gamma left out": lambda mdp, policy, temperature: _evaluated(
                mdp, policy, _earned(mdp, policy, temperature), 1.0
            ),
            "from next states to states": lambda mdp, policy, temperature: np.linalg.solve(
                np.eye(mdp.n_states)
                - mdp.discount * (_chain(mdp, policy) * ~mdp.terminal[:, None]).T,
                _earned(mdp, policy, temperature),
            ),
            "terminal states earn": lambda mdp, policy, temperature: _evaluated(
                mdp, policy, _earned(mdp, policy, temperature, terminal=1.0), mdp.discount
            ),
            "bits instead of nats": lambda mdp, policy, temperature: evaluation(
                mdp, policy, temperature / np.log(2)
            ),
            "probabilities instead of their logarithms": lambda mdp, policy, temperature: (
                _evaluated(
                    mdp,
                    policy,
                    np.where(
                        mdp.terminal,
                        0.0,
                        (policy * mdp.reward).sum(axis=1) + temperature * maxent.entropy(policy),
                    ),
                    mdp.discount,
                )
            ),
            "optimum returned": lambda mdp, policy, temperature: maxent.solve(mdp, temperature).v,
            "Q instead of V": lambda mdp, policy, temperature: maxent.backup(
                mdp, evaluation(mdp, policy, temperature)
            ),
            "every action alike in the reward": lambda mdp, policy, temperature: _evaluated(
                mdp,
                policy,
                _earned(mdp, policy, temperature)
                + np.where(
                    mdp.terminal, 0.0, mdp.reward.mean(axis=1) - (policy * mdp.reward).sum(axis=1)
                ),
                mdp.discount,
            ),
        },
    ),
    Exercise(
        "2.2",
        crossing,
        given=_pairs,
        tolerance=1e-6,
        wrong={
            "wrong sign": lambda mdp, first, second: -crossing(mdp, first, second),
            "upside down": lambda mdp, first, second: 1 / crossing(mdp, first, second),
            "entropy of one only": lambda mdp, first, second: (
                (maxent.policy_return(mdp, first) - maxent.policy_return(mdp, second))
                / maxent.discounted_entropy(mdp, second)
            ),
            "entropies not discounted": lambda mdp, first, second: (
                (maxent.policy_return(mdp, first) - maxent.policy_return(mdp, second))
                / (_mean_entropy(mdp, second) - _mean_entropy(mdp, first))
            ),
        },
    ),
    Exercise(
        "2.3",
        q_sweep,
        given=_with_q,
        axes=("state", "action"),
        wrong={
            "gamma left out of the entropy": lambda mdp, policy, temperature, q: _sweep_with(
                mdp, policy, q, temperature * _nats(policy), discounted=False
            ),
            "entropy left out": lambda mdp, policy, temperature, q: _sweep_with(
                mdp, policy, q, 0.0
            ),
            "alpha left out": lambda mdp, policy, temperature, q: _sweep_with(
                mdp, policy, q, _nats(policy)
            ),
            "entropy of the wrong state": lambda mdp, policy, temperature, q: (
                _sweep_with(mdp, policy, q, 0.0) + temperature * _nats(policy)[:, None]
            ),
            "gamma left out": lambda mdp, policy, temperature, q: (
                mdp.reward + (q_sweep(mdp, policy, temperature, q) - mdp.reward) / mdp.discount
            ),
            "terminal states earn": lambda mdp, policy, temperature, q: (
                mdp.reward
                + mdp.discount
                * np.einsum(
                    "sat,t->sa",
                    mdp.to_dense().transition,
                    (policy * q).sum(axis=1) + temperature * _nats(policy),
                )
            ),
            "probabilities instead of their logarithms": lambda mdp, policy, temperature, q: (
                _sweep_with(mdp, policy, q, temperature * maxent.entropy(policy))
            ),
            "wrong sign of the entropy": lambda mdp, policy, temperature, q: _sweep_with(
                mdp, policy, q, -temperature * _nats(policy)
            ),
            "entropy of this state, discounted": lambda mdp, policy, temperature, q: (
                _sweep_with(mdp, policy, q, 0.0)
                + mdp.discount * temperature * _nats(policy)[:, None]
            ),
            "soft maximum of q": lambda mdp, policy, temperature, q: maxent.backup(
                mdp, np.where(mdp.terminal, 0.0, maxent.soft_value(q, temperature))
            ),
            "V instead of Q": lambda mdp, policy, temperature, q: np.where(
                mdp.terminal, 0.0, (policy * q).sum(axis=1) + temperature * _nats(policy)
            ),
        },
    ),
)


def _mean_entropy(mdp, policy):
    log_policy = np.log(np.clip(policy, 1e-300, None))
    return maxent.entropy(log_policy)[~mdp.terminal].mean()
