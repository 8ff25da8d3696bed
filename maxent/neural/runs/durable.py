"""Bytes that outlive a crash, and documents in which any change shows.

A file is on the disk once it was fsynced, its name once the folder around it was.  SHA-256 tells
whether a file holds what was written: neither the safetensors format nor a parser of JSON notices
a flipped bit in a number.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from maxent.errors import CorruptCheckpointError
from maxent.support.arguments import quoted
from maxent.support.files import STAGED, read_whole

READ_AS_JSON = 30
"""Bytes that reading a byte of JSON can take."""
FORSAKEN = (".stage-", ".gone-", STAGED)
"""How the names begin of what a process that died was still writing or removing."""


def write_synced(path: Path, data: bytes) -> dict[str, Any]:
    """Write a new file and wait until the disk has it; its name, size and SHA-256.

    Raises FileExistsError where the name is taken, OSError where the disk refuses.
    """
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return entry_of(path.name, data)


def entry_of(name: str, data: bytes) -> dict[str, Any]:
    """What a manifest says of a file: its name, size and SHA-256."""
    return {"name": name, "size": len(data), "sha256": sha256(data)}


def read_verified(folder: Path, entry: dict[str, Any]) -> bytes:
    """The bytes of the file of a manifest's entry; CorruptCheckpointError unless they are the ones
    that were written."""
    path = folder / plain_name(folder, entry)
    data = read_bytes(path, entry["sha256"])
    if (actual := sha256(data)) != entry["sha256"]:
        raise CorruptCheckpointError(
            f"{str(path)!r} is not what was written: SHA-256 expected {entry['sha256']}, "
            f"actual {actual} ({entry['size']} bytes expected, {len(data)} found)"
        )
    return data


def plain_name(folder: Path, entry: Any) -> str:
    """The name in a manifest's entry, of a file in its own folder; CorruptCheckpointError for
    anything else."""
    kinds = {"name": str, "size": int, "sha256": str}
    if isinstance(entry, dict) and all(type(entry.get(key)) is kind for key, kind in kinds.items()):
        name: str = entry["name"]
        if Path(name).name == name and "\0" not in name:
            return name
    raise CorruptCheckpointError(f"{quoted(entry)} names no file in {str(folder)!r}")


def read_bytes(path: Path, expected: str = "of its own text") -> bytes:
    """The bytes of a file; CorruptCheckpointError where it is missing or cannot be read,
    MemoryBudgetError where it is too large to be what was written."""
    try:
        return read_whole(path, READ_AS_JSON if path.suffix == ".json" else 3)
    except OSError as error:
        what = "is missing" if isinstance(error, FileNotFoundError) else f"fails: {error.strerror}"
        raise CorruptCheckpointError(
            f"{str(path)!r} {what}: SHA-256 expected {expected}, actual none"
        ) from error


def alike(document: Any) -> Any:
    """A JSON document in which 1 and 1.0 are one number, for comparisons."""
    return json.loads(json.dumps(document), parse_float=_number)


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2.0**53 else value


def seal(document: dict[str, Any]) -> bytes:
    """JSON text of a document, with the SHA-256 of its plainest form as a last field."""
    return (json.dumps(document | {"sha256": sha256_of(document)}, indent=1) + "\n").encode()


def unseal(path: Path) -> dict[str, Any]:
    """The document that `seal` turned into this file; CorruptCheckpointError for any other bytes.

    The text is made again and compared, so that no byte of it can differ unseen.
    """
    data = read_bytes(path)
    expected: Any = "none"
    try:
        document: dict[str, Any] = json.loads(data)
        expected = document.pop("sha256")
        if seal(document) == data:
            found: dict[str, Any] = document
            return found
        actual = sha256_of(document)
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        actual = sha256(data)
    raise CorruptCheckpointError(
        f"{str(path)!r} is not what was written: SHA-256 expected {expected}, actual {actual}"
    )


def sha256(data: bytes) -> str:
    """SHA-256 of bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(document: Any) -> str:
    """SHA-256 of a JSON document whatever the order of its keys."""
    return sha256(json.dumps(document, sort_keys=True).encode())


def discard(path: Path) -> None:
    """Remove a file or a folder, a folder by one rename first, so that it never looks whole while
    it is not.  What refuses to go is left for `sweep`."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            if not path.name.startswith(FORSAKEN):
                path = path.rename(path.with_name(f".gone-{uuid.uuid4().hex}"))
            shutil.rmtree(path)
        else:
            path.unlink()


def sweep(folder: Path) -> None:
    """Remove what processes that died left in a folder."""
    for path in folder.iterdir():
        if path.name.startswith(FORSAKEN):
            discard(path)
