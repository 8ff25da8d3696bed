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

from maxent.neural.algorithms.settings import Settings
from maxent.neural.operators import Temperature
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
    part: dict[str, Tensor] = state["temperature"]
    return part["fixed"] if "fixed" in part else part["log"].exp()


def of(state: dict[str, Any], config: Settings) -> Temperature:
    """alpha: the number in the settings, or where it is cooled the state's, a 0-d tensor."""
    if config.cooled_from is None and config.temperature is not None:
        return config.temperature
    return current(state)


def cool(state: dict[str, Any], config: Settings, progress: float) -> None:
    """Set a state's alpha to that of one moment, in place, where it is cooled."""
    alpha = config.temperature_at(progress)
    if config.cooled_from is None or alpha is None:
        return
    part = state.setdefault("temperature", {})
    device = next(iter(state["critic"].values())).device
    for name, number in (("log", math.log(alpha)), ("fixed", alpha)):
        if name in part:
            part[name].fill_(number)
    if not part:
        part["fixed"] = torch.tensor(alpha, device=device)


def tune(state: dict[str, Any], loss: Callable[[Tensor], Tensor], rate: Rate) -> None:
    """One step of Adam down a loss of log alpha, in place; alpha stays above 0."""
    gradient, _, _ = gradient_of(lambda alpha: (loss(alpha["log"]), ()), state["temperature"])
    adam(state["temperature"], gradient, state["temperature_moments"], rate)
    log = state["temperature"]["log"]
    log.copy_(log.clamp(min=LOWEST))
