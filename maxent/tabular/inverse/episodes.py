"""Episodes in the forms that people have them, as one: states and, where known, actions.

=============================================  ====================================================
list of (states, actions)                      T actions and T or T + 1 states, two sequences each
list of state sequences; integer array (N, T)  states alone
list of lists (or arrays (T, 3)) of steps      (s, a, s') each; a step's s' is the next one's s
array (N, T, 2)                                state and action of each step, episodes of one length
what `maxent.simulate` returns                 with trajectories=True
=============================================  ====================================================
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ModelError
from maxent.mdp import MDP


@dataclass(frozen=True, eq=False)
class Episode:
    """One episode as it was given: states, T or T + 1 of them, and T actions or None (unknown)."""

    states: Any
    actions: Any


def read_episodes(mdp: MDP, given: Any) -> list[Episode] | None:
    """The episodes, or None where this is one array (S, A): a policy or an occupancy."""
    if hasattr(given, "lengths") and hasattr(given, "states"):
        if given.states is None:
            raise ModelError("the simulation kept no trajectories; simulate with trajectories=True")
        return [
            Episode(states[: length + 1], actions[:length])
            for states, actions, length in zip(given.states, given.actions, given.lengths)
        ]
    if isinstance(given, ndarray):
        return _of_array(mdp, given)
    if not isinstance(given, (list, tuple)):
        return None
    if len(given) == 0:
        return []
    if all(_is_pair(each) for each in given):
        _refuse_unclear(given)
        return [Episode(*each) for each in given]
    if all(_is_steps(each) for each in given):
        return [_of_steps(number, np.asarray(each)) for number, each in enumerate(given)]
    if all(_is_states(each) for each in given) and not _is_table(mdp, given):
        if all(len(each) == 3 for each in given) and _is_chain(given):
            raise ModelError(
                "demonstrations could be steps (s, a, s') or episodes of three states; put the "
                "steps of each episode in a list of its own, or give (states, actions)"
            )
        return [Episode(each, None) for each in given]
    if _is_pair(given[0]):
        return [_pair_or_error(number, each) for number, each in enumerate(given)]
    return None


def _of_array(mdp: MDP, given: ndarray) -> list[Episode] | None:
    if given.ndim == 3 and given.shape[2] == 2 and given.dtype.kind in "iu":
        return [Episode(each[:, 0], each[:, 1]) for each in given]
    if given.ndim == 3 and given.shape[2] == 3 and given.dtype.kind in "iu":
        return [_of_steps(number, each) for number, each in enumerate(given)]
    if given.ndim == 2 and given.dtype.kind in "iu" and given.shape != mdp.reward.shape:
        return [Episode(each, None) for each in given]
    return None


def _of_steps(number: int, steps: ndarray) -> Episode:
    """An episode of steps (s, a, s'), each of which begins where the one before ended."""
    apart = steps[1:, 0] != steps[:-1, 2]
    if apart.any():
        step = int(np.argmax(apart))
        raise ModelError(
            f"episode {number}: step {step} ends in state {steps[step, 2]}, step {step + 1} begins "
            f"in state {steps[step + 1, 0]}; begin a new episode there"
        )
    return Episode(np.append(steps[:, 0], steps[-1, 2]), steps[:, 1])


def _is_pair(each: Any) -> bool:
    if not isinstance(each, (list, tuple)) or len(each) != 2:
        return False
    return all(np.ndim(part) == 1 for part in each)


def _pair_or_error(number: int, each: Any) -> Episode:
    try:
        states, actions = each
    except (TypeError, ValueError) as error:
        raise ModelError(f"episode {number} is not a pair (states, actions): {error}") from error
    return Episode(states, actions)


def _is_steps(each: Any) -> bool:
    """Whether this is a sequence of (s, a, s')."""
    if not isinstance(each, (list, tuple, ndarray)) or len(each) == 0:
        return False
    return all(np.ndim(step) == 1 and len(step) == 3 for step in each)


def _is_states(each: Any) -> bool:
    if not isinstance(each, (list, tuple, ndarray)):
        return False
    array = np.asarray(each) if all(np.ndim(part) == 0 for part in each) else None
    return array is not None and (array.size == 0 or array.dtype.kind in "iu")


def _is_table(mdp: MDP, given: Sequence[Any]) -> bool:
    """Whether the sequences have the shape of a policy written as a list."""
    n_states, n_actions = mdp.reward.shape
    return len(given) == n_states and all(len(each) == n_actions for each in given)


def _is_chain(given: Sequence[Any]) -> bool:
    """Whether most of these triples begin where the one before ended."""
    meet = [one[2] == other[0] for one, other in itertools.pairwise(given)]
    return len(meet) > 0 and 2 * sum(meet) >= len(meet)


def _refuse_unclear(given: Sequence[Any]) -> None:
    """ModelError where lists of two tuples of three could be (states, actions) or two steps."""
    for number, each in enumerate(given):
        triples = all(isinstance(part, tuple) and len(part) == 3 for part in each)
        if isinstance(each, list) and triples and each[0][2] == each[1][0]:
            raise ModelError(
                f"episode {number} could be (states, actions) of length 3 or two steps (s, a, s'); "
                "give steps as an array of shape (T, 3), and a pair as a tuple"
            )
