"""Finite horizon: the soft-optimal policy of an episode of known length, by backward induction.

V_H = 0 and, for t = H-1 ... 0, Q_t = r + gamma P V_{t+1}, V_t = alpha log sum exp(Q_t / alpha): the
soft Bellman equation (SQL-T2) with time as part of the state.  It is exact after H steps, so a
discount of 1 is allowed, and the policy depends on t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from maxent.errors import check_count, check_temperature
from maxent.mdp import MDP
from maxent.memory import check_memory
from maxent.tabular import operators
from maxent.tabular.bounds import soft_enclosure


@dataclass(frozen=True, eq=False)
class FiniteHorizonSolution:
    """The soft-optimal solution over a horizon of H steps; axis 0 is time.

    v: (H+1, S), v[t] the value with H - t steps to go, v[H] = 0.  q, log_policy: (H, S, A).
    error_bound: largest rounding error of v, bounded step by step as in `bounds.py`.
    """

    v: ndarray
    q: ndarray
    log_policy: ndarray
    temperature: float
    horizon: int
    error_bound: float

    @property
    def policy(self) -> Float[ndarray, "H S A"]:
        """Action probabilities, (H, S, A); a uniform placeholder at terminal states."""
        return np.exp(self.log_policy)


def finite_horizon(
    mdp: MDP, temperature: float, horizon: int, *, prior: Any = None
) -> FiniteHorizonSolution:
    """The soft-optimal values and policies of an episode of `horizon` steps.

    temperature 0 is the hard maximum (policy uniform over actions tied within rounding).  prior:
    probabilities (S, A) or (A,).  Raises ConfigError for a horizon below 1, MemoryBudgetError where
    (H, S, A) arrays do not fit.
    """
    temperature = check_temperature(temperature)
    horizon = check_count("horizon", horizon)
    log_prior = mdp.log_prior(prior)
    n_states, n_actions = mdp.reward.shape
    check_memory(
        16 * horizon * n_states * n_actions, f"a policy for each of {horizon} steps", "shorten it"
    )
    enclosure = soft_enclosure(mdp, temperature, log_prior)
    v = np.zeros((horizon + 1, n_states))
    q = np.empty((horizon, n_states, n_actions))
    log_policy = np.empty_like(q)
    error = 0.0  # of v[t + 1]; the factor 1 + 1e-8 covers rows that sum to slightly more than 1
    for t in reversed(range(horizon)):
        q[t] = operators.backup(mdp, v[t + 1])
        rounding = enclosure.rounding(float(np.abs(v[t + 1]).max()))
        error = mdp.discount * (1.0 + 1e-8) * error + rounding
        log_policy[t] = operators.boltzmann_policy(q[t], temperature, log_prior, 2.0 * error)
        v[t] = np.where(mdp.terminal, 0.0, operators.soft_value(q[t], temperature, log_prior))
    return FiniteHorizonSolution(v, q, log_policy, temperature, horizon, error)
