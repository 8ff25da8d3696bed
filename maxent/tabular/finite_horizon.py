"""Finite horizon: the soft-optimal policy of an episode of known length, by backward induction.

V_H is 0, or what the caller says each state is worth at the end, and, for t = H-1 ... 0,
Q_t = r_t + gamma P V_{t+1}, V_t = alpha log sum exp(Q_t / alpha): the soft Bellman equation
(SQL-T2) with time as part of the state.  It is exact after H steps, so a discount of 1 is allowed;
the policy depends on t, and the rewards may.  The value of a given policy, which may depend on t as
well, comes the same way with V_t = E_pi[Q_t - alpha log pi_t] (SAC-L1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ModelError
from maxent.mdp import MDP, require_mdp, validation
from maxent.support.arguments import count, require_count, require_temperature
from maxent.support.arrays import HasPolicy, ReadOnly, logs
from maxent.support.memory import require_memory
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.bounds import UNIT, FixedPointBounds, soft_bounds


@dataclass(frozen=True, eq=False)
class FiniteHorizonSolution(ReadOnly, HasPolicy):
    """The soft-optimal solution over a horizon of H steps, or a policy's value; axis 0 is time.

    v : (H+1, S), in units of reward; v[t] is the value with H - t steps to go, v[H] the terminal
        value, 0 if none was given.
    q : (H, S, A), in units of reward.
    log_policy : (H, S, A), -inf for an action never taken.
    temperature, horizon : of the problem.
    error_bound : largest rounding error of v, bounded step by step as in `bounds.py`.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=1.0)
    >>> found = maxent.finite_horizon(mdp, temperature=0.0, horizon=2)
    >>> found.v.shape, found.q.shape, found.policy[0, 0].tolist()
    ((3, 3), (2, 3, 4), [0.0, 1.0, 0.0, 0.0])
    """

    v: ndarray
    q: ndarray
    log_policy: ndarray
    temperature: float
    horizon: int
    error_bound: float

    def __repr__(self) -> str:
        return (
            f"FiniteHorizonSolution(horizon {self.horizon}, {count(self.v.shape[1], 'state')}, "
            f"temperature {self.temperature:g}, error <= {self.error_bound:.2g})"
        )


@takes_our_words
def finite_horizon(
    mdp: MDP,
    temperature: float,
    horizon: int,
    *,
    prior: Any = None,
    terminal_value: Any = None,
    reward: Any = None,
) -> FiniteHorizonSolution:
    """The soft-optimal values and policies of an episode of `horizon` steps.

    Without discount it is control as inference (INFERENCE), and linear in exp(V / alpha) where an
    action is a choice of the next state's law (LMDP).

    mdp : the problem; a discount of 1 is allowed.
    temperature : alpha >= 0; 0 is the hard maximum (policy uniform over actions tied within
        rounding).
    horizon : H >= 1, in steps.
    prior : probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
    terminal_value : (S,), what each state is worth after the last step (0 at terminal states);
        None: 0.
    reward : (H, S, A), the rewards of each step; None: the MDP's at every step.

    Returns a `FiniteHorizonSolution`: v (H+1, S), q and log_policy (H, S, A).

    Raises ConfigError (temperature, horizon), ModelError (mdp, prior, terminal_value, reward),
    MemoryBudgetError where (H, S, A) arrays do not fit.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=1.0)
    >>> soon = maxent.finite_horizon(mdp, temperature=0.0, horizon=2)
    >>> soon.v.round(3).tolist()  # two steps to go, one, none
    [[0.92, 0.96, 0.0], [-0.04, 0.96, 0.0], [0.0, 0.0, 0.0]]
    >>> soon.policy.shape
    (2, 3, 4)
    >>> late = maxent.finite_horizon(mdp, 0.0, 1, terminal_value=[5.0, 0.0, 0.0])
    >>> late.v.round(3).tolist()  # to be back at the start pays 5
    [[4.96, 4.96, 0.0], [5.0, 0.0, 0.0]]
    """
    temperature = require_temperature(temperature)
    horizon = require_count("horizon", horizon)
    log_prior = require_mdp(mdp).log_prior(prior)

    def best(q: ndarray, t: int, error: float) -> ndarray:
        return operators.boltzmann_policy(q, temperature, log_prior, 2.0 * error)

    rewards, bounds = _rewards(mdp, temperature, log_prior, horizon, reward)
    return _backward(mdp, temperature, log_prior, rewards, bounds, terminal_value, best)


@takes_our_words
def finite_horizon_evaluation(
    mdp: MDP,
    policy: Any,
    temperature: float,
    horizon: int | None = None,
    *,
    prior: Any = None,
    terminal_value: Any = None,
    reward: Any = None,
) -> FiniteHorizonSolution:
    """The value of a policy over an episode of `horizon` steps (SAC-L1).

    mdp : the problem; a discount of 1 is allowed.
    policy : probabilities (H, S, A), one policy a step (the horizon is then H and may be left out),
        or (S, A) or (A,), the same at every step.
    temperature : alpha >= 0, the weight of the policy's entropy.
    horizon : H >= 1, in steps.
    prior : probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
    terminal_value, reward : (S,) and (H, S, A), as of `finite_horizon`.

    Returns a `FiniteHorizonSolution` with the policy's v and q; its log_policy is the one given.

    Raises as `finite_horizon`; ModelError also for a policy that is none, or of another length than
    the horizon.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=1.0)
    >>> best = maxent.finite_horizon(mdp, temperature=0.1, horizon=5)
    >>> found = maxent.finite_horizon_evaluation(mdp, best.policy, temperature=0.1)
    >>> found.horizon, bool(abs(found.v - best.v).max() < 1e-9)
    (5, True)
    """
    temperature = require_temperature(temperature)
    log_prior = require_mdp(mdp).log_prior(prior)
    given = validation.real_array(
        "policy",
        policy,
        fits=lambda s: s == (mdp.n_actions,) or (s[-2:] == mdp.reward.shape and len(s) in (2, 3)),
        wanted=f"it must be {mdp.reward.shape}, or that for each step",
    )
    if given.ndim == 3 and horizon is None:
        horizon = len(given)
    horizon = require_count("horizon", horizon)
    if given.ndim == 3 and len(given) != horizon:
        raise ModelError(f"policy has {len(given)} steps; the horizon is {horizon}: make them one")
    allowed = mdp.action_mask if log_prior is None else log_prior > -np.inf

    def own(q: ndarray, t: int, error: float) -> ndarray:
        step, name = (given[t], f"policy at step {t}") if given.ndim == 3 else (given, "policy")
        return logs(validation.action_distribution(name, step, allowed, mdp.terminal))

    rewards, bounds = _rewards(mdp, temperature, log_prior, horizon, reward)
    return _backward(mdp, temperature, log_prior, rewards, bounds, terminal_value, own, given=True)


def _backward(
    mdp: MDP,
    temperature: float,
    log_prior: ndarray | None,
    rewards: Float[ndarray, "H S A"],
    bounds: FixedPointBounds,
    terminal_value: Any,
    choose: Callable[[ndarray, int, float], ndarray],
    given: bool = False,
) -> FiniteHorizonSolution:
    """Dynamic programming from the last step to the first.

    choose : the log policy of a step, of its q, its number and how far q can be off.  given : it
    does not follow from q, so that its value is summed under it.
    """
    horizon, n_states, n_actions = rewards.shape
    v = np.zeros((horizon + 1, n_states))
    v[horizon] = _terminal_value(mdp, terminal_value)
    q, log_policy = np.empty((2, *rewards.shape))
    error = largest = 0.0  # error: of v[t + 1]; 1 + 1e-8 covers rows that sum to more than 1
    for t in reversed(range(horizon)):
        q[t] = rewards[t] + mdp.expect(mdp.discount_on_arrival * v[t + 1])
        norm, more = float(np.abs(v[t + 1]).max()), 0.0
        if given:  # sums of A products of pi with q (at most 2 N) and alpha (log pi - log prior)
            size = 3.0 * max(norm, bounds.scale) + temperature * (1.0 + np.log(n_actions))
            more = UNIT * (n_actions + 8) * size
        error = mdp.discount * (1.0 + 1e-8) * error + bounds.rounding(norm) + more
        log_policy[t] = choose(q[t], t, error)
        value = (
            operators.policy_value(q[t], log_policy[t], temperature, log_prior)
            if given
            else operators.soft_value(q[t], temperature, log_prior)
        )
        v[t] = np.where(mdp.terminal, 0.0, value)
        largest = max(largest, error)
    return FiniteHorizonSolution(v, q, log_policy, temperature, horizon, largest)


def _rewards(
    mdp: MDP, temperature: float, log_prior: ndarray | None, horizon: int, reward: Any
) -> tuple[Float[ndarray, "H S A"], FixedPointBounds]:
    """The rewards of each step (0 where nothing can be paid), and the rounding that goes with
    them."""
    needed = 16 * horizon * mdp.reward.size
    require_memory(needed, f"a policy for each of {horizon} steps", "shorten it")
    bounds = soft_bounds(mdp, temperature, log_prior)
    shape = (horizon, *mdp.reward.shape)
    if reward is None:
        return np.broadcast_to(mdp.reward, shape), bounds
    what = ": the rewards (S, A) of each step"
    given = validation.array_of_shape("reward", reward, shape, what)
    given = np.where(mdp.action_mask & ~mdp.terminal[:, None], given, 0.0)
    for t, step in enumerate(given):
        try:
            validation.require_reward(step)
        except ModelError as error:
            raise ModelError(f"step {t}: {error}") from None
    more = max(0.0, float(np.abs(given).max()) - float(np.abs(mdp.reward).max()))
    return given, replace(bounds, scale=bounds.scale + more)


def _terminal_value(mdp: MDP, value: Any) -> Float[ndarray, " S"]:
    """What each state is worth after the last step, 0 at terminal states."""
    if value is None:
        return np.zeros(mdp.n_states)
    given = validation.array_of_shape("terminal_value", value, (mdp.n_states,))
    wrong = ~(np.abs(given) <= validation.MAX_REWARD) | (mdp.terminal & (given != 0.0))
    if wrong.any():
        state = int(np.argmax(wrong))
        limit = "0, since the state is terminal: pay it as a reward on arrival"
        if not mdp.terminal[state]:
            limit = f"a number of at most {validation.MAX_REWARD:g} in size"
        raise ModelError(
            f"terminal_value of state {state} is {float(given[state])!r}; it must be {limit}"
        )
    return given
