"""Output files that are either whole or absent.

Every file the package writes goes through `write_whole`: it is written beside its destination
under a temporary name and renamed once complete, so an interrupted or failed write leaves
neither a half-written file nor a damaged old one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maxent.errors import ConfigError, OutputExistsError


def check_output(path: str | os.PathLike[str], overwrite: bool) -> Path:
    """`path` as a Path that may be written: ConfigError for an impossible name,
    OutputExistsError where something is there and `overwrite` is false."""
    text = os.fspath(path)
    if "\0" in text:
        raise ConfigError(f"output path {text!r} contains a NUL character; choose another name")
    destination = Path(text)
    if any(len(os.fsencode(part)) > 255 for part in destination.parts):
        raise ConfigError(f"output path {text[:60]!r}... has a name over 255 bytes; shorten it")
    if destination.name.startswith("-"):
        raise ConfigError(
            f"output path {text!r} begins with '-' and looks like an option; "
            f"write './{destination.name}' under another name"
        )
    if destination.is_dir():
        raise ConfigError(f"output path {text!r} is a folder; name a file in it")
    if not destination.parent.is_dir():
        raise ConfigError(f"folder {str(destination.parent)!r} does not exist; create it first")
    if destination.exists() and not overwrite:
        raise OutputExistsError(
            f"{text!r} exists and was left as it is; "
            "pass overwrite=True (--overwrite on the command line) to replace it"
        )
    return destination


@contextmanager
def write_whole(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path (with the suffix of `path`) to write to; on success it takes the
    place of `path` in one step, on any failure it is removed and `path` is as it was.

    Raises OutputExistsError (nothing changed) if `path` exists and `overwrite` is false.
    """
    destination = check_output(path, overwrite)
    handle, name = tempfile.mkstemp(
        prefix=".writing-", suffix=destination.suffix, dir=destination.parent
    )
    os.close(handle)
    staged = Path(name)
    try:
        yield staged
        umask = os.umask(0)
        os.umask(umask)
        staged.chmod(0o666 & ~umask)
        with open(staged, "rb") as written:
            os.fsync(written.fileno())
        if overwrite:
            staged.replace(destination)
        else:
            try:  # a hard link, unlike a rename, fails if the name was taken meanwhile
                os.link(staged, destination)
            except FileExistsError:
                check_output(path, overwrite)
                raise
            except OSError:  # a file system without hard links
                staged.replace(destination)
    finally:
        staged.unlink(missing_ok=True)
