"""Notebook 5: the agent that won't finish."""

from __future__ import annotations

from math import comb

import numpy as np

from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "05-the-agent-that-wont-finish"


def balance(g, c, discount, n_actions):
    return (g / discount - g - c) / np.log(n_actions)


def shift(g, c, discount):
    return g / discount - g - c


def right(rows, columns):
    return columns / (rows + columns)


def _pays(seed):
    """What the goal pays, what a step pays, the discount and the number of actions."""
    rng = np.random.default_rng(seed)
    cases = [(1.0, -0.04, 0.95, 4)]
    for n_actions in (8, 3):
        cases.append((rng.uniform(0.5, 2), -rng.uniform(0.01, 0.5), rng.uniform(0.8, 1), n_actions))
    return cases


def _pay(seed):
    if seed == 0:
        return [(1.0, -0.04, 0.95)]
    rng = np.random.default_rng(seed)
    pays = (rng.choice([2.0, 3.0, 5.0]), -rng.choice([0.1, 0.2, 0.3]), rng.choice([0.9, 0.8]))
    return [tuple(float(each) for each in pays)]


def _places(seed):
    rng = np.random.default_rng(seed)
    return [(9, 1), (9, 2), (int(rng.integers(2, 5)), int(rng.integers(6, 9)))]


def wrong_balance(g, c, gamma, n_actions):
    nats = np.log(n_actions)
    return {
        "gamma left out": -c / nats,
        "cost added on the wrong side": (g / gamma - g + c) / nats,
        "bits instead of nats": balance(g, c, gamma, n_actions) * np.log(2),
        "number instead of its logarithm": (g / gamma - g - c) / n_actions,
        "arriving now against staying for ever": ((1 - gamma) * g - c) / nats,
        "goal not taken off": (g / gamma - c) / nats,
        "step cost left out": (g / gamma - g) / nats,
        "multiplied by the logarithm": (g / gamma - g - c) * nats,
    }


def wrong_shift(g, c, gamma):
    return {
        "until steps are free": -c,
        "gamma forgotten at the goal": (1 - gamma) * g - c,
        "cost left out": g / gamma - g,
        "cost with the wrong sign": g / gamma - g + c,
        "a discount too many": g / (1 - gamma) - c,
    }


def wrong_right(rows, columns):
    return {
        "half each": 0.5,
        "the other direction": rows / (rows + columns),
        "odds instead of a probability": columns / rows,
        "one over the number of paths": 1 / comb(rows + columns, columns),
        "number of paths": comb(rows + columns, columns),
        "number of paths to the right": comb(rows + columns - 1, columns - 1),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("5.1", balance, given=_pays, wrong=wrong_balance),
    Exercise("5.2", shift, given=_pay, is_value=True, tolerance=1e-4, wrong=wrong_shift),
    Exercise("5.3", right, given=_places, wrong=wrong_right),
)
