"""Values as JSON holds them: built-in types alone, in one way for everything that is written."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.support.arguments import quoted


def plain(value: Any, name: str = "the value", *, finite: bool = False) -> Any:
    """`value` as it reads back from JSON: lists for tuples, numbers and lists for those of NumPy
    and torch, text for keys and paths.

    finite : whether NaN and infinite numbers become None, as strict JSON needs.

    Raises ConfigError, with the `name` of the value, for what JSON cannot hold.

    >>> plain({1: (2, float("inf"))}, finite=True)
    {'1': [2, None]}
    """
    try:
        return _plain(value, finite)
    except (TypeError, RecursionError) as error:
        raise ConfigError(
            f"{name} holds what a JSON file cannot ({error}); give numbers, text, lists and "
            "dictionaries"
        ) from None


def _plain(value: Any, finite: bool) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return None if finite and not math.isfinite(value) else float(value)
    if isinstance(value, Mapping):
        return {_key(_plain(key, False)): _plain(part, finite) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, finite) for part in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, ndarray) and value.dtype.char in "?bBhHiIlLqQefd":
        numbers = value.tolist()  # built-in ones: most often all there is to do
        return _plain(numbers, True) if finite and not np.isfinite(value).all() else numbers
    if hasattr(value, "tolist"):  # the scalars of NumPy, tensors
        return _plain(value.tolist(), finite)
    raise TypeError(f"{type(value).__name__} {quoted(value)} is none")


def _key(key: Any) -> str:
    """A key as JSON writes it: true, 10, null."""
    if isinstance(key, list | dict):
        raise TypeError(f"{quoted(key)} is no key")
    return key if isinstance(key, str) else json.dumps(key)
