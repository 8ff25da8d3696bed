"""Rewards whose soft-optimal solution was chosen first: KNOWN."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.tabular.known_answers import FLOOR
from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.instance import Instance


def _answers(instance: Instance) -> Iterator[tuple[str, ndarray, ndarray, Instance]]:
    """Name, log pi (S, A) and V (S,) of answers, and the instance under their rewards."""
    problem, rng = instance.problem, instance.rng(72)
    size = inputs.size_of(problem, instance.optimum)
    uniform = problem.support / np.maximum(problem.support.sum(axis=1, keepdims=True), 1)
    for name, policy, _ in instance.policies[:3]:
        v = np.where(problem.nonterminal, size * rng.normal(size=len(uniform)), 0.0)
        given = np.exp(policy)
        known = instance.call("known_answer", instance.mdp, given, v, instance.temperature)
        if not hasattr(known, "mdp"):  # refused
            continue
        log_policy = np.log(np.where(problem.support, (1 - FLOOR) * given + FLOOR * uniform, 1.0))
        yield name, log_policy, v, instance.variant(mdp=known.mdp)


@clause("KNOWN", "optimum")
def known_optimum(instance: Instance) -> Iterator[Case]:
    """Under r = alpha log pi(a|s) + V(s) - gamma V(s') the soft Bellman operator leaves Q = alpha
    log pi + V where it is, and the Boltzmann policy of Q is pi."""
    alpha = instance.temperature
    for name, log_policy, v, made in _answers(instance):
        q = alpha * log_policy + v[:, None]
        tolerance = 2.0 * made.sweep_rounding(q)  # rewards are stored, then used
        hidden = inputs.hide(made.problem, q, inputs.size_of(instance.problem, instance.optimum))
        yield made.equal(made.soft_bellman(hidden), q, tolerance, policy=name)
        found = alpha * made.boltzmann_policy(hidden)
        yield made.equal(found, alpha * log_policy, tolerance, policy=name)


@clause("KNOWN", "loss")
def known_loss(instance: Instance) -> Iterator[Case]:
    """Under these rewards V - V^p = (I - gamma P_p)^-1 alpha KL(p || pi) for any policy p."""
    for name, log_policy, v, made in _answers(instance):
        for other, policy, _ in instance.policies[:4]:
            worth = made.evaluate(policy)
            lost = instance.temperature * instance.kl_divergence(policy, log_policy)
            found, error = made.problem.solve(policy, lost)
            tolerance = 2.0 * made.solve_rounding(worth.q, v)
            expected = made.difference(v, worth.v)
            yield made.equal(found, expected, tolerance, error + worth.error, pi=name, p=other)
