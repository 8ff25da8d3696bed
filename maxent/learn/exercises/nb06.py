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


def _weighted(weights, entropies):
    """Return and entropy with other visits, or another entropy of each state."""

    def wrong(mdp, policy):
        x = maxent.occupancy(mdp, policy)
        visits = weights(x.sum(axis=1), mdp)
        entropy = entropies(maxent.entropy(np.log(policy)), mdp)
        return (visits[:, None] * policy * mdp.reward).sum(), (visits * entropy).sum()

    return wrong


def _halved(steps, keep, answer=lambda low, high: (low + high) / 2):
    """Bisection with another number of steps, another half, another answer."""

    def wrong(mdp, target):
        low, high = 0.001, 1.0
        for _ in range(steps):
            middle = (low + high) / 2
            reached = maxent.discounted_entropy(mdp, maxent.solve(mdp, middle).policy)
            low, high = (middle, high) if keep(reached, target) else (low, middle)
        return answer(low, high)

    return wrong


def _terminal_out(entropies, mdp):
    return np.where(mdp.terminal, 0.0, entropies)


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "6.1",
        return_and_entropy,
        given=_policies,
        axes=(("return", "entropy"),),
        wrong={
            "entropy of terminal states": _weighted(lambda visits, m: visits, lambda h, m: h),
            "visits as probabilities": _weighted(
                lambda visits, m: visits / visits.sum(), _terminal_out
            ),
            "every state once": lambda m, pi: (
                maxent.policy_return(m, pi),
                _terminal_out(maxent.entropy(np.log(pi)), m).sum(),
            ),
            "in the wrong order": lambda m, pi: return_and_entropy(m, pi)[::-1],
            "reward of the states": lambda m, pi: (
                m.initial_distribution @ (pi * m.reward).sum(axis=1),
                return_and_entropy(m, pi)[1],
            ),
            "probabilities instead of their logarithms": lambda m, pi: (
                maxent.policy_return(m, pi),
                (maxent.occupancy(m, pi).sum(axis=1) * maxent.entropy(pi))[~m.terminal].sum(),
            ),
            "wrong sign of the entropy": lambda m, pi: (
                return_and_entropy(m, pi)[0],
                -return_and_entropy(m, pi)[1],
            ),
            "policy counted twice": lambda m, pi: (
                (maxent.occupancy(m, pi) * pi * m.reward).sum(),
                return_and_entropy(m, pi)[1],
            ),
            "entropy of the visits": lambda m, pi: (
                maxent.policy_return(m, pi),
                maxent.entropy(np.log(maxent.occupancy(m, pi)))[~m.terminal].sum(),
            ),
            "only terminal states": lambda m, pi: (
                maxent.policy_return(m, pi),
                (maxent.occupancy(m, pi).sum(axis=1) * maxent.entropy(np.log(pi)))[
                    m.terminal
                ].sum(),
            ),
        },
    ),
    Exercise(
        "6.2",
        slopes,
        given=_fronts,
        axes=("gap",),
        wrong={
            "upside down": lambda r, h: np.diff(h) / np.diff(r),
            "ratio instead of slope": lambda r, h: (r / h)[1:],
            "changes of the return alone": lambda r, h: np.diff(r),
            "changes of the entropy alone": lambda r, h: np.diff(h),
            "from the first point": lambda r, h: (r[1:] - r[0]) / (h[1:] - h[0]),
        },
    ),
    Exercise(
        "6.3",
        temperature_at,
        given=_targets,
        tolerance=1e-7,
        wrong={
            "the wrong half": _halved(30, lambda reached, h: reached > h),
            "too few halvings": _halved(10, lambda reached, h: reached < h),
            "the entropy instead of the temperature": lambda m, h: h,
            "the return of that policy": lambda m, h: maxent.policy_return(
                m, maxent.temperature_for_entropy(m, h).policy
            ),
            "fifteen halvings": _halved(15, lambda reached, h: reached < h),
        },
    ),
)
