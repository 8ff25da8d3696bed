"""Products of a matrix and a vector, and rows picked from a matrix, without what SciPy spends on
checks.

On a sparse matrix `@` takes 3 microseconds before it begins, as long as the product itself for a
thousand entries; `[rows]` takes 30.  SciPy's own routines behind them are called where there are
any of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp.transitions import Transition
from maxent.support.shapes import Float, Int

try:
    from scipy.sparse._sparsetools import csr_matvec, csr_row_index
except ImportError:  # no public names: a later SciPy may not have them
    csr_matvec = csr_row_index = None

AddProduct = Callable[[ndarray, ndarray], None]


def adder(matrix: Transition) -> AddProduct:
    """(x, out) -> None: out += matrix @ x in place.  matrix: dense (M, N), or CSR with float64
    entries, as it is now: its arrays may change, not be replaced."""
    layout: Any = getattr(matrix, "format", "dense")
    if layout == "csr" and csr_matvec is not None:
        parts = (*matrix.shape, matrix.indptr, matrix.indices, matrix.data)
        return lambda x, out: csr_matvec(*parts, x, out)

    def add(x: Float[ndarray, " N"], out: Float[ndarray, " M"]) -> None:
        out += matrix @ x

    return add


def room_for_rows(rows: Transition, count: int, most: int) -> sparse.csr_array:
    """A CSR matrix for `count` rows of the CSR matrix `rows`, with `most` entries in all."""
    index = rows.indices.dtype
    ends = np.zeros(count + 1, dtype=index)
    ends[-1] = most  # as many as there is room for
    parts = (np.zeros(most), np.zeros(most, dtype=index), ends)
    return sparse.csr_array(parts, shape=(count, rows.shape[1]))


def pick_rows(
    rows: Transition, lengths: Int[ndarray, " M"], at: Int[ndarray, " N"], into: sparse.csr_array
) -> None:
    """Write the rows `at` of a CSR matrix into another that has room for them.

    lengths : of all rows.  at : of the type of its indices.
    """
    np.cumsum(lengths.take(at), out=into.indptr[1:])
    if csr_row_index is not None:
        parts = (rows.indptr, rows.indices, rows.data, into.indices, into.data)
        csr_row_index(len(at), at, *parts)
    else:
        found = rows[at]
        into.indices[: found.nnz], into.data[: found.nnz] = found.indices, found.data
