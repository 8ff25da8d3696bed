"""Notebook 6: the entropy-reward trade-off."""

from __future__ import annotations

from typing import Any

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


def _policies(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    cases = []
    for text in ("S..\n.#.\n..G", "S.G\n..#"):
        mdp = maxent.gridworld(text, slip=0.1, discount=0.9)
        cases.append((mdp, rng.dirichlet(np.ones(4), mdp.n_states)))
    return cases


def _fronts(seed: int) -> list[tuple[Any, ...]]:
    mdp = maxent.garnet(5, 3, discount=0.9, branching=2, seed=seed)
    curve = maxent.tradeoff(mdp, np.geomspace(0.05, 1.0, 7))
    return [(curve.returns, curve.entropies)]


def _targets(seed: int) -> list[tuple[Any, ...]]:
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
            "entropy of terminal states": _weighted(
                lambda visits, mdp: visits, lambda entropies, mdp: entropies
            ),
            "visits as probabilities": _weighted(
                lambda visits, mdp: visits / visits.sum(), _terminal_out
            ),
            "every state once": lambda mdp, policy: (
                maxent.policy_return(mdp, policy),
                _terminal_out(maxent.entropy(np.log(policy)), mdp).sum(),
            ),
            "in the wrong order": lambda mdp, policy: return_and_entropy(mdp, policy)[::-1],
            "reward of the states": lambda mdp, policy: (
                mdp.initial_distribution @ (policy * mdp.reward).sum(axis=1),
                return_and_entropy(mdp, policy)[1],
            ),
            "probabilities instead of their logarithms": lambda mdp, policy: (
                maxent.policy_return(mdp, policy),
                (maxent.occupancy(mdp, policy).sum(axis=1) * maxent.entropy(policy))[
                    ~mdp.terminal
                ].sum(),
            ),
            "wrong sign of the entropy": lambda mdp, policy: (
                return_and_entropy(mdp, policy)[0],
                -return_and_entropy(mdp, policy)[1],
            ),
            "policy counted twice": lambda mdp, policy: (
                (maxent.occupancy(mdp, policy) * policy * mdp.reward).sum(),
                return_and_entropy(mdp, policy)[1],
            ),
            "entropy of the visits": lambda mdp, policy: (
                maxent.policy_return(mdp, policy),
                maxent.entropy(np.log(maxent.occupancy(mdp, policy)))[~mdp.terminal].sum(),
            ),
            "only terminal states": lambda mdp, policy: (
                maxent.policy_return(mdp, policy),
                (maxent.occupancy(mdp, policy).sum(axis=1) * maxent.entropy(np.log(policy)))[
                    mdp.terminal
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
            "upside down": lambda returns, entropies: np.diff(entropies) / np.diff(returns),
            "ratio instead of slope": lambda returns, entropies: (returns / entropies)[1:],
            "changes of the return alone": lambda returns, entropies: np.diff(returns),
            "changes of the entropy alone": lambda returns, entropies: np.diff(entropies),
            "from the first point": lambda returns, entropies: (
                (returns[1:] - returns[0]) / (entropies[1:] - entropies[0])
            ),
        },
    ),
    Exercise(
        "6.3",
        temperature_at,
        given=_targets,
        tolerance=1e-7,
        wrong={
            "the wrong half": _halved(30, lambda reached, target: reached > target),
            "too few halvings": _halved(10, lambda reached, target: reached < target),
            "the entropy instead of the temperature": lambda mdp, target: target,
            "the return of that policy": lambda mdp, target: maxent.policy_return(
                mdp, maxent.temperature_for_entropy(mdp, target).policy
            ),
            "fifteen halvings": _halved(15, lambda reached, target: reached < target),
        },
    ),
)
