"""How fast soft value iteration really is, near its end: RATE.

The V* of the reference is off by its error, but T moves it by no more than its residual: what k
sweeps do is compared from there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import EXACT_ROWS, at_most_states
from maxent.theorems.instance import SWEEPS_CHECKED, Instance


def _remainder(instance: Instance, start: ndarray, k: int) -> float:
    """What k sweeps add to their linear part at most: the j-th adds span_a(gamma P D_j)^2 / (8
    alpha), D_j = T^j V - V*, where max |gamma P D_j| <= gamma^j max |gamma P D_0|."""
    problem, beta = instance.problem, instance.beta
    away = problem.discount * problem.expect(instance.difference(start, instance.optimum.v))
    width = 2.0 * float(np.abs(np.where(problem.support, away, 0.0)).max(initial=0.0))
    sweeps = sum(beta**j for j in range(k))
    return beta ** (k - 1) * sweeps * width * (width / (8.0 * instance.temperature))


@clause("RATE", "linear part", source="SPI-NEWTON's remainder, sweep after sweep")
def linear_part(instance: Instance) -> Iterator[Case]:
    """0 <= T^k V - V* - (gamma P_pi*)^k (V - V*) <= gamma^(k-1) (1 + ... + gamma^(k-1)) w^2 / (8
    alpha), w = 2 max |gamma P (V - V*)|."""
    problem, best = instance.problem, instance.optimum
    with np.errstate(all="ignore"):
        policy = np.where(problem.support, np.exp(instance.best_policy.astype(np.longdouble)), 0.0)
    for name, start in inputs.v_functions(problem, best, instance.rng(73)):
        v = np.where(problem.nonterminal, start, 0.0).astype(np.float64)
        linear = instance.difference(v, best.v)
        first = v
        for k in range(1, (SWEEPS_CHECKED[-1] if instance.is_small else 5) + 1):
            v = instance.soft_value(instance.backup(v))
            linear = problem.discount * (policy * problem.expect(linear)).sum(axis=1)
            if k not in SWEEPS_CHECKED:
                continue
            sweeps = sum(instance.beta**j for j in range(k))
            tolerance = instance.sweep_rounding(best.v, first, v) * sweeps
            doubt = 2.0 * best.residual * sweeps
            left = instance.difference(instance.difference(v, best.v), linear)
            most = _remainder(instance, first, k)
            yield instance.at_most(0.0 * left, left, tolerance, doubt, start=name, sweep=k)
            yield instance.at_most(left, most, tolerance, doubt, start=name, sweep=k)


@clause(
    "RATE",
    "eigenvalue",
    EXACT_ROWS,
    at_most_states(200),
    source="the linear part; without terminal states the first eigenvalue, 1, moves all values "
    "alike, which the certified midpoint does not see",
)
def eigenvalue(instance: Instance) -> Iterator[Case]:
    """Seen along a left eigenvector u of P_pi*, u P_pi* = lambda u, the error falls by gamma lambda
    a sweep: |u (T^k V - V*) - (gamma lambda)^k u (V - V*)| is at most ||u||_1 times that remainder.
    u is that of the largest |lambda|, where no state is terminal of the second."""
    problem, best = instance.problem, instance.optimum
    place = int(problem.nonterminal.all())  # the second, where the first is 1
    value, u, left_over = _left_eigenvector(instance, place)
    direction = np.where(problem.nonterminal, np.real(np.conj(u)), 0.0)
    direction = direction / (np.abs(direction).max(initial=0.0) or 1.0)
    for size in (1e-4 * instance.temperature, instance.temperature):
        first = (best.v + size * direction).astype(np.float64)
        v, away = first, instance.difference(first, best.v)
        for k in range(1, 6):
            v = instance.soft_value(instance.backup(v))
            sweeps = sum(instance.beta**j for j in range(k))
            found = u @ np.where(problem.nonterminal, instance.difference(v, best.v), 0.0)
            expected = (float(problem.discount) * value) ** k * (u @ away)
            weight = float(np.abs(u).sum())
            far = float(np.abs(away).max(initial=0.0))
            most = weight * _remainder(instance, first, k) + k * left_over * far
            tolerance = weight * instance.sweep_rounding(best.v, first, v) * sweeps
            doubt = 2.0 * weight * best.residual * sweeps
            apart = np.asarray(float(np.abs(found - expected)))
            yield instance.at_most(apart, most, tolerance, doubt, size=size, sweep=k)


def _left_eigenvector(instance: Instance, place: int) -> tuple[complex, ndarray, float]:
    """The eigenvalue of P_pi* (between non-terminal states) that is `place`-th in size, u with
    u P = lambda u and max |u| = 1, and ||u P - lambda u||_1.  0 where P_pi* is no matrix."""
    problem = instance.problem
    nothing = 0j, np.zeros(problem.n_states), 0.0
    with np.errstate(all="ignore"):
        policy = np.where(problem.support, np.exp(instance.best_policy), 0.0)
    if not np.isfinite(policy).all() or place >= problem.n_states:
        return nothing
    matrix = np.zeros((problem.n_states, problem.n_states))
    rows = problem.probability.astype(np.float64)
    for action in range(problem.n_actions):
        part = rows[action :: problem.n_actions].toarray()
        matrix += policy[:, action, None] * part
    values, vectors = np.linalg.eig(matrix.T)
    chosen = np.argsort(-np.abs(values))[place]
    value, u = complex(values[chosen]), vectors[:, chosen] / np.abs(vectors[:, chosen]).max()
    return value, u, float(np.abs(u @ matrix - value * u).sum())
