"""The problems that solvers are timed on: gridworlds on several maps, random and dense MDPs.

One map is never enough for a size: which actions tie, how far rewards travel and whether episodes
end decide which method is ahead.  A row is a size and a map, such as `grid 100 rooms`.

The map `middle` has a terminal goal in the middle; all the others have it in the bottom right
corner, where the agent stays (`corner`, `still`, `rooms`) or is put back to the start (`restart`).
Slip is .2, in `still` 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

import maxent

GRIDS = (30, 100, 316, 1000)
MAPS = ("corner", "middle", "rooms", "restart", "still")
RANDOM = (1_000, 10_000, 100_000)
DENSE = (200, 500, 1000)
SLIP = 0.2


def rows(grids: tuple[int, ...] = GRIDS[:3]) -> dict[str, Callable[[float], Any]]:
    """Every row by its name: a function from the discount to the MDP."""
    found: dict[str, Callable[[float], Any]] = {}
    for size in grids:
        for kind in MAPS:
            found[f"grid {size} {kind}"] = lambda gamma, n=size, kind=kind: grid(n, kind, gamma)
    for size in RANDOM:
        found[f"random {size}"] = lambda gamma, n=size: maxent.garnet(
            n, 4, branching=5, discount=gamma, seed=1
        )
    for size in DENSE:
        found[f"dense {size}"] = lambda gamma, n=size: maxent.garnet(n, 4, discount=gamma, seed=1)
    found["dense 1000 by state"] = lambda gamma: by_state(found["dense 1000"](gamma))
    return found


def by_state(mdp: Any) -> Any:
    """The same transitions with rewards that depend on the state alone."""
    return maxent.MDP(mdp.transition, mdp.reward[:, 0], discount=mdp.discount)


def grid(size: int, kind: str, discount: float) -> Any:
    """A gridworld of size x size cells, one of `MAPS`."""
    cells = np.full((size, size), ".")
    cells[0, 0] = "S"
    goal = (size // 2, size // 2) if kind == "middle" else (size - 1, size - 1)
    if kind == "rooms":
        _build_walls(cells)
    cells[goal] = "G"
    return maxent.gridworld(
        "\n".join("".join(line) for line in cells),
        discount=discount,
        slip=0.0 if kind == "still" else SLIP,
        goals={"middle": "terminal", "restart": "restart"}.get(kind, "absorbing"),
    )


def _build_walls(cells: np.ndarray) -> None:
    """Rooms of about 10 x 10 cells, each wall between two of them with one door."""
    size, rng = len(cells), np.random.default_rng(7)
    walls = range(10, size - 1, 11)
    for at in walls:
        cells[at, :] = cells[:, at] = "#"
    for at in walls:
        for begin in (0, *(wall + 1 for wall in walls)):
            end = min([wall for wall in walls if wall > begin] + [size])
            cells[at, rng.integers(begin, end)] = "."
            cells[rng.integers(begin, end), at] = "."


def for_peers(mdp: Any) -> tuple[Any, np.ndarray]:
    """(transition, reward) of an MDP for packages that know no terminal states: (S*A, S) rows in
    which they stay where they are and earn 0, and rewards (S, A).  Every action is available."""
    n_actions = mdp.n_actions
    assert mdp.action_mask.all()
    ends = np.flatnonzero(mdp.terminal)
    ends_rows = (ends[:, None] * n_actions + np.arange(n_actions)).ravel()
    stays = sparse.csr_array(
        (np.ones(len(ends_rows)), (ends_rows, np.repeat(ends, n_actions))),
        shape=mdp.transition_rows.shape,
    )
    rows = mdp.transition_rows + (stays if mdp.is_sparse else stays.toarray())
    return rows, mdp.reward
