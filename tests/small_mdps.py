"""Small MDPs of every kind, for what is compared with 60 digits."""

from __future__ import annotations

import numpy as np
from scipy import sparse

import maxent


def ended() -> maxent.MDP:
    """One state, which is terminal, with two actions."""
    return maxent.MDP(
        np.zeros((1, 2, 1)),
        np.zeros((1, 2)),
        discount=0.9,
        terminal=[True],
        initial_distribution=[1.0],
    )


def family(name: str, discount: float, seed: int = 0) -> tuple[maxent.MDP, np.ndarray | None]:
    """A small MDP of a kind, and a prior for one of them."""
    rng = np.random.default_rng(seed)
    n, m = 4, 3
    p = rng.dirichlet(np.full(n, 0.5), size=(n, m))
    reward = rng.normal(size=(n, m))
    settings: dict = {"discount": discount}
    prior = None
    if name == "sparse":
        rows = p.reshape(n * m, n) * (rng.random((n * m, n)) < 0.6)
        rows[:, 0] += 1e-3
        p = sparse.csr_array(rows / rows.sum(axis=1, keepdims=True))
    elif name == "masked":
        settings["action_mask"] = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 1]], dtype=bool)
    elif name == "terminal":
        settings["terminal"] = [2]
    elif name == "absorbing":
        p[1] = np.eye(n)[1]
        p[3] = np.eye(n)[3]
    elif name == "prior":
        prior = rng.dirichlet(np.ones(m), size=n)
        prior[0] = [0.25, 0.75, 0.0]
    elif name == "rows off by 1e-9":
        p *= 1.0 + 0.9e-9 * np.where(rng.random((n, m, 1)) < 0.5, 1.0, -1.0)
        settings["terminal"] = [1]
    elif name == "tied":
        p[:] = p[:, :1]
        reward[:] = reward[:, :1]
    return maxent.MDP(p, reward, **settings), prior


FAMILIES = (
    "dense",
    "sparse",
    "masked",
    "terminal",
    "absorbing",
    "prior",
    "rows off by 1e-9",
    "tied",
)
TEMPERATURES = (0.0, 1e-300, 1e-8, 1e-2, 1.0, 1e4, 1e8)
DISCOUNTS = (0.0, 0.5, 0.95, 0.9999)
