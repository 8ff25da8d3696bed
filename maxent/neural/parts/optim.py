"""Gradient, optimiser and the targets' moving average, on dictionaries of tensors.

`torch.optim` keeps its state in objects of its own and reads gradients from `.grad`; an update
written with these functions has no hidden state, can be compiled as one graph, and what it needs
to go on is in the dictionaries it was given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from maxent.neural.parts.networks import Parameters

Moments = dict[str, Any]
"""`first` and `second` moments with the parameters' keys, and the `count` of steps, a whole number
(a float32 stops counting at 2^24)."""

Aux = TypeVar("Aux")
DECAY, SQUARED_DECAY, EPSILON = 0.9, 0.999, 1e-8


def moments(parameters: Parameters) -> Moments:
    """Adam's state before the first step: both moments 0, no step counted."""
    device = next(iter(parameters.values())).device
    return {
        "first": {name: torch.zeros_like(tensor) for name, tensor in parameters.items()},
        "second": {name: torch.zeros_like(tensor) for name, tensor in parameters.items()},
        "count": torch.zeros((), dtype=torch.int64, device=device),
    }


def gradient_of(
    loss: Callable[[Parameters], tuple[Tensor, Aux]], parameters: Parameters
) -> tuple[Parameters, Tensor, Aux]:
    """The gradient of a loss in these parameters alone, its value, and what else it returns.

    loss: parameters -> (scalar, anything).  Whatever else the loss depends on gets no gradient.
    """
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in parameters.items()}
    value, aux = loss(leaves)
    slopes = torch.autograd.grad(value, list(leaves.values()))
    return dict(zip(leaves, slopes, strict=True)), value.detach(), aux


@torch.no_grad()
def adam(
    parameters: Parameters, gradient: Parameters, state: Moments, learning_rate: float
) -> None:
    """One step downhill of Adam (Kingma, Ba 2015) with its usual constants, in place.

    parameters, gradient: same keys.  state: of `moments`; changed too.
    """
    names = list(parameters)
    values = [parameters[name] for name in names]
    slopes = [gradient[name] for name in names]
    first = [state["first"][name] for name in names]
    second = [state["second"][name] for name in names]
    state["count"] += 1
    count = state["count"].to(values[0].dtype)
    torch._foreach_lerp_(first, slopes, 1.0 - DECAY)
    torch._foreach_mul_(second, SQUARED_DECAY)
    torch._foreach_addcmul_(second, slopes, slopes, 1.0 - SQUARED_DECAY)
    # value -= rate * (first / c1) / (sqrt(second / c2) + eps), both corrections in the divisor;
    # c = 1 - decay^count by expm1, which keeps its digits while it is small
    scale = -torch.expm1(count * math.log(DECAY)) / learning_rate
    divisors = torch._foreach_sqrt(second)
    torch._foreach_mul_(divisors, scale / (-torch.expm1(count * math.log(SQUARED_DECAY))).sqrt())
    torch._foreach_add_(divisors, list((EPSILON * scale).expand(len(names))))
    torch._foreach_addcdiv_(values, first, divisors, -1.0)


@torch.no_grad()
def average_into(target: Parameters, parameters: Parameters, rate: float) -> None:
    """target <- (1 - rate) target + rate parameters, in place; rate 1 copies."""
    names = list(target)
    torch._foreach_lerp_(
        [target[name] for name in names], [parameters[name] for name in names], rate
    )


def copied(parameters: Parameters) -> Parameters:
    """The same numbers in tensors of their own."""
    return {name: tensor.clone() for name, tensor in parameters.items()}
