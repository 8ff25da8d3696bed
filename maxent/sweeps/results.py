"""What a sweep gives: its cells, and what was found, side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import maxent
from maxent.errors import ConfigError
from maxent.support.arguments import count
from maxent.support.files import read_whole
from maxent.support.frames import data_frame
from maxent.support.tables import table
from maxent.sweeps.cells import CUT, DONE, ELSEWHERE, FAILED, TRADEOFF, WAITING, Cell

if TYPE_CHECKING:
    from maxent.neural.training.comparison import Comparison

IN_WORDS = {
    DONE: "done",
    FAILED: "failed",
    CUT: "cut",
    ELSEWHERE: "being worked on by another process",
    WAITING: "not begun",
}


@dataclass(frozen=True)
class Sweep:
    """Many runs, as `maxent.sweep` leaves them.

    folder : where they are.
    cells : each with its `name`, `algorithm`, `env`, `seed`, `settings`, `status` ("done",
        "failed", "cut", "elsewhere", "waiting"), `error` and `seconds`.
    stopped_by : the number of the signal that stopped it, or None.

    `str(sweep)` says how many cells are in which state, why some failed, and what was found: tables
    of `comparison()`, or a row for each temperature of each trade-off.
    """

    folder: Path
    cells: tuple[Cell, ...]
    stopped_by: int | None = None

    def __repr__(self) -> str:
        return f"Sweep({os.fspath(self.folder)!r}, {self.count})"

    @property
    def done(self) -> bool:
        """Whether every cell is."""
        return all(cell.status == DONE for cell in self.cells)

    @property
    def count(self) -> str:
        """How many cells are in which state, in words."""
        found = {words: sum(c.status == s for c in self.cells) for s, words in IN_WORDS.items()}
        parts = [f"{number} {words}" for words, number in found.items() if number]
        return f"{count(len(self.cells), 'cell')}: {', '.join(parts)}"

    @property
    def runs(self) -> list[Path]:
        """The folders of the trainings that are done: for `maxent.compare`, `maxent.load_agent`."""
        return [self.folder / cell.name for cell in self._finished() if cell.seed is not None]

    def comparison(self, metric: str | None = None) -> Comparison:
        """`maxent.compare` of the trainings that are done: curves over seeds, with intervals."""
        if not self.runs:
            raise ConfigError("no training of this sweep is done; there is nothing to compare yet")
        return maxent.compare(self.runs, metric)

    def tradeoffs(self) -> dict[str, dict[str, Any]]:
        """The trade-offs that are done by the names of their cells, each as `Tradeoff.to_dict`."""
        return {
            cell.name: json.loads(read_whole(self.folder / f"{cell.name}.json"))[TRADEOFF]
            for cell in self._finished()
            if cell.seed is None
        }

    def to_frame(self) -> Any:
        """A pandas DataFrame: of trade-offs a row for each temperature, of trainings one for each
        cell.  Needs pandas: `pip install pandas`."""
        points = [
            {"cell": name} | point
            for name, found in self.tradeoffs().items()
            for point in found["points"]
        ]
        return data_frame(points or [self._row(cell) for cell in self.cells])

    def __str__(self) -> str:
        failed = [f"{c.name} failed: {c.error}" for c in self.cells if c.status == FAILED]
        return "\n\n".join(["\n".join([self.count, *failed]), *self._tables()])

    def _finished(self) -> Iterator[Cell]:
        return (cell for cell in self.cells if cell.status == DONE)

    def _row(self, cell: Cell) -> dict[str, Any]:
        known = {"algorithm": cell.algorithm, "env": cell.env, "seed": cell.seed}
        state = {"status": cell.status, "error": cell.error, "seconds": cell.seconds}
        return {"cell": cell.name} | known | cell.settings | state

    def _tables(self) -> Iterator[str]:
        if self.runs:
            try:
                yield str(self.comparison())
            except ConfigError as error:  # no episode has ended yet
                yield str(error)
        columns = ("temperature", "return", "entropy", "objective", "error_bound")
        rows = [
            [name, *("inf" if point[c] is None else f"{point[c]:.6g}" for c in columns)]
            for name, found in self.tradeoffs().items()
            for point in found["points"]
        ]
        if rows:
            yield table(("cell", *columns), rows)
