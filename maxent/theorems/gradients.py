"""Newton's method and gradients: SPI-NEWTON, NPG, PG, PG-EQUIVALENCE.

A derivative is never taken by finite differences.  Where a theorem states one, either the bound on
the remainder is checked (Hoeffding's lemma: E x <= alpha log E exp(x / alpha) <= E x + span(x)^2 /
(8 alpha)), or the linear system of the value is differentiated along a direction, in extended
precision, and solved.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.bench import MODEL, Bench
from maxent.theorems.check import Case, clause
from maxent.theorems.hypotheses import FACTORISABLE, SOFT, SOMETHING
from maxent.theorems.reference import Truth
from maxent.theorems.soft_policy_iteration import soft_policy_iterations

STEPS = (0.25, 0.5, 1.0)
"""Natural gradient steps, in units of the largest one, (1-gamma) / alpha."""
NPG_ROUNDS = 6


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


# NPG


def natural_step(bench: Bench, policy: ndarray, truth: Truth, weight: float) -> ndarray:
    """log of the policy after one natural gradient step of `weight` times the largest: the
    Boltzmann policy of weight Q^pi + (1 - weight) alpha log(pi / prior), by the operator."""
    prior = np.where(bench.problem.support, bench.problem.log_prior, 0.0)
    kept = np.where(bench.problem.support, policy, 0.0) - prior
    return bench.boltzmann_policy(bench.q_float(_goal(bench, truth, kept, weight)))


def _goal(bench: Bench, truth: Truth, kept: ndarray, weight: float) -> ndarray:
    return weight * truth.q + (1.0 - weight) * bench.problem.temperature * kept


@clause(
    "NPG",
    "improvement",
    "pi' proportional to pi^(1 - w) exp(w Q^pi / alpha), w = eta alpha / (1-gamma) in (0, 1], has "
    "V^pi' >= V^pi in every state.",
    "Cen et al. (2022), Lemma 1",
    SOFT,
)
def natural_improves(bench: Bench) -> Iterator[Case]:
    for name, policy, before in bench.interior_policies():
        for weight in STEPS if bench.is_small else STEPS[1:2]:
            after = bench.evaluate(natural_step(bench, policy, before, weight))
            size = bench.temperature * np.where(bench.problem.support, policy, 0.0)
            tolerance = bench.solve_rounding(before.q, bench.optimum.q, size)
            doubt = before.error + after.error
            yield bench.at_most(before.v, after.v, tolerance, doubt, policy=name, weight=weight)


@clause(
    "NPG",
    "rate",
    "max |Q* - Q^pi_(k+1)| <= gamma (max |Q* - Q^pi_0| + 2 alpha (1-w) max |log pi* - log pi_0|) "
    "(1 - eta alpha)^k.",
    "Cen et al. (2022), Theorem 1",
    SOFT,
)
def natural_rate(bench: Bench) -> Iterator[Case]:
    best, beta, problem = bench.optimum, bench.beta, bench.problem
    log_best = np.where(problem.support, problem.boltzmann(best.q), 0.0)
    rounds = NPG_ROUNDS if bench.is_small else 1
    for name, policy, start in bench.interior_policies()[: 3 if bench.is_small else 1]:
        apart = np.abs(np.where(problem.support, policy, 0.0) - log_best).max()
        size = bench.temperature * np.where(problem.support, policy, 0.0)
        for weight in STEPS if bench.is_small else STEPS[1:2]:
            constant = bench.distance(best.q, start.q) + 2.0 * bench.temperature * float(
                (1.0 - weight) * apart
            )
            now, truth = policy, start
            for k in range(rounds):
                now = natural_step(bench, now, truth, weight)
                truth = bench.evaluate(now)
                bound = beta * constant * (1.0 - weight * (1.0 - beta)) ** k
                tolerance = bench.solve_rounding(best.q, start.q, size) * min(
                    k + 1, 1.0 / (1.0 - beta)
                )
                error = np.abs(bench.difference(best.q, truth.q))
                doubt = best.error + truth.error + start.error
                names = {"start": name, "weight": weight, "round": k + 1}
                yield bench.at_most(error, bound, tolerance, doubt, **names)


@clause(
    "NPG",
    "update",
    "natural_policy_gradient with step eta takes exactly this step; eta = (1-gamma) / alpha is "
    "soft policy iteration.",
    "Cen et al. (2022), Eq. 15",
    (*SOFT, FACTORISABLE, SOMETHING),
)
def natural_update(bench: Bench) -> Iterator[Case]:
    problem, alpha = bench.problem, bench.temperature
    prior = np.where(problem.support, problem.log_prior, 0.0)
    for name, policy, before in bench.interior_policies()[:2]:
        kept = np.where(problem.support, policy, 0.0)
        for weight in STEPS[1:]:
            step = weight * (1.0 - bench.mdp.discount) / alpha
            if not 0.0 < step < np.inf:
                continue
            given = (bench.mdp, alpha)
            settings = {"step": step, "iterations": 1, "logits": kept, "prior": bench.prior}
            trace = bench.call("natural_policy_gradient", *given, **settings)
            found = getattr(trace, "log_policy", np.full(kept.shape, np.nan))
            goal = _goal(bench, before, kept - prior, weight)
            expected = alpha * problem.boltzmann(goal)
            tolerance = bench.solve_rounding(before.q, alpha * kept)
            names = {"policy": name, "weight": weight}
            yield bench.equal(alpha * found, expected, tolerance, before.error, **names)


# PG


def directions(bench: Bench) -> Iterator[tuple[str, ndarray]]:
    """Named directions in the space of logits, entries at most 1."""
    rng = bench.rng(42)
    shape = bench.problem.support.shape
    yield "random", rng.uniform(-1.0, 1.0, size=shape)
    yield "random signs", np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    state = int(rng.choice(np.flatnonzero(bench.problem.alive)))
    bump = np.zeros(shape)
    bump[state, int(np.argmax(bench.problem.support[state]))] = 1.0
    yield f"one action of state {state}", bump


def slope_of_value(
    bench: Bench, policy: ndarray, truth: Truth, direction: ndarray
) -> tuple[ndarray, float]:
    """dV^pi along a direction of the logits, (S,), by differentiating the linear system:
    (I - gamma P) dV = sum_a dpi(a|s) (Q^pi - alpha log(pi / prior)), and its error."""
    problem = bench.problem
    probability = np.where(problem.support, np.exp(policy.astype(np.longdouble)), 0.0)
    change = probability * (direction - (probability * direction).sum(axis=1, keepdims=True))
    prior = np.where(problem.support, problem.log_prior, 0.0)
    surprise = np.where(problem.support, policy, 0.0) - prior
    earned = np.where(problem.support, change * (truth.q - problem.temperature * surprise), 0.0)
    slope, error = problem.solve(policy, earned.sum(axis=1))
    return slope, error + 2.0 * truth.error / (1.0 - bench.beta)


@clause(
    "PG",
    "gradient",
    "dJ/dlogits(s,a) = d^pi(s) pi(a|s) (Q^pi - alpha log pi - V^pi)(s,a), the public "
    "policy_gradient: along any direction, the derivative of the solution of the linear system.",
    "soft policy gradient theorem; SQL App. B, Eqs. 26-32",
    (*SOFT, FACTORISABLE),
)
def policy_gradient(bench: Bench) -> Iterator[Case]:
    support = bench.problem.support
    for name, policy, truth in bench.interior_policies():
        logits = np.where(support, policy, 0.0)
        given = (bench.mdp, logits, bench.temperature)
        gradient = bench.call("policy_gradient", *given, prior=bench.prior)
        for along, direction in directions(bench):
            found = np.where(support, gradient * direction, 0.0).sum()
            yield from _slopes(bench, name, policy, truth, along, direction, found)


@clause(
    "PG",
    "by occupancy",
    "The same with d^pi from the public occupancy and Q^pi = r + gamma P V^pi by the operators.",
    "soft policy gradient theorem",
    (*SOFT, FACTORISABLE),
)
def gradient_by_occupancy(bench: Bench) -> Iterator[Case]:
    problem = bench.problem
    prior = np.where(problem.support, problem.log_prior, 0.0)
    for name, policy, truth in bench.interior_policies():
        visits = bench.call("occupancy", bench.mdp, np.exp(policy))
        q = bench.backup(truth.v.astype(np.float64))
        worth = q - bench.temperature * (np.where(problem.support, policy, 0.0) - prior)
        with np.errstate(all="ignore"):
            gradient = visits * (worth - truth.v[:, None])
        for along, direction in directions(bench):
            found = np.where(problem.support, gradient * direction, 0.0).sum()
            yield from _slopes(bench, name, policy, truth, along, direction, found)


def _slopes(
    bench: Bench,
    name: str,
    policy: ndarray,
    truth: Truth,
    along: str,
    direction: ndarray,
    found: float,
) -> Iterator[Case]:
    """The gradient's component along a direction against the differentiated system."""
    slope, error = slope_of_value(bench, policy, truth, direction)
    expected = bench.initial @ slope
    size = bench.temperature * np.where(bench.problem.support, policy, 0.0)
    tolerance = 2.0 * bench.solve_rounding(truth.q, size) / (1.0 - bench.beta)
    yield bench.equal(np.asarray(found), expected, tolerance, error, policy=name, along=along)


# PG-EQUIVALENCE


@clause(
    "PG-EQUIVALENCE",
    "gradients",
    "grad E[1/2 (Q - y)^2] = -alpha grad E_rho[<pi,y> - alpha KL(pi||prior)] + grad E_rho[1/2 "
    "(V - Vhat)^2] in every state: Q = V + alpha log(pi / prior), a ~ pi and the target y held "
    "fixed, Vhat = <pi,y> - alpha KL.",
    "Schulman, Chen, Abbeel (2017), Sec. 3",
    SOFT,
)
def equivalence(bench: Bench) -> Iterator[Case]:
    problem = bench.problem
    listed = list(inputs.q_functions(problem, bench.optimum, bench.rng(43)))
    for (q_name, q), (y_name, y) in zip(listed, listed[1:] + listed[:1]):
        first, second = _two_terms(bench, q, y)
        # d/dQ(s,b) of 1/2 E_pi[(Q - y)^2], pi held fixed
        with np.errstate(all="ignore"):
            left = np.exp(bench.boltzmann_policy(q)) * np.where(problem.support, q - y, 0.0)
        tolerance = bench.sweep_rounding(q, y)
        yield bench.equal(first + second, left, tolerance, q=q_name, target=y_name)


def _two_terms(bench: Bench, q: ndarray, y: ndarray) -> tuple[ndarray, ndarray]:
    """The two terms on the right, (S, A), by the operators, for the parameters Q(s,a): dV = pi and
    alpha dpi(a)/dQ(b) = pi(a) ([a = b] - pi(b))."""
    problem = bench.problem
    log_policy = bench.boltzmann_policy(q)
    prior = np.where(problem.support, problem.log_prior, 0.0)
    with np.errstate(all="ignore"):
        policy = np.where(problem.support, np.exp(log_policy), 0.0)
        surprise = np.where(policy > 0.0, log_policy - prior, 0.0)
        worth = np.where(problem.support, y - bench.temperature * surprise, 0.0)
        expected = bench.policy_value(y, log_policy)
        first = -policy * (worth - expected[:, None])
        second = policy * (bench.soft_value(q) - expected)[:, None]
    return first, second


@clause(
    "PG-EQUIVALENCE",
    "policy gradient",
    "The first term is -alpha grad J for rho = d^pi and y = Q^pi (the public policy_gradient).",
    "Schulman, Chen, Abbeel (2017), Sec. 3.2; PG",
    (*SOFT, FACTORISABLE),
)
def equivalent_to_gradient(bench: Bench) -> Iterator[Case]:
    problem = bench.problem
    for name, policy, truth in bench.interior_policies():
        with np.errstate(all="ignore"):
            prior = np.where(problem.support, problem.log_prior, 0.0)
            kept = np.where(problem.support, policy, 0.0) - prior
            q = bench.q_float(bench.temperature * kept)
        first, _ = _two_terms(bench, q, bench.q_float(truth.q))
        for along, direction in directions(bench):
            change = np.where(problem.support, -first * direction, 0.0).sum(axis=1)
            found, _ = problem.solve(policy, change)
            slope, error = slope_of_value(bench, policy, truth, direction)
            size = np.where(problem.support, q, 0.0)
            tolerance = 2.0 * bench.solve_rounding(truth.q, size) / (1.0 - bench.beta)
            yield bench.equal(found, slope, tolerance, error, policy=name, along=along)


CLAUSES = (
    newton_step,
    derivative,
    quadratic,
    natural_improves,
    natural_rate,
    natural_update,
    policy_gradient,
    gradient_by_occupancy,
    equivalence,
    equivalent_to_gradient,
)
