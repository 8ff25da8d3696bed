"""From the text of a gridworld map to its characters, every one of them known.

The legend, what each character means, is in `maxent.gridworlds`.
"""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy import ndarray

from maxent.errors import MapError

PORTALS = frozenset(string.ascii_uppercase) - set("SGX")

LARGEST = 64 * 2**20
"""Bytes of the largest map file that is read: more than any map that fits in memory."""


def read_map(path: str | os.PathLike[str]) -> str:
    """The text of a map file (UTF-8), as `maxent.gridworld` takes it.

    Raises MapError where there is no ordinary file of at most 64 MiB, or it is not UTF-8.  Whether
    the text is a map is checked by `maxent.gridworld`, which also takes the path itself.

    >>> import maxent, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "map.txt")
    ...     _ = path.write_text("S.#\\n..G\\n")
    ...     maxent.read_map(path)
    'S.#\\n..G\\n'
    """
    try:
        size = Path(path).stat().st_size
        if not Path(path).is_file() or size > LARGEST:
            raise MapError(
                f"map file {os.fspath(path)!r} is no ordinary file of at most {LARGEST >> 20} MiB; "
                "give a text file"
            )
        return Path(path).read_bytes().decode()
    except UnicodeDecodeError as error:
        raise MapError(
            f"map file {os.fspath(path)!r} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from error
    except MapError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path that holds NUL
        reason = getattr(error, "strerror", None) or error
        raise MapError(f"map file {os.fspath(path)!r} cannot be read: {reason}") from error


def parse_map(text: str, rewards: Mapping[str, float]) -> ndarray:
    """The characters of a map, (rows, columns), all of them known; else MapError."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines == [""]:
        raise MapError("the map is empty: it has 0 cells")
    portals = set(text) & PORTALS
    known = set("#. SGX!") | portals | {portal.lower() for portal in portals} | set(rewards)
    if not set().union(*lines) <= known:
        _raise_unknown(lines, known)
    for number, line in enumerate(lines, start=1):
        if len(line) != len(lines[0]):
            raise MapError(
                f"line {number} has {len(line)} characters where line 1 has {len(lines[0])}; "
                "all rows of a map are equally long"
            )
    if lines[0] == "":
        raise MapError(f"the map is empty: it has 0 cells in {len(lines)} lines")
    return np.array(lines).view("U1").reshape(len(lines), -1)


def _raise_unknown(lines: list[str], known: set[str]) -> None:
    """MapError at the first character that is not known."""
    for row, line in enumerate(lines, start=1):
        for column, character in enumerate(line, start=1):
            if character in known:
                continue
            advice = f"name its reward, rewards={{{character!r}: 0.0}}, to make it a floor"
            if character == "\ufeff":
                advice = "it is a byte-order mark; save the file without one"
            elif not character.isprintable():
                advice = "use spaces for floor and line feeds between rows"
            elif "a" <= character <= "z":
                advice = f"it is the exit of no portal {character.upper()!r}; " + advice
            if len(lines) == 1:
                advice += "; a map file is read by its path (in Python a pathlib.Path)"
            raise MapError(
                f"line {row}, column {column}: unknown character {character!r}; {advice}"
            )


def require_portals(board: ndarray) -> None:
    """Every portal has exactly one exit, else MapError."""
    for portal in sorted(PORTALS & set(np.unique(board).tolist())):
        exits = (board == portal.lower()).sum()
        if exits != 1:
            raise MapError(
                f"portal {portal!r} ({(board == portal).sum()} on the map) has {exits} exits "
                f"{portal.lower()!r}; it needs exactly one"
            )
