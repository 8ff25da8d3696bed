"""What an environment remembers, as plain values: counters, arrays, statistics, generators.

A checkpoint brings an environment back by its generator and its actions.  What goes across
episodes (the statistics of `gymnasium.wrappers.NormalizeObservation`, counters, generators of its
own) comes from here: the attributes of every layer of wrappers that changed since the environment
was made.  They are put back into an environment that was made anew, in place; no class is named by
a file, and nothing in it is executed.
"""

from __future__ import annotations

import base64
import copy
import json
import random
import types
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv, VectorWrapper
from numpy import ndarray

from maxent.errors import CorruptCheckpointError
from maxent.mdp import MDP
from maxent.support.arguments import quoted

LARGEST, PARTS = 1_000_000, 20_000
"""Bytes of an array, parts of an attribute: what is larger counts as a table, which stays."""
HEAP_TYPE = 1 << 9
"""CPython's flag of a class that was made by a class statement."""
TRIED = 20
"""Steps for which an environment that was put back must do what the copied one does."""

CONSTANT = (
    *(spaces.Space, EnvSpec, MDP, gymnasium.Env, VectorEnv, Enum, type, types.ModuleType, np.dtype),
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc),
)
"""What an environment holds and does not change."""

Layers = list[dict[str, Any]]


class Unreadable(Exception):
    """A value that plain values cannot stand for."""


UNREADABLE = (Unreadable, RecursionError)  # a circle comes to the second


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
        if not _is_constant(value) and not _is_readable(value)
    ]


def forgotten(env: Any) -> list[str]:
    """What a checkpoint would lose: what cannot be read of a wrapper, and generators of PyTorch.

    The actions taken again bring back all else of the environment in the wrappers.
    """
    lost = []
    for layer in layers_of(env):
        wraps = isinstance(layer, gymnasium.Wrapper | VectorWrapper)
        for name, value in vars(layer).items():
            odd = not _is_constant(value) and not _is_readable(value)
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
            if name in vars(layer) and _node(vars(layer)[name]) != node:
                vars(layer)[name] = _value(node, vars(layer)[name])


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
            if _node(came[:4]) != _node(again[:4]) or remembered(one) != remembered(two):
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
            _value(node, vars(layer)[name])


def _freeze(env: Any, saved: Layers, before: list[tuple[Any, Any, str, Any]]) -> None:
    """Put the statistics in; what was there goes into `before`."""
    for layer, attributes in zip(layers_of(env), saved, strict=False):
        if not hasattr(layer, "update_running_mean"):
            continue
        for name, node in attributes.items():
            held = node.get("object", ()) if isinstance(node, dict) else ()
            if name in vars(layer) and "mean" in held and "var" in held:
                before.append((layer, layer.update_running_mean, name, _node(vars(layer)[name])))
                _value(node, vars(layer)[name])
                layer.update_running_mean = False


def _attributes(layer: Any) -> dict[str, Any]:
    found = {}
    for name, value in vars(layer).items():
        if not isinstance(value, CONSTANT):
            with suppress(*UNREADABLE):
                found[name] = _node(value)
    return found


def _is_constant(value: Any) -> bool:
    return isinstance(value, CONSTANT) or callable(value)


def _is_readable(value: Any) -> bool:
    try:
        _node(value)
    except UNREADABLE:
        return False
    return True


def _node(value: Any, left: list[int] | None = None) -> Any:
    """A value as JSON holds it; left: how many more parts there may be."""
    left = [PARTS] if left is None else left
    left[0] -= 1
    if left[0] < 0:  # a large table
        raise Unreadable
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, ndarray | np.generic):
        if value.dtype.kind not in "biufcSU" or value.nbytes > LARGEST:
            raise Unreadable
        kind = "array" if isinstance(value, ndarray) else "scalar"
        text = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {kind: text, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, dict):
        return {"dict": [[_node(k, left), _node(v, left)] for k, v in value.items()]}
    if isinstance(value, list | tuple | deque | set | frozenset):
        return _sequence(value, left)
    if isinstance(value, np.random.Generator):
        return {"generator": _node(value.bit_generator.state, left)}
    if isinstance(value, np.random.RandomState):
        return {"random_state": _node(value.get_state(legacy=False), left)}
    if isinstance(value, random.Random):
        return {"random": _node(value.getstate(), left)}
    if _is_plain_object(value):
        return {"object": {name: _node(part, left) for name, part in vars(value).items()}}
    raise Unreadable


def _is_plain_object(value: Any) -> bool:
    """Whether all that an object holds is its `__dict__`: no part of it is written in C or has
    slots."""
    if callable(value) or isinstance(value, CONSTANT) or not hasattr(value, "__dict__"):
        return False
    return all(
        kind.__flags__ & HEAP_TYPE and not vars(kind).get("__slots__")
        for kind in type(value).__mro__[:-1]
    )


def _sequence(value: Any, left: list[int]) -> dict[str, Any]:
    kind = next(k for k in (list, tuple, deque, set, frozenset) if isinstance(value, k))
    parts = [_node(part, left) for part in value]
    if kind in (set, frozenset):
        parts.sort(key=json.dumps)
    node: dict[str, Any] = {kind.__name__: parts}
    return node | ({"maxlen": value.maxlen} if isinstance(value, deque) else {})


def _value(node: Any, now: Any = None) -> Any:
    """The value that a node stands for; `now`: what is in its place, which objects stay in."""
    if not isinstance(node, dict):
        return node
    (kind, held), *_ = node.items()
    if kind == "float":
        return float.fromhex(held)
    if kind in ("array", "scalar"):
        data = np.frombuffer(base64.b64decode(held), dtype=node["dtype"]).reshape(node["shape"])
        return data.copy() if kind == "array" else data[()]
    if kind == "dict":
        return {_value(k): _value(v) for k, v in held}
    if kind == "deque":
        return deque((_value(part) for part in held), node["maxlen"])
    if kind in ("list", "tuple", "set", "frozenset"):
        types_of = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
        return types_of[kind](_value(part) for part in held)
    if kind == "generator" and isinstance(now, np.random.Generator):
        now.bit_generator.state = _value(held)
    elif kind == "random_state" and isinstance(now, np.random.RandomState):
        now.set_state(_value(held))
    elif kind == "random" and isinstance(now, random.Random):
        now.setstate(_value(held))
    elif kind == "object" and hasattr(now, "__dict__"):
        for name, part in held.items():
            vars(now)[name] = _value(part, vars(now).get(name))
    return now
