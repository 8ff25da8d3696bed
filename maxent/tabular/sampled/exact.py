"""The exact answer that a learner's errors are measured against.

It is of the MDP that the samples come from, without the actions that the samples rule out.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, MaxEntWarning, ModelError
from maxent.mdp import MDP, validation
from maxent.solution import Solution
from maxent.support.arrays import closure, logs
from maxent.support.shapes import Bool, Float
from maxent.tabular import operators
from maxent.tabular.solvers import soft_policy_evaluation, solve


@dataclass(frozen=True, eq=False)
class Reference:
    """Exact q, the pairs to compare it at, and how well it is known."""

    q: ndarray
    pairs: ndarray
    error_bound: float

    def errors(self, q: Float[ndarray, "K S A"]) -> Float[ndarray, "2 K"]:
        """Largest and root-mean-square error of each run."""
        gaps = np.abs((q - self.q)[:, self.pairs])
        largest = gaps.max(axis=1)
        unit = np.where(largest > 0.0, largest, 1.0)  # squares of large errors would overflow
        return np.array([largest, unit * np.sqrt(((gaps / unit[:, None]) ** 2).mean(axis=1))])


def exact_mdp(
    problem: Any, discount: float, exact: MDP | Solution | None, shape: tuple[int, int]
) -> MDP | None:
    """The MDP that errors are about, found to fit what is learned, a table (S, A); None where there
    is none."""
    own = problem if isinstance(problem, MDP) else None
    if exact is None:
        return own
    if isinstance(exact, Solution):
        if own is None:
            raise ConfigError(
                "exact is a Solution, which does not say its discount, its terminal states or the "
                "actions it allows; give the MDP behind the environment instead"
            )
        return own
    if not isinstance(exact, MDP):
        raise ConfigError(f"exact is {type(exact).__name__}; give an MDP or a Solution")
    if exact.discount != discount:
        raise ConfigError(
            f"exact has the discount {exact.discount!r}, the samples {discount!r}; use one discount"
        )
    n_states, n_actions = shape
    if exact.n_actions != n_actions or exact.n_states < n_states:
        raise ConfigError(
            f"exact has {exact.n_states} states and {exact.n_actions} actions, what is learned "
            f"{n_states} and {n_actions}; give the MDP that the samples come from"
        )
    if not exact.terminal[n_states:].all():
        state = n_states + int(np.argmin(exact.terminal[n_states:]))
        raise ConfigError(
            f"exact has {exact.n_states} states, what is learned {n_states}, and its state {state} "
            "is not terminal; states beyond those learned must be"
        )
    if not exact.initial_distribution[~exact.terminal].any():
        raise ConfigError("every start of exact is terminal: no error can be measured")
    return exact


def without_ruled_out(
    mdp: MDP, log_mask: Float[ndarray, "S A"] | None, taken: Bool[ndarray, "S A"]
) -> MDP:
    """The MDP without the actions that the samples rule out.  Warns where it rules out itself what
    they contain (`taken`)."""
    n_states = len(taken)
    ended = mdp.terminal[:n_states, None]
    beyond = taken & ~mdp.action_mask[:n_states] & ~ended
    if beyond.any():
        state, action = (int(i) for i in np.argwhere(beyond)[0])
        warnings.warn(
            f"exact rules out action {action} of state {state}, which the samples contain "
            f"({int(beyond.sum())} such pairs): errors are to values without them",
            MaxEntWarning,
            stacklevel=2,
        )
    if log_mask is None:
        return mdp
    available = mdp.action_mask.copy()
    available[:n_states] &= (log_mask == 0.0) | ended
    if (available == mdp.action_mask).all():
        return mdp
    nothing = ~available.any(axis=1)
    if nothing.any():
        raise ModelError(
            f"state {int(np.argmax(nothing))}: exact rules out every action that is available to "
            "the agent; give the MDP that the samples come from"
        )
    return mdp.replace(reward=mdp.reward, action_mask=available)


def solved_reference(mdp: MDP, temperature: float, policy: Any, n_states: int) -> Reference:
    """The solution, or the values of a policy, in the first `n_states` states."""
    if policy is None:
        solution = solve(mdp, temperature)
    else:
        rows = validation.plain_array("policy", policy)
        if rows.ndim == 2 and len(rows) == n_states:  # terminal states need no policy
            rows = np.pad(rows, ((0, mdp.n_states - n_states), (0, 0)))
        solution = soft_policy_evaluation(mdp, rows, temperature)
    return Reference(
        solution.q[:n_states], _pairs(mdp)[:n_states], mdp.discount * solution.error_bound
    )


def given_reference(mdp: MDP, solution: Solution, temperature: float, policy: Any) -> Reference:
    """What a Solution says, found to be one of this MDP: |T v - v| <= (1 + gamma) |v - v_exact|."""
    if solution.q.shape != mdp.reward.shape:
        raise ConfigError(
            f"exact has shape {solution.q.shape}, what is learned {mdp.reward.shape}; give the "
            "Solution of this MDP, or none"
        )
    if solution.temperature != temperature:
        raise ConfigError(
            f"exact has the temperature {solution.temperature!r}, the samples {temperature!r}"
        )
    q = operators.backup(mdp, solution.v)
    if policy is None:
        v = operators.soft_value(q, temperature, mdp.log_mask)
    else:
        rows = validation.action_distribution("policy", policy, mdp.action_mask, mdp.terminal)
        v = operators.policy_value(q, logs(rows), temperature)
    residual = float(np.abs(np.where(mdp.terminal, 0.0, v) - solution.v).max())
    rounding = 1e-12 * max(float(np.abs(solution.v).max()), float(np.abs(mdp.reward).max()))
    allowed = (1.0 + mdp.discount) * solution.error_bound + rounding
    if not residual <= allowed:
        raise ConfigError(
            f"exact misses the soft Bellman equation by {residual:.3g}, its error bound allows "
            f"{allowed:.3g}: it is of another MDP, discount, mask, prior or policy; give the "
            "Solution of this MDP, or none"
        )
    bound = mdp.discount * (residual + rounding) / (1.0 - mdp.discount)
    return Reference(q, _pairs(mdp), bound)


def _pairs(mdp: MDP) -> Bool[ndarray, "S A"]:
    """Where errors are measured."""
    found: Bool[ndarray, "S A"] = _reachable(mdp)[:, None] & mdp.action_mask
    return found


def _reachable(mdp: MDP) -> Bool[ndarray, " S"]:
    """Non-terminal states that can be entered from the initial distribution."""
    nonterminal = ~mdp.terminal

    def step(reached: ndarray) -> ndarray:
        leaving = (reached[:, None] & mdp.action_mask).ravel().astype(float)
        found: ndarray = nonterminal & (leaving @ mdp.transition_rows > 0.0)
        return found

    return closure(nonterminal & (mdp.initial_distribution > 0.0), step)
