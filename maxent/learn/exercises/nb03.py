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


def _bounds_with(factor, ends):
    """Bounds with another factor, and another choice of what is added below and above."""

    def wrong(mdp, v, temperature):
        after = maxent.soft_value(maxent.backup(mdp, v), temperature)
        below, above = ends(after - v)
        return np.stack([after + factor(mdp) * below, after + factor(mdp) * above])

    return wrong


def _gain(mdp):
    return mdp.discount / (1 - mdp.discount)


def _ends(change):
    return np.array([change.min(), change.max()])


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "3.1",
        sweep,
        given=_worlds,
        axes=("state",),
        wrong={
            "hard maximum": lambda m, v, alpha: maxent.backup(m, v).max(axis=1),
            "gamma left out": lambda m, v, alpha: maxent.soft_value(
                maxent.backup(m, v / m.discount), alpha
            ),
            "alpha left out": lambda m, v, alpha: maxent.soft_value(maxent.backup(m, v), 1.0),
            "no sweep": lambda m, v, alpha: v,
            "q instead of v": lambda m, v, alpha: maxent.backup(m, v),
            "Boltzmann average": lambda m, v, alpha: (
                np.exp(maxent.boltzmann_policy(maxent.backup(m, v), alpha)) * maxent.backup(m, v)
            ).sum(axis=1),
            "mellowmax": lambda m, v, alpha: sweep(m, v, alpha) - alpha * np.log(m.n_actions),
            "inverse temperature": lambda m, v, alpha: maxent.soft_value(
                maxent.backup(m, v), 1 / alpha
            ),
            "gamma twice": lambda m, v, alpha: maxent.soft_value(
                maxent.backup(m, m.discount * v), alpha
            ),
            "the policy instead of its value": lambda m, v, alpha: np.exp(
                maxent.boltzmann_policy(maxent.backup(m, v), alpha)
            ),
        },
    ),
    Exercise(
        "3.2",
        error_bound,
        given=_changes,
        wrong={
            "the change alone": lambda v, w, gamma: np.abs(w - v).max(),
            "gamma left out": lambda v, w, gamma: np.abs(w - v).max() / (1 - gamma),
            "one later change only": lambda v, w, gamma: gamma * np.abs(w - v).max(),
            "no absolute value": lambda v, w, gamma: gamma / (1 - gamma) * (w - v).max(),
            "state by state": lambda v, w, gamma: gamma / (1 - gamma) * np.abs(w - v),
            "upside down": lambda v, w, gamma: (1 - gamma) / gamma * np.abs(w - v).max(),
            "mean instead of the largest": lambda v, w, gamma: (
                gamma / (1 - gamma) * np.abs(w - v).mean()
            ),
            "Euclidean length": lambda v, w, gamma: gamma / (1 - gamma) * np.linalg.norm(w - v),
            "sum of the changes": lambda v, w, gamma: gamma / (1 - gamma) * np.abs(w - v).sum(),
        },
    ),
    Exercise(
        "3.3",
        bounds,
        given=_worlds,
        axes=(("lower bound", "upper bound"), "state"),
        wrong={
            "gamma left out": _bounds_with(
                lambda m: 1 / (1 - m.discount), lambda b: (b.min(), b.max())
            ),
            "upside down": _bounds_with(_gain, lambda b: (b.max(), b.min())),
            "size instead of spread": _bounds_with(
                _gain, lambda b: (-np.abs(b).max(), np.abs(b).max())
            ),
            "from v instead of Tv": lambda m, v, alpha: (
                bounds(m, v, alpha) - (sweep(m, v, alpha) - v)
            ),
            "state by state": _bounds_with(_gain, lambda b: (b, b)),
            "one sweep older": lambda m, v, alpha: (
                v + _ends(sweep(m, v, alpha) - v)[:, None] / (1 - m.discount)
            ),
            "smallest change subtracted": _bounds_with(_gain, lambda b: (-b.min(), b.max())),
        },
    ),
)
