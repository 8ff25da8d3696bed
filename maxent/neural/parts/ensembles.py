"""How the Q's of an ensemble count as one: as the smallest of all, or of some drawn at random.

The smallest of M out of N members, M drawn anew for each update, is REDQ's target (Chen, Wang,
Zhou, Ross 2021, *Randomized Ensembled Double Q-Learning*).  A loss is linear in its target, up to
what has no gradient, so the draw can be averaged out: of N ordered numbers, the k-th smallest
(from 0) is the smallest of M of them in C(N-1-k, M-1) out of C(N, M) draws.  The expected gradient
is the paper's, without its noise; and the same number is what the policy climbs and what an agent
says of its Q (the paper's policy climbs the mean).  M = 1 is the mean, M = N the smallest of all.

With `smallest_of` the state of an algorithm has a part "ensemble" with these shares.
"""

from __future__ import annotations

from math import comb
from typing import Any

import torch
from torch import Tensor

from maxent.support.shapes import Float

PART = "ensemble"


def begun(members: int, smallest_of: int | None, device: torch.device) -> dict[str, Any]:
    """The part of a state that says how N members count; none where the smallest of all does."""
    if smallest_of is None or smallest_of == members:
        return {}
    draws = comb(members, smallest_of)
    shares = [comb(members - 1 - k, smallest_of - 1) / draws for k in range(members)]
    return {PART: {"shares": torch.tensor(shares, device=device)}}


def cautious(state: dict[str, Any], q: Float[Tensor, "C ..."]) -> Float[Tensor, ...]:
    """One Q of those of all members: (C, ...) -> (...)."""
    if PART not in state:
        return q.amin(0)
    counted: Tensor = torch.tensordot(state[PART]["shares"], q.sort(0).values, dims=1)
    return counted
