r"""The optimality operator inside a set of policies, as the solvers see it.

**Rounding.**  The projection is computed in float64.  Each probability has a relative error of a
few u (A + |log p|), where u = eps/2, so one computed entry of T_Pi V is off by at most

    e = u [ (k + 12 A + 64 + c) N + alpha (12 A + 60) (1 + log A) ]

with k, A, N as in `bounds.py`.  c is 0 but for an entropy floor.  There alpha' = span / b is found
by D = log|A(s)| - H, which must be log|A(s)| - h, to d min(b, 1) with d = (8 A + 64) (1 + log A) u,
and computed to as much.  By weak duality an error of D costs alpha' - alpha times as much in the
value, here at most 2 span d min(b, 1) / b <= 4 N d: c = 8 (8 A + 64) (1 + log A) counts it twice.
However near h is to log|A(s)|, what counts is D, of which no digit is lost; a floor above log|A(s)|
by no more than rounding leaves the uniform policy alone.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP
from maxent.mdp.transitions import Transition
from maxent.mdp.validation import ROW_SUM_TOLERANCE
from maxent.support.arguments import quoted
from maxent.support.arrays import logs
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.bounds import UNIT, FixedPointBounds, soft_bounds
from maxent.tabular.restricted.heating import entropy_accuracy
from maxent.tabular.restricted.sets import EntropyFloor, PolicySet


class RestrictedKernel:
    """The optimality operator inside a set of policies, V -> max_{p in Pi} <p, r + gamma P V> +
    alpha H(p) (SAC-T1); the counterpart of `kernels.SoftKernel`."""

    def __init__(
        self, mdp: MDP, temperature: float, log_prior: ndarray | None, policies: PolicySet
    ) -> None:
        self.mdp, self.temperature, self.policies = mdp, temperature, policies
        self._log_prior = self._support = log_prior
        if mdp.terminal.any():  # nothing is asked of a terminal state: it has no action
            everything = np.zeros(mdp.reward.shape) if log_prior is None else log_prior
            self._support = np.where(mdp.terminal[:, None], -np.inf, everything)
        self.bounds = restricted_bounds(mdp, temperature, log_prior, policies)

    def improve(
        self, q: Float[ndarray, "S A"], tie_tolerance: float = 0.0
    ) -> Float[ndarray, "S A"]:
        """The set's improvement of q, as logs; a uniform placeholder at terminal states.  Only
        exact ties count (`tie_tolerance` is there for `SoftKernel.improve`)."""
        log_policy = self.policies.improve(q, self.temperature, self._support)
        _check_improvement(log_policy, self.mdp, self._support)
        placeholder = logs(self.mdp.action_mask / self.mdp.action_mask.sum(1, keepdims=True))
        return np.where(self.mdp.terminal[:, None], placeholder, log_policy)

    def apply(self, v: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        """T_Pi V, 0 at terminal states."""
        log_policy, values = self.judge(operators.backup(self.mdp, v))
        self._policy = np.exp(log_policy)
        return values

    def judge(
        self, q: Float[ndarray, "S A"], tie_tolerance: float = 0.0
    ) -> tuple[Float[ndarray, "S A"], Float[ndarray, " S"]]:
        """The policy of `improve`, and T_Pi V where q = backup(V), 0 at terminal states."""
        log_policy = self.improve(q)
        values = operators.policy_value(q, log_policy, self.temperature, self._log_prior)
        return log_policy, np.where(self.mdp.terminal, 0.0, values)

    def policy_transition(self) -> Transition:
        """gamma P_pi for the policy behind the last `apply`."""
        return self.mdp.discount * operators.policy_transition(self.mdp, self._policy)


def restricted_bounds(
    mdp: MDP, temperature: float, log_prior: Float[ndarray, "S A"] | None, policies: PolicySet
) -> FixedPointBounds:
    """Bounds for T_Pi: those for the soft Bellman operator, and the projection's rounding."""
    bounds = soft_bounds(mdp, temperature, log_prior)
    available = mdp.action_mask if log_prior is None else log_prior > -np.inf
    most = int(available[~mdp.terminal].sum(axis=1).max(initial=1))
    root = 0.0
    if isinstance(policies, EntropyFloor):
        policies.room(available, ~mdp.terminal)  # ConfigError where a state cannot meet it
        root = 8.0 * entropy_accuracy(most)
    return replace(
        bounds,
        relative=bounds.relative + UNIT * (12 * most + 52) + root,
        absolute=UNIT * temperature * (12 * most + 60) * (1.0 + math.log(most)),
    )


def _check_improvement(log_policy: Any, mdp: MDP, support: ndarray | None) -> None:
    """ModelError where a set's `improve` returns anything but log-probabilities of available
    actions: the bounds rest on it."""
    shape = getattr(log_policy, "shape", None)
    if shape != mdp.reward.shape:
        raise ModelError(f"improve returned shape {shape}; it must be {mdp.reward.shape}")
    policy = np.exp(log_policy[~mdp.terminal])
    outside = np.zeros(policy.shape, dtype=bool)
    if support is not None:
        outside = (policy > 0.0) & (support[~mdp.terminal] == -np.inf)
    wrong = ~(np.abs(policy.sum(axis=1) - 1.0) <= ROW_SUM_TOLERANCE) | outside.any(axis=1)
    if wrong.any():
        state = int(np.flatnonzero(~mdp.terminal)[np.argmax(wrong)])
        raise ModelError(
            f"improve returned {np.exp(log_policy[state])} as probabilities of state {state}; it "
            "must return logs of probabilities that sum to 1 over the available actions"
        )


def require_policies(policies: Any) -> PolicySet:
    """ConfigError for anything that is no set of policies."""
    if not isinstance(policies, PolicySet) or isinstance(policies, type):
        raise ConfigError(
            f"policies = {quoted(policies)} is no set of policies; give EpsilonFloor(0.05), "
            "EntropyFloor(0.5), Choices(array), or an object with their method improve"
        )
    return policies
