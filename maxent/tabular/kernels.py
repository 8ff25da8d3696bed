"""The fast sweeps behind the solvers: the same results as `operators.py`, arranged for speed.

A sweep costs one matrix-vector product and one soft-max.  Inside, arrays are action-major
(A, S): the soft-max then runs over whole contiguous rows.  The discount, the prior and the mask
are folded in once.  A kernel holds at most one copy of the transition data.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP, Transition
from maxent.tabular import bounds, operators

NEGLIGIBLE = np.exp(-200.0)
"""Probabilities below this are treated as 0 in a correction step: denormal numbers are slow."""


class Kernel(Protocol):
    """An operator on values as the solvers see it."""

    mdp: MDP
    enclosure: bounds.Enclosure

    def apply(self, v: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        """T V, 0 at terminal states."""

    def policy_transition(self) -> Transition:
        """gamma P_pi between non-terminal states, for the policy behind the last `apply`: the
        derivative of T there."""


class SoftKernel:
    """The soft Bellman optimality operator on values, V -> alpha log sum prior exp((r + gamma P V)
    / alpha); the hard maximum at temperature 0 (SQL-T3)."""

    def __init__(self, mdp: MDP, temperature: float, log_prior: ndarray | None) -> None:
        n_states, n_actions = mdp.reward.shape
        self.mdp, self.temperature = mdp, temperature
        self._ended = np.flatnonzero(mdp.terminal)
        self._arrival = mdp.discount_on_arrival
        self._rows, self._state_major = _action_major(mdp)
        bonus = _prior_bonus(temperature, log_prior)
        scores = mdp.reward if bonus is None else mdp.reward + bonus
        self._reward = np.array(scores.T, order="C")
        self._weights = np.empty((n_actions, n_states))

        lasting = ~mdp.terminal
        used = mdp.action_mask & lasting[:, None]
        going_on = mdp.expect(lasting.astype(float))[used]
        longest = _longest_row(mdp.transition_rows)
        gain_low, gain_high = bounds.gains(mdp.discount, going_on, longest)
        n_available = int(mdp.action_mask[lasting].sum(axis=1).max(initial=1))
        relative, absolute = bounds.soft_rounding(longest, n_available, temperature)
        size = np.abs(mdp.reward) if bonus is None else np.abs(mdp.reward) + np.abs(bonus)
        scale = float(size[used & np.isfinite(size)].max(initial=0.0))
        self.enclosure = bounds.Enclosure(gain_low, gain_high, relative, absolute, scale)

    def apply(self, v: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        """T V, 0 at terminal states."""
        n_actions, n_states = self._weights.shape
        product = self._rows @ (self._arrival * v)
        if self._state_major:
            product = product.reshape(n_states, n_actions).T
        scores = np.add(product.reshape(n_actions, n_states), self._reward, out=self._weights)
        top = scores.max(axis=0)
        if self.temperature == 0.0:
            top[self._ended] = 0.0
            return top
        np.subtract(scores, top, out=scores)
        with np.errstate(over="ignore", under="ignore"):
            np.divide(scores, self.temperature, out=scores)
            weights = np.exp(scores, out=scores)
        self._total = weights.sum(axis=0)
        top += self.temperature * np.log(self._total)
        top[self._ended] = 0.0
        return top

    def policy_transition(self) -> Transition:
        """gamma P_pi for the Boltzmann policy behind the last `apply` (one of the greedy actions
        at temperature 0)."""
        if self.temperature == 0.0:
            policy = np.zeros_like(self._weights)
            policy[self._weights.argmax(axis=0), np.arange(policy.shape[1])] = 1.0
        else:
            policy = self._weights / self._total
            policy[policy < NEGLIGIBLE] = 0.0
        return _discounted_transition(self.mdp, np.ascontiguousarray(policy.T))


class PolicyKernel:
    """The evaluation operator of a fixed policy on values, V -> r_pi + alpha H_pi + gamma P_pi V
    (SAC-L1).  `discount` 1 is allowed for a policy that is proper: `stay` then bounds the expected
    number of steps before termination."""

    def __init__(
        self,
        mdp: MDP,
        policy: Float[ndarray, "S A"],
        temperature: float,
        log_prior: ndarray | None,
    ) -> None:
        with np.errstate(divide="ignore"):
            log_policy = np.log(policy)
        self.mdp = mdp
        self._transition = operators.policy_transition(mdp, policy)
        self._matrix = mdp.discount * self._transition
        self._reward = operators.policy_reward(mdp, log_policy, temperature, log_prior)
        lasting = ~mdp.terminal
        used = (policy > 0.0) & lasting[:, None]
        size = np.zeros_like(policy)
        size[used] = np.abs(log_policy[used] - (0.0 if log_prior is None else log_prior[used]))
        size *= policy
        longest = _longest_row(self._transition)
        n_available = int(used.sum(axis=1).max(initial=1))
        relative, absolute = bounds.policy_rounding(
            longest, n_available, temperature, float(size.sum(axis=1).max(initial=0.0))
        )
        sums = np.asarray(self._transition.sum(axis=1)).ravel()[lasting]
        if mdp.discount == 1.0:
            steps = longest_stay(self._transition, lasting)
            gain_low, gain_high = 0.0, float(steps * (1.0 + bounds.UNIT * 8))
        else:
            gain_low, gain_high = bounds.gains(mdp.discount, sums, longest + n_available)
        scale = float(np.abs(mdp.reward)[used].max(initial=0.0))
        self.enclosure = bounds.Enclosure(gain_low, gain_high, relative, absolute, scale)

    def apply(self, v: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        """T^pi V, 0 at terminal states."""
        return self._reward + self._matrix @ v

    def policy_transition(self) -> Transition:
        """gamma P_pi between non-terminal states."""
        return self._matrix


def longest_stay(transition: Transition, lasting: ndarray) -> float:
    """An upper bound on the expected number of steps before termination, over all states.

    transition: P_pi between non-terminal states.  Certified: w = solve(I - P_pi, 1) is accepted
    only if (I - P_pi) w >= 1 - delta holds entry by entry beyond rounding, and w / (1 - delta) is
    returned.  inf where termination is not certain or cannot be certified.
    """
    n_states = len(lasting)
    ones = lasting.astype(float)
    identity = sparse.eye_array(n_states, format="csc")
    try:
        if sparse.issparse(transition):
            w = sparse.linalg.splu(sparse.csc_array(identity - transition)).solve(ones)
        else:
            w = np.linalg.solve(np.eye(n_states) - transition, ones)
    except (RuntimeError, np.linalg.LinAlgError):
        return np.inf
    if not np.isfinite(w).all() or w.min() < 0.0:
        return np.inf
    slop = bounds.UNIT * (_longest_row(transition) + 4) * (2.0 * float(w.max(initial=1.0)))
    gap = float((w - transition @ w)[lasting].min(initial=1.0)) - slop
    return float(w.max(initial=0.0)) / gap if gap > 0.5 else np.inf


def _action_major(mdp: MDP) -> tuple[Transition, bool]:
    """The transition rows and whether they are state-major (dense: the MDP's own, not copied)."""
    if not mdp.is_sparse:
        return mdp.transition_rows, True
    n_states, n_actions = mdp.reward.shape
    order = np.arange(n_states * n_actions).reshape(n_states, n_actions).T.ravel()
    return mdp.transition[order], False


def _prior_bonus(temperature: float, log_prior: ndarray | None) -> ndarray | None:
    """alpha log prior (S, A), -inf where an action is unavailable, also at temperature 0."""
    if log_prior is None:
        return None
    allowed = log_prior > -np.inf
    return np.where(allowed, temperature * np.where(allowed, log_prior, 0.0), -np.inf)


def _longest_row(rows: Transition) -> int:
    if sparse.issparse(rows):
        return int(np.diff(rows.indptr).max(initial=1))
    return int(rows.shape[-1])


def _discounted_transition(mdp: MDP, policy: Float[ndarray, "S A"]) -> Transition:
    matrix = operators.policy_transition(mdp, policy)
    if sparse.issparse(matrix):
        matrix.data *= mdp.discount
        return matrix
    matrix *= mdp.discount
    return matrix
