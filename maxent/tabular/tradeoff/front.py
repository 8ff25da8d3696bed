"""One point of the trade-off, at any temperature from 0 to infinity (see the package's page)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import MaxEntWarning
from maxent.mdp import MDP
from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.solution import Solution
from maxent.support.arguments import MAX_TEMPERATURE, MIN_TEMPERATURE, require_temperature
from maxent.support.progress import bar
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.solvers import soft_policy_evaluation, soft_policy_iteration, solve
from maxent.tabular.solvers.certified import Certified, certify
from maxent.tabular.solvers.kernels import SoftKernel
from maxent.tabular.solvers.many import Rows, SoftColumns, certify_columns, sweep_columns
from maxent.tabular.tradeoff.earned import earned
from maxent.tabular.tradeoff.newton import newton

UNDERFLOW = 750.0
"""exp(-750) is 0 in float64: an action that far below another is never taken."""


@dataclass(frozen=True, eq=False)
class Point:
    """The soft-optimal policy of one temperature (0 and inf: the limits) and what it earns.

    w: (S,), (V*_alpha - V_0) / alpha, in nats.  entropy: discounted, nats, not times the
    temperature.  iterations: Newton steps taken, 0 where sweeps sufficed.
    """

    temperature: float
    w: ndarray
    reward: float
    entropy: float
    iterations: int


class Front:
    """The trade-off of one MDP and prior, ready to be solved at any temperature."""

    def __init__(self, mdp: MDP, prior: Any = None) -> None:
        if isinstance(mdp, MatrixFreeMDP):
            mdp = mdp.to_sparse()  # policies need their transitions stored
        self.mdp, self.prior = mdp, prior
        given = mdp.log_prior(prior)
        self.base = np.zeros_like(mdp.reward) if given is None else given
        self.hard = _hard_optimum(mdp, prior, given)
        self.tie_width = 2.0 * mdp.discount * self.hard.error_bound
        used = (self.base > -np.inf) & ~mdp.terminal[:, None]
        q = np.where(used, self.hard.q, -np.inf)
        self.gaps = np.zeros_like(q)  # -A_0, ties and whatever is never used at 0
        np.subtract(q.max(axis=1, keepdims=True), q, out=self.gaps, where=used)
        self.gaps[self.gaps <= self.tie_width] = 0.0
        self.free = mdp.replace(reward=np.zeros_like(mdp.reward))
        widest = np.abs(self.base[used]).max(initial=0.0) + math.log(mdp.n_actions)
        self.never = UNDERFLOW + 2.0 * float(widest) / (1.0 - mdp.discount)
        self.rows = Rows(mdp)

    def log_prior(self, temperature: float) -> Float[ndarray, "S A"]:
        """A_0 / alpha + log prior, -inf where the action is surely never taken."""
        if temperature == math.inf:
            return self.base
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            falls = np.where(self.gaps > 0.0, self.gaps / temperature, 0.0)
        return np.where(falls > self.never, -np.inf, self.base - falls)

    @cached_property
    def ends(self) -> tuple[Point, Point]:
        """The limits at temperature 0 and at temperature inf."""
        zero, infinite = self._solve_together([0.0, math.inf], None)
        return zero, infinite

    def solve(self, temperature: float, w0: ndarray | None = None) -> Point:
        """The point of a temperature in [0, inf], from the start w0 (0 if None)."""
        return self._solve_together([temperature], w0)[0]

    def solve_all(self, temperatures: Sequence[float], progress: bool = False) -> list[Point]:
        """The points of ascending temperatures, `rows.columns` of them at a time: by sweeps where
        those arrive soon, else by Newton's method from the temperature before."""
        found: list[Point] = []
        w = self.ends[0].w
        with bar(progress, total=len(temperatures), desc="trade-off") as shown:
            for first in range(0, len(temperatures), self.rows.columns):
                chunk = list(temperatures[first : first + self.rows.columns])
                found += self._solve_together(chunk, w)
                w = found[-1].w
                shown.update(len(chunk))
        return found

    def log_policy(self, point: Point) -> Float[ndarray, "S A"]:
        """The policy of a point, as logs."""
        log_prior = self.log_prior(point.temperature)
        return operators.boltzmann_policy(operators.backup(self.free, point.w), 1.0, log_prior)

    def value(self, point: Point) -> Float[ndarray, " S"]:
        """V*_alpha = V_0 + alpha W of a finite temperature."""
        return self.hard.v + point.temperature * point.w

    def solution(self, point: Point, tolerance: float | None = None) -> Solution:
        """The certified `Solution` of a point at a finite temperature, with the point's policy."""
        solved, v = self.hard, self.value(point)
        temperature, prior = point.temperature, self.prior
        if temperature > 0.0:
            solved = soft_policy_iteration(
                self.mdp, temperature, prior=prior, tolerance=tolerance, v0=v
            )
        log_policy = self.log_policy(point)
        policy = np.exp(log_policy)
        policy /= policy.sum(axis=1, keepdims=True)
        own = soft_policy_evaluation(self.mdp, policy, temperature, prior=prior, v0=v)
        loss = float(np.maximum(solved.upper - own.lower, 0.0).max())
        return replace(solved, log_policy=log_policy, policy_bound=loss)

    def objectives(self, points: Sequence[Point]) -> list[tuple[float, float]]:
        """J = return + alpha entropy of each point's policy, and a certified bound on its distance
        to J*_alpha (one sweep at V_0 + alpha W); (inf, 0) at inf."""
        found = {math.inf: (math.inf, 0.0)}
        zero = [point for point in points if point.temperature == 0.0]
        if zero:
            kernel = SoftKernel(self.mdp, 0.0, self.mdp.log_prior(self.prior))
            found[0.0] = self._distance(zero[0], certify(kernel, self.hard.v))
        inner = [point for point in points if 0.0 < point.temperature < math.inf]
        for first in range(0, len(inner), self.rows.columns):
            chunk = inner[first : first + self.rows.columns]
            for point, best in zip(chunk, self._certified(chunk), strict=True):
                found[point.temperature] = self._distance(point, best)
        return [found[point.temperature] for point in points]

    def _solve_together(self, temperatures: list[float], w0: ndarray | None) -> list[Point]:
        n_columns = len(temperatures)
        w = np.zeros((self.mdp.n_states, n_columns))
        if w0 is not None:
            w += w0[:, None]
        arrived, iterations = np.zeros(n_columns, dtype=np.bool_), [0] * n_columns
        log_priors = [self.log_prior(temperature) for temperature in temperatures]
        columns = SoftColumns(self.rows, np.ones(n_columns), _stacked(log_priors))
        bounds = [soft_bounds(self.free, 1.0, each) for each in log_priors]
        if self.rows.mix:
            w, arrived = sweep_columns(columns, bounds, w)
        for k in np.flatnonzero(~arrived):
            kernel = SoftKernel(self.free, 1.0, log_priors[k])
            w[:, k], iterations[k] = newton(kernel, w[:, k - 1] if k else w0)
        log_policies = columns.log_policies(w)
        returns, entropies = earned(self.rows, log_policies, self.base, bounds, arrived).tolist()
        return [
            Point(*each) for each in zip(temperatures, w.T.copy(), returns, entropies, iterations)
        ]

    def _certified(self, points: Sequence[Point]) -> list[Certified]:
        """The interval of V*_alpha after one sweep at V_0 + alpha W; 0 < alpha < inf."""
        given = self.mdp.log_prior(self.prior)
        temperatures = np.array([point.temperature for point in points])
        scores = [self.mdp.reward + t * self.base for t in temperatures]
        bounds = [soft_bounds(self.mdp, t, given) for t in temperatures]
        columns = SoftColumns(self.rows, temperatures, _stacked(scores))
        values = np.stack([self.value(point) for point in points], axis=1)
        return certify_columns(columns, bounds, values)[1]

    def _distance(self, point: Point, best: Certified) -> tuple[float, float]:
        """The objective of a point and how far from J*, of this interval, it can be."""
        start = self.mdp.initial_distribution
        low, high = float(start @ best.lower), float(start @ best.upper)
        objective = point.reward + point.temperature * point.entropy
        rounding = 2.0 * np.finfo(np.float64).eps * self.mdp.n_states * max(abs(low), abs(high))
        return objective, max(high - objective, objective - low) + rounding


def _stacked(tables: Sequence[Float[ndarray, "S A"]]) -> Float[ndarray, "A S K"]:
    n_states, n_actions = tables[0].shape
    found = np.empty((n_actions, n_states, len(tables)))
    for k, table in enumerate(tables):
        found[..., k] = table.T
    return found


def require_extended_temperature(temperature: Any) -> float:
    """A valid temperature, or inf."""
    if isinstance(temperature, (float, np.floating)) and temperature == math.inf:
        return math.inf
    return require_temperature(temperature)


def distance(one: float, other: float) -> float:
    """How far apart two temperatures in [0, inf] are, on a logarithmic scale."""
    if one == other:
        return 0.0
    tiny, huge = MIN_TEMPERATURE / 10.0, MAX_TEMPERATURE * 10.0
    return abs(math.log(min(max(one, tiny), huge)) - math.log(min(max(other, tiny), huge)))


def _hard_optimum(mdp: MDP, prior: Any, log_prior: ndarray | None) -> Solution:
    """The hard optimum to about four times what float64 can certify."""
    rough = solve(mdp, 0.0, prior=prior)
    goal = 4.0 * soft_bounds(mdp, 0.0, log_prior).floor(float(np.abs(rough.v).max()))
    if goal == 0.0 or rough.error_bound <= goal:
        return rough
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaxEntWarning)  # stalling above the goal is no fault here
        tight = soft_policy_iteration(mdp, 0.0, prior=prior, tolerance=goal, v0=rough.v)
    return min(rough, tight, key=lambda solution: solution.error_bound)
