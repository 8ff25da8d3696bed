"""An agent in one file, without a run: its networks, its spaces, what it was trained on.

The file is in the safetensors format, which executes nothing.  Its header holds, as JSON, all that
is no tensor, and the SHA-256 of each tensor and of the text itself, in which any change shows.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import safetensors.torch
import torch
from gymnasium import spaces
from safetensors import SafetensorError
from torch import Tensor

from maxent.errors import ConfigError, CorruptCheckpointError, MaxEntError, MissingExtraError
from maxent.neural.algorithms import ALGORITHMS, fresh_state
from maxent.neural.algorithms.settings import Settings, configured
from maxent.neural.parts.networks import named_tensors
from maxent.neural.parts.spaces import Spaces
from maxent.neural.runs.durable import sha256, sha256_of
from maxent.neural.runs.record import of_today
from maxent.neural.training.sizes import require_room_for_networks
from maxent.neural.training.snapshots import require_layers
from maxent.support.arguments import quoted
from maxent.support.files import read_whole, require_output, write_whole
from maxent.support.memory import require_memory
from maxent.support.plain import plain

FORMAT, SUFFIX = "maxent-agent-1", ".safetensors"
PLAIN = ("algorithm", "steps", "env", "env_settings", "start", "history", "statistics")


class Saved(Protocol):
    """What an agent is to this file."""

    @property
    def config(self) -> Settings: ...
    @property
    def spaces(self) -> Spaces: ...
    @property
    def state(self) -> dict[str, Any]: ...


def write_agent(agent: Saved, path: str | os.PathLike[str], overwrite: bool) -> Path:
    """Write an agent; the path.  Errors as those of `Agent.save`."""
    require_output(path, overwrite, (SUFFIX,))
    tensors = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in named_tensors(agent.state)
    }
    document = {name: getattr(agent, name) for name in PLAIN} | {
        "format": FORMAT,
        "settings": agent.config.to_dict(),
        "observation": _written(agent.spaces.observation),
        "action": _written(agent.spaces.action),
        "tensors": {name: sha256(_bytes(tensor)) for name, tensor in tensors.items()},
    }
    document = plain(document, "the agent")
    text = json.dumps(document | {"sha256": sha256_of(document)})
    with write_whole(path, overwrite=overwrite) as staged:
        safetensors.torch.save_file(tensors, staged, metadata={"maxent": text})
    return Path(path)


def read_agent(path: Path) -> dict[str, Any]:
    """What `Agent` is made of, from a file; CorruptCheckpointError for any other file."""
    data = read_whole(path)
    try:
        size = int.from_bytes(data[:8], "little")
        document = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["maxent"])
        expected = document.pop("sha256")
        if document["format"] != FORMAT or sha256_of(document) != expected:
            raise ValueError(f"its text is not what was written (SHA-256 {expected})")
        # cloned, so that the memory is aligned as torch does it: sums can depend on that
        tensors = {n: x.clone() for n, x in safetensors.torch.load(data).items()}
        if {name: sha256(_bytes(x)) for name, x in tensors.items()} != document["tensors"]:
            raise ValueError("its tensors are not what was written")
        _require_kinds(document)
        found = Spaces(_read(document["observation"]), _read(document["action"]))
        module = ALGORITHMS[document["algorithm"]]
        settings = of_today(document["algorithm"], document["settings"], "the agent")
        config = configured(module.Config, settings)
        state = _state(tensors)
        require_room_for_networks(found, config)
        _require_shapes(tensors, fresh_state(module, found, config, torch.Generator()))
    except (
        *(SafetensorError, KeyError, TypeError, ValueError, AttributeError, IndexError),
        *(RecursionError, OverflowError, RuntimeError),
    ) as error:
        own = isinstance(error, MaxEntError) and not isinstance(error, ConfigError)
        if own or isinstance(error, MissingExtraError):
            raise
        why = f"{type(error).__name__}: {str(error)[:200]}"
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            why = "it does not begin as one"
        raise CorruptCheckpointError(
            f"{str(path)!r} is no agent as `save` writes it: {why}"
        ) from error
    return {name: document[name] for name in PLAIN} | {
        "config": config,
        "spaces": found,
        "state": state,
    }


def _require_kinds(document: dict[str, Any]) -> None:
    """ValueError unless what is plain in an agent is of the kind that `save` writes."""
    kinds = {"steps": int, "env": str | None, "env_settings": dict, "start": str | None}
    for name, kind in (kinds | {"history": list}).items():
        if not isinstance(value := document[name], kind) or isinstance(value, bool):
            raise ValueError(f"its {name} is {quoted(value)}")
    if not all(isinstance(row, dict) for row in document["history"]) or document["steps"] < 0:
        raise ValueError("its history or its steps are none")
    require_layers(document["statistics"])


def _require_shapes(tensors: dict[str, Tensor], fresh: dict[str, Any]) -> None:
    """ValueError unless the tensors are those of an agent of these spaces and settings."""
    needed = {name: (x.shape, x.dtype) for name, x in named_tensors(fresh)}
    given = {name: (x.shape, x.dtype) for name, x in tensors.items()}
    if given != needed:
        odd = sorted(name for name in given | needed if given.get(name) != needed.get(name))
        raise ValueError(f"{odd[0]} is {given.get(odd[0])}, its settings say {needed.get(odd[0])}")


def _state(tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Nested dictionaries of "critic/weight0", ..."""
    state: dict[str, Any] = {}
    for name, tensor in tensors.items():
        *folders, last = name.split("/")
        place = state
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = tensor
    return state


def _bytes(tensor: Tensor) -> bytes:
    return f"{tensor.dtype}{tuple(tensor.shape)}".encode() + tensor.numpy().tobytes()


def _written(space: Any) -> dict[str, Any]:
    """A space as plain values."""
    if isinstance(space, spaces.Box):
        sides = {name: np.asarray(getattr(space, name)) for name in ("low", "high")}
        one = {name: x.min().item() if (x == x.min()).all() else None for name, x in sides.items()}
        each = {name: x.tolist() if one[name] is None else one[name] for name, x in sides.items()}
        return {"kind": "Box", **each, "shape": list(space.shape), "dtype": space.dtype.str}
    if isinstance(space, spaces.Discrete):
        return {"kind": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "MultiDiscrete", "nvec": space.nvec.tolist(), "start": space.start.tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "MultiBinary", "n": plain(space.n)}
    if isinstance(space, spaces.Dict):
        return {"kind": "Dict", "parts": [[k, _written(x)] for k, x in space.spaces.items()]}
    if isinstance(space, spaces.Tuple):
        return {"kind": "Tuple", "parts": [_written(x) for x in space.spaces]}
    raise ConfigError(f"an agent's file cannot hold the space {str(space)[:60]}; keep its run")


def _read(node: dict[str, Any]) -> Any:
    kind = node["kind"]
    if kind == "Box":
        shape = tuple(node["shape"])
        dtype = np.dtype(node["dtype"])
        require_memory(
            4 * dtype.itemsize * math.prod(shape), f"a Box of shape {shape}", "mistrust it"
        )
        low, high = (
            np.broadcast_to(np.array(node[name], dtype=dtype), shape).copy()
            for name in ("low", "high")
        )
        return spaces.Box(low, high, dtype=dtype)
    if kind == "Discrete":
        return spaces.Discrete(node["n"], start=node["start"])
    if kind == "MultiDiscrete":
        return spaces.MultiDiscrete(np.array(node["nvec"]), start=np.array(node["start"]))
    if kind == "MultiBinary":
        return spaces.MultiBinary(node["n"])
    if kind == "Dict":
        return spaces.Dict({key: _read(part) for key, part in node["parts"]})
    if kind == "Tuple":
        return spaces.Tuple([_read(part) for part in node["parts"]])
    raise ValueError(f"a space of the kind {kind!r}")
