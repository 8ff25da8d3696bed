r"""State-action pairs in a list: the form in which problems without discount are solved.

Pair i is an available action of state `owner[i]`; the pairs of a state stand together.  That form
serves the whole problem, a part of it that can be stayed in for ever (`end_components.py`), and one
in which states between which one moves for free are merged (`free_loops.py`).

**Rounding.**  With u = eps/2, k the length of the longest row, A the largest number of pairs of a
state and N = max(||v||, ||r + alpha log prior||), one computed entry of T v is off by at most
u [ (k + 12) N + alpha (2 A + 5 + 4 log A) ], as in `maxent/tabular/bounds.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP
from maxent.support.shapes import Bool, Float, Int
from maxent.tabular.bounds import UNIT, longest_row
from maxent.tabular.linear_systems import SMALL

LARGE = 250_000
"""States up to which a policy's matrix is factorised at all."""

NEGLIGIBLE = np.exp(-200.0)
"""Probabilities below this are 0 in a correction step."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of a state and an action, with the soft Bellman operator without discount.

    rows : CSR (N, T), transition probabilities to the states that have a value.
    paid : (N,), rewards.  log_prior : (N,), or None.
    owner : (N,), ascending: the state of each pair; each of the `n_states` has one at least.
    temperature : alpha.
    ends : (N,), whether the pair can end the episode at once.
    merged : (T,), which state each column of `rows` belongs to; None: T = n_states, each its own.
    """

    rows: sparse.csr_array
    paid: ndarray
    log_prior: ndarray | None
    owner: ndarray
    n_states: int
    temperature: float
    ends: ndarray
    merged: ndarray | None = None

    @classmethod
    def of(
        cls,
        mdp: MDP,
        temperature: float,
        log_prior: Float[ndarray, "S A"] | None,
        states: Bool[ndarray, " S"],
    ) -> Pairs:
        """The pairs of these states; the other states have the value 0."""
        available = mdp.action_mask if log_prior is None else log_prior > -np.inf
        chosen = np.flatnonzero((available & states[:, None]).ravel())
        rows = sparse.csr_array(sparse.csr_array(mdp.transition_rows)[chosen])
        rows.eliminate_zeros()
        inside = states[rows.indices]
        ends = np.bincount(_row_of_entry(rows)[~inside], minlength=len(chosen)) > 0
        return cls(
            sparse.csr_array(rows[:, np.flatnonzero(states)]),
            mdp.reward.ravel()[chosen],
            None if log_prior is None or temperature == 0.0 else log_prior.ravel()[chosen],
            (np.cumsum(states) - 1)[chosen // mdp.n_actions],
            int(states.sum()),
            temperature,
            ends,
        )

    def at(self, temperature: float) -> Pairs:
        """The same pairs at another temperature > 0."""
        return replace(self, temperature=temperature)

    def part(self, kept: Bool[ndarray, " N"], states: Int[ndarray, " M"]) -> Pairs:
        """The pairs kept, between these states alone (ascending), renumbered."""
        number = np.full(self.n_states, -1)  # of a column that no pair kept leads to: any
        number[states] = np.arange(len(states))
        columns = np.arange(self.n_states) if self.merged is None else self.merged
        return Pairs(
            sparse.csr_array(self.rows[kept]),
            self.paid[kept],
            None if self.log_prior is None else self.log_prior[kept],
            number[self.owner[kept]],
            len(states),
            self.temperature,
            self.ends[kept],
            number[columns],
        )

    @cached_property
    def first(self) -> Int[ndarray, " S"]:
        """Where the pairs of each state begin."""
        return np.searchsorted(self.owner, np.arange(self.n_states))

    @cached_property
    def scores(self) -> Float[ndarray, " N"]:
        """r + alpha log prior."""
        if self.log_prior is None:
            return self.paid
        return self.paid + self.temperature * self.log_prior

    @cached_property
    def scale(self) -> float:
        """Largest |r + alpha log prior|, the sizes of both added."""
        size = np.abs(self.paid)
        if self.log_prior is not None:
            size = size + self.temperature * np.abs(self.log_prior)
        return float(size.max(initial=0.0))

    @cached_property
    def row_of_entry(self) -> Int[ndarray, " E"]:
        """The pair of each stored entry of `rows`."""
        return _row_of_entry(self.rows)

    @cached_property
    def factorises(self) -> bool:
        """Whether LU suits P_pi: few states, or coupled to nearby ones but for a few of them (goals
        that lead back to the start, say)."""
        if self.n_states <= SMALL:
            return True
        heads = self.rows.indices if self.merged is None else self.merged[self.rows.indices]
        owners = self.owner[self.row_of_entry]
        root = math.sqrt(self.n_states)
        far = np.unique(owners[np.abs(owners - heads) > 5.0 * root])
        return self.n_states <= LARGE and len(far) <= root

    def q(self, v: Float[ndarray, " S"]) -> Float[ndarray, " N"]:
        """r + alpha log prior + P v."""
        found: Float[ndarray, " N"] = self.scores + self.expect(v)
        return found

    def expect(self, v: Float[ndarray, " S"]) -> Float[ndarray, " N"]:
        """P v."""
        found: Float[ndarray, " N"] = self.rows @ (v if self.merged is None else v[self.merged])
        return found

    def value(self, q: Float[ndarray, " N"]) -> Float[ndarray, " S"]:
        """alpha log sum exp(q / alpha) over the pairs of each state; the largest at alpha = 0."""
        top = np.maximum.reduceat(q, self.first)
        if self.temperature == 0.0:
            return top
        return top + self.temperature * np.log(np.add.reduceat(self._weights(q, top), self.first))

    def boltzmann(self, q: Float[ndarray, " N"]) -> Float[ndarray, " N"]:
        """The Boltzmann policy of q, as probabilities; temperature > 0."""
        weights = self._weights(q, np.maximum.reduceat(q, self.first))
        found: Float[ndarray, " N"] = weights / np.add.reduceat(weights, self.first)[self.owner]
        return found

    def greedy(
        self, q: Float[ndarray, " N"], now: Int[ndarray, " S"] | None = None, slack: float = 0.0
    ) -> Int[ndarray, " S"]:
        """The best pair of each state; the one chosen `now` unless another is better by more than
        `slack`."""
        top = np.maximum.reduceat(q, self.first)
        at_top = np.flatnonzero(q == top[self.owner])
        best = at_top[np.searchsorted(self.owner[at_top], np.arange(self.n_states))]
        return best if now is None else np.where(q[now] >= top - slack, now, best)

    def one_hot(self, chosen: Int[ndarray, " S"]) -> Float[ndarray, " N"]:
        """The policy that takes these pairs, as probabilities."""
        policy = np.zeros(len(self.owner))
        policy[chosen] = 1.0
        return policy

    def matrix(self, policy: Float[ndarray, " N"]) -> sparse.csr_array:
        """P_pi between the states, (S, S)."""
        policy = np.where(policy < NEGLIGIBLE, 0.0, policy)
        average = sparse.csr_array(
            (policy, (self.owner, np.arange(len(policy)))), shape=(self.n_states, len(policy))
        )
        moves = sparse.coo_array(average @ self.rows)
        columns = moves.col if self.merged is None else self.merged[moves.col]
        found = sparse.csr_array((moves.data, (moves.row, columns)), (self.n_states,) * 2)
        found.eliminate_zeros()
        return found

    def rounding(self, v: Float[ndarray, " S"]) -> float:
        """Largest rounding error of an entry of `value(q(v))`."""
        most = int(np.diff(np.append(self.first, len(self.owner))).max(initial=1))
        spread = 2 * most + 5 + 4 * math.log(most) if most > 1 else 0.0
        size = max(float(np.abs(v).max(initial=0.0)), self.scale)
        terms = (longest_row(self.rows) + 12) * size
        return UNIT * (terms + self.temperature * spread) * (1.0 + 1e-12)

    def _weights(self, q: Float[ndarray, " N"], top: Float[ndarray, " S"]) -> ndarray:
        with np.errstate(over="ignore", under="ignore"):
            found: ndarray = np.exp((q - top[self.owner]) / self.temperature)
        return found


def _row_of_entry(rows: sparse.csr_array) -> Int[ndarray, " E"]:
    return np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
