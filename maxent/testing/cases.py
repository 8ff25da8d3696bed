"""The MDPs that a solver is tried on, how a failing one is made smaller, and how it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from maxent.errors import MaxEntError
from maxent.mdp import MDP, require_mdp
from maxent.mdp.random_mdps import garnet
from maxent.support.arguments import require_count, require_kind

TEMPERATURES = (0.1, 0.5, 2.0)
"""Away from 1, where many mistakes with the temperature do not show."""


def default_mdps(seed: int = 0) -> list[MDP]:
    """Small dense MDPs, each for a mistake of its own, and random ones; smallest first."""
    seed = require_count("seed", seed, minimum=0)
    stay = [[1.0, 0.0], [0.0, 1.0]]
    chosen = [
        MDP(np.ones((1, 2, 1)), [[0.0, 1.0]], discount=0.5),
        MDP(np.ones((1, 3, 1)), [[0.0, 1.0, -2.0]], discount=0.9),
        MDP(np.ones((1, 3, 1)), [[1000.0, 0.0, 999.5]], discount=0.5),  # exp(q/alpha) overflows
        MDP([stay, stay], [[1.0, 0.5], [0.0, 0.0]], discount=0.5, terminal=[False, True]),
        MDP(
            [[[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0]] * 3],
            [[0.0, 1.0, 5.0], [0.0, 2.0, 1.0]],
            discount=0.8,
            action_mask=[[True, True, False], [False, True, True]],
        ),
        _chain(0.5),
        _chain(0.9),
        MDP([stay, stay], [[-1.0, 0.5], [0.3, -0.2]], discount=0.0),
    ]
    families: list[dict] = [
        {},
        {"terminal": 1},
        {"absorbing": 1},
        {"masked": 0.4},
        {"branching": 1},
        {"branching": 2, "terminal": 1, "masked": 0.3},
    ]
    for number, family in enumerate(families):
        for size, discount in ((3, 0.9), (5, 0.6)):
            mdp = garnet(size, 2 + number % 2, discount=discount, seed=seed + number, **family)
            chosen.append(mdp.to_dense())
    chosen += [garnet(3, 2, discount=0.99, seed=seed), garnet(3, 2, discount=0.999, seed=seed)]
    return sorted(chosen, key=size_of)


def _chain(discount: float) -> MDP:
    """Every action goes on to the next of 3 states, the last to a terminal one: no cycle, so even
    an undiscounted sum settles."""
    transition = np.zeros((4, 2, 4))
    transition[[0, 1, 2], :, [1, 2, 3]] = 1.0
    reward = [[0.0, 1.0], [0.5, -0.5], [1.0, 0.2], [0.0, 0.0]]
    return MDP(transition, reward, discount=discount, terminal=[False, False, False, True])


def size_of(mdp: MDP) -> tuple[int, int, int]:
    """For ordering: states times actions, then features, then digits of the numbers."""
    features = int(mdp.terminal.sum() + (~mdp.action_mask).sum())
    return mdp.n_states * mdp.n_actions, features, len(as_code(mdp))


def shrink(mdp: MDP, fails: Callable[[MDP], bool], budget: int = 150) -> MDP:
    """A smaller MDP that still fails, by greedy removal of states, actions, features, digits."""
    found, spent = mdp.to_dense(), 0
    again = True
    while again:
        again = False
        for smaller in _simpler(found):
            if size_of(smaller) >= size_of(found):
                continue
            if spent >= budget:
                return found
            spent += 1
            if fails(smaller):
                found, again = smaller, True
                break
    return found


def _simpler(mdp: MDP) -> Iterator[MDP]:
    """Simplifications of a dense MDP, the boldest first; only those that are MDPs."""
    n_states, n_actions = mdp.reward.shape
    p, r = np.array(mdp.transition), np.array(mdp.reward)
    terminal, mask = np.array(mdp.terminal), np.array(mdp.action_mask)

    def made(p=p, r=r, terminal=terminal, mask=mask, discount=mdp.discount):  # type: ignore
        rows = np.where((mask & ~terminal[:, None])[:, :, None], p, 0.0)
        for s, a in np.argwhere((rows.sum(axis=2) == 0.0) & mask & ~terminal[:, None]):
            rows[s, a, s] = 1.0
        total = rows.sum(axis=2, keepdims=True)
        rows = np.divide(rows, total, out=rows, where=total > 0.0)
        try:
            return [MDP(rows, r, discount=discount, terminal=terminal, action_mask=mask)]
        except MaxEntError:  # no state left, or a state without actions
            return []

    for s in range(n_states if n_states > 1 else 0):
        kept = np.arange(n_states) != s
        yield from made(p[kept][:, :, kept], r[kept], terminal[kept], mask[kept])
    for a in range(n_actions if n_actions > 1 else 0):
        kept = np.arange(n_actions) != a
        yield from made(p[:, kept], r[:, kept], terminal, mask[:, kept])
    for end in np.flatnonzero(terminal):
        yield from made(terminal=terminal & (np.arange(n_states) != end))
    for s, a in np.argwhere(~mask):
        opened = mask.copy()
        opened[s, a] = True
        yield from made(mask=opened)
    yield from made(p=np.eye(n_states)[p.argmax(axis=2)])
    yield from made(r=np.round(r))
    yield from made(r=np.round(r, 1))
    yield from made(discount=0.5)
    for s, a in np.argwhere(r != 0.0):
        lowered = r.copy()
        lowered[s, a] = 0.0
        yield from made(r=lowered)
    yield from made(p=np.round(p, 2))


def as_code(mdp: MDP, name: str = "mdp") -> str:
    """Python that makes the same MDP again, number for number (names and grid left out)."""
    require_kind("name", name, str)
    dense = require_mdp(mdp).to_dense()
    lines = [f"    {dense.transition.tolist()},", f"    {dense.reward.tolist()},"]
    lines.append(f"    discount={mdp.discount!r},")
    if mdp.terminal.any():
        lines.append(f"    terminal={mdp.terminal.tolist()},")
    if not mdp.action_mask.all():
        lines.append(f"    action_mask={mdp.action_mask.tolist()},")
    nonterminal = ~mdp.terminal
    if not np.array_equal(mdp.initial_distribution, nonterminal / max(nonterminal.sum(), 1)):
        lines.append(f"    initial_distribution={mdp.initial_distribution.tolist()},")
    return "\n".join([f"{name} = maxent.MDP(", *lines, ")"])
