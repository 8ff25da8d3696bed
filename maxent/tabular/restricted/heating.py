"""The soft-max of a given entropy: how far from uniform it is, and the temperature it takes."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
from numpy import ndarray

from maxent.support.shapes import Bool, Float
from maxent.tabular.bounds import UNIT


def entropy_accuracy(n_actions: int) -> float:
    """To how many nats the entropy of a soft-max over n actions is computed."""
    return UNIT * (8 * n_actions + 64) * (1.0 + math.log(n_actions))


def log_remainders(counts: ndarray) -> ndarray:
    """log n - (float64 nearest to it) for each n: the digits of log n that float64 leaves out."""
    values, where = np.unique(counts, return_inverse=True)
    with localcontext(prec=50):
        rest = [float(Decimal(int(n)).ln() - Decimal(math.log(n))) for n in values]
    return np.array(rest)[where]


def from_uniform(
    exponents: Float[ndarray, "N A"], available: Bool[ndarray, "N A"]
) -> tuple[ndarray, ndarray]:
    """D = log n - H(p) of p = soft-max(x), x in [-b, 0], (N,), with Var_p[x].

    D = E_p[x] - log mean exp(x), the last by expm1 and log1p where x is small: D, of the order of
    b^2, is off by no more than min(b, 1) `entropy_accuracy`.
    """
    weights = np.exp(exponents)
    total = weights.sum(axis=1)
    policy = weights / total[:, None]
    finite = np.where(policy > 0.0, exponents, 0.0)
    mean = (policy * finite).sum(axis=1)
    variance = (policy * (finite - mean[:, None]) ** 2).sum(axis=1)
    count = available.sum(axis=1)
    rises = np.where(available, np.expm1(exponents), 0.0).sum(axis=1) / count
    near = np.log1p(np.maximum(rises, -0.9))
    log_mean = np.where(rises > -0.5, near, np.log(total) - np.log(count))
    return mean - log_mean, variance


def heated(
    scores: Float[ndarray, "N A"],
    temperature: float,
    room: Float[ndarray, " N"],
    available: Bool[ndarray, "N A"],
) -> Float[ndarray, "N A"]:
    """log soft-max(scores / alpha') with the alpha' > alpha whose entropy is log n - room.

    With the scores scaled to [-1, 0] and b = span / alpha', D = log n - H rises in b, and D <=
    b^2 / 8 since a variance on an interval of length 1 is at most 1/4: that is the lower end.  The
    upper is alpha itself, or where all but the tied best have weight exp(-800).  Between them
    Newton's method in log b, kept in the bracket, with a bisection every third step.
    """
    below = scores - scores.max(axis=1, keepdims=True)
    span = -np.where(np.isfinite(below), below, 0.0).min(axis=1)
    scaled = below / span[:, None]
    nearest = np.maximum(-np.where(scaled < 0.0, scaled, -np.inf).max(axis=1), 1e-300)
    low, high = 0.5 * np.log(8.0 * room), np.log(800.0 / nearest)
    if temperature > 0.0:
        high = np.minimum(high, np.log(span) - math.log(temperature))
    low = np.minimum(low, high)
    accuracy = 0.25 * entropy_accuracy(scores.shape[1])
    z = 0.5 * (low + high)
    for step in range(200):
        b = np.exp(z)
        exponents = scaled * b[:, None]
        distance, variance = from_uniform(exponents, available)
        excess = room - distance
        found = np.abs(excess) <= accuracy * np.minimum(b, 1.0)
        if found.all():
            break
        low, high = np.where(excess >= 0.0, z, low), np.where(excess < 0.0, z, high)
        middle = 0.5 * (low + high)
        with np.errstate(all="ignore"):  # where the variance underflows, bisect
            newton = z + excess / variance
        good = (newton > low) & (newton < high) & (step % 3 != 2)
        z = np.where(found, z, np.where(good, newton, middle))
    result: Float[ndarray, "N A"] = exponents - np.log(np.exp(exponents).sum(axis=1, keepdims=True))
    return result
