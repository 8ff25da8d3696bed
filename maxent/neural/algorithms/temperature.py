"""The temperature alpha as something learned: its step, written once for all that tune it.

Both soft actor-critics keep an entropy by descending J(alpha) in **log alpha**, so that alpha stays
positive (SAC2 Sec. 6; the paper's authors found no difference).  The loss is the algorithm's own:
`losses.temperature_loss` from samples, `losses.discrete_temperature_loss` with exact sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from maxent.neural.parts.optim import Rate, adam, gradient_of, moments

LOWEST = math.log(torch.finfo(torch.float32).tiny)
"""The least log alpha, -87.3: below it alpha would round to 0, which no algorithm accepts."""


def begun(fixed: float | None, initial: float, device: torch.device) -> dict[str, Any]:
    """The part of a state that holds alpha: `fixed`, or `initial` where that is None."""
    alpha = initial if fixed is None else fixed
    log = {"log": torch.tensor(math.log(alpha), device=device)}
    return {"temperature": log, "temperature_moments": moments(log)}


def current(state: dict[str, Any]) -> Tensor:
    """alpha, a 0-d tensor."""
    log: Tensor = state["temperature"]["log"]
    return log.exp()


def tune(state: dict[str, Any], loss: Callable[[Tensor], Tensor], rate: Rate) -> None:
    """One step of Adam down a loss of log alpha, in place; alpha stays above 0."""
    gradient, _, _ = gradient_of(lambda alpha: (loss(alpha["log"]), ()), state["temperature"])
    adam(state["temperature"], gradient, state["temperature_moments"], rate)
    state["temperature"]["log"].clamp_(min=LOWEST)
