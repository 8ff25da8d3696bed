"""A Python value as JSON holds it, and back: numbers, text, arrays, collections, generators, and
objects whose parts are such.

Floats keep every bit.  What comes back of an object, or of a generator, is put into the one that is
there: no class is named by a file, and nothing in it is executed.
"""

from __future__ import annotations

import base64
import json
import random
import types
from collections import deque
from enum import Enum
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv
from numpy import ndarray

from maxent.mdp import MDP

LARGEST, PARTS = 1_000_000, 20_000
"""Bytes of an array, parts of an attribute: what is larger counts as a table, which stays."""
HEAP_TYPE = 1 << 9
"""CPython's flag of a class that was made by a class statement."""
CONSTANT = (
    *(spaces.Space, EnvSpec, MDP, gymnasium.Env, VectorEnv, Enum, type, types.ModuleType, np.dtype),
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc),
)
"""What an environment holds and does not change."""


class Unreadable(Exception):
    """A value that plain values cannot stand for."""


UNREADABLE = (Unreadable, RecursionError)  # a circle comes to the second


def is_constant(value: Any) -> bool:
    """Whether a value is nothing that an environment changes."""
    return isinstance(value, CONSTANT) or callable(value)


def is_readable(value: Any) -> bool:
    """Whether plain values can stand for it."""
    try:
        node_of(value)
    except UNREADABLE:
        return False
    return True


def node_of(value: Any, left: list[int] | None = None) -> Any:
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
        return {"dict": [[node_of(k, left), node_of(v, left)] for k, v in value.items()]}
    if isinstance(value, list | tuple | deque | set | frozenset):
        return _sequence(value, left)
    if isinstance(value, np.random.Generator):
        return {"generator": node_of(value.bit_generator.state, left)}
    if isinstance(value, np.random.RandomState):
        return {"random_state": node_of(value.get_state(legacy=False), left)}
    if isinstance(value, random.Random):
        return {"random": node_of(value.getstate(), left)}
    if _is_plain_object(value):
        return {"object": {name: node_of(part, left) for name, part in vars(value).items()}}
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
    parts = [node_of(part, left) for part in value]
    if kind in (set, frozenset):
        parts.sort(key=json.dumps)
    node: dict[str, Any] = {kind.__name__: parts}
    return node | ({"maxlen": value.maxlen} if isinstance(value, deque) else {})


def value_of(node: Any, now: Any = None) -> Any:
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
        return {value_of(k): value_of(v) for k, v in held}
    if kind == "deque":
        return deque((value_of(part) for part in held), node["maxlen"])
    if kind in ("list", "tuple", "set", "frozenset"):
        types_of = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
        return types_of[kind](value_of(part) for part in held)
    if kind == "generator" and isinstance(now, np.random.Generator):
        now.bit_generator.state = value_of(held)
    elif kind == "random_state" and isinstance(now, np.random.RandomState):
        now.set_state(value_of(held))
    elif kind == "random" and isinstance(now, random.Random):
        now.setstate(value_of(held))
    elif kind == "object" and hasattr(now, "__dict__"):
        for name, part in held.items():
            vars(now)[name] = value_of(part, vars(now).get(name))
    return now
