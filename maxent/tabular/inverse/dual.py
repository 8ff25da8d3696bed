"""The convex dual of matching occupancies, with exact first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy import ndarray
from scipy import linalg, sparse
from scipy.sparse import linalg as sparse_linalg

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.mdp.transitions import Transition
from maxent.solution import Solution
from maxent.support.shapes import Float
from maxent.tabular.inverse.shaping import free_pairs
from maxent.tabular.occupancy import occupancy
from maxent.tabular.operators import (
    backup,
    boltzmann_policy,
    entropy,
    policy_transition,
    soft_value,
)
from maxent.tabular.solvers import soft_policy_iteration


class Dual:
    """L(w) = J*_alpha(D w) - <x_E, D w> + lambda |w|^2 / 2 with its derivatives, all exact.

    The units are free: `recover_reward` uses rewards in temperatures, w / alpha, and temperature 1,
    which makes its work the same at every temperature (SCALE).

    design: D (free pairs, K).  expert: x_E (S, A).  The solution at the last w is kept, and starts
    the next solve.
    """

    def __init__(
        self,
        mdp: MDP,
        temperature: float,
        design: Transition,
        expert: Float[ndarray, "S A"],
        strength: float,
    ) -> None:
        self.mdp, self.temperature, self.design = mdp, temperature, design
        self.expert, self.strength = expert, strength
        self.free = free_pairs(mdp)
        self._at: ndarray = np.empty(0)
        self._solve: Callable[[ndarray, bool], ndarray] | None = None
        self.solution: Solution | None = None

    def reward(self, weights: Float[ndarray, " K"]) -> Float[ndarray, "S A"]:
        """r = D w, 0 off the free pairs."""
        reward = np.zeros(self.free.shape)
        reward[self.free] = self.design @ weights
        return reward

    def optimum(self, weights: Float[ndarray, " K"]) -> tuple[Solution, Float[ndarray, "S A"]]:
        """The soft-optimal solution for D w and its occupancy, 0 off the free pairs."""
        if self.solution is None or not np.array_equal(weights, self._at):
            start = None if self.solution is None else self.solution.v
            mdp = self.mdp.replace(reward=self.reward(weights))
            self.solution = self._polished(
                mdp, soft_policy_iteration(mdp, self.temperature, v0=start)
            )
            self.visits = np.where(self.free, occupancy(mdp, self.solution.policy), 0.0)
            self._at, self._solve = np.array(weights), None
        return self.solution, self.visits

    def _polished(self, mdp: MDP, solution: Solution) -> Solution:
        """The solution with its value and policy to rounding, by one Newton step more: the solver
        stops at its tolerance, which gradients would show."""
        log_prior = mdp.log_prior(None)
        back = _factorised(mdp.discount * policy_transition(mdp, solution.policy))
        residual = soft_value(backup(mdp, solution.v), self.temperature, log_prior) - solution.v
        v = solution.v + back(np.where(mdp.terminal, 0.0, residual), False)
        q = backup(mdp, v)
        return replace(
            solution, v=v, q=q, log_policy=boltzmann_policy(q, self.temperature, log_prior)
        )

    def difference(self, weights: Float[ndarray, " K"]) -> Float[ndarray, " K"]:
        """D' (x_r - x_E): model's less demonstrator's feature expectations (SENSITIVITY)."""
        found: Float[ndarray, " K"] = (
            self.design.T @ (self.optimum(weights)[1] - self.expert)[self.free]
        )
        return found

    def value_and_gradient(self, weights: Float[ndarray, " K"]) -> tuple[float, ndarray]:
        """L and its gradient; infinite where the value is, as it can be at discount 1.

        J is taken as the value of the policy that was found: its error is of second order in that
        of the policy (SUBOPT).
        """
        try:
            solution, visits = self.optimum(weights)
        except ConfigError:
            if self.mdp.discount < 1.0:
                raise
            return np.inf, np.full(len(weights), np.inf)
        value = ((visits - self.expert) * self.reward(weights)).sum()
        value += self.temperature * (visits.sum(axis=1) @ entropy(solution.log_policy))
        value += 0.5 * self.strength * (weights @ weights)
        return float(value), self.difference(weights) + self.strength * weights

    def curvature(
        self, weights: Float[ndarray, " K"], direction: Float[ndarray, " K"]
    ) -> Float[ndarray, " K"]:
        """The Hessian times a direction, by one linear solve forwards (values) and one backwards
        (visits): with A the advantage of the reward D p under pi, d pi = pi A / alpha."""
        solution, visits = self.optimum(weights)
        mdp, policy = self.mdp, solution.policy
        if self._solve is None:
            self._solve = _factorised(mdp.discount * policy_transition(mdp, policy))
        nonterminal = ~mdp.terminal
        reward = self.reward(direction)
        back = self._solve
        v = back((policy * reward).sum(axis=1) * nonterminal, False)
        advantage = reward + mdp.expect(mdp.discount_on_arrival * v) - v[:, None]
        change = visits * np.where(self.free, advantage, 0.0) / self.temperature
        inflow = mdp.discount * (change.ravel() @ mdp.transition_rows) * nonterminal
        change += back(inflow, True)[:, None] * policy
        found: Float[ndarray, " K"] = self.design.T @ change[self.free] + self.strength * direction
        return found


def _factorised(matrix: Transition) -> Callable[[ndarray, bool], ndarray]:
    """(right, transposed) -> the solution of (I - matrix) x = right, or of the transposed system,
    by one LU."""
    if sparse.issparse(matrix):
        identity = sparse.eye_array(matrix.shape[0])
        sparse_lu = sparse_linalg.splu(sparse.csc_array(identity - matrix))
        return lambda right, transposed: sparse_lu.solve(right, "T" if transposed else "N")
    dense_lu = linalg.lu_factor(np.eye(len(matrix)) - matrix)
    return lambda right, transposed: linalg.lu_solve(dense_lu, right, trans=int(transposed))
