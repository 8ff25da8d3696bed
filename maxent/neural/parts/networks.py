"""A network is a function of its parameters and an input; the parameters are a dictionary.

So the copy that makes a target network, the gradient, the optimiser's moments and a checkpoint
all have one form: a dictionary of tensors with the same keys.  With `members`, the
size of an ensemble, every parameter has a leading axis, and all members (the two Q's) are computed
by one batched product.

What kind of network it is, the names of its parameters say: with "scale0" its layers are
normalised, with "stream_scale0" it is made of residual blocks; with neither it is plain.

Shapes: B batch, N actions a state, d observation, m action, C members of an ensemble.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from maxent.support.shapes import Float

Parameters = dict[str, Tensor]
Kind = Literal["plain", "layer_norm", "residual"]
WIDER = 4
"""How many times wider a residual block is inside."""


def layer_sizes(sizes: Sequence[int], kind: Kind = "plain") -> tuple[int, ...]:
    """Inputs and outputs of all layers, one after another.

    sizes: inputs, hidden layers, outputs; of residual blocks, each hidden layer is a block.
    """
    if kind != "residual":
        return tuple(sizes)
    inside = [size for width in sizes[1:-1] for size in (WIDER * width, width)]
    return (sizes[0], sizes[1], *inside, sizes[-1])


def mlp_parameters(
    sizes: Sequence[int],
    *,
    generator: torch.Generator,
    members: int | None = None,
    kind: Kind = "plain",
) -> Parameters:
    """Fresh parameters of a multilayer perceptron: weights ([C,] in, out), biases ([C,] 1, out).

    sizes: inputs, hidden layers, outputs.  kind: "plain"; "layer_norm": each hidden layer is
    normalised before its rectifier; "residual": see `residual_mlp`.  Every weight and bias is
    uniform within 1/sqrt(inputs), as in `torch.nn.Linear`.
    """
    leading = () if members is None else (members,)
    parameters = {}
    for layer, (inputs, outputs) in enumerate(pairwise(layer_sizes(sizes, kind))):
        for name, shape in (("weight", (inputs, outputs)), ("bias", (1, outputs))):
            uniform = torch.rand((*leading, *shape), generator=generator, device=generator.device)
            parameters[f"{name}{layer}"] = (2.0 * uniform - 1.0) / inputs**0.5
    normalised = {"plain": (), "layer_norm": sizes[1:-1], "residual": (sizes[1], *sizes[1:-1])}
    before = "stream_" if kind == "residual" else ""
    for layer, width in enumerate(normalised[kind]):
        shape = (*leading, 1, width)
        parameters[f"{before}scale{layer}"] = torch.ones(shape, device=generator.device)
        parameters[f"{before}shift{layer}"] = torch.zeros(shape, device=generator.device)
    return parameters


def mlp(parameters: Parameters, x: Float[Tensor, "*B d"]) -> Float[Tensor, ...]:
    """A multilayer perceptron with rectified linear units: ([C,] B, in) -> ([C,] B, out)."""
    members = parameters["weight0"].shape[:-2]
    if members and x.ndim == 2:  # one batched product; broadcasting would copy the weights
        x = x.expand(*members, *x.shape)
    if "stream_scale0" in parameters:
        return residual_mlp(parameters, x)
    last = _layers(parameters) - 1
    for layer in range(last):
        x = _affine(parameters, layer, x)
        if "scale0" in parameters:
            x = _normalised(x) * parameters[f"scale{layer}"] + parameters[f"shift{layer}"]
        x = torch.relu(x)
    return _affine(parameters, last, x)


def residual_mlp(parameters: Parameters, x: Float[Tensor, "*C B d"]) -> Float[Tensor, ...]:
    """Residual blocks on one stream of numbers: (..., B, in) -> (..., B, out).

    The SimBa form (Lee et al. 2025, *SimBa: Simplicity Bias for Scaling Up Parameters in Deep
    Reinforcement Learning*): a linear map onto the stream, then for each block x + W' relu(W
    normalised(x)), `WIDER` times as wide inside, and a linear map of what is normalised once more.
    With `normalize_observations` beside it, it is theirs but for weight decay and initial weights.
    """
    last = _layers(parameters) - 1

    def normalised(block: int, x: Tensor) -> Tensor:
        scale, shift = parameters[f"stream_scale{block}"], parameters[f"stream_shift{block}"]
        return _normalised(x) * scale + shift

    x = _affine(parameters, 0, x)
    for block, layer in enumerate(range(1, last, 2)):
        inside = torch.relu(_affine(parameters, layer, normalised(block, x)))
        x = x + _affine(parameters, layer + 1, inside)
    return _affine(parameters, last, normalised(last // 2, x))


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


def _layers(parameters: Parameters) -> int:
    return sum(name.startswith("weight") for name in parameters)


def _affine(parameters: Parameters, layer: int, x: Tensor) -> Tensor:
    return x @ parameters[f"weight{layer}"] + parameters[f"bias{layer}"]


def _normalised(x: Tensor) -> Tensor:
    """Less the mean over units, over their deviation (Ba, Kiros, Hinton 2016)."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:])
