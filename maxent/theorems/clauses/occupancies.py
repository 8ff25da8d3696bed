"""What occupancies tell: SUBOPT, SENSITIVITY; a convex program over them: `convex_program.py`.

Where a statement is a derivative, the inequalities that make it one are checked, at rewards that
differ by a finite amount: they have no truncation error.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.clauses.newtons_method import span
from maxent.theorems.hypotheses import FACTORISABLE
from maxent.theorems.instance import Instance, once

# SUBOPT


@clause("SUBOPT", "identity")
def suboptimality(instance: Instance) -> Iterator[Case]:
    """V* - V^pi = alpha sum_s' d^pi_s(s') KL(pi(.|s') || pi*(.|s')) from every state s."""
    for name, policy, truth in instance.policies:
        lost = instance.temperature * instance.kl_divergence(policy, instance.best_policy)
        found, error = instance.problem.solve(policy, lost)
        tolerance = instance.solve_rounding(instance.optimum.q, truth.q)
        doubt = error + truth.error + instance.optimum.error
        expected = instance.difference(instance.optimum.v, truth.v)
        yield instance.equal(found, expected, tolerance, doubt, policy=name)


@clause("SUBOPT", "by occupancy", FACTORISABLE, source="performance difference")
def suboptimality_by_occupancy(instance: Instance) -> Iterator[Case]:
    """J(pi*) - J(pi) = alpha sum_s d^pi(s) KL(pi(.|s) || pi*(.|s)), d^pi the public occupancy."""
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
    result: ndarray = np.broadcast_to(found, instance.problem.support.shape).sum(axis=1)
    return result


# SENSITIVITY


@once
def _reward_steps(instance: Instance) -> list[tuple[str, Instance, ndarray, float]]:
    """Name, the instance with r + delta, delta (S, A) as rounding leaves it, and its size."""
    problem, rng = instance.problem, instance.rng(50)
    made = []
    reach = instance.temperature * (1.0 - instance.beta)
    sizes = {"small": 1e-3 * reach} | ({"large": reach} if instance.is_small else {})
    for name, size in sizes.items():
        delta = np.where(problem.support, size * rng.uniform(-1.0, 1.0, problem.support.shape), 0)
        reward = np.where(problem.support, instance.mdp.reward + delta, 0.0)
        other = instance.variant(mdp=instance.mdp.replace(reward=reward))
        other.start = instance.optimum.q
        exact = other.problem.reward - problem.reward
        made.append((name, other, exact, float(np.abs(exact).max(initial=0.0))))
    return made


def _gain(instance: Instance, policy: ndarray, delta: ndarray) -> tuple[ndarray, float]:
    """sum over time of E[delta] under a policy, from each state."""
    with np.errstate(all="ignore"):
        earned = np.where(instance.problem.support, np.exp(policy) * delta, 0.0).sum(axis=1)
    return instance.problem.solve(policy, earned)


@clause("SENSITIVITY", "occupancy is the gradient")
def sensitivity(instance: Instance) -> Iterator[Case]:
    """With x* the occupancy of pi*: 0 <= J*_(r+delta) - J*_r - <x*,delta> <= max_s span_a(delta +
    gamma P (V*_(r+delta) - V*_r))^2 / (8 alpha (1-gamma)), so dJ*/dr(s,a) = x*(s,a); from every
    state."""
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


@clause("SENSITIVITY", "public occupancy", FACTORISABLE, source="the definition of x*")
def sensitivity_by_occupancy(instance: Instance) -> Iterator[Case]:
    """occupancy(mdp, pi*) is that gradient: <x*,delta> from the initial distribution."""
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
