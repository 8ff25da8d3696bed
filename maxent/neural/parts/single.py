"""An action for a single observation, in NumPy.

For one row a network is a few products of a vector and a matrix, which take less time than
PyTorch takes to begin them.  The action is the one of the algorithm's `act` within rounding, and
the random numbers are the generator's own, the same in the same order.

Products of several rows stay with PyTorch: NumPy's take threads of their own for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy import ndarray

from maxent.neural.parts import ensembles, normalise
from maxent.neural.parts.mixture import CENTRE
from maxent.neural.parts.networks import Parameters
from maxent.neural.parts.policies import LOG_STD
from maxent.neural.parts.spaces import Spaces


def action_of_one(
    state: dict[str, Any],
    observation: ndarray,
    generator: torch.Generator,
    spaces: Spaces,
    deterministic: bool,
    available: ndarray | None = None,
) -> ndarray | None:
    """The action of `choose_actions` for one observation (d,): (m,) or a whole number.

    None where only PyTorch computes it: on another device, of a mixture, a flow or a resampled
    policy, the likeliest of a sampling network, and of normalised or residual networks.
    """
    network = state.get("sampler") or state.get("actor") or state["critic"]
    if not _is_plain(network) or "resampling" in state:
        return None
    seen = _as_seen(state, observation[None])
    if "sampler" in state:
        if deterministic:
            return None
        noise = _normal((1, 1, spaces.action_size), generator)[0]
        action: ndarray = np.tanh(_mlp(network, np.concatenate([seen, noise], axis=-1)))[0]
        return action
    out = _mlp(network, seen)
    if spaces.discrete:
        if "actor" not in state:
            if ensembles.PART in state:
                return None
            out = out.min(0) / state["temperature"]["fixed"].numpy()
        return _chosen(out[0], generator, deterministic, available)
    size = spaces.action_size
    u = out[0, :size]
    if not deterministic:
        log_std = np.minimum(np.maximum(out[0, size:], LOG_STD[0]), LOG_STD[1])
        u = u + np.exp(log_std) * _normal((1, size), generator)[0]
    return np.tanh(u) if spaces.bounded else u


def _is_plain(network: Parameters) -> bool:
    """Whether it is made of weights and biases alone, where NumPy can read them."""
    last = len(network) // 2 - 1
    return (
        f"bias{last}" in network  # further parameters would make it longer
        and CENTRE not in network
        and network["weight0"].device.type == "cpu"
    )


def _mlp(parameters: Parameters, x: ndarray) -> ndarray:
    """`networks.mlp` of one row: ([C,] 1, out)."""
    last = len(parameters) // 2 - 1
    for layer in range(last + 1):
        x = x @ parameters[f"weight{layer}"].numpy()
        x += parameters[f"bias{layer}"].numpy()
        if layer < last:
            np.maximum(x, 0.0, out=x)
    return x


def _as_seen(state: dict[str, Any], observation: ndarray) -> ndarray:
    if normalise.PART not in state:
        return observation
    return normalise.as_seen(state, torch.from_numpy(observation)).numpy()


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> ndarray:
    return torch.randn(shape, generator=generator).numpy()


def _chosen(
    logits: ndarray, generator: torch.Generator, deterministic: bool, available: ndarray | None
) -> ndarray:
    """One of the actions by the softmax of its logits, or the likeliest.

    Drawn as `torch.multinomial` does: each probability over an exponential number of its own, the
    largest wins.
    """
    if available is not None:
        logits = np.where(available, logits, -np.inf)
    if deterministic:
        return np.asarray(logits.argmax())
    weights = np.exp(logits - logits.max())
    rivals = torch.empty(len(logits)).exponential_(generator=generator).numpy()
    return np.asarray((weights / rivals).argmax())
