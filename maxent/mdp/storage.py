"""MDPs in files: a NumPy archive without pickle, so that nothing in a file is ever executed."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError, ModelError
from maxent.mdp.grid import Grid
from maxent.support.files import write_whole

FORMAT = "maxent-mdp-1"
PLAIN = ("initial_distribution", "terminal", "action_mask")
MATRICES = ("transition", "transition_reward")
NAMES = ("state_names", "action_names")
POINTS = ("observations", "actions")


def write(path: str | os.PathLike[str], fields: dict[str, Any], overwrite: bool) -> None:
    """Write the fields of an MDP to `path`, whole or not at all."""
    if not os.fspath(path).endswith(".npz"):
        raise ConfigError(f"{os.fspath(path)!r}: an MDP is saved as an .npz file; end it so")
    arrays: dict[str, Any] = {"format": np.array(FORMAT), "discount": np.array(fields["discount"])}
    arrays |= {name: fields[name] for name in PLAIN}
    if fields["transition_reward"] is None:
        arrays["reward"] = fields["reward"]
    for name in MATRICES:
        value = fields[name]
        if sparse.issparse(value):
            arrays |= {f"{name}.{part}": getattr(value, part) for part in _CSR}
        elif value is not None:
            arrays[name] = value
    for name in NAMES:
        if fields[name] is not None:
            arrays[name] = np.array(json.dumps(fields[name]))
    arrays |= {name: fields[name] for name in POINTS if fields[name] is not None}
    if (grid := fields["grid"]) is not None:
        arrays["grid.text"] = np.array(json.dumps(grid.text))
        arrays |= {"grid.cells": grid.cells, "grid.moves": grid.moves}
    with write_whole(path, overwrite=overwrite) as staged, open(staged, "wb") as file:
        np.savez_compressed(file, **arrays)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The constructor arguments of the MDP in `path`; ModelError where there is none."""
    name = repr(os.fspath(path))
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except OSError:
        raise
    except Exception as error:  # whatever bytes a foreign or damaged archive holds
        raise ModelError(f"{name} is not an MDP saved by MDP.save, or it is damaged") from error
    try:
        return _arguments(arrays)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{name} was not written by MDP.save: {error!r}") from error


_CSR = ("data", "indices", "indptr")


def _arguments(arrays: dict[str, ndarray]) -> dict[str, Any]:
    if str(arrays["format"]) != FORMAT:
        raise ModelError(f"unknown format {str(arrays['format'])!r}; this version reads {FORMAT}")
    n_states, n_actions = arrays["action_mask"].shape
    shape = (n_states * n_actions, n_states)

    def matrix(name: str) -> Any:
        if f"{name}.data" not in arrays:
            return arrays.get(name)
        return sparse.csr_array(tuple(arrays[f"{name}.{part}"] for part in _CSR), shape=shape)

    def text(name: str) -> Any:
        return json.loads(str(arrays[name])) if name in arrays else None

    arguments = {name: arrays[name] for name in PLAIN} | {name: text(name) for name in NAMES}
    arguments |= {name: arrays.get(name) for name in POINTS}
    arguments |= {"discount": float(arrays["discount"]), "transition": matrix("transition")}
    samples = matrix("transition_reward")
    if sparse.issparse(samples):
        arguments["transition_reward"] = samples
    else:
        arguments["reward"] = arrays["reward"] if samples is None else samples
    if "grid.text" in arrays:
        arguments["grid"] = Grid(
            tuple(text("grid.text")), arrays["grid.cells"], arrays["grid.moves"]
        )
    return arguments
