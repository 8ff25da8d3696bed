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

from maxent.tabular.solvers.engines.elementary import compiled
from maxent.tabular.solvers.engines.threads import in_parts

PART, PARTS = 65_536, 4
"""States of a part at least; parts at most."""


class Relaxation:
    """The rows of an MDP without their diagonals, and sweeps over them.

    ends, to, chance: the transition in CSR with row s*A + a; reward: (S, A), -inf where an action
    is not available; terminal: (S,).
    """

    def __init__(
        self,
        ends: ndarray,
        to: ndarray,
        chance: ndarray,
        discount: float,
        reward: ndarray,
        terminal: ndarray,
    ) -> None:
        self._ends, self._to, self._chance, factors = without_diagonal(
            ends, to, chance, discount, reward.shape[1]
        )
        self._reward = reward * factors.reshape(reward.shape)
        self._terminal = terminal
        self._best = np.zeros(len(reward), np.uint32)

    def __call__(self, v: ndarray, pairs: int, threads: int) -> None:
        """Raise v in place: all actions in both orders, then so many `pairs` with the best ones."""
        parts = max(1, min(PARTS, len(v) // PART))
        for sweep in range(2 * (1 + pairs)):
            in_parts(
                threads,
                relaxed,
                parts,
                self._ends,
                self._to,
                self._chance,
                self._reward,
                self._terminal,
                v,
                None if parts == 1 else v.copy(),
                self._best,
                sweep < 2,
                sweep % 2 == 0,
                parts,
                least=1,
            )


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
def relaxed(
    ends: Any,
    to: Any,
    chance: Any,
    reward: Any,
    terminal: Any,
    v: Any,
    before: Any,
    best: Any,
    choose: bool,
    backward: bool,
    parts: int,
    first: int,
    last: int,
) -> None:
    """One sweep over the parts from `first` to `last`, in place.

    before : the values of other parts, from before the sweep; None where there is one part.
    choose : take the best of all actions and keep it in `best`; else the one kept there."""
    n_states, n_actions = reward.shape
    for part in range(first, last):
        begin, end = n_states * part // parts, n_states * (part + 1) // parts
        for i in range(end - begin):
            s = end - 1 - i if backward else begin + i
            if terminal[s]:
                continue
            top, chosen = -np.inf, best[s]
            for a in range(0 if choose else chosen, n_actions if choose else chosen + 1):
                row = s * n_actions + a
                total = reward[s, a]
                for entry in range(ends[row], ends[row + 1]):
                    successor = to[entry]
                    if before is None:  # noqa: SIM114 (decided where this is compiled)
                        total += chance[entry] * v[successor]
                    elif begin <= successor < end:
                        total += chance[entry] * v[successor]
                    else:
                        total += chance[entry] * before[successor]
                if total > top:
                    top, chosen = total, a
            v[s], best[s] = top, chosen
