"""Operators take NumPy arrays; what else can be read as one is read first."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from maxent.mdp.validation import real_array
from maxent.support.arguments import require_real

Function = TypeVar("Function", bound=Callable[..., Any])

KEPT = ("mdp", "tie_tolerance")
"""Arguments that are no arrays."""
NUMBERS = (float, int, np.number, np.ndarray)


def of_arrays(function: Function) -> Function:
    """A function of arrays and a temperature that reads lists and tensors as arrays, and passes
    arrays on as they are.

    ModelError for what cannot be read as numbers (a tensor with a gradient, say), ConfigError for
    a temperature that is no number.
    """
    names = list(inspect.signature(function).parameters)

    @wraps(function)
    def reading(*given: Any, **named: Any) -> Any:
        read = [_read(name, value) for name, value in zip(names, given, strict=False)]
        named = {name: _read(name, value) for name, value in named.items()}
        return function(*read, *given[len(read) :], **named)

    return cast(Function, reading)


def _read(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray) or name in KEPT:
        return value
    if name == "temperature":
        return value if isinstance(value, NUMBERS) else require_real(name, value, "[0, inf)")
    return None if value is None else real_array(name, value)
