r"""Where one can stay for ever, and where an end is within reach: by the pattern of P alone.

An **end component** is a set of states with actions that never leave it and by which each of its
states is reached from each other one.  Whatever the policy, a play that never ends spends all but
finitely many of its steps in one of them (de Alfaro 1997): whether an undiscounted sum is finite is
decided there (FIRST-EXIT).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.support.shapes import Bool, Int
from maxent.tabular.solvers.pairs import Pairs


@dataclass(frozen=True, eq=False)
class EndComponent:
    """A maximal end component.

    states : ascending.  kept : (N,), the pairs that never leave it.
    """

    states: Int[ndarray, " M"]
    kept: Bool[ndarray, " N"]


def end_components(pairs: Pairs, allowed: Bool[ndarray, " N"] | None = None) -> list[EndComponent]:
    """The maximal end components of the allowed pairs that cannot end the episode.

    Strongly connected parts are found, pairs that leave theirs are dropped, and so on until none
    does.
    """
    kept = ~pairs.ends if allowed is None else allowed & ~pairs.ends
    rows, n = pairs.rows, pairs.n_states
    heads = rows.indices if pairs.merged is None else pairs.merged[rows.indices]
    entry_pair = pairs.row_of_entry
    kept = _without_dead_ends(pairs, kept, heads, entry_pair)
    while True:
        used = kept[entry_pair]
        graph = sparse.csr_array(
            (np.ones(int(used.sum())), (pairs.owner[entry_pair[used]], heads[used])), (n, n)
        )
        label = sparse.csgraph.connected_components(graph, connection="strong")[1]
        leaving = used & (label[pairs.owner[entry_pair]] != label[heads])
        if not leaving.any():
            break
        kept = kept.copy()
        kept[entry_pair[leaving]] = False
        kept = _without_dead_ends(pairs, kept, heads, entry_pair)
    alive = np.zeros(n, dtype=bool)
    alive[pairs.owner[kept]] = True
    states = np.flatnonzero(alive)
    order = states[np.argsort(label[states], kind="stable")]
    parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []
    return [
        EndComponent(part, kept & (label[pairs.owner] == label[part[0]]))
        for part in sorted(parts, key=lambda part: int(part[0]))
    ]


def reaching(pairs: Pairs) -> tuple[Bool[ndarray, " S"], Int[ndarray, " S"]]:
    """Where an end is within reach, and for each such state a pair that comes one step nearer with
    positive probability (these make a policy that surely ends); -1 elsewhere."""
    heads = pairs.rows.indices if pairs.merged is None else pairs.merged[pairs.rows.indices]
    into = _pairs_into(pairs, heads, pairs.row_of_entry)
    chosen = np.full(pairs.n_states, -1)
    new = np.flatnonzero(pairs.ends)
    while len(new):
        fresh = new[chosen[pairs.owner[new]] < 0]
        states, at = np.unique(pairs.owner[fresh], return_index=True)
        chosen[states] = fresh[at]
        new = _of(into, states)
    return chosen >= 0, chosen


def _without_dead_ends(
    pairs: Pairs, kept: Bool[ndarray, " N"], heads: ndarray, entry_pair: ndarray
) -> Bool[ndarray, " N"]:
    """The pairs left when those are dropped, again and again, that lead to a state without any."""
    kept, into = kept.copy(), _pairs_into(pairs, heads, entry_pair)
    count = np.bincount(pairs.owner[kept], minlength=pairs.n_states)
    dead = np.flatnonzero(count == 0)
    while len(dead):
        hit = np.unique(_of(into, dead))
        hit = hit[kept[hit]]
        kept[hit] = False
        owners = pairs.owner[hit]
        np.subtract.at(count, owners, 1)
        dead = np.unique(owners[count[owners] == 0])
    return kept


def _pairs_into(pairs: Pairs, heads: ndarray, entry_pair: ndarray) -> tuple[ndarray, ndarray]:
    """The pairs that can lead to each state: in the order of the states, and where each begins."""
    order = np.argsort(heads, kind="stable")
    return entry_pair[order], np.searchsorted(heads[order], np.arange(pairs.n_states + 1))


def _of(into: tuple[ndarray, ndarray], states: Int[ndarray, " M"]) -> Int[ndarray, " K"]:
    """The pairs that can lead to one of these states."""
    listed, begin = into
    counts = begin[states + 1] - begin[states]
    if not counts.sum():
        return np.empty(0, dtype=int)
    shift = np.repeat(begin[states] - np.append(0, np.cumsum(counts)[:-1]), counts)
    found: Int[ndarray, " K"] = listed[np.arange(counts.sum()) + shift]
    return found
