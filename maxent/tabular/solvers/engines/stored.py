"""Sweeps over stored transitions, compiled by Numba: one pass over the rows, nothing in between.

A state's rows lie one after another in the MDP's own CSR, so that a sweep reads them once and
writes one number a state.  At temperature 0 the rows of the best actions are copied out (P_pi is
one row a state then), above it they are averaged into one row a state; a policy is evaluated on
these.  States are handled in blocks that stay in the processor's cache, within which the soft
maximum runs over contiguous numbers.

Every state is computed by itself in a fixed order: on any number of threads the results are the
same to the bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.solvers.engines.elementary import compiled, exp, log
from maxent.tabular.solvers.engines.gauss_seidel import Relaxation, of_rows
from maxent.tabular.solvers.engines.threads import in_parts
from maxent.tabular.solvers.kernels import NEGLIGIBLE, judged, prior_bonus
from maxent.tabular.solvers.steps import evaluated

BLOCK = 512
"""States handled together."""


class StoredKernel:
    """The soft Bellman operator of a sparse MDP, as `kernels.SoftKernel`, compiled."""

    engine = "numba"

    def __init__(
        self, mdp: MDP, temperature: float, log_prior: ndarray | None, threads: int
    ) -> None:
        rows = mdp.transition
        self.mdp, self.temperature, self.log_prior = mdp, temperature, log_prior
        self.bounds = soft_bounds(mdp, temperature, log_prior)
        self.threads = threads
        unsigned = np.uint32 if rows.indices.itemsize == 4 else np.uint64
        self._ends, self._to = rows.indptr.view(unsigned), rows.indices.view(unsigned)
        self._chance = rows.data
        self._bonus = prior_bonus(temperature, log_prior)
        self._reward = mdp.reward if self._bonus is None else mdp.reward + self._bonus
        self._terminal = mdp.terminal
        self._v = self._ahead = np.zeros(mdp.n_states)
        self._best = np.zeros(mdp.n_states, np.uint32)
        self._merged: tuple[ndarray, ndarray, ndarray] | None = None
        self._relaxation: Relaxation | None = None

    def improve(self, q: ndarray, tie_tolerance: float = 0.0) -> ndarray:
        """The Boltzmann policy of q, as logs; at temperature 0 q within `tie_tolerance` ties."""
        scores = np.array(q.T, order="C")
        if self._bonus is not None:
            scores += self._bonus.T
        return judged(scores, self.temperature, tie_tolerance)[0]

    def apply(self, v: ndarray) -> ndarray:
        """T V, 0 at terminal states."""
        self._v = v
        found = np.empty_like(v)
        model = (self._ends, self._to, self._chance, self._reward, self._terminal)
        self._ahead = ahead = self.mdp.discount * v
        if self.temperature == 0.0:
            in_parts(self.threads, hard_sweep, len(v), *model, ahead, found, self._best)
        else:
            in_parts(self.threads, soft_sweep, len(v), *model, ahead, self.temperature, found)
        return found

    def policy_transition(self) -> sparse.csr_array:
        """gamma P_pi for the policy behind the last `apply`."""
        ends, to, chance = self._policy_rows()
        size = len(self._v)
        signed = np.int32 if ends.itemsize == 4 else np.int64
        matrix = sparse.csr_array(
            (chance, to.astype(signed), ends.astype(signed)), shape=(size, size)
        )
        matrix.sort_indices()
        return matrix

    def evaluate(self, b: ndarray, sweeps: int, enough: float) -> ndarray:
        """The truncated Neumann series of `steps.truncated`."""
        ends, to, chance = self._policy_rows()

        def sweep(d: ndarray) -> ndarray:
            found = np.empty_like(b)
            in_parts(self.threads, policy_sweep, len(b), ends, to, chance, b, d, found)
            return found

        return evaluated(sweep, b, sweeps, enough)

    def relax(self, b: ndarray, pairs: int) -> ndarray:
        """What Gauss-Seidel sweeps add to V, at temperature 0."""
        if self._relaxation is None:
            rows = (self._ends, self._to, self._chance)
            self._relaxation = of_rows(self.mdp, self.bounds, self.threads, rows, self._reward)
        return self._relaxation(self._v + b, b, pairs) - self._v

    def _policy_rows(self) -> tuple[ndarray, ndarray, ndarray]:
        """gamma P_pi in CSR: ends, successors, probabilities."""
        size = len(self._v)
        if self.temperature == 0.0:
            lengths = np.zeros(size + 1, self._ends.dtype)
            in_parts(
                self.threads,
                row_lengths,
                size,
                self._ends,
                self._terminal,
                self._best,
                self._reward.shape[1],
                lengths,
            )
            ends = np.cumsum(lengths, dtype=self._ends.dtype)
            to, chance = np.empty(ends[-1], self._to.dtype), np.empty(ends[-1])
            in_parts(
                self.threads,
                copied_rows,
                size,
                self._ends,
                self._to,
                self._chance,
                self._best,
                self._reward.shape[1],
                ends,
                to,
                chance,
            )
            chance *= self.mdp.discount
            return ends, to, chance
        if self._merged is None:
            self._merged = union_of_rows(self._ends, self._to, size, self._reward.shape[1])
        ends, to, place = self._merged
        chance = np.zeros(len(to))
        in_parts(
            self.threads,
            averaged_rows,
            size,
            self._ends,
            self._to,
            self._chance,
            self._reward,
            self._ahead,
            self.temperature,
            float(NEGLIGIBLE),
            place,
            chance,
        )
        chance *= self.mdp.discount
        return ends, to, chance


@compiled
def hard_sweep(
    ends: Any,
    to: Any,
    chance: Any,
    reward: Any,
    terminal: Any,
    v: Any,
    found: Any,
    best: Any,
    first: int,
    last: int,
) -> None:
    """The hard maximum of r + gamma P v, and which action has it."""
    for s in range(first, last):
        top, chosen = -np.inf, 0
        if terminal[s]:
            top = 0.0
        else:
            for a in range(reward.shape[1]):
                row = s * reward.shape[1] + a
                total = 0.0
                for entry in range(ends[row], ends[row + 1]):
                    total += chance[entry] * v[to[entry]]
                total += reward[s, a]
                if total > top:
                    top, chosen = total, a
        found[s], best[s] = top, chosen


@compiled
def block_scores(
    ends: Any,
    to: Any,
    chance: Any,
    reward: Any,
    v: Any,
    temperature: float,
    start: int,
    count: int,
    scores: Any,
    top: Any,
    total: Any,
) -> None:
    """Of `count` states: exp((q - max q) / alpha) in `scores`, max q in `top`, sums in `total`."""
    n_actions = reward.shape[1]
    for i in range(count):
        for a in range(n_actions):
            row = (start + i) * n_actions + a
            q = 0.0
            for entry in range(ends[row], ends[row + 1]):
                q += chance[entry] * v[to[entry]]
            scores[a, i] = q + reward[start + i, a]
    soft_maximum(scores, top, total, temperature, count)


@compiled
def soft_maximum(scores: Any, top: Any, total: Any, temperature: float, count: int) -> None:
    """In place: scores q (A, count) become exp((q - max q) / alpha); max q, and their sum."""
    for i in range(count):
        top[i], total[i] = scores[0, i], 0.0
    for a in range(1, len(scores)):
        for i in range(count):
            top[i] = max(top[i], scores[a, i])
    for a in range(len(scores)):
        for i in range(count):
            scores[a, i] = exp((scores[a, i] - top[i]) / temperature)
            total[i] += scores[a, i]


@compiled
def soft_sweep(
    ends: Any,
    to: Any,
    chance: Any,
    reward: Any,
    terminal: Any,
    v: Any,
    temperature: float,
    found: Any,
    first: int,
    last: int,
) -> None:
    """alpha log sum exp((r + gamma P v) / alpha)."""
    scores = np.empty((reward.shape[1], BLOCK))
    top, total = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(first, last, BLOCK):
        count = min(BLOCK, last - start)
        block_scores(ends, to, chance, reward, v, temperature, start, count, scores, top, total)
        for i in range(count):
            found[start + i] = top[i] + temperature * log(total[i])
        for s in range(start, start + count):
            if terminal[s]:
                found[s] = 0.0


@compiled
def policy_sweep(
    ends: Any, to: Any, chance: Any, b: Any, d: Any, found: Any, first: int, last: int
) -> None:
    """b + gamma P_pi d."""
    for s in range(first, last):
        total = 0.0
        for entry in range(ends[s], ends[s + 1]):
            total += chance[entry] * d[to[entry]]
        found[s] = b[s] + total


@compiled
def row_lengths(
    ends: Any, terminal: Any, best: Any, n_actions: int, lengths: Any, first: int, last: int
) -> None:
    """How many successors the best action of state s has, in lengths[s + 1]."""
    for s in range(first, last):
        row = s * n_actions + best[s]
        lengths[s + 1] = 0 if terminal[s] else ends[row + 1] - ends[row]


@compiled
def copied_rows(
    ends: Any,
    to: Any,
    chance: Any,
    best: Any,
    n_actions: int,
    own_ends: Any,
    own_to: Any,
    own_chance: Any,
    first: int,
    last: int,
) -> None:
    """The rows of the best actions, one after another."""
    for s in range(first, last):
        entry = ends[s * n_actions + best[s]]
        for own in range(own_ends[s], own_ends[s + 1]):
            own_to[own], own_chance[own] = to[entry], chance[entry]
            entry += 1


@compiled
def union_of_rows(ends: Any, to: Any, n_states: int, n_actions: int) -> Any:
    """The pattern of the sum of each state's rows: ends, successors, and where each entry goes."""
    seen = np.full(n_states, -1, np.int64)
    own_ends = np.zeros(n_states + 1, ends.dtype)
    own_to, place = np.empty_like(to), np.empty_like(to)
    count = 0
    for s in range(n_states):
        start = count
        for entry in range(ends[s * n_actions], ends[(s + 1) * n_actions]):
            successor = to[entry]
            if seen[successor] < start:
                seen[successor] = count
                own_to[count] = successor
                count += 1
            place[entry] = seen[successor]
        own_ends[s + 1] = count
    return own_ends, own_to[:count].copy(), place


@compiled
def averaged_rows(
    ends: Any,
    to: Any,
    chance: Any,
    reward: Any,
    v: Any,
    temperature: float,
    negligible: float,
    place: Any,
    found: Any,
    first: int,
    last: int,
) -> None:
    """Each state's rows, averaged by the Boltzmann policy of r + gamma P v."""
    n_actions = reward.shape[1]
    scores = np.empty((n_actions, BLOCK))
    top, total = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(first, last, BLOCK):
        count = min(BLOCK, last - start)
        block_scores(ends, to, chance, reward, v, temperature, start, count, scores, top, total)
        for i in range(count):
            for a in range(n_actions):
                probability = scores[a, i] / total[i]
                if probability >= negligible:
                    row = (start + i) * n_actions + a
                    for entry in range(ends[row], ends[row + 1]):
                        found[place[entry]] += probability * chance[entry]
