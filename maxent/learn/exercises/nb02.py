"""Notebook 2: soft policy evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "02-soft-policy-evaluation"


def evaluation(mdp, policy, temperature):
    step = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    earned = (policy * mdp.reward).sum(axis=1) + temperature * maxent.entropy(np.log(policy))
    step[mdp.terminal], earned[mdp.terminal] = 0.0, 0.0
    return np.linalg.solve(np.eye(mdp.n_states) - mdp.discount * step, earned)


def crossing(mdp, first, second):
    paid = maxent.policy_return(mdp, first) - maxent.policy_return(mdp, second)
    return paid / (maxent.discounted_entropy(mdp, second) - maxent.discounted_entropy(mdp, first))


def q_sweep(mdp, policy, temperature, q):
    v = (policy * q).sum(axis=1) + temperature * maxent.entropy(np.log(policy))
    v[mdp.terminal] = 0.0
    return maxent.backup(mdp, v)


def _worlds(seed: int) -> list[tuple[Any, ...]]:
    """Two worlds, each with a random policy."""
    rng = np.random.default_rng(seed)
    cases = []
    for text, temperature in (("S..#\n...G", 0.3), ("S.X\n..G", 2.0)):
        mdp = maxent.gridworld(text, slip=0.2, discount=0.9)
        cases.append((mdp, rng.dirichlet(np.ones(4), mdp.n_states), temperature))
    return cases


def _pairs(seed: int) -> list[tuple[Any, ...]]:
    """A world with a policy that is nearly decided, and a more random one."""
    rng = np.random.default_rng(seed)
    cases = []
    for text in ("S..#\n...G", "S....\n.##.G"):
        mdp = maxent.gridworld(text, slip=0.1, discount=0.9)
        random = rng.dirichlet(np.full(4, 5.0), mdp.n_states)
        cases.append((mdp, maxent.solve(mdp, 0.05).policy, random))
    return cases


def _with_q(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [(*case, rng.normal(size=(case[0].n_states, 4))) for case in _worlds(seed)]


def _evaluated(mdp, policy, earned, discount):
    """As `evaluation`, with other earnings or another discount."""
    step = _chain(mdp, policy) * ~mdp.terminal[:, None]
    return np.linalg.solve(np.eye(mdp.n_states) - discount * step, earned)


def _chain(mdp, policy):
    return np.einsum("sa,sat->st", policy, mdp.to_dense().transition)


def _earned(mdp, policy, rate, terminal=0.0):
    """Reward, and entropy at a rate; times `terminal` in terminal states."""
    earned = (policy * mdp.reward).sum(axis=1) + rate * maxent.entropy(np.log(policy))
    return np.where(mdp.terminal, terminal * earned, earned)


def _sweep_with(mdp, policy, q, nats, discounted=True):
    """A sweep of Q with other earnings `nats` of the next state, inside of the discount or not."""
    nats = np.where(mdp.terminal, 0.0, nats)
    v = np.where(mdp.terminal, 0.0, (policy * q).sum(axis=1))
    if discounted:
        return maxent.backup(mdp, v + nats)
    return maxent.backup(mdp, v + nats / mdp.discount)


def _nats(policy):
    return maxent.entropy(np.log(policy))


EXERCISES = (
    Exercise(
        number="2.1",
        title="Evaluate a policy by linear equations",
        answer="my_evaluation",
        reference=evaluation,
        given=_worlds,
        axes=("state",),
        hint="build P_pi and the earnings first, set what belongs to terminal states to 0, then "
        "solve.",
        difficulty=2,
        minutes=15,
        mistakes=(
            Mistake(
                "entropy left out",
                lambda mdp, policy, temperature: evaluation(mdp, policy, 0.0),
                "this is the ordinary value: no entropy is paid.",
            ),
            Mistake(
                "alpha left out",
                lambda mdp, policy, temperature: evaluation(mdp, policy, 1.0),
                "the entropy is paid at the rate 1, whatever the temperature.",
            ),
            Mistake(
                "wrong sign of the entropy",
                lambda mdp, policy, temperature: evaluation(mdp, policy, -temperature),
                "entropy is taken away instead of paid.",
            ),
            Mistake(
                "gamma left out",
                lambda mdp, policy, temperature: _evaluated(
                    mdp, policy, _earned(mdp, policy, temperature), 1.0
                ),
                "the next value is not multiplied by the discount.",
            ),
            Mistake(
                "from next states to states",
                lambda mdp, policy, temperature: np.linalg.solve(
                    np.eye(mdp.n_states)
                    - mdp.discount * (_chain(mdp, policy) * ~mdp.terminal[:, None]).T,
                    _earned(mdp, policy, temperature),
                ),
                "P_pi is transposed: its rows are the states one leaves, its columns those one "
                "comes to.",
            ),
            Mistake(
                "terminal states earn",
                lambda mdp, policy, temperature: _evaluated(
                    mdp, policy, _earned(mdp, policy, temperature, terminal=1.0), mdp.discount
                ),
                "a terminal state is paid for reward and entropy; nothing happens there.",
            ),
            Mistake(
                "bits instead of nats",
                lambda mdp, policy, temperature: evaluation(mdp, policy, temperature / np.log(2)),
                "the entropy is in bits: use the natural logarithm.",
            ),
        ),
    ),
    Exercise(
        number="2.2",
        title="Where two policies are worth the same",
        answer="my_crossing",
        reference=crossing,
        given=_pairs,
        tolerance=1e-6,
        hint="two straight lines in the temperature: set them equal and solve.",
        difficulty=1,
        minutes=8,
        mistakes=(
            Mistake(
                "wrong sign",
                lambda mdp, first, second: -crossing(mdp, first, second),
                "one of the two differences is the wrong way round.",
            ),
            Mistake(
                "upside down",
                lambda mdp, first, second: 1 / crossing(mdp, first, second),
                "this is entropy for reward; the temperature is reward for entropy.",
            ),
            Mistake(
                "entropy of one only",
                lambda mdp, first, second: (
                    (maxent.policy_return(mdp, first) - maxent.policy_return(mdp, second))
                    / maxent.discounted_entropy(mdp, second)
                ),
                "the first policy is paid for its entropy too.",
            ),
            Mistake(
                "entropies not discounted",
                lambda mdp, first, second: (
                    (maxent.policy_return(mdp, first) - maxent.policy_return(mdp, second))
                    / (_mean_entropy(mdp, second) - _mean_entropy(mdp, first))
                ),
                "this takes the mean entropy over states; the discounted sum along the way counts.",
            ),
        ),
    ),
    Exercise(
        number="2.3",
        title="A bug: the discount of the entropy",
        answer="my_q_sweep",
        reference=q_sweep,
        given=_with_q,
        axes=("state", "action"),
        hint="the entropy belongs to the value of the next state, and that is discounted.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "gamma left out of the entropy",
                lambda mdp, policy, temperature, q: _sweep_with(
                    mdp, policy, q, temperature * _nats(policy), discounted=False
                ),
                "this is the paper's own: the next entropy is earned one step later, like all of "
                "the next state's value.",
            ),
            Mistake(
                "entropy left out",
                lambda mdp, policy, temperature, q: _sweep_with(mdp, policy, q, 0.0),
                "this is a sweep without entropy.",
            ),
            Mistake(
                "alpha left out",
                lambda mdp, policy, temperature, q: _sweep_with(mdp, policy, q, _nats(policy)),
                "the entropy is paid at the rate 1, whatever the temperature.",
            ),
            Mistake(
                "entropy of the wrong state",
                lambda mdp, policy, temperature, q: (
                    _sweep_with(mdp, policy, q, 0.0) + temperature * _nats(policy)[:, None]
                ),
                "Q(s, a) is what follows once a is chosen: the entropy of s itself is in V(s).",
            ),
            Mistake(
                "gamma left out",
                lambda mdp, policy, temperature, q: (
                    mdp.reward + (q_sweep(mdp, policy, temperature, q) - mdp.reward) / mdp.discount
                ),
                "the next value is not multiplied by the discount.",
            ),
            Mistake(
                "terminal states earn",
                lambda mdp, policy, temperature, q: (
                    mdp.reward
                    + mdp.discount
                    * np.einsum(
                        "sat,t->sa",
                        mdp.to_dense().transition,
                        (policy * q).sum(axis=1) + temperature * _nats(policy),
                    )
                ),
                "a terminal state has the value 0, whatever q says there.",
            ),
        ),
    ),
)


def _mean_entropy(mdp, policy):
    log_policy = np.log(np.clip(policy, 1e-300, None))
    return maxent.entropy(log_policy)[~mdp.terminal].mean()


QUIZZES = (
    Quiz(
        number="2.a",
        question="At temperature 0.03 the random walk has a higher soft value than the hard "
        "optimum. So the random walk ...",
        choices={
            "a": "reaches the goal sooner",
            "b": "is the soft-optimal policy at 0.03",
            "c": "earns more for its entropy than it loses in reward",
            "d": "cannot: the hard optimum has the highest value of all policies",
        },
        right="c",
        why={
            "a": "It takes far longer: its return is -0.80 against -0.21.",
            "b": "It is above one line, not above all of them: the upper edge lies higher still.",
            "c": "Return -0.80 and 27.7 nats, against -0.21 and 0.29 nats (a tie or two): at 0.03 "
            "a nat each, the nats weigh more.",
            "d": "It has the highest return, which is the value at temperature 0 only.",
        },
    ),
)
