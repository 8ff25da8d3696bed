"""Files that are read within bounds, and output files that are either whole or absent.

Every file the package writes goes through `staged`: it is written beside its destination under a
temporary name (".writing-..."), waits for the disk, and gets its name once complete, so an
interrupted or failed write leaves neither a half-written file nor a damaged old one.  Of two
programs that write one name without overwriting, one wins and the other is refused.  `write_whole`
is `staged` for names that users give: they are checked first.  A symbolic link is followed, as by
`open`.  What is no ordinary file (a device, a pipe) is never replaced.

The name of a file is on the disk once the folder is: `sync_folder`, where that is promised.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from maxent.errors import ConfigError, OutputExistsError
from maxent.support.arguments import quoted, require_flag
from maxent.support.memory import require_memory

LONGEST_NAME, LONGEST_PATH = 255, 4096
"""Bytes of a name, and of a whole path, that file systems take."""

STAGED = ".writing-"
"""How the name of a file begins while it is written."""


def require_path(path: str | bytes | os.PathLike[Any], what: str) -> Path:
    """`path` as a Path; ConfigError for what is none, and for a name that no file can have.

    what : how the message begins, such as "output path".
    """
    if not isinstance(path, str | bytes | os.PathLike):
        raise ConfigError(f"{what} = {quoted(path)} is a {type(path).__name__}; give a path")
    text = os.fsdecode(path)
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        raise ConfigError(f"{what} {quoted(text)} cannot be the name of a file: {error}") from None
    named = Path(text)
    if not text:
        raise ConfigError(f"the {what} is empty; give a name")
    if "\0" in text:
        raise ConfigError(f"{what} {text[:60]!r} contains a NUL character; leave it out")
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in named.parts):
        raise ConfigError(
            f"{what} {text[:60]!r}... has a name over {LONGEST_NAME} bytes; shorten it"
        )
    if len(os.fsencode(text)) >= LONGEST_PATH:
        raise ConfigError(f"{what} {text[:60]!r}... has {LONGEST_PATH} bytes or more; shorten it")
    return named


def read_whole(path: str | os.PathLike[str], times: int = 3) -> bytes:
    """The bytes of an ordinary file.

    times : how much memory the reader needs, as a multiple of the file's size: MemoryBudgetError,
    before anything is read, where that would not fit.  OSError for what is no ordinary file (a
    device or a pipe may have no end) and where it cannot be read.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "no ordinary file", os.fspath(path))
        require_memory(times * about.st_size, f"reading {os.fspath(path)!r}", "it is too large")
        return file.read(about.st_size)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; one that waits for a writer, a pipe, at once."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def require_output(
    path: str | os.PathLike[str], overwrite: bool, endings: Sequence[str] = ()
) -> Path:
    """`path` as a Path that can be written, now or once long work is done.

    Raises ConfigError for a name or place where no file can be, or an ending that is not one of
    `endings`; OutputExistsError where a file is there and `overwrite` is false.
    """
    require_flag("overwrite", overwrite)
    destination = _named(path)
    text = os.fsdecode(path)
    if endings and destination.suffix.lower() not in endings:
        raise ConfigError(f"output path {text!r} must end in {' or '.join(endings)}")
    if destination.is_dir():
        raise ConfigError(f"output path {text!r} is a folder; name a file in it")
    real = _followed(destination)
    if real.exists() and not real.is_file():
        raise ConfigError(f"output path {text!r} is no ordinary file; choose another name")
    if real.is_symlink():
        raise ConfigError(f"output path {text!r} is a link that leads nowhere; choose another name")
    _check_folder(real.parent)
    if real.exists() and not overwrite:
        raise OutputExistsError(
            f"{text!r} exists and was left as it is; choose another name, or ask for it to be "
            "replaced (--overwrite, in Python overwrite=True)"
        )
    return destination


@contextmanager
def write_whole(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path (with the suffix of `path`) to write to; on success it takes the
    place of `path` in one step, on any failure it is removed and `path` is as it was.

    Raises OutputExistsError (nothing changed) if `path` exists and `overwrite` is false.  An
    OSError on the way (a full disk, say) names `path`.
    """
    destination = _followed(require_output(path, overwrite))
    try:
        with staged(destination, replace=overwrite) as temporary:
            yield temporary
    except OutputExistsError:
        raise
    except FileExistsError:  # the name was taken while the file was written
        require_output(path, overwrite)
        raise
    except OSError as error:
        if error.filename == os.fspath(destination):
            error.filename = os.fsdecode(path)
        raise


@contextmanager
def staged(destination: Path, *, replace: bool = False) -> Iterator[Path]:
    """`write_whole` for a name that is known to be possible.

    Raises FileExistsError if the name is taken and `replace` is false.
    """
    temporary = destination.with_name(f"{STAGED}{secrets.token_hex(8)}{destination.suffix}")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        if replace:
            temporary.replace(destination)
        else:
            _place(temporary, destination)
    except OSError as error:
        if error.errno is not None and error.filename in (None, os.fspath(temporary)):
            error.filename, error.filename2 = os.fspath(destination), None
        raise
    finally:
        with suppress(OSError):  # what is placed is placed
            temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder.  Windows has no such call: nothing there."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def output_folder(path: str | os.PathLike[str], overwrite: bool) -> Path:
    """The folder `path` to write several files into, created where it is missing.

    Raises ConfigError for an impossible name or place, OutputExistsError where something is there
    that is no folder, or a folder that is not empty and `overwrite` is false.
    """
    require_flag("overwrite", overwrite)
    folder = _named(path)
    text = os.fsdecode(path)
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"{text!r} exists and is no folder; choose another name")
    if folder.is_symlink() and not folder.exists():
        raise ConfigError(f"{text!r} is a link that leads nowhere; choose another name")
    _check_folder(folder if folder.exists() else folder.parent)
    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise OutputExistsError(
            f"folder {text!r} is not empty and was left as it is; choose another, or ask for the "
            "files in it to be replaced (--overwrite, in Python overwrite=True)"
        )
    folder.mkdir(exist_ok=True)
    return folder


def _named(path: str | os.PathLike[str]) -> Path:
    """The path; ConfigError for a name that no file can have, or that reads as an option."""
    named = require_path(path, "output path")
    if named.name.startswith("-"):
        raise ConfigError(
            f"output path {str(named)!r} begins with '-' and looks like an option; choose another "
            "name"
        )
    return named


def _followed(path: Path) -> Path:
    """Where the symbolic links of a path lead."""
    return Path(os.path.realpath(path))


def _check_folder(folder: Path) -> None:
    """ConfigError for a folder in which no file can be made."""
    if not folder.is_dir():
        raise ConfigError(f"folder {str(folder)!r} does not exist; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"folder {str(folder)!r} may not be written to; choose another")


def _place(temporary: Path, destination: Path) -> None:
    """Give a complete file its name; FileExistsError if the name is taken."""
    try:  # a hard link, unlike a rename, fails if the name is taken
        os.link(temporary, destination)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: claim the name, then rename
        destination.touch(exist_ok=False)
        try:
            temporary.replace(destination)
        except BaseException:
            destination.unlink()
            raise
