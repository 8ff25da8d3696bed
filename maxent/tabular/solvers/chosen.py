"""gamma P_pi at the hard maximum: rows picked from the transition.

An action that is better by more than rounding takes the place of the one chosen before.  Where
several tie they take turns, in all states at once: before any reward is in sight all actions tie,
and then every state of a map looks one way, so that news from there goes far in one evaluation,
and another way in the next.  (One way for ever would march everybody into a wall, ways drawn at
random let news go a few states far, and rounding would decide how long a solve takes.)
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp.transitions import Transition
from maxent.support.shapes import Float
from maxent.tabular.products import AddProduct, adder, pick_rows, room_for_rows


class ChosenRows:
    """The matrix gamma P_pi of a greedy policy, kept from one improvement to the next.

    rows : gamma P in CSR (A*S, S) with row a*S + s; or P, dense (S*A, S) with row s*A + a.
    arrival : (S,), gamma, or 0 at a terminal state.
    """

    def __init__(self, rows: Transition, n_actions: int, arrival: Float[ndarray, " S"]) -> None:
        n_states = len(arrival)
        self._rows, self._arrival = rows, arrival
        self._improvements = 0
        self._is_sparse = sparse.issparse(rows)
        if self._is_sparse:
            places = np.arange(n_actions * n_states, dtype=rows.indices.dtype)
            self._lengths = np.diff(rows.indptr)
            most = self._lengths.reshape(n_actions, n_states).max(axis=0).sum()
            self._matrix: Transition = room_for_rows(rows, n_states, int(most))
            self._add_product = adder(self._matrix)
        else:
            places = np.arange(n_actions * n_states)
            self._matrix = np.empty((n_states, n_states))
        self._places = places.reshape(n_actions, n_states)  # a*S + s
        self._at = self._places[0].copy()  # of the action chosen in s

    def matrix(self) -> Transition:
        """gamma P_pi, (S, S); where it is sparse, changed in place by the next choice."""
        return self._matrix if self._is_sparse else self._matrix * self._arrival

    def add_product(self) -> AddProduct:
        """(x, out) -> None: out += gamma P_pi x for x that is 0 at terminal states."""
        if self._is_sparse:
            return self._add_product
        matrix, arrival = self._matrix, self._arrival

        def add(x: Float[ndarray, " S"], out: Float[ndarray, " S"]) -> None:
            out += matrix @ (arrival * x)

        return add

    def update(
        self, scores: Float[ndarray, "A S"], best: Float[ndarray, " S"], slack: float
    ) -> None:
        """Choose the greedy actions of `scores`, whose maxima are `best`.

        slack : by how much an action may be worse and still tie.
        """
        n_states, before = len(best), self._at.copy()
        least = best - slack
        turn = self._improvements % len(scores)
        np.copyto(self._at, self._places[turn], where=scores[turn] >= least)
        worse = (scores.reshape(-1).take(self._at) < least).nonzero()[0]
        if len(worse):
            self._at[worse] = scores.take(worse, axis=1).argmax(axis=0) * n_states + worse
        changed = (self._at != before).nonzero()[0]
        if self._improvements == 0:
            changed = self._places[0]
        self._improvements += 1
        if not len(changed):
            return
        if self._is_sparse:
            pick_rows(self._rows, self._lengths, self._at, self._matrix)
            return
        actions, states = np.divmod(self._at[changed], n_states)
        rows = states * len(scores) + actions
        if len(rows) == n_states:
            self._rows.take(rows, axis=0, out=self._matrix, mode="clip")  # "raise" would copy twice
        else:
            self._matrix[changed] = self._rows.take(rows, axis=0)
