"""What the command line and the tour show and write: numbers, tables, pictures in text, JSON.

JSON written here is strict: a number that is not finite becomes null.  Numbers keep all their
digits, so what is read back is what was computed.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy import ndarray

import maxent
from maxent.files import write_whole
from maxent.mdp import MDP
from maxent.solution import Solution

LIBRARIES = ("numpy", "scipy", "gymnasium", "matplotlib", "numba")
WIDEST, HIGHEST = 120, 60
"""Largest map, in characters, that is drawn as text."""

TIED = 0.99
"""Moves at least this many times as probable as the likeliest are shown with it."""

UP, RIGHT, DOWN, LEFT = (-1, 0), (0, 1), (1, 0), (0, -1)
_ONE = {UP: "↑", RIGHT: "→", DOWN: "↓", LEFT: "←", (0, 0): "○"}
_ONE |= {(-1, 1): "↗", (1, 1): "↘", (1, -1): "↙", (-1, -1): "↖"}
GLYPHS = {frozenset([move]): glyph for move, glyph in _ONE.items()} | {
    frozenset([UP, RIGHT]): "└",
    frozenset([UP, DOWN]): "↕",
    frozenset([UP, LEFT]): "┘",
    frozenset([RIGHT, DOWN]): "┌",
    frozenset([RIGHT, LEFT]): "↔",
    frozenset([DOWN, LEFT]): "┐",
    frozenset([UP, RIGHT, DOWN]): "├",
    frozenset([UP, RIGHT, LEFT]): "┴",
    frozenset([UP, DOWN, LEFT]): "┤",
    frozenset([RIGHT, DOWN, LEFT]): "┬",
    frozenset([UP, RIGHT, DOWN, LEFT]): "┼",
}
"""The character for each set of moves; a set that is not here is shown as `SEVERAL`."""

SEVERAL = "*"
ASCII = {"↑": "^", "→": ">", "↓": "v", "←": "<", "○": "o"}
LEGEND = "the likeliest move of each cell; corners and crosses: several are as likely"


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the libraries behind the numbers."""
    found = {"maxent": maxent.__version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def write_json(record: Mapping[str, Any], path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a record as JSON, whole or not at all; arrays become nested lists."""
    with write_whole(path, overwrite=overwrite) as staged, open(staged, "w") as file:
        json.dump(plain(record), file, allow_nan=False)
        file.write("\n")


def plain(value: Any) -> Any:
    """The same as built-in types, with None for numbers that are not finite."""
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, ndarray):
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            return plain(value.tolist())
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def mdp_record(mdp: MDP) -> dict[str, Any]:
    """What identifies the states and actions that the arrays of a solution are about."""
    record: dict[str, Any] = {
        "n_states": mdp.n_states,
        "n_actions": mdp.n_actions,
        "discount": mdp.discount,
        "initial_distribution": mdp.initial_distribution,
        "terminal": mdp.terminal,
        "action_names": mdp.action_names,
        "state_names": mdp.state_names,
    }
    if not mdp.action_mask.all():
        record["action_mask"] = mdp.action_mask
    if mdp.grid is not None:
        record |= {"map": mdp.grid.text, "cells": mdp.grid.cells}
    return record


def solution_record(mdp: MDP, solution: Solution) -> dict[str, Any]:
    """Every number of a solution, and its value at the start."""
    names = (
        "temperature method status converged iterations seconds tolerance error_bound "
        "policy_bound v lower upper q policy residuals"
    )
    record = {name: getattr(solution, name) for name in names.split()}
    return {"value_at_start": value_at_start(mdp, solution), **record}


def value_at_start(mdp: MDP, solution: Solution) -> float:
    """Expected value over the initial distribution."""
    return float(mdp.initial_distribution @ solution.v)


def discount_text(discount: float) -> str:
    """0.95; for one within 1e-4 of 1 its distance, as in 1-1e-09."""
    return f"1-{1.0 - discount:.2g}" if 0.0 < 1.0 - discount < 1e-4 else f"{discount:g}"


def size_text(mdp: MDP) -> str:
    """How many states and actions an MDP has."""
    ended = f", {mdp.terminal.sum()} terminal" if mdp.terminal.any() else ""
    return f"{mdp.n_states} states, {mdp.n_actions} actions{ended}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a header; the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    return "\n".join(table_row(row, widths) for row in [header, *rows])


def table_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of a table, for tables that grow while their numbers are computed."""
    first, *others = (
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths))
    )
    return " ".join([first, *others]).rstrip()


def policy_picture(mdp: MDP, solution: Solution) -> str | None:
    """The map with the likeliest moves as arrows; None without a map that fits a terminal."""
    grid = mdp.grid
    if grid is None or grid.shape[0] > HIGHEST or grid.shape[1] > WIDEST:
        return None
    moves = [(int(down), int(right)) for down, right in grid.moves]
    marks = {}
    for state in np.flatnonzero(~mdp.terminal & (grid.cells[:, 0] >= 0)).tolist():
        row, column = grid.cells[state]
        if grid.text[row][column].isupper() and grid.text[row][column] != "S":
            continue  # goals and portals keep their letter
        chances = solution.policy[state]
        likely = np.flatnonzero(chances >= TIED * chances.max())
        marks[state] = GLYPHS.get(frozenset(moves[action] for action in likely), SEVERAL)
    return printable(grid.draw(marks))


def printable(text: str) -> str:
    """The text with plain characters in place of arrows that standard output cannot show."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        replaced = (ASCII.get(c, c if c.isascii() else "+") for c in text)
        return "".join(replaced)
    return text
