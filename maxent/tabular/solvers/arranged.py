"""What all solves of one MDP share, arranged for speed; kept for small MDPs, which are often solved
again."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP
from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.mdp.transitions import Transition
from maxent.tabular.products import pick_rows, room_for_rows

KEPT = 1_000_000
"""Numbers up to which memory is spent for speed."""
FEW, LITTLE = 64, 65_536
"""States and numbers up to which a sparse transition is kept dense: a dense product, and dense LU,
are quicker than the overhead of sparse ones."""


class Arranged(NamedTuple):
    """An MDP, action-major.

    rows : `discounted_rows`; P (S*A, S) where it is dense, so that nothing is copied, or small; P
        of a matrix-free MDP as it is.
    reward : (A, S).
    arrival : (S,), gamma, or 0 at a terminal state.
    terminal : (N,), the terminal states.
    """

    rows: Transition
    reward: ndarray
    arrival: ndarray
    terminal: ndarray


_kept: WeakKeyDictionary[MDP, Arranged] = WeakKeyDictionary()


def arranged(mdp: MDP) -> Arranged:
    """The MDP, action-major."""
    found = _kept.get(mdp)
    if found is None:
        is_stored = mdp.is_sparse and not mdp.is_matrix_free
        found = Arranged(
            _rows(mdp),
            np.array(mdp.reward.T, order="C"),
            mdp.discount_on_arrival,
            np.flatnonzero(mdp.terminal),
        )
        for array in found[1:]:
            array.setflags(write=False)
        if max(mdp.reward.size, mdp.transition.nnz if is_stored else 0) <= KEPT:
            _kept[mdp] = found
    return found


def discounted_rows(mdp: MDP) -> Transition:
    """gamma P in CSR with row a*S + s, without what leads to terminal states."""
    rows, shape = mdp.transition, mdp.reward.shape
    order = np.arange(mdp.reward.size, dtype=rows.indices.dtype).reshape(shape).T.reshape(-1)
    found = room_for_rows(rows, len(order), rows.nnz)
    pick_rows(rows, np.diff(rows.indptr), order, found)
    ends = mdp.terminal.any()
    found.data *= mdp.discount_on_arrival.take(found.indices) if ends else mdp.discount
    found.data.setflags(write=False)
    return found


def is_small(mdp: MDP) -> bool:
    """Whether the transition is dense, or kept as if it were, and factorised in no time."""
    if mdp.n_states > FEW or mdp.is_matrix_free:
        return False
    return not mdp.is_sparse or mdp.n_actions * mdp.n_states**2 <= LITTLE


def _rows(mdp: MDP) -> Transition:
    if isinstance(mdp, MatrixFreeMDP):
        return mdp.directions
    rows = mdp.transition_rows
    if not mdp.is_sparse:
        return rows
    return rows.toarray() if is_small(mdp) else discounted_rows(mdp)
