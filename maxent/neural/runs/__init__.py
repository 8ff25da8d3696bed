"""A training run: a folder that survives whatever happens to the process that fills it.

==================  =======================================================================
`config.json`       configuration, its hash, seeds, versions, processor (`record.py`)
`lock`              held while a `Run` is open; names the process (`locks.py`)
`metrics.jsonl`     what was logged, a JSON object a line (`log.py`)
`checkpoints/`      one folder a checkpoint, whole or absent (`checkpoints.py`)
`replay/`           the replay buffer, in segments that checkpoints share (`segments.py`)
==================  =======================================================================

    with Run.create("run", config) as run, stop_requested() as stop:
        ...
        run.log({"step": step, "loss": loss})
        run.save(step, tensors, values, Rows(buffer.rows_since(run.inserted), inserted, capacity))

and after a crash

    with Run.open("run") as run:
        require_same_configuration(run.config, config)
        checkpoint = run.resume()          # None where nothing was saved yet: begin anew
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from safetensors import SafetensorError
from torch import Tensor

from maxent.errors import (
    CheckpointWriteError,
    ConfigError,
    MaxEntWarning,
    OutputExistsError,
    TrainingDivergedError,
)
from maxent.neural.runs import checkpoints
from maxent.neural.runs.checkpoints import CHECKPOINTS, REPLAY, Checkpoint
from maxent.neural.runs.durable import discard, sweep
from maxent.neural.runs.locks import Lock
from maxent.neural.runs.log import Log
from maxent.neural.runs.record import (
    FORMAT,
    LOCK,
    differences,
    new_folder,
    new_record,
    read_record,
    require_same_configuration,
    set_aside,
    surroundings,
    write_record,
)
from maxent.neural.runs.segments import Rows, Stored, add_rows
from maxent.support.arguments import require_count, require_finite
from maxent.support.files import require_path, sync_folder
from maxent.support.stopping import stop_requested

__all__ = [
    "Checkpoint",
    "Rows",
    "Run",
    "require_finite_tensors",
    "require_same_configuration",
    "stop_requested",
]


class Run:
    """One training run, locked while open.  Made by `Run.create` and `Run.open`.

    folder : where it is.  record : what `config.json` says.  config : its configuration.
    """

    def __init__(self, folder: Path, lock: Lock, record: dict[str, Any]) -> None:
        self.folder, self.record = folder, record
        self.config: dict[str, Any] = record["config"]
        self._lock = lock
        self._stored: Stored | None = None
        self._log: Log | None = None  # nothing can be logged or saved yet

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], config: dict[str, Any], overwrite: bool = False
    ) -> Run:
        """A new run in the folder `path`, which is made; ready to log and save.

        With `overwrite` a run that is there is removed.  Raises ConfigError for an impossible name
        or configuration; OutputExistsError where something is there; RunLockedError where it is in
        use.
        """
        record = new_record(config)
        folder = new_folder(path, overwrite)
        lock = Lock(folder / LOCK)
        try:
            new_folder(path, overwrite)  # again, now that nobody else can change it
            set_aside(folder)
            write_record(folder, record, overwrite=True)
            sync_folder(folder.absolute().parent)
            run = cls(folder, lock, record)
            run._tidy()
            run._continue_from(None, 0)
            return run
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """The run in the folder `path`: to load from, or to continue with `resume`.

        Removes what a crash left unfinished.  Raises ConfigError where there is no run,
        CorruptCheckpointError where its `config.json` is damaged, RunLockedError where it is in
        use.
        """
        folder = require_path(path, "run")
        read_record(folder)  # before a lock is put where no run is
        lock = Lock(folder / LOCK)
        try:
            run = cls(folder, lock, read_record(folder))
            run._tidy()
            return run
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Let go of the run; a second time does nothing."""
        self._close_log()
        self._lock.release()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def steps(self) -> list[int]:
        """The steps that have a checkpoint, in order."""
        return checkpoints.steps_in(self.folder)

    @property
    def inserted(self) -> int:
        """How many replay rows are in the last checkpoint: newer ones go into the next save."""
        return self._stored.inserted if self._stored else 0

    def log(self, row: Mapping[str, Any]) -> None:
        """Append one line to `metrics.jsonl`; NaN and infinite numbers become null.

        Raises CheckpointWriteError where the disk refuses; the lines before stay whole.
        """
        self._writable().append(row)

    def save(
        self,
        step: int,
        tensors: dict[str, Tensor],
        values: dict[str, Any],
        rows: Rows | None = None,
        score: float | None = None,
        memory: dict[str, Any] | None = None,
    ) -> str:
        """Write a checkpoint; its name, once the disk has all of it.  Older ones are pruned.

        rows: the replay rows inserted since the last save (`inserted`).  score: the checkpoint with
        the highest is kept.  memory: what the environments remember, plain values.  Raises
        TrainingDivergedError for numbers that are not finite; CheckpointWriteError where the disk
        refuses: the checkpoints before are whole.
        """
        log = self._writable()
        step = require_count("step", step, 0)
        if self.steps and step <= self.steps[-1]:
            raise OutputExistsError(
                f"step {step} is not after {checkpoints.name_of(self.steps[-1])}, the last "
                f"checkpoint of run {str(self.folder)!r}, which was left as it is"
            )
        require_finite_tensors(step, tensors)
        if rows is not None:
            require_finite_tensors(step, {f"replay.{name}": x for name, x in rows.arrays.items()})
        facts = {
            "format": FORMAT,
            "config_sha256": self.record["config_sha256"],
            "score": None if score is None else require_finite("score", score),
        }
        stored = None
        try:
            if rows is not None:
                stored = add_rows(self.folder / REPLAY, rows, self._stored)
            facts["stored"] = stored._asdict() if stored else None
            facts["metrics_bytes"] = log.size
            log.sync()
            name = checkpoints.publish(self.folder, step, tensors, values, facts, memory)
        except BaseException as error:
            self._drop_new(stored)
            if isinstance(error, (OSError, SafetensorError)):
                raise self._write_error(step, error) from error
            raise
        self._stored = stored
        with suppress(OSError):  # the checkpoint is safe; what is left is removed another time
            checkpoints.prune(self.folder)
        return name

    def load(self, step: int | None = None) -> Checkpoint:
        """The checkpoint of a step, by default the latest; see `checkpoints.load`."""
        return checkpoints.load(self.folder, step)

    def resume(self, step: int | None = None) -> Checkpoint | None:
        """`load`, and go on from there: the run is as it was when that checkpoint was saved, and
        what was logged or saved later is removed.  None where there is no checkpoint.

        Warns where versions, processor or threads are not the ones the run began with: it goes on,
        but not bit for bit.
        """
        checkpoint, stored, kept = None, None, 0
        if step is not None or self.steps:
            checkpoint = self.load(step)
            manifest = checkpoints.read_manifest(self.folder, checkpoint.step)
            stored = Stored(**manifest["stored"]) if manifest["stored"] else None
            kept = manifest["metrics_bytes"]
            for later in self.steps[self.steps.index(checkpoint.step) + 1 :]:
                discard(self.folder / CHECKPOINTS / checkpoints.name_of(later))
            sync_folder(self.folder / CHECKPOINTS)
        self._continue_from(stored, kept)
        if changed := differences(self.record["surroundings"], surroundings()):
            warnings.warn(
                f"run {str(self.folder)!r} may not continue bit for bit: {'; '.join(changed)}",
                MaxEntWarning,
                stacklevel=2,
            )
        return checkpoint

    def _tidy(self) -> None:
        """Make the folders, remove what was left unfinished."""
        for folder in (self.folder, self.folder / CHECKPOINTS, self.folder / REPLAY):
            folder.mkdir(exist_ok=True)
            sweep(folder)
        sync_folder(self.folder)
        checkpoints.prune(self.folder)

    def _continue_from(self, stored: Stored | None, kept: int) -> None:
        """Open the log, cut to the bytes kept; the replay rows stored so far."""
        self._stored = stored
        self._close_log()
        self._log = Log(self.folder, kept)
        sync_folder(self.folder)

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
        self._log = None

    def _writable(self) -> Log:
        """The log; ConfigError where nothing can be written."""
        if self._log is None:
            raise ConfigError(
                f"run {str(self.folder)!r} is closed, or open only to load; call resume() to go on"
            )
        return self._log

    def _drop_new(self, stored: Stored | None) -> None:
        """Remove the segment of a save that failed."""
        if stored is not None:
            before = self._stored.segments if self._stored else []
            for segment in stored.segments:
                if segment not in before:
                    discard(self.folder / REPLAY / segment["name"])

    def _write_error(self, step: int, error: Exception) -> CheckpointWriteError:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        last = (
            f"the last one is {checkpoints.name_of(self.steps[-1])}" if self.steps else "none yet"
        )
        return CheckpointWriteError(
            f"checkpoint of step {step} of run {str(self.folder)!r} could not be written: {why}; "
            f"earlier checkpoints are whole ({last}): make room and resume"
        )


def require_finite_tensors(step: int, tensors: Mapping[str, Tensor | ndarray]) -> None:
    """TrainingDivergedError, with step and tensor, where a number is NaN or infinite."""
    for name, tensor in tensors.items():
        if isinstance(tensor, Tensor):
            bad = int((~torch.isfinite(tensor)).sum())
        else:
            bad = int((~np.isfinite(tensor)).sum())
        if bad:
            raise TrainingDivergedError(
                f"step {step}: {name} has {bad} numbers that are NaN or infinite; the training "
                "diverged. Lower the learning rates, or look at the rewards and observations"
            )
