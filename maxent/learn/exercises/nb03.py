"""Notebook 3: soft value iteration contracts."""

from __future__ import annotations

from typing import Any

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "03-soft-value-iteration"


def sweep(mdp, v, temperature):
    return maxent.soft_value(maxent.backup(mdp, v), temperature)


def error_bound(v, after, discount):
    return discount / (1 - discount) * np.abs(after - v).max()


def bounds(mdp, v, temperature):
    after = maxent.soft_value(maxent.backup(mdp, v), temperature)
    change, factor = after - v, mdp.discount / (1 - mdp.discount)
    return np.stack([after + factor * change.min(), after + factor * change.max()])


def _changes(seed: int) -> list[tuple[Any, ...]]:
    """Values before and after a sweep: some rise, some fall, most where they fall."""
    rng = np.random.default_rng(seed)
    v = rng.normal(size=6)
    return [(v, v - rng.random(6), 0.9), (v, v + rng.random(6), 0.99)]


def _worlds(seed: int) -> list[tuple[Any, ...]]:
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


EXERCISES = (
    Exercise(
        number="3.1",
        title="One sweep of soft value iteration",
        answer="my_sweep",
        reference=sweep,
        given=_worlds,
        axes=("state",),
        hint="first q, then its soft value: two calls.",
        minutes=5,
        mistakes=(
            Mistake(
                "hard maximum",
                lambda mdp, v, temperature: maxent.backup(mdp, v).max(axis=1),
                "this is a sweep of ordinary value iteration; where is the temperature?",
            ),
            Mistake(
                "gamma left out",
                lambda mdp, v, temperature: maxent.soft_value(
                    maxent.backup(mdp, v / mdp.discount), temperature
                ),
                "the next value is not multiplied by the discount.",
            ),
            Mistake(
                "alpha left out",
                lambda mdp, v, temperature: maxent.soft_value(maxent.backup(mdp, v), 1.0),
                "this is a sweep at temperature 1, whatever the temperature.",
            ),
            Mistake(
                "no sweep",
                lambda mdp, v, temperature: v,
                "this is v as it was given.",
            ),
            Mistake(
                "q instead of v",
                lambda mdp, v, temperature: maxent.backup(mdp, v),
                "this is q, an array (states, actions); its soft value is still to be taken.",
            ),
        ),
    ),
    Exercise(
        number="3.2",
        title="A bug: when to stop",
        answer="my_error_bound",
        reference=error_bound,
        given=_changes,
        hint="put the second inequality of the notebook's hint into the first and solve for the "
        "error.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "the change alone",
                lambda v, after, discount: np.abs(after - v).max(),
                "this is the rule with the bug: it leaves out all the later changes.",
            ),
            Mistake(
                "gamma left out",
                lambda v, after, discount: np.abs(after - v).max() / (1 - discount),
                "this bounds the error of v; Tv is one sweep further on.",
            ),
            Mistake(
                "one later change only",
                lambda v, after, discount: discount * np.abs(after - v).max(),
                "this bounds the next change; the sum of all later ones is wanted.",
            ),
            Mistake(
                "no absolute value",
                lambda v, after, discount: discount / (1 - discount) * (after - v).max(),
                "where the values fall, this is negative, and the loop would stop at once.",
            ),
            Mistake(
                "state by state",
                lambda v, after, discount: discount / (1 - discount) * np.abs(after - v),
                "each state got a bound from its own change; the largest change of all counts, "
                "because a state's future passes through the others.",
            ),
        ),
    ),
    Exercise(
        number="3.3",
        title="MacQueen's bounds",
        answer="my_bounds",
        reference=bounds,
        given=_worlds,
        axes=(("lower bound", "upper bound"), "state"),
        hint="the same factor stands in both; only min and max differ.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "gamma left out",
                _bounds_with(lambda mdp: 1 / (1 - mdp.discount), lambda b: (b.min(), b.max())),
                "the factor is gamma / (1 - gamma): Tv is one sweep further than v already.",
            ),
            Mistake(
                "upside down",
                _bounds_with(_gain, lambda b: (b.max(), b.min())),
                "the lower bound stands in the second row: min b belongs to the first.",
            ),
            Mistake(
                "size instead of spread",
                _bounds_with(_gain, lambda b: (-np.abs(b).max(), np.abs(b).max())),
                "these hold, but they are as wide as the change is large; min b and max b are "
                "nearer to each other.",
            ),
            Mistake(
                "from v instead of Tv",
                lambda mdp, v, temperature: (
                    bounds(mdp, v, temperature) - (sweep(mdp, v, temperature) - v)
                ),
                "the bounds are placed about v; they are proved about Tv.",
            ),
            Mistake(
                "state by state",
                _bounds_with(_gain, lambda b: (b, b)),
                "each state got its own b; the smallest and the largest over all states are "
                "wanted, because a state's future passes through the others.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="3.a",
        question="Two random value functions come nearer by 0.598 in an average sweep, though the "
        "theorem's factor is 0.9. Why?",
        choices={
            "a": "the slip makes the discount smaller",
            "b": "the theorem is wrong by a factor of 1.5",
            "c": "a state's next value is an average over several states, and differences of "
            "different sign cancel in it",
            "d": "the temperature is small",
        },
        right="c",
        why={
            "a": "The discount is 0.9 whatever the slip; slip only mixes next states.",
            "b": "It says *at most* 0.9. A pair that differs by a constant attains it, so that no "
            "smaller factor would be true of all pairs.",
            "c": "Only where the difference has one sign and one size everywhere is nothing "
            "averaged away.",
            "d": "The factor does not depend on the temperature: the soft maximum never spreads "
            "two inputs further apart than they were, at any temperature.",
        },
    ),
)
