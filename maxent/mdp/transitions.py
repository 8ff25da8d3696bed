"""Transition matrices and the rewards that go with them, from what users give to one layout.

The layout is a matrix of shape (S*A, S) with row s*A + a, dense float64 or canonical CSR; rows of
terminal states and of unavailable actions are zero.  A reward by transition has the same pattern.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ModelError
from maxent.mdp import validation
from maxent.support.memory import require_memory
from maxent.support.shapes import Bool, Float

Transition: TypeAlias = Any
"""A dense float64 array or a SciPy `csr_array`."""


def transition_rows(transition: Any) -> tuple[Transition, int, int]:
    """A private copy as (S*A, S) with S and A, dense or canonical CSR."""
    if is_list_of_sparse(transition):
        raise ModelError(
            f"transition is a list of {len(transition)} matrices, one an action: use "
            "MDP.from_action_first"
        )
    if sparse.issparse(transition):
        if transition.ndim != 2 or transition.dtype.kind not in "biuf":
            raise ModelError(
                f"sparse transition has shape {transition.shape} and dtype {transition.dtype}; "
                "it must be real, of shape (S*A, S)"
            )
        n_rows, n_states = transition.shape
        if n_states == 0 or n_rows == 0 or n_rows % n_states:
            raise ModelError(
                f"sparse transition has shape {transition.shape}; it must be (S*A, S) with row "
                "s*A + a, so its height must be a multiple of its width"
            )
        rows = checked_csr("transition", transition)
        rows.eliminate_zeros()
        if rows.nnz < 2**31:  # half the memory, twice the speed of 64-bit indices
            rows.indices = rows.indices.astype(np.int32, copy=False)
            rows.indptr = rows.indptr.astype(np.int32, copy=False)
        return rows, n_states, n_rows // n_states
    array = validation.real_array(
        "transition",
        transition,
        fits=lambda s: len(s) == 3 and s[0] == s[2] and 0 not in s,
        wanted="it must be (S, A, S), or sparse (S*A, S); for the layout (A, S, S) use "
        "MDP.from_action_first",
    )
    n_states, n_actions, _ = array.shape
    return array.reshape(-1, n_states), n_states, n_actions


def checked_csr(name: str, given: Any) -> sparse.csr_array:
    """A private canonical CSR copy; ModelError where the index arrays are not consistent,
    MemoryBudgetError where the shape alone is too large."""
    require_sound(name, given)
    n_rows = given.shape[0]
    # row pointers, and what an MDP keeps for each row (reward, mask, sums)
    require_memory(
        32 * n_rows + 24 * given.nnz, f"{name} of shape {given.shape}", "check its shape"
    )
    try:
        matrix = sparse.csr_array(given, dtype=np.float64, copy=True)
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise ModelError(f"{name} is not a valid sparse array: {error}") from error
    matrix.sum_duplicates()
    return matrix


def require_sound(name: str, given: Any) -> None:
    """ModelError where a sparse array of any format points outside of itself.

    SciPy converts formats without looking: an index out of range would read and write anywhere.
    """
    try:
        if hasattr(given, "check_format"):  # CSR, CSC, BSR
            type(given)(given, copy=False).check_format(full_check=True)
        elif given.format == "coo":
            for indices, size in zip(given.coords, given.shape):
                if len(indices) != len(given.data):
                    raise ValueError("its indices and its data have different lengths")
                if len(indices) and not 0 <= indices.min() <= indices.max() < size:
                    raise ValueError(f"an index lies outside [0, {size})")
        elif given.format == "dia" and np.shape(given.data)[:1] != np.shape(given.offsets):
            raise ValueError("its offsets and its diagonals differ in number")
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise ModelError(f"{name} is not a valid sparse array: {error}") from error


def drop_rows(rows: Transition, needed: Bool[ndarray, " SA"]) -> None:
    """Set the rows that are never used to zero, in place."""
    if needed.all():
        return
    if not sparse.issparse(rows):
        rows[~needed] = 0.0
        return
    rows.data[~np.repeat(needed, np.diff(rows.indptr))] = 0.0
    rows.eliminate_zeros()


def aligned_reward(given: Any, rows: Transition, n_actions: int) -> sparse.csr_array:
    """A sparse transition reward as CSR sharing the pattern of `rows`."""
    if not sparse.issparse(rows):
        raise ModelError(
            "transition_reward goes with sparse transitions; for dense ones give reward of shape "
            "(S, A, S)"
        )
    if not sparse.issparse(given) or given.shape != rows.shape or given.dtype.kind not in "biuf":
        raise ModelError(
            f"transition_reward has shape {getattr(given, 'shape', None)}; it must be a real "
            f"sparse array of shape {rows.shape}, like the transition"
        )
    reward = checked_csr("transition_reward", given)
    pattern = (rows.indices, rows.indptr)
    same = np.array_equal(reward.indptr, rows.indptr) and np.array_equal(
        reward.indices, rows.indices
    )
    if not same:
        # read the reward at the transition's entries by addition to an explicit-zero pattern
        entries = sparse.csr_array((np.ones(rows.nnz), *pattern), rows.shape)
        extra = reward.copy()
        extra.data = (reward.data != 0.0).astype(float)
        extra.eliminate_zeros()
        outside = extra - extra.multiply(entries)
        outside.eliminate_zeros()
        occupied = np.diff(rows.indptr) > 0
        outside_rows = np.flatnonzero(np.diff(outside.indptr) > 0)
        outside_rows = outside_rows[occupied[outside_rows]]
        if len(outside_rows):
            row = int(outside_rows[0])
            column = int(outside.indices[outside.indptr[row]])
            raise ModelError(
                f"transition_reward pays for {validation.row_place(row, n_actions)}, next state "
                f"{column}, a transition of probability 0; keep to the transition's pattern"
            )
        row_of_entry = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        data = np.asarray(reward[row_of_entry, rows.indices]).ravel()
        reward = sparse.csr_array((data, *pattern), rows.shape)
    bad = ~(np.abs(reward.data) <= validation.MAX_REWARD)
    if bad.any():
        entry = int(np.argmax(bad))
        row = int(np.searchsorted(rows.indptr, entry, side="right")) - 1
        raise ModelError(
            f"transition_reward of {validation.row_place(row, n_actions)}, next state "
            f"{int(rows.indices[entry])} is {float(reward.data[entry])!r}; rewards must be finite "
            f"and not exceed {validation.MAX_REWARD:g} (overflow)"
        )
    return sparse.csr_array((reward.data, *pattern), rows.shape)


def expected_reward(
    reward: Any, rows: Transition, available: Bool[ndarray, "S A"], n_actions: int
) -> tuple[Float[ndarray, "S A"], Transition | None]:
    """The expected reward (S, A) of a reward given by state, action or transition, and the
    transition samples where it was given by transition; -inf may stand where nothing is available.
    """
    n_states = rows.shape[1]
    shapes = {(n_states,), (n_states, n_actions), (n_states, n_actions, n_states)}
    given = validation.real_array(
        "reward",
        reward,
        fits=shapes.__contains__,
        wanted=f"with {n_states} states and {n_actions} actions it must be one of "
        f"{', '.join(map(str, sorted(shapes, key=len)))}",
    )
    if given.ndim == 1:
        given = np.where((given == -np.inf) & ~available.any(axis=1), 0.0, given)
        validation.require_reward(given)
        return np.repeat(given[:, None], n_actions, axis=1), None
    validation.require_reward(given, available)
    if given.ndim == 2:
        return given, None
    flat = np.where(available[:, :, None], given, 0.0).reshape(rows.shape)
    if not sparse.issparse(rows):
        expected = np.einsum("ij,ij->i", rows, flat).reshape(n_states, n_actions)
        return expected, flat.reshape(n_states, n_actions, n_states)
    row_of_entry = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    samples = sparse.csr_array(
        (flat[row_of_entry, rows.indices], rows.indices, rows.indptr), rows.shape
    )
    expected = np.asarray(rows.multiply(samples).sum(axis=1)).reshape(n_states, n_actions)
    return expected, samples


def is_list_of_sparse(value: Any) -> bool:
    """Whether `value` is a list, or an array of objects, some of which are sparse matrices."""
    objects = isinstance(value, ndarray) and value.dtype == "O" and value.ndim > 0
    listed = isinstance(value, list | tuple) or objects
    return listed and len(value) > 0 and any(map(sparse.issparse, value))


def all_sparse(name: str, value: Sequence[Any]) -> list[Any]:
    """A list of matrices, some of them dense, as sparse ones."""
    return [
        each if sparse.issparse(each) else sparse.csr_array(_matrix(f"{name} of action {a}", each))
        for a, each in enumerate(value)
    ]


def _matrix(name: str, value: Any) -> ndarray:
    return validation.real_array(
        name, value, fits=lambda shape: len(shape) == 2, wanted="it must be (S, S)"
    )


def densely(value: Any) -> Any:
    """A list of matrices with sparse ones as one array (A, S, S); anything else as it is."""
    if not is_list_of_sparse(value):
        return value
    value = all_sparse("the reward", value)
    if len({matrix.shape for matrix in value}) > 1:
        raise ModelError(f"the rewards of the actions have shapes {[m.shape for m in value]}")
    parts = [checked_csr(f"the matrix of action {a}", part) for a, part in enumerate(value)]
    size = 8 * sum(part.shape[0] * part.shape[1] for part in value)
    require_memory(size, f"{len(value)} dense matrices of shape {value[0].shape}")
    return np.stack([part.toarray() for part in parts])


def interleave(by_action: Sequence[Any]) -> sparse.csr_array:
    """A list of A (S, S) matrices, sparse or dense, as one CSR (S*A, S) with row s*A + a."""
    by_action = all_sparse("the matrix", by_action)
    shapes = {matrix.shape for matrix in by_action}
    shape = next(iter(shapes))
    if len(shapes) > 1 or len(shape) != 2 or shape[0] != shape[1]:
        raise ModelError(
            f"the matrices of the actions have shapes {sorted(shapes)}; all must be (S, S)"
        )
    n_states, n_actions = shape[0], len(by_action)
    checked = [checked_csr(f"the matrix of action {a}", each) for a, each in enumerate(by_action)]
    stacked = sparse.csr_array(sparse.vstack(checked, format="csr"))
    order = np.arange(n_states * n_actions).reshape(n_actions, n_states).T.ravel()
    return stacked[order]


def is_local(transition: Transition) -> bool:
    """Whether a sparse transition couples only states of nearby index, as a gridworld's does, so
    that a factorisation fills in little: reach at most 5 sqrt(S).  A few states may lead further
    (a goal that restarts, portals): each widens a separator by one state, so sqrt(S) / 4 of them
    matter little."""
    n_rows, n_states = transition.shape
    filled = np.flatnonzero(np.diff(transition.indptr))
    own = filled // (n_rows // n_states)
    nearest_first = transition.indices[transition.indptr[filled]]  # the indices of a row ascend
    last = transition.indices[transition.indptr[filled + 1] - 1]
    far = np.maximum(own - nearest_first, last - own) > 5.0 * math.sqrt(n_states)
    return len(np.unique(own[far])) <= 1 + math.sqrt(n_states) / 4.0
