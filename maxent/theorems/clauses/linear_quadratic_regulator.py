"""LQR-1 to LQR-3, each clause put to the test on one linear-quadratic problem.

What is tested is `solve_lqr` (or a function of that name in `operators`).  The truth comes from
elsewhere: P by Kleinman's policy iteration, each gain valued by a linear system in the n^2 entries
of P; constants by the same evaluation; E[V(s')] by 2n points that are exact for quadratic
functions; the partition integral by the trapezoid rule over the actions, which for a Gaussian is
exact to rounding at half a standard deviation a step.

Tolerances follow one sweep's rounding, e = 4 eps (n + m + 8) (||Q|| + ||K||^2 ||R||
+ gamma (||A|| + ||B|| ||K||)^2 ||P||), through the fixed point: P by e ||X|| with
X = I + gamma F'XF, F = A - BK (the derivative of the Riccati map), and from there to M, K and c.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.continuous import lqr
from maxent.continuous.lqr import LinearQuadratic, LinearQuadraticSolution
from maxent.continuous.matrices import quadratic, spectral_radius, square_root
from maxent.support.shapes import Float
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import POSITIVE, Hypothesis

EPS = float(np.finfo(np.float64).eps)
ROUNDING = 4.0
SWEEPS, NEWTON_STEPS = 100_000, 60
LARGEST_STATE, LARGEST_ACTION = 30, 3


class LinearQuadraticInstance:
    """One linear-quadratic problem: the solution under test, the truth, the rounding bounds."""

    def __init__(
        self, problem: LinearQuadratic, temperature: float, seed: int, operators: Any
    ) -> None:
        self.problem, self.temperature, self.seed = problem, temperature, seed
        self.solve = getattr(operators, "solve_lqr", lqr.solve_lqr)
        self.solution: LinearQuadraticSolution = self.solve(problem, temperature)

    @cached_property
    def truth(self) -> tuple[ndarray, ndarray, float]:
        """P* and its gain, and the size of the last step: Newton's method, so an error bound."""
        problem = self.problem
        P, K = np.zeros_like(problem.A), np.zeros_like(problem.B.T)
        for _ in range(SWEEPS):  # dynamic programming from 0, until its gain is stabilising
            P, K = self._greedy(P)
            if math.sqrt(problem.discount) * spectral_radius(problem.A - problem.B @ K) < 1.0:
                break
        best, step = self.value_of(K), math.inf
        for _ in range(NEWTON_STEPS):
            _, K = self._greedy(best)
            better = self.value_of(K)
            moved = float(np.abs(better - best).max())
            if moved >= step or moved == 0.0:
                break
            best, step = better, moved
        return best, K, min(step, moved)

    def _greedy(self, P: ndarray) -> tuple[ndarray, ndarray]:
        """Q(s, a) as one quadratic form in (s, a), minimised over a: the new P and its gain."""
        problem = self.problem
        n, both = problem.n_states, np.hstack([problem.A, problem.B])
        form = problem.discount * both.T @ P @ both
        form[:n, :n] += problem.Q
        form[n:, n:] += problem.R
        K = np.linalg.solve(form[n:, n:], form[n:, :n])
        return form[:n, :n] - form[:n, n:] @ K, K

    def value_of(self, K: Float[ndarray, "m n"]) -> Float[ndarray, "n n"]:
        """P of the gain K: (I - gamma F' x F') vec P = vec(Q + K'RK), solved directly."""
        problem = self.problem
        F = problem.A - problem.B @ K
        system = np.eye(F.size) - problem.discount * np.kron(F.T, F.T)
        cost = problem.Q + K.T @ problem.R @ K
        return np.linalg.solve(system, cost.ravel()).reshape(F.shape)

    def constant_of(self, P: ndarray, K: ndarray, C: ndarray) -> float:
        """The constant in the value of N(-K s, C), from E[r + alpha H + gamma V(s')] at s = 0."""
        problem, gamma = self.problem, self.problem.discount
        cost = np.trace(problem.R @ C)
        cost += gamma * np.trace(P @ (problem.B @ C @ problem.B.T + problem.W))
        bonus = 0.0
        if self.temperature > 0.0:
            log_det = float(np.log(np.linalg.eigvalsh(C)).sum())
            bonus = 0.5 * (problem.n_actions * math.log(2.0 * math.pi * math.e) + log_det)
        return (self.temperature * bonus - float(cost)) / (1.0 - gamma)

    @cached_property
    def true_covariance(self) -> Float[ndarray, "m m"]:
        """(alpha / 2) M^{-1} of the true P."""
        return 0.5 * self.temperature * np.linalg.inv(self.curvature)

    @cached_property
    def curvature(self) -> Float[ndarray, "m m"]:
        """M of the true P."""
        problem = self.problem
        found: Float[ndarray, "m m"] = (
            problem.R + problem.discount * problem.B.T @ self.truth[0] @ problem.B
        )
        return found

    @cached_property
    def true_constant(self) -> float:
        return self.constant_of(self.truth[0], self.truth[1], self.true_covariance)

    def backed_up(self, P: ndarray, constant: float, s: ndarray, a: ndarray) -> ndarray:
        """r(s, a) + gamma E[-s''P s' + constant], the expectation by 2n points; s, a (N, ...)."""
        problem = self.problem
        root = math.sqrt(problem.n_states) * square_root(problem.W)
        spread = np.concatenate([root.T, -root.T])
        after = problem.expected_next(s, a)[:, None, :] + spread
        v = constant - quadratic(P, after).mean(axis=1)
        cost = np.einsum("ni,ij,nj->n", s, problem.Q, s) + np.einsum("ni,ij,nj->n", a, problem.R, a)
        found: ndarray = problem.discount * v - cost
        return found

    @cached_property
    def states(self) -> Float[ndarray, "N n"]:
        """The middle, and random states of three sizes."""
        rng = np.random.default_rng([self.seed, 30])
        drawn = rng.standard_normal((12, self.problem.n_states))
        return np.vstack([0.0 * drawn[:1], drawn * np.repeat([0.1, 1.0, 10.0], 4)[:, None]])

    # rounding bounds (module docstring)

    @cached_property
    def of_P(self) -> float:
        problem, (P, K, doubt) = self.problem, self.truth
        a, b, k, p = (np.linalg.norm(X, 2) for X in (problem.A, problem.B, K, P))
        size = np.linalg.norm(problem.Q, 2) + k**2 * np.linalg.norm(problem.R, 2)
        size += problem.discount * (a + b * k) ** 2 * p
        F = problem.A - problem.B @ K
        system = np.eye(F.size) - problem.discount * np.kron(F.T, F.T)
        X = np.linalg.solve(system, np.eye(len(F)).ravel()).reshape(F.shape)
        terms = problem.n_states + problem.n_actions + 8
        return float(ROUNDING * EPS * terms * size * np.linalg.norm(X, 2)) + doubt

    @cached_property
    def of_M(self) -> float:
        problem = self.problem
        change = problem.discount * np.linalg.norm(problem.B, 2) ** 2 * self.of_P
        return float(change + ROUNDING * EPS * np.linalg.norm(self.curvature, 2))

    @cached_property
    def of_K(self) -> float:
        problem, inverse = self.problem, np.linalg.norm(np.linalg.inv(self.curvature), 2)
        F = problem.A - problem.B @ self.truth[1]
        change = problem.discount * np.linalg.norm(problem.B, 2) * np.linalg.norm(F, 2) * self.of_P
        solve = ROUNDING * EPS * np.linalg.norm(self.curvature, 2) * np.linalg.norm(self.truth[1])
        return float(inverse * (change + solve))

    @cached_property
    def of_constant(self) -> float:
        problem, m = self.problem, self.problem.n_actions
        inverse = float(np.linalg.norm(np.linalg.inv(self.curvature), 2))
        log_det = m * (inverse * self.of_M + ROUNDING * EPS)
        log_det += ROUNDING * EPS * (abs(math.log(max(self.temperature, 1e-300))) + m + 2.0)
        change = problem.discount * float(np.trace(problem.W)) * self.of_P
        return (self.temperature * log_det + change) / (1.0 - problem.discount) + (
            ROUNDING * EPS * abs(self.true_constant)
        )

    def of_value(self, size: ndarray) -> ndarray:
        """Of V, or of Q, where the squares of state and action sum to `size`."""
        grown = size * (self.of_P * (1.0 + np.linalg.norm(self.problem.A, 2)) ** 2 + self.of_M)
        return np.asarray(grown + self.of_constant)

    def equal(self, left: Any, right: Any, tolerance: Any, **witness: Any) -> Case:
        """|left - right| against its tolerance, entry by entry: the worst entry."""
        slack, allowed = np.broadcast_arrays(-np.abs(np.subtract(left, right)), tolerance)
        worst = int(np.argmax(np.where(np.isnan(slack), np.inf, -slack / allowed)))
        where = witness | ({"entry": worst} if slack.size > 1 else {})
        return Case(float(slack.flat[worst]), float(allowed.flat[worst]), 0.0, where)


LINEAR = Hypothesis(
    "a linear-quadratic problem (maxent.continuous.lqr.LinearQuadratic)", lambda instance: True
)
SMALL_STATE = Hypothesis(
    f"at most {LARGEST_STATE} state coordinates",
    lambda instance: instance.problem.n_states <= LARGEST_STATE,
)
SMALL_ACTION = Hypothesis(
    f"at most {LARGEST_ACTION} action coordinates",
    lambda instance: instance.problem.n_actions <= LARGEST_ACTION,
)
SOLVABLE = (LINEAR, SMALL_STATE)


@clause("LQR-1", "Riccati equation")
def riccati(instance: LinearQuadraticInstance) -> Iterator[Case]:
    """P = Q + gamma A'PA - gamma^2 A'PB M^{-1} B'PA with M = R + gamma B'PB: the limit of dynamic
    programming from 0."""
    yield instance.equal(instance.solution.P, instance.truth[0], instance.of_P, compared="P")


@clause("LQR-1", "gain")
def gain(instance: LinearQuadraticInstance) -> Iterator[Case]:
    """K = gamma M^{-1} B'PA."""
    yield instance.equal(instance.solution.gain, instance.truth[1], instance.of_K, compared="K")


@clause("LQR-1", "no better gain", source="SQL Theorem 1; SAC Lemma 2")
def no_better(instance: LinearQuadraticInstance) -> Iterator[Case]:
    """V* >= V of every other linear-Gaussian policy in every state: P' - P* has no eigenvalue below
    0, and the constant is not greater."""
    rng, problem = np.random.default_rng([instance.seed, 31]), instance.problem
    for size, factor in itertools.product((0.0, 1e-4, 1e-2, 0.1), (0.5, 1.0, 1.5)):
        K = instance.truth[1] + size * rng.standard_normal(instance.truth[1].shape)
        if not math.sqrt(problem.discount) * spectral_radius(problem.A - problem.B @ K) < 0.999:
            continue
        P, C = instance.value_of(K), factor * instance.true_covariance
        least = float(np.linalg.eigvalsh(P - instance.solution.P).min())
        tolerance = (
            2.0 * instance.of_P * float(np.linalg.norm(P) / np.linalg.norm(instance.truth[0]))
        )
        place = {"change of gain": size, "covariance times": factor}
        yield Case(least, tolerance * problem.n_states, 0.0, place | {"compared": "P"})
        gap = instance.solution.constant - instance.constant_of(P, K, C)
        yield Case(gap, 2.0 * instance.of_constant, 0.0, place | {"compared": "constant"})


@clause("LQR-2", "covariance")
def covariance(instance: LinearQuadraticInstance) -> Iterator[Case]:
    """The policy's covariance is (alpha / 2) M^{-1} in every state (0 at temperature 0)."""
    inverse = float(np.linalg.norm(np.linalg.inv(instance.curvature), 2))
    tolerance = 0.5 * instance.temperature * inverse**2 * (instance.of_M + ROUNDING * EPS / inverse)
    yield instance.equal(
        instance.solution.covariance, instance.true_covariance, max(tolerance, 1e-300), compared="C"
    )


@clause("LQR-2", "Boltzmann policy", POSITIVE)
def boltzmann(instance: LinearQuadraticInstance) -> Iterator[Case]:
    """alpha log pi*(a|s) = Q*(s,a) - V*(s), Q* = r + gamma E[V*(s')]."""
    rng, (P, K, _) = np.random.default_rng([instance.seed, 32]), instance.truth
    s = np.repeat(instance.states, 4, axis=0)
    noise = (
        rng.standard_normal((len(s), instance.problem.n_actions))
        * np.tile([0, 1, 3, 9.0], 13)[:, None]
    )
    x = noise @ square_root(instance.true_covariance).T
    a = x - s @ K.T
    right = instance.backed_up(P, instance.true_constant, s, a) - (
        instance.true_constant - quadratic(P, s)
    )
    squares = (s**2).sum(axis=1) + (a**2).sum(axis=1)
    condition = float(np.linalg.cond(instance.curvature))
    tolerance = 4.0 * instance.of_value(squares)
    tolerance += (
        ROUNDING * EPS * condition * (quadratic(instance.curvature, x) + instance.temperature)
    )
    change = np.linalg.norm(s, axis=1) * instance.of_K
    tolerance += 2.0 * np.linalg.norm(x @ instance.curvature, axis=1) * change
    found = instance.temperature * instance.solution.log_density(s, a)
    yield instance.equal(found, right, tolerance, compared="alpha log pi")


@clause("LQR-2", "temperature")
def only_the_covariance(instance: LinearQuadraticInstance) -> Iterator[Case]:
    """The temperature sets only the covariance: with twice the temperature the gain is the same,
    the covariance twice as large."""
    other = instance.solve(instance.problem, min(2.0 * instance.temperature, 1e15))
    factor = 1.0 if instance.temperature == 0.0 else other.temperature / instance.temperature
    yield instance.equal(other.gain, instance.solution.gain, instance.of_K, compared="K")
    size = max(float(np.abs(other.covariance).max()) * ROUNDING * EPS, 1e-300)
    doubled = factor * instance.solution.covariance
    yield instance.equal(other.covariance, doubled, size, compared="C")


@clause("LQR-3", "value of the policy")
def value(instance: LinearQuadraticInstance) -> Iterator[Case]:
    """V*(s) = -s'P s + c is the soft value of pi*, evaluated by a linear system."""
    s = instance.states
    true = instance.true_constant - quadratic(instance.truth[0], s)
    yield instance.equal(
        instance.solution.v(s), true, instance.of_value((s**2).sum(axis=1)), compared="V"
    )


@clause("LQR-3", "soft Bellman equation", SMALL_ACTION, POSITIVE, source="SQL Eqs. 5, 7")
def soft_bellman(instance: LinearQuadraticInstance) -> Iterator[Case]:
    """V*(s) = alpha log integral exp((r(s,a) + gamma E[V*(s')]) / alpha) da over all of R^m."""
    alpha, m = instance.temperature, instance.problem.n_actions
    P, constant = instance.solution.P, instance.solution.constant
    root = square_root(instance.true_covariance)
    line = 0.5 * np.arange(-18, 19)
    nodes = np.array(list(itertools.product(line, repeat=m))) @ root.T
    log_cell = m * math.log(0.5) + 0.5 * float(np.linalg.slogdet(root @ root.T)[1])
    for number, s in enumerate(instance.states):
        a = nodes - instance.truth[1] @ s
        q = instance.backed_up(P, constant, np.broadcast_to(s, (len(a), len(s))), a)
        top = q.max()
        integral = top + alpha * (math.log(np.exp((q - top) / alpha).sum()) + log_cell)
        near = np.abs(q - top) < 40.0 * alpha
        squares = float((s**2).sum() + (a[near] ** 2).sum(axis=1).max(initial=0.0))
        tolerance = 4.0 * float(instance.of_value(np.array(squares))) + ROUNDING * EPS * alpha * (
            1.0 + abs(log_cell)
        )
        yield instance.equal(instance.solution.v(s), integral, tolerance, state=number)
