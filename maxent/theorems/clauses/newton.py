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
from maxent.theorems.check import Case, clause
from maxent.theorems.clauses.soft_policy_iteration import soft_policy_iterations
from maxent.theorems.hypotheses import SOFT
from maxent.theorems.instance import MODEL, Bench


def span(bench: Bench, q: ndarray) -> ndarray:
    """(S,): largest minus smallest entry over the support, 0 at terminal states."""
    support = bench.problem.support
    high = np.where(support, q, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(support, q, np.inf).min(axis=1, initial=np.inf)
    with np.errstate(invalid="ignore"):
        return np.where(bench.problem.alive, high - low, 0.0)


@clause(
    "SPI-NEWTON",
    "step",
    "A step of soft policy iteration is Newton's on T V - V: V^pi' = V + (I - gamma P_pi')^{-1} "
    "(T V - V), pi' the Boltzmann policy of r + gamma P V, for every V.",
    "Puterman, Brumelle (1979); Geist et al. (2019)",
    MODEL,
)
def newton_step(bench: Bench) -> Iterator[Case]:
    starts = inputs.v_functions(bench.problem, bench.optimum, bench.rng(40))
    for name, start in starts:
        v = np.where(bench.problem.alive, start, 0.0)
        q = bench.backup(v)
        policy = bench.boltzmann_policy(bench.q_float(bench.problem.q_of(v)))
        step, error = bench.problem.solve(policy, bench.difference(bench.soft_value(q), v))
        reached = bench.evaluate(policy)
        tolerance = bench.solve_rounding(v, q, bench.optimum.q)
        yield bench.equal(v + step, reached.v, tolerance, error + reached.error, start=name)


@clause(
    "SPI-NEWTON",
    "derivative",
    "T'(V) = gamma P_pi, pi the Boltzmann policy: 0 <= T(V + D) - T V - gamma P_pi D <= "
    "span_a(gamma P D)^2 / (8 alpha).",
    "Hoeffding's lemma",
    SOFT,
)
def derivative(bench: Bench) -> Iterator[Case]:
    problem, rng = bench.problem, bench.rng(41)
    for name, start in inputs.v_functions(problem, bench.optimum, rng):
        v = np.where(problem.alive, start, 0.0)
        direction = np.where(problem.alive, rng.normal(size=v.shape), 0.0)
        policy = np.exp(bench.boltzmann_policy(bench.q_float(problem.q_of(v))))
        for length in (1e-3 * bench.temperature, bench.temperature):
            there = v + length * direction
            moved = problem.discount * problem.expect(there.astype(np.longdouble) - v)
            slope = np.where(problem.support, policy * moved, 0.0).sum(axis=1)
            before, after = (bench.soft_value(bench.backup(x)) for x in (v, there))
            change, width = bench.difference(after, before), span(bench, moved)
            tolerance = bench.sweep_rounding(v) + bench.sweep_rounding(there)
            names: dict[str, Any] = {"v": name, "length": length}
            yield bench.at_most(slope, change, tolerance, side="lower", **names)
            most = slope + width * (width / (8.0 * bench.temperature))
            yield bench.at_most(change, most, tolerance, side="upper", **names)


@clause(
    "SPI-NEWTON",
    "quadratic convergence",
    "0 <= V* - V^pi_(k+1) <= max_s span_a(gamma P (V* - V^pi_k))^2 / (8 alpha (1-gamma)).",
    "Newton's method; the remainder above, carried through (I - gamma P)^{-1}",
    SOFT,
)
def quadratic(bench: Bench) -> Iterator[Case]:
    best, problem = bench.optimum, bench.problem
    for name, values in soft_policy_iterations(bench):
        for k, (before, after) in enumerate(itertools.pairwise(values), start=1):
            missing = problem.discount * problem.expect(bench.difference(best.v, before.v))
            width = float(span(bench, missing).max())
            bound = width * (width / (8.0 * bench.temperature)) / (1.0 - bench.beta)
            tolerance = bench.solve_rounding(best.q, before.q)
            doubt = best.error + after.error
            left = bench.difference(best.v, after.v)
            yield bench.at_most(left, bound, tolerance, doubt, start=name, round=k)
            yield bench.at_most(after.v, best.v, tolerance, doubt, start=name, round=k)


CLAUSES = (newton_step, derivative, quadratic)
