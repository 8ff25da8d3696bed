"""Identities that tie the parts together: SUBOPT, ENVELOPE, SENSITIVITY, PATH.

Where a statement is a derivative, the inequalities that make it one are checked, at temperatures or
rewards that differ by a finite amount: they have no truncation error.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems.check import Case, clause
from maxent.theorems.clauses.newton import span
from maxent.theorems.clauses.temperatures import pairs, performance
from maxent.theorems.hypotheses import FACTORISABLE, SOFT
from maxent.theorems.instance import Bench

PATH_LENGTHS = (1, 2, 5, 10)


# SUBOPT


@clause(
    "SUBOPT",
    "identity",
    "V* - V^pi = alpha sum_s' d^pi_s(s') KL(pi(.|s') || pi*(.|s')) from every state s.",
    "performance difference; Mei et al. (2020), Lemma 26",
    SOFT,
)
def suboptimality(bench: Bench) -> Iterator[Case]:
    for name, policy, truth in bench.policies:
        lost = bench.temperature * bench.kl_divergence(policy, bench.best_policy)
        found, error = bench.problem.solve(policy, lost)
        tolerance = bench.solve_rounding(bench.optimum.q, truth.q)
        doubt = error + truth.error + bench.optimum.error
        expected = bench.difference(bench.optimum.v, truth.v)
        yield bench.equal(found, expected, tolerance, doubt, policy=name)


@clause(
    "SUBOPT",
    "by occupancy",
    "J(pi*) - J(pi) = alpha sum_s d^pi(s) KL(pi(.|s) || pi*(.|s)), d^pi the public occupancy.",
    "performance difference",
    (*SOFT, FACTORISABLE),
)
def suboptimality_by_occupancy(bench: Bench) -> Iterator[Case]:
    for name, policy, truth in bench.policies:
        visits = _visits(bench, policy)
        lost = bench.temperature * bench.kl_divergence(policy, bench.best_policy)
        found = np.where(bench.problem.alive, visits * lost, 0.0).sum()
        tolerance = bench.solve_rounding(bench.optimum.q, truth.q) / (1.0 - bench.beta)
        doubt = truth.error + bench.optimum.error
        expected = bench.initial @ bench.difference(bench.optimum.v, truth.v)
        yield bench.equal(np.asarray(found), expected, tolerance, doubt, policy=name)


def _visits(bench: Bench, log_policy: ndarray) -> ndarray:
    """d^pi (S,) from the initial distribution, by the public `occupancy`."""
    found = bench.call("occupancy", bench.mdp, np.exp(log_policy))
    return np.broadcast_to(found, bench.problem.support.shape).sum(axis=1)


# ENVELOPE


@clause(
    "ENVELOPE",
    "subgradient",
    "V*_b >= V*_a + (b - a) entropy(pi*_a) for all temperatures a, b, from every state: the slope "
    "of V*_alpha is the discounted entropy, and V*_alpha is convex in alpha.",
    "the maximum of functions affine in alpha",
    SOFT,
)
def envelope(bench: Bench) -> Iterator[Case]:
    for low, high, rounding in pairs(bench):
        for one, two in ((low, high), (high, low)):
            a, b = one.bench.temperature, two.bench.temperature
            value, other = one.bench.optimum.v, two.bench.optimum.v
            doubt = low.error + high.error
            names = {"a": a, "b": b}
            tangent = value + (b - a) * one.entropies
            yield bench.at_most(tangent, other, rounding, doubt, **names)


@clause(
    "ENVELOPE",
    "entropy from the occupancy",
    "The public discounted_entropy of pi*_alpha is that slope (times alpha): J*_alpha - return.",
    "J_alpha = return + alpha * entropy",
    (*SOFT, FACTORISABLE),
)
def envelope_by_occupancy(bench: Bench) -> Iterator[Case]:
    found = performance(bench)
    policy = np.exp(bench.best_policy)
    given = bench.call("discounted_entropy", bench.mdp, policy, prior=bench.prior)
    earned = bench.call("policy_return", bench.mdp, policy)
    tolerance = found.rounding / (1.0 - bench.beta)
    objective = bench.initial @ bench.optimum.v
    expected = objective - bench.initial @ found.returns
    value = np.asarray(bench.temperature * given)
    yield bench.equal(value, expected, tolerance, found.error, part="entropy")
    together = np.asarray(earned + bench.temperature * given)
    yield bench.equal(together, objective, tolerance, found.error, part="J")


# SENSITIVITY


def _reward_steps(bench: Bench) -> list[tuple[str, Bench, ndarray, float]]:
    """Name, the bench with r + delta, delta (S, A) as rounding leaves it, and its size."""
    if "reward steps" not in bench.shared:
        problem, rng = bench.problem, bench.rng(50)
        made = []
        reach = bench.temperature * (1.0 - bench.beta)
        for name, size in (("small", 1e-3 * reach), ("large", reach))[: 2 if bench.is_small else 1]:
            delta = np.where(
                problem.support, size * rng.uniform(-1.0, 1.0, problem.support.shape), 0
            )
            reward = np.where(problem.support, bench.mdp.reward + delta, 0.0)
            other = bench.variant(mdp=bench.mdp.replace(reward=reward))
            other.start = bench.optimum.q
            exact = other.problem.reward - problem.reward
            made.append((name, other, exact, float(np.abs(exact).max(initial=0.0))))
        bench.shared["reward steps"] = made
    return bench.shared["reward steps"]


def _gain(bench: Bench, policy: ndarray, delta: ndarray) -> tuple[ndarray, float]:
    """sum over time of E[delta] under a policy, from each state."""
    with np.errstate(all="ignore"):
        earned = np.where(bench.problem.support, np.exp(policy) * delta, 0.0).sum(axis=1)
    return bench.problem.solve(policy, earned)


@clause(
    "SENSITIVITY",
    "occupancy is the gradient",
    "With x* the occupancy of pi*: 0 <= J*_(r+delta) - J*_r - <x*,delta> <= max_s span_a(delta + "
    "gamma P (V*_(r+delta) - V*_r))^2 / (8 alpha (1-gamma)), so dJ*/dr(s,a) = x*(s,a); from every "
    "state.",
    "convexity of V* in r; Hoeffding's lemma",
    SOFT,
)
def sensitivity(bench: Bench) -> Iterator[Case]:
    problem = bench.problem
    for name, other, delta, _ in _reward_steps(bench):
        gain, error = _gain(bench, bench.best_policy, delta)
        change = bench.difference(other.optimum.v, bench.optimum.v)
        width = float(span(bench, delta + problem.discount * problem.expect(change)).max())
        most = width * (width / (8.0 * bench.temperature)) / (1.0 - bench.beta)
        tolerance = bench.solve_rounding(bench.optimum.q, other.optimum.q)
        doubt = error + bench.optimum.error + other.optimum.error
        yield bench.at_most(gain, change, tolerance, doubt, delta=name, side="lower")
        yield bench.at_most(change, gain + most, tolerance, doubt, delta=name, side="upper")


@clause(
    "SENSITIVITY",
    "public occupancy",
    "occupancy(mdp, pi*) is that gradient: <x*,delta> from the initial distribution.",
    "the definition of x*",
    (*SOFT, FACTORISABLE),
)
def sensitivity_by_occupancy(bench: Bench) -> Iterator[Case]:
    visits = bench.call("occupancy", bench.mdp, np.exp(bench.best_policy))
    for name, _, delta, size in _reward_steps(bench):
        with np.errstate(all="ignore"):
            found = np.where(bench.problem.support, visits * delta, 0.0).sum()
        gain, error = _gain(bench, bench.best_policy, delta)
        k = bench.problem.longest_row + bench.problem.n_actions + 8
        carried = size / (1.0 - bench.beta) ** 2
        tolerance = 4.0 * np.finfo(np.float64).eps * k * carried
        yield bench.equal(np.asarray(found), bench.initial @ gain, tolerance, error, delta=name)


# PATH


@clause(
    "PATH",
    "one step",
    "V*(s) = r(s,a) - alpha log(pi*(a|s) / prior(a|s)) + gamma E[V*(s')] for every action.",
    "Nachum et al. (2017), Theorem 1",
    SOFT,
)
def one_step(bench: Bench) -> Iterator[Case]:
    best = bench.optimum
    kept = _surprise(bench)
    reached = bench.difference(bench.backup(np.asarray(best.v, np.float64)), kept)
    expected = np.broadcast_to(best.v[:, None], kept.shape)
    tolerance = 2.0 * bench.sweep_rounding(best.q)
    yield bench.equal(reached, expected, tolerance, 2.0 * best.residual)


@clause(
    "PATH",
    "many steps",
    "V*(s_0) = E[ sum_(i<d) gamma^i (r_i - alpha log(pi*(a_i|s_i) / prior)) + gamma^d V*(s_d) ] "
    "for d steps of *any* policy; along every single path where the dynamics are deterministic.",
    "Nachum et al. (2017), Theorem 1",
    SOFT,
)
def many_steps(bench: Bench) -> Iterator[Case]:
    problem, best = bench.problem, bench.optimum
    kept = problem.reward - _surprise(bench)
    for name, policy, _ in bench.policies:
        taken = np.where(problem.support, np.exp(policy.astype(np.longdouble)), 0.0)
        v = best.v
        for d in range(1, PATH_LENGTHS[-1] + 1):
            terms = kept + problem.discount * problem.expect(v)
            with np.errstate(invalid="ignore"):
                v = np.where(taken > 0.0, taken * terms, 0.0).sum(axis=1)
            if d in PATH_LENGTHS:
                tolerance = 2.0 * bench.sweep_rounding(best.q) * d
                yield bench.equal(v, best.v, tolerance, 2.0 * d * best.residual, policy=name, d=d)


def _surprise(bench: Bench) -> ndarray:
    """alpha log(pi* / prior), (S, A), by the operator; 0 outside the support."""
    support, prior = bench.problem.support, bench.problem.log_prior
    with np.errstate(all="ignore"):
        found = bench.temperature * (bench.best_policy - np.where(support, prior, 0.0))
    return np.where(support, found, 0.0)


CLAUSES = (
    suboptimality,
    suboptimality_by_occupancy,
    envelope,
    envelope_by_occupancy,
    sensitivity,
    sensitivity_by_occupancy,
    one_step,
    many_steps,
)
