"""What a run was made with: its configuration, seeds, versions and machine, in `config.json`."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import maxent
from maxent.errors import (
    ConfigError,
    CorruptCheckpointError,
    OutputExistsError,
    ResumeMismatchError,
)
from maxent.neural.runs.checkpoints import CHECKPOINTS, REPLAY
from maxent.neural.runs.durable import FORSAKEN, alike, seal, sha256_of, unseal
from maxent.neural.runs.log import METRICS
from maxent.support.files import output_folder, read_whole, require_path, sync_folder, write_whole
from maxent.support.plain import plain

FORMAT = "maxent-run-1"
CONFIG, LOCK = "config.json", "lock"

RENAMED = {"copies": "num_envs"}
"""Fields of a configuration that version 0.1 called otherwise: the old name, the new one."""
GONE = {"n_steps": 1}
"""Settings that there were once, and the value of which leaving them out says the same."""
ONCE = {"sql": {"policy": "sampler"}}
"""Settings of an algorithm that are younger than some records, and what was done without them."""


def new_record(config: dict[str, Any]) -> dict[str, Any]:
    """The record of a new run: its configuration with hash and seeds, and the surroundings."""
    config = plain(config, "config")
    return {
        "format": FORMAT,
        "config": config,
        "config_sha256": sha256_of(config),
        "seeds": {name: value for name, value in config.items() if "seed" in name},
        "surroundings": surroundings(),
    }


def write_record(run: Path, record: dict[str, Any], overwrite: bool) -> None:
    """Write `config.json`, whole or not at all."""
    with write_whole(run / CONFIG, overwrite=overwrite) as staged:
        staged.write_bytes(seal(record))
    sync_folder(run)


def new_folder(path: str | os.PathLike[str], overwrite: bool) -> Path:
    """The folder of a new run, made where it is missing; errors as those of `Run.create`."""
    path = require_path(path, "run")
    try:
        names = set(os.listdir(path))
    except (OSError, ValueError):
        names = set()
    if all(name == LOCK or name.startswith(FORSAKEN) for name in names):
        overwrite = True  # empty, or left by a process that died while it made the run
    elif overwrite and not is_run(Path(path)):
        raise OutputExistsError(
            f"folder {os.fspath(path)!r} holds files and is no training run; it was left as it is, "
            "choose another"
        )
    return output_folder(path, overwrite)


def set_aside(folder: Path) -> None:
    """Take an old run's contents out of the way, at once, for `sweep` to remove."""
    for name in (CHECKPOINTS, REPLAY, METRICS):
        if (folder / name).exists():
            (folder / name).rename(folder / f".gone-{uuid.uuid4().hex}")
    sync_folder(folder)


def read_record(run: Path) -> dict[str, Any]:
    """The record of a run, its configuration by the names of today.

    Raises ConfigError where there is no run, or one of another version; CorruptCheckpointError
    where `config.json` is not what was written.
    """
    there = False
    with suppress(OSError):  # a name too long, a folder that may not be looked into
        there = (run / CONFIG).is_file()
    if not there:
        raise ConfigError(f"{str(run)!r} is no training run: it has no {CONFIG}")
    record = unseal(run / CONFIG)
    if record.get("format") != FORMAT:
        raise ConfigError(
            f"run {str(run)!r} has the format {record.get('format')!r}; this version reads {FORMAT}"
            f" (a later one needs a later maxent than {maxent.__version__})"
        )
    for name, kind in {"config": dict, "surroundings": dict, "config_sha256": str}.items():
        if not isinstance(record.get(name), kind):
            raise CorruptCheckpointError(f"{str(run / CONFIG)!r} has no {name} of a run")
    config = {RENAMED.get(name, name): value for name, value in record["config"].items()}
    if isinstance(config.get("settings"), dict):
        where = f"run {str(run)!r}"
        config["settings"] = of_today(config.get("algorithm"), config["settings"], where)
    return record | {"config": config}


def of_today(algorithm: Any, settings: dict[str, Any], where: str) -> dict[str, Any]:
    """Recorded settings by today's: without those that there are no more (ConfigError where one was
    used), and with what was done before there were others."""
    for name, unused in GONE.items():
        if settings.get(name, unused) != unused:
            raise ConfigError(
                f"{where} has {name} = {settings[name]!r}, a setting that there is no more: only "
                "the version that made it can go on with it"
            )
    kept = {name: value for name, value in settings.items() if name not in GONE}
    return ONCE.get(algorithm, {}) | kept if isinstance(algorithm, str) else kept


def surroundings() -> dict[str, Any]:
    """What the last bits of a training run depend on: versions, processor, threads, the commit of
    this package where it is a git checkout."""
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        **{name: _version(name) for name in ("numpy", "gymnasium", "mujoco")},
        "maxent": maxent.__version__,
        "commit": _commit(),
        "processor": _processor(),
        "threads": torch.get_num_threads(),
    }


def require_same_configuration(saved: dict[str, Any], new: dict[str, Any]) -> None:
    """ResumeMismatchError, field by field, where two configurations differ."""
    if found := differences(saved, plain(new, "config")):
        raise ResumeMismatchError(
            "the run was made with another configuration (saved -> asked for): "
            + "; ".join(found)
            + "; resume without these changes, or start another run"
        )


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs between two JSON documents, one text a field: "batch_size: 256 -> 128"."""
    before, after = dict(_fields(alike(old))), dict(_fields(alike(new)))
    return [
        f"{name}: {before.get(name, 'absent')} -> {after.get(name, 'absent')}"
        for name in sorted(before | after)
        if before.get(name) != after.get(name)
    ]


def is_run(folder: Path) -> bool:
    """Whether a folder is a run's, of whatever version."""
    with suppress(OSError):
        return b'"format": "maxent-run-' in read_whole(folder / CONFIG)
    return False


def _fields(document: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every field by its dotted name, its value as text."""
    for name, value in document.items():
        if isinstance(value, dict) and value:
            yield from _fields(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", repr(value)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@functools.cache
def _commit() -> str | None:
    """The commit that this process runs, marked where files differ from it."""
    source = Path(maxent.__file__).parent.parent
    if not (source / ".git").exists():
        return None
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        said = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip() or None


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as table:
            for line in table:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
