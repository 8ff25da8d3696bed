"""One application of an operator, and the interval that it certifies for the fixed point."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from maxent.support.shapes import Float
from maxent.tabular.solvers.kernels import Kernel


class Certified(NamedTuple):
    """One application of an operator, with the interval that it certifies for the fixed point.

    tv : (S,), T V.  b : (S,), T V - V.
    below, above : T V + below <= fixed point <= T V + above at non-terminal states.
    residual : largest |b|.
    norm : ||T V|| + residual, at least ||V|| and ||T V||.
    value_size : a lower bound on the largest size of the fixed point.
    terminal : (S,), where the fixed point is 0.
    """

    tv: ndarray
    b: ndarray
    below: float
    above: float
    residual: float
    norm: float
    value_size: float
    terminal: ndarray

    @property
    def width(self) -> float:
        return self.above - self.below

    @property
    def lower(self) -> Float[ndarray, " S"]:
        return self._tv_plus(self.below)

    @property
    def upper(self) -> Float[ndarray, " S"]:
        return self._tv_plus(self.above)

    def midpoint(self) -> tuple[Float[ndarray, " S"], float]:
        """The midpoint of the interval and its largest distance to the ends."""
        return midpoint(self.lower, self.upper)

    def _tv_plus(self, shift: float) -> Float[ndarray, " S"]:
        found: Float[ndarray, " S"] = self.tv + shift
        found[self.terminal] = 0.0
        return found


def certify(kernel: Kernel, v: Float[ndarray, " S"]) -> Certified:
    """One application of the operator to v, with its certified interval."""
    return certified(kernel, v, kernel.apply(v))


def midpoint(
    lower: Float[ndarray, " S"], upper: Float[ndarray, " S"]
) -> tuple[Float[ndarray, " S"], float]:
    """The midpoint of an interval and its largest distance to the ends."""
    v = lower + 0.5 * (upper - lower)
    error_bound = float(np.maximum.reduce(np.maximum(upper - v, v - lower)))
    return v, math.nextafter(error_bound, math.inf) if error_bound else 0.0


def certified(kernel: Kernel, v: Float[ndarray, " S"], tv: Float[ndarray, " S"]) -> Certified:
    """The interval that T V certifies, where it is known already."""
    b = tv - v
    nonterminal = b[kernel.mdp.nonterminal]
    least, greatest = extremes(nonterminal) if len(nonterminal) else (0.0, 0.0)
    low, high = extremes(tv)
    residual = max(greatest, -least)
    norm = max(high, -low) + residual
    below, above = kernel.bounds.interval(least, greatest, norm)
    return Certified(
        tv,
        b,
        below,
        above,
        residual=residual,
        norm=norm,
        value_size=max(high + below, -(low + above), 0.0),
        terminal=kernel.mdp.terminal,
    )


def extremes(x: Float[ndarray, " N"]) -> tuple[float, float]:
    """The least and the greatest entry."""
    return float(np.minimum.reduce(x)), float(np.maximum.reduce(x))
