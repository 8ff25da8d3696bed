"""A gridworld map as its characters: from a file, a text, a list of rows or an array.

What each character means is in `maxent.gridworlds` and `legends`.
"""

from __future__ import annotations

import math
import os
import string
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, MapError
from maxent.mdp.validation import plain_array
from maxent.support.arguments import quoted
from maxent.support.files import require_path
from maxent.support.memory import require_memory

PORTALS = frozenset(string.ascii_uppercase) - set("SGX")

LARGEST = 64 * 2**20
"""Bytes of the largest map file that is read: more than any map that fits in memory."""

BYTES_PER_CELL = 200
"""Of a map given as an array, while it becomes text."""


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
        path = require_path(path, "map file")
    except ConfigError as error:
        raise MapError(str(error)) from None
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


def drawn_cells(map: Any, rows: str = "", skipped: str = "", ragged: bool = False) -> ndarray:
    """The characters of a map as it is drawn, (rows, columns), from its text, or its rows as text,
    bytes, lists or an array; MapError where it is no rectangle.

    rows, skipped, ragged : as in `Legend`.
    """
    if isinstance(map, str):
        text = map.replace("\r\n", "\n")
        for end in rows:
            text = text.replace(f"{end}\n", "\n").replace(end, "\n")
        lines = text.removesuffix("\n").split("\n")
        if lines == [""]:
            raise MapError("the map is empty: it has 0 cells")
        without = str.maketrans("", "", skipped)
        return _rectangle([line.translate(without) for line in _dedented(lines)], ragged)
    if isinstance(shape := getattr(map, "shape", None), tuple):
        require_memory(BYTES_PER_CELL * math.prod(shape), f"a map of shape {shape}")
        if not isinstance(map, ndarray):  # a sparse matrix, a data frame, a tensor
            map = plain_array("map", map)
    listed = [_row(row) for row in (map.tolist() if hasattr(map, "tolist") else list(map))]
    if not listed:
        raise MapError("the map is empty: it has no rows")
    if all(isinstance(row, str) for row in listed):
        return _rectangle(listed, ragged)
    cells = [list(row) for row in listed]
    if getattr(map, "ndim", 2) > 2:
        raise MapError(
            f"the map has shape {np.shape(map)}; give one character for each cell, (rows, columns)"
        )
    _require_one_width([len(row) for row in cells], "cells")
    return np.array(cells, dtype=str)


def _dedented(lines: list[str]) -> list[str]:
    """The rows of a text in triple quotes, which begins with a line break as no map does: without
    the lines around them and the spaces that all of them begin with."""
    if lines[0] or not any(line.strip(" ") for line in lines):
        return lines
    rows = lines[1:] if lines[-1].strip(" ") else lines[1:-1]
    margin = min(len(row) - len(row.lstrip(" ")) for row in rows if row.strip(" "))
    return [row[margin:] for row in rows]


def _row(row: Any) -> Any:
    """A row of a map as text, or as a list of what stands in its cells."""
    if isinstance(row, bytes):
        return row.decode("ascii", "replace")
    if isinstance(row, str):
        return row
    try:
        return [cell_text(cell) for cell in row]
    except TypeError:
        raise MapError(
            f"a row of the map is {quoted(row)}; give a text for each row, or a list of cells"
        ) from None


def cell_text(cell: Any) -> str:
    """What stands in a cell as text: 1, 1.0 and True are "1"."""
    cell = cell.item() if isinstance(cell, np.generic) else cell
    if isinstance(cell, bytes):
        return cell.decode("ascii", "replace")
    whole = isinstance(cell, bool) or (isinstance(cell, float) and cell.is_integer())
    return str(int(cell)) if whole else str(cell) if isinstance(cell, str | int) else quoted(cell)


def _rectangle(lines: list[str], ragged: bool) -> ndarray:
    """Lines of one length, and of characters that can be seen, as an array of characters."""
    _require_printable(lines)
    if ragged:
        lines = [line.ljust(max(map(len, lines))) for line in lines]
    elif not any(lines):
        raise MapError(f"the map is empty: it has 0 cells in {len(lines)} lines")
    else:
        _require_one_width([len(line) for line in lines], "characters", _indented(lines))
        for number in {1, len(lines)} if len(lines) > 1 else ():
            if not lines[number - 1].strip(" "):
                raise MapError(
                    f"line {number} of {len(lines)} holds nothing but spaces, which would be a row "
                    f"of floor; write floor as '.', or {CLEANDOC}"
                )
    return np.array(lines).view("U1").reshape(len(lines), -1)


def _require_printable(lines: list[str]) -> None:
    """MapError at the first character that is none: a tab, a byte-order mark."""
    for row, line in enumerate(lines):
        if not line.isprintable():
            column = next(c for c, character in enumerate(line) if not character.isprintable())
            advice = "use spaces for floor and line feeds between rows"
            if line[column] == "\ufeff":
                advice = "it is a byte-order mark; save the file without one"
            raise MapError(
                f"{place_of((row, column))}: unknown character {line[column]!r}; {advice}"
            )


CLEANDOC = "give a map in triple quotes as inspect.cleandoc(map), which drops what is around it"


def _indented(lines: list[str]) -> str:
    """What to do about the blank lines and the indentation of a text in triple quotes, and about
    boards of Sokoban, whose rows may end early."""
    if set("$@") & set().union(*lines):
        return "; legend='sokoban' reads boards whose rows end early"
    inside = lines[1:] or [""]
    around = not lines[0].strip() or not lines[-1].strip()
    if around or all(line.startswith((" ", "\t")) for line in inside):
        return f"; {CLEANDOC}"
    return ""


def _require_one_width(widths: list[int], unit: str, advice: str = "") -> None:
    for number, width in enumerate(widths, start=1):
        if width != widths[0]:
            raise MapError(
                f"line {number} has {width} {unit} where line 1 has {widths[0]}; "
                f"all rows of a map are equally long{advice}"
            )
    if widths[0] == 0:
        raise MapError(f"the map is empty: it has 0 cells in {len(widths)} lines")


def place_of(cell: Any) -> str:
    """The words for a row and a column, both from 0 here and from 1 for people."""
    return f"line {cell[0] + 1}, column {cell[1] + 1}"
