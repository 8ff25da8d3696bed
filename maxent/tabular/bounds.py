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
transition row, A the largest number of available actions and N = max(||V||, ||r|| + alpha
||log prior||), one computed entry of T V is off by at most

    e = u [ (k + 12) N + alpha (2 A + 5 + 4 log A) ]     (the second term only where A > 1)

- a sum of k products costs k u ||V||; the discount u N, the reward with alpha log prior 3 u N, its
sum with the product (up to 2 N) 2 u N, the last sum of the log-sum-exp 2 u N, b = T V - V another
2 u N and the ends of the interval 2 u N.  In the log-sum-exp each exponent x = (q - max q)/alpha
<= 0 carries 2 u |x|, each exp 4 u, and sum_a |x| e^x <= A/e; the logarithm adds u log A.  The
bounds above are taken for b -+ e and widened by e.  A product below 2.2e-308 has no relative error:
each adds 5e-324 (times alpha inside the entropy).  The **floor** is
e (1 + beta_high/(1 - beta_high)), about c(k) eps N / (1 - gamma): no error bound below it can be
certified in float64.  (beta itself is a sum of k terms; where V is still far from the fixed point
that adds up to another floor.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ModelError, ToleranceError
from maxent.mdp import MDP
from maxent.mdp.transitions import Transition
from maxent.support.shapes import Bool, Float
from maxent.tabular.linear_systems import solve_discounted

UNIT = float(np.finfo(np.float64).eps) / 2

COARSEST = 1e-6
"""The largest error, in parts of the largest value (of 1 where that is smaller), that is called
"converged" where no tolerance was asked for."""

LEAST = float(np.finfo(np.float64).smallest_subnormal)
"""What a product may lose where it is too small for a relative error."""


@dataclass(frozen=True)
class FixedPointBounds:
    """How far the fixed point of an operator can be from one application of it.

    gain_low, gain_high: beta / (1 - beta) for the least and the greatest beta.
    relative: the part of the rounding error proportional to max(||V||, scale).
    absolute: the part that is not.
    scale: largest |r| + alpha |log prior|.
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
        below = -self.shift(rounding - least) - rounding
        above = self.shift(greatest + rounding) + rounding
        return below, above

    def shift(self, worst: float) -> float:
        """How far above T V the fixed point can be, where T V - V is `worst` at most."""
        return worst * (self.gain_high if worst > 0.0 else self.gain_low)

    def tolerance(self, norm: float) -> float:
        """The tolerance of a solver that is given none: 1e-9 of the value, at least 4 floors; down
        to 2 floors where 4 are more than what may be called converged.

        norm: a certified lower bound on the largest size of the true values."""
        size, floor = max(1.0, norm), self.floor(norm)
        return max(1e-9 * size, min(4.0 * floor, max(COARSEST * size, 2.0 * floor)))

    def require_tolerance(self, tolerance: float) -> None:
        """ToleranceError for a tolerance that is certainly below the floor."""
        floor = self.floor(0.0)
        if tolerance < floor:
            raise ToleranceError(
                f"tolerance = {tolerance!r} is below what float64 can certify here, {floor:.3g} "
                f"(rewards up to {self.scale:.3g}, long-run factor {1 + self.gain_high:.3g}); "
                f"ask for {4 * floor:.2g} or more, or leave it out"
            )


def soft_bounds(
    mdp: MDP, temperature: float, log_prior: Float[ndarray, "S A"] | None
) -> FixedPointBounds:
    """Bounds for the soft Bellman optimality operator; gain_high is inf at discount 1."""
    n_available, scale = mdp.extremes
    if log_prior is not None:
        used = mdp.action_mask & ~mdp.terminal[:, None] & (log_prior > -np.inf)
        size = np.abs(mdp.reward) + temperature * np.abs(np.where(used, log_prior, 0.0))
        n_available = int(used.sum(axis=1).max(initial=1))
        scale = float(size[used].max(initial=0.0))
    return bounds_from_extremes(
        mdp.discount,
        temperature,
        going_on=mdp.going_on,
        longest=mdp.longest_row,
        n_available=n_available,
        scale=scale,
    )


def bounds_from_extremes(
    discount: float,
    temperature: float,
    *,
    going_on: tuple[float, float],
    longest: int,
    n_available: int,
    scale: float,
) -> FixedPointBounds:
    """Bounds for the soft Bellman optimality operator from what is extreme in its MDP.

    going_on : the least and the greatest probability of going on to a non-terminal state.
    longest : entries of the longest transition row.  n_available : the most actions of a state.
    scale : largest |r| + alpha |log prior|.
    """
    spread = 2 * n_available + 5 + 4 * math.log(n_available) if n_available > 1 else 0.0
    return FixedPointBounds(
        *_gains(discount, min(1.0, going_on[0]), max(0.0, going_on[1]), longest),
        relative=UNIT * (longest + 12),
        absolute=UNIT * temperature * spread + _underflow(longest + n_available, temperature),
        scale=scale,
    )


def policy_bounds(
    mdp: MDP,
    policy: Float[ndarray, "S A"],
    transition: Transition,
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None,
) -> FixedPointBounds:
    """Bounds for the evaluation operator of a policy, T^pi V = r_pi + alpha H_pi + gamma P V.

    transition: P_pi between non-terminal states, (S, S), as computed: each entry and each reward is
    a sum of at most A products, which adds 2 A + 4 to the constant of the products; the logarithms
    are rounded one by one, which costs (A + 8) sum_a pi (|log pi| + |log prior|).  At discount 1
    gain_high is the certified expected number of steps of a proper policy, inf for another.
    """
    nonterminal = ~mdp.terminal
    used = (policy > 0.0) & nonterminal[:, None]
    logs = np.zeros_like(policy)
    logs[used] = np.abs(np.log(policy[used]))
    if log_prior is not None:
        logs[used] += np.abs(log_prior[used])
    entropy_size = float((policy * logs).sum(axis=1).max(initial=0.0))
    longest = longest_row(transition)
    n_available = int(used.sum(axis=1).max(initial=1))
    if mdp.discount == 1.0:
        stay = longest_stay(transition, nonterminal, n_available)
        gain_low, gain_high = 0.0, float(stay * (1.0 + 8 * UNIT))
    else:
        sums = np.asarray(transition.sum(axis=1)).ravel()[nonterminal]
        least, greatest = float(sums.min(initial=1.0)), float(sums.max(initial=0.0))
        gain_low, gain_high = _gains(mdp.discount, least, greatest, longest + n_available)
    return FixedPointBounds(
        gain_low,
        gain_high,
        relative=UNIT * (longest + 2 * n_available + 16),
        absolute=UNIT * temperature * (n_available + 8) * entropy_size
        + _underflow(longest + 2 * n_available, temperature),
        scale=float(np.abs(mdp.reward)[used].max(initial=0.0)),
    )


def _underflow(terms: int, temperature: float) -> float:
    """What sums of so many products may lose to numbers below 2.2e-308."""
    return LEAST * (terms + 8) * max(1.0, temperature)


def _gains(discount: float, least: float, greatest: float, longest: int) -> tuple[float, float]:
    """(gain_low, gain_high) from the least and the greatest probability of going on to a
    non-terminal state; widened by their rounding (rows of `longest` terms).  (0, inf) at discount
    1."""
    if greatest == 0.0:
        return 0.0, 0.0
    if discount == 1.0:
        return 0.0, math.inf
    slop = (longest + 2) * UNIT
    low = discount * max(0.0, least - slop)
    excess = greatest - 1.0 + slop
    remaining = (1.0 - discount) - discount * excess
    if remaining <= 0.0:
        raise ModelError(
            f"discount = {discount!r} is too close to 1 for rows that sum to 1 only within "
            f"{max(excess, 0.0):.1g} (rounding included): values need not be bounded; lower the "
            "discount, or divide each transition row by its sum if that is further off"
        )
    return low / (1.0 - low), discount * (1.0 + excess) / remaining


def longest_stay(
    transition: Transition, nonterminal: Bool[ndarray, " S"], n_available: int
) -> float:
    """An upper bound on the expected number of steps before termination, over all states.

    transition: P_pi between non-terminal states, each entry a sum of up to `n_available` products.
    Certified: w = solve(I - P_pi, 1) is accepted only if (I - P_pi) w >= 1 - delta holds entry by
    entry beyond rounding, and w / (1 - delta) is returned.  inf where termination is not certain or
    cannot be certified.
    """
    ones = nonterminal.astype(float)
    try:
        w = solve_discounted(transition, ones)
    except (RuntimeError, np.linalg.LinAlgError):  # singular
        return math.inf
    if not np.isfinite(w).all() or w.min() < 0.0:
        return math.inf
    terms = longest_row(transition) + n_available + 4
    slop = UNIT * terms * (2.0 * float(w.max(initial=1.0)))
    gap = float((w - transition @ w)[nonterminal].min(initial=1.0)) - slop
    return float(w.max(initial=0.0)) / gap if gap > 0.5 else math.inf


def longest_row(rows: Transition) -> int:
    """The largest number of entries in a row, dense or CSR."""
    if sparse.issparse(rows):
        return int(np.diff(rows.indptr).max(initial=1))
    return int(rows.shape[-1])
