"""States as arguments, by number or name: one, several, or a probability for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from maxent.errors import ModelError
from maxent.mdp import validation
from maxent.support.arguments import nearest, quoted, require_finite


def start_distribution(
    value: Any, n_states: int, state_names: tuple[str, ...] | None = None
) -> np.ndarray:
    """(S,) of an initial distribution, of probabilities by state, or of the one state of all starts
    (states by number or name).

    >>> start_distribution("b", 2, ("a", "b")).tolist(), start_distribution({0: 1.0}, 2).tolist()
    ([0.0, 1.0], [1.0, 0.0])
    """
    name = "initial_distribution"
    if _is_state(value):
        value = {value: 1.0}
    if (given := by_state(value)) is not None:
        numbers = {s: state_number(name, s, n_states, state_names) for s in given}
        value = start_of(given, numbers, n_states)
    return validation.distribution(name, value, n_states)


def by_state(value: Any) -> dict[Any, Any] | None:
    """What is given state by state, in a dictionary or with the labels of a pandas Series; None
    for anything else, and for a Series whose labels are 0, 1, 2, ... in order."""
    if isinstance(value, Mapping):
        return dict(value)
    if getattr(value, "ndim", None) == 1 and hasattr(value, "to_dict"):
        labels = list(value.index)
        if labels == list(range(len(labels))):
            return None
        if len(set(labels)) < len(labels):
            raise ModelError("a Series names a state twice in its index; name each once")
        found: dict[Any, Any] = value.to_dict()
        return found
    return None


def start_of(given: Mapping[Any, Any], numbers: Mapping[Any, int], n_states: int) -> np.ndarray:
    """(S,) of probabilities by state, and the number of each; ModelError for a state given twice,
    by number and name."""
    start = np.zeros(n_states)
    if len(set(numbers.values())) < len(numbers):
        raise ModelError(
            f"initial_distribution = {quoted(given)} gives a state twice; give it once"
        )
    for state, probability in given.items():
        name = f"initial_distribution of state {state!r}"
        start[numbers[state]] = require_finite(name, probability)
    return start


def _is_state(value: Any) -> bool:
    """Whether `value` can be one state: its number or its name."""
    return isinstance(value, str) or (isinstance(value, Integral) and not isinstance(value, bool))


def state_number(
    argument: str, state: Any, n_states: int, state_names: tuple[str, ...] | None
) -> int:
    """The number of a state given by number or name; ModelError for what is no state."""
    if isinstance(state, str):
        if state_names and (times := state_names.count(state)):
            if times == 1:
                return state_names.index(state)
            raise ModelError(
                f"{argument} names the state {state!r}, which {times} states are called"
            )
        advice = nearest(state, state_names) if state_names else "the states have no state_names"
        raise ModelError(f"{argument} names the state {quoted(state)}; {advice}")
    if _is_state(state) and 0 <= state < n_states:
        return int(state)
    raise ModelError(f"{argument} names the state {quoted(state)}; states are 0 to {n_states - 1}")


def _are_names(states: Any) -> bool:
    """Whether any of several states is given by its name; numbers in an array are not looked at."""
    if getattr(getattr(states, "dtype", None), "kind", "O") not in "UO":
        return False
    return isinstance(states, Iterable) and any(isinstance(state, str) for state in states)


def terminal_states(
    terminal: Any, n_states: int, state_names: tuple[str, ...] | None = None
) -> np.ndarray:
    """Booleans (S,) of a mask, a list or set of states (by number or name), one of them, or None.

    >>> terminal_states(["b"], 2, ("a", "b")).tolist(), terminal_states(0, 2).tolist()
    ([False, True], [True, False])
    """
    mask = np.zeros(n_states, dtype=bool)
    if terminal is None:
        return mask
    if _is_state(terminal):
        terminal = {terminal}
    if isinstance(terminal, Mapping | Iterator) or getattr(terminal, "shape", None) == ():
        raise ModelError(
            f"terminal = {quoted(terminal)} is a {type(terminal).__name__}; give a list of states, "
            "or booleans, one a state"
        )
    if "bool" in str(getattr(terminal, "dtype", "")) and (ends := by_state(terminal)) is not None:
        terminal = {state for state, is_end in ends.items() if is_end}
    if isinstance(terminal, set | frozenset) or _are_names(terminal):
        for state in terminal:
            mask[state_number("terminal", state, n_states, state_names)] = True
        return mask
    array = validation.plain_array("terminal", terminal)
    if array.size == 0:
        return mask
    binary = (
        array.dtype.kind in "iu" and array.shape == (n_states,) and np.isin(array, (0, 1)).all()
    )
    if array.dtype == bool or (binary and n_states > 2):
        return validation.boolean_array("terminal", array, (n_states,))
    if (
        array.ndim != 1
        or array.dtype.kind not in "iu"
        or not (0 <= array.min() <= array.max() < n_states)
    ):
        raise ModelError(
            f"terminal = {quoted(terminal)}; give booleans of shape ({n_states},) or states "
            f"between 0 and {n_states - 1}"
        )
    if binary:
        raise ModelError(
            f"terminal = {quoted(terminal)} could be a mask or a list of states; give booleans"
        )
    mask[array] = True
    return mask
