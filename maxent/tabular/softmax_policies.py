"""Policies as the soft maximum of logits: their values and gradients, and a record of steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP, require_mdp, validation
from maxent.support.arguments import require_temperature
from maxent.support.arrays import HasPolicy, ReadOnly
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.linear_systems import solve_discounted
from maxent.tabular.solvers.convergence import reference_value


@dataclass(frozen=True, eq=False)
class GradientTrace(ReadOnly, HasPolicy):
    """What a gradient method did; entry k of an array is the policy after k steps.

    method : its name.
    temperature, discount : of the problem.
    objectives : (K+1,), J(pi_k), from the initial distribution.
    values : (K+1, S), V^{pi_k}.
    errors : (K+1,), max_s (V*(s) - V^{pi_k}(s)) in absolute value.
    theoretical : (K+1,), the bound on the errors of NPG's theorem; nan where there is none.
    steps : (K,), the step sizes.
    log_policy : (S, A), of the last policy, the logits to go on from.
    optimum : J*, the largest objective.
    reference_error : certified bound on the error of V*; errors below it say nothing.
    """

    method: str
    temperature: float
    discount: float
    objectives: ndarray
    values: ndarray
    errors: ndarray
    theoretical: ndarray
    steps: ndarray
    log_policy: ndarray
    optimum: float
    reference_error: float

    @property
    def iterations(self) -> int:
        """K, the number of steps taken."""
        return len(self.steps)

    def __repr__(self) -> str:
        return (
            f"GradientTrace({self.method}, temperature {self.temperature:g}, {self.iterations} "
            f"steps, error {self.errors[0]:.2g} -> {self.errors[-1]:.2g})"
        )


class SoftmaxProblem:
    """What stays fixed while the policy changes."""

    def __init__(self, mdp: MDP, temperature: float, prior: Any) -> None:
        self.mdp, self.temperature, self.prior = mdp, require_temperature(temperature), prior
        if require_mdp(mdp).discount == 1.0:
            raise ConfigError(
                "discount = 1: the value of a policy need not exist and the natural step is 0; use "
                "a discount just below 1 such as 1 - 1e-9"
            )
        self.log_prior = mdp.log_prior(prior)
        self.available = np.ones(mdp.reward.shape, dtype=bool)
        self.bonus = np.zeros(mdp.reward.shape)  # log prior, 0 where unavailable
        if self.log_prior is not None:
            self.available = self.log_prior > -np.inf
            self.bonus = np.where(self.available, self.log_prior, 0.0)

    def log_policy(self, logits: Any) -> Float[ndarray, "S A"]:
        """The soft-max of the logits over the available actions; uniform in terminal states."""
        shape = self.mdp.reward.shape
        given = np.zeros(shape) if logits is None else logits
        array = validation.array_of_shape("logits", given, shape, " (S, A)")
        array = np.where(self.available & ~self.mdp.terminal[:, None], array, 0.0)
        if not np.isfinite(array).all():
            state, action = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ModelError(
                f"logits of state {state}, action {action} is {float(array[state, action])!r}; "
                "logits of available actions must be finite"
            )
        mask = np.where(self.available, 0.0, -np.inf)
        return operators.boltzmann_policy(array, 1.0, mask)

    def gradient(self, now: EvaluatedPolicy) -> Float[ndarray, "S A"]:
        """d pi A, the soft policy gradient; d = 0 at terminal states."""
        mdp = self.mdp
        visits = solve_discounted(now.transition.T, mdp.initial_distribution * ~mdp.terminal)
        surprise = np.where(self.available, now.log_policy, 0.0) - self.bonus
        advantage = operators.backup(mdp, now.v) - self.temperature * surprise - now.v[:, None]
        found: Float[ndarray, "S A"] = visits[:, None] * now.policy * advantage
        return found

    def moved(self, now: EvaluatedPolicy, gradient: ndarray, step: float) -> EvaluatedPolicy:
        """The policy one step along the gradient, evaluated."""
        start = np.where(self.available, now.log_policy, 0.0)
        return EvaluatedPolicy(self, self.log_policy(start + step * gradient))

    def trace(
        self, method: str, seen: list[EvaluatedPolicy], steps: ndarray, weight: float = math.nan
    ) -> GradientTrace:
        """Hold what was seen against V*; weight: of the natural gradient."""
        mdp = self.mdp
        optimum, reference_error = reference_value(mdp, self.temperature, self.prior)
        values = np.array([each.v for each in seen])
        return GradientTrace(
            method=method,
            temperature=self.temperature,
            discount=mdp.discount,
            objectives=values @ mdp.initial_distribution,
            values=values,
            errors=np.abs(optimum - values).max(axis=1),
            theoretical=self._theoretical(optimum, seen[0], len(steps), weight),
            steps=steps,
            log_policy=seen[-1].log_policy,
            optimum=float(optimum @ mdp.initial_distribution),
            reference_error=reference_error,
        )

    def _theoretical(
        self, optimum: ndarray, start: EvaluatedPolicy, count: int, weight: float
    ) -> Float[ndarray, " K"]:
        """Cen et al.'s Theorem 1: after t+1 steps max |Q* - Q| <= gamma C rho^t and alpha max
        |log pi* - log pi| <= 2 C rho^t, rho = 1 - eta alpha; V* - V is at most their sum."""
        bound = np.full(count + 1, np.nan)
        mdp, alpha = self.mdp, self.temperature
        if not (0.0 < weight <= 1.0):
            return bound
        nonterminal = ~mdp.terminal[:, None] & self.available
        best = operators.backup(mdp, optimum)
        log_best = operators.boltzmann_policy(best, alpha, self.log_prior)
        first = np.abs(best - operators.backup(mdp, start.v))[nonterminal].max(initial=0.0)
        apart = np.abs(log_best[nonterminal] - start.log_policy[nonterminal]).max(initial=0.0)
        constant = first + 2.0 * alpha * (1.0 - weight) * apart
        rate = 1.0 - weight * (1.0 - mdp.discount)
        bound[1:] = (2.0 + mdp.discount) * constant * rate ** np.arange(count)
        return bound


class EvaluatedPolicy:
    """A policy with its exact soft value."""

    def __init__(self, problem: SoftmaxProblem, log_policy: Float[ndarray, "S A"]) -> None:
        mdp = problem.mdp
        self.log_policy, self.policy = log_policy, np.exp(log_policy)
        self.transition = mdp.discount * operators.policy_transition(mdp, self.policy)
        earned = operators.policy_reward(mdp, log_policy, problem.temperature, problem.log_prior)
        self.v = solve_discounted(self.transition, earned)
        self.objective = float(mdp.initial_distribution @ self.v)
