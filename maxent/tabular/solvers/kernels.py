"""The fast sweeps behind the solvers: the same results as `operators.py`, arranged for speed.

A sweep costs one matrix-vector product and one soft-max.  Inside, arrays are action-major
(A, S): the soft-max then runs over whole contiguous rows.  The discount, the prior and the mask
are folded in once.  A kernel holds at most one copy of the transition data.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP
from maxent.mdp.transitions import Transition
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.bounds import FixedPointBounds, policy_bounds, soft_bounds
from maxent.tabular.products import AddProduct, adder
from maxent.tabular.solvers.arranged import KEPT, arranged, discounted_rows
from maxent.tabular.solvers.averaged import AveragedRows
from maxent.tabular.solvers.chosen import ChosenRows

NEGLIGIBLE = np.exp(-200.0)
"""Probabilities below this are treated as 0 in a correction step: denormal numbers are slow."""


class SoftKernel:
    """The soft Bellman optimality operator on values, V -> alpha log sum prior exp((r + gamma P V)
    / alpha); the hard maximum at temperature 0 (SQL-T3)."""

    def __init__(self, mdp: MDP, temperature: float, log_prior: ndarray | None) -> None:
        self.mdp, self.temperature = mdp, temperature
        shared = arranged(mdp)
        self._rows, self._arrival, self._terminal = shared.rows, shared.arrival, shared.terminal
        self._is_dense = isinstance(self._rows, ndarray)
        self._add_product = adder(self._rows)
        bonus = prior_bonus(temperature, log_prior)
        self._bonus = None if bonus is None else np.array(bonus.T, order="C")
        self._reward = shared.reward if self._bonus is None else shared.reward + self._bonus
        self._weights = np.empty(self._reward.shape)
        self.log_prior = log_prior
        self.bounds = soft_bounds(mdp, temperature, log_prior)
        self._chosen: ChosenRows | None = None
        self._averaged: AveragedRows | None = None

    def improve(
        self, q: Float[ndarray, "S A"], tie_tolerance: float = 0.0
    ) -> Float[ndarray, "S A"]:
        """The Boltzmann policy of q, as logs; at temperature 0 q within `tie_tolerance` ties."""
        return self.judge(q, tie_tolerance)[0]

    def judge(
        self, q: Float[ndarray, "S A"], tie_tolerance: float
    ) -> tuple[Float[ndarray, "S A"], Float[ndarray, " S"]]:
        """The policy of `improve`, and T V where q = backup(V): 0 at terminal states."""
        scores = np.array(q.T, order="C")
        if self._bonus is not None:
            scores += self._bonus
        log_policy, values = judged(scores, self.temperature, tie_tolerance)
        values[self._terminal] = 0.0
        return log_policy, values

    def _explicit_rows(self) -> Transition:
        """What `ChosenRows` picks from: of a matrix-free MDP the transition is made for it."""
        return discounted_rows(self.mdp) if self.mdp.is_matrix_free else self._rows

    def apply(self, v: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        """T V, 0 at terminal states."""
        n_actions, n_states = self._weights.shape
        scores = self._weights
        if v[0] == 0.0 and not v.any():  # the usual start
            np.copyto(scores, self._reward)
        elif self._is_dense:
            product = self._rows @ (self._arrival * v)
            np.add(product.reshape(n_states, n_actions).T, self._reward, out=scores)
        else:
            scores.fill(0.0)
            ahead = self._arrival * v if self.mdp.is_matrix_free else v
            self._add_product(ahead, scores.reshape(-1))
            scores += self._reward
        self._top = self._soft_maximum(scores)
        return self._top

    def _soft_maximum(self, scores: Float[ndarray, "A S"]) -> Float[ndarray, " S"]:
        """The soft-max of scores, 0 at terminal states; above temperature 0 the scores become the
        weights of the policy, and `_total` their sums."""
        top: ndarray = np.maximum.reduce(scores, axis=0)
        if self.temperature == 0.0:
            if len(self._terminal):
                top[self._terminal] = 0.0
            return top
        np.subtract(scores, top, out=scores)
        with np.errstate(over="ignore", under="ignore"):
            np.divide(scores, self.temperature, out=scores)
            weights = np.exp(scores, out=scores)
        self._total = weights.sum(axis=0)
        top += self.temperature * np.log(self._total)
        top[self._terminal] = 0.0
        return top

    def policy_transition(self) -> Transition:
        """gamma P_pi for the Boltzmann policy behind the last `apply` (one of the greedy actions
        at temperature 0)."""
        if self.temperature == 0.0:
            return self._choose().matrix()
        policy = self._weights / self._total
        policy[policy < NEGLIGIBLE] = 0.0
        policy = np.ascontiguousarray(policy.T)
        if self._is_dense:
            rows = self._rows.reshape(*policy.shape, -1)
            return np.einsum("sa,sat->st", policy, rows) * self._arrival
        if self.mdp.is_matrix_free or self.mdp.transition.nnz > KEPT:
            matrix = operators.policy_transition(self.mdp, policy)
            matrix.data *= self.mdp.discount
            return matrix
        if self._averaged is None:
            self._averaged = AveragedRows(self.mdp)
        return self._averaged.matrix(policy)

    def add_policy_product(self) -> AddProduct:
        """(x, out) -> None: out += gamma P_pi x, P_pi as in `policy_transition`."""
        if self.temperature == 0.0:
            return self._choose().add_product()
        return adder(self.policy_transition())

    def _choose(self) -> ChosenRows:
        if self._chosen is None:
            rows = self._explicit_rows()
            self._chosen = ChosenRows(rows, len(self._weights), self._arrival)
        size = float(np.maximum.reduce(np.abs(self._top)))
        self._chosen.update(self._weights, self._top, 0.25 * self.bounds.rounding(size))
        return self._chosen


class PolicyKernel:
    """The evaluation operator of a fixed policy on values, V -> r_pi + alpha H_pi + gamma P_pi V
    (SAC-L1)."""

    def __init__(
        self,
        mdp: MDP,
        policy: Float[ndarray, "S A"],
        temperature: float,
        log_prior: ndarray | None,
    ) -> None:
        self.mdp = mdp
        transition = operators.policy_transition(mdp, policy)
        self._matrix = mdp.discount * transition
        self._reward = _policy_reward(mdp, policy, temperature, log_prior)
        self.bounds = policy_bounds(mdp, policy, transition, temperature, log_prior)

    def apply(self, v: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        """T^pi V, 0 at terminal states."""
        found: Float[ndarray, " S"] = self._reward + self._matrix @ v
        return found

    def policy_transition(self) -> Transition:
        """gamma P_pi between non-terminal states."""
        return self._matrix

    def add_policy_product(self) -> AddProduct:
        """(x, out) -> None: out += gamma P_pi x."""
        return adder(self._matrix)


@runtime_checkable
class Kernel(Protocol):
    """An operator on values as the loop sees it; what the steps ask of it is in `steps`."""

    mdp: MDP
    bounds: FixedPointBounds

    def apply(self, v: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        """The operator applied to v, 0 at terminal states."""
        ...


def judged(
    scores: Float[ndarray, "A S"], temperature: float, tie_tolerance: float
) -> tuple[Float[ndarray, "S A"], Float[ndarray, " S"]]:
    """The Boltzmann policy of q + alpha log prior, whose memory is used, as logs, and its soft
    value; at temperature 0 what is within `tie_tolerance` ties.  `operators.boltzmann_policy` and
    `soft_value`, with the maximum over whole rows."""
    top: ndarray = np.maximum.reduce(scores, axis=0)
    if temperature == 0.0:
        tied = scores >= top - tie_tolerance
        shares = _log_shares(len(scores)).take(np.add.reduce(tied, axis=0))
        return np.ascontiguousarray(np.where(tied.T, shares[:, None], -np.inf)), top
    np.subtract(scores, top, out=scores)
    with np.errstate(over="ignore", under="ignore"):
        np.divide(scores, temperature, out=scores)
        log_total = np.log(np.exp(scores).sum(axis=0))
    scores -= log_total
    top += temperature * log_total
    return np.ascontiguousarray(scores.T), top


@cache
def _log_shares(most: int) -> Float[ndarray, " N"]:
    """log(1 / n) for n up to `most`; n = 0 never occurs."""
    return -np.log(np.maximum(1.0, np.arange(most + 1)))


def prior_bonus(temperature: float, log_prior: ndarray | None) -> ndarray | None:
    """alpha log prior (S, A), -inf where an action is unavailable, also at temperature 0."""
    if log_prior is None:
        return None
    allowed = log_prior > -np.inf
    return np.where(allowed, temperature * np.where(allowed, log_prior, 0.0), -np.inf)


def _policy_reward(
    mdp: MDP, policy: Float[ndarray, "S A"], temperature: float, log_prior: ndarray | None
) -> Float[ndarray, " S"]:
    """r_pi + alpha H_pi, (S,), of the probabilities themselves: exp(log pi) is off by |log pi|
    units in the last place, which shows where a probability is tiny."""
    taken = policy > 0.0
    costs = np.log(np.where(taken, policy, 1.0))
    if log_prior is not None:
        costs -= np.where(taken, log_prior, 0.0)
    earned = (policy * mdp.reward).sum(axis=1) - temperature * (policy * costs).sum(axis=1)
    return np.where(mdp.terminal, 0.0, earned)
