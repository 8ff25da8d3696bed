"""The named maps, which stand in `maps.toml`, and two generators.

A map is text, one character a cell; the legend is in `maxent.gridworlds`.
Names of the forms `maze-21x31`, `maze-21x31-seed7` and `open-50x50` are generated at any size.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from maxent.errors import ConfigError, MapError
from maxent.support.arguments import nearest, quoted, require_count
from maxent.support.data_files import beside, paragraphs
from maxent.support.memory import require_memory

BYTES_PER_CHARACTER = 64
"""Roughly what generating a map takes at its peak, per cell."""


@dataclass(frozen=True)
class NamedMap:
    """A map with the settings it comes with.

    text: the rows, joined by line breaks.
    settings: keyword arguments of `maxent.gridworld`, the discount among them.
    description, source: a sentence each, for people.

    >>> import maxent
    >>> maxent.MAPS["corridor"].text, maxent.MAPS["corridor"].settings
    ('S.........G', {'discount': 0.95})
    """

    text: str
    settings: Mapping[str, Any]
    description: str
    source: str


def maze(rows: int, columns: int, seed: int = 0) -> str:
    """The text of a perfect maze of rows x columns characters, S top left, G bottom right.

    Perfect: exactly one path joins any two floor cells.  Rooms lie at odd rows and columns, and
    the doors between them form the minimum spanning tree of random weights, so a size and a seed
    always give the same maze.  An even size has a double wall on its right or lower side.

    Raises ConfigError for a size without two rooms (the smallest are 3x5 and 5x3),
    MemoryBudgetError for one beyond the memory.

    >>> import maxent
    >>> print(maxent.maze(5, 9, seed=1))
    #########
    #S..#...#
    #.#.###.#
    #.#....G#
    #########
    """
    rows, columns = require_count("rows", rows), require_count("columns", columns)
    seed = require_count("seed", seed, 0)
    height, width = (rows - 1) // 2, (columns - 1) // 2
    if height * width < 2:
        raise ConfigError(
            f"a maze of {rows}x{columns} has no two rooms; the smallest are 3x5 and 5x3"
        )
    require_memory(
        BYTES_PER_CHARACTER * rows * columns, f"a maze of {rows}x{columns}", "make it smaller"
    )
    rooms = np.arange(height * width, dtype=np.int32).reshape(height, width)  # as csgraph reads
    here = np.concatenate([rooms[:, :-1].ravel(), rooms[:-1].ravel()])
    there = np.concatenate([rooms[:, 1:].ravel(), rooms[1:].ravel()])
    weights = 1.0 + np.random.default_rng(seed).random(len(here))  # 0 would mean "no door"
    doors = sparse.csr_array((weights, (here, there)), shape=(height * width, height * width))
    here, there = csgraph.minimum_spanning_tree(doors).nonzero()

    cells = np.full((rows, columns), "#")
    cells[1 : 2 * height : 2, 1 : 2 * width : 2] = "."
    cells[1 + here // width + there // width, 1 + here % width + there % width] = "."
    cells[1, 1], cells[2 * height - 1, 2 * width - 1] = "S", "G"
    return "\n".join(cells.view(f"U{columns}").ravel().tolist())


def room(rows: int, columns: int) -> str:
    """The text of an empty room of rows x columns characters, S top left, G bottom right."""
    rows, columns = require_count("rows", rows), require_count("columns", columns)
    if rows * columns < 2:
        raise ConfigError("a room of 1x1 has no place for both S and G; give at least two cells")
    require_memory(
        BYTES_PER_CHARACTER * rows * columns, f"a room of {rows}x{columns}", "make it smaller"
    )
    floor = "." * (rows * columns - 2)
    line = f"S{floor}G"
    return "\n".join(line[start : start + columns] for start in range(0, len(line), columns))


def is_name(text: str) -> bool:
    """Whether `text` reads as the name of a map: lower-case words and digits with hyphens."""
    return re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) is not None


def named_map(name: str) -> NamedMap:
    """The map of that name, from `MAPS` or generated; MapError with the nearest name otherwise."""
    if name in MAPS:
        return MAPS[name]
    generated = re.fullmatch(r"maze-(\d{1,9})x(\d{1,9})(?:-seed(\d{1,18}))?", name)
    if generated:
        rows, columns, seed = (int(number or 0) for number in generated.groups())
        return _maze_map(rows, columns, seed)
    generated = re.fullmatch(r"open-(\d{1,9})x(\d{1,9})", name)
    if generated:
        rows, columns = (int(number) for number in generated.groups())
        return _room_map(rows, columns)
    raise MapError(
        f"unknown map {quoted(name)}; {nearest(name, MAPS)}; of any size: open-50x50, maze-21x31, "
        "maze-21x31-seed7.  A map file is named by its path (in Python a pathlib.Path)"
    )


def require_no_name(text: str) -> None:
    """MapError for a line that is nearly a name, or the path of a file, and so no map."""
    meant = difflib.get_close_matches(text.casefold(), MAPS, n=1, cutoff=0.8)
    if meant:
        raise MapError(f"{quoted(text)} is no map; did you mean {meant[0]!r}?")
    if text.startswith(("/", "~", "./", "../")) or text.endswith((".txt", ".map", ".lay", ".xsb")):
        raise MapError(
            f"{quoted(text)} is no map; give the path of a file as pathlib.Path({text!r})"
        )


def _maze_map(rows: int, columns: int, seed: int = 0) -> NamedMap:
    return NamedMap(
        maze(rows, columns, seed),
        {"discount": 0.99},
        f"A perfect maze of {rows}x{columns} characters, seed {seed}: one path to the goal.",
        "Generated: the minimum spanning tree of random weights.",
    )


def _room_map(rows: int, columns: int) -> NamedMap:
    return NamedMap(
        room(rows, columns),
        {"discount": 0.95},
        f"An empty room of {rows}x{columns} cells, from corner to corner.",
        "Generated.",
    )


def _read(row: Mapping[str, Any]) -> NamedMap:
    """A map of the file beside this one."""
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in row["settings"].items()}
    words = paragraphs({k: row[k] for k in ("description", "source")})
    return NamedMap(row["text"], settings, **words)


MAPS: dict[str, NamedMap] = {
    **{name: _read(row) for name, row in beside(__file__).items()},
    "open-10x10": _room_map(10, 10),
    "maze-21x31": _maze_map(21, 31),
}
"""Every named map, in the order of the documentation: name -> `NamedMap`.

`maxent.gridworld(name)` takes the text and the settings from here.
"""
