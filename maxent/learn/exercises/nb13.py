"""Notebook 13: econometricians knew it."""

from __future__ import annotations

from typing import Any

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "13-dynamic-logit"


def gumbel_value(q, scale):
    return maxent.soft_value(q, scale) + scale * np.euler_gamma


def log_likelihood(log_policy, states, actions):
    return log_policy[states, actions].sum()


def reward_that_explains(mdp, policy, potential, temperature):
    following = mdp.to_dense().transition @ potential
    return temperature * np.log(policy) + potential[:, None] - mdp.discount * following


def _values(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(3, 4)), scale) for scale in (1.0, 0.3)]


def _choices(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    log_policy = np.log(rng.dirichlet(np.ones(3), 5))
    return [(log_policy, rng.integers(5, size=n), rng.integers(3, size=n)) for n in (6, 2000)]


def _explained(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    cases = []
    for discount, temperature in ((0.9, 1.0), (0.5, 0.2)):
        mdp = maxent.garnet(4, 3, discount=discount, branching=2, seed=seed)
        cases.append((mdp, rng.dirichlet(np.ones(3), 4), rng.normal(size=4), temperature))
    return cases


def _explained_by(log_weight, own, next_weight):
    """alpha log pi and a shaping term with other factors in front of its parts."""

    def wrong(mdp, policy, potential, temperature):
        following = mdp.to_dense().transition @ potential
        return (
            log_weight(temperature) * np.log(policy)
            + own * potential[:, None]
            + next_weight(mdp.discount) * following
        )

    return wrong


EXERCISES = (
    Exercise(
        number="13.1",
        title="The expected best of several noisy values",
        answer="my_gumbel_value",
        reference=gumbel_value,
        given=_values,
        axes=("state",),
        hint="a standard Gumbel variable has the mean np.euler_gamma, not 0.",
        minutes=10,
        mistakes=(
            Mistake(
                "Euler's constant left out",
                lambda q, scale: maxent.soft_value(q, scale),
                "this is the soft value; the noise does not have the mean 0, so that the best of "
                "the noisy values is higher.",
            ),
            Mistake(
                "Euler's constant without the scale",
                lambda q, scale: maxent.soft_value(q, scale) + np.euler_gamma,
                "noise that is `scale` times as large has a mean `scale` times as large.",
            ),
            Mistake(
                "the best on average",
                lambda q, scale: q.max(axis=1) + scale * np.euler_gamma,
                "this is the value of always taking the action that is best without noise.",
            ),
            Mistake(
                "scale left out",
                lambda q, scale: maxent.soft_value(q, 1.0) + np.euler_gamma,
                "this is right for the scale 1 only.",
            ),
        ),
    ),
    Exercise(
        number="13.2",
        title="The log-likelihood of observed choices",
        answer="my_log_likelihood",
        reference=log_likelihood,
        given=_choices,
        hint="one number for each choice made: log_policy[states, actions].",
        mistakes=(
            Mistake(
                "a mean",
                lambda log_policy, states, actions: log_policy[states, actions].mean(),
                "this is the mean over choices; a log-likelihood is their sum.",
            ),
            Mistake(
                "probabilities added",
                lambda log_policy, states, actions: np.exp(log_policy[states, actions]).sum(),
                "the probabilities of independent choices multiply; their logarithms add.",
            ),
            Mistake(
                "log of a product",
                lambda log_policy, states, actions: np.log(
                    np.exp(log_policy[states, actions]).prod()
                ),
                "right on paper; but a product of thousands of probabilities is 0 in floating "
                "point. Add logarithms.",
            ),
            Mistake(
                "a table instead of pairs",
                lambda log_policy, states, actions: log_policy[states][:, actions].sum(),
                "every state was combined with every action: index with both at once.",
            ),
            Mistake(
                "minus",
                lambda log_policy, states, actions: -log_policy[states, actions].sum(),
                "this is what is minimised; the log-likelihood is minus that.",
            ),
        ),
    ),
    Exercise(
        number="13.3",
        title="All rewards that explain a policy",
        answer="my_reward",
        reference=reward_that_explains,
        given=_explained,
        axes=("state", "action"),
        hint="solve V = potential for the reward: Q = V + alpha log pi, and Q = r + gamma P V.",
        difficulty=3,
        minutes=15,
        mistakes=(
            Mistake(
                "shaping left out",
                _explained_by(lambda alpha: alpha, 0.0, lambda gamma: 0.0),
                "this is the one with potential 0: right, but one of many.",
            ),
            Mistake(
                "sign of the shaping",
                _explained_by(lambda alpha: alpha, -1.0, lambda gamma: gamma),
                "the two terms of the potential have changed signs: this explains the policy too, "
                "but its value is minus the potential.",
            ),
            Mistake(
                "gamma left out",
                _explained_by(lambda alpha: alpha, 1.0, lambda gamma: -1.0),
                "the value of the next state is discounted.",
            ),
            Mistake(
                "alpha left out",
                _explained_by(lambda alpha: 1.0, 1.0, lambda gamma: -gamma),
                "log pi is in nats, the potential in units of reward: the temperature is missing.",
            ),
            Mistake(
                "nothing after the next state",
                _explained_by(lambda alpha: alpha, 1.0, lambda gamma: 0.0),
                "the next state's potential is not taken off, so that it is counted twice.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="13.a",
        question="A discount of 0.9999 fits the buses better than 0 does, by 6 in log-likelihood. "
        "What has that shown?",
        choices={
            "a": "that the superintendent looks ahead",
            "b": "that *if* wear costs grow in proportion to the mileage, the superintendent looks "
            "ahead",
            "c": "nothing: 6 in 447 is little",
        },
        right="b",
        why={
            "a": "With costs of any shape every discount fits equally well: exercise 13.3 makes "
            "the costs.",
            "b": "The discount is identified by the shape that was assumed for the costs, not by "
            "the choices alone (Rust 1994; Magnac and Thesmar 2002).",
            "c": "What counts is the difference, not the ratio: e to the power 6 is about 400 to "
            "1 in likelihood.",
        },
    ),
)
