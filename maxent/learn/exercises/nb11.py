"""Notebook 11: the maximum-entropy linear-quadratic regulator."""

from __future__ import annotations

from typing import Any

import numpy as np

from maxent.learn.exercise import Exercise, Mistake, Quiz

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


def _problems(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    cases = []
    for n, m in ((1, 1), (3, 2)):
        A, B = 0.6 * rng.normal(size=(n, n)), rng.normal(size=(n, m))
        Q, R, P = _positive(rng, n), _positive(rng, m), _positive(rng, n)
        cases.append((A, B, Q, R, 0.8, P))
    return cases


def _policies(seed: int) -> list[tuple[Any, ...]]:
    return [(B, R, g, P, t) for (_, B, _, R, g, P), t in zip(_problems(seed), (0.3, 0.05))]


def _masses(seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    return [(_positive(rng, size),) for size in (1, 2, 3)]


def _gained(new):
    """A Riccati step with M and K computed, and something else done with them."""

    def wrong(A, B, Q, R, discount, P):
        M = R + discount * B.T @ P @ B
        return new(A, B, Q, R, discount, P, discount * np.linalg.solve(M, B.T @ P @ A))

    return wrong


EXERCISES = (
    Exercise(
        number="11.1",
        title="One sweep of value iteration on a quadratic value",
        answer="my_riccati",
        reference=riccati,
        given=_problems,
        axes=("row", "column"),
        hint="first M, then K, then P: three lines, a discount in each.",
        difficulty=2,
        minutes=15,
        mistakes=(
            Mistake(
                "gamma left out",
                lambda A, B, Q, R, discount, P: riccati(A, B, Q, R, 1.0, P),
                "this is the undiscounted equation: each P on the right is the value of the *next* "
                "state.",
            ),
            Mistake(
                "no feedback",
                _gained(lambda A, B, Q, R, g, P, K: Q + g * A.T @ P @ A),
                "this is the value of never acting: what the action saves is not subtracted.",
            ),
            Mistake(
                "sign of the feedback",
                _gained(lambda A, B, Q, R, g, P, K: Q + g * A.T @ P @ (A + B @ K)),
                "the action is -K s: the closed loop is A - B K.",
            ),
            Mistake(
                "gamma left out of M",
                lambda A, B, Q, R, g, P: (
                    Q + g * A.T @ P @ (A - B @ (g * np.linalg.solve(R + B.T @ P @ B, B.T @ P @ A)))
                ),
                "M = R + gamma B'PB: the discount is missing there.",
            ),
            Mistake(
                "cost of the action forgotten",
                _gained(lambda A, B, Q, R, g, P, K: Q + g * (A - B @ K).T @ P @ (A - B @ K)),
                "the closed loop stands on both sides of P; then K'RK, what the action costs, has "
                "to be added.",
            ),
        ),
    ),
    Exercise(
        number="11.2",
        title="The covariance of the optimal policy",
        answer="my_covariance",
        reference=covariance,
        given=_policies,
        axes=("row", "column"),
        hint="the exponent of a Gaussian is minus one half of a'C^-1 a; that of the Boltzmann "
        "policy is -a'M a / alpha.",
        minutes=10,
        mistakes=(
            Mistake(
                "the factor two",
                lambda B, R, g, P, t: 2 * covariance(B, R, g, P, t),
                "off by the factor 2: a Gaussian has one half in its exponent.",
            ),
            Mistake(
                "not inverted",
                lambda B, R, g, P, t: t / 2 * (R + g * B.T @ P @ B),
                "this is M itself: where Q falls off steeply the policy is narrow, not wide.",
            ),
            Mistake(
                "the cost of the action alone",
                lambda B, R, g, P, t: t / 2 * np.linalg.inv(R),
                "this uses R in place of M: an action costs itself and what it leads to.",
            ),
            Mistake(
                "standard deviations",
                lambda B, R, g, P, t: np.sqrt(np.abs(covariance(B, R, g, P, t))),
                "a root was taken: the covariance is wanted.",
            ),
            Mistake(
                "divided by the temperature",
                lambda B, R, g, P, t: np.linalg.inv(R + g * B.T @ P @ B) / (2 * t),
                "the temperature divides, so that hotter agents would be surer; it multiplies.",
            ),
        ),
    ),
    Exercise(
        number="11.3",
        title="The temperature of the smallest value",
        answer="my_cheapest_temperature",
        reference=cheapest_temperature,
        given=_masses,
        hint="dV/d alpha is the discounted entropy; where is the entropy of N(0, alpha/2 M^-1) "
        "zero?",
        difficulty=3,
        minutes=15,
        mistakes=(
            Mistake(
                "no root",
                lambda M: np.linalg.det(M) / (np.pi * np.e),
                "right for one action; for m of them det((alpha/2) M^-1) has the factor alpha^m: "
                "take a root of order m.",
            ),
            Mistake(
                "the factor two",
                lambda M: 2 * np.linalg.det(M) ** (1 / len(M)) / (np.pi * np.e),
                "off by the factor 2: the covariance is alpha/2 times the inverse of M.",
            ),
            Mistake(
                "2 pi e",
                lambda M: np.linalg.det(M) ** (1 / len(M)) / (2 * np.pi * np.e),
                "off by the factor 1/2: in 2 pi e alpha/2 the twos cancel.",
            ),
            Mistake(
                "a root of order two",
                lambda M: np.sqrt(np.linalg.det(M)) / (np.pi * np.e),
                "right for two actions only: the root is of order m.",
            ),
            Mistake(
                "e forgotten",
                lambda M: np.linalg.det(M) ** (1 / len(M)) / np.pi,
                "this is where the constant c of V stops falling for another reason: the factor of "
                "alpha is zero there, not the slope. Set the entropy to zero.",
            ),
        ),
    ),
)

QUIZZES = (
    Quiz(
        number="11.a",
        question="On a gridworld V* never falls when the temperature rises. Why may it fall here?",
        choices={
            "a": "because the state is noisy",
            "b": "because the entropy of a density can be negative, so that it is a cost",
            "c": "because the mean of the policy moves",
            "d": "because of rounding",
        },
        right="b",
        why={
            "a": "Noise lowers V by a constant that has no temperature in it.",
            "b": "A distribution over finitely many actions has an entropy of at least 0; that of "
            "a density narrower than an interval of length 1 is negative.",
            "c": "It does not move: the gain is the same at every temperature.",
            "d": "The numbers differ in the first digit.",
        },
    ),
)
