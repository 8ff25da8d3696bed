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
from maxent.theorems.instance import Instance

PATH_LENGTHS = (1, 2, 5, 10)


# SUBOPT


@clause(
    "SUBOPT",
    "identity",
    "V* - V^pi = alpha sum_s' d^pi_s(s') KL(pi(.|s') || pi*(.|s')) from every state s.",
    "performance difference; Mei et al. (2020), Lemma 26",
    SOFT,
)
def suboptimality(instance: Instance) -> Iterator[Case]:
    for name, policy, truth in instance.policies:
        lost = instance.temperature * instance.kl_divergence(policy, instance.best_policy)
        found, error = instance.problem.solve(policy, lost)
        tolerance = instance.solve_rounding(instance.optimum.q, truth.q)
        doubt = error + truth.error + instance.optimum.error
        expected = instance.difference(instance.optimum.v, truth.v)
        yield instance.equal(found, expected, tolerance, doubt, policy=name)


@clause(
    "SUBOPT",
    "by occupancy",
    "J(pi*) - J(pi) = alpha sum_s d^pi(s) KL(pi(.|s) || pi*(.|s)), d^pi the public occupancy.",
    "performance difference",
    (*SOFT, FACTORISABLE),
)
def suboptimality_by_occupancy(instance: Instance) -> Iterator[Case]:
    for name, policy, truth in instance.policies:
        visits = _visits(instance, policy)
        lost = instance.temperature * instance.kl_divergence(policy, instance.best_policy)
        found = np.where(instance.problem.nonterminal, visits * lost, 0.0).sum()
        tolerance = instance.solve_rounding(instance.optimum.q, truth.q) / (1.0 - instance.beta)
        doubt = truth.error + instance.optimum.error
        expected = instance.initial @ instance.difference(instance.optimum.v, truth.v)
        yield instance.equal(np.asarray(found), expected, tolerance, doubt, policy=name)


def _visits(instance: Instance, log_policy: ndarray) -> ndarray:
    """d^pi (S,) from the initial distribution, by the public `occupancy`."""
    found = instance.call("occupancy", instance.mdp, np.exp(log_policy))
    return np.broadcast_to(found, instance.problem.support.shape).sum(axis=1)


# ENVELOPE


@clause(
    "ENVELOPE",
    "subgradient",
    "V*_b >= V*_a + (b - a) entropy(pi*_a) for all temperatures a, b, from every state: the slope "
    "of V*_alpha is the discounted entropy, and V*_alpha is convex in alpha.",
    "the maximum of functions affine in alpha",
    SOFT,
)
def envelope(instance: Instance) -> Iterator[Case]:
    for low, high, rounding in pairs(instance):
        for one, two in ((low, high), (high, low)):
            a, b = one.instance.temperature, two.instance.temperature
            value, other = one.instance.optimum.v, two.instance.optimum.v
            doubt = low.error + high.error
            names = {"a": a, "b": b}
            tangent = value + (b - a) * one.entropies
            yield instance.at_most(tangent, other, rounding, doubt, **names)


@clause(
    "ENVELOPE",
    "entropy from the occupancy",
    "The public discounted_entropy of pi*_alpha is that slope (times alpha): J*_alpha - return.",
    "J_alpha = return + alpha * entropy",
    (*SOFT, FACTORISABLE),
)
def envelope_by_occupancy(instance: Instance) -> Iterator[Case]:
    found = performance(instance)
    policy = np.exp(instance.best_policy)
    given = instance.call("discounted_entropy", instance.mdp, policy, prior=instance.prior)
    earned = instance.call("policy_return", instance.mdp, policy)
    tolerance = found.rounding / (1.0 - instance.beta)
    objective = instance.initial @ instance.optimum.v
    expected = objective - instance.initial @ found.returns
    value = np.asarray(instance.temperature * given)
    yield instance.equal(value, expected, tolerance, found.error, part="entropy")
    together = np.asarray(earned + instance.temperature * given)
    yield instance.equal(together, objective, tolerance, found.error, part="J")


# SENSITIVITY


def _reward_steps(instance: Instance) -> list[tuple[str, Instance, ndarray, float]]:
    """Name, the instance with r + delta, delta (S, A) as rounding leaves it, and its size."""
    if "reward steps" not in instance.shared:
        problem, rng = instance.problem, instance.rng(50)
        made = []
        reach = instance.temperature * (1.0 - instance.beta)
        for name, size in (("small", 1e-3 * reach), ("large", reach))[
            : 2 if instance.is_small else 1
        ]:
            delta = np.where(
                problem.support, size * rng.uniform(-1.0, 1.0, problem.support.shape), 0
            )
            reward = np.where(problem.support, instance.mdp.reward + delta, 0.0)
            other = instance.variant(mdp=instance.mdp.replace(reward=reward))
            other.start = instance.optimum.q
            exact = other.problem.reward - problem.reward
            made.append((name, other, exact, float(np.abs(exact).max(initial=0.0))))
        instance.shared["reward steps"] = made
    return instance.shared["reward steps"]


def _gain(instance: Instance, policy: ndarray, delta: ndarray) -> tuple[ndarray, float]:
    """sum over time of E[delta] under a policy, from each state."""
    with np.errstate(all="ignore"):
        earned = np.where(instance.problem.support, np.exp(policy) * delta, 0.0).sum(axis=1)
    return instance.problem.solve(policy, earned)


@clause(
    "SENSITIVITY",
    "occupancy is the gradient",
    "With x* the occupancy of pi*: 0 <= J*_(r+delta) - J*_r - <x*,delta> <= max_s span_a(delta + "
    "gamma P (V*_(r+delta) - V*_r))^2 / (8 alpha (1-gamma)), so dJ*/dr(s,a) = x*(s,a); from every "
    "state.",
    "convexity of V* in r; Hoeffding's lemma",
    SOFT,
)
def sensitivity(instance: Instance) -> Iterator[Case]:
    problem = instance.problem
    for name, other, delta, _ in _reward_steps(instance):
        gain, error = _gain(instance, instance.best_policy, delta)
        change = instance.difference(other.optimum.v, instance.optimum.v)
        width = float(span(instance, delta + problem.discount * problem.expect(change)).max())
        most = width * (width / (8.0 * instance.temperature)) / (1.0 - instance.beta)
        tolerance = instance.solve_rounding(instance.optimum.q, other.optimum.q)
        doubt = error + instance.optimum.error + other.optimum.error
        yield instance.at_most(gain, change, tolerance, doubt, delta=name, side="lower")
        yield instance.at_most(change, gain + most, tolerance, doubt, delta=name, side="upper")


@clause(
    "SENSITIVITY",
    "public occupancy",
    "occupancy(mdp, pi*) is that gradient: <x*,delta> from the initial distribution.",
    "the definition of x*",
    (*SOFT, FACTORISABLE),
)
def sensitivity_by_occupancy(instance: Instance) -> Iterator[Case]:
    visits = instance.call("occupancy", instance.mdp, np.exp(instance.best_policy))
    for name, _, delta, size in _reward_steps(instance):
        with np.errstate(all="ignore"):
            found = np.where(instance.problem.support, visits * delta, 0.0).sum()
        gain, error = _gain(instance, instance.best_policy, delta)
        k = instance.problem.longest_row + instance.problem.n_actions + 8
        carried = size / (1.0 - instance.beta) ** 2
        tolerance = 4.0 * np.finfo(np.float64).eps * k * carried
        yield instance.equal(
            np.asarray(found), instance.initial @ gain, tolerance, error, delta=name
        )


# PATH


@clause(
    "PATH",
    "one step",
    "V*(s) = r(s,a) - alpha log(pi*(a|s) / prior(a|s)) + gamma E[V*(s')] for every action.",
    "Nachum et al. (2017), Theorem 1",
    SOFT,
)
def one_step(instance: Instance) -> Iterator[Case]:
    best = instance.optimum
    kept = _surprise(instance)
    reached = instance.difference(instance.backup(np.asarray(best.v, np.float64)), kept)
    expected = np.broadcast_to(best.v[:, None], kept.shape)
    tolerance = 2.0 * instance.sweep_rounding(best.q)
    yield instance.equal(reached, expected, tolerance, 2.0 * best.residual)


@clause(
    "PATH",
    "many steps",
    "V*(s_0) = E[ sum_(i<d) gamma^i (r_i - alpha log(pi*(a_i|s_i) / prior)) + gamma^d V*(s_d) ] "
    "for d steps of *any* policy; along every single path where the dynamics are deterministic.",
    "Nachum et al. (2017), Theorem 1",
    SOFT,
)
def many_steps(instance: Instance) -> Iterator[Case]:
    problem, best = instance.problem, instance.optimum
    kept = problem.reward - _surprise(instance)
    for name, policy, _ in instance.policies:
        taken = np.where(problem.support, np.exp(policy.astype(np.longdouble)), 0.0)
        v = best.v
        for d in range(1, PATH_LENGTHS[-1] + 1):
            terms = kept + problem.discount * problem.expect(v)
            with np.errstate(invalid="ignore"):
                v = np.where(taken > 0.0, taken * terms, 0.0).sum(axis=1)
            if d in PATH_LENGTHS:
                tolerance = 2.0 * instance.sweep_rounding(best.q) * d
                yield instance.equal(
                    v, best.v, tolerance, 2.0 * d * best.residual, policy=name, d=d
                )


def _surprise(instance: Instance) -> ndarray:
    """alpha log(pi* / prior), (S, A), by the operator; 0 outside the support."""
    support, prior = instance.problem.support, instance.problem.log_prior
    with np.errstate(all="ignore"):
        found = instance.temperature * (instance.best_policy - np.where(support, prior, 0.0))
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
