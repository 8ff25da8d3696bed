"""Notebook 9: from tables to samples to networks."""

from __future__ import annotations

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, sheet

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


def _samples(seed):
    """One sample in the middle of an episode, and one at its end."""
    rng = np.random.default_rng(seed)
    q = rng.normal(size=(4, 3))
    return [(q, (1, 2, 0.5, 3, False), 0.3, 0.9, 0.2), (q, (0, 1, -1.0, 2, True), 0.1, 0.8, 0.5)]


def _agents(seed):
    rng = np.random.default_rng(seed)
    for text, temperature in (("S..\n.#.\n..G", 0.1), ("S.G\n..#", 0.3)):
        mdp = maxent.gridworld(text, slip=0.1, discount=0.9)
        best = maxent.solve(mdp, temperature).policy
        yield mdp, rng.dirichlet(np.ones(4), mdp.n_states), best, temperature


def _updated(change, gamma=None):
    """An update with another value of what follows, change(q, sample, temperature), or gamma."""

    def wrong(q, sample, step, discount, temperature):
        s, a, r, _, _ = sample
        new, factor = q.copy(), discount if gamma is None else gamma
        new[s, a] += step * (r + factor * change(q, sample, temperature) - q[s, a])
        return new

    return wrong


def _unless_ended(value):
    """What follows by another formula, and 0 after the end."""
    return lambda q, sample, alpha: 0.0 if sample[4] else value(q, sample, alpha)


def _soft(q, sample, temperature):
    return maxent.soft_value(q, temperature)[sample[3]]


def _hard(q, sample, temperature):
    return q[sample[3]].max()


def _mean(q, sample, temperature):
    policy = np.exp(maxent.boltzmann_policy(q, temperature))
    return (policy * q)[sample[3]].sum()


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


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "9.1",
        update,
        given=_samples,
        axes=("state", "action"),
        wrong={
            "bootstrapped after the end": _updated(_soft),
            "hard maximum": _updated(_unless_ended(_hard)),
            "entropy left out": _updated(_unless_ended(_mean)),
            "replaced instead of moved": _replaced,
            "old value not taken off": _added,
            "gamma left out": _updated(_unless_ended(_soft), gamma=1.0),
            "value of the state that is left": _updated(
                _unless_ended(lambda q, sample, alpha: maxent.soft_value(q, alpha)[sample[0]])
            ),
            "terminated upside down": _updated(
                lambda q, sample, alpha: _soft(q, sample, alpha) if sample[4] else 0.0
            ),
            "alpha left out in front": _updated(
                _unless_ended(lambda q, sample, alpha: _soft(q, sample, alpha) / alpha)
            ),
            "mellowmax": _updated(
                _unless_ended(lambda q, sample, alpha: maxent.mellowmax(q, alpha)[sample[3]])
            ),
            "a number instead of a table": lambda q, sample, *rest: update(q, sample, *rest)[
                sample[0], sample[1]
            ],
        },
    ),
    Exercise(
        "9.2",
        shortfall,
        given=_agents,
        wrong={
            "KL the other way round": _diverging(_own, lambda p, b: _kl(b, p), lambda t: t),
            "visits of the best policy": _diverging(lambda p, b: b, _kl, lambda t: t),
            "alpha left out": _diverging(_own, _kl, lambda t: 1.0),
            "every state alike": lambda m, pi, best, alpha: (
                alpha * _kl(pi, best)[~m.terminal].sum()
            ),
            "terminal states included": lambda m, pi, best, alpha: (
                alpha * (maxent.occupancy(m, pi).sum(axis=1) * _kl(pi, best)).sum()
            ),
            "not weighted by the policy": _diverging(
                _own, lambda p, b: (np.log(p) - np.log(b)).sum(axis=1), lambda t: t
            ),
            "a mean over states": lambda m, pi, best, alpha: (
                shortfall(m, pi, best, alpha) / (~m.terminal).sum()
            ),
            "visits as probabilities": lambda m, pi, best, alpha: (
                shortfall(m, pi, best, alpha) / maxent.occupancy(m, pi).sum()
            ),
        },
    ),
)
