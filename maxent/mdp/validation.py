"""Checks of the arrays and names that make up an MDP, a policy or a prior.

Each function takes what the user gave and returns the canonical float64 array, or raises a
ModelError that says where (state, action), the value, the limit, and what to do.  Nothing is
renormalised or clipped: a model that is not a model is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence, Sized
from itertools import islice
from typing import Any

import numpy as np
from scipy import sparse

from maxent.errors import ModelError
from maxent.support.arguments import quoted
from maxent.support.memory import require_memory

ROW_SUM_TOLERANCE = 1e-9
"""A row of probabilities may differ from 1 by this much; the certified bounds account for it."""

FLOAT32_MISS = 1e-4
"""Rows divided by their sum in float32 miss 1 by less: the sum was rounded to 2^-24 of itself at
each of, say, a thousand additions, and each quotient once more."""

MAX_REWARD = 1e280
"""Rewards beyond this would overflow in a discounted sum."""


def real_array(
    name: str,
    value: Any,
    copy: bool = True,
    *,
    fits: Callable[[tuple[int, ...]], bool] | None = None,
    wanted: str = "",
) -> np.ndarray:
    """A float64 array of a real numeric input; ModelError for object, complex or text dtypes and,
    with words of what is `wanted`, for a shape that does not fit; MemoryBudgetError for what would
    not fit in memory.  All before anything is copied: `np.broadcast_to(0.0, 10**9)` is small."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ModelError(f"{name} has masked entries; fill them, or use action_mask")
    array = plain_array(name, value)
    if array.dtype.kind not in "biuf":
        found = f"has dtype {array.dtype} and shape {array.shape}"
        if array.shape == () and not isinstance(value, np.ndarray):  # a text, a dictionary, ...
            found = f"= {quoted(value)} is a {type(value).__name__}, no array"
        raise ModelError(f"{name} {found}; give real numbers (float64)")
    if fits is not None and not fits(array.shape):
        raise ModelError(f"{name} has shape {array.shape}; {wanted}")
    with np.errstate(over="ignore"):  # of longer floats: inf
        return np.array(array, dtype=np.float64, order="C", copy=True if copy else None)


def array_of_shape(name: str, value: Any, shape: tuple[int, ...], what: str = "") -> np.ndarray:
    """`real_array` of that shape; ModelError for another, whose message ends with `what`."""
    return real_array(name, value, fits=shape.__eq__, wanted=f"it must be {shape}{what}")


def plain_array(name: str, value: Any) -> np.ndarray:
    """`value` as an array of whatever dtype; ModelError for what is no array (ragged lists, tensors
    that NumPy cannot read), MemoryBudgetError for what would not fit in memory."""
    try:
        needed = 8 * _entries(value)
        require_memory(needed, f"{name}", "check its shape, or use sparse transitions")
        return np.asarray(value)
    except ValueError as error:  # a ragged nested list
        raise ModelError(f"{name} is not a rectangular array: {error}") from error
    except (TypeError, RuntimeError) as error:  # a tensor with a gradient, say
        advice = (
            "of a dense tensor t give t.detach().cpu().double().numpy() (the operators on tensors "
            "are maxent.neural.operators)"
            if hasattr(value, "detach")
            else "give a NumPy array"
        )
        raise ModelError(f"{name} cannot be read as an array: {error}; {advice}") from error


def _entries(value: Any) -> int:
    """How many numbers an array, or a nested list judged by its first entries, has."""
    if isinstance(shape := getattr(value, "shape", None), tuple):
        return math.prod(map(int, shape))
    if isinstance(value, list | tuple):
        return len(value) * (_entries(value[0]) if value else 0)
    return 1


def boolean_array(name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A boolean array of the given shape; integers 0 and 1 are accepted."""
    array = plain_array(name, value)
    if array.shape != shape:
        raise ModelError(f"{name} has shape {array.shape}; it must be {shape}")
    if array.dtype != bool and not (array.dtype.kind in "iu" and np.isin(array, (0, 1)).all()):
        raise ModelError(f"{name} has dtype {array.dtype}; give booleans")
    return array.astype(bool)


Names = tuple[str, ...] | None


def place(kind: str, number: int, names: Names = None) -> str:
    """The words "state 2" or, where it has a name, "state 2 ('shop')"."""
    return f"{kind} {number} ({names[number]!r})" if names else f"{kind} {number}"


def row_place(row: int, n_actions: int, states: Names = None, actions: Names = None) -> str:
    """The words "state s, action a" for row s * A + a, with their names where they have some."""
    state, action = divmod(row, n_actions)
    return f"{place('state', state, states)}, {place('action', action, actions)}"


def require_transition_rows(
    transition: Any,
    needed: np.ndarray,
    n_actions: int,
    first: int = 0,
    states: Names = None,
    actions: Names = None,
) -> np.ndarray:
    """The sums of the rows (s * A + a), all of them distributions; rows not `needed` may also be
    all zero.

    transition: (S*A, S), dense or CSR.  needed: bool (S*A,), true for the available actions of
    non-terminal states.  first: the state of the first row.  states, actions: their names.
    """
    above = first * n_actions
    data = transition.data if sparse.issparse(transition) else transition
    if data.size and not (data.min() >= 0.0 and data.max() < np.inf):  # NaN fails both
        row, column, value = _first_bad_entry(transition)
        raise ModelError(
            f"transition probability to {place('state', column, states)} from "
            f"{row_place(above + row, n_actions, states, actions)} is {value!r}; "
            "probabilities must be finite and at least 0"
        )
    with np.errstate(over="ignore"):
        sums = np.asarray(transition.sum(axis=1)).ravel()
    wrong = np.abs(sums - 1.0) > ROW_SUM_TOLERANCE
    wrong &= needed | (sums != 0.0)
    if wrong.any():
        row = int(np.argmax(wrong))
        advice = of_float32(data, sums[wrong]) or (
            "correct the model or divide each row by its sum, or mark the state terminal or mask "
            "the action"
        )
        raise ModelError(
            f"transition probabilities of {row_place(above + row, n_actions, states, actions)} sum "
            f"to {float(sums[row])!r}, not to 1 (tolerance {ROW_SUM_TOLERANCE:g}; "
            f"{int(wrong.sum())} such rows); {advice}"
        )
    return sums


def of_float32(numbers: np.ndarray, sums: np.ndarray) -> str:
    """What to do about sums that miss 1 by the rounding of float32, in which the numbers are;
    nothing otherwise.  Dividing by the sum does not help there, as the quotient is rounded again.
    """
    if np.abs(sums - 1.0).max(initial=0.0) > FLOAT32_MISS:
        return ""
    if not (numbers == numbers.astype(np.float32)).all():
        return ""
    return (
        "the numbers are float32, whose rounding this is: convert them with .astype(float) before "
        "dividing each row by its sum"
    )


def _first_bad_entry(transition: Any) -> tuple[int, int, float]:
    data = transition.data if sparse.issparse(transition) else transition.ravel()
    index = int(np.argmax(~((data >= 0.0) & (data < np.inf))))
    if sparse.issparse(transition):
        row = int(np.searchsorted(transition.indptr, index, side="right")) - 1
        return row, int(transition.indices[index]), float(data[index])
    row, column = divmod(index, transition.shape[1])
    return row, column, float(data[index])


def require_reward(reward: np.ndarray, available: np.ndarray | None = None) -> None:
    """Rewards are finite and not so large that sums overflow.

    reward: any shape whose leading axes are (S,) or (S, A); available: bool (S, A), where given
    -inf is let through at the actions that are not available (they are never paid).
    """
    wrong = ~(np.abs(reward) <= MAX_REWARD)
    if available is not None and wrong.any():
        unavailable = ~available.reshape(available.shape + (1,) * (reward.ndim - 2))
        wrong &= ~((reward == -np.inf) & unavailable)
    if not wrong.any():
        return
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    value = float(reward[place])
    words = ", ".join(f"{n} {i}" for n, i in zip(("state", "action", "next state"), place))
    if value == -np.inf:
        advice = "make an action unavailable with action_mask, not with a reward of -inf"
    elif np.isfinite(value):
        advice = f"overflow: rewards must not exceed {MAX_REWARD:g} in size"
    else:
        advice = "rewards must be finite"
    raise ModelError(f"reward at {words} is {value!r}; {advice}")


def distribution(name: str, value: Any, n_states: int) -> np.ndarray:
    """A probability distribution over states, (S,)."""
    array = array_of_shape(name, value, (n_states,))
    if not (array.min() >= 0.0):
        state = int(np.argmax(~(array >= 0.0)))
        raise ModelError(
            f"{name} of state {state} is {float(array[state])!r}; it must be at least 0"
        )
    with np.errstate(over="ignore"):
        total = float(array.sum())
    if not abs(total - 1.0) <= ROW_SUM_TOLERANCE:
        raise ModelError(
            f"{name} sums to {total!r}, not to 1 (tolerance {ROW_SUM_TOLERANCE}); "
            f"{of_float32(array, np.array([total])) or 'divide it by its sum'}"
        )
    return array


def action_distribution(
    name: str, value: Any, available: np.ndarray, terminal: np.ndarray
) -> np.ndarray:
    """Action probabilities (S, A), for a policy or a prior; (A,) is taken for every state.

    available: bool (S, A); terminal: bool (S,).  Each row of a non-terminal state sums to 1 and
    gives nothing to an unavailable action; rows of terminal states are replaced by the uniform
    placeholder over their available actions.
    """
    if hasattr(value, "log_policy"):
        raise ModelError(f"{name} is a {type(value).__name__}; give its policy: solution.policy")
    n_states, n_actions = available.shape
    wanted = f"it must be {available.shape} (states, actions)"
    if getattr(value, "shape", None) == (n_states,) and np.asarray(value).dtype.kind in "iu":
        wanted += f"; of one action a state make it by np.eye({n_actions})[{name}]"
    array = real_array(
        name, value, fits={(n_actions,), available.shape}.__contains__, wanted=wanted
    )
    if array.ndim == 1:
        array = np.tile(array, (n_states, 1))
    array[terminal] = available[terminal] / available[terminal].sum(axis=1, keepdims=True)
    bad = ~(array >= 0.0) | (array == np.inf)
    if bad.any():
        state, action = (int(i) for i in np.argwhere(bad)[0])
        raise ModelError(
            f"{name} of state {state}, action {action} is {float(array[state, action])!r}; "
            "probabilities must be at least 0"
        )
    with np.errstate(over="ignore"):
        sums = array.sum(axis=1)
    wrong = ~(np.abs(sums - 1.0) <= ROW_SUM_TOLERANCE)
    if wrong.any():
        state = int(np.argmax(wrong))
        raise ModelError(
            f"{name} of state {state} sums to {float(sums[state])!r}, not to 1 "
            f"(tolerance {ROW_SUM_TOLERANCE}); "
            f"{of_float32(array[~terminal], sums[wrong]) or 'divide each row by its sum'}"
        )
    forbidden = (array > 0.0) & ~available
    if forbidden.any():
        state, action = (int(i) for i in np.argwhere(forbidden)[0])
        raise ModelError(
            f"{name} gives probability {float(array[state, action])!r} to action {action} of state "
            f"{state}, which the action mask makes unavailable; set it to 0"
        )
    return array


def names(kind: str, given: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    """A tuple of `count` names, or None."""
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ModelError(f"{kind} = {quoted(given)}; give a list of {count} names")
    try:
        entries = len(given) if isinstance(given, Sized) else count
    except TypeError:  # an array without axes
        entries = 0
    if entries != count:
        raise ModelError(f"{kind} has {entries} entries; it must have {count}")
    listed = tuple(str(name) for name in islice(given, count + 1))
    if len(listed) != count:
        raise ModelError(f"{kind} has {len(listed)} entries or more; it must have {count}")
    return listed


def of_states(name: str, value: Any, n_states: int) -> np.ndarray:
    """A number for each state, (S,), as a float64 array."""
    shape = (n_states,)
    if type(value) is np.ndarray and value.dtype.char == "d" and value.shape == shape:
        return value  # the usual case
    wanted = f"it must be {shape}, one a state"
    return real_array(name, value, copy=False, fits=shape.__eq__, wanted=wanted)


def points(name: str, value: Any, count: int, flat: bool = False) -> np.ndarray | None:
    """`count` finite vectors, (count, d, ...), or (count, d) where `flat`; None stays None."""
    if value is None:
        return None
    array = real_array(
        name,
        value,
        fits=lambda s: (len(s) == 2 if flat else len(s) >= 2) and s[0] == count and 0 not in s,
        wanted=f"it must be ({count}, d{'' if flat else ', ...'}): one vector for each of the "
        f"{count} (a single number is a vector of length 1)",
    )
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ModelError(f"{name} at {place} is {float(array[place])!r}; it must be finite")
    return array
