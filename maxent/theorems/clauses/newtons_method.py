"""Soft policy iteration is Newton's method: SPI-NEWTON.

No derivative is taken by finite differences: the bound on the remainder is checked, by Hoeffding's
lemma, E x <= alpha log E exp(x / alpha) <= E x + span(x)^2 / (8 alpha).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.clauses.soft_policy_iteration import soft_policy_iterations
from maxent.theorems.hypotheses import POSITIVE, REPRESENTABLE
from maxent.theorems.instance import Instance


def span(instance: Instance, q: ndarray) -> ndarray:
    """(S,): largest minus smallest entry over the support, 0 at terminal states."""
    support = instance.problem.support
    high = np.where(support, q, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(support, q, np.inf).min(axis=1, initial=np.inf)
    with np.errstate(invalid="ignore"):
        return np.where(instance.problem.nonterminal, high - low, 0.0)


@clause("SPI-NEWTON", "step")
def newton_step(instance: Instance) -> Iterator[Case]:
    """A step of soft policy iteration is Newton's on T V - V: V^pi' = V + (I - gamma P_pi')^{-1} (T
    V - V), pi' the Boltzmann policy of r + gamma P V, for every V."""
    starts = inputs.v_functions(instance.problem, instance.optimum, instance.rng(40))
    for name, start in starts:
        v = np.where(instance.problem.nonterminal, start, 0.0)
        q = instance.backup(v)
        policy = instance.boltzmann_policy(instance.q_float(instance.problem.q_of(v)))
        step, error = instance.problem.solve(policy, instance.difference(instance.soft_value(q), v))
        reached = instance.evaluate(policy)
        tolerance = instance.solve_rounding(v, q, instance.optimum.q)
        yield instance.equal(v + step, reached.v, tolerance, error + reached.error, start=name)


@clause("SPI-NEWTON", "derivative", POSITIVE, REPRESENTABLE, source="Hoeffding's lemma")
def derivative(instance: Instance) -> Iterator[Case]:
    """T'(V) = gamma P_pi, pi the Boltzmann policy: 0 <= T(V + D) - T V - gamma P_pi D <=
    span_a(gamma P D)^2 / (8 alpha)."""
    problem, rng = instance.problem, instance.rng(41)
    for name, start in inputs.v_functions(problem, instance.optimum, rng):
        v = np.where(problem.nonterminal, start, 0.0)
        direction = np.where(problem.nonterminal, rng.normal(size=v.shape), 0.0)
        policy = np.exp(instance.boltzmann_policy(instance.q_float(problem.q_of(v))))
        for length in (1e-3 * instance.temperature, instance.temperature):
            there = v + length * direction
            moved = problem.discount * problem.expect(there.astype(np.longdouble) - v)
            slope = np.where(problem.support, policy * moved, 0.0).sum(axis=1)
            before, after = (instance.soft_value(instance.backup(x)) for x in (v, there))
            change, width = instance.difference(after, before), span(instance, moved)
            tolerance = instance.sweep_rounding(v) + instance.sweep_rounding(there)
            names: dict[str, Any] = {"v": name, "length": length}
            yield instance.at_most(slope, change, tolerance, side="lower", **names)
            most = slope + width * (width / (8.0 * instance.temperature))
            yield instance.at_most(change, most, tolerance, side="upper", **names)


@clause(
    "SPI-NEWTON",
    "quadratic convergence",
    POSITIVE,
    REPRESENTABLE,
    source="Newton's method; the remainder above, carried through (I - gamma P)^{-1}",
)
def quadratic(instance: Instance) -> Iterator[Case]:
    """0 <= V* - V^pi_(k+1) <= max_s span_a(gamma P (V* - V^pi_k))^2 / (8 alpha (1-gamma))."""
    best, problem = instance.optimum, instance.problem
    for name, values in soft_policy_iterations(instance):
        for k, (before, after) in enumerate(itertools.pairwise(values), start=1):
            missing = problem.discount * problem.expect(instance.difference(best.v, before.v))
            width = float(span(instance, missing).max())
            bound = width * (width / (8.0 * instance.temperature)) / (1.0 - instance.beta)
            tolerance = instance.solve_rounding(best.q, before.q)
            doubt = best.error + after.error
            left = instance.difference(best.v, after.v)
            yield instance.at_most(left, bound, tolerance, doubt, start=name, round=k)
            yield instance.at_most(after.v, best.v, tolerance, doubt, start=name, round=k)
