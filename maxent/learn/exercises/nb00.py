"""Notebook 0: a tour."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "00-tour"


def break_even(cost):
    return cost / np.log(4)


def turning_point(share):
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    beside = mdp.grid.state_at(11, 10)

    def above(temperature):
        return maxent.solve(mdp, temperature).policy[beside, 1] - share

    return brentq(above, 0.01, 0.1, xtol=1e-9)


def _cost(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [(0.04 if seed == 0 else float(rng.choice([0.02, 0.05, 0.1, 0.15])),)]


def _share(seed: int) -> list[tuple[Any, ...]]:
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


EXERCISES = (
    Exercise(
        number="0.1",
        title="What a step must earn",
        answer="my_temperature",
        reference=break_even,
        given=_cost,
        is_value=True,
        tolerance=1e-5,
        hint="temperature times the entropy of the choice is what it earns.",
        minutes=5,
        mistakes=(
            Mistake(
                "number instead of its logarithm",
                lambda cost: cost / 4,
                "a fair choice among four is worth log 4 nats, not 4.",
            ),
            Mistake(
                "bits instead of nats",
                lambda cost: cost / np.log2(4),
                "that is the entropy in bits: use the natural logarithm.",
            ),
            Mistake(
                "logarithm to base 10",
                lambda cost: cost / np.log10(4),
                "nats come from the natural logarithm.",
            ),
            Mistake(
                "upside down",
                lambda cost: np.log(4) / cost,
                "this is nats for a unit of reward; the temperature is reward for a nat.",
            ),
            Mistake(
                "multiplied",
                lambda cost: cost * np.log(4),
                "temperature * log 4 should equal the cost: solve for the temperature.",
            ),
        ),
    ),
    Exercise(
        number="0.2",
        title="The temperature at which it turns away",
        answer="my_turning_point",
        reference=turning_point,
        given=_share,
        is_value=True,
        tolerance=1e-5,
        hint="which half do you keep where the probability in the middle is still above `share`?",
        difficulty=2,
        minutes=12,
        mistakes=(
            Mistake(
                "entering instead of choosing",
                lambda share: _turning(share, (11, 10), entering=True),
                "at this temperature the goal is *entered* so often; the slip makes that rarer "
                "than it is chosen.",
            ),
            Mistake(
                "two cells from the goal",
                lambda share: _turning(share, (11, 9)),
                "this is the cell two to the left of the goal.",
            ),
            Mistake(
                "wrong half kept",
                lambda share: 0.01,
                "the bisection ran to the end of its interval: each time it kept the half in "
                "which nothing crosses.",
            ),
            Mistake(
                "the other half kept",
                lambda share: 0.1,
                "the bisection ran to the end of its interval: where the probability is above "
                "`share`, the temperature is too low.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="0.a",
        question="At temperature 0.1 the agent beside the goal steps away from it. Why?",
        choices={
            "a": "it is confused: at high temperature it acts at random",
            "b": "a long walk earns more entropy than the goal pays, and arriving would end it",
            "c": "the solver has not converged",
            "d": "slipping makes the goal dangerous",
        },
        right="b",
        why={
            "a": "A random walk would step into the goal one time in four. This one avoids it on "
            "purpose: stepping away has probability .51.",
            "b": "A step earns up to 0.1 log 4 - 0.04 = 0.099, for ever; at discount 0.95 that is "
            "worth up to 1.97, and the goal pays 1.",
            "c": "Its interval is narrow and holds the exact value; the optimum itself does this.",
            "d": "A slip costs nothing but the step. Without slip the same thing happens.",
        },
    ),
)
