r"""Potential-based shaping: the part of a reward that no policy shows (SHAPE).

With r' = r + gamma P Phi - Phi (Phi = 0 at terminal states) all policies keep their order (Ng,
Harada, Russell 1999).  These terms form the range of a matrix B = gamma P - (leave), and an
occupancy x obeys the flow equations where B' x + mu = 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp, validation
from maxent.mdp.transitions import Transition
from maxent.support.shapes import Bool, Float
from maxent.tabular.linear_systems import solve_discounted
from maxent.tabular.solvers.end_components import reaching
from maxent.tabular.solvers.pairs import Pairs

DENSE = 4_000
"""States up to which normal equations that couple many of them are solved as a dense system."""


def remove_shaping(mdp: MDP, reward: Any) -> Float[ndarray, "S A"]:
    """A reward (S, A) or (S,) less its part of the form gamma P Phi - Phi, (S, A): the orthogonal
    projection.  Rewards that differ only by shaping give the same result (SHAPE).

    Unavailable actions and terminal states get 0.  At discount 1 an end must be within reach of
    every state, else ConfigError.
    """
    require_determined(require_mdp(mdp))
    free = free_pairs(mdp)
    given = validation.real_array(
        "reward",
        reward,
        fits={free.shape, free.shape[:1]}.__contains__,
        wanted=f"it must be {free.shape} or {free.shape[:1]}",
    )
    if given.ndim == 1:
        given = np.repeat(given[:, None], mdp.n_actions, axis=1)
    given = np.where(free, given, 0.0)
    validation.require_reward(given)
    rows = shaping_rows(mdp, free)
    gram = rows.T @ rows
    if sparse.issparse(gram) and len(given) <= DENSE and gram.nnz > 0.01 * gram.shape[0] ** 2:
        gram = gram.toarray()  # its factors would fill in
    identity = sparse.eye_array(gram.shape[0]) if sparse.issparse(gram) else np.eye(len(gram))
    for _ in range(2):  # the normal equations, refined once
        given[free] -= rows @ solve_discounted(identity - gram, rows.T @ given[free])
    return given


def free_pairs(mdp: MDP) -> Bool[ndarray, "S A"]:
    """The available actions of non-terminal states: where a reward can be paid."""
    found: Bool[ndarray, "S A"] = mdp.action_mask & ~mdp.terminal[:, None]
    return found


def require_determined(mdp: MDP) -> None:
    """ConfigError where a reward is not determined up to shaping: at discount 1 if an end is not
    within reach of every state."""
    if mdp.discount < 1.0:
        return
    nonterminal = ~mdp.terminal
    if not nonterminal.any():
        return
    reached = reaching(Pairs.of(mdp, 0.0, mdp.log_mask, nonterminal))[0]
    if not reached.all():
        state = int(np.flatnonzero(nonterminal)[np.argmin(reached)])
        raise ConfigError(
            f"discount = 1: from state {state} no terminal state is within reach by available "
            "actions, so that values need not be finite; use mdp.replace(discount=0.999)"
        )


def shaping_rows(mdp: MDP, free: Bool[ndarray, "S A"]) -> Transition:
    """The matrix B (free pairs, non-terminal states) with gamma P Phi - Phi = B Phi; an occupancy
    x obeys the flow equations where B' x + mu = 0."""
    nonterminal = np.flatnonzero(~mdp.terminal)
    rows = mdp.transition_rows[np.flatnonzero(free)][:, nonterminal]
    column = np.cumsum(~mdp.terminal)[np.nonzero(free)[0]] - 1
    leave = sparse.csr_array((np.ones(len(column)), (np.arange(len(column)), column)), rows.shape)
    if not mdp.is_sparse:
        return mdp.discount * rows - leave.toarray()
    return sparse.csr_array(mdp.discount * rows - leave)


def flow_violation(
    mdp: MDP, free: Bool[ndarray, "S A"], visits: Float[ndarray, "S A"]
) -> Float[ndarray, " L"]:
    """mu + gamma P' x - d for each non-terminal state: 0 for an occupancy of this MDP."""
    found: Float[ndarray, " L"] = (
        mdp.initial_distribution[~mdp.terminal] + shaping_rows(mdp, free).T @ visits[free]
    )
    return found
