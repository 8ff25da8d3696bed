"""gamma P_pi where several actions are taken: the pattern once, the entries for each policy."""

from __future__ import annotations

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP
from maxent.support.shapes import Float
from maxent.tabular import operators


class AveragedRows:
    """The matrices gamma P_pi of a sparse MDP, one policy after another.

    SciPy's product of sparse matrices finds the pattern anew each time, which takes far longer than
    the sums.  Here each entry of the transition knows its place in the pattern.
    """

    def __init__(self, mdp: MDP) -> None:
        rows, n_states = mdp.transition, mdp.n_states
        matrix = operators.policy_transition(mdp, np.ones(mdp.reward.shape))
        matrix.sort_indices()
        self._matrix = matrix
        self._lengths = np.diff(rows.indptr)
        self._entries = rows.data * mdp.discount_on_arrival.take(rows.indices)
        state_of_row = np.arange(len(self._lengths)) // mdp.n_actions
        keys = np.repeat(np.arange(n_states), np.diff(matrix.indptr)) * n_states + matrix.indices
        asked = np.repeat(state_of_row, self._lengths) * n_states + rows.indices
        self._place = keys.searchsorted(asked)

    def matrix(self, policy: Float[ndarray, "S A"]) -> sparse.csr_array:
        """gamma P_pi, (S, S), between nonterminal states; changed in place by the next call."""
        weights = np.repeat(policy.reshape(-1), self._lengths)
        weights *= self._entries
        matrix = self._matrix
        matrix.data[:] = np.bincount(self._place, weights, len(matrix.data))
        return matrix
