"""Dynamics without stored transitions: each action is a few directions, each direction one step.

Action a of D leads in direction (a + turn) mod D with the turn's probability, and from every state
a direction leads to one state.  In a gridworld most states of a direction have the same step (one
row up is so many states back), so that a sweep reads contiguous numbers; what is not so (walls,
edges, portals) is looked up, state by state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.support.arrays import ReadOnly
from maxent.support.memory import require_memory
from maxent.support.shapes import Bool, Float, Int

RESTART = -1
"""A successor that stands for "a start, drawn at random"."""

BYTES_PER_ENTRY = 110
"""Peak of building the matrices of an MDP, per outcome of a state and action."""


@dataclass(frozen=True, eq=False)
class Directions(ReadOnly):
    """Where each direction leads, what it pays, and how actions choose among directions.

    target : int32 (D, S), the next state, or RESTART.
    paid : for each direction the states (N,) where it pays something on top of the step reward,
        and what (N,).
    turns : (offset, probability) of each direction that an action may take.
    step_reward : paid for each step.
    starts : (N,), the states that a restart leads to, all equally likely.
    terminal : bool (S,); what their columns say means nothing.
    """

    target: ndarray
    paid: tuple[tuple[ndarray, ndarray], ...]
    turns: tuple[tuple[int, float], ...]
    step_reward: float
    starts: ndarray
    terminal: ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """States and actions."""
        n_actions, n_states = self.target.shape
        return n_states, n_actions

    @property
    def longest_row(self) -> int:
        """An upper bound on the number of successors of a state and action."""
        restarts = len(self.starts) if self.restarts else 0
        return len(self.turns) + restarts

    @cached_property
    def restarts(self) -> bool:
        """Whether any direction leads to a start drawn at random."""
        return any(bool((target == RESTART).any()) for target in self.target)

    @cached_property
    def _steps(self) -> list[tuple[int, ndarray, ndarray]]:
        """For each direction its usual step, and the states with another and their targets."""
        found = []
        for target in self.target:
            steps, states = usual_steps(target, len(target))
            found.append((int(steps[0]), states, target[states].astype(np.intp)))
        return found

    def arrivals(self, x: Float[ndarray, " S"]) -> Iterator[Float[ndarray, " S"]]:
        """x at the state that each direction leads to, (S,) for one direction after another."""
        n_states = len(x)
        start = float(x[self.starts].mean()) if self.restarts else 0.0
        for step, states, targets in self._steps:
            found = np.empty_like(x)
            first, last = max(0, -step), min(n_states, n_states - step)
            found[first:last] = x[first + step : last + step]
            found[states] = np.where(targets == RESTART, start, x[targets])
            yield found

    def __matmul__(self, x: Float[ndarray, " S"]) -> Float[ndarray, " AS"]:
        """E[x(s')] for each action and state, action-major: (S,) -> (A * S,); 0 from terminal."""
        n_actions, n_states = self.target.shape
        arrived = list(self.arrivals(x))
        found = self._averaged(arrived)
        found[:, self._terminal] = 0.0
        return found.reshape(n_actions * n_states)

    @cached_property
    def _terminal(self) -> ndarray:
        return np.flatnonzero(self.terminal)

    def _averaged(self, arrived: list[ndarray]) -> Float[ndarray, "A S"]:
        """What each action gets on average from what each direction gets."""
        n_actions = len(arrived)
        found = np.empty(self.target.shape)
        for action, row in enumerate(found):
            (first, probability), *others = self.turns
            np.multiply(arrived[(action + first) % n_actions], probability, out=row)
            for turn, probability in others:
                row += probability * arrived[(action + turn) % n_actions]
        return found

    def reward(self) -> Float[ndarray, "S A"]:
        """The expected reward of each state and action, 0 at terminal states."""
        n_states, n_actions = self.shape
        found = np.full((n_states, n_actions), self.step_reward)
        for direction, (states, amounts) in enumerate(self.paid):
            for turn, probability in self.turns:
                found[states, (direction - turn) % n_actions] += probability * amounts
        found[self.terminal] = 0.0
        return found

    def pay(self) -> Float[ndarray, "D S"]:
        """What each direction pays on top of the step reward."""
        found = np.zeros(self.target.shape)
        for row, (states, amounts) in zip(found, self.paid):
            row[states] = amounts
        return found

    def matrices(self) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Transition probabilities and rewards, CSR (S*A, S) of one pattern, duplicates merged.

        Raises MemoryBudgetError, before anything is made, where they would not fit."""
        moves, n_states = self.target.shape
        require_memory(
            BYTES_PER_ENTRY * n_states * moves * len(self.turns),
            f"the stored transition of {n_states} states with {moves} actions",
            "what needs it cannot be done at this size; maxent.solve(mdp, temperature) can",
        )
        turns = np.array(self.turns)
        directions = (np.arange(moves)[:, None] + turns[:, 0].astype(int)) % moves
        states = np.flatnonzero(~self.terminal)
        successor = self.target[directions, states[:, None, None]].ravel()  # state, action, turn
        probability = np.tile(turns[:, 1], len(states) * moves)
        weighted = self.pay()[directions, states[:, None, None]].ravel()
        weighted *= probability
        lengths = np.repeat(np.where(self.terminal, 0, len(turns)), moves)

        restarts = successor == RESTART
        if restarts.any():  # one entry for each start
            starts = self.starts
            require_memory(
                BYTES_PER_ENTRY * int(restarts.sum()) * len(starts),
                f"{restarts.sum()} transitions to any of {len(starts)} starts",
                "name a start (S)",
            )
            entries = np.where(restarts, len(starts), 1)
            lengths[lengths > 0] = entries.reshape(-1, len(turns)).sum(axis=1)
            successor = np.repeat(successor, entries)
            successor[successor == RESTART] = np.tile(starts, restarts.sum())
            probability = np.repeat(probability / entries, entries)
            weighted = np.repeat(weighted / entries, entries)
        del restarts

        ends = np.concatenate([[0], np.cumsum(lengths)])
        if ends[-1] <= np.iinfo(np.int32).max:  # one 64-bit array would make all indices 64-bit
            ends = ends.astype(np.int32)
        shape = (n_states * moves, n_states)
        mean = sparse.csr_array((weighted, successor.copy(), ends.copy()), shape)
        rows = sparse.csr_array((probability, successor, ends), shape)  # sorted in place below
        rows.sum_duplicates()
        mean.sum_duplicates()
        mean.data /= rows.data
        mean.data += self.step_reward
        return rows, mean


def usual_steps(
    target: Int[ndarray, " S"], block: int, differs: Bool[ndarray, " S"] | None = None
) -> tuple[Int[ndarray, " B"], Int[ndarray, " N"]]:
    """The step (target - state) that most states of each block have, and the states with another.

    differs : states that count as having another in any case.
    """
    n_states = len(target)
    step = target - np.arange(n_states, dtype=target.dtype)
    firsts = np.arange(0, n_states, block)
    lasts = np.minimum(firsts + block, n_states)
    best = np.zeros(len(firsts), dtype=target.dtype)
    most = np.full(len(firsts), -1)
    for part in (1, 3, 5):  # sixths of a block: the step of one of these states
        trial = step[firsts + (lasts - firsts) * part // 6]
        alike = step == np.repeat(trial, lasts - firsts)
        count = np.add.reduceat(alike, firsts, dtype=np.int64)
        best = np.where(count > most, trial, best)
        most = np.maximum(count, most)
    other = step != np.repeat(best, lasts - firsts)
    other |= target == RESTART
    if differs is not None:
        other |= differs
    return best, np.flatnonzero(other)
