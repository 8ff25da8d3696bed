"""What one policy gains over another, and what an error in Q costs: SOFT-PDL, APPROX."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.support.arrays import logs
from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import EXACT_ROWS, NO_TERMINAL
from maxent.theorems.instance import SWEEPS_CHECKED, Instance

# SOFT-PDL


@clause("SOFT-PDL", "identity")
def difference_identity(instance: Instance) -> Iterator[Case]:
    """V^p' - V^p = (I - gamma P_p')^-1 alpha [KL(p || B) - KL(p' || B)], B the Boltzmann policy of
    Q^p, for any two policies p, p'."""
    listed = instance.policies
    for (name, before, old), (other, after, new) in zip(listed, listed[1:] + listed[:1]):
        goal = instance.boltzmann_policy(instance.q_float(old.q))
        apart = (instance.kl_divergence(policy, goal) for policy in (before, after))
        gained = instance.temperature * instance.difference(*apart)
        found, error = instance.problem.solve(after, gained)
        tolerance = instance.solve_rounding(old.q, new.q)
        doubt = error + old.error + new.error
        expected = instance.difference(new.v, old.v)
        yield instance.equal(found, expected, tolerance, doubt, old=name, new=other)


@clause("SOFT-PDL", "nearer is better", source="the identity: its bracket is then nowhere negative")
def nearer_is_better(instance: Instance) -> Iterator[Case]:
    """A policy that in every state is no further from B, in KL(. || B), is no worse in any: here
    (1-t) p + t B."""
    for name, before, old in instance.policies:
        goal = np.exp(instance.boltzmann_policy(instance.q_float(old.q)))
        for t in (0.01, 0.5):
            new = instance.evaluate(logs((1.0 - t) * np.exp(before) + t * goal))
            # exp and log move each probability, and so the sum of a row, by some roundings
            tolerance = 2.0 * instance.solve_rounding(old.q, new.q)
            yield instance.at_most(old.v, new.v, tolerance, old.error + new.error, old=name, t=t)


# APPROX


def _near(instance: Instance) -> Iterator[tuple[str, ndarray, float]]:
    """Name, Q (S, A) near Q*, and d = max |Q - Q*|: random errors, and such as close every gap."""
    problem, rng, best = instance.problem, instance.rng(70), instance.optimum.q
    size = instance.temperature or 0.1 * inputs.size_of(problem, instance.optimum)
    worst = np.where(problem.support, best, np.inf).min(axis=1, keepdims=True)
    middle = 0.5 * (worst + problem.soft_value(best)[:, None])
    for factor in (0.03, 1.0, 30.0):
        for name, error in (
            ("random", rng.uniform(-1.0, 1.0, best.shape)),
            ("levelling", np.sign(np.where(problem.support, middle - best, 0.0))),
        ):
            q = instance.q_float(best + factor * size * error)
            yield f"{name}, {factor:g} alpha", q, instance.distance(q, best)


@clause("APPROX", "loss", source="SUBOPT; Hoeffding's lemma")
def loss_of_an_error(instance: Instance) -> Iterator[Case]:
    """max |Q - Q*| <= d implies V* - V^B(Q) <= min(2 d, d^2 / (2 alpha)) / (1-gamma) in every
    state; at alpha = 0, 2 d / (1-gamma)."""
    best, alpha = instance.optimum, instance.temperature
    for name, q, d in _near(instance):
        judged = instance.evaluate(instance.boltzmann_policy(q))
        quadratic = d * (d / (2.0 * alpha)) if alpha > 0.0 else math.inf
        most = min(2.0 * d, quadratic) / (1.0 - instance.beta)
        tolerance = instance.solve_rounding(best.q, q)
        lost = instance.difference(best.v, judged.v)
        yield instance.at_most(lost, most, tolerance, best.error + judged.error, q=name, d=d)


@clause("APPROX", "value iteration", source="contraction; T(V + c) = TV + gamma c")
def erring_value_iteration(instance: Instance) -> Iterator[Case]:
    """With an error of at most e in each sweep, max |V_k - V*| <= gamma^k max |V_0 - V*| + e (1 +
    gamma + ... + gamma^(k-1)), attained by a constant error where no state is terminal."""
    problem, best, rng = instance.problem, instance.optimum, instance.rng(71)
    e = 0.01 * inputs.size_of(problem, best)
    attained = NO_TERMINAL.is_met(instance) and EXACT_ROWS.is_met(instance)
    for name in ("constant", "random"):
        v = np.where(problem.nonterminal, best.v, 0.0).astype(np.float64)
        for k in range(1, SWEEPS_CHECKED[-1] + 1):
            error = 1.0 if name == "constant" else rng.uniform(-1.0, 1.0, v.shape)
            v = (
                instance.soft_value(instance.backup(v))
                + np.where(problem.nonterminal, e, 0) * error
            )
            if k not in SWEEPS_CHECKED:
                continue
            sweeps = sum(instance.beta**j for j in range(k))
            tolerance = instance.sweep_rounding(best.v, v) * sweeps
            doubt = best.residual * sweeps
            apart = np.abs(instance.difference(v, best.v))
            yield instance.at_most(apart, e * sweeps, tolerance, doubt, error=name, sweep=k)
            if name == "constant" and attained:
                yield instance.equal(apart, e * sweeps, tolerance, doubt, error=name, sweep=k)
