"""Entropy as insurance against a worse reward: ROBUST."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.instance import Instance


@clause("ROBUST", "minimum")
def worst_reward(instance: Instance) -> Iterator[Case]:
    """V^pi <= E_pi sum gamma^t (r - Delta) for every Delta with sum_a exp(Delta(s,a) / alpha) <= 1
    in every state, with equality at Delta = alpha log pi."""
    problem = instance.problem
    adversaries = [
        (f"B({name})", instance.boltzmann_policy(q))
        for name, q in inputs.q_functions(problem, instance.optimum, instance.rng(72))
    ]
    for i, (name, policy, truth) in enumerate(instance.interior_policies()):
        answers = [adversaries[i % len(adversaries)], ("pi itself", policy)]
        for other, log_rho in answers:
            left, error = _hard_value(instance, policy, _paid(instance, log_rho))
            size = float(np.abs(_cost(instance, log_rho)[problem.support]).max(initial=0.0))
            tolerance = instance.solve_rounding(truth.q, np.asarray(size))
            doubt = error + truth.error
            witness = {"policy": name, "Delta": other}
            yield instance.at_most(truth.v, left, tolerance, doubt, **witness)
            if log_rho is policy:
                yield instance.equal(truth.v, left, tolerance, doubt, **witness)


@clause(
    "ROBUST", "indifference", source="PATH: r - alpha log pi* + gamma E[V*] = V* at every action"
)
def indifference(instance: Instance) -> Iterator[Case]:
    """Under the reward r - alpha log pi* every policy has the hard value V*."""
    best = instance.optimum
    paid = _paid(instance, instance.best_policy)
    for name, policy, _ in instance.policies:
        found, error = _hard_value(instance, policy, paid)
        tolerance = instance.solve_rounding(best.q)
        yield instance.equal(found, best.v, tolerance, error + best.error, policy=name)


def _cost(instance: Instance, log_policy: ndarray) -> ndarray:
    """Delta = alpha log(pi / prior), (S, A), in extended precision; 0 outside the support."""
    problem = instance.problem
    with np.errstate(invalid="ignore"):
        apart = log_policy.astype(np.longdouble) - problem.log_prior
    return np.where(problem.support, problem.temperature * apart, 0.0)


def _paid(instance: Instance, log_policy: ndarray) -> ndarray:
    """r - Delta."""
    return instance.difference(instance.problem.reward, _cost(instance, log_policy))


def _hard_value(instance: Instance, log_policy: ndarray, reward: ndarray) -> tuple[ndarray, float]:
    """E_pi sum gamma^t reward, (S,), and a bound on its error."""
    with np.errstate(all="ignore"):
        policy = np.exp(log_policy.astype(np.longdouble))
        taken = instance.problem.support & (policy > 0.0)
        earned = np.where(taken, policy * reward, 0.0).sum(axis=1)
    return instance.problem.solve(log_policy, earned)
