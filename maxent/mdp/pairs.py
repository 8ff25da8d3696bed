"""An MDP from a list of its state-action pairs, the form of QuantEcon's `DiscreteDP`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ModelError
from maxent.mdp import validation
from maxent.mdp.model import MDP
from maxent.mdp.transitions import checked_csr
from maxent.support.other_words import takes_our_words


@takes_our_words
def from_pairs(
    states: Any,
    actions: Any,
    reward: Any,
    transition: Any,
    *,
    discount: float,
    initial_distribution: Any = None,
    terminal: Any = None,
    state_names: Any = None,
    action_names: Any = None,
) -> MDP:
    """The MDP of a list of state-action pairs; a pair that is not listed is unavailable.

    states, actions : (L,), the state and the action of each pair, whole numbers from 0.
    reward : (L,), or (L, S) paid on that transition; -inf makes its pair unavailable.
    transition : (L, S), dense or sparse, the probabilities of the next states.
    discount : gamma in [0, 1].
    initial_distribution, terminal, state_names, action_names : as of `MDP`.  A state without a pair
        must be in `terminal`.

    The MDP is sparse.  QuantEcon's `DiscreteDP(R, Q, beta, s_indices, a_indices)` has its arguments
    in another order.  Raises ModelError, naming the pair, for what is no such list.

    >>> import maxent
    >>> mdp = maxent.from_pairs(
    ...     states=[0, 0, 1], actions=[0, 1, 0], reward=[5.0, 10.0, -1.0],
    ...     transition=[[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]], discount=0.95,
    ... )
    >>> mdp
    MDP(2 states, 2 actions, discount 0.95, sparse, 1 action masked)
    >>> maxent.solve(mdp, temperature=0.0).v.round(3).tolist()  # as QuantEcon's manual prints it
    [-8.571, -20.0]
    """
    if sparse.issparse(transition):
        rows = checked_csr("transition", transition)
    else:
        rows = sparse.csr_array(_matrix("transition", transition))
    count, n_states = rows.shape
    state = _numbers("states", states, count, n_states)
    action = _numbers("actions", actions, count)
    n_actions = int(action.max(initial=0)) + 1
    pair = state * n_actions + action
    _, first, times = np.unique(pair, return_index=True, return_counts=True)
    if (times > 1).any():
        again = int(first[np.argmax(times > 1)])
        raise ModelError(
            f"state {state[again]}, action {action[again]} is listed {times.max()} times; list a "
            "pair once"
        )
    paid = validation.real_array(
        "reward",
        reward,
        fits={(count,), (count, n_states)}.__contains__,
        wanted=f"with {count} pairs and {n_states} states it must be ({count},) or "
        f"({count}, {n_states})",
    )
    feasible = paid > -np.inf if paid.ndim == 1 else (paid > -np.inf).any(axis=1)
    feasible |= np.isnan(paid) if paid.ndim == 1 else np.isnan(paid).any(axis=1)
    mask = np.zeros(n_states * n_actions, dtype=bool)
    mask[pair[feasible]] = True
    place = sparse.csr_array(
        (np.ones(feasible.sum()), (pair[feasible], np.flatnonzero(feasible))),
        shape=(n_states * n_actions, count),
    )
    settings: dict[str, Any] = {}
    if paid.ndim == 1:
        of_pair = np.zeros(n_states * n_actions)
        of_pair[pair[feasible]] = paid[feasible]
        settings["reward"] = of_pair.reshape(n_states, n_actions)
    else:
        settings["transition_reward"] = place @ sparse.csr_array(
            np.where(rows.toarray() > 0.0, paid, 0.0)
        )
    return MDP(
        place @ rows,
        discount=discount,
        initial_distribution=initial_distribution,
        terminal=terminal,
        action_mask=mask.reshape(n_states, n_actions),
        state_names=state_names,
        action_names=action_names,
        **settings,
    )


def _matrix(name: str, value: Any) -> ndarray:
    return validation.real_array(
        name,
        value,
        fits=lambda shape: len(shape) == 2 and 0 not in shape,
        wanted="it must be (L, S), a row a pair",
    )


def _numbers(name: str, value: Any, count: int, limit: int | None = None) -> ndarray:
    """`count` whole numbers from 0, below `limit`."""
    array = validation.plain_array(name, value)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise ModelError(
            f"{name} has shape {array.shape} and dtype {array.dtype}; give {count} whole numbers, "
            "one for each row of transition"
        )
    wrong = (array < 0) | (array >= (limit if limit is not None else np.iinfo(np.int32).max))
    if wrong.any():
        row = int(np.argmax(wrong))
        high = f" to {limit - 1}" if limit is not None else " on"
        raise ModelError(f"{name}[{row}] is {array[row]}; it must be a number from 0{high}")
    return array.astype(np.int64)
