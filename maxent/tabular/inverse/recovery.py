"""Recovering a reward: the convex dual and its minimisation."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import optimize, sparse

from maxent import validation
from maxent.errors import (
    ConfigError,
    MaxEntWarning,
    ModelError,
    check_count,
    check_positive,
    check_real,
    check_temperature,
    nearest,
)
from maxent.mdp import MDP, Transition
from maxent.solution import Solution
from maxent.tabular.inverse.demonstrations import demonstrated
from maxent.tabular.inverse.dual import Dual
from maxent.tabular.inverse.shaping import check_discounted, free_pairs

PRIOR_WIDTH = 10.0
"""Standard deviation, in temperatures, of the Gaussian prior on weights that the default
regularisation stands for."""


@dataclass(frozen=True, eq=False)
class RecoveredReward:
    """A reward under which the demonstrations are soft-optimal, and how well they are met.

    reward : (S, A), 0 for unavailable actions and terminal states.
    weights : what it is linear in: (S, A), (S,) or (F,), by `features`.
    solution : the certified soft-optimal Solution for this reward.
    demonstrated : (S, A), the demonstrations' occupancy; of episodes, the nearest to their visits
        that this MDP can have.
    occupancy : (S, A), that of `solution.policy`; both 0 at terminal states.
    mismatch : largest difference between the two in the expectation of a feature (discounted visits
        where features are states or actions); what regularisation left is in it.
    flow_error : sum over states of how far the demonstrations were from obeying the flow equations,
        in discounted visits (sampling noise and cut-off episodes, for trajectories).
    log_likelihood : sum of demonstrated * log policy, in nats per episode, discounted.
    regularisation : the one used.
    iterations, status, seconds : of the optimisation.
    """

    reward: ndarray
    weights: ndarray
    solution: Solution
    demonstrated: ndarray
    occupancy: ndarray
    mismatch: float
    flow_error: float
    log_likelihood: float
    temperature: float
    regularisation: float
    iterations: int
    status: Literal["converged", "stalled", "max_iterations"]
    seconds: float

    @property
    def policy(self) -> Float[ndarray, "S A"]:
        """The soft-optimal policy for the recovered reward, (S, A)."""
        return self.solution.policy

    @property
    def converged(self) -> bool:
        """Whether the gradient fell below the tolerance."""
        return self.status == "converged"

    def __repr__(self) -> str:
        return (
            f"RecoveredReward({self.weights.size} weights, temperature {self.temperature:g}, "
            f"{self.status} after {self.iterations} iterations, mismatch {self.mismatch:.2g})"
        )


def recover_reward(
    mdp: MDP,
    demonstrations: Any,
    temperature: float,
    *,
    features: Any = "state-action",
    regularisation: float | None = None,
    tolerance: float | None = None,
    max_iterations: int = 200,
) -> RecoveredReward:
    """The reward that makes the demonstrations soft-optimal at `temperature`, up to shaping.

    mdp : its dynamics, discount, initial distribution, mask and terminal states are used, its
        reward is not.
    demonstrations : a policy (S, A); an occupancy (S, A) as of `maxent.occupancy`; or a list of
        episodes (states, actions), actions of length T and states of length T or T + 1; or what
        `maxent.simulate(..., trajectories=True)` gives.
    features : what the reward is linear in.  "state-action": a weight for each pair.  "state": for
        acting in each state.  "arrival": for arriving in each state, terminal ones included.  An
        array (S, F) or (S, A, F): a weight for each feature.
    regularisation : lambda >= 0.  None: 0 for a policy or an occupancy; for n episodes
        1 / (n alpha 10^2), a Gaussian prior of ten temperatures on each weight.  Without any, what
        is never demonstrated has no finite reward: the tolerance then decides how low it gets.
    tolerance : largest absolute entry of the gradient, in discounted visits (times the feature);
        None: 1e-9 of all discounted visits.
    max_iterations : of Newton's method (in a trust region, with conjugate gradients).  Short of the
        tolerance the status is not "converged", and a MaxEntWarning tells the mismatch.

    Raises ConfigError (temperature 0, which every reward-free MDP explains; discount 1; a setting)
    and ModelError (demonstrations that are not of this MDP, with where and by how much).
    """
    temperature = _check_temperature(mdp, temperature)
    max_iterations = check_count("max_iterations", max_iterations)
    started = time.perf_counter()
    design, shape = _design(mdp, features, free_pairs(mdp))
    expert, flow_error, episodes = demonstrated(mdp, demonstrations, free_pairs(mdp))
    strength = _strength(regularisation, temperature, episodes)
    goal = 1e-9 * float(expert.sum())
    if tolerance is not None:
        goal = check_positive("tolerance", tolerance)
    dual = Dual(mdp, temperature, design, expert, strength)
    found = optimize.minimize(
        dual.value_and_gradient,
        np.zeros(design.shape[1]),
        jac=True,
        hessp=dual.curvature,
        method="trust-ncg",
        options={"maxiter": max_iterations, "gtol": goal},
    )
    reward, (solution, visits) = dual.reward(found.x), dual.optimum(found.x)
    difference = dual.difference(found.x)
    slope = float(np.abs(difference + strength * found.x).max(initial=0.0))
    mismatch = float(np.abs(difference).max(initial=0.0))
    status: Literal["converged", "stalled", "max_iterations"] = "converged"
    if slope > goal:
        status = "max_iterations" if found.nit >= max_iterations else "stalled"
        warnings.warn(
            f"recover_reward stopped ({status.replace('_', ' ')}) with a gradient of {slope:.3g}, "
            f"above the tolerance {goal:.3g}; the mismatch is {mismatch:.3g}: give more "
            "max_iterations, a larger tolerance or some regularisation",
            MaxEntWarning,
            stacklevel=2,
        )
    weights = reward.copy() if shape == reward.shape else found.x.reshape(shape)
    result = RecoveredReward(
        reward=reward,
        weights=weights,
        solution=solution,
        demonstrated=expert,
        occupancy=visits,
        mismatch=mismatch,
        flow_error=flow_error,
        log_likelihood=float((expert * np.where(expert != 0.0, solution.log_policy, 0.0)).sum()),
        temperature=temperature,
        regularisation=strength,
        iterations=int(found.nit),
        status=status,
        seconds=time.perf_counter() - started,
    )
    for array in (result.reward, result.weights, result.demonstrated, result.occupancy):
        array.setflags(write=False)
    return result


def _check_temperature(mdp: MDP, value: Any) -> float:
    temperature = check_temperature(value)
    if temperature == 0.0:
        raise ConfigError(
            "temperature = 0: at the hard maximum the reward 0 explains every policy, so that "
            "nothing can be recovered; give the demonstrator's temperature, greater than 0"
        )
    check_discounted(mdp)
    return temperature


def _strength(regularisation: float | None, temperature: float, episodes: int) -> float:
    """The lambda that was asked for, or its default."""
    if regularisation is None:
        return 1.0 / (episodes * temperature * PRIOR_WIDTH**2) if episodes else 0.0
    strength = check_real("regularisation", regularisation, "[0, inf)")
    if not (0.0 <= strength < np.inf):
        raise ConfigError(f"regularisation = {regularisation!r} must be finite and at least 0")
    return strength


def _design(
    mdp: MDP, features: Any, free: Bool[ndarray, "S A"]
) -> tuple[Transition, tuple[int, ...]]:
    """The matrix D (free pairs, weights) with r = D w, and the shape that the weights have."""
    pairs = int(free.sum())
    state = np.nonzero(free)[0]
    if isinstance(features, str):
        known = ("state-action", "state", "arrival")
        if features == "state-action":
            return sparse.eye_array(pairs, format="csr"), free.shape
        if features == "state":
            ones = (np.ones(pairs), (np.arange(pairs), state))
            return sparse.csr_array(ones, shape=(pairs, mdp.n_states)), (mdp.n_states,)
        if features == "arrival":
            return mdp.transition_rows[np.flatnonzero(free)], (mdp.n_states,)
        raise ConfigError(f"features = {features!r} is not known; {nearest(features, known)}")
    array = validation.real_array("features", features)
    if array.ndim not in (2, 3) or array.shape[:-1] not in (free.shape[:1], free.shape):
        raise ModelError(
            f"features have shape {array.shape}; it must be (S, F) or (S, A, F) with "
            f"(S, A) = {free.shape}"
        )
    design = array[state] if array.ndim == 2 else array[free]
    if array.shape[-1] == 0 or not np.isfinite(design).all():
        raise ModelError("features must be finite, and at least one")
    return design, (array.shape[-1],)
