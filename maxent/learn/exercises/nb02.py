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


def _chain(mdp, policy):
    return np.einsum("sa,sat->st", policy, mdp.to_dense().transition)


def _earned(mdp, policy, rate, terminal=0.0):
    """Reward, and entropy at a rate; times `terminal` in terminal states."""
    earned = (policy * mdp.reward).sum(axis=1) + rate * maxent.entropy(np.log(policy))
    return np.where(mdp.terminal, terminal * earned, earned)


def wrong_evaluation(m, pi, alpha):
    step, gamma = _chain(m, pi) * ~m.terminal[:, None], m.discount
    paid = (pi * m.reward).sum(axis=1)
    earned = _earned(m, pi, alpha)

    def solved(earned, step=step, gamma=gamma):
        return np.linalg.solve(np.eye(m.n_states) - gamma * step, earned)

    return {
        "entropy left out": evaluation(m, pi, 0.0),
        "alpha left out": evaluation(m, pi, 1.0),
        "wrong sign of the entropy": evaluation(m, pi, -alpha),
        "gamma left out": solved(earned, gamma=1.0),
        "from next states to states": solved(earned, step.T),
        "terminal states earn": solved(_earned(m, pi, alpha, terminal=1.0)),
        "bits instead of nats": evaluation(m, pi, alpha / np.log(2)),
        "optimum returned": maxent.solve(m, alpha).v,
        "Q instead of V": maxent.backup(m, evaluation(m, pi, alpha)),
        "every action alike in the reward": solved(
            earned + np.where(m.terminal, 0.0, m.reward.mean(axis=1) - paid)
        ),
    }


def wrong_crossing(m, one, two):
    paid = maxent.policy_return(m, one) - maxent.policy_return(m, two)
    return {
        "wrong sign": -crossing(m, one, two),
        "upside down": 1 / crossing(m, one, two),
        "entropy of one only": paid / maxent.discounted_entropy(m, two),
        "entropies not discounted": paid / (_mean_entropy(m, two) - _mean_entropy(m, one)),
    }


def wrong_q_sweep(m, pi, alpha, q):
    nats, expected = maxent.entropy(np.log(pi)), (pi * q).sum(axis=1)

    def swept(earned):
        """A sweep of Q with other earnings of the next state."""
        v = np.where(m.terminal, 0.0, expected) + np.where(m.terminal, 0.0, earned)
        return maxent.backup(m, v)

    return {
        "gamma left out of the entropy": swept(alpha * nats / m.discount),
        "entropy left out": swept(0.0),
        "alpha left out": swept(nats),
        "entropy of the wrong state": swept(0.0) + alpha * nats[:, None],
        "gamma left out": m.reward + (q_sweep(m, pi, alpha, q) - m.reward) / m.discount,
        "terminal states earn": (
            m.reward
            + m.discount * np.einsum("sat,t->sa", m.to_dense().transition, expected + alpha * nats)
        ),
        "wrong sign of the entropy": swept(-alpha * nats),
        "entropy of this state, discounted": swept(0.0) + m.discount * alpha * nats[:, None],
        "soft maximum of q": maxent.backup(
            m, np.where(m.terminal, 0.0, maxent.soft_value(q, alpha))
        ),
        "V instead of Q": np.where(m.terminal, 0.0, expected + alpha * nats),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("2.1", evaluation, given=_worlds, axes=("state",), wrong=wrong_evaluation),
    Exercise("2.2", crossing, given=_pairs, tolerance=1e-6, wrong=wrong_crossing),
    Exercise("2.3", q_sweep, given=_with_q, axes=("state", "action"), wrong=wrong_q_sweep),
)


def _mean_entropy(mdp, policy):
    log_policy = np.log(np.clip(policy, 1e-300, None))
    return maxent.entropy(log_policy)[~mdp.terminal].mean()
