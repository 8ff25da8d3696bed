"""The trade-off between return and entropy: SLOPE, DUAL-TEMPERATURE."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems.check import Case, Hypothesis, clause
from maxent.theorems.clauses.limits import free_bench, hard_limit
from maxent.theorems.clauses.temperatures import pairs, performance
from maxent.theorems.hypotheses import FACTORISABLE, SOFT
from maxent.theorems.instance import Bench

# SLOPE


@clause(
    "SLOPE",
    "secants",
    "a (entropy_b - entropy_a) <= return_a - return_b <= b (entropy_b - entropy_a) for a < b, from "
    "every state: d return / d entropy = -alpha, return concave in entropy.",
    "optimality of both policies, each at its own temperature",
    SOFT,
)
def secants(bench: Bench) -> Iterator[Case]:
    for low, high, rounding in pairs(bench):
        a, b = low.bench.temperature, high.bench.temperature
        fall, rise = low.returns - high.returns, high.entropies - low.entropies
        doubt, names = low.error + high.error, {"a": a, "b": b}
        yield bench.at_most(a * rise, fall, rounding, doubt, side="lower", **names)
        yield bench.at_most(fall, b * rise, rounding, doubt, side="upper", **names)


@clause(
    "SLOPE",
    "front",
    "No policy lies above the tangent: return + alpha entropy <= that of pi*_alpha, from every "
    "state.",
    "pi*_alpha maximises return + alpha entropy",
    SOFT,
)
def front(bench: Bench) -> Iterator[Case]:
    found = performance(bench)
    best = found.returns + bench.temperature * found.entropies
    for name, _, truth in bench.policies:
        tolerance = found.rounding + bench.solve_rounding(truth.q)
        yield bench.at_most(truth.v, best, tolerance, found.error + truth.error, policy=name)


@clause(
    "SLOPE",
    "curve",
    "The public tradeoff gives return and entropy of pi*_alpha at each temperature: its points "
    "obey the secants and have the objective J*_alpha.",
    "optimality of both policies, each at its own temperature",
    (*SOFT, FACTORISABLE),
)
def curve(bench: Bench) -> Iterator[Case]:
    listed = [
        performance(each) for low, high, _ in pairs(bench) for each in (low.bench, high.bench)
    ]
    benches = list({each.bench.temperature: each.bench for each in listed}.values())
    alphas = [each.temperature for each in benches if 1e-300 <= each.temperature <= 1e15]
    found = bench.call("tradeoff", bench.mdp, alphas, prior=bench.prior)
    nothing = np.full(len(alphas), np.nan)
    returns, entropies = (getattr(found, name, nothing) for name in ("returns", "entropies"))
    roundings = []
    for alpha, earned, spread in zip(alphas, returns, entropies):
        each = bench.at(alpha)
        tolerance = each.solve_rounding(each.optimum.q) / (1.0 - bench.beta)
        roundings.append(tolerance)
        objective = each.initial @ each.optimum.v
        value = np.asarray(earned + alpha * spread)
        yield bench.equal(value, objective, tolerance, each.optimum.error, alpha=alpha)
    for i in range(len(alphas) - 1):
        fall, rise = returns[i] - returns[i + 1], entropies[i + 1] - entropies[i]
        tolerance = roundings[i] + roundings[i + 1]
        names = {"a": alphas[i], "b": alphas[i + 1]}
        yield bench.at_most(alphas[i] * rise, fall, tolerance, **names)
        yield bench.at_most(fall, alphas[i + 1] * rise, tolerance, **names)


# DUAL-TEMPERATURE


@clause(
    "DUAL-TEMPERATURE",
    "minimum",
    "With h = entropy(pi*_a), the dual g(b) = V*_b - b h has its minimum at b = a, the return of "
    "pi*_a, from every state.",
    "ENVELOPE; Lagrangian duality",
    SOFT,
)
def dual_minimum(bench: Bench) -> Iterator[Case]:
    found = performance(bench)
    h = found.entropies
    for low, high, rounding in pairs(bench):
        for each in (low, high):
            b = each.bench.temperature
            doubt = each.error + found.error
            dual = each.bench.optimum.v - b * h
            tolerance = rounding + found.rounding
            yield bench.at_most(found.returns, dual, tolerance, doubt, a=bench.temperature, b=b)


@clause(
    "DUAL-TEMPERATURE",
    "weak duality",
    "return(pi) <= V*_b - b entropy(pi) for every policy pi and temperature b.",
    "Lagrangian duality",
    SOFT,
)
def weak_duality(bench: Bench) -> Iterator[Case]:
    problem = bench.problem
    for name, policy, _ in bench.policies:
        earned, first = problem.solve(
            policy, bench.at(0.0).problem.policy_value(problem.reward, policy)
        )
        spread, second = problem.solve(policy, bench.entropy(policy))
        for low, high, rounding in pairs(bench):
            for each in (low, high):
                b = each.bench.temperature
                doubt = first + b * second + each.bench.optimum.error
                dual = each.bench.optimum.v - b * spread
                tolerance = rounding + each.bench.solve_rounding(earned)
                yield bench.at_most(earned, dual, tolerance, doubt, policy=name, b=b)


def _interior_entropy(bench: Bench) -> bool:
    """Whether entropy(pi*_alpha) lies clearly inside the range that temperatures attain."""
    if not all(hypothesis.is_met(bench) for hypothesis in (*SOFT, FACTORISABLE)):
        return True  # another hypothesis is missing
    h = float(bench.initial @ _true_entropies(bench))
    low = float(bench.initial @ hard_limit(bench).entropy.v)
    high = float(bench.initial @ free_bench(bench).optimum.v)
    if not (np.isfinite([h, low, high]).all() and high > low):
        return False
    blur = bench.solve_rounding(bench.optimum.q) / bench.temperature / (1.0 - bench.beta)
    margin = max(1e-3 * (high - low), 1e3 * blur)
    return low + margin < h < high - margin


def _true_entropies(bench: Bench) -> ndarray:
    """Discounted entropy of pi*_alpha from each state, without the operators."""
    policy, problem = bench.problem.boltzmann(bench.optimum.q), bench.problem
    each = problem.policy_value(np.zeros(problem.support.shape), policy) / problem.temperature
    return problem.solve(policy, each)[0]


INTERIOR = Hypothesis(
    "H(0+) < entropy(pi*_alpha) < H_max, clear of both by 1e-3 of the range and of rounding",
    _interior_entropy,
)


@clause(
    "DUAL-TEMPERATURE",
    "recovered",
    "temperature_for_entropy(mdp, entropy(pi*_alpha)) gives back a policy of that entropy and "
    "return, hence the largest return with that much entropy.",
    "strong duality; the dual is convex",
    (*SOFT, FACTORISABLE, INTERIOR),
)
def recovered(bench: Bench) -> Iterator[Case]:
    h = float(bench.initial @ _true_entropies(bench))
    found = bench.call("temperature_for_entropy", bench.mdp, h, prior=bench.prior)
    with np.errstate(divide="ignore"):
        policy = np.log(np.broadcast_to(getattr(found, "policy", np.nan), bench.mdp.reward.shape))
    problem = bench.problem
    each = problem.policy_value(np.zeros_like(policy), policy) / problem.temperature
    entropies, error = problem.solve(policy, each)
    # the function promises h to 1e-9 max(1, |h|); its rounding and that of h come on top
    blur = bench.solve_rounding(bench.optimum.q) / bench.temperature / (1.0 - bench.beta)
    tolerance = 1e-9 * max(1.0, abs(h)) + blur
    yield bench.equal(bench.initial @ entropies, np.asarray(h), tolerance, error, part="entropy")
    bare = bench.at(0.0).problem
    earned, more = problem.solve(policy, bare.policy_value(problem.reward, policy))
    best = bench.initial @ bench.optimum.v - problem.temperature * h
    tolerance = bench.temperature * tolerance + bench.solve_rounding(bench.optimum.q)
    doubt = more + bench.optimum.error
    yield bench.equal(bench.initial @ earned, best, tolerance, doubt, part="return")


CLAUSES = (secants, front, curve, dual_minimum, weak_duality, recovered)
