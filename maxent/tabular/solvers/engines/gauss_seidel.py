r"""Relaxation of the hard maximum: Gauss-Seidel sweeps from below, compiled by Numba.

A sweep puts each new value where the next state reads it, in the order of the states and then in
the opposite one: on a map a reward is known everywhere after two sweeps, where a sweep from old
values takes it one cell further.  Three things make it work:

- **From below.**  The start is the certified lower bound, so values only rise, and each state takes
  the best that has reached it.  From above, all that is still out of sight of a reward sinks by the
  cost of a step a sweep.
- **No waiting.**  A state that an action may not leave, with probability p, is solved for its own
  value: v = max_a (r + gamma P' v) / (1 - gamma p), P' without the diagonal.  It is the same fixed
  point, and a state that never ends has its value at once.
- **Few sweeps over all actions**: one both ways, then some of the actions that it chose.

Nothing here is trusted: the loop certifies by an application of the operator itself.

Large problems are cut into a fixed number of parts that read each other's values of the sweep
before, so that several threads compute what one does, to the bit.

Bertsekas, Dynamic Programming and Optimal Control II, 2.2 (Gauss-Seidel); Porteus (1975), Bounds
and transformations for discounted finite Markov decision chains (the diagonal).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP
from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.tabular.bounds import FixedPointBounds
from maxent.tabular.solvers.engines.elementary import compiled
from maxent.tabular.solvers.engines.threads import in_parts

PART, PARTS = 65_536, 4
"""States of a part at least; parts at most."""
MUCH = 0.8
"""The part of the states that is nearly everywhere."""


class Relaxation:
    """Gauss-Seidel sweeps over one MDP at temperature 0.

    sweep : compiled; takes the `tables`, then what `relaxed` takes after its own.
    """

    def __init__(
        self, mdp: MDP, bounds: FixedPointBounds, threads: int, sweep: Any, tables: tuple[Any, ...]
    ) -> None:
        self._bounds, self._threads, self._sweep, self._tables = bounds, threads, sweep, tables
        self._best = np.zeros(mdp.n_states, np.uint32)
        self._nonterminal = ~mdp.terminal

    def __call__(self, tv: ndarray, b: ndarray, pairs: int) -> ndarray:
        """Values from T V and b = T V - V: from where `start` begins all actions in both orders,
        then so many `pairs` of sweeps with the best ones."""
        v = self.start(tv, b)
        parts = max(1, min(PARTS, len(v) // PART))
        at_once = 2 * (1 + pairs) if parts == 1 else 1
        for sweep in range(0, 2 * (1 + pairs), at_once):
            before = None if parts == 1 else v.copy()
            given = (v, before, self._best, sweep, sweep + at_once, parts)
            in_parts(self._threads, self._sweep, parts, *self._tables, *given, least=1)
        return v

    def start(self, tv: ndarray, b: ndarray) -> ndarray:
        """The lower bound that b certifies, or, where b is much the same nearly everywhere, where V
        would be if it were the same: what all states lack alike is found slowly by sweeps."""
        rises = b[self._nonterminal]
        mean = float(np.add.reduce(rises)) / len(rises)
        near = rises[np.abs(rises - mean) <= 0.5 * abs(mean)]
        if len(near) >= MUCH * len(rises):
            shift = float(np.add.reduce(near)) / len(near) * self._bounds.gain_low
        else:
            shift = -self._bounds.shift(-float(rises.min()))
        return np.where(self._nonterminal, tv + shift, 0.0)


def of_rows(
    mdp: MDP,
    bounds: FixedPointBounds,
    threads: int,
    rows: tuple[ndarray, ndarray, ndarray],
    reward: ndarray,
) -> Relaxation:
    """The relaxation of stored transitions.

    rows : ends, successors and probabilities in CSR with row s*A + a.
    reward : (S, A), -inf where an action is not available.
    """
    *kept, factors = without_diagonal(*rows, mdp.discount, mdp.n_actions)
    tables = (*kept, reward * factors.reshape(reward.shape), mdp.terminal)
    return Relaxation(mdp, bounds, threads, relaxed, tables)


def of_directions(mdp: MatrixFreeMDP, bounds: FixedPointBounds, threads: int) -> Relaxation:
    """The relaxation of a matrix-free gridworld, which reads where each direction leads."""
    directions = mdp.directions
    paid_at = np.unique(np.concatenate([states for states, _ in directions.paid]))
    place = np.zeros(mdp.n_states, np.uint32)  # 0: pays nothing more than the step
    place[paid_at] = np.arange(1, len(paid_at) + 1)
    pays = np.zeros((len(paid_at) + 1, mdp.n_actions))
    for direction, (states, amounts) in enumerate(directions.paid):
        pays[place[states], direction] = amounts
    turns = np.array([turn % mdp.n_actions for turn, _ in directions.turns])
    probabilities = np.array([probability for _, probability in directions.turns])
    moves = (directions.target, place, pays, turns, probabilities, directions.step_reward)
    tables = (*moves, mdp.discount, directions.starts, mdp.terminal)
    return Relaxation(mdp, bounds, threads, relaxed_directions, tables)


@compiled
def without_diagonal(ends: Any, to: Any, chance: Any, discount: float, n_actions: int) -> Any:
    """gamma P without the diagonal, each row over 1 - gamma times its entry there: ends,
    successors, entries, and 1 / (1 - gamma p) of each row."""
    own_ends, own_to = np.zeros_like(ends), np.empty_like(to)
    own_chance, factors = np.empty_like(chance), np.empty(len(ends) - 1)
    count = 0
    for row in range(len(ends) - 1):
        state, start, stays = row // n_actions, count, 0.0
        for entry in range(ends[row], ends[row + 1]):
            if to[entry] == state:
                stays += chance[entry]
            else:
                own_to[count], own_chance[count] = to[entry], discount * chance[entry]
                count += 1
        factors[row] = 1.0 / (1.0 - discount * stays)
        own_ends[row + 1] = count
        for entry in range(start, count):
            own_chance[entry] *= factors[row]
    return own_ends, own_to[:count], own_chance[:count], factors


@compiled
def known(v: Any, before: Any, state: int, begin: int, end: int) -> float:
    """The value of a state: now where it is in the part from begin to end, else before the sweep;
    now everywhere where `before` is None, which is decided where this is compiled."""
    if before is None or begin <= state < end:
        found: float = v[state]
    else:
        found = before[state]
    return found


@compiled
def relaxed(
    ends: Any,
    to: Any,
    chance: Any,
    reward: Any,
    terminal: Any,
    v: Any,
    before: Any,
    best: Any,
    sweep_from: int,
    sweep_to: int,
    parts: int,
    first: int,
    last: int,
) -> None:
    """Sweeps `sweep_from` to `sweep_to` (several only where there is one part) over the parts from
    `first` to `last`, in place: backward and forward in turn, the first two over all actions, whose
    best is kept in `best`, the others with that one.

    before : the values of other parts, from before the sweep; None where there is one part."""
    n_states, n_actions = reward.shape
    for part in range(first, last):
        begin, end = n_states * part // parts, n_states * (part + 1) // parts
        for sweep in range(sweep_from, sweep_to):
            choose, backward = sweep < 2, sweep % 2 == 0
            for i in range(end - begin):
                s = end - 1 - i if backward else begin + i
                if terminal[s]:
                    continue
                top, chosen = -np.inf, best[s]
                for a in range(0 if choose else chosen, n_actions if choose else chosen + 1):
                    row = s * n_actions + a
                    total = reward[s, a]
                    for entry in range(ends[row], ends[row + 1]):
                        total += chance[entry] * known(v, before, to[entry], begin, end)
                    if total > top:
                        top, chosen = total, a
                v[s], best[s] = top, chosen


@compiled
def turned(direction: int, turn: int, count: int) -> int:
    """The direction after a turn, 0 <= turn < count; a remainder takes longer."""
    found = direction + turn
    return found - count if found >= count else found


@compiled
def relaxed_directions(
    target: Any,
    place: Any,
    pays: Any,
    turns: Any,
    probabilities: Any,
    step_reward: float,
    discount: float,
    starts: Any,
    terminal: Any,
    v: Any,
    before: Any,
    best: Any,
    sweep_from: int,
    sweep_to: int,
    parts: int,
    first: int,
    last: int,
) -> None:
    """As `relaxed`, for a matrix-free gridworld.  A restart has its value before the sweep."""
    n_actions, n_states = target.shape
    arrived, stays = np.empty(n_actions), np.empty(n_actions)
    for part in range(first, last):
        begin, end = n_states * part // parts, n_states * (part + 1) // parts
        for sweep in range(sweep_from, sweep_to):
            choose, backward = sweep < 2, sweep % 2 == 0
            start = 0.0
            for s in starts:
                start += known(v, before, s, 0, 0) / len(starts)
            for i in range(end - begin):
                s = end - 1 - i if backward else begin + i
                if terminal[s]:
                    continue
                top, chosen = -np.inf, best[s]
                for turn in range(n_actions if choose else len(turns)):  # the directions needed
                    d = turn if choose else turned(chosen, turns[turn], n_actions)
                    successor = target[d, s]
                    stays[d] = 1.0 if successor == s else 0.0
                    if successor == s:
                        value = 0.0
                    elif successor < 0:
                        value = start
                    else:
                        value = known(v, before, successor, begin, end)
                    arrived[d] = discount * value + pays[place[s], d]
                for a in range(0 if choose else chosen, n_actions if choose else chosen + 1):
                    total, own = step_reward, 0.0
                    for t in range(len(turns)):
                        d = turned(a, turns[t], n_actions)
                        total += probabilities[t] * arrived[d]
                        own += probabilities[t] * stays[d]
                    if own > 0.0:
                        total /= 1.0 - discount * own
                    if total > top:
                        top, chosen = total, a
                v[s], best[s] = top, chosen
