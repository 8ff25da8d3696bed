"""MDPs in files: a NumPy archive without pickle, so that nothing in a file is ever executed."""

from __future__ import annotations

import json
import math
import os
import stat
import zipfile
from typing import IO, Any

import numpy as np
from numpy import ndarray
from numpy.lib import format
from scipy import sparse

from maxent.errors import ConfigError, MaxEntError, ModelError
from maxent.mdp.grid import Grid
from maxent.support.files import require_path, write_whole
from maxent.support.memory import require_memory

FORMAT = "maxent-mdp-1"
PLAIN = ("initial_distribution", "terminal", "action_mask")
MATRICES = ("transition", "transition_reward")
NAMES = ("state_names", "action_names")
POINTS = ("observations", "actions")
_CSR = ("data", "indices", "indptr")
MEMBERS = {
    *("format", "discount", "reward", "grid.text", "grid.cells", "grid.moves", "grid.title"),
    *(*PLAIN, *NAMES, *POINTS, *MATRICES),
    *(f"{name}.{part}" for name in MATRICES for part in _CSR),
}
"""The names of all arrays that a file can hold."""


def write(path: str | os.PathLike[str], fields: dict[str, Any], overwrite: bool) -> None:
    """Write the fields of an MDP to `path`, whole or not at all."""
    if not os.fspath(require_path(path, "output path")).endswith(".npz"):
        raise ConfigError(f"{os.fsdecode(path)!r}: an MDP is saved as an .npz file; end it so")
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
        if grid.title:
            arrays["grid.title"] = np.array(json.dumps(grid.title))
    with (
        write_whole(os.fsdecode(path), overwrite=overwrite) as staged,
        zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, array in arrays.items():  # NumPy 2.1's own leaves the archive open on a full disk
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The constructor arguments of the MDP in `path`; ModelError where there is none.

    Before anything is unpacked, the archive must hold arrays of the names that `write` gives and no
    others, and what they claim to hold must fit in memory (else MemoryBudgetError): a small file
    can unpack to any size.
    """
    name = repr(os.fspath(require_path(path, "path")))
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a device or a pipe may have no end
            raise ModelError(f"{name} is no ordinary file; give one that MDP.save wrote")
        with open(path, "rb") as file:
            with zipfile.ZipFile(file) as archive:
                _require_members(name, archive)
            file.seek(0)
            with np.load(file, allow_pickle=False) as loaded:
                arrays = {key: loaded[key] for key in loaded.files}
        return _arguments(arrays)
    except MaxEntError:
        raise
    except Exception as error:  # whatever bytes a foreign or damaged archive holds
        if isinstance(error, OSError) and error.filename is not None:
            raise  # the file cannot be opened
        raise ModelError(
            f"{name} is not an MDP saved by MDP.save, or it is damaged: {str(error)[:200]}"
        ) from error


def _require_members(name: str, archive: zipfile.ZipFile) -> None:
    """ModelError for a member that `write` does not make or whose size is not that of its array."""
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ModelError(f"{name} holds an array twice; it was not written by MDP.save")
    for member in members:
        if member.filename.removesuffix(".npy") not in MEMBERS:
            raise ModelError(
                f"{name} holds {member.filename[:60]!r}, which MDP.save does not write"
            )
    unpacked = sum(member.file_size for member in members)
    require_memory(3 * unpacked, f"the MDP in {name}", "it cannot be read on this machine")
    for member in members:
        with archive.open(member) as stream:
            claimed = _array_bytes(stream) + stream.tell()
        if claimed != member.file_size:
            raise ModelError(
                f"{name}: {member.filename} claims an array of {claimed} bytes and has "
                f"{member.file_size}; the file is damaged"
            )


def _array_bytes(stream: IO[bytes]) -> int:
    """The bytes that an .npy header announces; the stream is left behind the header."""
    readers = {(1, 0): format.read_array_header_1_0, (2, 0): format.read_array_header_2_0}
    shape, _, dtype = readers[format.read_magic(stream)](stream)
    return math.prod(shape) * dtype.itemsize


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
            tuple(text("grid.text")),
            arrays["grid.cells"],
            arrays["grid.moves"],
            text("grid.title") or "",
        )
    return arguments
