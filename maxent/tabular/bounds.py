r"""Certified bounds: from one application of an operator to an interval that holds its fixed point.

Let T be the soft Bellman operator on values (or T^pi for a fixed policy), V any values, and
b = T V - V.  T is monotone, and T(V + c) lies between T V + beta_low c and T V + beta_high c for
c >= 0, where beta is gamma times the probability of going on to a non-terminal state: its least
and greatest value over all states and actions.  Applying T again and again gives MacQueen's
bounds (key SQL-T3, in the form that terminal states and rows as stored need):

    T V + shift(min b) <= V* <= T V + shift(max b),

    shift(x) = beta_high / (1 - beta_high) x   where that widens the interval (max b > 0 above,
               min b < 0 below), and beta_low / (1 - beta_low) x where it narrows it.

Without terminal states beta_low = beta_high = gamma and the width is gamma/(1-gamma) times the
*span* of b.  No bare residual is ever taken for an error.

**Rounding.**  T V is computed in float64.  With u = eps/2, k the length of the longest
transition row, A the largest number of available actions and N = max(||V||, ||r + alpha log
prior||), one computed entry of T V is off by at most

    e = u [ (k + 8) N + alpha (2 A + 5 + 4 log A) ]      (the second term only where A > 1)

- a product of k terms costs k u ||V||, the discount, the sum with the reward and the final
additions 8 u N; in the log-sum-exp each exponent x = (q - max q)/alpha <= 0 carries 2 u |x|, each
exp 4 u, and sum_a |x| e^x <= A/e; the logarithm adds u log A.  The bounds above are taken for
b -+ e and widened by e.  The **floor** is e (1 + beta_high/(1 - beta_high)), about
c(k) eps N / (1 - gamma): no error bound below it can be certified in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from maxent.errors import ModelError, ToleranceError

UNIT = np.finfo(np.float64).eps / 2


@dataclass(frozen=True)
class Enclosure:
    """How far the fixed point of an operator can be from one application of it.

    gain_low, gain_high: beta / (1 - beta) for the least and the greatest beta.
    relative: the part of the rounding error proportional to max(||V||, scale).
    absolute: the part that is not.
    scale: largest |r + alpha log prior|.
    """

    gain_low: float
    gain_high: float
    relative: float
    absolute: float
    scale: float

    def rounding(self, norm: float) -> float:
        """Largest rounding error of an entry of T V, for ||V|| = norm."""
        return self.relative * max(norm, self.scale) + self.absolute

    def floor(self, norm: float) -> float:
        """The least error bound that can be certified, for ||V|| = norm."""
        return (1.0 + self.gain_high) * self.rounding(norm)

    def interval(self, least: float, greatest: float, norm: float) -> tuple[float, float]:
        """(below, above) such that T V + below <= fixed point <= T V + above.

        least, greatest: the extremes of b = T V - V over the non-terminal states, as computed.
        """
        rounding = self.rounding(norm)
        below = -self._shift(rounding - least) - rounding
        above = self._shift(greatest + rounding) + rounding
        return below, above

    def _shift(self, worst: float) -> float:
        return worst * (self.gain_high if worst > 0.0 else self.gain_low)

    def tolerance(self, norm: float) -> float:
        """The tolerance of a solver that is given none: 1e-9 of the value, at least 4 floors."""
        return max(1e-9 * max(1.0, norm), 4.0 * self.floor(norm))

    def check_tolerance(self, tolerance: float) -> None:
        """ToleranceError for a tolerance that is certainly below the floor."""
        floor = self.floor(0.0)
        if tolerance < floor:
            raise ToleranceError(
                f"tolerance = {tolerance!r} is below what float64 can certify here, {floor:.3g} "
                f"(rewards up to {self.scale:.3g}, long-run factor {1 + self.gain_high:.3g}); "
                f"ask for {4 * floor:.2g} or more, or leave it out"
            )


def gains(discount: float, row_sums: Float[ndarray, " N"], longest: int) -> tuple[float, float]:
    """(gain_low, gain_high) from the probabilities, one a row, of going on to a non-terminal
    state; widened by their rounding (rows of `longest` terms)."""
    if len(row_sums) == 0:
        return 0.0, 0.0
    slop = (longest + 2) * UNIT
    low = discount * max(0.0, float(row_sums.min()) - slop)
    excess = float(row_sums.max()) - 1.0 + slop
    remaining = (1.0 - discount) - discount * excess
    if remaining <= 0.0:
        raise ModelError(
            f"discount {discount!r} times the largest row sum {1.0 + excess!r} is not below 1: "
            "values need not be bounded; divide each row by its sum or lower the discount"
        )
    return low / (1.0 - low), discount * (1.0 + excess) / remaining


def soft_rounding(longest: int, n_available: int, temperature: float) -> tuple[float, float]:
    """(relative, absolute) rounding of the soft Bellman operator on values (module docstring)."""
    spread = 2 * n_available + 5 + 4 * np.log(n_available) if n_available > 1 else 0.0
    return UNIT * (longest + 8), UNIT * temperature * spread


def policy_rounding(
    longest: int, n_available: int, temperature: float, entropy_size: float
) -> tuple[float, float]:
    """(relative, absolute) rounding of T^pi: P_pi and r_pi are sums of `n_available` products.

    entropy_size: largest sum_a pi |log pi - log prior| over the states.
    """
    relative = UNIT * (longest + 2 * n_available + 12)
    return relative, UNIT * temperature * (n_available + 6) * entropy_size
