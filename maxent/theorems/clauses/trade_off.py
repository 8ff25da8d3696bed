"""The trade-off between return and entropy: SLOPE, DUAL-TEMPERATURE."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.support.arrays import logs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.clauses.along_the_temperature import pairs, performance
from maxent.theorems.clauses.limits import free_instance, hard_limit
from maxent.theorems.hypotheses import FACTORISABLE, SOFT, Hypothesis
from maxent.theorems.instance import Instance

# SLOPE


@clause("SLOPE", "secants")
def secants(instance: Instance) -> Iterator[Case]:
    """a (entropy_b - entropy_a) <= return_a - return_b <= b (entropy_b - entropy_a) for a < b, from
    every state: d return / d entropy = -alpha, return concave in entropy."""
    for low, high, rounding in pairs(instance):
        a, b = low.instance.temperature, high.instance.temperature
        fall, rise = low.returns - high.returns, high.entropies - low.entropies
        doubt, names = low.error + high.error, {"a": a, "b": b}
        yield instance.at_most(a * rise, fall, rounding, doubt, side="lower", **names)
        yield instance.at_most(fall, b * rise, rounding, doubt, side="upper", **names)


@clause("SLOPE", "front", source="pi*_alpha maximises return + alpha entropy")
def front(instance: Instance) -> Iterator[Case]:
    """No policy lies above the tangent: return + alpha entropy <= that of pi*_alpha, from every
    state."""
    found = performance(instance)
    best = found.returns + instance.temperature * found.entropies
    for name, _, truth in instance.policies:
        tolerance = found.rounding + instance.solve_rounding(truth.q)
        yield instance.at_most(truth.v, best, tolerance, found.error + truth.error, policy=name)


@clause("SLOPE", "curve", FACTORISABLE)
def curve(instance: Instance) -> Iterator[Case]:
    """The public tradeoff gives return and entropy of pi*_alpha at each temperature: its points
    obey the secants and have the objective J*_alpha."""
    listed = [
        performance(each)
        for low, high, _ in pairs(instance)
        for each in (low.instance, high.instance)
    ]
    instances = list({each.instance.temperature: each.instance for each in listed}.values())
    alphas = [each.temperature for each in instances if 1e-300 <= each.temperature <= 1e15]
    found = instance.call("tradeoff", instance.mdp, alphas, prior=instance.prior)
    nothing = np.full(len(alphas), np.nan)
    returns, entropies = (getattr(found, name, nothing) for name in ("returns", "entropies"))
    roundings = []
    for alpha, earned, spread in zip(alphas, returns, entropies):
        each = instance.at(alpha)
        tolerance = each.solve_rounding(each.optimum.q) / (1.0 - instance.beta)
        roundings.append(tolerance)
        objective = each.initial @ each.optimum.v
        value = np.asarray(earned + alpha * spread)
        yield instance.equal(value, objective, tolerance, each.optimum.error, alpha=alpha)
    for i in range(len(alphas) - 1):
        fall, rise = returns[i] - returns[i + 1], entropies[i + 1] - entropies[i]
        tolerance = roundings[i] + roundings[i + 1]
        names = {"a": alphas[i], "b": alphas[i + 1]}
        yield instance.at_most(alphas[i] * rise, fall, tolerance, **names)
        yield instance.at_most(fall, alphas[i + 1] * rise, tolerance, **names)


# DUAL-TEMPERATURE


@clause("DUAL-TEMPERATURE", "minimum")
def dual_minimum(instance: Instance) -> Iterator[Case]:
    """With h = entropy(pi*_a), the dual g(b) = V*_b - b h has its minimum at b = a, the return of
    pi*_a, from every state."""
    found = performance(instance)
    h = found.entropies
    for low, high, rounding in pairs(instance):
        for each in (low, high):
            b = each.instance.temperature
            doubt = each.error + found.error
            dual = each.instance.optimum.v - b * h
            tolerance = rounding + found.rounding
            yield instance.at_most(
                found.returns, dual, tolerance, doubt, a=instance.temperature, b=b
            )


@clause("DUAL-TEMPERATURE", "weak duality", source="Lagrangian duality")
def weak_duality(instance: Instance) -> Iterator[Case]:
    """return(pi) <= V*_b - b entropy(pi) for every policy pi and temperature b."""
    problem = instance.problem
    for name, policy, _ in instance.policies:
        earned, first = problem.solve(
            policy, instance.at(0.0).problem.policy_value(problem.reward, policy)
        )
        spread, second = problem.solve(policy, instance.entropy(policy))
        for low, high, rounding in pairs(instance):
            for each in (low, high):
                b = each.instance.temperature
                doubt = first + b * second + each.instance.optimum.error
                dual = each.instance.optimum.v - b * spread
                tolerance = rounding + each.instance.solve_rounding(earned)
                yield instance.at_most(earned, dual, tolerance, doubt, policy=name, b=b)


def _interior_entropy(instance: Instance) -> bool:
    """Whether entropy(pi*_alpha) lies clearly inside the range that temperatures attain."""
    if not all(hypothesis.is_met(instance) for hypothesis in (*SOFT, FACTORISABLE)):
        return True  # another hypothesis is missing
    h = float(instance.initial @ _true_entropies(instance))
    low = float(instance.initial @ hard_limit(instance).entropy.v)
    high = float(instance.initial @ free_instance(instance).optimum.v)
    if not (np.isfinite([h, low, high]).all() and high > low):
        return False
    blur = (
        instance.solve_rounding(instance.optimum.q) / instance.temperature / (1.0 - instance.beta)
    )
    margin = max(1e-3 * (high - low), 1e3 * blur)
    return low + margin < h < high - margin


def _true_entropies(instance: Instance) -> ndarray:
    """Discounted entropy of pi*_alpha from each state, without the operators."""
    policy, problem = instance.problem.boltzmann(instance.optimum.q), instance.problem
    each = problem.policy_value(np.zeros(problem.support.shape), policy) / problem.temperature
    return problem.solve(policy, each)[0]


INTERIOR = Hypothesis(
    "H(0+) < entropy(pi*_alpha) < H_max, clear of both by 1e-3 of the range and of rounding",
    _interior_entropy,
)


@clause(
    "DUAL-TEMPERATURE",
    "recovered",
    FACTORISABLE,
    INTERIOR,
    source="strong duality; the dual is convex",
)
def recovered(instance: Instance) -> Iterator[Case]:
    """temperature_for_entropy(mdp, entropy(pi*_alpha)) gives back a policy of that entropy and
    return, hence the largest return with that much entropy."""
    h = float(instance.initial @ _true_entropies(instance))
    found = instance.call("temperature_for_entropy", instance.mdp, h, prior=instance.prior)
    given = getattr(found, "policy", np.nan)
    policy = logs(np.broadcast_to(given, instance.mdp.reward.shape))
    problem = instance.problem
    each = problem.policy_value(np.zeros_like(policy), policy) / problem.temperature
    entropies, error = problem.solve(policy, each)
    # the function promises h to 1e-9 max(1, |h|); its rounding and that of h come on top
    blur = (
        instance.solve_rounding(instance.optimum.q) / instance.temperature / (1.0 - instance.beta)
    )
    tolerance = 1e-9 * max(1.0, abs(h)) + blur
    yield instance.equal(
        instance.initial @ entropies, np.asarray(h), tolerance, error, part="entropy"
    )
    bare = instance.at(0.0).problem
    earned, more = problem.solve(policy, bare.policy_value(problem.reward, policy))
    best = instance.initial @ instance.optimum.v - problem.temperature * h
    tolerance = instance.temperature * tolerance + instance.solve_rounding(instance.optimum.q)
    doubt = more + instance.optimum.error
    yield instance.equal(instance.initial @ earned, best, tolerance, doubt, part="return")
