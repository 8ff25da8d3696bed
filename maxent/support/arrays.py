"""Arrays: logs of probabilities, and records whose arrays cannot be written to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.support.shapes import Float


def logs(probabilities: Any) -> ndarray:
    """The logarithms of probabilities, in their shape; -inf for 0."""
    with np.errstate(divide="ignore"):
        found: ndarray = np.log(probabilities)
        return found


def closure(start: ndarray, step: Callable[[ndarray], ndarray]) -> ndarray:
    """Booleans, with all that steps from what is true make true as well."""
    while True:
        more = start | step(start)
        if (more == start).all():
            return start
        start = more


def read_only(*values: Any) -> None:
    """Refuse writing to the arrays, dense and sparse, among the values and in tuples of them."""
    for value in values:
        if isinstance(value, ndarray):
            value.setflags(write=False)
        elif isinstance(value, tuple):
            read_only(*value)
        elif hasattr(value, "indptr") and sparse.issparse(value):
            read_only(value.data, value.indices, value.indptr)


class ReadOnly:
    """A dataclass whose arrays cannot be written to once it is made."""

    def __post_init__(self) -> None:
        read_only(*vars(self).values())

    def __setstate__(self, state: dict[str, Any]) -> None:  # of a pickle, or a copy
        vars(self).update(state)
        read_only(*state.values())


class HasPolicy:
    """Anything that has the logs of action probabilities, (..., S, A)."""

    log_policy: ndarray

    @property
    def policy(self) -> Float[ndarray, "*S A"]:
        """Action probabilities, (..., S, A); a uniform placeholder at terminal states."""
        found: Float[ndarray, "*S A"] = np.exp(self.log_policy)
        return found


class HasStatus:
    """Anything that says how a search ended."""

    status: Any

    @property
    def converged(self) -> bool:
        """Whether what `tolerance` asks for was reached: status "converged"."""
        return bool(self.status == "converged")
