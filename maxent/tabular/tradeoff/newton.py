"""One point of the trade-off by Newton's method, to rounding."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from maxent.support.shapes import Float
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.kernels import SoftKernel
from maxent.tabular.solvers.loop import Options, iterate

INNER, POLISH = 1e-3, 1e-5
"""Relative residuals of the linear systems: on the way, and once an answer is certified."""
ROUNDS = 4
"""Newton steps after that, at most, until rounding is all that is left."""


def newton(
    kernel: SoftKernel, start: Float[ndarray, " S"] | None
) -> tuple[Float[ndarray, " S"], int]:
    """The fixed point of a soft operator, and how many steps it took."""
    transition = kernel.mdp.transition
    inner = min(INNER, 1.0 - kernel.mdp.discount)
    outcome = iterate(kernel, steps.thrifty(transition, inner), Options(), start=start)
    if outcome.status == "interrupted":
        raise KeyboardInterrupt
    w, _ = outcome.certified.midpoint()
    step, before = steps.thrifty(transition, POLISH), np.inf
    for _ in range(ROUNDS):
        b = kernel.apply(w) - w
        now = float(np.abs(b).max(initial=0.0))
        if now > 0.1 * before:
            break
        w, before = w + step(kernel, b), now
    return w, outcome.iterations
