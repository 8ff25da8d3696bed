"""Small pieces of linear algebra: quadratic forms, square roots, checked equations.

Matrices are float64; X' is the transpose.  Whatever is not what it must be is a ModelError.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import linalg

from maxent.errors import ConfigError, ModelError
from maxent.mdp import validation
from maxent.support.shapes import Float

ASYMMETRY = 1e-10
"""Relative asymmetry, or negative eigenvalue, of a given matrix that passes for rounding."""

RESIDUAL = 1e-9
"""Relative residual of an equation above which its solution is refused."""


def quadratic(X: Float[ndarray, "n n"], x: Float[ndarray, "*N n"]) -> Float[ndarray, "*N"]:
    """x'X x for each vector, (..., n) -> (...)."""
    found: Float[ndarray, "*N"] = ((x @ X) * x).sum(axis=-1)
    return found


def spectral_radius(X: Float[ndarray, "n n"]) -> float:
    """The largest absolute value of an eigenvalue."""
    return float(np.abs(np.linalg.eigvals(X)).max())


def gaussian_entropy(covariance: Float[ndarray, "m m"]) -> float:
    """(1/2) log det(2 pi e C), in nats; -inf for a singular C."""
    sign, log_det = np.linalg.slogdet(2.0 * math.pi * math.e * covariance)
    return 0.5 * float(log_det) if sign > 0.0 else -math.inf


def square_root(covariance: Float[ndarray, "n n"]) -> Float[ndarray, "n n"]:
    """A matrix L with L L' = C, for a C that may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    found: Float[ndarray, "n n"] = vectors * np.sqrt(np.maximum(values, 0.0))
    return found


def symmetric(name: str, value: Any, size: int, definite: bool = False) -> ndarray:
    """A symmetric positive (semi-)definite matrix, exactly symmetric; else ModelError."""
    array = matrix(name, value, (size, size))
    scale = float(np.abs(array).max(initial=0.0))
    with np.errstate(over="ignore"):
        off = float(np.abs(array - array.T).max(initial=0.0))
    if off > ASYMMETRY * scale:
        raise ModelError(f"{name} is not symmetric (off by {off:.3g}); give (X + X') / 2")
    array = 0.5 * array + 0.5 * array.T
    least = float(np.linalg.eigvalsh(array).min(initial=math.inf))
    if definite and not least > ASYMMETRY**2 * scale:
        raise ModelError(f"{name} has the eigenvalue {least:.6g}; it must be positive definite")
    if not least >= -ASYMMETRY * scale:
        raise ModelError(f"{name} has the eigenvalue {least:.6g}; it must have none below 0")
    return array


def matrix(name: str, value: Any, shape: tuple[int, ...]) -> ndarray:
    """A finite float64 array of the given shape, not empty; else ModelError."""
    if 0 in shape:
        raise ModelError(f"{name} would have shape {shape}; it must not be empty")
    array = validation.array_of_shape(name, value, shape)
    if not np.isfinite(array).all():
        raise ModelError(f"{name} has an entry that is not finite")
    return array


def vectors(name: str, value: Any, size: int) -> Float[ndarray, "*N n"]:
    """A float64 array (..., size) of numbers; else ModelError."""
    wanted = f"its last axis must be {size}"
    return validation.real_array(
        name, value, copy=False, fits=lambda shape: shape[-1:] == (size,), wanted=wanted
    )


def rank_gap(X: ndarray) -> float:
    """The n-th singular value, n the shorter side: 0 where the rank is less than n."""
    return float(np.linalg.svd(X, compute_uv=False).min())


def cholesky(covariance: Float[ndarray, "m m"]) -> Float[ndarray, "m m"]:
    """Lower-triangular L with L L' = C; ConfigError where C is singular."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise ConfigError(
            "the policy has no density: its covariance is singular (temperature 0?)"
        ) from None


def lyapunov(
    F: Float[ndarray, "n n"], constant: Float[ndarray, "n n"], what: str
) -> tuple[Float[ndarray, "n n"], float]:
    """X = F X F' + constant, and its relative residual; `what` names the equation in errors."""
    X = linalg.solve_discrete_lyapunov(F, constant)
    X = 0.5 * (X + X.T)
    return X, checked_residual(F @ X @ F.T + constant, X, what)


def checked_residual(again: ndarray, X: ndarray, what: str) -> float:
    """max |again - X| / max |X|, where X should equal `again`; ModelError above `RESIDUAL`."""
    size = max(float(np.abs(X).max()), np.finfo(float).tiny)
    residual = float(np.abs(again - X).max()) / size
    if not residual <= RESIDUAL:
        raise ModelError(
            f"the equation of the {what} is solved only to {residual:.3g} of its size (limit "
            f"{RESIDUAL:g}): the problem is too near to one without a stable solution"
        )
    return residual
