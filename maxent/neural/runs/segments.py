"""The replay buffer on the disk: segments that are written once and never changed.

A save adds one segment with the rows inserted since the last one; where they become many, small
neighbours are written as one.  A checkpoint names the segments
it needs, so that a buffer of a million rows costs a save no more than its new rows; what no
checkpoint needs is removed.  A segment that was not written to its end is named by none.
"""

from __future__ import annotations

import math
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy
from numpy import ndarray
from safetensors import SafetensorError

from maxent.errors import ConfigError, CorruptCheckpointError
from maxent.neural.runs.durable import discard, entry_of, plain_name, read_verified
from maxent.support.arguments import require_count, require_counts
from maxent.support.files import staged, sync_folder
from maxent.support.memory import require_memory

KINDS = "biufc"
"""The kinds of NumPy's types that replay rows have."""

MOST = 32
"""Segments of a checkpoint; of more, neighbours are written as one."""


class Rows(NamedTuple):
    """Rows of a replay buffer, oldest first, that end with its latest.

    arrays : name -> (n, ...), n the same for all; saved: the rows inserted since the last save;
        loaded: the last min(capacity, inserted).
    inserted : how many rows were ever inserted.  capacity : how many the buffer keeps.
    """

    arrays: dict[str, ndarray]
    inserted: int
    capacity: int


class Stored(NamedTuple):
    """What a checkpoint's manifest says of the rows it needs.

    columns : name -> [dtype, *shape of one row].
    segments : oldest first, each with name, size, sha256 and its rows start (included), stop.
    """

    columns: dict[str, list[Any]]
    segments: list[dict[str, Any]]
    inserted: int
    capacity: int

    @classmethod
    def read(cls, document: Any) -> Stored:
        """What a manifest holds; CorruptCheckpointError where it is not what was written."""
        try:
            found = cls(**document)
            require_count("inserted", found.inserted, 0)
            require_count("capacity", found.capacity)
            for dtype, *shape in found.columns.values():
                if np.dtype(dtype).kind not in KINDS or require_counts("shape", shape, 0) != shape:
                    raise ValueError(f"a column is {dtype}, {shape}")
            for segment in found.segments:
                plain_name(Path(), segment)
                start = require_count("start", segment["start"], 0)
                require_count("stop", segment["stop"], start)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise CorruptCheckpointError(
                f"the manifest's rows are not readable: {error}"
            ) from error
        return found


def add_rows(folder: Path, rows: Rows, before: Stored | None) -> Stored:
    """Write new rows as a segment behind those stored `before`; what is stored now.

    Raises ConfigError where they do not continue the stored ones; OSError where the disk refuses.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in rows.arrays.items()}
    count = _check_rows(rows, arrays)
    columns = {name: [array.dtype.name, *array.shape[1:]] for name, array in arrays.items()}
    start = rows.inserted - count
    segments: list[dict[str, Any]] = []
    if before is not None:
        if columns != before.columns:
            raise ConfigError(f"replay rows have columns {columns}; so far: {before.columns}")
        segments = before.segments
    stop = before.inserted if before is not None else 0
    if start != stop and count < min(rows.inserted, rows.capacity):
        raise ConfigError(
            f"replay rows {start} to {rows.inserted} do not continue the {stop} rows saved so far; "
            "hand over every row inserted since the last save"
        )
    if count:
        entry = _write_segment(folder, arrays, start, rows.inserted)
        # whole segments alone are dropped; the rows before `first` are skipped when read
        segments = [old for old in segments if old["stop"] <= start] + [entry]
    first = rows.inserted - min(rows.inserted, rows.capacity)
    segments = [segment for segment in segments if segment["stop"] > first]
    with suppress(CorruptCheckpointError):  # who loads a damaged segment is told
        while len(segments) > MOST:
            segments = _merged(folder, segments)
    return Stored(columns, segments, rows.inserted, rows.capacity)


def read_rows(folder: Path, stored: Stored) -> Rows:
    """The last min(capacity, inserted) rows.  Raises CorruptCheckpointError for a segment that is
    not what was written, MemoryBudgetError where more are claimed than memory holds."""
    count = min(stored.inserted, stored.capacity)
    first = stored.inserted - count
    width = sum(
        np.dtype(dtype).itemsize * math.prod(shape) for dtype, *shape in stored.columns.values()
    )
    require_memory(count * width, f"the replay buffer of {count} rows", "it cannot be read here")
    arrays = {
        name: np.empty((count, *shape), dtype) for name, (dtype, *shape) in stored.columns.items()
    }
    expected = first
    for segment in stored.segments:
        data = read_verified(folder, segment)
        skipped = max(first - segment["start"], 0)
        place = segment["start"] + skipped - first
        try:
            read = safetensors.numpy.load(data)
            if segment["start"] + skipped != expected or set(read) != set(arrays):
                raise ValueError("other rows or columns than the checkpoint names")
            for name, array in arrays.items():
                expects = array.dtype, (segment["stop"] - segment["start"], *array.shape[1:])
                if (found := (read[name].dtype, read[name].shape)) != expects:
                    raise ValueError(f"{name} is {found}, not {expects}")
                array[place : segment["stop"] - first] = read[name][skipped:]
        except (SafetensorError, ValueError) as error:
            raise CorruptCheckpointError(f"{str(folder / segment['name'])!r}: {error}") from error
        expected = segment["stop"]
    if expected != stored.inserted:
        raise CorruptCheckpointError(f"replay rows {expected} to {stored.inserted} are missing")
    return Rows(arrays, stored.inserted, stored.capacity)


def prune_segments(folder: Path, needed: set[str]) -> None:
    """Remove the segments that no checkpoint needs."""
    for path in folder.glob("rows-*.safetensors"):
        if path.name not in needed:
            discard(path)


def _merged(folder: Path, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The segments with the two smallest neighbours written as one.

    The two stay for the checkpoints before, until these are pruned.  A row is written again about
    as often as the number of saves has binary digits.
    """
    sizes = [old["stop"] - old["start"] for old in segments]
    at = min(range(len(sizes) - 1), key=lambda i: sizes[i] + sizes[i + 1])
    one, two = segments[at : at + 2]
    first, second = (safetensors.numpy.load(read_verified(folder, each)) for each in (one, two))
    both = {name: np.concatenate([first[name], second[name]]) for name in first}
    entry = _write_segment(folder, both, one["start"], two["stop"])
    return [*segments[:at], entry, *segments[at + 2 :]]


def _check_rows(rows: Rows, arrays: dict[str, ndarray]) -> int:
    """The common number of rows; ConfigError where there is none."""
    require_count("rows.inserted", rows.inserted, 0)
    require_count("rows.capacity", rows.capacity)
    shapes = {name: np.shape(array) for name, array in rows.arrays.items()}
    if not shapes or any(not shape or shape[0] != _first(shapes) for shape in shapes.values()):
        raise ConfigError(f"replay rows have shapes {shapes}; the first axis must be one for all")
    if any(array.dtype.kind not in KINDS for array in arrays.values()):
        raise ConfigError("replay rows must be numbers or booleans")
    if _first(shapes) > rows.inserted:
        raise ConfigError(f"{_first(shapes)} replay rows, but only {rows.inserted} ever inserted")
    return _first(shapes)


def _first(shapes: dict[str, tuple[int, ...]]) -> int:
    shape = next(iter(shapes.values()))
    return shape[0] if shape else -1


def _write_segment(
    folder: Path, arrays: dict[str, ndarray], start: int, stop: int
) -> dict[str, Any]:
    path = folder / f"rows-{start:09d}-{stop:09d}-{uuid.uuid4().hex[:8]}.safetensors"
    data = safetensors.numpy.save(arrays)
    try:
        with staged(path) as temporary, open(temporary, "wb") as file:
            file.write(data)
        sync_folder(folder)
    except BaseException:
        discard(path)
        raise
    return entry_of(path.name, data) | {"start": start, "stop": stop}
