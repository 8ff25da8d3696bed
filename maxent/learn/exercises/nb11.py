"""Notebook 11: the maximum-entropy linear-quadratic regulator."""

from __future__ import annotations

import numpy as np

from maxent.learn.exercise import Exercise, sheet

NOTEBOOK = "11-maximum-entropy-lqr"


def riccati(A, B, Q, R, discount, P):
    M = R + discount * B.T @ P @ B
    K = discount * np.linalg.solve(M, B.T @ P @ A)
    return Q + discount * A.T @ P @ (A - B @ K)


def covariance(B, R, discount, P, temperature):
    M = R + discount * B.T @ P @ B
    return temperature / 2 * np.linalg.inv(M)


def cheapest_temperature(M):
    m = len(M)
    return np.linalg.det(M) ** (1 / m) / (np.pi * np.e)


def _positive(rng, size):
    half = rng.normal(size=(size, size))
    return half @ half.T + np.eye(size)


def _problems(seed):
    rng = np.random.default_rng(seed)
    for n, m in ((1, 1), (3, 2)):
        A, B = 0.6 * rng.normal(size=(n, n)) + np.eye(n), rng.normal(size=(n, m))
        Q, R, P = _positive(rng, n), _positive(rng, m), _positive(rng, n)
        yield A, B, Q, R, 0.8, P


def _policies(seed):
    return [(B, R, g, P, t) for (_, B, _, R, g, P), t in zip(_problems(seed), (0.3, 0.05))]


def _masses(seed):
    rng = np.random.default_rng(seed)
    return [(_positive(rng, size),) for size in (1, 2, 3)]


def wrong_riccati(A, B, Q, R, g, P):
    M, BPA = R + g * B.T @ P @ B, B.T @ P @ A
    K = g * np.linalg.solve(M, BPA)

    def cost(K, Q=Q, g=g):
        return Q + g * A.T @ P @ (A - B @ K)

    return {
        "gamma left out": riccati(A, B, Q, R, 1.0, P),
        "no feedback": cost(0.0 * K),
        "sign of the feedback": cost(-K),
        "gamma left out of M": cost(g * np.linalg.solve(R + B.T @ P @ B, BPA)),
        "cost of the action forgotten": Q + g * (A - B @ K).T @ P @ (A - B @ K),
        "gamma left out of K": cost(np.linalg.solve(M, BPA)),
        "gamma left out of the last line": cost(K, g=1.0),
        "cost of the state forgotten": cost(K, Q=0.0),
        "cost of the action twice": cost(K, Q=Q + K.T @ R @ K),
        "added to the old value": cost(K, Q=P + Q),
        "M not inverted": cost(g * M @ BPA),
        "the gain returned": K,
    }


def wrong_covariance(B, R, g, P, t):
    M, right = R + g * B.T @ P @ B, covariance(B, R, g, P, t)
    return {
        "the factor two": 2 * right,
        "not inverted": t / 2 * M,
        "the cost of the action alone": t / 2 * np.linalg.inv(R),
        "standard deviations": np.sqrt(np.abs(right)),
        "divided by the temperature": np.linalg.inv(M) / (2 * t),
        "gamma left out of M": covariance(B, R, 1.0, P, t),
        "temperature left out": covariance(B, R, g, P, 1.0),
        "the inverse covariance": np.linalg.inv(right),
        "inverse of each entry": t / 2 / M,
        "off-diagonal left out": np.diag(np.diag(right)),
    }


def wrong_cheapest_temperature(M):
    m, det, area = len(M), np.linalg.det(M), np.pi * np.e
    return {
        "no root": det / area,
        "the factor two": 2 * det ** (1 / m) / area,
        "2 pi e": det ** (1 / m) / (2 * np.pi * np.e),
        "a root of order two": np.sqrt(det) / area,
        "e forgotten": det ** (1 / m) / np.pi,
        "a mean of the diagonal": np.trace(M) / m / area,
        "M as the covariance": det ** (-1 / m) / area,
        "pi forgotten": det ** (1 / m) / np.e,
        "root of the constants too": (det / area) ** (1 / m),
    }


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise("11.1", riccati, given=_problems, axes=("row", "column"), wrong=wrong_riccati),
    Exercise("11.2", covariance, given=_policies, axes=("row", "column"), wrong=wrong_covariance),
    Exercise("11.3", cheapest_temperature, given=_masses, wrong=wrong_cheapest_temperature),
)
