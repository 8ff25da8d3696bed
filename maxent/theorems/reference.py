"""The truth, by a route that shares nothing with the operators under test.

Own short formulas, in extended precision where the machine has it:

- the soft value by `logaddexp`, V(s) = alpha log sum_a prior(a|s) exp(Q(s,a) / alpha);
- the value of a policy by a linear solve, (I - gamma P_pi) V = r_pi + alpha H_pi;
- V* by Newton's method on T V = V: solve for the value of the Boltzmann policy, repeat.

No answer is trusted because its method is good: each is a `ReferenceValue` that carries its
residual, evaluated in extended precision, and the error that follows from it.  With beta = gamma
times the largest row sum, ||V - V*|| <= ||T V - V|| / (1 - beta), and the same for the value of
a policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import linalg, sparse
from scipy.sparse import linalg as sparse_linalg

from maxent.mdp import MDP
from maxent.support.arrays import logs

LONG = np.longdouble
EPS_LONG = float(np.finfo(LONG).eps)
DENSE_STATES = 600
"""Up to this many states linear systems are solved densely."""
FILL = 2e8
"""States times bandwidth beyond which an iterative solver is tried before sparse factors."""
NEWTON_STEPS = 200


@dataclass(frozen=True, eq=False)
class ReferenceValue:
    """A value with how wrong it can be.

    v (S,) and q (S, A) in extended precision, v = 0 at terminal states; residual bounds
    |T v - v|, and error bounds |v - exact|, in every state, rounding included.
    """

    v: ndarray
    q: ndarray
    residual: float
    error: float


class ReferenceProblem:
    """An MDP with temperature and prior, reduced to what the formulas of the theory need.

    nonterminal (S,): states that are not terminal.  support (S, A): actions with a positive prior
    in nonterminal states.  `probability` (S*A, S) has no column into a terminal state, which is how
    V = 0 there enters every formula.  `known` keeps what else clauses find out about the problem
    alone, whatever the operators under test.
    """

    def __init__(self, mdp: MDP, temperature: float, log_prior: ndarray | None) -> None:
        self.nonterminal = ~mdp.terminal
        available = mdp.action_mask if log_prior is None else log_prior > -np.inf
        self.support = available & self.nonterminal[:, None]
        self.log_prior = np.where(available, 0.0 if log_prior is None else log_prior, -np.inf)
        self.log_prior = self.log_prior.astype(LONG)
        self.reward = np.where(self.support, mdp.reward, 0.0).astype(LONG)
        self.discount, self.temperature = LONG(mdp.discount), LONG(temperature)
        self.n_states, self.n_actions = mdp.reward.shape

        rows = sparse.csr_array(mdp.transition_rows, dtype=np.float64, copy=True)
        used = np.repeat(self.support.ravel(), np.diff(rows.indptr))
        rows.data[~(used & self.nonterminal[rows.indices])] = 0.0
        rows.eliminate_zeros()
        self.probability = sparse.csr_array(rows, dtype=LONG)
        self.longest_row = int(np.diff(rows.indptr).max(initial=0))
        sums = np.asarray(self.probability.sum(axis=1)).reshape(self.support.shape)
        self.row_sums = np.where(self.support, sums, 0.0).astype(LONG)
        self._evaluated: dict[bytes, ReferenceValue] = {}
        self._optima: dict[bytes | None, ReferenceValue] = {}
        self.known: dict[Any, Any] = {}

    @cached_property
    def bonus(self) -> ndarray:
        """The log prior, 0 where an action is not available."""
        return np.where(self.support, self.log_prior, LONG(0.0))

    @cached_property
    def modulus(self) -> float:
        """beta: the discount times the largest row sum as stored, and at least the discount."""
        return float(self.discount * max(LONG(1.0), self.row_sums.max(initial=0.0)))

    @cached_property
    def entropy_scale(self) -> float:
        """alpha (log A + max |log prior|): bounds the size of every entropy term."""
        known = self.log_prior[self.support]
        most = np.log(LONG(self.support.sum(axis=1).max(initial=1)))
        return float(self.temperature * (most + np.abs(known).max(initial=0.0)))

    def scale(self, *values: ndarray) -> float:
        """The sum of the sizes of what enters a sweep: values, rewards, entropies."""
        size = max((float(np.abs(value).max(initial=0.0)) for value in values), default=0.0)
        return size + float(np.abs(self.reward).max()) + self.entropy_scale

    def q_of(self, v: ndarray) -> ndarray:
        """r + gamma P V, (S,) -> (S, A)."""
        return self.reward + self.discount * self.expect(v)

    def expect(self, v: ndarray) -> ndarray:
        """E[ V(s') ; s' not terminal ], (S,) -> (S, A)."""
        return np.asarray(self.probability @ v.astype(LONG)).reshape(self.support.shape)

    def soft_value(self, q: ndarray) -> ndarray:
        """alpha log sum prior exp(q / alpha), the largest q at alpha = 0; 0 at terminal states."""
        if self.temperature == 0.0:
            best = np.where(self.support, q, -np.inf).max(axis=1)
        else:
            exponents = q.astype(LONG) / self.temperature + self.log_prior
            best = self.temperature * np.logaddexp.reduce(exponents, axis=1)
        return np.where(self.nonterminal, best, LONG(0.0))

    def boltzmann(self, q: ndarray) -> ndarray:
        """log of the soft-optimal answer to q, (S, A): what Newton's method iterates."""
        if self.temperature == 0.0:
            chosen = np.argmax(np.where(self.support, q, -np.inf), axis=1)
            return logs(np.eye(self.n_actions, dtype=LONG)[chosen])
        top = np.where(self.support, q, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
        with np.errstate(invalid="ignore"):  # inf - inf at terminal states, which have no support
            logits = np.where(self.support, (q - top) / self.temperature + self.log_prior, -np.inf)
            return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

    def policy_value(self, q: ndarray, log_policy: ndarray) -> ndarray:
        """E_pi[ q - alpha log(pi / prior) ], (S,), 0 at terminal states.

        nan where the policy is none: outside the prior's support, or not finite.
        """
        with np.errstate(all="ignore"):
            given = log_policy.astype(LONG)
            policy = np.exp(given)
            played = policy > 0.0
            cost = np.where(played, given - self.log_prior, 0.0)
            terms = np.where(played, policy * (q - self.temperature * cost), 0.0)
            value = np.where(np.isfinite(terms), terms, np.nan).sum(axis=1)
        return np.where(self.nonterminal, value, LONG(0.0))

    def is_policy(self, log_policy: ndarray) -> bool:
        """Whether the rows of exp sum to 1 (within 1e-6) on the support, so that it has a value."""
        with np.errstate(all="ignore"):
            policy = np.exp(log_policy.astype(LONG))
            sums = np.where(self.support, policy, 0.0).sum(axis=1)[self.nonterminal]
            outside = policy[self.nonterminal][~self.support[self.nonterminal]]
        return bool(np.all(np.abs(sums - 1.0) <= 1e-6) and not np.any(outside != 0.0))

    def evaluate(self, log_policy: ndarray) -> ReferenceValue:
        """V^pi and Q^pi of a policy; remembered, as several clauses ask for the same."""
        key = log_policy.tobytes()
        if key not in self._evaluated:
            self._evaluated[key] = self._evaluate(log_policy)
        return self._evaluated[key]

    def _evaluate(self, log_policy: ndarray) -> ReferenceValue:
        """V^pi and Q^pi by a linear solve, refined in extended precision; nan for no policy."""
        if not self.is_policy(log_policy):
            nothing = np.full(self.support.shape, np.nan, dtype=LONG)
            return ReferenceValue(nothing[:, 0], nothing, 0.0, 0.0)
        v, left = self._solved(log_policy, self.policy_value(self.reward, log_policy))
        return self._truth(v, left)

    def solve(self, log_policy: ndarray, earned: ndarray) -> tuple[ndarray, float]:
        """x (S,) with x = earned + gamma P_pi x, 0 at terminal states, and a bound on its error;
        nan where there is no policy or `earned` is not finite."""
        earned = np.where(self.nonterminal, earned, 0.0).astype(LONG)
        if not (self.is_policy(log_policy) and np.isfinite(earned).all()):
            return np.full(self.n_states, np.nan, dtype=LONG), 0.0
        x, left = self._solved(log_policy, earned)
        size = float(np.abs(x).max(initial=0.0) + np.abs(earned).max(initial=0.0))
        return x, (left + self._rounding(size)) / (1.0 - self.modulus)

    def _solved(self, log_policy: ndarray, earned: ndarray) -> tuple[ndarray, float]:
        """The solution of the linear system, refined in extended precision, and its residual."""
        policy = np.where(self.support, np.exp(log_policy.astype(LONG)), 0.0)
        solve = self._solver(policy.astype(np.float64))
        v, left = np.zeros(self.n_states, dtype=LONG), earned
        for _ in range(8):
            better = v + solve(left.astype(np.float64))
            residual = earned + self.discount * (policy * self.expect(better)).sum(axis=1) - better
            gained = np.abs(residual).max() < 0.5 * np.abs(left).max()
            if np.abs(residual).max() < np.abs(left).max():
                v, left = better, residual
            if not gained:
                break
        return v, float(np.abs(left).max())

    def optimum(self, start: ndarray | None = None) -> ReferenceValue:
        """V* and Q* by Newton's method: the value of the Boltzmann policy, again and again.

        start: q (S, A) whose Boltzmann policy comes first; the rewards if left out.  Remembered.
        """
        key = None if start is None else start.tobytes()
        if key not in self._optima:
            self._optima[key] = self._optimum(start)
        return self._optima[key]

    def _optimum(self, start: ndarray | None) -> ReferenceValue:
        truth = self._evaluate(self.boltzmann(self.reward if start is None else start))
        best, best_residual, idle = truth, np.inf, 0
        for _ in range(NEWTON_STEPS):
            residual = float(np.abs(self.soft_value(truth.q) - truth.v).max())
            idle = idle + 1 if residual > 0.5 * best_residual else 0
            if residual < best_residual:
                best, best_residual = truth, residual
            size = self.scale(truth.v)
            if residual <= self._rounding(size) or (idle >= 5 and best_residual <= 1e-9 * size):
                break
            truth = self._evaluate(self.boltzmann(truth.q))
        return self._truth(best.v, best_residual)

    def _truth(self, v: ndarray, residual: float) -> ReferenceValue:
        """`residual` as measured; the rounding of the measurement itself is added here."""
        q = self.q_of(v)
        residual = float(residual) + self._rounding(self.scale(v, q))
        return ReferenceValue(v, q, residual, residual / (1.0 - self.modulus))

    def _rounding(self, scale: float) -> float:
        """Rounding of one sweep of these formulas over values of this size."""
        found: float = EPS_LONG * (self.longest_row + self.n_actions + 8) * scale
        return found

    def _solver(self, policy: ndarray) -> Callable[[ndarray], ndarray]:
        """x -> an approximation of (I - gamma P_pi)^{-1} x, in float64."""
        entries = policy.ravel()[self._row_of_entry] * self._float64_data
        states, columns = self._row_of_entry // self.n_actions, self.probability.indices
        n = self.n_states
        if n <= DENSE_STATES:
            flat = np.bincount(states * n + columns, weights=entries, minlength=n * n)
            factors = linalg.lu_factor(np.eye(n) - float(self.discount) * flat.reshape(n, n))
            return lambda right: linalg.lu_solve(factors, right)
        moves = sparse.csr_array((entries, (states, columns)), shape=(n, n))
        matrix = sparse.csr_array(sparse.eye_array(n) - float(self.discount) * moves)
        if n * _bandwidth(matrix) <= FILL:
            found: Callable[[ndarray], ndarray] = sparse_linalg.splu(sparse.csc_array(matrix)).solve
            return found
        return _iterative_solver(matrix)

    @cached_property
    def _row_of_entry(self) -> ndarray:
        return np.repeat(np.arange(self.support.size), np.diff(self.probability.indptr))

    @cached_property
    def _float64_data(self) -> ndarray:
        found: ndarray = self.probability.data.astype(np.float64)
        return found


class ReferenceProblems:
    """Makes each problem once, so that whoever shares this object shares the truths too.

    Its answer to (mdp, temperature, log_prior) is a `ReferenceProblem`, the same for equal numbers.
    """

    def __init__(self) -> None:
        self._made: dict[Any, ReferenceProblem] = {}

    def __call__(self, mdp: MDP, temperature: float, log_prior: ndarray | None) -> ReferenceProblem:
        rows = sparse.csr_array(mdp.transition_rows)
        parts = [rows.data, rows.indices, rows.indptr, mdp.reward, mdp.terminal, mdp.action_mask]
        parts += [] if log_prior is None else [log_prior]
        key = mdp.discount, temperature, *(np.asarray(part).tobytes() for part in parts)
        if key not in self._made:
            self._made[key] = ReferenceProblem(mdp, temperature, log_prior)
        return self._made[key]


def _bandwidth(matrix: sparse.csr_array) -> int:
    """Bandwidth after reordering: small for a grid, about n for a random graph, whose factors
    would fill up."""
    order = sparse.csgraph.reverse_cuthill_mckee(sparse.csr_array(abs(matrix) + abs(matrix).T))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    entries = sparse.coo_array(matrix)
    return int(np.abs(place[entries.row] - place[entries.col]).max(initial=0)) + 1


def _iterative_solver(matrix: sparse.csr_array) -> Callable[[ndarray], ndarray]:
    """BiCGSTAB; a sparse factorisation, which may be large, from the first time it fails."""
    factors: list[sparse_linalg.SuperLU] = []

    def solve(right: ndarray) -> ndarray:
        size = np.abs(right).max()
        if size == 0.0:
            return right
        if not factors:
            unit = right / size
            x, _ = sparse_linalg.bicgstab(matrix, unit, rtol=1e-10, maxiter=500)
            if np.abs(matrix @ x - unit).max() <= 1e-6:
                found: ndarray = x * size
                return found
            factors.append(sparse_linalg.splu(sparse.csc_array(matrix)))
        found = factors[0].solve(right)
        return found

    return solve
