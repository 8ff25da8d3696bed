"""Notebook 4: improvement and policy iteration."""

from __future__ import annotations

from typing import Any

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "04-policy-iteration"


def step(mdp, policy, temperature):
    q = maxent.soft_policy_evaluation(mdp, policy, temperature=temperature).q
    return np.exp(maxent.boltzmann_policy(q, temperature))


def order(e0, e1, e2):
    return np.log(e2 / e1) / np.log(e1 / e0)


def verdicts():
    return [False, False, True, True, False]


def _worlds(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    mdp = maxent.gridworld("S..#\n...G", slip=0.2, discount=0.9, goals="absorbing")
    return [(mdp, rng.dirichlet(np.ones(4), mdp.n_states), alpha) for alpha in (0.2, 2.0)]


def _errors(seed: int) -> list[tuple[Any, ...]]:
    """Three errors of a method of order 2, of order 1, and of one in between."""
    rng = np.random.default_rng(seed)
    cases = []
    for m in (2.0, 1.0, 1.6):
        c, e0 = rng.uniform(0.2, 0.8), rng.uniform(0.01, 0.1)
        e1 = c * e0**m
        cases.append((e0, e1, c * e1**m))
    return cases


EXERCISES = (
    Exercise(
        number="4.1",
        title="One step of soft policy iteration",
        answer="my_step",
        reference=step,
        given=_worlds,
        axes=("state", "action"),
        hint="evaluate at this temperature, then the Boltzmann policy of the q found.",
        minutes=8,
        mistakes=(
            Mistake(
                "hard maximum",
                lambda mdp, policy, temperature: np.eye(4)[
                    maxent.soft_policy_evaluation(mdp, policy, temperature=temperature).q.argmax(1)
                ],
                "this takes the best action for certain; a soft step leaves it a soft-max.",
            ),
            Mistake(
                "logarithm returned",
                lambda mdp, policy, temperature: np.log(step(mdp, policy, temperature)),
                "these are logarithms of probabilities: np.exp is missing.",
            ),
            Mistake(
                "alpha left out of the step",
                lambda mdp, policy, temperature: np.exp(
                    maxent.boltzmann_policy(
                        maxent.soft_policy_evaluation(mdp, policy, temperature=temperature).q, 1.0
                    )
                ),
                "the Boltzmann policy is that of temperature 1, whatever the temperature.",
            ),
            Mistake(
                "entropy left out of the evaluation",
                lambda mdp, policy, temperature: np.exp(
                    maxent.boltzmann_policy(
                        maxent.soft_policy_evaluation(mdp, policy, temperature=0.0).q, temperature
                    )
                ),
                "the policy is evaluated without entropy: its later entropy is worth something.",
            ),
            Mistake(
                "old policy kept as a prior",
                lambda mdp, policy, temperature: _tilted(
                    policy, np.log(step(mdp, policy, temperature))
                ),
                "this multiplies the old policy by exp(Q / alpha); the new one does not depend on "
                "the old one but through Q.",
            ),
            Mistake(
                "no step",
                lambda mdp, policy, temperature: policy,
                "this is the policy as it was given.",
            ),
            Mistake(
                "optimum returned",
                lambda mdp, policy, temperature: maxent.solve(mdp, temperature).policy,
                "this is where many steps lead; one step from the given policy is wanted.",
            ),
        ),
    ),
    Exercise(
        number="4.2",
        title="Measure an order of convergence",
        answer="my_order",
        reference=order,
        given=_errors,
        tolerance=1e-6,
        hint="C cancels when you divide one equation by the other.",
        difficulty=2,
        minutes=8,
        mistakes=(
            Mistake(
                "ratio of errors",
                lambda e0, e1, e2: e2 / e1,
                "this is the factor of the last step; for order 2 it falls with each step.",
            ),
            Mistake(
                "ratio of logarithms",
                lambda e0, e1, e2: np.log(e2) / np.log(e1),
                "this forgets C: divide the two equations before you take logarithms.",
            ),
            Mistake(
                "upside down",
                lambda e0, e1, e2: np.log(e1 / e0) / np.log(e2 / e1),
                "the later of the two ratios belongs above.",
            ),
            Mistake(
                "logarithm left out",
                lambda e0, e1, e2: (e2 / e1) / (e1 / e0),
                "m stands in an exponent: take logarithms of both ratios.",
            ),
            Mistake(
                "steps too far apart",
                lambda e0, e1, e2: np.log(e2 / e0) / np.log(e1 / e0),
                "e2 / e0 spans two steps: compare neighbours.",
            ),
        ),
    ),
    Exercise(
        number="4.3",
        title="A bug hunt: five improvement steps",
        answer="my_verdicts",
        reference=verdicts,
        is_value=True,
        axes=(("step A", "step B", "step C", "step D", "step E"),),
        hint="put the optimal policy in for `old` and look whether it comes out again.",
        difficulty=3,
        minutes=15,
        mistakes=(
            Mistake(
                "halfway condemned",
                lambda: [False, False, True, False, False],
                "D goes half of the way each time: slower, but it improves in every state and ends "
                "at the same policy.",
            ),
            Mistake(
                "advantage condemned",
                lambda: [False, False, False, True, False],
                "in C each row of q is shifted by a constant; soft-max does not see that.",
            ),
            Mistake(
                "both rewritings condemned",
                lambda: [False, False, False, False, False],
                "none? C shifts each row of q by a constant, which soft-max does not see.",
            ),
            Mistake(
                "old policy forgotten",
                lambda: [False, False, True, True, True],
                "E multiplies the *old* policy by exp(Q / alpha): put the optimum in, and it comes "
                "out sharper.",
            ),
            Mistake(
                "temperature forgotten",
                lambda: [False, True, True, True, False],
                "B is right at temperature 1 only, which is why such bugs live long.",
            ),
            Mistake(
                "all accepted",
                lambda: [True, True, True, True, True],
                "A never leaves the hard maximum: what is its temperature?",
            ),
        ),
    ),
)


def _tilted(policy, log_weights):
    weights = policy * np.exp(log_weights)
    return weights / weights.sum(axis=1, keepdims=True)


QUIZZES = (
    Quiz(
        number="4.a",
        question="Why does the number of Newton steps hardly depend on the discount, when gamma^k "
        "falls so slowly at 0.9999?",
        choices={
            "a": "each step solves the linear equations of all future steps at once",
            "b": "the improvement contracts by a smaller factor than gamma",
            "c": "the temperature replaces the discount",
            "d": "it stops early, with a larger error",
        },
        right="a",
        why={
            "a": "The long memory sits in the linear system, which is solved exactly. What is left "
            "to iterate is the policy, and near the optimum its error is squared.",
            "b": "Far from the solution a step contracts by gamma at least; near it there is no "
            "fixed factor at all: the error is squared.",
            "c": "They are different things; at temperature 0 (ordinary policy iteration) the "
            "number of steps is small too.",
            "d": "Both solvers stop at the same certified tolerance.",
        },
    ),
)
