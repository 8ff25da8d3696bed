"""Targets of n steps: the rewards of a stored path, each with its own entropy term, then Q.

On a path s_0, a_0, r_0, ..., s_n with discounts on arrival d_k, the target

    G = r_0 + sum_{k=1}^{n-1} D_k ( r_k - alpha log pi(a_k|s_k) ) + D_n V(s_n)

with D_k = d_0 ... d_{k-1} has no term for a_0, which is given, and for every later action taken the
log-density that *today's* policy gives it.  At the solution alpha log pi = Q - V, so that each step
telescopes (`PATH`): G is Q(s_0, a_0) in expectation over next states, whoever chose the actions.
Elsewhere old actions bias it.  With alpha H(pi(.|s_k)) in place of the log it is biased at the
solution too.

A path of n steps is a transition with another reward, discount and end, which every algorithm takes
as it takes one step.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from maxent.neural.parts.replay import Batch


def as_one_step(
    path: Batch,
    lengths: Int[Tensor, " B"],
    log_density: Float[Tensor, "n B"],
    temperature: float | Float[Tensor, ""],
) -> Batch:
    """The transitions (B, ...) that paths (n, B, ...) are for a target of n steps.

    lengths : how many steps of each are a path, 1 to n; what comes after is not read.
    log_density : log pi(a_k|s_k) of the actions taken; that of the first is not read.
    """
    steps = torch.arange(len(path.reward), device=lengths.device)[:, None]
    on = steps < lengths
    discounts = torch.where(on, path.discount, 1.0).cumprod(0)  # D_1, D_2, ...
    before = torch.cat([torch.ones_like(discounts[:1]), discounts[:-1]])
    gains = path.reward - torch.where(steps > 0, temperature * log_density, 0.0)
    last = (lengths - 1)[None]

    def end_of(each: Tensor) -> Tensor:
        return torch.take_along_dim(each, last[..., None], dim=0)[0]

    return Batch(
        path.observation[0],
        path.action[0],
        torch.where(on & (before > 0.0), before * gains, 0.0).sum(0),
        end_of(path.next_observation),
        discounts[-1],
        None if path.available is None else path.available[0],
        None if path.next_available is None else end_of(path.next_available),
    )
