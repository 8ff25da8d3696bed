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

Rate = float | Tensor
"""A learning rate: a number, or in a compiled graph, which it may change in, a 0-d tensor."""

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

    loss: parameters -> (scalar, tensors or tuples of them).  Whatever else the loss depends on gets
    no gradient.  The same values either way: a graph that is compiled needs the functional form,
    which is slower where nothing is compiled.
    """
    if torch.compiler.is_compiling():
        slopes, (value, aux) = torch.func.grad_and_value(loss, has_aux=True)(parameters)
        return slopes, value, aux
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in parameters.items()}
    value, aux = loss(leaves)
    found = torch.autograd.grad(value, list(leaves.values()))
    return dict(zip(leaves, found, strict=True)), value.detach(), aux


@torch.no_grad()
def adam(parameters: Parameters, gradient: Parameters, state: Moments, learning_rate: Rate) -> None:
    """One step downhill of Adam (Kingma, Ba 2015) with its usual constants, in place.

    parameters, gradient: same keys.  state: of `moments`; changed too.
    """
    state["count"] += 1
    count = state["count"].to(next(iter(parameters.values())).dtype)
    scale = -torch.expm1(count * math.log(DECAY)) / learning_rate
    second_scale = scale / (-torch.expm1(count * math.log(SQUARED_DECAY))).sqrt()
    epsilon = EPSILON * scale
    for name, value in parameters.items():
        slope = gradient[name]
        first = _towards(state["first"][name], slope, 1.0 - DECAY)
        second = state["second"][name].mul_(SQUARED_DECAY)
        if torch.compiler.is_compiling():  # see `_towards`
            second.add_(slope.square() * (1.0 - SQUARED_DECAY))
            value.sub_(first / (second.sqrt() * second_scale + epsilon))
            continue
        second.addcmul_(slope, slope, value=1.0 - SQUARED_DECAY)
        value.addcdiv_(first, second.sqrt().mul_(second_scale).add_(epsilon), value=-1.0)


@torch.no_grad()
def average_into(target: Parameters, parameters: Parameters, rate: float) -> None:
    """target <- (1 - rate) target + rate parameters, in place; rate 1 copies."""
    for name, followed in parameters.items():
        _towards(target[name], followed, rate)


def copied(parameters: Parameters) -> Parameters:
    """The same numbers in tensors of their own."""
    return {name: tensor.clone() for name, tensor in parameters.items()}


def _towards(tensor: Tensor, other: Tensor, share: float) -> Tensor:
    """tensor <- (1 - share) tensor + share other, in place.

    In a graph it is written out: `torch.func.vmap` has no rule for `lerp_`, `addcmul_` and
    `addcdiv_`, and would take the agents of a stack one by one.
    """
    if torch.compiler.is_compiling():
        return tensor.add_((other - tensor) * share)
    return tensor.lerp_(other, share)
