"""From temperature 0 to infinity: LIMIT-ZERO, LIMIT-INFINITY.

Bounds that hold at every temperature take the place of limits: what tends to 0 is bounded by a
formula that does, at the temperature given and at smaller or larger ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.clauses.along_the_temperature import most_entropy, reward_only
from maxent.theorems.hypotheses import (
    ALL_ACTIONS,
    EXACT_ROWS,
    NO_PRIOR,
    NO_TERMINAL,
    POSITIVE,
    REPRESENTABLE,
)
from maxent.theorems.instance import Instance, once, once_for_all
from maxent.theorems.reference import ReferenceValue

# LIMIT-ZERO


@clause("LIMIT-ZERO", "value")
def value_near_zero(instance: Instance) -> Iterator[Case]:
    """0 <= V*_alpha - V*_0 <= alpha log|A|max / (1-gamma)."""
    hard = instance.at(0.0)
    for each in {instance.temperature: instance, 0.0: hard}.values():
        soft = each.soft_value(each.q_float(each.optimum.q))
        tolerance = each.solve_rounding(each.optimum.q, hard.optimum.q)
        doubt = each.optimum.error + hard.optimum.error
        most = hard.optimum.v + each.temperature * most_entropy(instance)
        names = {"alpha": each.temperature}
        yield instance.at_most(hard.optimum.v, soft, tolerance, doubt, side="lower", **names)
        yield instance.at_most(soft, most, tolerance, doubt, side="upper", **names)


@clause("LIMIT-ZERO", "return", source="its entropy is worth no more")
def loss_near_zero(instance: Instance) -> Iterator[Case]:
    """pi*_alpha, judged by reward alone, loses at most alpha log|A|max / (1-gamma)."""
    hard = instance.at(0.0)
    found = hard.problem.evaluate(instance.best_policy)
    tolerance = instance.solve_rounding(instance.optimum.q, hard.optimum.q)
    doubt = found.error + hard.optimum.error
    least = hard.optimum.v - instance.temperature * most_entropy(instance)
    yield instance.at_most(least, found.v, tolerance, doubt, side="lower")
    yield instance.at_most(found.v, hard.optimum.v, tolerance, doubt, side="upper")


@dataclass(frozen=True)
class HardLimit:
    """The maximum-entropy problem among the hard-optimal actions (reward-free, temperature 1).

    entropy: its optimum.  log_policy: that of pi_0+.  gap: the smallest advantage of a tied action
    over another, inf if none.
    """

    entropy: ReferenceValue
    log_policy: ndarray
    gap: float


@once_for_all
def hard_limit(instance: Instance) -> HardLimit:
    """Where pi*_alpha goes as alpha -> 0."""
    hard = instance.at(0.0)
    problem, q = hard.problem, hard.optimum.q
    gaps = np.where(problem.support, hard.optimum.v[:, None] - q, np.inf)
    width = 4.0 * hard.optimum.error + 0.01 * hard.sweep_rounding(q)
    tied = gaps <= width
    log_prior = np.where(tied | ~problem.nonterminal[:, None], problem.log_prior, -np.inf)
    free = instance.mdp.replace(reward=np.zeros_like(instance.mdp.reward))
    limit = instance.problems(free, 1.0, log_prior.astype(np.float64))
    truth = limit.optimum()
    gap = float(gaps[problem.support & ~tied].min(initial=math.inf))
    return HardLimit(truth, limit.boltzmann(truth.q), gap)


@clause(
    "LIMIT-ZERO",
    "tied actions",
    POSITIVE,
    source="V* = V*_0 + alpha W_alpha, W_alpha soft-optimal for the log prior A_0 / alpha "
    "(SHAPE, SCALE)",
)
def tied_actions(instance: Instance) -> Iterator[Case]:
    """V*_alpha >= V^pi_alpha = V*_0 + alpha W, pi the hard-optimal policy of greatest discounted
    entropy W, and (V*_alpha - V*_0) / alpha -> W: at most W + |A| exp(-gap/alpha + w) / (1-gamma),
    w = gamma log|A| / (1-gamma), gap the smallest loss of an action not tied."""
    hard, limit, beta = instance.at(0.0), hard_limit(instance), instance.beta
    n_actions = int(instance.problem.support.sum(axis=1).max())
    w = beta * most_entropy(instance)
    sought = [instance.temperature]
    small = limit.gap / (w + math.log(n_actions / (1.0 - beta)) + 30.0)
    if instance.is_small and math.isfinite(limit.gap) and small > 1e-250:
        sought.append(small)
    for alpha in sought:
        each = instance.at(alpha)
        value = each.soft_value(each.q_float(each.optimum.q))
        judged = each.problem.evaluate(limit.log_policy)
        tolerance = each.solve_rounding(each.optimum.q, hard.optimum.q)
        doubt = each.optimum.error + judged.error
        yield instance.at_most(judged.v, value, tolerance, doubt, side="lower", alpha=alpha)
        doubt = each.optimum.error + hard.optimum.error + alpha * limit.entropy.error
        least = hard.optimum.v + alpha * limit.entropy.v
        exponent = w + math.log(n_actions / (1.0 - beta)) - limit.gap / alpha
        most = least + alpha * math.exp(min(exponent, 600.0))
        yield instance.at_most(value, most, tolerance, doubt, side="upper", alpha=alpha)


# LIMIT-INFINITY


@once
def free_instance(instance: Instance) -> Instance:
    """The problem without rewards, at temperature 1."""
    free = instance.mdp.replace(reward=np.zeros_like(instance.mdp.reward))
    return instance.variant(mdp=free, temperature=1.0)


def _large(instance: Instance) -> list[Instance]:
    """The instance's own temperature, and where solves are cheap a much larger one."""
    if not instance.is_small:
        return [instance]
    reach = float(np.abs(instance.problem.reward).max()) / (1.0 - instance.beta)
    return [instance, instance.at(1e3 * max(reach, instance.temperature))]


@clause("LIMIT-INFINITY", "value", POSITIVE)
def value_at_infinity(instance: Instance) -> Iterator[Case]:
    """alpha V_inf + return(pi_inf) <= V*_alpha <= alpha V_inf + max|r| / (1-gamma), V_inf the value
    without rewards at alpha = 1: V*_alpha / alpha -> V_inf."""
    free = free_instance(instance)
    earned = instance.at(0.0).problem.evaluate(free.best_policy)
    most = float(np.abs(instance.problem.reward).max()) / (1.0 - instance.beta)
    for each in _large(instance):
        alpha = each.temperature
        value = each.soft_value(each.q_float(each.optimum.q))
        limit = each.problem.temperature * free.optimum.v
        tolerance = each.solve_rounding(each.optimum.q)
        doubt = each.optimum.error + alpha * free.optimum.error + earned.error
        yield instance.at_most(value, limit + most, tolerance, doubt, side="upper", alpha=alpha)
        yield instance.at_most(limit + earned.v, value, tolerance, doubt, side="lower", alpha=alpha)


@clause(
    "LIMIT-INFINITY",
    "policy",
    POSITIVE,
    REPRESENTABLE,
    source="Q*_alpha and V*_alpha are within max|r| / (1-gamma) of alpha times their limits",
)
def policy_at_infinity(instance: Instance) -> Iterator[Case]:
    """alpha |log pi*_alpha - log pi_inf| <= 2 max|r| / (1-gamma), pi_inf proportional to prior
    exp(gamma P V_inf)."""
    free = free_instance(instance)
    most = 2.0 * float(np.abs(instance.problem.reward).max()) / (1.0 - instance.beta)
    for each in _large(instance):
        alpha = each.temperature
        apart = np.abs(instance.difference(alpha * each.best_policy, alpha * free.best_policy))
        tolerance = each.solve_rounding(each.optimum.q)
        doubt = 2.0 * (each.optimum.error + alpha * free.optimum.error)
        yield instance.at_most(apart, most, tolerance, doubt, alpha=alpha)


@clause(
    "LIMIT-INFINITY",
    "uniform",
    NO_PRIOR,
    NO_TERMINAL,
    EXACT_ROWS,
    ALL_ACTIONS,
    source="gamma E[V_inf(s')] is then the same for all actions",
)
def uniform_limit(instance: Instance) -> Iterator[Case]:
    """pi_inf is uniform and V_inf = log|A| / (1-gamma) where every state has every action and none
    is terminal (with masks or terminal states it need not be)."""
    free = free_instance(instance)
    count = math.log(instance.problem.n_actions)
    tolerance, doubt = free.solve_rounding(free.optimum.q), free.optimum.error
    value = free.soft_value(free.q_float(free.optimum.q))
    exact = np.full_like(value, count / (1.0 - instance.mdp.discount))
    yield instance.equal(value, exact, tolerance, doubt, part="V_inf")
    uniform = np.full_like(free.best_policy, -count)
    yield instance.equal(free.best_policy, uniform, tolerance, doubt, part="log pi_inf")


@clause(
    "LIMIT-INFINITY",
    "rate",
    NO_PRIOR,
    NO_TERMINAL,
    EXACT_ROWS,
    POSITIVE,
    ALL_ACTIONS,
    REPRESENTABLE,
    source="Hoeffding's lemma",
)
def rate_at_infinity(instance: Instance) -> Iterator[Case]:
    """0 <= V*_alpha - alpha log|A| / (1-gamma) - V_uniform <= max_s span_a(Q)^2 / (8 alpha
    (1-gamma)), Q that of the uniform policy, reward only."""
    problem, bare = instance.problem, reward_only(instance)
    uniform = np.full(problem.support.shape, -math.log(problem.n_actions))
    judged = bare.evaluate(uniform)
    span = float((judged.q.max(axis=1) - judged.q.min(axis=1)).max())
    for each in _large(instance):
        alpha = each.temperature
        most_entropic = each.problem.temperature * np.log(np.longdouble(problem.n_actions))
        least = judged.v + most_entropic / (1 - problem.discount)
        value = each.soft_value(each.q_float(each.optimum.q))
        tolerance = each.solve_rounding(each.optimum.q)
        doubt = judged.error + each.optimum.error
        yield instance.at_most(least, value, tolerance, doubt, side="lower", alpha=alpha)
        most = least + span * (span / (8.0 * alpha)) / (1.0 - instance.beta)
        yield instance.at_most(value, most, tolerance, doubt, side="upper", alpha=alpha)
