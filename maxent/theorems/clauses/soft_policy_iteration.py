"""Soft policy iteration, the exact part: SAC Lemmas 1-2 and Theorem 1 (2018), SQL App. A.1 (2017).

T^pi is `soft_policy_bellman`, (T^pi Q)(s,a) = r + gamma E[ E_pi[ Q - alpha log pi ] ]; the value
of a policy, where one is needed as the truth, comes from the linear system
(I - gamma P_pi) V = r_pi + alpha H_pi.  At temperature 0 the entropy is gone and the clauses are
those of ordinary policy iteration.  gamma is the discount times the largest row sum of the
transition as stored.  The policy set Pi is all policies.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.check import Case, clause
from maxent.theorems.instance import MODEL, POSITIVE, SWEEPS_CHECKED, Bench
from maxent.theorems.reference import Truth

ROUNDS = 100


@clause(
    "SAC-L1",
    "fixed point",
    "T^pi Q^pi = Q^pi, with V^pi the solution of (I - gamma P_pi) V = r_pi + alpha H_pi.",
    "SAC Lemma 1, Eqs. 2-3",
    MODEL,
)
def evaluation_fixed_point(bench: Bench) -> Iterator[Case]:
    for name, policy, truth in bench.policies:
        found = bench.soft_policy_bellman(bench.q_float(truth.q), policy)
        tolerance = bench.sweep_rounding(truth.q)
        yield bench.equal(found, truth.q, tolerance, 2.0 * truth.residual, policy=name)


@clause(
    "SAC-L1",
    "value",
    "V^pi(s) = E_pi[ Q^pi(s,a) - alpha log pi(a|s) ].",
    "SAC Eq. 3 (with the alpha of SAC2)",
    MODEL,
)
def value_of_policy(bench: Bench) -> Iterator[Case]:
    for name, policy, truth in bench.policies:
        found = bench.policy_value(bench.q_float(truth.q), policy)
        tolerance = bench.sweep_rounding(truth.q)
        yield bench.equal(found, truth.v, tolerance, truth.residual, policy=name)


@clause(
    "SAC-L1",
    "operator",
    "T^pi Q is V <- E_pi[ Q - alpha log pi ] followed by Q <- r + gamma E[V], for every Q.",
    "SAC Eqs. 2-3",
    MODEL,
)
def evaluation_operator(bench: Bench) -> Iterator[Case]:
    for name, policy, q_name, q in _policies_with_q(bench):
        v = bench.problem.policy_value(q, policy)
        found = bench.soft_policy_bellman(q, policy)
        tolerance = bench.sweep_rounding(q)
        yield bench.equal(found, bench.problem.q_of(v), tolerance, policy=name, q=q_name)


@clause(
    "SAC-L1",
    "iteration",
    "Q_k = T^pi Q_(k-1) has max |Q_k - Q^pi| <= gamma^k max |Q_0 - Q^pi|: the limit is the "
    "linear system's solution.",
    "SAC Lemma 1",
    MODEL,
)
def evaluation_iteration(bench: Bench) -> Iterator[Case]:
    exact = {name: truth for name, _, truth in bench.policies}
    for name, policy, start_name, other in _policies_with_q(bench):
        truth = exact[name]
        for q_name, q in (("Q^pi", bench.q_float(truth.q)), (start_name, other)):
            start = bench.distance(q, truth.q)
            rounding = bench.sweep_rounding(truth.q, q)
            for k in range(1, (SWEEPS_CHECKED[-1] if bench.is_small else 5) + 1):
                q = bench.soft_policy_bellman(q, policy)
                if k not in SWEEPS_CHECKED:
                    continue
                sweeps = min(k, 1.0 / (1.0 - bench.beta))
                errors = rounding * sweeps, truth.residual * sweeps
                bound = bench.beta**k * start
                error = np.abs(bench.difference(q, truth.q))
                yield bench.at_most(error, bound, *errors, policy=name, start=q_name, sweep=k)


@clause(
    "SAC-L1",
    "affine",
    "T^pi((1-t) Q1 + t Q2) = (1-t) T^pi Q1 + t T^pi Q2.",
    "SAC Lemma 1: the expectation is linear",
    MODEL,
)
def affine(bench: Bench) -> Iterator[Case]:
    for name, policy, q_name, q in _policies_with_q(bench):
        p = bench.q_float(bench.optimum.q)
        for t in (0.5, -1.0, 3.0):
            mixed = (1.0 - t) * q + t * p
            left = bench.soft_policy_bellman(mixed, policy)
            first, second = (bench.soft_policy_bellman(x, policy) for x in (q, p))
            tolerance = bench.sweep_rounding(mixed, (1.0 - t) * q, t * p) + (
                (abs(1.0 - t) + abs(t)) * bench.sweep_rounding(q, p)
            )
            right = (1.0 - t) * first + t * second
            yield bench.equal(left, right, tolerance, policy=name, q=q_name, t=t)


@clause(
    "SAC-L1",
    "contraction",
    "max |T^pi Q1 - T^pi Q2| <= gamma max |Q1 - Q2|.",
    "SAC Lemma 1",
    MODEL,
)
def evaluation_contraction(bench: Bench) -> Iterator[Case]:
    pairs = list(inputs.q_pairs(bench.problem, bench.optimum, bench.rng(8)))
    for i, (name, policy, _) in enumerate(bench.policies):
        for q_name, q, p in pairs[i % 3 :: 3]:
            after = (bench.soft_policy_bellman(x, policy) for x in (q, p))
            change = np.abs(bench.difference(*after))
            bound = bench.beta * bench.distance(q, p)
            tolerance = bench.sweep_rounding(q, p)
            yield bench.at_most(change, bound, tolerance, policy=name, q=q_name)


@clause(
    "SAC-L1",
    "monotonicity",
    "Q1 <= Q2 everywhere implies T^pi Q1 <= T^pi Q2 everywhere.",
    "SAC Lemma 1",
    MODEL,
)
def evaluation_monotonicity(bench: Bench) -> Iterator[Case]:
    pairs = list(inputs.ordered_pairs(bench.problem, bench.optimum, bench.rng(9)))
    for i, (name, policy, _) in enumerate(bench.policies):
        for q_name, q, p in pairs[i % 3 :: 3]:
            low, high = (bench.soft_policy_bellman(x, policy) for x in (q, p))
            yield bench.at_most(low, high, bench.sweep_rounding(q, p), policy=name, q=q_name)


def _improved(
    bench: Bench, improve: Callable[[ndarray], ndarray]
) -> Iterator[tuple[str, Truth, Truth, float]]:
    """Each policy's value before and after one improvement, and the rounding of comparing."""
    for name, _, before in bench.policies:
        after = bench.evaluate(improve(bench.q_float(before.q)))
        yield name, before, after, bench.solve_rounding(before.q, bench.optimum.q)


@clause(
    "SQL-T4",
    "improvement",
    "pi' proportional to exp(Q^pi / alpha) has Q^pi' >= Q^pi everywhere.",
    "SQL Theorem 4 (App. A.1)",
    MODEL,
)
def boltzmann_improves(bench: Bench) -> Iterator[Case]:
    for name, before, after, tolerance in _improved(bench, bench.boltzmann_policy):
        yield bench.at_most(before.q, after.q, tolerance, before.error + after.error, policy=name)


@clause(
    "SQL-T4",
    "size of the step",
    "V^pi' >= alpha log sum exp(Q^pi / alpha) = V^pi + alpha KL(pi || pi').",
    "SQL App. A.1: the first step of its chain of inequalities",
    MODEL,
)
def size_of_step(bench: Bench) -> Iterator[Case]:
    for name, before, after, tolerance in _improved(bench, bench.boltzmann_policy):
        least = bench.problem.soft_value(before.q)
        yield bench.at_most(least, after.v, tolerance, before.error + after.error, policy=name)


@clause(
    "SAC-L2",
    "projection",
    "pi_new minimises KL(pi' || exp(Q / alpha) / Z) in each state: E_pi_new[ Q - alpha log pi_new ]"
    " reaches alpha log sum exp(Q / alpha), which no policy exceeds.",
    "SAC Eq. 4 (GIBBS-1, GIBBS-2)",
    MODEL,
)
def projection(bench: Bench) -> Iterator[Case]:
    listed = list(inputs.q_functions(bench.problem, bench.optimum, bench.rng(10)))
    listed += [(f"Q of {name}", bench.q_float(truth.q)) for name, _, truth in bench.policies]
    for name, q in listed:
        reached = bench.problem.policy_value(q, bench.soft_policy_improvement(q))
        yield bench.equal(reached, bench.problem.soft_value(q), bench.sweep_rounding(q), q=name)


@clause(
    "SAC-L2",
    "minimiser",
    "Over all policies the projection is exp(Q / alpha) / Z: alpha log(pi_new(a|s) / prior(a|s)) = "
    "Q(s,a) - V(s).",
    "SAC Eq. 4 with Pi all policies",
    (*MODEL, POSITIVE),
)
def minimiser(bench: Bench) -> Iterator[Case]:
    return bench.boltzmann_cases(bench.soft_policy_improvement)


@clause(
    "SAC-L2",
    "improvement",
    "Q^pi_new >= Q^pi_old everywhere, from random and adversarial pi_old.",
    "SAC Lemma 2",
    MODEL,
)
def projection_improves(bench: Bench) -> Iterator[Case]:
    for name, before, after, tolerance in _improved(bench, bench.soft_policy_improvement):
        yield bench.at_most(before.q, after.q, tolerance, before.error + after.error, policy=name)


@clause(
    "SAC-T1",
    "monotone sequence",
    "Repeating evaluation and improvement, V^pi_k never falls in any state.",
    "SAC Theorem 1",
    MODEL,
)
def never_falls(bench: Bench) -> Iterator[Case]:
    for name, values in soft_policy_iterations(bench):
        for k, (before, after) in enumerate(itertools.pairwise(values), start=1):
            tolerance = bench.solve_rounding(before.q, after.q)
            doubt = before.error + after.error
            yield bench.at_most(before.v, after.v, tolerance, doubt, start=name, round=k)


@clause(
    "SAC-T1",
    "rate",
    "max |V* - V^pi_k| <= gamma max |V* - V^pi_(k-1)|.",
    "SAC Theorem 1; policy iteration is no slower than value iteration",
    MODEL,
)
def rate(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    for name, values in soft_policy_iterations(bench):
        for k, (before, after) in enumerate(itertools.pairwise(values), start=1):
            tolerance = bench.solve_rounding(best.q, before.q)
            bound = bench.beta * bench.distance(best.v, before.v)
            doubt = 2.0 * best.error + before.error + after.error
            error = np.abs(bench.difference(best.v, after.v))
            yield bench.at_most(error, bound, tolerance, doubt, start=name, round=k)


@clause(
    "SAC-T1",
    "limit",
    "Repeating evaluation and improvement reaches V*, the solution of the soft Bellman equation.",
    "SAC Theorem 1",
    MODEL,
)
def limit(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    for name, values in soft_policy_iterations(bench):
        tolerance = bench.solve_rounding(best.q)
        doubt = best.error + values[-1].error
        yield bench.equal(
            values[-1].v, best.v, tolerance, doubt, start=name, rounds=len(values) - 1
        )


@clause(
    "SAC-T1",
    "dominance",
    "The limit policy has Q^pi* >= Q^pi for every policy pi.",
    "SAC Theorem 1",
    MODEL,
)
def limit_dominates(bench: Bench) -> Iterator[Case]:
    for start, values in soft_policy_iterations(bench):
        for name, _, other in bench.policies:
            tolerance = bench.solve_rounding(values[-1].q, other.q)
            doubt = values[-1].error + other.error
            witness = {"policy": name, "start": start}
            yield bench.at_most(other.q, values[-1].q, tolerance, doubt, **witness)


def soft_policy_iterations(bench: Bench) -> list[tuple[str, list[Truth]]]:
    """Runs of soft policy iteration: improvement by the operator under test, exact evaluation.

    A run ends when V* is reached within rounding, or when no state's value rises any more.
    """
    if "policy_iterations" not in bench.shared:
        runs = []
        for name, _, truth in bench.policies[: 3 if bench.is_small else 1]:
            values = [truth]
            enough = 0.25 * bench.solve_rounding(bench.optimum.q)
            for _ in range(ROUNDS):
                improved = bench.soft_policy_improvement(bench.q_float(values[-1].q))
                values.append(bench.evaluate(improved))
                rise = (values[-1].v - values[-2].v)[bench.problem.alive].max()
                if bench.distance(values[-1].v, bench.optimum.v) <= enough or not rise > 0.0:
                    break
            runs.append((name, values))
        bench.shared["policy_iterations"] = runs
    return bench.shared["policy_iterations"]


def _policies_with_q(bench: Bench) -> Iterator[tuple[str, ndarray, str, ndarray]]:
    """Every policy with a q-function of its own, going round the list."""
    listed = list(inputs.q_functions(bench.problem, bench.optimum, bench.rng(11)))
    for i, (name, policy, _) in enumerate(bench.policies):
        yield name, policy, *listed[i % len(listed)]


CLAUSES = (
    evaluation_fixed_point,
    value_of_policy,
    evaluation_operator,
    evaluation_iteration,
    affine,
    evaluation_contraction,
    evaluation_monotonicity,
    boltzmann_improves,
    size_of_step,
    projection,
    minimiser,
    projection_improves,
    never_falls,
    rate,
    limit,
    limit_dominates,
)
