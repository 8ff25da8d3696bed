"""One point of the trade-off, at any temperature from 0 to infinity (see the package's page)."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from maxent.errors import MaxEntWarning
from maxent.mdp import MDP
from maxent.solution import Solution
from maxent.support.arguments import MAX_TEMPERATURE, MIN_TEMPERATURE, require_temperature
from maxent.tabular import operators
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.occupancy import occupancy
from maxent.tabular.solvers import soft_policy_evaluation, soft_policy_iteration, solve, steps
from maxent.tabular.solvers.certified import certify
from maxent.tabular.solvers.kernels import SoftKernel
from maxent.tabular.solvers.loop import Options, iterate

UNDERFLOW = 750.0
"""exp(-750) is 0 in float64: an action that far below another is never taken."""


@dataclass(frozen=True, eq=False)
class Point:
    """The soft-optimal policy of one temperature (0 and inf: the limits) and what it earns.

    w: (S,), (V*_alpha - V_0) / alpha, in nats.  log_policy: (S, A).  entropy: discounted, nats, not
    times the temperature.  iterations: Newton steps taken.
    """

    temperature: float
    w: ndarray
    log_policy: ndarray
    reward: float
    entropy: float
    iterations: int


class Front:
    """The trade-off of one MDP and prior, ready to be solved at any temperature."""

    def __init__(self, mdp: MDP, prior: Any = None) -> None:
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
        self.step = steps.exact(mdp.transition)

    def log_prior(self, temperature: float) -> Float[ndarray, "S A"]:
        """A_0 / alpha + log prior, -inf where the action is surely never taken."""
        if temperature == math.inf:
            return self.base
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            falls = np.where(self.gaps > 0.0, self.gaps / temperature, 0.0)
        return np.where(falls > self.never, -np.inf, self.base - falls)

    def solve(self, temperature: float, w0: ndarray | None = None) -> Point:
        """The point of a temperature in [0, inf], from the start w0 (0 if None)."""
        log_prior = self.log_prior(temperature)
        kernel = SoftKernel(self.free, 1.0, log_prior)
        outcome = iterate(kernel, self.step, Options(), start=w0)
        if outcome.status == "interrupted":
            raise KeyboardInterrupt
        w, _ = outcome.certified.midpoint()
        w = w + self.step(kernel, kernel.apply(w) - w)  # one more Newton step: to rounding
        log_policy = operators.boltzmann_policy(operators.backup(self.free, w), 1.0, log_prior)
        policy = np.exp(log_policy)
        policy /= policy.sum(axis=1, keepdims=True)
        visits = occupancy(self.mdp, policy)
        reward = float((visits * self.mdp.reward).sum())
        nonterminal = ~self.mdp.terminal
        entropies = operators.entropy(log_policy, self.base)[nonterminal]
        entropy = float(visits[nonterminal].sum(axis=1) @ entropies)
        return Point(temperature, w, log_policy, reward, entropy + 0.0, len(outcome.residuals))

    def value(self, point: Point) -> Float[ndarray, " S"]:
        """V*_alpha = V_0 + alpha W of a finite temperature."""
        return self.hard.v + point.temperature * point.w

    def solution(self, point: Point, tolerance: float | None = None) -> Solution:
        """The certified `Solution` of a point at a finite temperature, with the point's policy."""
        solved = self.hard
        if point.temperature > 0.0:
            solved = soft_policy_iteration(
                self.mdp,
                point.temperature,
                prior=self.prior,
                tolerance=tolerance,
                v0=self.value(point),
            )
        policy = np.exp(point.log_policy)
        own = soft_policy_evaluation(
            self.mdp,
            policy / policy.sum(axis=1, keepdims=True),
            point.temperature,
            prior=self.prior,
        )
        loss = float(np.maximum(solved.upper - own.lower, 0.0).max())
        return replace(solved, log_policy=point.log_policy, policy_bound=loss)

    def objective(self, point: Point) -> tuple[float, float]:
        """J = return + alpha entropy of the point's policy, and a certified bound on its distance
        to J*_alpha (one sweep at V_0 + alpha W); (inf, 0) at inf."""
        if point.temperature == math.inf:
            return math.inf, 0.0
        kernel = SoftKernel(self.mdp, point.temperature, self.mdp.log_prior(self.prior))
        best = certify(kernel, self.value(point))
        start = self.mdp.initial_distribution
        low, high = float(start @ best.lower), float(start @ best.upper)
        objective = point.reward + point.temperature * point.entropy
        rounding = 2.0 * np.finfo(np.float64).eps * self.mdp.n_states * max(abs(low), abs(high))
        bound = max(high - objective, objective - low) + rounding
        return objective, bound


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
