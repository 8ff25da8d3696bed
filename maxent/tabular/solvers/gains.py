r"""The best average reward a step, with certified bounds (AVERAGE).

For any values h, min(T h - h) <= rho(s) <= max(T h - h) in every state s, T the soft Bellman
operator without discount: no iteration is trusted, only the interval.  h is improved by Newton's
method (policy iteration: the gain and the bias of the Boltzmann policy from one linear system), as
long as that narrows the interval, and by damped sweeps h <- h + (T h - h)/2, which converge on
periodic dynamics too.  Rows count as divided by their sums: how far these are from 1 widens the
interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from scipy import linalg, sparse
from scipy.sparse import linalg as sparse_linalg

from maxent.solution import Status
from maxent.support.shapes import Float
from maxent.tabular.bounds import UNIT, longest_row
from maxent.tabular.solvers.pairs import Pairs

PATIENCE = 4_000
"""Sweeps, at least, without which no interval is given up; five times as many, at most, where the
gains of states differ: there the width falls like 1 / sweeps to what they are apart."""


@dataclass(frozen=True, eq=False)
class Gain:
    """An interval that holds the best gain of every state, and the values h that certify it.

    lower, upper : rounding included.  h : (S,).  status, iterations : how the search ended.
    widths : (iterations,), of the interval.
    """

    lower: float
    upper: float
    h: ndarray
    status: Status
    widths: ndarray

    @property
    def width(self) -> float:
        return self.upper - self.lower


def gain_bounds(
    pairs: Pairs,
    enough: Callable[[float, float], bool],
    *,
    h: Float[ndarray, " S"] | None = None,
    max_iterations: int | None = None,
) -> Gain:
    """The gain of pairs none of which ends, until `enough(lower, upper)`.

    h : where to begin; None: 0.
    """
    search = _Search(pairs, np.zeros(pairs.n_states) if h is None else h, max_iterations)
    factorised = pairs.factorises
    sweeps, total, before = 4, 0, np.inf
    status: Status = "interrupted"
    try:
        while True:
            status = "converged"
            if factorised:
                search.newton(enough)
            search.sweep(sweeps, enough)
            if enough(search.best.lower, search.best.upper):
                break
            if search.spent:
                status = "max_iterations"
                break
            total += sweeps
            patience = PATIENCE + pairs.n_states
            slow = not search.best.width < 0.9 * before
            if search.best.at_rounding or slow or total > 5 * patience:
                status = "stalled"
                break
            if total > patience:
                before = search.best.width
            sweeps *= 2
    except KeyboardInterrupt:
        status = "interrupted"
    best = search.best
    return Gain(best.lower, best.upper, best.h, status, np.array(search.widths))


def policy_gain(
    pairs: Pairs, policy: Float[ndarray, " N"]
) -> tuple[Callable[[ndarray], tuple[float, ndarray]], Callable[[], ndarray]] | None:
    """For the policy of a single recurrent class: b -> its gain g and bias d (0 at state 0), with
    g + d - P d = b; and its stationary distribution.  None where the system is singular."""
    matrix = -pairs.matrix(policy)
    n = pairs.n_states
    right = np.zeros(n)
    right[0] = 1.0
    if n <= 300 or matrix.nnz > 0.1 * n * n:
        full = matrix.toarray() + np.eye(n)
        full[:, 0] = 1.0  # the unknown bias of state 0, which is 0, makes room for the gain
        *factors, singular = linalg.lapack.dgetrf(full)
        if singular:
            return None

        def solve(b: ndarray, transposed: bool) -> ndarray:
            found: ndarray = linalg.lu_solve(tuple(factors), b, trans=int(transposed))
            return found
    else:
        system = sparse.lil_array(matrix + sparse.eye_array(n))
        system[:, [0]] = np.ones((n, 1))
        try:
            sparse_factors = sparse_linalg.splu(sparse.csc_array(system))
        except RuntimeError:
            return None

        def solve(b: ndarray, transposed: bool) -> ndarray:
            found: ndarray = sparse_factors.solve(b, "T" if transposed else "N")
            return found

    def gain_and_bias(b: ndarray) -> tuple[float, ndarray]:
        d = solve(b, False)
        g = float(d[0])
        d[0] = 0.0
        return g, d

    return gain_and_bias, lambda: solve(right, True)


class _Search:
    """The best interval so far, and the two ways to a better one."""

    def __init__(self, pairs: Pairs, h: Float[ndarray, " S"], limit: int | None) -> None:
        self.pairs, self.limit = pairs, limit
        self.widths: list[float] = []
        sums = np.asarray(pairs.rows.sum(axis=1)).ravel()
        longest = longest_row(pairs.rows)
        self._deficit = float(np.abs(sums - 1.0).max(initial=0.0)) + longest * UNIT
        self.now = self.best = self._certified(h)

    @property
    def spent(self) -> bool:
        return self.limit is not None and len(self.widths) >= self.limit

    def sweep(self, count: int, enough: Callable[[float, float], bool]) -> None:
        """Damped sweeps from the best values."""
        self.now = self.best
        for _ in range(count):
            if self.spent or self.best.at_rounding or enough(self.best.lower, self.best.upper):
                return
            self.now = self._certified(self.now.h + 0.5 * (self.now.b - self.now.b.mean()))

    def newton(self, enough: Callable[[float, float], bool]) -> None:
        """Newton steps from the best values, as long as they pay."""
        self.now = self.best
        for _ in range(60):
            if self.spent or enough(self.best.lower, self.best.upper):
                return
            q = self.pairs.q(self.now.h)
            if self.pairs.temperature == 0.0:
                policy = self.pairs.one_hot(self.pairs.greedy(q))
            else:
                policy = self.pairs.boltzmann(q)
            with np.errstate(all="ignore"):
                solved = policy_gain(self.pairs, policy)
                step = None if solved is None else solved[0](self.now.b)[1]
            if step is None or not np.isfinite(step).all():
                return
            width = self.now.upper - self.now.lower
            self.now = self._certified(self.now.h + step)
            if not self.now.upper - self.now.lower < 0.9 * width and len(self.widths) > 5:
                return

    def _certified(self, h: Float[ndarray, " S"]) -> _Certified:
        h = h - 0.5 * (h.max() + h.min())
        b = self.pairs.value(self.pairs.q(h)) - h
        size = float(np.abs(h).max(initial=0.0))
        error = self.pairs.rounding(h) + UNIT * size + self._deficit * size
        low, high = float(b.min()), float(b.max())
        if error > 0.0:
            low = math.nextafter(low - error, -math.inf)
            high = math.nextafter(high + error, math.inf)
        found = _Certified(h, b, low, high, high - low <= 6.0 * error)
        if not self.widths or found.width < self.best.width:
            self.best = found
        self.widths.append(found.width)
        return found


@dataclass(frozen=True, eq=False)
class _Certified:
    """Values h with b = T h - h, the interval that they certify, and whether it is as narrow as
    rounding allows."""

    h: ndarray
    b: ndarray
    lower: float
    upper: float
    at_rounding: bool

    @property
    def width(self) -> float:
        return self.upper - self.lower
