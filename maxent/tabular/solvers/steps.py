"""The one step that tells the solvers apart.

At values V with b = T V - V, the policy behind T V has the value V + (I - gamma P_pi)^{-1} b.
Every solver replaces V by V + d, where d solves (I - gamma P_pi) d = b more or less well:

============  =====================================  ==========================================
`SWEEP`       d = b                                  value iteration, iterative evaluation
`truncated`   b + gamma P b + ... + (gamma P)^m b    modified policy iteration
`relaxed`     Gauss-Seidel sweeps from below         its form for compiled sweeps, temperature 0
`SWEEP_ON`    so many sweeps more                    value iteration, certified less often
`DIRECT`      LU factorisation                       policy iteration = Newton on T V - V = 0
`KRYLOV`      BiCGSTAB to a relative residual        inexact Newton, matrix-free in memory
============  =====================================  ==========================================

None of them is trusted: the solver's loop certifies whatever V comes out.  A kernel offers what it
can: `policy_transition` (gamma P_pi) and `add_policy_product`, or an `evaluate`, `relax` or
`sweep_on` of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse
from scipy.sparse import linalg

from maxent.mdp.transitions import Transition
from maxent.support.shapes import Float
from maxent.tabular.linear_systems import SMALL, is_cheap_to_factorise, solve_discounted
from maxent.tabular.products import AddProduct, adder

LOOK = 5
"""Sweeps of evaluation before the first look at what they still change.  The next is where the rate
so far promises the end, after twice as many sweeps at most."""
SWEEPS = 20
"""Sweeps between one certified interval and the next, for engines that only sweep."""


@dataclass(frozen=True)
class Step:
    """One way to improve values.

    name : how (I - gamma P_pi) d = b is solved.
    method : the name of a solver that takes this step with an optimality operator.
    correct : (kernel, b) -> d, for the policy behind the kernel's last `apply`.
    """

    name: str
    method: str
    correct: Callable[[Any, ndarray], ndarray]

    def __call__(self, kernel: Any, b: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        """d, what to add to V."""
        return self.correct(kernel, b)


@cache
def truncated(sweeps: int, enough: float = 0.0) -> Step:
    """The first `sweeps` + 1 terms of the Neumann series; fewer once the span of a term is down to
    `enough` times that of b: what is left is nearly the same everywhere, which the bounds know."""

    def correct(kernel: Any, b: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        if hasattr(kernel, "evaluate"):
            found: Float[ndarray, " S"] = kernel.evaluate(b, sweeps, enough)
            return found
        return _neumann(kernel.add_policy_product(), b, sweeps, enough)

    return Step("truncated", "modified soft policy iteration", correct)


@cache
def relaxed(pairs: int) -> Step:
    """Gauss-Seidel sweeps from the certified lower bound: all actions in both orders, then so many
    `pairs` of sweeps with the best ones."""
    return Step(
        "relaxed", "Gauss-Seidel policy iteration", lambda kernel, b: kernel.relax(b, pairs)
    )


def usual_sweeps(temperature: float) -> int:
    """How many sweeps of evaluation pay: fewer at the hard maximum, where policies settle early."""
    return 20 if temperature == 0.0 else 100


def exact(transition: Transition) -> Step:
    """`DIRECT` where a factorisation is cheap, else `KRYLOV`.  transition: of the MDP."""
    return DIRECT if is_cheap_to_factorise(transition) else KRYLOV


def thrifty(transition: Transition, accuracy: float) -> Step:
    """As `exact`, but larger sparse systems are factorised only where BiCGSTAB fails.

    transition: of the MDP.  accuracy: the relative residual of BiCGSTAB.
    """
    if not sparse.issparse(transition) or transition.shape[-1] <= SMALL:
        return DIRECT
    cheap = is_cheap_to_factorise(transition)

    def correct(kernel: Any, b: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
        matrix = kernel.policy_transition()
        d = _bicgstab(matrix, b, accuracy)
        if d is not None:
            return d
        return solve_discounted(matrix, b) if cheap else _neumann(adder(matrix), b, 100)

    return Step("krylov", "soft policy iteration", correct)


def _krylov(kernel: Any, b: Float[ndarray, " S"]) -> Float[ndarray, " S"]:
    """BiCGSTAB to a relative residual of min(1e-3, 1 - gamma); where it fails LU, if that is cheap,
    or 100 Neumann terms, which near discount 1 never come to an end."""
    matrix = kernel.policy_transition()
    d = _bicgstab(matrix, b, min(1e-3, max(1.0 - kernel.mdp.discount, 1e-12)))
    if d is not None:
        return d
    cheap = is_cheap_to_factorise(kernel.mdp.transition)
    return solve_discounted(matrix, b) if cheap else _neumann(adder(matrix), b, 100)


def _bicgstab(
    matrix: Transition, b: Float[ndarray, " S"], accuracy: float
) -> Float[ndarray, " S"] | None:
    size = float(np.abs(b).max(initial=0.0))
    if size == 0.0:
        return b
    system = linalg.LinearOperator(matrix.shape, matvec=lambda x: x - matrix @ x, dtype=np.float64)
    with np.errstate(all="ignore"):
        d, failed = linalg.bicgstab(system, b / size, rtol=accuracy, atol=0.0, maxiter=1000)
        left = np.linalg.norm(b / size - (d - matrix @ d))
    if failed or not np.isfinite(d).all() or left > 10 * accuracy * np.linalg.norm(b / size):
        return None
    found: Float[ndarray, " S"] = d * size
    return found


def _neumann(
    add_product: AddProduct, b: Float[ndarray, " S"], sweeps: int, enough: float = 0.0
) -> Float[ndarray, " S"]:
    def sweep(d: ndarray) -> ndarray:
        found = b.copy()
        add_product(d, found)
        return found

    return evaluated(sweep, b, sweeps, enough)


def evaluated(
    sweep: Callable[[ndarray], ndarray], b: Float[ndarray, " S"], sweeps: int, enough: float
) -> Float[ndarray, " S"]:
    """The truncated Neumann series by d -> b + gamma P d, which is given."""
    span = enough and _span(b)
    look, d = LOOK, b
    for count in range(1, sweeps + 1):
        before, d = d, sweep(d)
        if count != look or not span:
            continue
        left = _span(d - before) / span
        if left <= enough:
            break
        promised = math.log(enough) / math.log(left) if left < 1.0 else 2.0
        look = math.ceil(count * min(2.0, promised))
    return d


def _span(x: Float[ndarray, " S"]) -> float:
    return float(np.maximum.reduce(x) - np.minimum.reduce(x))


SWEEP = Step("iterative", "soft value iteration", lambda kernel, b: b)
DIRECT = Step(
    "direct",
    "soft policy iteration",
    lambda kernel, b: solve_discounted(kernel.policy_transition(), b),
)
SWEEP_ON = Step("iterative", "soft value iteration", lambda kernel, b: b + kernel.sweep_on(SWEEPS))
KRYLOV = Step("krylov", "soft policy iteration", _krylov)
BY_NAME = {step.name: step for step in (SWEEP, DIRECT, KRYLOV)}
