"""Sweeps over a matrix-free gridworld, compiled by Numba: no transitions are read at all.

In a block of states that stays in the processor's cache, V at the states that a direction leads to
is a stretch of V some steps away (`Directions`); the few states with another step, or with a
reward of their own there, are patched.  Actions average over directions, and the soft maximum
follows.  A state costs one read, one write, one exp an action and one logarithm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from maxent.mdp.directions import usual_steps
from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.tabular import operators
from maxent.tabular.solvers.engines.elementary import compiled, log
from maxent.tabular.solvers.engines.gauss_seidel import Relaxation, of_directions
from maxent.tabular.solvers.engines.rounding import directions_bounds
from maxent.tabular.solvers.engines.stored import BLOCK, soft_maximum
from maxent.tabular.solvers.engines.threads import LEAST, in_parts


class StencilKernel:
    """The soft Bellman operator of a matrix-free MDP, as `kernels.SoftKernel`, compiled."""

    def __init__(self, mdp: MatrixFreeMDP, temperature: float, threads: int) -> None:
        directions = mdp.directions
        self.mdp, self.temperature, self.log_prior = mdp, temperature, None
        self.threads = threads
        self.bounds = directions_bounds(mdp, temperature)
        self._restarts = directions.restarts
        self._tables = tables(directions)
        self._starts = directions.starts
        self._turns = np.array([turn for turn, _ in directions.turns])
        self._probabilities = np.array([probability for _, probability in directions.turns])
        self._v = self._last = np.zeros(mdp.n_states)
        self._relaxation: Relaxation | None = None

    def improve(self, q: ndarray, tie_tolerance: float = 0.0) -> ndarray:
        """The Boltzmann policy of q, as logs; at temperature 0 q within `tie_tolerance` ties."""
        return operators.boltzmann_policy(q, self.temperature, None, tie_tolerance)

    def apply(self, v: ndarray) -> ndarray:
        """T V, 0 at terminal states."""
        self._v, self._last = v, np.empty_like(v)
        self._into(v, self._last)
        return self._last

    def sweep_on(self, sweeps: int) -> ndarray:
        """What so many sweeps more add to the last `apply`."""
        v, spare = self._last.copy(), np.empty_like(self._last)
        for _ in range(sweeps):
            self._into(v, spare)
            v, spare = spare, v
        v -= self._last
        return v

    def evaluate(self, b: ndarray, sweeps: int, enough: float) -> ndarray:
        """As good as an evaluation of the policy: so many sweeps more, over all actions."""
        found: ndarray = b + self.sweep_on(sweeps)
        return found

    def relax(self, b: ndarray, pairs: int) -> ndarray:
        """What Gauss-Seidel sweeps add to V, at temperature 0."""
        if self._relaxation is None:
            self._relaxation = of_directions(self.mdp, self.bounds, self.threads)
        return self._relaxation(self._last, b, pairs) - self._v

    def _into(self, v: ndarray, found: ndarray) -> None:
        directions = self.mdp.directions
        start = float(v[self._starts].mean()) if self._restarts else 0.0
        blocks = len(self._tables[0])
        in_parts(
            self.threads,
            stencil_sweep,
            blocks,
            *self._tables,
            self._turns,
            self._probabilities,
            directions.step_reward,
            self.mdp.terminal,
            start,
            self.mdp.discount,
            self.temperature,
            v,
            found,
            least=LEAST // BLOCK,
        )


def tables(directions: Any) -> tuple[ndarray, ndarray, ndarray, ndarray, ndarray]:
    """What a sweep reads of the directions.

    steps (blocks, D); patches of each direction, one after another: ends (D, blocks + 1), states,
    targets and pays."""
    steps, ends, states, targets, pays = [], [], [], [], []
    n_states, count = len(directions.terminal), 0
    edges = np.append(np.arange(0, n_states, BLOCK), n_states)
    for target, (paid_at, amounts) in zip(directions.target, directions.paid):
        pays_here = np.zeros(n_states, dtype=bool)
        pays_here[paid_at] = True
        usual, patched = usual_steps(target, BLOCK, pays_here)
        patched = patched[~directions.terminal[patched]]
        pay = np.zeros(len(patched))
        pay[np.searchsorted(patched, paid_at)] = amounts
        steps.append(usual)
        ends.append(count + np.searchsorted(patched, edges))
        states.append(patched.astype(np.uint32))
        targets.append(target[patched])
        pays.append(pay)
        count += len(patched)
    return (
        np.array(steps).T.astype(np.int64, order="C"),
        np.array(ends),
        np.concatenate(states),
        np.concatenate(targets),
        np.concatenate(pays),
    )


@compiled
def stencil_sweep(
    steps: Any,
    ends: Any,
    states: Any,
    targets: Any,
    pays: Any,
    turns: Any,
    probabilities: Any,
    step_reward: float,
    terminal: Any,
    start: float,
    discount: float,
    temperature: float,
    v: Any,
    found: Any,
    first: int,
    last: int,
) -> None:
    """T V of the states in the blocks from `first` to `last`."""
    n_actions, n_states = steps.shape[1], len(v)
    arrived, scores = np.empty((n_actions, BLOCK)), np.empty((n_actions, BLOCK))
    top, total = np.empty(BLOCK), np.empty(BLOCK)
    for block in range(first, last):
        begin = block * BLOCK
        count = min(BLOCK, n_states - begin)
        for d in range(n_actions):
            here, from_ = arrived[d], begin + steps[block, d]
            if from_ >= 0 and from_ + count <= n_states:
                near = v[from_ : from_ + count]
                for i in range(count):
                    here[i] = discount * near[i]
            else:
                for i in range(count):
                    here[i] = discount * v[min(max(from_ + i, 0), n_states - 1)]
            for patch in range(ends[d, block], ends[d, block + 1]):
                at = start if targets[patch] < 0 else v[targets[patch]]
                here[states[patch] - begin] = discount * at + pays[patch]
        for a in range(n_actions):
            row = scores[a]
            near = arrived[(a + turns[0]) % n_actions]
            for i in range(count):
                row[i] = probabilities[0] * near[i]
            for t in range(1, len(turns)):
                near = arrived[(a + turns[t]) % n_actions]
                for i in range(count):
                    row[i] += probabilities[t] * near[i]
            for i in range(count):
                row[i] += step_reward
        if temperature == 0.0:
            for i in range(count):
                top[i] = scores[0, i]
            for a in range(1, n_actions):
                for i in range(count):
                    top[i] = max(top[i], scores[a, i])
        else:
            soft_maximum(scores, top, total, temperature, count)
            for i in range(count):
                top[i] += temperature * log(total[i])
        for i in range(count):
            found[begin + i] = 0.0 if terminal[begin + i] else top[i]
