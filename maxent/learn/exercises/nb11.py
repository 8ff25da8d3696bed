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


def _gained(new):
    """A Riccati step with M and K computed, and something else done with them."""

    def wrong(A, B, Q, R, discount, P):
        M = R + discount * B.T @ P @ B
        return new(A, B, Q, R, discount, P, discount * np.linalg.solve(M, B.T @ P @ A))

    return wrong


EXERCISES, QUIZZES = sheet(
    __file__,
    Exercise(
        "11.1",
        riccati,
        given=_problems,
        axes=("row", "column"),
        wrong={
            "gamma left out": lambda A, B, Q, R, gamma, P: riccati(A, B, Q, R, 1.0, P),
            "no feedback": _gained(lambda A, B, Q, R, g, P, K: Q + g * A.T @ P @ A),
            "sign of the feedback": _gained(
                lambda A, B, Q, R, g, P, K: Q + g * A.T @ P @ (A + B @ K)
            ),
            "gamma left out of M": lambda A, B, Q, R, g, P: (
                Q + g * A.T @ P @ (A - B @ (g * np.linalg.solve(R + B.T @ P @ B, B.T @ P @ A)))
            ),
            "cost of the action forgotten": _gained(
                lambda A, B, Q, R, g, P, K: Q + g * (A - B @ K).T @ P @ (A - B @ K)
            ),
            "gamma left out of K": lambda A, B, Q, R, g, P: (
                Q + g * A.T @ P @ (A - B @ np.linalg.solve(R + g * B.T @ P @ B, B.T @ P @ A))
            ),
            "gamma left out of the last line": _gained(
                lambda A, B, Q, R, g, P, K: Q + A.T @ P @ (A - B @ K)
            ),
            "cost of the state forgotten": _gained(
                lambda A, B, Q, R, g, P, K: g * A.T @ P @ (A - B @ K)
            ),
            "cost of the action twice": _gained(
                lambda A, B, Q, R, g, P, K: Q + K.T @ R @ K + g * A.T @ P @ (A - B @ K)
            ),
            "added to the old value": _gained(
                lambda A, B, Q, R, g, P, K: P + Q + g * A.T @ P @ (A - B @ K)
            ),
            "M not inverted": lambda A, B, Q, R, g, P: (
                Q + g * A.T @ P @ (A - B @ (g * (R + g * B.T @ P @ B) @ B.T @ P @ A))
            ),
            "the gain returned": _gained(lambda A, B, Q, R, g, P, K: K),
        },
    ),
    Exercise(
        "11.2",
        covariance,
        given=_policies,
        axes=("row", "column"),
        wrong={
            "the factor two": lambda B, R, g, P, t: 2 * covariance(B, R, g, P, t),
            "not inverted": lambda B, R, g, P, t: t / 2 * (R + g * B.T @ P @ B),
            "the cost of the action alone": lambda B, R, g, P, t: t / 2 * np.linalg.inv(R),
            "standard deviations": lambda B, R, g, P, t: np.sqrt(np.abs(covariance(B, R, g, P, t))),
            "divided by the temperature": lambda B, R, g, P, t: (
                np.linalg.inv(R + g * B.T @ P @ B) / (2 * t)
            ),
            "gamma left out of M": lambda B, R, g, P, t: covariance(B, R, 1.0, P, t),
            "temperature left out": lambda B, R, g, P, t: covariance(B, R, g, P, 1.0),
            "the inverse covariance": lambda B, R, g, P, t: np.linalg.inv(
                covariance(B, R, g, P, t)
            ),
            "inverse of each entry": lambda B, R, g, P, t: t / 2 / (R + g * B.T @ P @ B),
            "off-diagonal left out": lambda B, R, g, P, t: np.diag(
                np.diag(covariance(B, R, g, P, t))
            ),
        },
    ),
    Exercise(
        "11.3",
        cheapest_temperature,
        given=_masses,
        wrong={
            "no root": lambda M: np.linalg.det(M) / (np.pi * np.e),
            "the factor two": lambda M: 2 * np.linalg.det(M) ** (1 / len(M)) / (np.pi * np.e),
            "2 pi e": lambda M: np.linalg.det(M) ** (1 / len(M)) / (2 * np.pi * np.e),
            "a root of order two": lambda M: np.sqrt(np.linalg.det(M)) / (np.pi * np.e),
            "e forgotten": lambda M: np.linalg.det(M) ** (1 / len(M)) / np.pi,
            "a mean of the diagonal": lambda M: np.trace(M) / len(M) / (np.pi * np.e),
            "M as the covariance": lambda M: np.linalg.det(M) ** (-1 / len(M)) / (np.pi * np.e),
            "pi forgotten": lambda M: np.linalg.det(M) ** (1 / len(M)) / np.e,
            "root of the constants too": lambda M: (
                (np.linalg.det(M) / (np.pi * np.e)) ** (1 / len(M))
            ),
        },
    ),
)
