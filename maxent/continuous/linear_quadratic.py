"""Linear-quadratic problems, which `maxent.continuous.lqr` solves, and two documented ones.

    s' = A s + B a + w,  w ~ N(0, W),   r(s,a) = -(s'Q s + a'R a),   discount gamma < 1,

states in R^n, actions in R^m without bounds; X' is the transpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.continuous.matrices import ASYMMETRY, matrix, quadratic, rank_gap, symmetric, vectors
from maxent.errors import ConfigError, ModelError
from maxent.mdp import validation
from maxent.support.arguments import require_discount
from maxent.support.arrays import ReadOnly, read_only
from maxent.support.memory import require_memory
from maxent.support.shapes import Float


@dataclass(frozen=True, eq=False, init=False)
class LinearQuadratic(ReadOnly):
    """A validated, immutable linear-quadratic problem (module docstring).

    A (n, n), B (n, m), Q (n, n) positive semi-definite, R (m, m) positive definite, W (n, n)
    positive semi-definite, discount in [0, 1).  The first state is N(initial_mean (n,),
    initial_covariance (n, n)); left out: N(0, I).

    Raises ModelError (matrices; (sqrt(gamma) A, sqrt(gamma) B) not stabilisable, or
    (sqrt(gamma) A, Q) not detectable) or ConfigError (discount).

    >>> import maxent
    >>> problem = maxent.LinearQuadratic(
    ...     A=[[0.9]], B=[[0.5]], Q=[[1.0]], R=[[0.5]], W=[[0.1]], discount=0.9
    ... )
    >>> problem.n_states, problem.n_actions
    (1, 1)
    """

    A: ndarray
    B: ndarray
    Q: ndarray
    R: ndarray
    W: ndarray
    discount: float
    initial_mean: ndarray
    initial_covariance: ndarray

    def __init__(
        self,
        A: Any,
        B: Any,
        Q: Any,
        R: Any,
        W: Any,
        *,
        discount: float,
        initial_mean: Any = None,
        initial_covariance: Any = None,
    ) -> None:
        if require_discount(discount) == 1.0:
            raise ConfigError("discount = 1: the value of noise never ends; give one below 1")
        B = validation.real_array("B", B)
        if B.ndim != 2:
            raise ModelError(f"B has shape {B.shape}; it must be (n, m): states, actions")
        n, m = np.shape(B)
        require_memory(64 * n * n, f"a linear-quadratic problem of {n} states", "use fewer states")
        mean = np.zeros(n) if initial_mean is None else initial_mean
        law = np.eye(n) if initial_covariance is None else initial_covariance
        fields = {
            "A": matrix("A", A, (n, n)),
            "B": matrix("B", B, (n, m)),
            "Q": symmetric("Q", Q, n),
            "R": symmetric("R", R, m, definite=True),
            "W": symmetric("W", W, n),
            "initial_mean": matrix("initial_mean", mean, (n,)),
            "initial_covariance": symmetric("initial_covariance", law, n),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        read_only(*fields.values())
        object.__setattr__(self, "discount", float(discount))
        self._check_solvable()

    def _check_solvable(self) -> None:
        """Hautus' tests at the eigenvalues of sqrt(gamma) A that are not stable."""
        scaled_a, scaled_b = self.scaled
        size = max(1.0, float(np.abs(scaled_a).max()))
        for value in np.linalg.eigvals(scaled_a):
            if abs(value) < 1.0 - ASYMMETRY:
                continue
            shifted = value * np.eye(self.n_states) - scaled_a
            growth = f"a direction that grows by {abs(value) / math.sqrt(self.discount):.6g} a step"
            if rank_gap(np.hstack([shifted, scaled_b])) <= ASYMMETRY * size:
                raise ModelError(
                    f"(A, B): {growth} cannot be controlled, so every policy has the value -inf "
                    "at this discount; change B, or lower the discount"
                )
            if rank_gap(np.vstack([shifted, self.Q])) <= ASYMMETRY * size:
                raise ModelError(
                    f"(A, Q): {growth} costs nothing (not detectable), so the stabilising solution "
                    "need not be the optimum; give it a cost in Q, or lower the discount"
                )

    @property
    def n_states(self) -> int:
        """n, the dimension of the state."""
        found: int = self.A.shape[0]
        return found

    @property
    def n_actions(self) -> int:
        """m, the dimension of the action."""
        found: int = self.B.shape[1]
        return found

    @property
    def scaled(self) -> tuple[Float[ndarray, "n n"], Float[ndarray, "n m"]]:
        """(sqrt(gamma) A, sqrt(gamma) B): undiscounted, they have the same Riccati equation."""
        root = math.sqrt(self.discount)
        return root * self.A, root * self.B

    def reward(
        self, states: Float[ndarray, "*N n"], actions: Float[ndarray, "*N m"]
    ) -> Float[ndarray, "*N"]:
        """-(s'Q s + a'R a), (..., n) and (..., m) -> (...)."""
        states, actions = self.read_states(states), self.read_actions(actions)
        found: Float[ndarray, "*N"] = -quadratic(self.Q, states) - quadratic(self.R, actions)
        return found

    def expected_next(
        self, states: Float[ndarray, "*N n"], actions: Float[ndarray, "*N m"]
    ) -> Float[ndarray, "*N n"]:
        """A s + B a, the next state but for the noise."""
        states, actions = self.read_states(states), self.read_actions(actions)
        found: Float[ndarray, "*N n"] = states @ self.A.T + actions @ self.B.T
        return found

    def read_states(self, states: Any) -> Float[ndarray, "*N n"]:
        """States as a float64 array (..., n); else ModelError."""
        return vectors("states", states, self.n_states)

    def read_actions(self, actions: Any) -> Float[ndarray, "*N m"]:
        """Actions as a float64 array (..., m); else ModelError."""
        return vectors("actions", actions, self.n_actions)


def coupled_masses() -> LinearQuadratic:
    """Two masses on springs that pull on each other, a force on each: 4 states, 2 actions.

    State (position 1, position 2, velocity 1, velocity 2), discount 0.9.  Without any force it
    comes to rest (spectral radius 0.90).  Under the optimal policy at temperature 0.2 each state
    has a standard deviation of about 0.26 and each action one of about 0.45; the optimal covariance
    is diagonal but for 3 %, which a policy with independent actions cannot have.
    """
    return LinearQuadratic(
        A=[
            [1.0, 0.0, 0.5, 0.0],
            [0.0, 1.0, 0.0, 0.5],
            [-0.2, 0.1, 0.6, 0.1],
            [0.1, -0.3, 0.0, 0.7],
        ],
        B=[[0.0, 0.0], [0.0, 0.0], [0.5, 0.0], [0.0, 0.5]],
        Q=np.diag([1.0, 1.0, 0.2, 0.2]),
        R=np.diag([0.3, 0.5]),
        W=0.01 * np.eye(4),
        initial_covariance=0.1 * np.eye(4),
        discount=0.9,
    )


def scalar() -> LinearQuadratic:
    """One state, one action: s' = 0.9 s + 0.5 a + w, for figures and quick tests; discount 0.9."""
    return LinearQuadratic(A=[[0.9]], B=[[0.5]], Q=[[1.0]], R=[[0.5]], W=[[0.1]], discount=0.9)
