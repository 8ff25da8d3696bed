"""Where the states of a gridworld lie: what figures, text rendering and arrows need to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maxent.errors import ModelError
from maxent.mdp.validation import plain_array
from maxent.support.arguments import quoted, require_count, require_kind
from maxent.support.arrays import ReadOnly


@dataclass(frozen=True, eq=False)
class Grid(ReadOnly):
    """The map behind an MDP whose states are cells.

    text: the rows of the map, all of one width (characters as in `maxent.gridworld`).
    cells: int (S, 2), row and column of each state on the map; (-1, -1) for a state that has
        no cell of its own.
    moves: int (A, 2), the displacement in rows and columns that each action intends; rows grow
        downwards, so "up" is (-1, 0).
    title: what figures call the world, such as "four-rooms, slip 0.1"; may be empty.
    rules: what `maxent.gridworld` made the transitions and rewards of; None where they were
        changed since, or read from a file.

    >>> import maxent
    >>> grid = maxent.gridworld("S.#\\n..G", discount=0.9).grid
    >>> grid.shape, grid.state_at(1, 2), grid.cells[4].tolist()
    ((2, 3), 4, [1, 2])
    >>> print(grid.draw({1: "@"}))
    S@#
    ..G
    """

    text: tuple[str, ...]
    cells: np.ndarray
    moves: np.ndarray
    title: str = ""
    rules: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        text = tuple(self.text) if isinstance(self.text, Sequence) else ()
        if not text or not all(isinstance(row, str) and len(row) == len(text[0]) for row in text):
            raise ModelError(f"text = {quoted(self.text)}; give rows of text, all of one width")
        object.__setattr__(self, "text", text)
        for name in ("cells", "moves"):
            pairs = plain_array(name, getattr(self, name))
            if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
                raise ModelError(
                    f"{name} has shape {pairs.shape} and dtype {pairs.dtype}; give pairs of whole "
                    "numbers, a row and a column each"
                )
            if pairs.flags.writeable:  # by the caller
                pairs = pairs.copy()
            object.__setattr__(self, name, pairs)
        super().__post_init__()
        inside = (self.cells >= 0).all(axis=1) & (self.cells < self.shape).all(axis=1)
        wrong = ~(inside | (self.cells == -1).all(axis=1))
        if wrong.any():
            state = int(np.argmax(wrong))
            raise ModelError(
                f"cells of state {state} is {self.cells[state].tolist()}, outside of the map of "
                f"shape {self.shape}; (-1, -1) is a state without a cell"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return len(self.text), len(self.text[0])

    def state_at(self, row: int, column: int) -> int:
        """The state of a cell; KeyError where the cell is no state (a wall, a cliff)."""
        row, column = require_count("row", row, 0), require_count("column", column, 0)
        found = np.flatnonzero((self.cells[:, 0] == row) & (self.cells[:, 1] == column))
        if len(found) == 0:
            raise KeyError(f"cell ({row}, {column}) is no state{self._standing_at(row, column)}")
        return int(found[0])

    def _standing_at(self, row: int, column: int) -> str:
        """What is in a cell that is no state, in words."""
        if row < self.shape[0] and column < self.shape[1]:
            return f": {self.text[row][column]!r} stands there"
        return f": the map has {self.shape[0]} rows and {self.shape[1]} columns, from 0"

    def picture(self, values: np.ndarray, fill: float = np.nan) -> np.ndarray:
        """Values (S,) laid out on the map, (rows, columns), `fill` where there is no state."""
        values = plain_array("values", values)
        if values.shape != (len(self.cells),):
            raise ModelError(f"values has shape {values.shape}; it must be ({len(self.cells)},)")
        image = np.full(self.shape, fill, dtype=np.result_type(values.dtype, type(fill)))
        on_map = self.cells[:, 0] >= 0
        rows, columns = self.cells[on_map].T
        image[rows, columns] = values[on_map]
        return image

    def draw(self, marks: Sequence[str] | dict[int, str]) -> str:
        """The map as text with a mark of one character at the cells of the states given."""
        rows = [list(line) for line in self.text]
        require_kind("marks", marks, Sequence if not isinstance(marks, dict) else dict)
        for state, mark in marks.items() if isinstance(marks, dict) else enumerate(marks):
            if not (isinstance(mark, str) and state in range(len(self.cells))):
                raise ModelError(
                    f"marks has {quoted(mark)} for state {quoted(state)}; give a character for "
                    f"states from 0 to {len(self.cells) - 1}"
                )
            row, column = self.cells[state]
            if row >= 0:
                rows[row][column] = mark
        return "\n".join("".join(row) for row in rows)
