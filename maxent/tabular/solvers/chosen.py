"""gamma P_pi at the hard maximum: rows picked from the transition, and only those that change.

A greedy policy changes in few states from one iteration to the next, so its matrix is kept and
mended.  An action stays chosen until another is better by more than rounding: a tie never moves a
policy.  Where all actions tie, as they do before any reward is in sight, the first choice is
random with a fixed seed.  (One fixed direction would march everybody into a wall, and rounding
would decide how long a solve takes.)
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP
from maxent.mdp.transitions import Transition

SEED = 0
UNEVEN = 2.0
"""How much longer than the mean the longest row may be for all rows to be kept at its length."""


class ChosenRows:
    """The matrix gamma P_pi of a greedy policy, kept from one improvement to the next.

    rows: the transition, CSR (A*S, S) with row a*S + s, or dense (S, A, S).
    """

    def __init__(self, mdp: MDP, rows: Transition) -> None:
        self._rows = rows
        self._arrival = mdp.discount_on_arrival
        self._states = np.arange(mdp.n_states)
        self._at: ndarray | None = None  # a*S + s of the action chosen in s
        self._matrix: Transition = None
        self._width = 0  # of the rows as they are kept, 0 where each has its own length
        if sparse.issparse(rows):
            lengths = np.diff(rows.indptr)
            longest = int(lengths.max(initial=0))
            self._width = longest if longest <= UNEVEN * lengths.mean() else 0
            self._shortest = int(lengths.min(initial=0))

    def update(
        self, scores: Float[ndarray, "A S"], best: Float[ndarray, " S"], slack: float
    ) -> Transition:
        """The matrix for the greedy actions of `scores`, whose maxima are `best`; changed in place
        by the next call.  slack: how much better an action must be to take another's place."""
        n_states = len(best)
        if self._at is None:
            if np.count_nonzero(scores >= best - slack) > n_states:  # ties
                noise = np.random.default_rng(SEED).random(scores.shape)
                noise *= slack
                noise += scores
                scores = noise
            self._at = scores.argmax(axis=0) * n_states + self._states
            changed = self._states
        else:
            now = scores.ravel().take(self._at)
            now += slack
            changed = np.flatnonzero(best > now)
            better = scores.take(changed, axis=1).argmax(axis=0)
            self._at[changed] = better * n_states + changed
        if len(changed):
            self._mend(changed)
        return self._matrix

    def _mend(self, changed: Int[ndarray, " N"]) -> None:
        at = self._at
        assert at is not None
        n_states = len(at)
        if not sparse.issparse(self._rows):
            if self._matrix is None:
                self._matrix = np.empty((n_states, n_states))
            actions = at[changed] // n_states
            self._matrix[changed] = self._rows[changed, actions] * self._arrival
        elif not self._width:
            self._matrix = self._rows[at]
            self._matrix.data *= self._arrival[self._matrix.indices]
        else:
            if self._matrix is None:
                self._matrix = self._empty(n_states)
            self._copy(at[changed], changed)

    def _empty(self, n_states: int) -> sparse.csr_array:
        """(S, S) with room for as many entries in each row as the longest has."""
        size, index = n_states * self._width, self._rows.indices.dtype
        indptr = np.arange(0, size + 1, self._width, dtype=index)
        parts = (np.zeros(size), np.zeros(size, dtype=index), indptr)
        matrix = sparse.csr_array(parts, shape=(n_states, n_states))
        matrix.has_sorted_indices = matrix.has_canonical_format = False  # zeros fill short rows
        return matrix

    def _copy(self, rows: Int[ndarray, " N"], changed: Int[ndarray, " N"]) -> None:
        width = self._width
        if self._shortest == width:
            indices = self._rows.indices.reshape(-1, width).take(rows, axis=0)
            data = self._rows.data.reshape(-1, width).take(rows, axis=0)
        else:
            begin = self._rows.indptr.take(rows)
            lengths = self._rows.indptr.take(rows + 1) - begin
            columns = np.arange(width)
            entries = begin[:, None] + columns
            missing = columns >= lengths[:, None]
            entries[missing] = 0
            indices = self._rows.indices.take(entries)
            data = self._rows.data.take(entries)
            data[missing] = 0.0
        data *= self._arrival.take(indices)
        self._matrix.indices.reshape(-1, width)[changed] = indices
        self._matrix.data.reshape(-1, width)[changed] = data
