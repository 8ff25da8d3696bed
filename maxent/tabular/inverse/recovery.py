"""Recovering a reward: the convex dual and its minimisation."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, MaxEntWarning
from maxent.mdp import MDP, require_mdp
from maxent.solution import Solution
from maxent.support.arguments import (
    count,
    require_count,
    require_positive,
    require_real,
    require_temperature,
)
from maxent.support.arrays import HasStatus, ReadOnly
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Bool, Float
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.inverse.demonstrations import demonstrated
from maxent.tabular.inverse.dual import Dual
from maxent.tabular.inverse.features import design_matrix
from maxent.tabular.inverse.optimisation import finite_start, minimise, slope
from maxent.tabular.inverse.shaping import free_pairs, remove_shaping, require_determined
from maxent.tabular.solvers import soft_policy_iteration

PRIOR_WIDTH = 10.0
"""Standard deviation, in temperatures, of the Gaussian prior on weights that the default
regularisation stands for."""


@dataclass(frozen=True, eq=False)
class RecoveredReward(ReadOnly, HasStatus):
    """A reward under which the demonstrations are soft-optimal, and how well they are met.

    reward : (S, A), 0 for unavailable actions and terminal states.
    weights : what it is linear in: (S, A), (S,) or (F,), by `features`.
    solution : the certified soft-optimal Solution for this reward.
    demonstrated : (S, A), the demonstrations' occupancy; of episodes, the nearest to their visits
        that this MDP can have.
    occupancy : (S, A), that of `solution.policy`; both 0 at terminal states.
    resolution : (S, A), reward units: temperature * tolerance / demonstrated visits, the change of
        this entry alone that the stop criterion could not see (to first order): inf where nobody
        goes, 0 where there is no reward.  An entry far below it in size is not known.  Rewards by
        state and action without regularisation start from their closed form, and are exact to
        rounding wherever the policy that was given is positive.
    mismatch : largest difference between the two in the expectation of a feature (discounted visits
        where features are states or actions); what regularisation left is in it.
    flow_error : sum over states of how far the demonstrations were from obeying the flow equations,
        in discounted visits (sampling noise and cut-off episodes, for trajectories).
    log_likelihood : sum of demonstrated * log policy, in nats per episode, discounted.
    regularisation : the one used.
    tolerance : on the gradient, the one used.
    iterations, status, seconds : of the optimisation; "converged" is a gradient within the
        tolerance, whatever ended the run.
    """

    reward: ndarray
    weights: ndarray
    solution: Solution
    demonstrated: ndarray
    occupancy: ndarray
    resolution: ndarray
    mismatch: float
    flow_error: float
    log_likelihood: float
    temperature: float
    regularisation: float
    tolerance: float
    iterations: int
    status: Literal["converged", "stalled", "max_iterations"]
    seconds: float

    @property
    def policy(self) -> Float[ndarray, "S A"]:
        """The soft-optimal policy for the recovered reward, (S, A)."""
        return self.solution.policy

    def __repr__(self) -> str:
        return (
            f"RecoveredReward({self.weights.size} weights, temperature {self.temperature:g}, "
            f"{self.status} after {count(self.iterations, 'iteration')}, "
            f"mismatch {self.mismatch:.2g})"
        )


@takes_our_words
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
        `maxent.simulate(..., trajectories=True)` gives; or episodes as states alone, as lists of
        steps (s, a, s'), or as an array (N, T, 2).  Of states alone each step counts for the
        actions that can make it, in proportion to their chance to: exact where only one can.
    temperature : the demonstrator's alpha > 0, in units of reward.
    features : what the reward is linear in.  "state-action": a weight for each pair.  "state": for
        acting in each state.  "arrival": for arriving in each state, terminal ones included.  An
        array (S, F) or (S, A, F): a weight for each feature.
    regularisation : lambda >= 0.  None: 0 for a policy or an occupancy; for n episodes
        1 / (n alpha 10^2), a Gaussian prior of ten temperatures on each weight.  Without any, what
        is never demonstrated has no finite reward: the tolerance then decides how low it gets.
    tolerance : largest absolute entry of the gradient, in discounted visits (times the feature);
        None: 1e-9 of all discounted visits.  It binds little where the demonstrator rarely goes:
        `resolution` says how well each entry is determined by it.
    max_iterations : of Newton's method (in a trust region, with conjugate gradients).  Short of the
        tolerance the status is not "converged", and a MaxEntWarning gives the mismatch.

    Returns a `RecoveredReward`, with the reward (S, A) and its certified solution.

    Rewards by state and action without regularisation are known in closed form: alpha log pi, pi
    the demonstrator's policy, less its shaping.  The search starts from there, and as a rule it is
    the answer, also where visits are too rare for any tolerance.  (Probabilities of 0 are raised as
    far as the tolerance allows; an occupancy has no policy where nobody goes: uniform is taken.)
    Rewards and temperature scale together (SCALE): the iterations are the same at every one.

    Raises ConfigError (temperature 0, which every reward-free MDP explains; at discount 1 no
    end in reach, or features without a finite value; a setting)
    and ModelError (demonstrations that are not of this MDP, with where and by how much).

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> expert = maxent.solve(mdp, temperature=0.1).policy
    >>> found = maxent.recover_reward(mdp, expert, temperature=0.1)
    >>> found.status, found.reward.shape
    ('converged', (3, 4))
    >>> bool(abs(found.policy - expert).max() < 1e-9)  # another reward, the same policy
    True
    """
    temperature = _check_temperature(require_mdp(mdp), temperature)
    max_iterations = require_count("max_iterations", max_iterations)
    started = time.perf_counter()
    design, shape = design_matrix(mdp, features, free_pairs(mdp))
    expert, policy, flow_error, episodes = demonstrated(mdp, demonstrations, free_pairs(mdp))
    strength = _strength(regularisation, temperature, episodes)
    goal = 1e-9 * float(expert.sum())
    if tolerance is not None:
        goal = require_positive("tolerance", tolerance)
    dual = Dual(mdp, 1.0, design, expert, strength * temperature)
    start = np.zeros(design.shape[1])
    if isinstance(features, str) and features == "state-action" and strength == 0.0:
        start = closed_form(mdp, policy, goal, float(expert.sum()))
    elif mdp.discount == 1.0:
        start = finite_start(dual)
    scaled, iterations = minimise(dual, start, goal, max_iterations)
    steepness, difference = slope(dual, scaled), dual.difference(scaled)
    mismatch = float(np.abs(difference).max(initial=0.0))
    reward, solution = _at_temperature(dual, scaled, temperature)
    visits = dual.optimum(scaled)[1]
    status: Literal["converged", "stalled", "max_iterations"] = "converged"
    if steepness > goal:
        status = "max_iterations" if iterations >= max_iterations else "stalled"
        warnings.warn(
            f"recover_reward stopped ({status.replace('_', ' ')}) with a gradient of "
            f"{steepness:.3g}, above the tolerance {goal:.3g}; the mismatch is {mismatch:.3g}: "
            "give more max_iterations, a larger tolerance or some regularisation",
            MaxEntWarning,
            stacklevel=3,
        )
    weights = reward.copy()
    if shape != reward.shape:
        weights = (temperature * scaled).reshape(shape)
    return RecoveredReward(
        reward=reward,
        weights=weights,
        solution=solution,
        demonstrated=expert,
        occupancy=visits,
        resolution=_resolution(expert, free_pairs(mdp), temperature * goal),
        mismatch=mismatch,
        flow_error=flow_error,
        log_likelihood=float((expert * np.where(expert != 0.0, solution.log_policy, 0.0)).sum()),
        temperature=temperature,
        regularisation=strength,
        tolerance=goal,
        iterations=iterations,
        status=status,
        seconds=time.perf_counter() - started,
    )


def closed_form(
    mdp: MDP, policy: Float[ndarray, "S A"], goal: float, horizon: float
) -> Float[ndarray, " N"]:
    """log pi less its shaping, on the free pairs (N,): the reward of temperature 1 under which pi
    is soft-optimal, of least norm.  Probabilities of 0 are raised by so little (and to at most the
    least other one of the state) that the visits move by less than `goal`.  horizon: all discounted
    visits."""
    free = free_pairs(mdp)
    floor = min(goal / (4.0 * mdp.n_actions * horizon**2), 1e-3)
    least = np.where(free & (policy > 0.0), policy, np.inf).min(axis=1, keepdims=True)
    raised = np.where(free & (policy <= 0.0), np.minimum(floor, least), policy)
    raised = np.where(free, raised, 0.0)
    total = np.where(free.any(axis=1), raised.sum(axis=1), 1.0)
    found: Float[ndarray, " N"] = remove_shaping(
        mdp, np.log(np.where(free, raised / total[:, None], 1.0))
    )[free]
    return found


def _at_temperature(
    dual: Dual, weights: Float[ndarray, " K"], temperature: float
) -> tuple[Float[ndarray, "S A"], Solution]:
    """The reward in its own units and its certified solution, from those at temperature 1."""
    reward = temperature * dual.reward(weights)
    mdp, v0 = dual.mdp.replace(reward=reward), temperature * dual.optimum(weights)[0].v
    norm = float(np.abs(v0).max())
    if mdp.discount == 1.0:
        return reward, soft_policy_iteration(mdp, temperature, v0=v0)
    floor = soft_bounds(mdp, temperature, mdp.log_prior(None)).floor(norm)
    goal = max(1e-9 * max(temperature, norm), 8.0 * floor)
    return reward, soft_policy_iteration(mdp, temperature, v0=v0, tolerance=goal)


def _resolution(
    visits: Float[ndarray, "S A"], free: Bool[ndarray, "S A"], change: float
) -> Float[ndarray, "S A"]:
    """The change of a reward that moves the visits by change / temperature, to first order."""
    with np.errstate(over="ignore"):
        size = np.divide(change, visits, out=np.full(visits.shape, np.inf), where=visits > 0.0)
    return np.where(free, size, 0.0)


def _check_temperature(mdp: MDP, value: Any) -> float:
    temperature = require_temperature(value)
    if temperature == 0.0:
        raise ConfigError(
            "temperature = 0: at the hard maximum the reward 0 explains every policy, so that "
            "nothing can be recovered; give the demonstrator's temperature, greater than 0"
        )
    require_determined(mdp)
    return temperature


def _strength(regularisation: float | None, temperature: float, episodes: int) -> float:
    """The lambda that was asked for, or its default."""
    if regularisation is None:
        return 1.0 / (episodes * temperature * PRIOR_WIDTH**2) if episodes else 0.0
    strength = require_real("regularisation", regularisation, "[0, inf)")
    if not (0.0 <= strength < np.inf):
        raise ConfigError(f"regularisation = {regularisation!r} must be finite and at least 0")
    if strength * temperature == np.inf:
        raise ConfigError(
            f"regularisation = {regularisation!r} times temperature = {temperature:g} is beyond "
            f"float64; give less than {1e300 / temperature:.3g}"
        )
    return strength
