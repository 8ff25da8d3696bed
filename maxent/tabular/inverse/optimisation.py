"""The dual of a reward recovery, minimised: where to begin, and how to the last digit."""

from __future__ import annotations

import numpy as np
from numpy import ndarray
from scipy import optimize
from scipy.sparse import linalg as sparse_linalg

from maxent.errors import ConfigError
from maxent.support.shapes import Float
from maxent.tabular.inverse.dual import Dual


def finite_start(dual: Dual) -> Float[ndarray, " K"]:
    """Weights under which values are finite at discount 1: each step costs about what its entropy
    can earn, and more.  ConfigError where the features cannot say so."""
    cost = np.full(dual.design.shape[0], -np.log(dual.mdp.n_actions) - 0.1)
    for _ in range(12):
        weights: Float[ndarray, " K"] = sparse_linalg.lsqr(
            dual.design, cost, atol=1e-12, btol=1e-12
        )[0]
        if np.isfinite(dual.value_and_gradient(weights)[0]):
            return weights
        cost = 2.0 * cost
    raise ConfigError(
        "discount = 1: no reward was found with these features whose value is finite; give a "
        "feature that makes each step cost something (a column of ones), or use a discount below 1"
    )


def minimise(
    dual: Dual, start: Float[ndarray, " K"], goal: float, max_iterations: int
) -> tuple[Float[ndarray, " K"], int]:
    """Weights at which no entry of the gradient is above `goal`, or the best that were found, and
    the number of iterations.

    By values first, in a trust region.  The last digits are beyond them (a gradient g lowers them
    by g^2 only), so that steps of Newton's method follow, as long as each halves the gradient.
    """
    if slope(dual, start) <= goal:
        return start, 0
    found = optimize.minimize(
        dual.value_and_gradient,
        start,
        jac=True,
        hessp=dual.curvature,
        method="trust-ncg",
        options={"maxiter": max_iterations, "gtol": goal},
    )
    weights, iterations, steepness = found.x, int(found.nit), slope(dual, found.x)
    while steepness > goal and iterations < max_iterations:
        tried = weights - _newton_step(dual, weights)
        iterations, reached = iterations + 1, slope(dual, tried)
        if not reached <= 0.5 * steepness:
            break
        weights, steepness = tried, reached
    return weights, iterations


def _newton_step(dual: Dual, weights: Float[ndarray, " K"]) -> Float[ndarray, " K"]:
    size = len(weights)
    hessian = sparse_linalg.LinearOperator(
        (size, size), matvec=lambda p: dual.curvature(weights, np.ravel(p)), dtype=float
    )
    gradient = dual.value_and_gradient(weights)[1]
    step: Float[ndarray, " K"]
    step, _ = sparse_linalg.cg(hessian, gradient, rtol=1e-6, maxiter=2 * size)
    return step


def slope(dual: Dual, weights: Float[ndarray, " K"]) -> float:
    """The largest entry of the gradient."""
    return float(np.abs(dual.value_and_gradient(weights)[1]).max(initial=0.0))
