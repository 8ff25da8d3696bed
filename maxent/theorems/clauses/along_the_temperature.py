"""What temperature does to the optimum: MONOTONE, ENVELOPE; pairs of temperatures for other keys.

Where a statement is a derivative, the inequalities that make it one are checked, at temperatures
that differ by a finite amount: they have no truncation error.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import FACTORISABLE, NO_PRIOR, POSITIVE, REPRESENTABLE
from maxent.theorems.instance import Instance, once
from maxent.theorems.reference import ReferenceProblem


def most_entropy(instance: Instance) -> float:
    """log |A|max / (1 - gamma): no policy has more discounted entropy."""
    most = int(instance.problem.support.sum(axis=1).max(initial=1))
    return math.log(most) / (1.0 - instance.beta)


def temperatures(instance: Instance) -> list[float]:
    """Temperatures in rising order, the instance's own among them; few where a solve takes long."""
    alpha = instance.temperature
    if alpha == 0.0:
        return [0.0, 0.01 * (instance.problem.scale() or 1.0)]
    if not instance.is_small:
        return [0.5 * alpha, alpha]
    return [0.25 * alpha, 0.5 * alpha, alpha, 1.0625 * alpha, 2.0 * alpha, 8.0 * alpha]


@dataclass(frozen=True)
class Performance:
    """What the optimal policy of a temperature earns, from each state (S,)."""

    instance: Instance
    returns: ndarray
    entropies: ndarray
    error: float
    """Of returns + temperature * entropies, in units of reward."""
    rounding: float
    """How far from optimal rounding alone can make the policy, at its own temperature."""


@once
def performance(instance: Instance) -> Performance:
    """Return and discounted entropy of pi*_alpha, the policy and its entropy by the operators."""
    policy, problem = instance.best_policy, instance.problem
    bare = reward_only(instance)
    returns, first = problem.solve(policy, bare.policy_value(problem.reward, policy))
    entropies, second = problem.solve(policy, instance.entropy(policy))
    error = first + instance.temperature * second + 2.0 * instance.optimum.error
    rounding = instance.solve_rounding(instance.optimum.q)
    return Performance(instance, returns, entropies, error, rounding)


def reward_only(instance: Instance) -> ReferenceProblem:
    """The same problem at temperature 0, for judging a policy by reward alone."""
    return instance.at(0.0).problem


def pairs(instance: Instance) -> Iterator[tuple[Performance, Performance, float]]:
    """Neighbouring temperatures, the lower first, with the rounding of comparing them: how much
    each policy can miss the other's objective by."""
    found = [performance(instance.at(alpha)) for alpha in temperatures(instance)]
    for low, high in itertools.pairwise(found):
        yield low, high, low.rounding + high.rounding


# MONOTONE


@clause(
    "MONOTONE",
    "value",
    NO_PRIOR,
    source="ENVELOPE: the derivative is an entropy, between 0 and log|A| / (1-gamma)",
)
def value_rises(instance: Instance) -> Iterator[Case]:
    """V*_alpha does not fall with alpha, V*_alpha - alpha log|A|max / (1-gamma) does not rise."""
    listed = [instance.at(alpha) for alpha in temperatures(instance)]
    for low, high in itertools.pairwise(listed):
        left, right = (each.soft_value(each.q_float(each.optimum.q)) for each in (low, high))
        tolerance = low.solve_rounding(low.optimum.q) + high.solve_rounding(high.optimum.q)
        doubt = low.optimum.error + high.optimum.error
        names = {"alpha": low.temperature, "larger": high.temperature}
        yield instance.at_most(left, right, tolerance, doubt, side="rises", **names)
        most = (high.temperature - low.temperature) * most_entropy(instance)
        yield instance.at_most(right, left + most, tolerance, doubt, side="not faster", **names)


@clause("MONOTONE", "entropy", POSITIVE, REPRESENTABLE)
def entropy_rises(instance: Instance) -> Iterator[Case]:
    """From each state the discounted entropy of pi*_alpha does not fall with alpha (times the
    difference of the temperatures; in a single state H(pi*) may)."""
    for low, high, rounding in pairs(instance):
        step = high.instance.temperature - low.instance.temperature
        doubt, names = 2.0 * (low.error + high.error), _names(low, high)
        left, right = step * low.entropies, step * high.entropies
        yield instance.at_most(left, right, 2.0 * rounding, doubt, **names)


@clause("MONOTONE", "return", POSITIVE, REPRESENTABLE)
def return_falls(instance: Instance) -> Iterator[Case]:
    """From each state the return of pi*_alpha does not rise with alpha."""
    for low, high, rounding in pairs(instance):
        step = high.instance.temperature - low.instance.temperature
        carried = 1.0 + 2.0 * low.instance.temperature / step
        doubt, names = carried * (low.error + high.error), _names(low, high)
        yield instance.at_most(high.returns, low.returns, carried * rounding, doubt, **names)


def _names(low: Performance, high: Performance) -> dict[str, float]:
    return {"alpha": low.instance.temperature, "larger": high.instance.temperature}


# ENVELOPE


@clause("ENVELOPE", "subgradient")
def envelope(instance: Instance) -> Iterator[Case]:
    """V*_b >= V*_a + (b - a) entropy(pi*_a) for all temperatures a, b, from every state: the slope
    of V*_alpha is the discounted entropy, and V*_alpha is convex in alpha."""
    for low, high, rounding in pairs(instance):
        for one, two in ((low, high), (high, low)):
            a, b = one.instance.temperature, two.instance.temperature
            value, other = one.instance.optimum.v, two.instance.optimum.v
            doubt = low.error + high.error
            names = {"a": a, "b": b}
            tangent = value + (b - a) * one.entropies
            yield instance.at_most(tangent, other, rounding, doubt, **names)


@clause(
    "ENVELOPE",
    "entropy from the occupancy",
    FACTORISABLE,
    source="J_alpha = return + alpha * entropy",
)
def envelope_by_occupancy(instance: Instance) -> Iterator[Case]:
    """The public discounted_entropy of pi*_alpha is that slope (times alpha): J*_alpha - return."""
    found = performance(instance)
    policy = np.exp(instance.best_policy)
    given = instance.call("discounted_entropy", instance.mdp, policy, prior=instance.prior)
    earned = instance.call("policy_return", instance.mdp, policy)
    tolerance = found.rounding / (1.0 - instance.beta)
    objective = instance.initial @ instance.optimum.v
    expected = objective - instance.initial @ found.returns
    value = np.asarray(instance.temperature * given)
    yield instance.equal(value, expected, tolerance, found.error, part="entropy")
    together = np.asarray(earned + instance.temperature * given)
    yield instance.equal(together, objective, tolerance, found.error, part="J")
