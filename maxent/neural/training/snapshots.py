"""What an environment remembers, as plain values: counters, arrays, statistics, generators.

A checkpoint brings an environment back by its generator and its actions.  What goes across
episodes (the statistics of `gymnasium.wrappers.NormalizeObservation`, counters, generators of its
own) comes from here: the attributes of every layer of wrappers that changed since the environment
was made.  They are put back into an environment that was made anew, in place; no class is named by
a file, and nothing in it is executed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gymnasium
import torch
from gymnasium.vector import VectorEnv, VectorWrapper

from maxent.errors import CorruptCheckpointError
from maxent.mdp import MDP
from maxent.neural.training.stored_values import (
    CONSTANT,
    UNREADABLE,
    is_constant,
    is_readable,
    node_of,
    value_of,
)
from maxent.support.arguments import quoted

TRIED = 20
"""Steps for which an environment that was put back must do what the copied one does."""

Layers = list[dict[str, Any]]


def layers_of(env: Any) -> Iterator[Any]:
    """The wrappers, outermost first, and the environment in them; of a vector environment, which
    keeps its own to itself, the wrappers alone."""
    while isinstance(env, gymnasium.Wrapper | VectorWrapper):
        yield env
        env = env.env
    if not isinstance(env, VectorEnv):
        yield env


def remembered(env: Any) -> Layers:
    """Every attribute of every layer that plain values can stand for, by name."""
    return [_attributes(layer) for layer in layers_of(env)]


def unreadable(env: Any) -> list[str]:
    """The attributes that plain values cannot stand for: "Wrapper.name"."""
    return [
        f"{type(layer).__name__}.{name}"
        for layer in layers_of(env)
        for name, value in vars(layer).items()
        if not is_constant(value) and not is_readable(value)
    ]


def forgotten(env: Any) -> list[str]:
    """What a checkpoint would lose: what cannot be read of a wrapper, and generators of PyTorch.

    The actions taken again bring back all else of the environment in the wrappers.
    """
    lost = []
    for layer in layers_of(env):
        wraps = isinstance(layer, gymnasium.Wrapper | VectorWrapper)
        for name, value in vars(layer).items():
            odd = not is_constant(value) and not is_readable(value)
            if odd and (wraps or isinstance(value, torch.Generator)):
                lost.append(f"{type(layer).__name__}.{name} ({type(value).__name__})")
    return lost


def changed(now: Layers, before: Layers) -> Layers:
    """The attributes that are other than they were."""
    missing = object()
    return [
        {name: node for name, node in layer.items() if old.get(name, missing) != node}
        for layer, old in zip(now, before, strict=True)
    ]


def put_back(env: Any, saved: Layers) -> None:
    """Set the attributes that differ from the saved ones; layers of another kind are left alone."""
    for layer, attributes in zip(layers_of(env), saved, strict=False):
        for name, node in attributes.items():
            if name in vars(layer) and node_of(vars(layer)[name]) != node:
                vars(layer)[name] = value_of(node, vars(layer)[name])


def can_be_put_back(env: gymnasium.Env[Any, Any], saved: Layers) -> bool:
    """Whether an environment made anew, with the saved attributes, does what this one does.

    Tried on copies, for some steps; an environment with anything that plain values cannot stand
    for is not tried.
    """
    if unreadable(env):
        return False
    try:
        shared = {
            id(value): value
            for layer in layers_of(env)
            for value in vars(layer).values()
            if isinstance(value, MDP)
        }
        one, two = copy.deepcopy(env, dict(shared)), copy.deepcopy(env, dict(shared))
        two.reset()
        put_back(two, saved)
        space = copy.deepcopy(env.action_space)
        space.seed(0)
        for _ in range(TRIED):
            action = space.sample()
            came, again = one.step(action), two.step(action)
            if node_of(came[:4]) != node_of(again[:4]) or remembered(one) != remembered(two):
                return False
            if came[2] or came[3]:
                break
    except Exception:  # whatever an environment does that cannot be copied
        return False
    return True


def require_layers(saved: Any) -> Layers | None:
    """What layers remembered, as a file holds it; ValueError for what is no list of attributes."""
    if saved is None or (
        isinstance(saved, list) and all(isinstance(attributes, dict) for attributes in saved)
    ):
        return saved
    raise ValueError(f"what the environment remembers is {quoted(saved)}, no list of attributes")


@contextmanager
def frozen_statistics(env: Any, saved: Layers | None) -> Iterator[None]:
    """Around an evaluation: layers that normalise use the statistics of training, and let them be.

    These are the layers with `update_running_mean`, as `NormalizeObservation` and
    `NormalizeReward` have it.  Afterwards they are as they were.
    """
    before: list[tuple[Any, Any, str, Any]] = []
    try:
        try:
            _freeze(env, saved or [], before)
        except Exception as error:  # whatever a file holds in their place
            raise CorruptCheckpointError(
                "the statistics that were saved with this agent are not those of its environment's "
                f"wrappers ({type(error).__name__}: {error}); the file was changed"
            ) from error
        yield
    finally:
        for layer, updating, name, node in before:
            layer.update_running_mean = updating
            value_of(node, vars(layer)[name])


def _freeze(env: Any, saved: Layers, before: list[tuple[Any, Any, str, Any]]) -> None:
    """Put the statistics in; what was there goes into `before`."""
    for layer, attributes in zip(layers_of(env), saved, strict=False):
        if not hasattr(layer, "update_running_mean"):
            continue
        for name, node in attributes.items():
            held = node.get("object", ()) if isinstance(node, dict) else ()
            if name in vars(layer) and "mean" in held and "var" in held:
                before.append((layer, layer.update_running_mean, name, node_of(vars(layer)[name])))
                value_of(node, vars(layer)[name])
                layer.update_running_mean = False


def _attributes(layer: Any) -> dict[str, Any]:
    found = {}
    for name, value in vars(layer).items():
        if not isinstance(value, CONSTANT):
            with suppress(*UNREADABLE):
                found[name] = node_of(value)
    return found
