"""A run's `metrics.jsonl`: a row of numbers a line, in the order of the steps."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from maxent.errors import CheckpointWriteError, ConfigError, MaxEntWarning
from maxent.neural.runs.durable import READ_AS_JSON
from maxent.support.arguments import require_count
from maxent.support.files import read_whole
from maxent.support.plain import plain

METRICS = "metrics.jsonl"


class Log:
    """The log of an open run, to append to.

    What it held beyond `kept` bytes is cut off, a torn last line included.
    """

    def __init__(self, run: Path, kept: int) -> None:
        self._path = run / METRICS
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        flags |= getattr(os, "O_NOFOLLOW", 0)  # what is cut is the run's own
        self._handle = os.open(self._path, flags, 0o644)
        if self.size < kept:
            warnings.warn(
                f"{str(self._path)!r} has {self.size} bytes of the {kept} that were logged",
                MaxEntWarning,
                stacklevel=4,
            )
        os.ftruncate(self._handle, min(self.size, kept))
        self.sync()

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self._handle).st_size

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one line; NaN and infinite numbers become null.

        Raises CheckpointWriteError where the disk refuses; the lines before stay whole.
        """
        left = (json.dumps(plain(row, "the logged row", finite=True)) + "\n").encode()
        start = self.size
        try:
            while left:
                left = left[os.write(self._handle, left) :]
        except BaseException as error:
            with suppress(OSError):
                os.ftruncate(self._handle, start)
            if isinstance(error, OSError):
                raise CheckpointWriteError(
                    f"{str(self._path)!r} could not be written: {error.strerror}"
                ) from error
            raise

    def sync(self) -> None:
        """Wait until the disk has every line."""
        os.fsync(self._handle)

    def close(self) -> None:
        """Close the file; nothing can be appended any more."""
        os.close(self._handle)


def read_log(run: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """What a run has logged, a dictionary a row; blank lines, and a last one that is not whole, are
    left out.

    Raises ConfigError for a line that is no row: the file, the line and what it says; and where the
    file cannot be read.  Warns where it is gone: checkpoints do not need it.
    """
    path = Path(run) / METRICS
    try:
        lines = read_whole(path, READ_AS_JSON).decode(errors="replace").split("\n")[:-1]
    except FileNotFoundError:
        warnings.warn(
            f"{str(path)!r} is gone: nothing logged is known", MaxEntWarning, stacklevel=4
        )
        return []
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    return [_row(path, i, line) for i, line in enumerate(lines, 1) if line.strip()]


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        row = json.loads(line)
        if isinstance(row, dict) and all(isinstance(x, int | float | None) for x in row.values()):
            row["step"] = require_count("step", row.get("step"), 0)
            return row
    raise ConfigError(
        f"{path}, line {number} is no row of a training log: {line.rstrip()[:60]!r}; put "
        "as many spaces in its place (a checkpoint counts the bytes before it)"
    )
