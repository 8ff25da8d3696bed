"""Soft Q-learning's exact part: SQL-T1 to T4, SQL Theorems 1-4, Eqs. 4-9 (Haarnoja et al. 2017).

T is `soft_bellman`, (T Q)(s,a) = r(s,a) + gamma E[ V_Q(s') ] with V_Q = `soft_value` of Q; at
temperature 0 it is the hard maximum and the clauses are those of ordinary value iteration.
gamma is the discount times the largest row sum of the transition as stored (1 within 1e-9).
Every "for all" is tried on the inputs of `maxent.theorems.inputs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import POSITIVE
from maxent.theorems.instance import Instance
from maxent.theorems.reference import ReferenceValue


@clause("SQL-T1", "value")
def optimal_value(instance: Instance) -> Iterator[Case]:
    """pi* = exp((Q* - V*) / alpha) has soft value exactly V* (by an independent linear solve)."""
    best = instance.optimum
    found = instance.evaluate(instance.boltzmann_policy(instance.q_float(best.q)))
    yield instance.equal(found.v, best.v, instance.solve_rounding(best.q), found.error + best.error)


@clause("SQL-T1", "dominance", source="SQL Theorem 1")
def dominance(instance: Instance) -> Iterator[Case]:
    """No other policy has a larger soft value than pi* in any state."""
    best = instance.optimum
    found = instance.evaluate(instance.boltzmann_policy(instance.q_float(best.q)))
    for name, _, other in instance.policies:
        tolerance = instance.solve_rounding(best.q, other.v)
        yield instance.at_most(other.v, found.v, tolerance, found.error + other.error, policy=name)


@clause("SQL-T1", "normalisation", source="SQL Theorem 1, Eq. 6")
def normalisation(instance: Instance) -> Iterator[Case]:
    """Each row of the Boltzmann policy sums to 1 over the available actions."""
    tolerance = instance.row_rounding()
    for name, q in inputs.q_functions(instance.problem, instance.optimum, instance.rng(3)):
        with np.errstate(over="ignore"):
            policy = np.exp(instance.boltzmann_policy(q).astype(np.longdouble))
        sums = np.where(instance.problem.support, policy, 0.0).sum(axis=1)
        ones = np.ones_like(sums)
        yield instance.equal(sums, ones, tolerance, q=name)
        yield instance.equal(policy.sum(axis=1), ones, tolerance, q=name)


@clause("SQL-T1", "formula", POSITIVE, source="SQL Eq. 6")
def formula(instance: Instance) -> Iterator[Case]:
    """alpha log(pi(a|s) / prior(a|s)) = Q(s,a) - V(s) for the Boltzmann policy of Q."""
    return instance.boltzmann_cases(instance.boltzmann_policy)


@clause("SQL-T2", "soft Bellman equation")
def bellman_equation(instance: Instance) -> Iterator[Case]:
    """T Q* = Q*: Q*(s,a) = r(s,a) + gamma E[ alpha log sum exp(Q*(s',.) / alpha) ]."""
    best = instance.optimum
    found = instance.soft_bellman(instance.q_float(best.q))
    yield instance.equal(found, best.q, instance.sweep_rounding(best.q), 2.0 * best.residual)


@clause("SQL-T2", "backup", source="SQL Eq. 7")
def backup_of_optimum(instance: Instance) -> Iterator[Case]:
    """Q*(s,a) = r(s,a) + gamma E[ V*(s') ]."""
    best = instance.optimum
    hidden = 10.0 * inputs.size_of(instance.problem, best)
    for name, beyond in (("0", 0.0), ("a large value", hidden)):
        v = np.where(instance.problem.nonterminal, best.v, beyond).astype(np.float64)
        tolerance = instance.sweep_rounding(best.v)
        yield instance.equal(instance.backup(v), best.q, tolerance, terminal_v=name)


@clause("SQL-T2", "soft value", source="SQL Eq. 5")
def value_of_optimum(instance: Instance) -> Iterator[Case]:
    """V*(s) = alpha log sum exp(Q*(s,.) / alpha)."""
    best = instance.optimum
    found = instance.soft_value(instance.q_float(best.q))
    yield instance.equal(found, best.v, instance.sweep_rounding(best.q), best.residual)


@clause("SQL-T3", "iteration", source="SQL Theorem 3, Eqs. 8-9")
def iteration(instance: Instance) -> Iterator[Case]:
    """T Q is V <- alpha log sum exp(Q / alpha) followed by Q <- r + gamma E[V], for every Q."""
    for name, q in inputs.q_functions(instance.problem, instance.optimum, instance.rng(3)):
        v = instance.problem.soft_value(q)
        tolerance = instance.sweep_rounding(q)
        yield instance.equal(instance.soft_bellman(q), instance.problem.q_of(v), tolerance, q=name)


@clause("SQL-T3", "contraction")
def contraction(instance: Instance) -> Iterator[Case]:
    """max |T Q1 - T Q2| <= gamma max |Q1 - Q2|."""
    for name, q, p in inputs.q_pairs(instance.problem, instance.optimum, instance.rng(4)):
        change = np.abs(instance.difference(instance.soft_bellman(q), instance.soft_bellman(p)))
        bound = instance.beta * instance.distance(q, p)
        yield instance.at_most(change, bound, instance.sweep_rounding(q, p), q=name)


@clause("SQL-T3", "monotonicity")
def monotonicity(instance: Instance) -> Iterator[Case]:
    """Q1 <= Q2 everywhere implies T Q1 <= T Q2 everywhere."""
    for name, q, p in inputs.ordered_pairs(instance.problem, instance.optimum, instance.rng(5)):
        tolerance = instance.sweep_rounding(q, p)
        yield instance.at_most(
            instance.soft_bellman(q), instance.soft_bellman(p), tolerance, q=name
        )


@clause("SQL-T3", "translation")
def translation(instance: Instance) -> Iterator[Case]:
    """T(Q + c) = T Q + gamma c p, p(s,a) the stored probability that s' is not terminal: T Q +
    gamma c where no state is terminal, at most that for c >= 0 elsewhere."""
    problem, size = instance.problem, inputs.size_of(instance.problem, instance.optimum)
    for name, q in inputs.q_functions(problem, instance.optimum, instance.rng(6)):
        for c in (size, -size, 100.0 * size):
            shifted = q + c
            found = instance.soft_bellman(shifted)
            expected = instance.soft_bellman(q) + problem.discount * c * problem.row_sums
            tolerance = instance.sweep_rounding(q, shifted)
            yield instance.equal(found, expected, tolerance, q=name, c=c)


@clause("SQL-T3", "a-priori bound", source="SQL Theorem 3 with Banach's theorem")
def a_priori(instance: Instance) -> Iterator[Case]:
    """After k sweeps, max |V_k - V*| <= gamma^k max |V_0 - V*|."""
    best = instance.optimum
    for run in instance.value_iterations:
        start = instance.distance(run.start, best.v)
        rounding = instance.sweep_rounding(best.v, run.start)
        for k, (_, v) in run.sweeps.items():
            sweeps = min(k, 1.0 / (1.0 - instance.beta))  # what k roundings of size 1 add up to
            errors = rounding * sweeps, best.residual * sweeps
            error = np.abs(instance.difference(v, best.v))
            yield instance.at_most(
                error, instance.beta**k * start, *errors, start=run.name, sweep=k
            )


@clause("SQL-T3", "a-posteriori bound", source="SQL Theorem 3 with Banach's theorem")
def a_posteriori(instance: Instance) -> Iterator[Case]:
    """max |V_k - V*| <= gamma / (1 - gamma) max |V_k - V_(k-1)|."""
    best, beta = instance.optimum, instance.beta
    for run in instance.value_iterations:
        tolerance = instance.solve_rounding(best.v, run.start)
        for k, (before, v) in run.sweeps.items():
            bound = beta / (1.0 - beta) * instance.distance(v, before)
            error = np.abs(instance.difference(v, best.v))
            yield instance.at_most(error, bound, tolerance, best.error, start=run.name, sweep=k)


@clause("SQL-T3", "MacQueen bounds", source="MacQueen (1966), for the operator of SQL Theorem 3")
def macqueen(instance: Instance) -> Iterator[Case]:
    """With b = T V - V: V + b + gamma / (1-gamma) min b <= V* <= V + b + gamma / (1-gamma) max b, 0
    counted in min and max where a state is terminal."""
    best, problem = instance.optimum, instance.problem
    least_sum = float(problem.row_sums[problem.support].min())

    def carried(b: float, smallest: bool) -> float:
        """What a residual of b in every later step adds up to; rows as stored."""
        outward = (b < 0.0) == smallest
        beta = instance.beta if outward else problem.discount * min(1.0, least_sum)
        return float(b * beta / (1.0 - beta))

    for run in instance.value_iterations:
        tolerance = instance.solve_rounding(best.v, run.start)
        for k, (v, improved) in run.sweeps.items():
            b = instance.difference(improved, v)[problem.nonterminal]
            if instance.mdp.terminal.any():
                b = np.append(b, 0.0)
            lower = improved + carried(b.min(), smallest=True)
            upper = improved + carried(b.max(), smallest=False)
            witness = {"start": run.name, "sweep": k}
            yield instance.at_most(lower, best.v, tolerance, best.error, side="lower", **witness)
            yield instance.at_most(best.v, upper, tolerance, best.error, side="upper", **witness)


@clause("SQL-T3", "one limit", source="SQL Theorem 3")
def one_limit(instance: Instance) -> Iterator[Case]:
    """Two starts come together: max |V_k - W_k| <= gamma^k max |V_0 - W_0|, so the limit is one."""
    runs = instance.value_iterations
    for one, two in zip(runs, runs[1:] + runs[:1]):
        start = instance.distance(one.start, two.start)
        rounding = instance.sweep_rounding(instance.optimum.v, one.start, two.start)
        for k in one.sweeps:
            tolerance = rounding * min(k, 1.0 / (1.0 - instance.beta))
            apart = np.abs(instance.difference(one.sweeps[k][1], two.sweeps[k][1]))
            starts = (one.name, two.name)
            yield instance.at_most(
                apart, instance.beta**k * start, tolerance, starts=starts, sweep=k
            )


def improvements(
    instance: Instance, improve: Callable[[ndarray], ndarray]
) -> Iterator[tuple[str, ReferenceValue, ReferenceValue, float]]:
    """Each policy's value before and after one improvement, and the rounding of comparing."""
    for name, _, before in instance.policies:
        after = instance.evaluate(improve(instance.q_float(before.q)))
        yield name, before, after, instance.solve_rounding(before.q, instance.optimum.q)


@clause("SQL-T4", "improvement")
def boltzmann_improves(instance: Instance) -> Iterator[Case]:
    """pi' proportional to exp(Q^pi / alpha) has Q^pi' >= Q^pi everywhere."""
    for name, before, after, tolerance in improvements(instance, instance.boltzmann_policy):
        yield instance.at_most(
            before.q, after.q, tolerance, before.error + after.error, policy=name
        )


@clause(
    "SQL-T4", "size of the step", source="SQL App. A.1: the first step of its chain of inequalities"
)
def size_of_step(instance: Instance) -> Iterator[Case]:
    """V^pi' >= alpha log sum exp(Q^pi / alpha) = V^pi + alpha KL(pi || pi')."""
    for name, before, after, tolerance in improvements(instance, instance.boltzmann_policy):
        least = instance.problem.soft_value(before.q)
        yield instance.at_most(least, after.v, tolerance, before.error + after.error, policy=name)
