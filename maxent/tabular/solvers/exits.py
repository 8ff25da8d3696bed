r"""A narrower interval where episodes end: the time to a terminal state in place of 1 / (1-gamma).

The interval of `bounds.py` multiplies the rounding of a sweep by gamma / (1-gamma), as if no
episode ever ended; at a discount of 1 - 1e-9 that is a thousand million.  But T is monotone and a
contraction, so any L, U with

    L <= T L  and  T U <= U,  rounding included, hold the fixed point:  L <= V* <= U.

Both are tried at V -+ eps w, where w, the discounted time to a terminal state under the policy
behind T V, solves (I - gamma P_pi) w = 1: there T U is about U - eps + b.  Nothing is trusted
but the two sweeps that check them.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from maxent.support.shapes import Float
from maxent.tabular.linear_systems import is_cheap_to_factorise, solve_discounted
from maxent.tabular.solvers.certified import Certified
from maxent.tabular.solvers.kernels import Kernel

EPS = float(np.finfo(np.float64).eps)
ATTEMPTS = 20
"""How often eps is doubled before the wider interval is kept."""


def narrowed(kernel: Kernel, now: Certified) -> Certified:
    """The interval by the time to a terminal state, or `now` where that is no narrower."""
    mdp, v = kernel.mdp, now.tv
    nonterminal = ~mdp.terminal
    policy_transition = getattr(kernel, "policy_transition", None)  # some only sweep
    if (
        policy_transition is None
        or mdp.is_matrix_free
        or nonterminal.all()
        or not nonterminal.any()
        or not is_cheap_to_factorise(mdp.transition)
    ):
        return now
    b = (kernel.apply(v) - v)[nonterminal]
    try:
        w = solve_discounted(policy_transition(), nonterminal.astype(float))
    except (RuntimeError, np.linalg.LinAlgError):  # singular
        return now
    if not (np.isfinite(w).all() and w.min() >= 0.0):
        return now
    rounding = kernel.bounds.rounding(now.norm)
    above = _checked(kernel, v, w, float(b.max()) + rounding)
    below = _checked(kernel, v, -w, rounding - float(b.min()))
    if above is None or below is None or above + below >= now.width:
        return now
    low, high = float(v.min()), float(v.max())
    return now._replace(
        below=-below, above=above, value_size=max(high - below, -(low + above), 0.0)
    )


def _checked(
    kernel: Kernel, v: Float[ndarray, " S"], direction: Float[ndarray, " S"], size: float
) -> float | None:
    """The least distance from v, over the values eps = 2 size, 4 size, ... tried, at which
    v + eps direction is a bound; None where none is."""
    nonterminal = ~kernel.mdp.terminal
    side = 1.0 if direction.max() > 0.0 else -1.0
    eps = 2.0 * max(size, 0.0)
    for _ in range(ATTEMPTS):
        bound = v + eps * direction
        norm = float(np.abs(bound).max())
        left = side * (bound - kernel.apply(bound))[nonterminal]  # T U <= U, or L <= T L
        if (left >= kernel.bounds.rounding(norm)).all():
            return float(np.abs(bound - v).max()) + 4.0 * EPS * norm
        eps *= 2.0
    return None
