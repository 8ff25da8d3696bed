"""The run-time type checker of the tests: beartype, with an int accepted where a float is."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

import jaxtyping
from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
ENOUGH = 100
"""Calls of one function that a test has checked; a training of thousands of updates has no more."""
calls: Counter[Callable[..., Any]] = Counter()
"""How often each function was checked in this test."""


def at_first(**settings: Any) -> Callable[[Any], Any]:
    """`jaxtyping.jaxtyped`, for the first calls of a function in each test."""

    def decorated(function: Any) -> Any:
        checked = jaxtyped(**settings)(function)
        if inspect.isclass(function):
            return checked

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            if calls[function] >= ENOUGH:
                return function(*args, **kwargs)
            calls[function] += 1
            return checked(*args, **kwargs)

        return called

    return decorated


jaxtyped = jaxtyping.jaxtyped


def install(modules: list[str]) -> None:
    """Have every function of these modules checked, once they are imported."""
    jaxtyping.jaxtyped = at_first  # type: ignore[assignment]
    jaxtyping.install_import_hook(modules, "typechecker.check")
