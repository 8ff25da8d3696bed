"""Random MDPs, seeded: families to test solvers and theorems on."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.support.arguments import (
    quoted,
    require_count,
    require_discount,
    require_finite,
    require_flag,
    require_fraction,
)
from maxent.support.memory import require_memory
from maxent.support.other_words import takes_our_words


@takes_our_words
def garnet(
    n_states: int,
    n_actions: int,
    *,
    discount: float,
    branching: int | None = None,
    seed: int = 0,
    terminal: int = 0,
    absorbing: int = 0,
    masked: float = 0.0,
    reward_scale: float = 1.0,
    transition_rewards: bool = False,
) -> MDP:
    """A Garnet MDP: each state and action leads to `branching` random successors.

    branching: number of successors, with Dirichlet(1) probabilities; 1 gives a deterministic MDP;
        None: all states, as a dense (S, A, S) MDP (otherwise sparse).
    terminal, absorbing: how many of the last states are terminal, and how many before them stay
        where they are whatever the action.
    masked: probability that an action is unavailable (one at least is left in each state).
    reward_scale: standard deviation of the normal rewards, by state and action, or by transition
        with `transition_rewards`.

    discount, seed: gamma in [0, 1]; the same seed gives the same MDP.

    Raises ConfigError for a count, a probability or a discount outside its range, or where no
    state is nonterminal; MemoryBudgetError where a dense transition would not fit.

    Archibald, McKinnon, Thomas (1995); Bhatnagar et al. (2009).

    >>> import maxent
    >>> maxent.garnet(20, 3, discount=0.9, branching=4, seed=1, terminal=2)
    MDP(20 states, 3 actions, discount 0.9, sparse, 2 terminal)
    """
    n_states, n_actions = require_count("n_states", n_states), require_count("n_actions", n_actions)
    terminal = require_count("terminal", terminal, minimum=0)
    absorbing = require_count("absorbing", absorbing, minimum=0)
    masked, discount = require_fraction("masked", masked), require_discount(discount)
    reward_scale = require_finite("reward_scale", reward_scale)
    transition_rewards = require_flag("transition_rewards", transition_rewards)
    if terminal + absorbing > n_states or terminal == n_states:
        raise ConfigError(
            f"terminal = {quoted(terminal)} and absorbing = {quoted(absorbing)} leave none of "
            f"{quoted(n_states)} states "
            "that is not terminal"
        )
    rng = np.random.default_rng(require_count("seed", seed, minimum=0))
    rows = n_states * n_actions
    if branching is None:
        require_memory(8 * rows * n_states, f"a dense transition of {n_states} states")
        width = n_states
        successors = np.broadcast_to(np.arange(n_states), (rows, n_states))
    else:
        width = min(require_count("branching", branching), n_states)
        drawn = n_states if n_states <= 4 * width else width  # as `_distinct` does
        require_memory(24 * rows * drawn, f"an MDP of {quoted(n_states)} states")
        successors = _distinct(rng, rows, width, n_states)
    weights = rng.exponential(size=(rows, width))
    stays = np.zeros(n_states, dtype=bool)
    stays[n_states - terminal - absorbing : n_states - terminal] = True
    if branching is None:
        probability = weights / weights.sum(axis=1, keepdims=True)
        staying = np.repeat(stays, n_actions)
        probability[staying] = np.eye(n_states)[np.repeat(np.arange(n_states), n_actions)[staying]]
        transition = probability.reshape(n_states, n_actions, n_states)
    else:
        own = np.repeat(np.arange(n_states), n_actions)[:, None]
        successors = np.where(np.repeat(stays, n_actions)[:, None], own, successors)
        probability = weights / weights.sum(axis=1, keepdims=True)
        indptr = np.arange(0, rows * width + 1, width)
        transition = sparse.csr_array(
            (probability.ravel(), successors.ravel(), indptr), shape=(rows, n_states)
        )
    mask = rng.random((n_states, n_actions)) >= masked
    mask[np.arange(n_states), rng.integers(n_actions, size=n_states)] = True
    last = np.arange(n_states) >= n_states - terminal
    settings: dict[str, Any] = {"discount": discount, "terminal": last, "action_mask": mask}
    if not transition_rewards:
        reward = reward_scale * rng.normal(size=(n_states, n_actions))
        return MDP(transition, reward, **settings)
    if branching is None:
        return MDP(transition, reward_scale * rng.normal(size=transition.shape), **settings)
    transition.sum_duplicates()
    data = reward_scale * rng.normal(size=transition.nnz)
    samples = sparse.csr_array((data, transition.indices, transition.indptr), transition.shape)
    return MDP(transition, transition_reward=samples, **settings)


def _distinct(rng: np.random.Generator, rows: int, width: int, n_states: int) -> np.ndarray:
    """(rows, width) successors, distinct in each row."""
    if width == n_states:
        return np.tile(np.arange(n_states), (rows, 1))
    if n_states <= 4 * width:
        return rng.random((rows, n_states)).argsort(axis=1)[:, :width]
    drawn = np.sort(rng.integers(n_states, size=(rows, width)), axis=1)
    while len(again := np.flatnonzero((np.diff(drawn, axis=1) == 0).any(axis=1))):
        drawn[again] = np.sort(rng.integers(n_states, size=(len(again), width)), axis=1)
    return drawn
