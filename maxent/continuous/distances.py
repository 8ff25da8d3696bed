"""How far a learned answer is from the exact one of a linear-quadratic problem.

Gain and covariance by the relative Frobenius error, V by its root-mean-square error over its
standard deviation, both under the exact stationary law of the state.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.continuous.lqr import LinearQuadraticSolution
from maxent.continuous.matrices import matrix
from maxent.support.shapes import Float


def frobenius_error(estimate: Any, exact: Float[ndarray, "m n"]) -> float:
    """||estimate - exact|| / ||exact|| in the Frobenius norm: of a gain, or of a covariance."""
    found = matrix("estimate", estimate, exact.shape)
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def fitted_gain(
    states: Float[ndarray, "N n"], means: Float[ndarray, "N m"]
) -> Float[ndarray, "m n"]:
    """The K of the least-squares fit means = -K s, of any policy's mean actions in these states."""
    found: Float[ndarray, "m n"] = -np.linalg.lstsq(states, means, rcond=None)[0].T
    return found


def value_error(
    v: Float[ndarray, " N"], states: Float[ndarray, "N n"], solution: LinearQuadraticSolution
) -> float:
    """sqrt(mean (v - V)^2) over the given states, in units of the standard deviation of V.

    The deviation is exact, under the solution's stationary law N(0, S): sqrt(2 tr((P S)^2)).
    Draw the states with `solution.stationary_states`.
    """
    product = solution.P @ solution.stationary_covariance()
    deviation = math.sqrt(2.0 * float((product * product.T).sum()))
    return float(np.sqrt(np.mean((v - solution.v(states)) ** 2))) / deviation
