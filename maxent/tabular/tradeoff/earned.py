"""What many policies of one MDP earn from the initial distribution: return and entropy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy import ndarray

from maxent.support.shapes import Bool, Float
from maxent.tabular.bounds import UNIT, FixedPointBounds
from maxent.tabular.occupancy import occupancy
from maxent.tabular.solvers.many import PolicyColumns, Rows, sweep_columns


def earned(
    rows: Rows,
    log_policies: Float[ndarray, "A S K"],
    base: Float[ndarray, "S A"],
    bounds: Sequence[FixedPointBounds],
    mixing: Bool[ndarray, " K"],
) -> Float[ndarray, "2 K"]:
    """Return and discounted entropy of each policy: those of `mixing` policies by sweeps at once,
    as long as these arrive soon, others from the occupancy.

    base : log prior.  bounds : of a soft operator with the policy's support.
    """
    mdp, nonterminal = rows.mdp, ~rows.mdp.terminal[:, None]
    policies = np.exp(log_policies)
    policies /= policies.sum(axis=0)
    with np.errstate(invalid="ignore"):
        costs = np.where(policies > 0.0, log_policies - base.T[:, :, None], 0.0)
    nats = np.where(nonterminal, 0.0 - (policies * costs).sum(axis=0), 0.0)
    found = np.full((2, len(bounds)), np.nan)
    if mixing.any():
        swept = policies[..., mixing]
        paid = np.where(nonterminal, (swept * mdp.reward.T[:, :, None]).sum(axis=0), 0.0)
        rewards = np.stack([paid, nats[:, mixing]], axis=1)
        more = UNIT * (2 * mdp.n_actions + 4)
        each = [
            replace(bounds[k], relative=bounds[k].relative + more, scale=scale)
            for kind in np.abs(rewards).max(axis=0).tolist()
            for k, scale in zip(np.flatnonzero(mixing).tolist(), kind, strict=True)
        ]
        start = np.zeros((mdp.n_states, len(each)))
        values, arrived = sweep_columns(PolicyColumns(rows, swept, rewards), each, start)
        values[:, ~arrived] = np.nan
        found[:, mixing] = (mdp.initial_distribution @ values).reshape(2, -1)
    for k in np.flatnonzero(np.isnan(found).any(axis=0)):
        visits = occupancy(mdp, np.ascontiguousarray(policies[..., k].T))
        found[:, k] = (visits * mdp.reward).sum(), visits.sum(axis=1) @ nats[:, k]
    return found + 0.0
