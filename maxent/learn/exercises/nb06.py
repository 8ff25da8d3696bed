"""Notebook 6: the entropy-reward trade-off."""

from __future__ import annotations

from typing import Any

import numpy as np

import maxent
from maxent.learn.exercise import Exercise, Mistake, Quiz

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


EXERCISES = (
    Exercise(
        number="6.1",
        title="Return and discounted entropy from the occupancy",
        answer="my_return_and_entropy",
        reference=return_and_entropy,
        given=_policies,
        axes=(("return", "entropy"),),
        hint="two sums over x; the terminal goal earns no entropy.",
        minutes=10,
        mistakes=(
            Mistake(
                "entropy of terminal states",
                _weighted(lambda visits, mdp: visits, lambda entropies, mdp: entropies),
                "the return is right; the entropy counts what is written in the rows of terminal "
                "states, where nothing is chosen any more.",
            ),
            Mistake(
                "visits as probabilities",
                _weighted(lambda visits, mdp: visits / visits.sum(), _terminal_out),
                "the visits were divided by their sum; they are a discounted count, not a "
                "probability.",
            ),
            Mistake(
                "every state once",
                lambda mdp, policy: (
                    maxent.policy_return(mdp, policy),
                    _terminal_out(maxent.entropy(np.log(policy)), mdp).sum(),
                ),
                "the entropies are summed over states, each once; weight them with how often the "
                "agent is there.",
            ),
            Mistake(
                "in the wrong order",
                lambda mdp, policy: return_and_entropy(mdp, policy)[::-1],
                "both numbers are right, in the wrong order: the return comes first.",
            ),
            Mistake(
                "reward of the states",
                lambda mdp, policy: (
                    mdp.initial_distribution @ (policy * mdp.reward).sum(axis=1),
                    return_and_entropy(mdp, policy)[1],
                ),
                "this is the reward of the first step only.",
            ),
        ),
    ),
    Exercise(
        number="6.2",
        title="The slope between neighbours",
        answer="my_slopes",
        reference=slopes,
        given=_fronts,
        axes=("gap",),
        hint="change of return over change of entropy.",
        mistakes=(
            Mistake(
                "upside down",
                lambda returns, entropies: np.diff(entropies) / np.diff(returns),
                "this is nats per unit of return; the price of a nat is the other way up.",
            ),
            Mistake(
                "ratio instead of slope",
                lambda returns, entropies: (returns / entropies)[1:],
                "this divides the numbers themselves; a slope divides their changes.",
            ),
            Mistake(
                "changes of the return alone",
                lambda returns, entropies: np.diff(returns),
                "these are the changes of the return; divide them by those of the entropy.",
            ),
        ),
    ),
    Exercise(
        number="6.3",
        title="From an entropy to its temperature",
        answer="my_temperature_at",
        reference=temperature_at,
        given=_targets,
        tolerance=1e-7,
        hint="if the entropy in the middle is too small, the temperature must be higher.",
        difficulty=2,
        minutes=10,
        mistakes=(
            Mistake(
                "the wrong half",
                _halved(30, lambda reached, target: reached > target),
                "the search runs to an end of the interval: it keeps the half in which the entropy "
                "does not cross the target.",
            ),
            Mistake(
                "too few halvings",
                _halved(10, lambda reached, target: reached < target),
                "this is near, but only to the width of one 1024th of the interval: halve it "
                "thirty times.",
            ),
            Mistake(
                "the entropy instead of the temperature",
                lambda mdp, target: target,
                "this is the entropy that was asked for; its temperature is wanted.",
            ),
            Mistake(
                "the return of that policy",
                lambda mdp, target: maxent.policy_return(
                    mdp, maxent.temperature_for_entropy(mdp, target).policy
                ),
                "this is what the policy earns; its temperature is wanted.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="6.a",
        question="Where is the front a straight line?",
        choices={
            "a": "nowhere: it is strictly concave",
            "b": "only along the top, where entropy is free: from decided policies to the limit of "
            "small temperatures",
            "c": "at the far end, where the temperature is large",
            "d": "between any two temperatures that are close",
        },
        right="b",
        why={
            "a": "Between two policies of the same return lie mixtures of the same return: "
            "without slip 5.23 nats cost nothing.",
            "b": "A straight piece has one slope, so one temperature; at a temperature above 0 "
            "there is only one optimal policy, that is, one point.",
            "c": "There the slope goes on falling: each further nat costs more than the last, "
            "without end.",
            "d": "It only looks so. Every temperature between the two has its own point and slope.",
        },
    ),
)
