"""Notebook 6: the entropy-reward trade-off."""

from __future__ import annotations

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "06-entropy-reward-tradeoff"


def return_and_entropy(mdp, policy):
    x = maxent.occupancy(mdp, policy)
    visits = x.sum(axis=1)
    entropies = maxent.entropy(np.log(policy))
    return (x * mdp.reward).sum(), (visits * entropies)[~mdp.terminal].sum()


def slopes(returns, entropies):
    return np.diff(returns) / np.diff(entropies)


def temperature_at(mdp, target):
    low, high = 0.001, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        reached = maxent.discounted_entropy(mdp, maxent.solve(mdp, middle).policy)
        low, high = (middle, high) if reached < target else (low, middle)
    return (low + high) / 2


def _policies(seed):
    rng = np.random.default_rng(seed)
    for text in ("S..\n.#.\n..G", "S.G\n..#"):
        mdp = maxent.gridworld(text, slip=0.1, discount=0.9)
        yield mdp, rng.dirichlet(np.ones(4), mdp.n_states)


def _fronts(seed):
    mdp = maxent.garnet(5, 3, discount=0.9, branching=2, seed=seed)
    curve = maxent.tradeoff(mdp, np.geomspace(0.05, 1.0, 7))
    return [(curve.returns, curve.entropies)]


def _targets(seed):
    mdp = maxent.gridworld("S.G\n..#", slip=0.1, discount=0.9)
    return [(mdp, 4.0 + 0.1 * (seed % 5))]


def wrong_return_and_entropy(m, pi):
    paid, nats = return_and_entropy(m, pi)
    x = maxent.occupancy(m, pi)
    visits, entropies = x.sum(axis=1), maxent.entropy(np.log(pi))
    share = visits / visits.sum()
    return {
        "entropy of terminal states": (
            (visits[:, None] * pi * m.reward).sum(),
            (visits * entropies).sum(),
        ),
        "visits as probabilities": (
            (share[:, None] * pi * m.reward).sum(),
            (share * np.where(m.terminal, 0.0, entropies)).sum(),
        ),
        "every state once": (paid, np.where(m.terminal, 0.0, entropies).sum()),
        "in the wrong order": (nats, paid),
        "reward of the states": (m.initial_distribution @ (pi * m.reward).sum(axis=1), nats),
        "wrong sign of the entropy": (paid, -nats),
        "policy counted twice": ((x * pi * m.reward).sum(), nats),
        "entropy of the visits": (paid, maxent.entropy(np.log(x))[~m.terminal].sum()),
        "only terminal states": (paid, (visits * entropies)[m.terminal].sum()),
    }


def wrong_slopes(r, h):
    return {
        "upside down": np.diff(h) / np.diff(r),
        "ratio instead of slope": (r / h)[1:],
        "changes of the return alone": np.diff(r),
        "changes of the entropy alone": np.diff(h),
        "from the first point": (r[1:] - r[0]) / (h[1:] - h[0]),
    }


def wrong_temperature_at(m, h):
    return {
        "the wrong half": lambda: _halved(m, 30, lambda reached: reached > h),
        "too few halvings": lambda: _halved(m, 10, lambda reached: reached < h),
        "the entropy instead of the temperature": h,
        "the return of that policy": lambda: maxent.policy_return(
            m, maxent.temperature_for_entropy(m, h).policy
        ),
        "fifteen halvings": lambda: _halved(m, 15, lambda reached: reached < h),
    }


def _halved(mdp, steps, keep):
    """Bisection with another number of steps, or another half."""
    low, high = 0.001, 1.0
    for _ in range(steps):
        middle = (low + high) / 2
        reached = maxent.discounted_entropy(mdp, maxent.solve(mdp, middle).policy)
        low, high = (middle, high) if keep(reached) else (low, middle)
    return (low + high) / 2


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "6.1",
        return_and_entropy,
        given=_policies,
        axes=(("return", "entropy"),),
        wrong=wrong_return_and_entropy,
    ),
    Exercise("6.2", slopes, given=_fronts, axes=("gap",), wrong=wrong_slopes),
    Exercise("6.3", temperature_at, given=_targets, tolerance=1e-7, wrong=wrong_temperature_at),
)
