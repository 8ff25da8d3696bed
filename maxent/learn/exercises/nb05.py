"""Notebook 5: the agent that won't finish."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "05-the-agent-that-wont-finish"


def balance(g, c, discount, n_actions):
    return (g / discount - g - c) / np.log(n_actions)


def shift(g, c, discount):
    return g / discount - g - c


def right(rows, columns):
    return columns / (rows + columns)


def _pays(seed: int) -> list[tuple[Any, ...]]:
    """What the goal pays, what a step pays, the discount and the number of actions."""
    rng = np.random.default_rng(seed)
    cases = [(1.0, -0.04, 0.95, 4)]
    for n_actions in (8, 3):
        cases.append((rng.uniform(0.5, 2), -rng.uniform(0.01, 0.5), rng.uniform(0.8, 1), n_actions))
    return cases


def _pay(seed: int) -> list[tuple[Any, ...]]:
    if seed == 0:
        return [(1.0, -0.04, 0.95)]
    rng = np.random.default_rng(seed)
    pays = (rng.choice([2.0, 3.0, 5.0]), -rng.choice([0.1, 0.2, 0.3]), rng.choice([0.9, 0.8]))
    return [tuple(float(each) for each in pays)]


def _places(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [(9, 1), (9, 2), (int(rng.integers(2, 5)), int(rng.integers(6, 9)))]


EXERCISES = (
    Exercise(
        number="5.1",
        title="The temperature of balance",
        answer="my_balance",
        reference=balance,
        given=_pays,
        hint="v = g / gamma from the one equation goes into v = c + g + alpha log n.",
        difficulty=2,
        minutes=12,
        mistakes=(
            Mistake(
                "gamma left out",
                lambda g, c, discount, n_actions: -c / np.log(n_actions),
                "this is the answer at discount 1: elsewhere the goal is also worth arriving at "
                "soon.",
            ),
            Mistake(
                "cost added on the wrong side",
                lambda g, c, discount, n_actions: (g / discount - g + c) / np.log(n_actions),
                "the sign of c: a step that costs more keeps the agent going to warmer "
                "temperatures.",
            ),
            Mistake(
                "bits instead of nats",
                lambda g, c, discount, n_actions: balance(g, c, discount, n_actions) * np.log(2),
                "the entropy of a uniform choice is log n in nats, the natural logarithm.",
            ),
            Mistake(
                "number instead of its logarithm",
                lambda g, c, discount, n_actions: (g / discount - g - c) / n_actions,
                "a uniform choice among n actions earns log n, not n.",
            ),
            Mistake(
                "arriving now against staying for ever",
                lambda g, c, discount, n_actions: ((1 - discount) * g - c) / np.log(n_actions),
                "nearly: the goal is paid at the end of the step and v one step later, so that "
                "gamma v = g, not v = g.",
            ),
            Mistake(
                "goal not taken off",
                lambda g, c, discount, n_actions: (g / discount - c) / np.log(n_actions),
                "v = c + g + alpha log n: the g on the right is missing.",
            ),
        ),
    ),
    Exercise(
        number="5.2",
        title="The constant that keeps the hard agent away",
        answer="my_shift",
        reference=shift,
        given=_pay,
        is_value=True,
        tolerance=1e-4,
        hint="with the constant k a step pays c + k: put it into 5.1 and let alpha be 0.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "until steps are free",
                lambda g, c, discount: -c,
                "then a step costs nothing; but the goal still pays, so the hard agent goes.",
            ),
            Mistake(
                "gamma forgotten at the goal",
                lambda g, c, discount: (1 - discount) * g - c,
                "the agent that stays is paid for this step too: only what comes after it, "
                "gamma (c + k) / (1 - gamma), stands against g.",
            ),
            Mistake(
                "cost left out",
                lambda g, c, discount: g / discount - g,
                "this is what a step must pay in all; it pays c already.",
            ),
            Mistake(
                "cost with the wrong sign",
                lambda g, c, discount: g / discount - g + c,
                "c is negative: the constant has to make up for it first.",
            ),
            Mistake(
                "a discount too many",
                lambda g, c, discount: g / (1 - discount) - c,
                "an income of x a step is worth x / (1 - gamma): solve that for x.",
            ),
        ),
    ),
    Exercise(
        number="5.3",
        title="Counting shortest paths",
        answer="my_right",
        reference=right,
        given=_places,
        hint="comb(rows + columns, columns) paths in all; those that begin to the right have one "
        "column less to go.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "half each",
                lambda rows, columns: 0.5,
                "this is temperature 0 itself: the ties are shared evenly, whatever lies ahead.",
            ),
            Mistake(
                "the other direction",
                lambda rows, columns: rows / (rows + columns),
                "this is the probability of the step down.",
            ),
            Mistake(
                "odds instead of a probability",
                lambda rows, columns: columns / rows,
                "this is right : down; a probability is right : all.",
            ),
            Mistake(
                "one over the number of paths",
                lambda rows, columns: 1 / comb(rows + columns, columns),
                "each *path* has this probability; how many of them begin to the right?",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="5.a",
        question="An agent trained with soft actor-critic in an episodic task plays on and on and "
        "never finishes, although it could. Its temperature is fixed. What is likely to help?",
        choices={
            "a": "a higher temperature, so that it explores more",
            "b": "a bonus for every step, so that its returns are positive",
            "c": "multiplying all rewards by 10",
            "d": "ending the episode after fewer steps, as a true end",
        },
        right="c",
        why={
            "a": "It is paid more for playing on: past alpha_c it is driven further away.",
            "b": "That is a constant added to all rewards: the goal now ends an income of reward "
            "as well.",
            "c": "Only reward divided by temperature counts (SCALE), so this is a temperature of "
            "a tenth: what the first paper calls reward scale decides whether the agent finishes.",
            "d": "It ends the income too, but the agent cannot prevent that; by itself it does not "
            "make the goal worth more, and it makes the task depend on the time left.",
        },
    ),
)
