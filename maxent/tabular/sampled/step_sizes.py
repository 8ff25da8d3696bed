"""How far a sample moves a table: step sizes that depend on the number of visits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.support.arguments import (
    quoted,
    require_finite,
    require_fraction,
    require_positive,
    require_real,
)
from maxent.support.shapes import Float, Int

StepSize = float | Callable[[ndarray], ndarray]


@dataclass(frozen=True)
class RobbinsMonro:
    """Step sizes scale ((1 + offset) / (n + offset))^exponent for the n-th visit, n = 1, 2, ...

    exponent in (1/2, 1], so that their sum is infinite and that of their squares is not; offset >=
    0 keeps the early ones large; scale in (0, 1] is the first of them.
    """

    exponent: float = 0.75
    offset: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0.5 < require_real("exponent", self.exponent, "(1/2, 1]") <= 1.0:
            raise ConfigError(
                f"exponent = {self.exponent!r} is outside (1/2, 1]: at 1/2 or below the noise "
                "never dies out, above 1 the start is never forgotten"
            )
        if require_finite("offset", self.offset) < 0.0:
            raise ConfigError(f"offset = {quoted(self.offset)} must be at least 0")
        require_fraction("scale", require_positive("scale", self.scale))

    def __call__(self, n: Int[ndarray, " K"]) -> Float[ndarray, " K"]:
        """The step sizes of visits number n."""
        return self.scale * ((1.0 + self.offset) / (n + self.offset)) ** self.exponent


def step_sizes(given: StepSize | None) -> Callable[[ndarray], Any]:
    """A function of the counts whose values are in (0, 1]: RobbinsMonro() for None, a constant for
    a number; those of another function are checked whenever it is called."""
    if given is None:
        return RobbinsMonro()
    if type(given) is RobbinsMonro:
        return given
    if callable(given):
        return _Checked(given)
    number = require_real("step_size", given, "(0, 1], or a function of the counts n = 1, 2, ...")
    if not 0.0 < number <= 1.0:
        raise ConfigError(f"step_size = {quoted(given)} is outside (0, 1]")
    return lambda n: number


@dataclass(frozen=True)
class _Checked:
    """A user's step sizes; ConfigError where they are none."""

    function: Callable[[ndarray], Any]

    def __call__(self, n: Int[ndarray, " K"]) -> ndarray:
        given = self.function(n)
        try:
            sizes = np.asarray(given)
            if sizes.shape in ((), n.shape) and sizes.dtype.kind in "iuf":
                wrong = ~((sizes > 0.0) & (sizes <= 1.0))
                if not wrong.any():
                    return sizes
        except ValueError:  # a ragged list
            pass
        raise ConfigError(
            f"step_size of the counts {str(n)[:60]} is {str(given)[:60]}; it must be one number in "
            f"(0, 1] for each of the {len(n)} counts"
        )
