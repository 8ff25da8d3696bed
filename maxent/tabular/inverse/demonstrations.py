"""What was demonstrated, as one occupancy that this MDP can have."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import sparse

from maxent.errors import MaxEntWarning, ModelError
from maxent.mdp import MDP, require_mdp, validation
from maxent.mdp.transitions import Transition
from maxent.tabular.inverse.shaping import flow_violation, shaping_rows
from maxent.tabular.linear_systems import solve_discounted
from maxent.tabular.occupancy import occupancy

ROUNDING, MISFIT = 1e-6, 0.1
"""Share of its visits by which an occupancy may break the flow equations: silently, and at all."""

SAME_ROWS = 1e-6
"""Spread of the row sums, relative to them, up to which an array is meant as a policy."""

PSEUDO_VISITS = 0.1
"""Visits, of one episode, added to each state and spread over its actions: what was never seen is
rare, not impossible."""


def empirical_occupancy(mdp: MDP, episodes: Sequence[tuple[Any, Any]]) -> Float[ndarray, "S A"]:
    """Mean discounted visits of episodes (states, actions), (S, A), as of `recover_reward`.

    An unbiased estimate of the occupancy (terminal rows 0) if the episodes run to their end; one
    cut off after T steps lacks what would have come, at most gamma^T / (1 - gamma).  ModelError
    names the episode and the step where one does what this MDP cannot do.
    """
    require_mdp(mdp)
    if len(episodes) == 0:
        raise ModelError("demonstrations are empty; give at least one episode (states, actions)")
    visits = np.zeros((mdp.n_states, mdp.n_actions))
    for number, episode in enumerate(episodes):
        states, actions = _episode(mdp, number, episode)
        np.add.at(visits, (states, actions), mdp.discount ** np.arange(len(actions)))
    return visits / len(episodes)


def demonstrated(
    mdp: MDP, demonstrations: Any, free: Bool[ndarray, "S A"]
) -> tuple[ndarray, ndarray, float, int]:
    """The occupancy to be matched (S, A), 0 off the free pairs; its policy, uniform where nobody
    goes unless it was given; by how much the occupancy had to be moved to obey the flow equations;
    and the number of episodes (0: none)."""
    visits, flow_error, episodes = _visits(mdp, demonstrations, free)
    policy = _policy(visits, free)
    if not episodes:
        given = np.asarray(demonstrations, dtype=float)
        policy = given if _rows_sum_to_one(mdp, given) else policy
    return visits, policy, flow_error, episodes


def _visits(
    mdp: MDP, demonstrations: Any, free: Bool[ndarray, "S A"]
) -> tuple[ndarray, float, int]:
    recorded = _episodes(demonstrations)
    if recorded is not None:
        visits, episodes = empirical_occupancy(mdp, recorded), len(recorded)
    else:
        array, episodes = validation.real_array("demonstrations", demonstrations), 0
        if array.shape != free.shape:
            raise ModelError(
                f"demonstrations have shape {array.shape}; give a policy or an occupancy of shape "
                f"{free.shape}, or a list of episodes (states, actions)"
            )
        if _rows_sum_to_one(mdp, array):
            visits = np.where(free, occupancy(mdp, array), 0.0)
        else:
            visits = _checked_occupancy(mdp, array, free)
    total = float(visits.sum())
    if total == 0.0:
        raise ModelError(
            "the demonstrations hold no visit of a non-terminal state (all are 0); give at least "
            "one step of the demonstrator"
        )
    violation = np.abs(flow_violation(mdp, free, visits))
    flow_error = float(violation.sum())
    if episodes:
        pseudo = PSEUDO_VISITS / (episodes * mdp.n_actions)
        return nearest_flow(mdp, free, visits, pseudo), flow_error, episodes
    if flow_error <= ROUNDING * total:
        return visits, flow_error, 0
    message = (
        f"the occupancy breaks the flow equations of this MDP by {flow_error:.3g} of {total:.3g} "
        f"discounted visits, most at state {int(np.flatnonzero(~mdp.terminal)[violation.argmax()])}"
    )
    rows = visits.sum(axis=1)[~mdp.terminal]
    if len(rows) > 1 and np.ptp(rows) <= SAME_ROWS * rows.max():
        raise ModelError(
            f"the rows of demonstrations all sum to {rows.max():.10g}; those of a policy must sum "
            f"to 1 (divide by the sums), and read as an occupancy: {message}"
        )
    if flow_error > MISFIT * total:
        raise ModelError(
            f"{message} (limit {MISFIT:g} of them); take it from maxent.occupancy with the same "
            "dynamics, discount and initial distribution, or give the episodes themselves"
        )
    warnings.warn(f"{message}; the nearest one that obeys them is used", MaxEntWarning, 4)
    return nearest_flow(mdp, free, visits, 1e-3 * flow_error / free.sum()), flow_error, 0


def _rows_sum_to_one(mdp: MDP, array: ndarray) -> bool:
    return np.allclose(array[~mdp.terminal].sum(axis=1), 1.0, rtol=0.0, atol=1e-9)


def _policy(visits: Float[ndarray, "S A"], free: Bool[ndarray, "S A"]) -> Float[ndarray, "S A"]:
    """visits(s, a) / visits(s), uniform over the free actions where nobody goes."""
    state = visits.sum(axis=1, keepdims=True)
    choices = np.maximum(free.sum(axis=1, keepdims=True), 1)
    return np.where(state > 0.0, visits / np.where(state > 0.0, state, 1.0), free / choices)


def nearest_flow(
    mdp: MDP, free: Bool[ndarray, "S A"], visits: Float[ndarray, "S A"], pseudo: float
) -> Float[ndarray, "S A"]:
    """The occupancy x of this MDP that is nearest to `visits` + pseudo in Kullback-Leibler
    divergence, (S, A), positive on the free pairs.

    x = (visits + pseudo) exp(gamma P Phi - Phi), with Phi the minimiser of sum x + mu Phi, by
    Newton's method with halved steps.  Where visits are rare it moves little, and it gives states
    that no episode saw what flows into them.
    """
    rows = shaping_rows(mdp, free)
    start = mdp.initial_distribution[~mdp.terminal]
    base = visits[free] + pseudo
    potential, x = np.zeros(len(start)), base
    value = float(base.sum())
    for _ in range(500):
        gradient = rows.T @ x + start
        if np.abs(gradient).sum() <= 1e-13 * x.sum():
            break
        weighted = rows.multiply(x[:, None]) if sparse.issparse(rows) else rows * x[:, None]
        step = -_solve(rows.T @ weighted, gradient)
        fall, size = float(gradient @ step), 1.0
        while size > 1e-12:
            with np.errstate(over="ignore"):
                trial = base * np.exp(rows @ (potential + size * step))
            tried = float(trial.sum() + start @ (potential + size * step))
            if tried <= value + 1e-4 * size * fall:
                break
            size /= 2
        else:
            break  # rounding: no lower value can be told
        potential, x, value = potential + size * step, trial, tried
    nearest = np.zeros(free.shape)
    nearest[free] = x
    return nearest


def _solve(matrix: Transition, right: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    identity = sparse.eye_array(len(right)) if sparse.issparse(matrix) else np.eye(len(right))
    return solve_discounted(identity - matrix, right)


def _checked_occupancy(
    mdp: MDP, visits: ndarray, free: Bool[ndarray, "S A"]
) -> Float[ndarray, "S A"]:
    wrong = ~(visits >= 0.0) | (visits == np.inf)
    wrong |= (visits > 0.0) & ~mdp.action_mask
    wrong &= ~mdp.terminal[:, None]
    if wrong.any():
        state, action = (int(i) for i in np.argwhere(wrong)[0])
        why = "finite and at least 0" if mdp.action_mask[state, action] else "0 where masked"
        raise ModelError(
            f"demonstrations at state {state}, action {action} are "
            f"{float(visits[state, action])!r}; an occupancy must be {why}"
        )
    return np.where(free, visits, 0.0)


def _episodes(demonstrations: Any) -> Sequence[Any] | None:
    """The episodes, where these are episodes or a simulation rather than one array."""
    if hasattr(demonstrations, "lengths") and hasattr(demonstrations, "states"):
        if demonstrations.states is None:
            raise ModelError("the simulation kept no trajectories; simulate with trajectories=True")
        return [
            (states[: length + 1], actions[:length])
            for states, actions, length in zip(
                demonstrations.states, demonstrations.actions, demonstrations.lengths
            )
        ]
    if not isinstance(demonstrations, (list, tuple)):
        return None
    first = demonstrations[0] if len(demonstrations) else ((), ())
    pairs = isinstance(first, (list, tuple)) and len(first) == 2
    return demonstrations if pairs and all(np.ndim(part) == 1 for part in first) else None


def _episode(mdp: MDP, number: int, episode: Any) -> tuple[ndarray, ndarray]:
    """States and actions of one episode, both (T,), checked against the MDP."""
    try:
        states, actions = (np.asarray(part) for part in episode)
    except (TypeError, ValueError) as error:
        raise ModelError(f"episode {number} is not a pair (states, actions): {error}") from error
    for name, part, size in (("states", states, mdp.n_states), ("actions", actions, mdp.n_actions)):
        if part.ndim != 1 or (part.size and part.dtype.kind not in "iu"):
            raise ModelError(
                f"{name} of episode {number} have shape {part.shape} and dtype {part.dtype}; give "
                "whole numbers in one dimension"
            )
        if part.size and not (part.min() >= 0 and part.max() < size):
            step = int(np.argmax((part < 0) | (part >= size)))
            raise ModelError(
                f"{name} of episode {number} hold {int(part[step])} at step {step}; valid are 0 to "
                f"{size - 1}"
            )
    steps = len(actions)
    if len(states) not in (steps, steps + 1):
        raise ModelError(
            f"episode {number} has {len(states)} states and {steps} actions; give as many "
            "states as actions, or one more (where it ended)"
        )
    states, actions = states.astype(int), actions.astype(int)
    if steps == 0 and not (len(states) and mdp.terminal[states[0]]):
        raise ModelError(
            f"episode {number} has no step; leave it out, or give what the demonstrator did (only "
            "an episode that starts in a terminal state has none)"
        )
    allowed = mdp.action_mask[states[:steps], actions] & ~mdp.terminal[states[:steps]]
    if not allowed.all():
        step = int(np.argmin(allowed))
        ended = mdp.terminal[states[step]]
        why = "is terminal" if ended else f"has no action {actions[step]}"
        raise ModelError(f"episode {number}, step {step}: state {states[step]} {why} in this MDP")
    follow = min(steps, len(states) - 1)
    rows = states[:follow] * mdp.n_actions + actions[:follow]
    chance = mdp.transition_rows[rows, states[1 : follow + 1]]
    chance = np.ravel(chance.toarray() if sparse.issparse(chance) else chance)
    if (chance <= 0.0).any():
        step = int(np.argmax(chance <= 0.0))
        raise ModelError(
            f"episode {number}, step {step}: state {states[step]} with action {actions[step]} "
            f"never leads to state {states[step + 1]} in this MDP"
        )
    return states[:steps], actions
