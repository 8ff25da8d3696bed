"""The rows of an MDP that one process holds, as a part of PETSc's matrices.

Each process holds its own rows of P and its own part of V, and exchanges only the values of the
states that its rows lead to.  Every reduction is over all processes, so all of them learn the same.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError, MissingExtraError
from maxent.mdp.transitions import Transition
from maxent.support.shapes import Bool, Float
from maxent.tabular import operators
from maxent.tabular.bounds import FixedPointBounds, bounds_from_extremes, longest_row
from maxent.tabular.solvers.certified import Certified
from maxent.tabular.solvers.kernels import NEGLIGIBLE, prior_bonus
from maxent.tabular.solvers.steps import usual_sweeps

PREFIX = "maxent_"
"""Of PETSc's options: -maxent_ksp_type gmres and the like choose another linear solver."""


class Rows:
    """What one process holds, and the operator on its own part of V."""

    def __init__(
        self,
        transition: Transition,
        reward: Float[ndarray, "N A"],
        terminal: Bool[ndarray, " N"],
        log_prior: Float[ndarray, "N A"] | None,
        discount: float,
        temperature: float,
    ) -> None:
        self.petsc, self.comm = libraries()
        self.discount, self.temperature = discount, temperature
        self.terminal, self.log_prior = terminal, log_prior
        self.n, self.n_actions = reward.shape
        self._rows = sparse.csr_array(transition)
        self.n_states = self._rows.shape[1]
        self._reward = reward
        bonus = prior_bonus(temperature, log_prior)
        self._bonus = np.zeros((1, 1)) if bonus is None else bonus
        self._matrix = self._distributed(self._rows)
        self._right, self._left = self._matrix.createVecs()
        self._solver: Any = None
        self.bounds = self._find_bounds()

    def expect(self, v: Float[ndarray, " N"]) -> Float[ndarray, "N A"]:
        """E[v(s')] for this process's states and actions; all processes together."""
        self._right.setArray(v)
        self._matrix.mult(self._right, self._left)
        found: Float[ndarray, "N A"] = self._left.getArray().reshape(self.n, self.n_actions).copy()
        return found

    def certify(self, v: Float[ndarray, " N"]) -> Certified:
        """One application of T to the whole V; `tv`, `b` and `terminal` are of this process."""
        self._q = self.discount * self.expect(v) + self._reward
        tv = self._soft_maximum(self._q + self._bonus)
        b = tv - v
        among = b[~self.terminal]
        high, minus_low, greatest, minus_least, size = self.greatest(
            tv, -tv, among, -among, np.abs(v)
        )
        low, least = -minus_low, -minus_least
        if greatest < least:  # nothing but terminal states
            least = greatest = 0.0
        norm = max(abs(low), abs(high), size)
        below, above = self.bounds.interval(least, greatest, norm)
        return Certified(
            tv,
            b,
            below,
            above,
            residual=max(abs(least), abs(greatest)),
            norm=norm,
            value_size=max(high + below, -(low + above), 0.0),
            terminal=self.terminal,
        )

    def log_policy(self, ties: float = 0.0) -> Float[ndarray, "N A"]:
        """The Boltzmann policy behind the last `certify`, as logs."""
        return operators.boltzmann_policy(self._q, self.temperature, self.log_prior, ties)

    def newton(self, b: Float[ndarray, " N"]) -> Float[ndarray, " N"]:
        """d with (I - gamma P_pi) d = b to a relative residual, by a Krylov method; the first terms
        of the Neumann series where it fails."""
        moves = self._policy_rows()
        identity = sparse.eye_array(self.n, self.n_states, k=self._first(), format="csr")
        system = self._distributed(sparse.csr_array(identity - moves))
        if self._solver is None:
            self._solver = self.petsc.KSP().create(self.petsc.COMM_WORLD)
            self._solver.setType("bcgs")
            self._solver.setOptionsPrefix(PREFIX)
        accuracy = min(1e-3, max(1.0 - self.discount, 1e-12))
        self._solver.setOperators(system)
        self._solver.setTolerances(rtol=accuracy, atol=0.0, max_it=1000)
        self._solver.setFromOptions()
        d, given = system.createVecs()
        given.setArray(b)
        self._solver.solve(given, d)
        found: ndarray = d.getArray().copy()
        sound = self.greatest(~np.isfinite(found)) == [0.0] and self._solver.reason > 0
        for used in (d, given, system):
            used.destroy()
        if not sound:
            return self.truncated(b, usual_sweeps(self.temperature))
        found[self.terminal] = 0.0
        return found

    def truncated(self, b: Float[ndarray, " N"], sweeps: int) -> Float[ndarray, " N"]:
        """b + gamma P_pi b + ... + (gamma P_pi)^sweeps b."""
        moves = self._distributed(self._policy_rows())
        x, y = moves.createVecs()
        d = b
        for _ in range(sweeps):
            x.setArray(d)
            moves.mult(x, y)
            d = b + y.getArray()
        for used in (x, y, moves):
            used.destroy()
        return d

    def greatest(self, *parts: ndarray) -> list[float]:
        """The greatest entry of each array over all processes, in one exchange; -inf of nothing."""
        here = np.array([float(x.max()) if x.size else -math.inf for x in parts])
        found = np.empty_like(here)
        self.comm.Allreduce(here, found, op=_mpi().MAX)
        return [float(x) for x in found]

    def whole(self, x: ndarray) -> ndarray:
        """The parts of all processes, in every process."""
        return np.concatenate(self.comm.allgather(x))

    def _find_bounds(self) -> FixedPointBounds:
        used = np.repeat(~self.terminal[:, None], self.n_actions, axis=1)
        size = np.abs(self._reward)
        if self.log_prior is not None:
            used &= self.log_prior > -np.inf
            size = size + np.abs(np.where(used, self._bonus, 0.0))
        going_on = self.expect((~self.terminal).astype(float))[used]
        minus_least, greatest, longest, n_available, scale = self.greatest(
            -going_on,
            going_on,
            np.array([longest_row(self._rows)]),
            used.sum(axis=1),
            size[used],
        )
        return bounds_from_extremes(
            self.discount,
            self.temperature,
            going_on=(-minus_least, greatest),
            longest=int(longest),
            n_available=max(1, int(n_available)),
            scale=max(0.0, scale),
        )

    def _soft_maximum(self, scores: Float[ndarray, "N A"]) -> Float[ndarray, " N"]:
        top: ndarray = scores.max(axis=1)
        if self.temperature > 0.0:
            with np.errstate(all="ignore"):
                weights = np.exp((scores - top[:, None]) / self.temperature)
                top = top + self.temperature * np.log(weights.sum(axis=1))
        return np.where(self.terminal, 0.0, top)

    def _policy_rows(self) -> sparse.csr_array:
        """gamma P_pi, this process's rows (n, S), for the policy behind the last `certify`."""
        if self.temperature == 0.0:
            policy = np.zeros_like(self._q)
            policy[np.arange(self.n), (self._q + self._bonus).argmax(axis=1)] = 1.0
        else:
            policy = np.exp(self.log_policy())
            policy[policy < NEGLIGIBLE] = 0.0
        policy[self.terminal] = 0.0
        chosen = sparse.csr_array(
            (
                self.discount * policy.ravel(),
                np.arange(self.n * self.n_actions),
                np.arange(self.n + 1) * self.n_actions,
            ),
            shape=(self.n, self.n * self.n_actions),
        )
        return sparse.csr_array(chosen @ self._rows)

    def _distributed(self, rows: sparse.csr_array) -> Any:
        """This process's rows as a part of one PETSc matrix."""
        kind, height = self.petsc.IntType, rows.shape[0]
        matrix = self.petsc.Mat().createAIJ(
            ((height, self.n_states * (height // self.n)), (self.n, self.n_states)),
            csr=(rows.indptr.astype(kind), rows.indices.astype(kind), rows.data),
            comm=self.petsc.COMM_WORLD,
        )
        matrix.assemble()
        return matrix

    def _first(self) -> int:
        return share(self.n_states, self.comm.rank, self.comm.size)[0]


def share(n_states: int, rank: int, size: int) -> tuple[int, int]:
    """(first, stop): the states of process `rank` of `size`.

    >>> [share(10, rank, 4) for rank in range(4)]
    [(0, 3), (3, 6), (6, 8), (8, 10)]
    """
    least, more = divmod(n_states, size)
    first = rank * least + min(rank, more)
    return first, first + least + (rank < more)


def own_share(n_states: int, comm: Any) -> tuple[int, int]:
    if comm.size > n_states:
        raise ConfigError(
            f"{comm.size} processes for {n_states} states; start at most one process a state"
        )
    return share(n_states, comm.rank, comm.size)


def libraries() -> tuple[Any, Any]:
    """PETSc, and the communicator of all processes."""
    try:
        from petsc4py import PETSc
    except ImportError as error:
        raise MissingExtraError(
            'engine="petsc" needs petsc4py and mpi4py, built for one MPI: see the guide on '
            "clusters in the documentation (docs/guides/cluster.md)"
        ) from error
    return PETSc, _mpi().COMM_WORLD


def _mpi() -> Any:
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise MissingExtraError(
            'engine="petsc" needs mpi4py, built for the MPI that petsc4py was built for: see the '
            "guide on clusters in the documentation (docs/guides/cluster.md)"
        ) from error
    return MPI
