"""Linear systems (I - gamma P_pi) x = b: what a policy is worth, and where it spends its time."""

from __future__ import annotations

import numpy as np
from numpy import ndarray
from scipy import sparse
from scipy.sparse import linalg

from maxent.mdp.transitions import Transition, is_local
from maxent.support.memory import require_memory
from maxent.support.shapes import Float

SMALL = 2_000
"""States up to which a sparse system is factorised whatever its pattern."""


def solve_discounted(matrix: Transition, right: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
    """x with (I - matrix) x = right by LU: dense LAPACK, or sparse with a fill-reducing order."""
    if isinstance(matrix, ndarray):
        return np.linalg.solve(np.eye(len(right)) - matrix, right)
    require_memory(
        24 * matrix.nnz, "factorising a policy's transition matrix", "use another method"
    )
    system = sparse.csc_array(sparse.eye_array(len(right)) - matrix)
    found: Float[ndarray, " S"] = linalg.splu(system).solve(right)
    return found


def is_cheap_to_factorise(transition: Transition) -> bool:
    """Whether LU suits the policies of a transition: dense, small, or coupling only nearby states.

    transition: dense in any shape, or CSR with the states as columns, indices ascending.
    """
    if not sparse.issparse(transition):
        return True
    return transition.shape[-1] <= SMALL or is_local(transition)
