"""Checkpoints: all of a step or nothing of it.

A run's folder `checkpoints/` holds one folder a checkpoint, `step-000123`:

====================  =====================================================================
`tensors.safetensors`  every tensor: weights, targets, moments, generator states
`values.json`          plain values: counters, states of NumPy's generators
`environments.json`    what the environments remember across episodes
`manifest.json`        written last: size and SHA-256 of both and of the replay segments needed
====================  =====================================================================

It is written as `.stage-...`, every file fsynced, and gets its name by one rename; only then is
the save acknowledged.  A process killed at any moment leaves every acknowledged checkpoint whole,
and at worst a stage that the next one sweeps away.  Nothing is read before its hash was compared,
and nothing that a file holds is ever executed.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from maxent.errors import ConfigError, CorruptCheckpointError, MemoryBudgetError
from maxent.neural.runs.durable import discard, read_verified, seal, unseal, write_synced
from maxent.neural.runs.segments import Rows, Stored, prune_segments, read_rows
from maxent.support.arguments import require_count, require_finite
from maxent.support.files import sync_folder
from maxent.support.plain import plain

KEPT = 2
"""The latest checkpoints that pruning keeps, besides the best."""

CHECKPOINTS, REPLAY = "checkpoints", "replay"
_TENSORS, _VALUES, _MANIFEST = "tensors.safetensors", "values.json", "manifest.json"
_MEMORY = "environments.json"
_NAME = re.compile(r"step-(\d{6}|[1-9]\d{6,})")


class Checkpoint(NamedTuple):
    """What `Run.save` was given, as it was at that step; `rows` are the replay buffer's, None where
    there is none or where they were not asked for."""

    step: int
    tensors: dict[str, Tensor]
    values: dict[str, Any]
    rows: Rows | None
    memory: dict[str, Any] = {}  # noqa: RUF012 (never changed)


def name_of(step: int) -> str:
    """The folder's name: step-000123."""
    return f"step-{step:06d}"


def steps_in(run: Path) -> list[int]:
    """The steps of a run's checkpoints, in order."""
    try:
        names = os.listdir(run / CHECKPOINTS)
    except (FileNotFoundError, NotADirectoryError):
        return []
    matches = [_NAME.fullmatch(name) for name in names]
    return sorted(int(match[1]) for match in matches if match)


def publish(
    run: Path,
    step: int,
    tensors: dict[str, Tensor],
    values: dict[str, Any],
    facts: dict[str, Any],
    memory: dict[str, Any] | None = None,
) -> str:
    """Write a checkpoint and give it its name, which is returned once the disk has it all.

    facts: further fields of the manifest.  Raises OSError where the disk refuses, or where the step
    has a checkpoint: nothing of the new one is left then.
    """
    folder = run / CHECKPOINTS
    final = folder / name_of(step)
    stage = folder / f".stage-{step}-{uuid.uuid4().hex}"
    text = json.dumps(plain(values, "values")).encode()
    more = None if memory is None else json.dumps(plain(memory, "memory")).encode()
    written = stage
    try:
        stage.mkdir()
        files = [
            write_synced(stage / _TENSORS, _tensor_bytes(tensors)),
            write_synced(stage / _VALUES, text),
        ]
        if more is not None:
            files.append(write_synced(stage / _MEMORY, more))
        write_synced(stage / _MANIFEST, seal({"step": step, "files": files} | facts))
        sync_folder(stage)
        stage.rename(final)
        written = final
        sync_folder(folder)
    except BaseException:
        discard(written)
        raise
    return final.name


def read_manifest(run: Path, step: int) -> dict[str, Any]:
    """A checkpoint's manifest, verified; CorruptCheckpointError otherwise."""
    path = run / CHECKPOINTS / name_of(step) / _MANIFEST
    manifest = unseal(path)
    if manifest.get("step") != step:
        raise CorruptCheckpointError(f"{str(path)!r} belongs to step {manifest.get('step')}")
    try:
        require_count("metrics_bytes", manifest["metrics_bytes"], 0)
        if manifest["score"] is not None:
            require_finite("score", manifest["score"])
        if {entry["name"] for entry in manifest["files"]} - {_MEMORY} != {_TENSORS, _VALUES}:
            raise KeyError("files")
        if manifest["stored"]:
            Stored.read(manifest["stored"])
    except (KeyError, TypeError, ConfigError) as error:
        raise CorruptCheckpointError(
            f"{str(path)!r} is not what this version writes: {type(error).__name__}: {error}"
        ) from error
    return manifest


def load(run: Path, step: int | None = None, *, replay: bool = True) -> Checkpoint:
    """The checkpoint of a step, by default the latest.

    replay : whether the replay buffer is wanted; its files are not looked at where it is not.

    Needs no lock: a reader may look while the run goes on.  Raises ConfigError where there is no
    such checkpoint; CorruptCheckpointError, with the newest good one, where a file is missing or
    not what was written.
    """
    steps = steps_in(run)
    if not steps or (step is not None and step not in steps):
        asked = "no checkpoint yet" if step is None else f"no checkpoint of step {step}"
        there = f"; there are {', '.join(map(str, steps))}" if steps else ""
        raise ConfigError(f"run {str(run)!r} has {asked}{there}")
    step = steps[-1] if step is None else step
    try:
        return _read(run, step, replay)
    except CorruptCheckpointError as error:
        good = [
            other for other in reversed(steps) if other != step and _is_good(run, other, replay)
        ]
        advice = f"the newest good one is step {good[0]}" if good else "no other is good"
        raise CorruptCheckpointError(
            f"checkpoint {name_of(step)} is damaged and was not used: {error}; {advice}"
        ) from error


def prune(run: Path) -> None:
    """Remove all checkpoints but the last two and the best, then the segments none of them needs.

    The best has the highest score.  A damaged manifest does not say what it needs: as long as one
    is kept, no segment is removed.
    """
    folder = run / CHECKPOINTS
    steps = steps_in(run)
    kept, manifests, whole = set(steps[-KEPT:]), {}, True
    for step in steps:
        try:
            manifests[step] = read_manifest(run, step)
        except CorruptCheckpointError:
            whole = whole and step not in kept
    scores = {step: manifest.get("score") for step, manifest in manifests.items()}
    scored = [step for step in steps if scores.get(step) is not None]
    if scored:
        kept.add(max(scored, key=lambda step: (scores[step], step)))
    for step in sorted(set(steps) - kept):
        discard(folder / name_of(step))
    sync_folder(folder)  # a checkpoint must be gone before what it needs
    if whole:
        stored = [manifests[step]["stored"] for step in kept]
        names = [each["name"] for one in stored if one for each in one["segments"]]
        prune_segments(run / REPLAY, set(names))


def _tensor_bytes(tensors: dict[str, Tensor]) -> bytes:
    """Tensors in the safetensors format.  The copies let two names share one tensor."""
    copies = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    return safetensors.torch.save(copies)


def _read(run: Path, step: int, replay: bool) -> Checkpoint:
    folder = run / CHECKPOINTS / name_of(step)
    manifest = read_manifest(run, step)
    entries = {entry["name"]: entry for entry in manifest["files"]}
    try:
        # cloned, so that the memory is aligned as torch does it: sums can depend on that
        read = safetensors.torch.load(read_verified(folder, entries[_TENSORS]))
        tensors = {name: tensor.clone() for name, tensor in read.items()}
        values = json.loads(read_verified(folder, entries[_VALUES]))
        there = _MEMORY in entries  # version 0.1 had none
        memory = json.loads(read_verified(folder, entries[_MEMORY])) if there else {}
        if not isinstance(values, dict) or not isinstance(memory, dict):
            raise ValueError(f"{_VALUES if isinstance(memory, dict) else _MEMORY} is no dictionary")
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        if isinstance(error, CorruptCheckpointError):
            raise
        raise CorruptCheckpointError(f"{str(folder)!r} cannot be read: {error}") from error
    stored = manifest["stored"]
    rows = read_rows(run / REPLAY, Stored(**stored)) if stored and replay else None
    return Checkpoint(step, tensors, values, rows, memory)


def _is_good(run: Path, step: int, replay: bool) -> bool:
    with suppress(CorruptCheckpointError, MemoryBudgetError):
        _read(run, step, replay)
        return True
    return False
