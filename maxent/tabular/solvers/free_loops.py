"""Discount 1 at temperature 0: states between which one moves for free count as one.

In an end component whose steps all pay exactly 0 one can go anywhere, or stay, at no cost: its
states have one value, the larger of 0 (stay for ever) and the best of leaving.  The Bellman
equation alone does not say so (any larger constant solves it too); with the component as a single
state, its free steps left out and "stay for ever" as an action worth 0, it does (FIRST-EXIT).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from maxent.tabular.solvers.end_components import end_components
from maxent.tabular.solvers.pairs import Pairs


def without_free_loops(pairs: Pairs) -> Pairs:
    """The problem with each free component as one state; `merged` says which state became which."""
    found = end_components(pairs, pairs.paid == 0.0)
    if not found:
        return pairs
    old = np.arange(pairs.n_states)
    free = np.zeros(len(pairs.owner), dtype=bool)
    for component in found:
        old[component.states] = component.states[0]
        free |= component.kept
    numbers, merged = np.unique(old, return_inverse=True)
    kept = np.flatnonzero(~free)
    stays = merged[[component.states[0] for component in found]]
    owner = np.concatenate([merged[pairs.owner[kept]], stays])
    order = np.argsort(owner, kind="stable")
    nothing = sparse.csr_array((len(stays), pairs.rows.shape[1]))
    return replace(
        pairs,
        rows=sparse.csr_array(sparse.vstack([pairs.rows[kept], nothing], format="csr"))[order],
        paid=np.concatenate([pairs.paid[kept], np.zeros(len(stays))])[order],
        owner=owner[order],
        n_states=len(numbers),
        ends=np.concatenate([pairs.ends[kept], np.ones(len(stays), dtype=bool)])[order],
        merged=merged,
    )
