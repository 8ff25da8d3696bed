"""Notebook 9: from tables to samples to networks."""

from __future__ import annotations

from typing import Any

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz

NOTEBOOK = "09-from-tables-to-networks"


def update(q, sample, step, discount, temperature):
    s, a, r, after, terminated = sample
    following = 0.0 if terminated else maxent.soft_value(q, temperature)[after]
    new = q.copy()
    new[s, a] += step * (r + discount * following - q[s, a])
    return new


def shortfall(mdp, policy, best, temperature):
    visits = maxent.occupancy(mdp, policy).sum(axis=1)
    divergence = (policy * (np.log(policy) - np.log(best))).sum(axis=1)
    return temperature * (visits * divergence)[~mdp.terminal].sum()


def _samples(seed: int) -> list[tuple[Any, ...]]:
    """One sample in the middle of an episode, and one at its end."""
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(4, 3))
    return [
        (q, (1, 2, 0.5, 3, False), 0.3, 0.9, 0.2),
        (q, (0, 1, -1.0, 2, True), 0.1, 0.8, 0.5),
    ]


def _agents(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    cases = []
    for text, temperature in (("S..\n.#.\n..G", 0.1), ("S.G\n..#", 0.3)):
        mdp = maxent.gridworld(text, slip=0.1, discount=0.9)
        best = maxent.solve(mdp, temperature).policy
        cases.append((mdp, rng.dirichlet(np.ones(4), mdp.n_states), best, temperature))
    return cases


def _updated(change):
    """An update with another value of what follows: change(q, sample, temperature)."""

    def wrong(q, sample, step, discount, temperature):
        s, a, r, _, _ = sample
        new = q.copy()
        new[s, a] += step * (r + discount * change(q, sample, temperature) - q[s, a])
        return new

    return wrong


def _soft(q, sample, temperature):
    return maxent.soft_value(q, temperature)[sample[3]]


def _hard(q, sample, temperature):
    return 0.0 if sample[4] else q[sample[3]].max()


def _mean(q, sample, temperature):
    log_policy = maxent.boltzmann_policy(q, temperature)
    return 0.0 if sample[4] else (np.exp(log_policy) * q)[sample[3]].sum()


def _replaced(q, sample, step, discount, temperature):
    s, a, r, _, terminated = sample
    new = q.copy()
    new[s, a] = r + discount * (0.0 if terminated else _soft(q, sample, temperature))
    return new


def _added(q, sample, step, discount, temperature):
    s, a, r, _, terminated = sample
    new = q.copy()
    new[s, a] += step * (r + discount * (0.0 if terminated else _soft(q, sample, temperature)))
    return new


def _diverging(visitor, divergence, factor):
    """The sum with other visits, another divergence, another factor."""

    def wrong(mdp, policy, best, temperature):
        visits = maxent.occupancy(mdp, visitor(policy, best)).sum(axis=1)
        each = divergence(policy, best)
        return factor(temperature) * (visits * each)[~mdp.terminal].sum()

    return wrong


def _own(policy, best):
    return policy


def _kl(policy, best):
    return (policy * (np.log(policy) - np.log(best))).sum(axis=1)


EXERCISES = (
    Exercise(
        number="9.1",
        title="One step of soft Q-learning",
        answer="my_update",
        reference=update,
        given=_samples,
        axes=("state", "action"),
        hint="the target is r + gamma V(s'), and V(s') is 0 after the end; move a part of the way.",
        minutes=10,
        mistakes=(
            Mistake(
                "bootstrapped after the end",
                _updated(_soft),
                "after a terminated step nothing follows: the target is the reward alone.",
            ),
            Mistake(
                "hard maximum",
                _updated(_hard),
                "this is ordinary Q-learning: the entropy of the next choice is missing.",
            ),
            Mistake(
                "entropy left out",
                _updated(_mean),
                "the next state's value is the average of q under its Boltzmann policy here; the "
                "entropy is missing.",
            ),
            Mistake(
                "replaced instead of moved",
                _replaced,
                "the old number was thrown away: with noise, each sample would undo the last.",
            ),
            Mistake(
                "old value not taken off",
                _added,
                "the target was added; what is added is the step times (target - old value).",
            ),
        ),
    ),
    Exercise(
        number="9.2",
        title="What a policy loses, by its divergence",
        answer="my_shortfall",
        reference=shortfall,
        given=_agents,
        hint="the visits are those of the policy that is judged, and so is the expectation in the "
        "KL.",
        difficulty=2,
        minutes=15,
        mistakes=(
            Mistake(
                "KL the other way round",
                _diverging(_own, lambda p, b: _kl(b, p), lambda t: t),
                "this is KL(best || policy); the policy that is judged comes first.",
            ),
            Mistake(
                "visits of the best policy",
                _diverging(lambda p, b: b, _kl, lambda t: t),
                "the best policy's visits were taken; what counts is where the judged one goes.",
            ),
            Mistake(
                "alpha left out",
                _diverging(_own, _kl, lambda t: 1.0),
                "this is in nats; times the temperature it is in units of reward.",
            ),
            Mistake(
                "every state alike",
                lambda mdp, policy, best, temperature: (
                    temperature * _kl(policy, best)[~mdp.terminal].sum()
                ),
                "the divergences are added up, each once; weight them with the visits.",
            ),
            Mistake(
                "terminal states included",
                lambda mdp, policy, best, temperature: (
                    temperature
                    * (maxent.occupancy(mdp, policy).sum(axis=1) * _kl(policy, best)).sum()
                ),
                "in a terminal state nothing is chosen; what stands in its row does not count.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="9.a",
        question="Soft Q-learning on the cliff for 200,000 steps, with a share of random actions "
        "of 1, .5 and .1: root-mean-square errors of .96, .12 and .37. Why is the middle best?",
        choices={
            "a": "with 1, most steps are falls near the start and far cells stay rare; with .1 the "
            "agent keeps to its own way and the cells beside it stay rare",
            "b": "with 1 the values learned are those of the random policy",
            "c": "a share of .5 makes the step sizes larger",
        },
        right="a",
        why={
            "a": "What is learned well is what is visited. The error is an average over all cells "
            "and actions, whoever goes there.",
            "b": "That would be so of SARSA. The soft Q-learning target does not ask how the "
            "sample came about: its policy is within .01 of the best even with 1.",
            "c": "Step sizes depend on how often a pair was visited, not on why.",
        },
    ),
)
