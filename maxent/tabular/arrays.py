"""Operators take NumPy arrays; what else can be read as one is read first."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from maxent.errors import ConfigError, MaxEntError, ModelError
from maxent.mdp import MDP, require_mdp
from maxent.mdp.validation import real_array
from maxent.support.arguments import require_real

Function = TypeVar("Function", bound=Callable[..., Any])

NUMBERS = ("temperature", "tie_tolerance")
OPTIONAL = ("log_prior", "log_mask")
"""Arguments that are no arrays, and those that may be None."""


def of_arrays(function: Function) -> Function:
    """A function of arrays and a temperature that reads lists, tensors and arrays of another kind
    (whole numbers, which wrap around, matrices) as float64 arrays, and passes those on as they are.

    ModelError for what cannot be read as numbers (a tensor with a gradient, say) and for shapes
    that do not go together, ConfigError for a temperature that is none.
    """
    names = list(inspect.signature(function).parameters)

    @wraps(function)
    def reading(*given: Any, **named: Any) -> Any:
        read = [_read(name, value) for name, value in zip(names, given, strict=False)]
        if named:
            named = {name: _read(name, value) for name, value in named.items()}
        try:
            _require_of_mdp(named.get("mdp", read[0] if read else None), [*read, *named.values()])
            return function(*read, *given[len(read) :], **named)
        except MaxEntError:
            raise
        except (ValueError, IndexError) as error:  # IndexError: a number in place of an array
            arrays = {**dict(zip(names, read, strict=False)), **named}
            shapes = ", ".join(f"{n} {a.shape}" for n, a in arrays.items() if hasattr(a, "shape"))
            raise ModelError(
                f"{function.__name__}() needs arrays (S, A) of one shape, not {shapes}: {error}"
            ) from error

    return cast(Function, reading)


def _require_of_mdp(mdp: Any, arguments: list[Any]) -> None:
    """ValueError, at once, for an array of more numbers than an MDP has states and actions."""
    if isinstance(mdp, MDP):
        for value in arguments:
            if isinstance(value, np.ndarray) and value.size > mdp.n_states * mdp.n_actions:
                raise ValueError(f"the MDP has {mdp.n_states} states, {mdp.n_actions} actions")


def require_logs(log_policy: np.ndarray) -> None:
    """ModelError for rows of probabilities: without a negative number, and summing to 1, where
    logarithms of probabilities, at most 0, would sum to 0."""
    unsigned = log_policy.size and log_policy.min() >= 0.0
    if unsigned and np.allclose(log_policy.sum(axis=-1), 1.0):
        raise ModelError(
            "log_policy holds probabilities: its rows sum to 1; give their logarithms, "
            "np.log(policy)"
        )


def _read(name: str, value: Any) -> Any:
    if name == "mdp":
        return require_mdp(value)
    if type(value) is np.ndarray and value.dtype.char == "d" and name not in NUMBERS:
        return value
    if name == "self" or (value is None and name in OPTIONAL):
        return value
    if name in NUMBERS:
        number = value if isinstance(value, float) else require_real(name, value, "[0, inf)")
        if not 0.0 <= number < math.inf:
            raise ConfigError(f"{name} = {number!r} is not valid; give a number in [0, inf)")
        return number
    return real_array(name, value, copy=False)
