"""Notebook 3: soft value iteration contracts."""

from __future__ import annotations

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "03-soft-value-iteration"


def sweep(mdp, v, temperature):
    return maxent.soft_value(maxent.backup(mdp, v), temperature)


def error_bound(v, after, discount):
    return discount / (1 - discount) * np.abs(after - v).max()


def bounds(mdp, v, temperature):
    after = maxent.soft_value(maxent.backup(mdp, v), temperature)
    change, factor = after - v, mdp.discount / (1 - mdp.discount)
    return np.stack([after + factor * change.min(), after + factor * change.max()])


def _changes(seed):
    """Values before and after a sweep: some rise, some fall, most where they fall."""
    rng = np.random.default_rng(seed)
    v = rng.normal(size=6)
    return [(v, v - rng.random(6), 0.9), (v, v + rng.random(6), 0.99)]


def _worlds(seed):
    """An absorbing gridworld and values to start from, at two temperatures."""
    rng = np.random.default_rng(seed)
    mdp = maxent.gridworld("S..#\n...G", slip=0.1, discount=0.9, goals="absorbing")
    return [(mdp, rng.normal(size=mdp.n_states), temperature) for temperature in (0.05, 0.5)]


def wrong_sweep(m, v, alpha):
    q = maxent.backup(m, v)
    policy = np.exp(maxent.boltzmann_policy(q, alpha))
    return {
        "hard maximum": q.max(axis=1),
        "gamma left out": sweep(m, v / m.discount, alpha),
        "alpha left out": sweep(m, v, 1.0),
        "no sweep": v,
        "q instead of v": q,
        "Boltzmann average": (policy * q).sum(axis=1),
        "mellowmax": sweep(m, v, alpha) - alpha * np.log(m.n_actions),
        "inverse temperature": sweep(m, v, 1 / alpha),
        "gamma twice": sweep(m, m.discount * v, alpha),
        "the policy instead of its value": policy,
    }


def wrong_error_bound(v, w, gamma):
    change, factor = np.abs(w - v), gamma / (1 - gamma)
    return {
        "the change alone": change.max(),
        "gamma left out": change.max() / (1 - gamma),
        "one later change only": gamma * change.max(),
        "no absolute value": factor * (w - v).max(),
        "state by state": factor * change,
        "upside down": (1 - gamma) / gamma * change.max(),
        "mean instead of the largest": factor * change.mean(),
        "Euclidean length": factor * np.linalg.norm(w - v),
        "sum of the changes": factor * change.sum(),
    }


def wrong_bounds(m, v, alpha):
    after = sweep(m, v, alpha)
    change, factor = after - v, m.discount / (1 - m.discount)
    low, high, size = change.min(), change.max(), np.abs(change).max()

    def around(below, above, factor=factor):
        return np.stack([after + factor * below, after + factor * above])

    return {
        "gamma left out": around(low, high, 1 / (1 - m.discount)),
        "upside down": around(high, low),
        "size instead of spread": around(-size, size),
        "from v instead of Tv": bounds(m, v, alpha) - change,
        "state by state": around(change, change),
        "one sweep older": v + np.array([[low], [high]]) / (1 - m.discount),
        "smallest change subtracted": around(-low, high),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("3.1", sweep, given=_worlds, axes=("state",), wrong=wrong_sweep),
    Exercise("3.2", error_bound, given=_changes, wrong=wrong_error_bound),
    Exercise(
        "3.3",
        bounds,
        given=_worlds,
        axes=(("lower bound", "upper bound"), "state"),
        wrong=wrong_bounds,
    ),
)
