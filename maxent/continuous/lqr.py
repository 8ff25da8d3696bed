r"""The maximum-entropy linear-quadratic regulator: a continuous problem with a closed form.

    s' = A s + B a + w,  w ~ N(0, W),   r(s,a) = -(s'Q s + a'R a),   discount gamma < 1,

states in R^n, actions in R^m without bounds; X' is the transpose.  With the entropy of the policy
weighted by the temperature alpha:

- LQR-1: P = Q + gamma A'PA - gamma^2 A'PB M^{-1} B'PA, M = R + gamma B'PB, K = gamma M^{-1} B'PA,
  the stabilising solution of the Riccati equation of (sqrt(gamma) A, sqrt(gamma) B, Q, R);
- LQR-2: pi*(a|s) = N(-K s, (alpha / 2) M^{-1}): the mean is the classical controller, the
  temperature sets only the covariance;
- LQR-3: V*(s) = -s'P s + c, c = (-gamma tr(PW) + alpha ((m/2) log(pi alpha) - (1/2) log det M))
  / (1 - gamma).

So everything a neural method learns has a true value here: V*, Q*, the gain and the covariance,
not only a return.  The partition sum is over an unbounded space, so this is no instance of SQL-T3.

Derivation: Levine (2018), Sec. 3; the Riccati equation: Anderson, Moore (1990), Ch. 2.  Units:
values are discounted sums of reward, entropies in nats, densities in the units of the actions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import linalg

from maxent.continuous.linear_quadratic import LinearQuadratic, coupled_masses, scalar
from maxent.continuous.matrices import (
    checked_residual,
    cholesky,
    gaussian_entropy,
    lyapunov,
    matrix,
    quadratic,
    spectral_radius,
    square_root,
    symmetric,
)
from maxent.errors import ModelError
from maxent.support.arguments import require_count, require_kind, require_temperature
from maxent.support.arrays import ReadOnly
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float

__all__ = [
    "LinearQuadratic", "LinearQuadraticSolution", "coupled_masses", "evaluate_linear_policy",
    "riccati_step", "scalar", "solve_lqr",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class LinearQuadraticSolution(ReadOnly):
    """The value of a linear-Gaussian policy pi(a|s) = N(-K s, covariance): of pi* or another one.

    problem, temperature : what was solved.
    P : (n, n), constant : V(s) = -s'P s + constant.
    gain : K (m, n).  covariance : (m, m), of the action in each state; zero at temperature 0.
    residual : of the equation for P, relative to P.
    """

    problem: LinearQuadratic
    temperature: float
    P: ndarray
    gain: ndarray
    covariance: ndarray
    constant: float
    residual: float

    @property
    def M(self) -> Float[ndarray, "m m"]:
        """R + gamma B'PB: minus half the curvature of Q(s, a) in the action."""
        found: Float[ndarray, "m m"] = (
            self.problem.R + self.problem.discount * self.problem.B.T @ self.P @ self.problem.B
        )
        return found

    @property
    def closed_loop(self) -> Float[ndarray, "n n"]:
        """A - B K: the mean of the next state under the policy."""
        found: Float[ndarray, "n n"] = self.problem.A - self.problem.B @ self.gain
        return found

    @property
    def entropy(self) -> float:
        """Of the action, the same in every state: (1/2) log det(2 pi e covariance), in nats."""
        return gaussian_entropy(self.covariance)

    @property
    def objective(self) -> float:
        """J = E[V(s_0)] under the initial law."""
        start = self.problem.initial_mean
        spread = float((self.P * self.problem.initial_covariance).sum())
        return self.constant - spread - float(quadratic(self.P, start))

    def v(self, states: Float[ndarray, "*N n"]) -> Float[ndarray, "*N"]:
        """V(s) = -s'P s + constant, (..., n) -> (...).  LQR-3."""
        return self.constant - quadratic(self.P, self.problem.read_states(states))

    def q(
        self, states: Float[ndarray, "*N n"], actions: Float[ndarray, "*N m"]
    ) -> Float[ndarray, "*N"]:
        """Q(s, a) = r(s, a) + gamma E[V(s')], (..., n) and (..., m) -> (...)."""
        problem = self.problem
        mean = problem.expected_next(states, actions)
        noise = float((self.P * problem.W).sum())
        return problem.reward(states, actions) + problem.discount * (self.v(mean) - noise)

    def log_density(
        self, states: Float[ndarray, "*N n"], actions: Float[ndarray, "*N m"]
    ) -> Float[ndarray, "*N"]:
        """log pi(a|s), in the units of the actions; ConfigError for a policy without a density."""
        factor = cholesky(self.covariance)
        states, actions = self.problem.read_states(states), self.problem.read_actions(actions)
        whitened = linalg.solve_triangular(
            factor, (actions + states @ self.gain.T).reshape(-1, len(factor)).T, lower=True
        )
        log_normaliser = np.log(np.diag(factor)).sum() + 0.5 * len(factor) * math.log(2 * math.pi)
        found: Float[ndarray, "*N"] = (-0.5 * (whitened**2).sum(axis=0) - log_normaliser).reshape(
            states.shape[:-1]
        )
        return found

    def sample(
        self, states: Float[ndarray, "*N n"], rng: np.random.Generator
    ) -> Float[ndarray, "*N m"]:
        """An action for each state, (..., n) -> (..., m)."""
        require_kind("rng", rng, np.random.Generator)
        states = self.problem.read_states(states)
        noise = rng.standard_normal((*states.shape[:-1], self.problem.n_actions))
        found: Float[ndarray, "*N m"] = (
            -states @ self.gain.T + noise @ square_root(self.covariance).T
        )
        return found

    def stationary_covariance(self) -> Float[ndarray, "n n"]:
        """S = (A - BK) S (A - BK)' + B covariance B' + W: where the state N(0, S) settles.

        Raises ModelError where the closed loop is not stable (which a discount can hide).
        """
        F, problem = self.closed_loop, self.problem
        if not (radius := spectral_radius(F)) < 1.0:
            raise ModelError(
                f"A - B K has the spectral radius {radius:.6g}: the state settles in no law; "
                "a stationary state needs less than 1"
            )
        noise = problem.B @ self.covariance @ problem.B.T + problem.W
        return lyapunov(F, noise, "stationary law")[0]

    def stationary_states(self, count: int, rng: np.random.Generator) -> Float[ndarray, "N n"]:
        """`count` independent states from the stationary law."""
        require_kind("rng", rng, np.random.Generator)
        count = require_count("count", count)
        root = square_root(self.stationary_covariance())
        found: Float[ndarray, "N n"] = rng.standard_normal((count, len(root))) @ root.T
        return found


@takes_our_words
def solve_lqr(problem: LinearQuadratic, temperature: float) -> LinearQuadraticSolution:
    """The optimal maximum-entropy policy and value in closed form: LQR-1, LQR-2, LQR-3.

    At temperature 0 the policy is the classical controller, without noise.  Raises ConfigError
    (temperature) or ModelError where the Riccati equation cannot be solved to 1e-9 of its size.

    problem: a `LinearQuadratic`.  temperature: alpha, in reward units per nat.

    >>> import maxent
    >>> from maxent.continuous.lqr import scalar
    >>> solution = maxent.solve_lqr(scalar(), temperature=0.2)
    >>> float(solution.gain[0, 0].round(4)), float(solution.P[0, 0].round(4))
    (0.7809, 1.7028)
    """
    temperature = require_temperature(temperature)
    require_kind("problem", problem, LinearQuadratic)
    scaled_a, scaled_b = problem.scaled
    try:
        P = linalg.solve_discrete_are(scaled_a, scaled_b, problem.Q, problem.R)
    except (np.linalg.LinAlgError, ValueError) as error:
        raise ModelError(f"the Riccati equation has no stabilising solution: {error}") from error
    P = 0.5 * (P + P.T)
    again, gain, M = riccati_step(problem, P)
    residual = checked_residual(again, P, "Riccati equation")
    inverse = linalg.inv(M)
    covariance = 0.25 * temperature * (inverse + inverse.T)
    constant = _constant_of_optimum(problem, temperature, P, M)
    return LinearQuadraticSolution(problem, temperature, P, gain, covariance, constant, residual)


def evaluate_linear_policy(
    problem: LinearQuadratic, gain: Any, covariance: Any, temperature: float
) -> LinearQuadraticSolution:
    """The soft value of the policy N(-K s, covariance), exactly (SAC-L1 for this problem).

    P = Q + K'RK + gamma F'PF with F = A - B K, and constant = (alpha H - tr(R C)
    - gamma tr(P (B C B' + W))) / (1 - gamma) with C the covariance and H its entropy.

    gain: K (m, n).  covariance: (m, m), positive definite unless the temperature is 0.  Raises
    ModelError where gamma^(1/2) (A - B K) is not stable: the value is then -inf.
    """
    temperature = require_temperature(temperature)
    gamma, m = problem.discount, problem.n_actions
    K = matrix("gain", gain, (m, problem.n_states))
    C = symmetric("covariance", covariance, m, definite=temperature > 0.0)
    F = problem.A - problem.B @ K
    radius = math.sqrt(gamma) * spectral_radius(F)
    if not radius < 1.0:
        raise ModelError(
            f"sqrt(discount) (A - B gain) has the spectral radius {radius:.6g}: the value of this "
            "policy is -inf; it must be below 1"
        )
    cost = problem.Q + K.T @ problem.R @ K
    P, residual = lyapunov(math.sqrt(gamma) * F.T, cost, "policy's value")
    spread = float((problem.R * C).sum())
    spread += gamma * float((P * (problem.B @ C @ problem.B.T + problem.W)).sum())
    bonus = temperature * gaussian_entropy(C) if temperature > 0.0 else 0.0
    constant = (bonus - spread) / (1.0 - gamma)
    return LinearQuadraticSolution(problem, temperature, P, K, C, constant, residual)


def riccati_step(
    problem: LinearQuadratic, P: Float[ndarray, "n n"]
) -> tuple[Float[ndarray, "n n"], Float[ndarray, "m n"], Float[ndarray, "m m"]]:
    """One sweep of dynamic programming on V = -s'P s: the new P, its gain K, and M.  LQR-1."""
    gamma, A, B = problem.discount, problem.A, problem.B
    M = problem.R + gamma * B.T @ P @ B
    K = gamma * linalg.solve(M, B.T @ P @ A, assume_a="pos")
    new = problem.Q + gamma * A.T @ P @ (A - B @ K)
    return 0.5 * (new + new.T), K, M


def _constant_of_optimum(
    problem: LinearQuadratic, temperature: float, P: ndarray, M: ndarray
) -> float:
    """c of LQR-3."""
    noise = problem.discount * float((P * problem.W).sum())
    bonus = 0.0
    if temperature > 0.0:
        log_volume = 0.5 * problem.n_actions * math.log(math.pi * temperature)
        bonus = temperature * (log_volume - 0.5 * float(np.linalg.slogdet(M)[1]))
    return (bonus - noise) / (1.0 - problem.discount)
