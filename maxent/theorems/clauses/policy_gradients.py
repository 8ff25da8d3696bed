"""Gradients of the objective in the policy: NPG, PG, PG-EQUIVALENCE.

A derivative is never taken by finite differences: the linear system of the value is differentiated
along a direction, in extended precision, and solved.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import FACTORISABLE, SOMETHING
from maxent.theorems.instance import Instance
from maxent.theorems.reference import ReferenceValue

STEPS = (0.25, 0.5, 1.0)
"""Natural gradient steps, in units of the largest one, (1-gamma) / alpha."""
NPG_ROUNDS = 6


# NPG


def natural_step(
    instance: Instance, policy: ndarray, truth: ReferenceValue, weight: float
) -> ndarray:
    """log of the policy after one natural gradient step of `weight` times the largest: the
    Boltzmann policy of weight Q^pi + (1 - weight) alpha log(pi / prior), by the operator."""
    kept = np.where(instance.problem.support, policy, 0.0) - instance.problem.bonus
    return instance.boltzmann_policy(instance.q_float(_goal(instance, truth, kept, weight)))


def _goal(instance: Instance, truth: ReferenceValue, kept: ndarray, weight: float) -> ndarray:
    return weight * truth.q + (1.0 - weight) * instance.problem.temperature * kept


@clause("NPG", "improvement")
def natural_improves(instance: Instance) -> Iterator[Case]:
    """pi' proportional to pi^(1 - w) exp(w Q^pi / alpha), w = eta alpha / (1-gamma) in (0, 1], has
    V^pi' >= V^pi in every state."""
    for name, policy, before in instance.interior_policies():
        for weight in STEPS if instance.is_small else STEPS[1:2]:
            after = instance.evaluate(natural_step(instance, policy, before, weight))
            size = instance.temperature * np.where(instance.problem.support, policy, 0.0)
            tolerance = instance.solve_rounding(before.q, instance.optimum.q, size)
            doubt = before.error + after.error
            yield instance.at_most(before.v, after.v, tolerance, doubt, policy=name, weight=weight)


@clause("NPG", "rate", source="Cen et al. (2022), Theorem 1")
def natural_rate(instance: Instance) -> Iterator[Case]:
    """max |Q* - Q^pi_(k+1)| <= gamma (max |Q* - Q^pi_0| + 2 alpha (1-w) max |log pi* - log pi_0|)
    (1 - eta alpha)^k."""
    best, beta, problem = instance.optimum, instance.beta, instance.problem
    log_best = np.where(problem.support, problem.boltzmann(best.q), 0.0)
    rounds = NPG_ROUNDS if instance.is_small else 1
    for name, policy, start in instance.interior_policies()[: 3 if instance.is_small else 1]:
        apart = np.abs(np.where(problem.support, policy, 0.0) - log_best).max()
        size = instance.temperature * np.where(problem.support, policy, 0.0)
        for weight in STEPS if instance.is_small else STEPS[1:2]:
            constant = instance.distance(best.q, start.q) + 2.0 * instance.temperature * float(
                (1.0 - weight) * apart
            )
            now, truth = policy, start
            for k in range(rounds):
                now = natural_step(instance, now, truth, weight)
                truth = instance.evaluate(now)
                bound = beta * constant * (1.0 - weight * (1.0 - beta)) ** k
                tolerance = instance.solve_rounding(best.q, start.q, size) * min(
                    k + 1, 1.0 / (1.0 - beta)
                )
                error = np.abs(instance.difference(best.q, truth.q))
                doubt = best.error + truth.error + start.error
                names = {"start": name, "weight": weight, "round": k + 1}
                yield instance.at_most(error, bound, tolerance, doubt, **names)


@clause("NPG", "update", FACTORISABLE, SOMETHING, source="Cen et al. (2022), Eq. 15")
def natural_update(instance: Instance) -> Iterator[Case]:
    """natural_policy_gradient with step eta takes exactly this step; eta = (1-gamma) / alpha is
    soft policy iteration."""
    problem, alpha = instance.problem, instance.temperature
    for name, policy, before in instance.interior_policies()[:2]:
        kept = np.where(problem.support, policy, 0.0)
        for weight in STEPS[1:]:
            step = weight * (1.0 - instance.mdp.discount) / alpha
            if not 0.0 < step < np.inf:
                continue
            given = (instance.mdp, alpha)
            settings = {"step": step, "iterations": 1, "logits": kept, "prior": instance.prior}
            trace = instance.call("natural_policy_gradient", *given, **settings)
            found = getattr(trace, "log_policy", np.full(kept.shape, np.nan))
            goal = _goal(instance, before, kept - problem.bonus, weight)
            expected = alpha * problem.boltzmann(goal)
            tolerance = instance.solve_rounding(before.q, alpha * kept)
            names = {"policy": name, "weight": weight}
            yield instance.equal(alpha * found, expected, tolerance, before.error, **names)


# PG


def directions(instance: Instance) -> Iterator[tuple[str, ndarray]]:
    """Named directions in the space of logits, entries at most 1."""
    rng = instance.rng(42)
    shape = instance.problem.support.shape
    yield "random", rng.uniform(-1.0, 1.0, size=shape)
    yield "random signs", np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    state = int(rng.choice(np.flatnonzero(instance.problem.nonterminal)))
    bump = np.zeros(shape)
    bump[state, int(np.argmax(instance.problem.support[state]))] = 1.0
    yield f"one action of state {state}", bump


def slope_of_value(
    instance: Instance, policy: ndarray, truth: ReferenceValue, direction: ndarray
) -> tuple[ndarray, float]:
    """dV^pi along a direction of the logits, (S,), by differentiating the linear system:
    (I - gamma P) dV = sum_a dpi(a|s) (Q^pi - alpha log(pi / prior)), and its error."""
    problem = instance.problem
    probability = np.where(problem.support, np.exp(policy.astype(np.longdouble)), 0.0)
    change = probability * (direction - (probability * direction).sum(axis=1, keepdims=True))
    surprise = np.where(problem.support, policy, 0.0) - problem.bonus
    earned = np.where(problem.support, change * (truth.q - problem.temperature * surprise), 0.0)
    slope, error = problem.solve(policy, earned.sum(axis=1))
    return slope, error + 2.0 * truth.error / (1.0 - instance.beta)


@clause("PG", "gradient")
def policy_gradient(instance: Instance) -> Iterator[Case]:
    """dJ/dlogits(s,a) = d^pi(s) pi(a|s) (Q^pi - alpha log pi - V^pi)(s,a), the public
    policy_gradient: along any direction, the derivative of the solution of the linear system."""
    support = instance.problem.support
    for name, policy, truth in instance.interior_policies():
        logits = np.where(support, policy, 0.0)
        given = (instance.mdp, logits, instance.temperature)
        gradient = instance.call("policy_gradient", *given, prior=instance.prior)
        for along, direction in directions(instance):
            found = np.where(support, gradient * direction, 0.0).sum()
            yield from _slopes(instance, name, policy, truth, along, direction, found)


@clause("PG", "by occupancy", source="soft policy gradient theorem")
def gradient_by_occupancy(instance: Instance) -> Iterator[Case]:
    """The same with d^pi from the public occupancy and Q^pi = r + gamma P V^pi by the operators."""
    problem = instance.problem
    for name, policy, truth in instance.interior_policies():
        visits = instance.call("occupancy", instance.mdp, np.exp(policy))
        q = instance.backup(truth.v.astype(np.float64))
        worth = q - instance.temperature * (np.where(problem.support, policy, 0.0) - problem.bonus)
        with np.errstate(all="ignore"):
            gradient = visits * (worth - truth.v[:, None])
        for along, direction in directions(instance):
            found = np.where(problem.support, gradient * direction, 0.0).sum()
            yield from _slopes(instance, name, policy, truth, along, direction, found)


def _slopes(
    instance: Instance,
    name: str,
    policy: ndarray,
    truth: ReferenceValue,
    along: str,
    direction: ndarray,
    found: np.floating,
) -> Iterator[Case]:
    """The gradient's component along a direction against the differentiated system."""
    slope, error = slope_of_value(instance, policy, truth, direction)
    expected = instance.initial @ slope
    size = instance.temperature * np.where(instance.problem.support, policy, 0.0)
    tolerance = 2.0 * instance.solve_rounding(truth.q, size) / (1.0 - instance.beta)
    yield instance.equal(np.asarray(found), expected, tolerance, error, policy=name, along=along)


# PG-EQUIVALENCE


@clause("PG-EQUIVALENCE", "gradients")
def equivalence(instance: Instance) -> Iterator[Case]:
    """grad E[1/2 (Q - y)^2] = -alpha grad E_rho[<pi,y> - alpha KL(pi||prior)] + grad E_rho[1/2 (V -
    Vhat)^2] in every state: Q = V + alpha log(pi / prior), a ~ pi and the target y held fixed, Vhat
    = <pi,y> - alpha KL."""
    problem = instance.problem
    listed = list(inputs.q_functions(problem, instance.optimum, instance.rng(43)))
    for (q_name, q), (y_name, y) in zip(listed, listed[1:] + listed[:1]):
        first, second = _two_terms(instance, q, y)
        # d/dQ(s,b) of 1/2 E_pi[(Q - y)^2], pi held fixed
        with np.errstate(all="ignore"):
            left = np.exp(instance.boltzmann_policy(q)) * np.where(problem.support, q - y, 0.0)
        tolerance = instance.sweep_rounding(q, y)
        yield instance.equal(first + second, left, tolerance, q=q_name, target=y_name)


def _two_terms(instance: Instance, q: ndarray, y: ndarray) -> tuple[ndarray, ndarray]:
    """The two terms on the right, (S, A), by the operators, for the parameters Q(s,a): dV = pi and
    alpha dpi(a)/dQ(b) = pi(a) ([a = b] - pi(b))."""
    problem = instance.problem
    log_policy = instance.boltzmann_policy(q)
    with np.errstate(all="ignore"):
        policy = np.where(problem.support, np.exp(log_policy), 0.0)
        surprise = np.where(policy > 0.0, log_policy - problem.bonus, 0.0)
        worth = np.where(problem.support, y - instance.temperature * surprise, 0.0)
        expected = instance.policy_value(y, log_policy)
        first = -policy * (worth - expected[:, None])
        second = policy * (instance.soft_value(q) - expected)[:, None]
    return first, second


@clause(
    "PG-EQUIVALENCE",
    "policy gradient",
    FACTORISABLE,
    source="Schulman, Chen, Abbeel (2017), Sec. 3.2; PG",
)
def equivalent_to_gradient(instance: Instance) -> Iterator[Case]:
    """The first term is -alpha grad J for rho = d^pi and y = Q^pi (the public policy_gradient)."""
    problem = instance.problem
    for name, policy, truth in instance.interior_policies():
        with np.errstate(all="ignore"):
            kept = np.where(problem.support, policy, 0.0) - problem.bonus
            q = instance.q_float(instance.temperature * kept)
        first, _ = _two_terms(instance, q, instance.q_float(truth.q))
        for along, direction in directions(instance):
            change = np.where(problem.support, -first * direction, 0.0).sum(axis=1)
            found, _ = problem.solve(policy, change)
            slope, error = slope_of_value(instance, policy, truth, direction)
            size = np.where(problem.support, q, 0.0)
            tolerance = 2.0 * instance.solve_rounding(truth.q, size) / (1.0 - instance.beta)
            yield instance.equal(found, slope, tolerance, error, policy=name, along=along)
