"""Notebook 0: a tour."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

import maxent
from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "00-tour"


def break_even(cost):
    return cost / np.log(4)


def turning_point(share):
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    beside = mdp.grid.state_at(11, 10)

    def above(temperature):
        return maxent.solve(mdp, temperature).policy[beside, 1] - share

    return brentq(above, 0.01, 0.1, xtol=1e-9)


def _cost(seed):
    rng = np.random.default_rng(seed)
    return [(0.04 if seed == 0 else float(rng.choice([0.02, 0.05, 0.1, 0.15])),)]


def _share(seed):
    rng = np.random.default_rng(seed)
    return [(0.5 if seed == 0 else float(rng.choice([0.35, 0.45, 0.6, 0.7, 0.8])),)]


def _turning(share, state, entering=False):
    """As `turning_point`, of another cell, or counting how often the goal is entered."""
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    here, goal = mdp.grid.state_at(*state), mdp.grid.state_at(11, 11)
    into = mdp.to_dense().transition[here, :, goal]

    def above(temperature):
        policy = maxent.solve(mdp, temperature).policy[here]
        return (policy @ into if entering else policy[1]) - share

    return brentq(above, 0.01, 0.2, xtol=1e-9)


def wrong_break_even(cost):
    return {
        "number instead of its logarithm": cost / 4,
        "bits instead of nats": cost / np.log2(4),
        "logarithm to base 10": cost / np.log10(4),
        "upside down": np.log(4) / cost,
        "multiplied": cost * np.log(4),
        "entropy left out": cost,
        "the entropy alone": np.log(4),
    }


def wrong_turning_point(share):
    return {
        "entering instead of choosing": lambda: _turning(share, (11, 10), entering=True),
        "two cells from the goal": lambda: _turning(share, (11, 9)),
        "wrong half kept": 0.01,
        "the other half kept": 0.1,
        "the probability instead of the temperature": share,
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("0.1", break_even, given=_cost, is_value=True, tolerance=1e-5, wrong=wrong_break_even),
    Exercise(
        "0.2", turning_point, given=_share, is_value=True, tolerance=1e-5, wrong=wrong_turning_point
    ),
)
