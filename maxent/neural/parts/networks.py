"""A network is a function of its parameters and an input; the parameters are a dictionary.

So the copy that makes a target network, the gradient, the optimiser's moments and a checkpoint
all have one form: a dictionary of tensors with the same keys.  With `members`, the
size of an ensemble, every parameter has a leading axis, and all members (the two Q's) are computed
by one batched product.

Shapes: B batch, N actions a state, d observation, m action, C members of an ensemble.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Parameters = dict[str, Tensor]


def mlp_parameters(
    sizes: Sequence[int], *, generator: torch.Generator, members: int | None = None
) -> Parameters:
    """Fresh parameters of a multilayer perceptron: weights ([C,] in, out), biases ([C,] 1, out).

    sizes: inputs, hidden layers, outputs.  Every number is uniform within 1/sqrt(inputs), as in
    `torch.nn.Linear`.
    """
    leading = () if members is None else (members,)
    parameters = {}
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        for name, shape in (("weight", (inputs, outputs)), ("bias", (1, outputs))):
            uniform = torch.rand((*leading, *shape), generator=generator, device=generator.device)
            parameters[f"{name}{layer}"] = (2.0 * uniform - 1.0) / inputs**0.5
    return parameters


def mlp(parameters: Parameters, x: Float[Tensor, "*B d"]) -> Float[Tensor, ...]:
    """A multilayer perceptron with rectified linear units: ([C,] B, in) -> ([C,] B, out)."""
    last = len(parameters) // 2 - 1
    members = parameters["weight0"].shape[:-2]
    if members and x.ndim == 2:  # one batched product; broadcasting would copy the weights
        x = x.expand(*members, *x.shape)
    for layer in range(last + 1):
        x = x @ parameters[f"weight{layer}"] + parameters[f"bias{layer}"]
        if layer < last:
            x = torch.relu(x)
    return x


def state_value(parameters: Parameters, observation: Float[Tensor, "B d"]) -> Float[Tensor, " B"]:
    """V(s) of a network with one output: (B, d) -> (B,)."""
    return mlp(parameters, observation).squeeze(-1)


def action_value(
    parameters: Parameters, observation: Float[Tensor, "B d"], action: Float[Tensor, "B m"]
) -> Float[Tensor, "C B"]:
    """Q(s, a) of every member of an ensemble: (B, d), (B, m) -> (C, B)."""
    return mlp(parameters, torch.cat([observation, action], dim=-1)).squeeze(-1)


def action_values(
    parameters: Parameters, observation: Float[Tensor, "B d"], actions: Float[Tensor, "B N m"]
) -> Float[Tensor, "C B N"]:
    """Q(s, a_i) of N actions in each state: (B, d), (B, N, m) -> (C, B, N)."""
    batch, count, _ = actions.shape
    observations = observation.repeat_interleave(count, dim=0)
    q = action_value(parameters, observations, actions.reshape(batch * count, -1))
    return q.reshape(-1, batch, count)


def named_tensors(state: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of nested dictionaries with its path, "critic/weight0"."""
    for name, value in state.items():
        if isinstance(value, dict):
            yield from named_tensors(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
