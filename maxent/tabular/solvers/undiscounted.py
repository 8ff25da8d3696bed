"""Linear systems of a policy without discount: values, and how long an episode takes."""

from __future__ import annotations

import numpy as np
from numpy import ndarray
from scipy import sparse
from scipy.sparse import linalg as sparse_linalg

from maxent.support.shapes import Bool, Float, Int
from maxent.tabular.solvers.pairs import Pairs


def solve_undiscounted(
    pairs: Pairs, policy: Float[ndarray, " N"], right: Float[ndarray, "S K"]
) -> Float[ndarray, "S K"] | None:
    """x with (I - P_pi) x = right, or None: by LU, or BiCGSTAB where its factors would fill up."""
    matrix, n = pairs.matrix(policy), pairs.n_states
    with np.errstate(all="ignore"):
        if n <= 300 or matrix.nnz > 0.1 * n * n:
            try:
                return np.linalg.solve(np.eye(n) - matrix.toarray(), right)
            except np.linalg.LinAlgError:
                return None
        system = sparse.csc_array(sparse.eye_array(n) - matrix)
        if pairs.factorises:
            try:
                found: Float[ndarray, "S K"] = sparse_linalg.splu(system).solve(right)
                return found
            except RuntimeError:
                return None
        by_rows = sparse.csr_array(system)
        columns = [_iterated(by_rows, column) for column in right.T]
    solved = [each for each in columns if each is not None]
    return np.stack(solved, axis=1) if len(solved) == len(columns) else None


def _iterated(system: sparse.csr_array, right: Float[ndarray, " S"]) -> ndarray | None:
    size = float(np.abs(right).max(initial=0.0))
    if size == 0.0:
        return right
    x, failed = sparse_linalg.bicgstab(system, right / size, rtol=1e-10, atol=0.0, maxiter=4_000)
    if failed or not np.isfinite(x).all():
        return None
    found: ndarray = x * size
    return found


def longest_time(
    pairs: Pairs, allowed: Bool[ndarray, " N"], chosen: Int[ndarray, " S"]
) -> Float[ndarray, " S"] | None:
    """w = 1 + max over the allowed pairs of P w, by policy iteration from a policy that ends; None
    where some allowed policy need not end."""
    for _ in range(50 + pairs.n_states):
        found = solve_undiscounted(pairs, pairs.one_hot(chosen), np.ones((pairs.n_states, 1)))
        if found is None or not np.isfinite(found).all() or found.min() < 1.0 - 1e-6:
            return None
        w = found[:, 0]
        if w.max() > 1e15:
            return None
        time = np.where(allowed, 1.0 + pairs.expect(w), -np.inf)
        better = pairs.greedy(time, chosen, 1e-9 * float(w.max()))
        if (better == chosen).all():
            return w
        chosen = better
    return None
