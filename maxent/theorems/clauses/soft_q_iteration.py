"""Soft Q-learning's exact part: SQL Theorems 1-3, Eqs. 4-9 (Haarnoja et al. 2017).

T is `soft_bellman`, (T Q)(s,a) = r(s,a) + gamma E[ V_Q(s') ] with V_Q = `soft_value` of Q; at
temperature 0 it is the hard maximum and the clauses are those of ordinary value iteration.
gamma is the discount times the largest row sum of the transition as stored (1 within 1e-9).
Every "for all" is tried on the inputs of `maxent.theorems.inputs`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from maxent.theorems import inputs
from maxent.theorems.check import Case, clause
from maxent.theorems.instance import MODEL, POSITIVE, Bench


@clause(
    "SQL-T1",
    "value",
    "pi* = exp((Q* - V*) / alpha) has soft value exactly V* (by an independent linear solve).",
    "SQL Theorem 1, Eqs. 4-6",
    MODEL,
)
def optimal_value(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    found = bench.evaluate(bench.boltzmann_policy(bench.q_float(best.q)))
    yield bench.equal(found.v, best.v, bench.solve_rounding(best.q), found.error + best.error)


@clause(
    "SQL-T1",
    "dominance",
    "No other policy has a larger soft value than pi* in any state.",
    "SQL Theorem 1",
    MODEL,
)
def dominance(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    found = bench.evaluate(bench.boltzmann_policy(bench.q_float(best.q)))
    for name, _, other in bench.policies:
        tolerance = bench.solve_rounding(best.q, other.v)
        yield bench.at_most(other.v, found.v, tolerance, found.error + other.error, policy=name)


@clause(
    "SQL-T1",
    "normalisation",
    "Each row of the Boltzmann policy sums to 1 over the available actions.",
    "SQL Theorem 1, Eq. 6",
    MODEL,
)
def normalisation(bench: Bench) -> Iterator[Case]:
    tolerance = bench.row_rounding()
    for name, q in inputs.q_functions(bench.problem, bench.optimum, bench.rng(3)):
        with np.errstate(over="ignore"):
            policy = np.exp(bench.boltzmann_policy(q).astype(np.longdouble))
        sums = np.where(bench.problem.support, policy, 0.0).sum(axis=1)
        ones = np.ones_like(sums)
        yield bench.equal(sums, ones, tolerance, q=name)
        yield bench.equal(policy.sum(axis=1), ones, tolerance, q=name)


@clause(
    "SQL-T1",
    "formula",
    "alpha log(pi(a|s) / prior(a|s)) = Q(s,a) - V(s) for the Boltzmann policy of Q.",
    "SQL Eq. 6",
    (*MODEL, POSITIVE),
)
def formula(bench: Bench) -> Iterator[Case]:
    return bench.boltzmann_cases(bench.boltzmann_policy)


@clause(
    "SQL-T2",
    "soft Bellman equation",
    "T Q* = Q*: Q*(s,a) = r(s,a) + gamma E[ alpha log sum exp(Q*(s',.) / alpha) ].",
    "SQL Theorem 2, Eq. 7",
    MODEL,
)
def bellman_equation(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    found = bench.soft_bellman(bench.q_float(best.q))
    yield bench.equal(found, best.q, bench.sweep_rounding(best.q), 2.0 * best.residual)


@clause("SQL-T2", "backup", "Q*(s,a) = r(s,a) + gamma E[ V*(s') ].", "SQL Eq. 7", MODEL)
def backup_of_optimum(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    hidden = 10.0 * inputs.size_of(bench.problem, best)
    for name, beyond in (("0", 0.0), ("a large value", hidden)):
        v = np.where(bench.problem.alive, best.v, beyond).astype(np.float64)
        tolerance = bench.sweep_rounding(best.v)
        yield bench.equal(bench.backup(v), best.q, tolerance, terminal_v=name)


@clause("SQL-T2", "soft value", "V*(s) = alpha log sum exp(Q*(s,.) / alpha).", "SQL Eq. 5", MODEL)
def value_of_optimum(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    found = bench.soft_value(bench.q_float(best.q))
    yield bench.equal(found, best.v, bench.sweep_rounding(best.q), best.residual)


@clause(
    "SQL-T3",
    "iteration",
    "T Q is V <- alpha log sum exp(Q / alpha) followed by Q <- r + gamma E[V], for every Q.",
    "SQL Theorem 3, Eqs. 8-9",
    MODEL,
)
def iteration(bench: Bench) -> Iterator[Case]:
    for name, q in inputs.q_functions(bench.problem, bench.optimum, bench.rng(3)):
        v = bench.problem.soft_value(q)
        tolerance = bench.sweep_rounding(q)
        yield bench.equal(bench.soft_bellman(q), bench.problem.q_of(v), tolerance, q=name)


@clause(
    "SQL-T3",
    "contraction",
    "max |T Q1 - T Q2| <= gamma max |Q1 - Q2|.",
    "SQL Theorem 3 (App. A.2)",
    MODEL,
)
def contraction(bench: Bench) -> Iterator[Case]:
    for name, q, p in inputs.q_pairs(bench.problem, bench.optimum, bench.rng(4)):
        change = np.abs(bench.difference(bench.soft_bellman(q), bench.soft_bellman(p)))
        bound = bench.beta * bench.distance(q, p)
        yield bench.at_most(change, bound, bench.sweep_rounding(q, p), q=name)


@clause(
    "SQL-T3",
    "monotonicity",
    "Q1 <= Q2 everywhere implies T Q1 <= T Q2 everywhere.",
    "SQL Theorem 3 (App. A.2)",
    MODEL,
)
def monotonicity(bench: Bench) -> Iterator[Case]:
    for name, q, p in inputs.ordered_pairs(bench.problem, bench.optimum, bench.rng(5)):
        tolerance = bench.sweep_rounding(q, p)
        yield bench.at_most(bench.soft_bellman(q), bench.soft_bellman(p), tolerance, q=name)


@clause(
    "SQL-T3",
    "translation",
    "T(Q + c) = T Q + gamma c p, p(s,a) the stored probability that s' is not terminal: "
    "T Q + gamma c where no state is terminal, at most that for c >= 0 elsewhere.",
    "SQL Theorem 3 (App. A.2)",
    MODEL,
)
def translation(bench: Bench) -> Iterator[Case]:
    problem, size = bench.problem, inputs.size_of(bench.problem, bench.optimum)
    for name, q in inputs.q_functions(problem, bench.optimum, bench.rng(6)):
        for c in (size, -size, 100.0 * size):
            shifted = q + c
            found = bench.soft_bellman(shifted)
            expected = bench.soft_bellman(q) + problem.discount * c * problem.row_sums
            tolerance = bench.sweep_rounding(q, shifted)
            yield bench.equal(found, expected, tolerance, q=name, c=c)


@clause(
    "SQL-T3",
    "a-priori bound",
    "After k sweeps, max |V_k - V*| <= gamma^k max |V_0 - V*|.",
    "SQL Theorem 3 with Banach's theorem",
    MODEL,
)
def a_priori(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    for run in bench.value_iterations:
        start = bench.distance(run.start, best.v)
        rounding = bench.sweep_rounding(best.v, run.start)
        for k, (_, v) in run.sweeps.items():
            sweeps = min(k, 1.0 / (1.0 - bench.beta))  # what k roundings of size 1 add up to
            errors = rounding * sweeps, best.residual * sweeps
            error = np.abs(bench.difference(v, best.v))
            yield bench.at_most(error, bench.beta**k * start, *errors, start=run.name, sweep=k)


@clause(
    "SQL-T3",
    "a-posteriori bound",
    "max |V_k - V*| <= gamma / (1 - gamma) max |V_k - V_(k-1)|.",
    "SQL Theorem 3 with Banach's theorem",
    MODEL,
)
def a_posteriori(bench: Bench) -> Iterator[Case]:
    best, beta = bench.optimum, bench.beta
    for run in bench.value_iterations:
        tolerance = bench.solve_rounding(best.v, run.start)
        for k, (before, v) in run.sweeps.items():
            bound = beta / (1.0 - beta) * bench.distance(v, before)
            error = np.abs(bench.difference(v, best.v))
            yield bench.at_most(error, bound, tolerance, best.error, start=run.name, sweep=k)


@clause(
    "SQL-T3",
    "MacQueen bounds",
    "With b = T V - V: V + b + gamma / (1-gamma) min b <= V* <= V + b + gamma / (1-gamma) max b, "
    "0 counted in min and max where a state is terminal.",
    "MacQueen (1966), for the operator of SQL Theorem 3",
    MODEL,
)
def macqueen(bench: Bench) -> Iterator[Case]:
    best, problem = bench.optimum, bench.problem
    least_sum = float(problem.row_sums[problem.support].min())

    def carried(b: float, smallest: bool) -> float:
        """What a residual of b in every later step adds up to; rows as stored."""
        outward = (b < 0.0) == smallest
        beta = bench.beta if outward else problem.discount * min(1.0, least_sum)
        return float(b * beta / (1.0 - beta))

    for run in bench.value_iterations:
        tolerance = bench.solve_rounding(best.v, run.start)
        for k, (v, improved) in run.sweeps.items():
            b = bench.difference(improved, v)[problem.alive]
            if bench.mdp.terminal.any():
                b = np.append(b, 0.0)
            lower = improved + carried(b.min(), smallest=True)
            upper = improved + carried(b.max(), smallest=False)
            witness = {"start": run.name, "sweep": k}
            yield bench.at_most(lower, best.v, tolerance, best.error, side="lower", **witness)
            yield bench.at_most(best.v, upper, tolerance, best.error, side="upper", **witness)


@clause(
    "SQL-T3",
    "one limit",
    "Two starts come together: max |V_k - W_k| <= gamma^k max |V_0 - W_0|, so the limit is one.",
    "SQL Theorem 3",
    MODEL,
)
def one_limit(bench: Bench) -> Iterator[Case]:
    runs = bench.value_iterations
    for one, two in zip(runs, runs[1:] + runs[:1]):
        start = bench.distance(one.start, two.start)
        rounding = bench.sweep_rounding(bench.optimum.v, one.start, two.start)
        for k in one.sweeps:
            tolerance = rounding * min(k, 1.0 / (1.0 - bench.beta))
            apart = np.abs(bench.difference(one.sweeps[k][1], two.sweeps[k][1]))
            starts = (one.name, two.name)
            yield bench.at_most(apart, bench.beta**k * start, tolerance, starts=starts, sweep=k)


CLAUSES = (
    optimal_value,
    dominance,
    normalisation,
    formula,
    bellman_equation,
    backup_of_optimum,
    value_of_optimum,
    iteration,
    contraction,
    monotonicity,
    translation,
    a_priori,
    a_posteriori,
    macqueen,
    one_limit,
)
