"""What was demonstrated, as one occupancy that this MDP can have."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import MaxEntWarning, ModelError
from maxent.mdp import MDP, require_mdp, validation
from maxent.mdp.transitions import Transition
from maxent.support.shapes import Bool, Float
from maxent.tabular.inverse.episodes import Episode, read_episodes
from maxent.tabular.inverse.shaping import flow_violation, shaping_rows
from maxent.tabular.linear_systems import solve_discounted
from maxent.tabular.occupancy import occupancy

ROUNDING, MISFIT = 1e-6, 0.1
"""Share of its visits by which an occupancy may break the flow equations: silently, and at all."""

SAME_ROWS = 1e-6
"""Spread of the row sums, relative to them, up to which an array is meant as a policy."""

NO_STEP = (
    "episode {} has no step; leave it out, or give what the demonstrator did (only an episode that "
    "starts in a terminal state has none)"
)

PSEUDO_VISITS = 0.1
"""Visits, of one episode, added to each state and spread over its actions: what was never seen is
rare, not impossible."""


def empirical_occupancy(mdp: MDP, episodes: Any) -> Float[ndarray, "S A"]:
    """Mean discounted visits of episodes, (S, A), as of `recover_reward`.

    An unbiased estimate of the occupancy (terminal rows 0) if the episodes run to their end; one
    cut off after T steps lacks what would have come, at most gamma^T / (1 - gamma).  Where actions
    are not known, each step counts for the actions that can lead to the next state, in proportion
    to its probability.  ModelError names the episode and the step where one does what this MDP
    cannot do.
    """
    require_mdp(mdp)
    recorded = read_episodes(mdp, episodes)
    if recorded is None:
        raise ModelError(f"demonstrations are a {type(episodes).__name__}; give a list of episodes")
    if len(recorded) == 0:
        raise ModelError("demonstrations are empty; give at least one episode (states, actions)")
    visits = np.zeros((mdp.n_states, mdp.n_actions))
    for number, episode in enumerate(recorded):
        states, actions, shares = _episode(mdp, number, episode)
        np.add.at(visits, (states, actions), shares)
    return visits / len(recorded)


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
    recorded = read_episodes(mdp, demonstrations)
    if recorded is not None:
        visits, episodes = empirical_occupancy(mdp, demonstrations), len(recorded)
    else:
        episodes = 0
        array = validation.real_array(
            "demonstrations",
            demonstrations,
            fits=free.shape.__eq__,
            wanted=f"give a policy or an occupancy of shape {free.shape}, or episodes: a list of "
            "(states, actions), of states or of steps (s, a, s'), or an array (N, T, 2)",
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


def _episode(mdp: MDP, number: int, episode: Any) -> tuple[ndarray, ndarray, ndarray]:
    """States, actions and their discounted shares of one episode, checked against the MDP."""
    states, actions = _sequences(mdp, number, episode)
    if actions is None:
        return _guessed(mdp, number, states)
    steps = len(actions)
    if len(states) not in (steps, steps + 1):
        raise ModelError(
            f"episode {number} has {len(states)} states and {steps} actions; give as many "
            "states as actions, or one more (where it ended)"
        )
    if steps == 0 and not (len(states) and mdp.terminal[states[0]]):
        raise ModelError(NO_STEP.format(number))
    allowed = mdp.action_mask[states[:steps], actions] & ~mdp.terminal[states[:steps]]
    if not allowed.all():
        step = int(np.argmin(allowed))
        ended = mdp.terminal[states[step]]
        why = "is terminal" if ended else f"has no action {actions[step]}"
        raise ModelError(f"episode {number}, step {step}: state {states[step]} {why} in this MDP")
    follow = min(steps, len(states) - 1)
    chance = _step_probability(mdp, states[:follow], actions[:follow], states[1 : follow + 1])
    if (chance <= 0.0).any():
        step = int(np.argmax(chance <= 0.0))
        raise ModelError(
            f"episode {number}, step {step}: state {states[step]} with action {actions[step]} "
            f"never leads to state {states[step + 1]} in this MDP"
        )
    return states[:steps], actions, mdp.discount ** np.arange(steps)


def _guessed(mdp: MDP, number: int, states: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    """The same of an episode of states alone: each step is shared by the actions that can make it,
    in proportion to their chance to."""
    steps, n_actions = len(states) - 1, mdp.n_actions
    if steps < 1 and not (len(states) and mdp.terminal[states[0]]):
        raise ModelError(NO_STEP.format(number))
    now, then = np.repeat(states[:steps], n_actions), np.repeat(states[1:], n_actions)
    actions = np.tile(np.arange(n_actions), max(steps, 0))
    chance = np.where(
        mdp.action_mask[now, actions], _step_probability(mdp, now, actions, then), 0.0
    )
    chance = chance.reshape(-1, n_actions)
    total = chance.sum(axis=1)
    if (total <= 0.0).any():
        step = int(np.argmax(total <= 0.0))
        raise ModelError(
            f"episode {number}, step {step}: state {states[step]} never leads to state "
            f"{states[step + 1]} in this MDP, whatever the action"
        )
    shares = chance / total[:, None] * mdp.discount ** np.arange(len(total))[:, None]
    return now, actions, shares.ravel()


def _step_probability(mdp: MDP, states: ndarray, actions: ndarray, successors: ndarray) -> ndarray:
    """P(s'|s,a) of each step."""
    found = mdp.transition_rows[states * mdp.n_actions + actions, successors]
    return np.ravel(found.toarray() if sparse.issparse(found) else found)


def _sequences(mdp: MDP, number: int, episode: Episode) -> tuple[ndarray, ndarray | None]:
    """The states and actions (None where unknown) of an episode, as whole numbers in range."""
    found: list[ndarray | None] = []
    for name, part, size in (
        ("states", episode.states, mdp.n_states),
        ("actions", episode.actions, mdp.n_actions),
    ):
        if part is None:
            found.append(None)
            continue
        array = np.asarray(part)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise ModelError(
                f"{name} of episode {number} have shape {array.shape} and dtype {array.dtype}; "
                "give whole numbers in one dimension"
            )
        if array.size and not (array.min() >= 0 and array.max() < size):
            step = int(np.argmax((array < 0) | (array >= size)))
            raise ModelError(
                f"{name} of episode {number} hold {int(array[step])} at step {step}; valid are 0 "
                f"to {size - 1}"
            )
        found.append(array.astype(int))
    states, actions = found
    assert states is not None
    return states, actions
