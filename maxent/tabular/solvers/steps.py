"""The one step that tells the solvers apart.

At values V with b = T V - V, the policy behind T V has the value V + (I - gamma P_pi)^{-1} b.
Every solver replaces V by V + d, where d solves (I - gamma P_pi) d = b more or less well:

==========  =====================================  ==========================================
`sweep`     d = b                                  value iteration, iterative evaluation
`neumann`   b + gamma P b + ... + (gamma P)^m b    modified policy iteration
`direct`    LU factorisation                       policy iteration = Newton on T V - V = 0
`krylov`    BiCGSTAB to a relative residual        inexact Newton, matrix-free in memory
==========  =====================================  ==========================================

None of them is trusted: the solver's loop certifies whatever V comes out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.sparse import linalg

from maxent.tabular.bounds import solve_discounted
from maxent.tabular.solvers.kernels import Kernel

Correction = Callable[[Kernel, ndarray], ndarray]


def sweep(kernel: Kernel, b: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
    """d = b."""
    return b


def neumann(sweeps: int) -> Correction:
    """The sum of the first `sweeps` + 1 terms of the Neumann series."""

    def correct(kernel: Kernel, b: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        matrix = kernel.policy_transition()
        d = b
        for _ in range(sweeps):
            d = b + matrix @ d
        return d

    return correct


def direct(kernel: Kernel, b: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
    """The exact solution by LU."""
    return solve_discounted(kernel.policy_transition(), b)


def krylov(kernel: Kernel, b: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
    """BiCGSTAB to a relative residual of min(1e-3, 1 - gamma), or 100 Neumann terms if it fails."""
    matrix = kernel.policy_transition()
    size = float(np.abs(b).max(initial=0.0))
    if size == 0.0:
        return b
    system = linalg.LinearOperator(matrix.shape, matvec=lambda x: x - matrix @ x, dtype=np.float64)
    accuracy = min(1e-3, max(1.0 - kernel.mdp.discount, 1e-12))
    with np.errstate(all="ignore"):
        d, failed = linalg.bicgstab(system, b / size, rtol=accuracy, atol=0.0, maxiter=1000)
        left = np.linalg.norm(b / size - (d - matrix @ d))
    if failed or not np.isfinite(d).all() or left > 10 * accuracy * np.linalg.norm(b / size):
        return neumann(100)(kernel, b)
    return d * size


def usual_sweeps(temperature: float) -> int:
    """How many sweeps of evaluation pay: fewer at the hard maximum, where policies settle early."""
    return 20 if temperature == 0.0 else 100
