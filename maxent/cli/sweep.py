"""`maxent sweep FILE.toml`: many trainings, or exact trade-offs, side by side."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

import maxent
from maxent.cli.exit_codes import DONE, NOT_CONVERGED
from maxent.errors import ConfigError
from maxent.support.progress import duration

if TYPE_CHECKING:
    from maxent.sweeps import Cell, Sweep

FIGURE = "curves.png"


def run(asked: Namespace) -> int:
    """Sweep, saying what ended; then the tables and the figure."""
    told = maxent.read_sweep(asked.sweep_file)
    if asked.run is not None:
        told["folder"] = asked.run
    if asked.list:
        print(_listed(maxent.sweep(**told, dry_run=True)))
        return DONE
    return many(told | {"jobs": asked.jobs, "cluster": asked.cluster})


def many(told: dict[str, Any]) -> int:
    """Sweep with these arguments of `maxent.sweep`; the exit code."""
    found = maxent.sweep(**told, progress=True, report=_say)
    from maxent import reports
    from maxent.reports.comparison import sweep_figure

    print(reports.printable(str(found)))
    try:
        if (figure := sweep_figure(found)) is not None:
            from maxent import plots

            print(f"\nwrote {plots.save(figure, found.folder / FIGURE, overwrite=True)}")
    except ConfigError as error:  # nothing has been logged yet, or too many curves for one figure
        print(f"\nno figure: {error}")
    if found.stopped_by is not None:
        print("maxent: stopped; the same command goes on", file=sys.stderr)
        return 128 + found.stopped_by
    return NOT_CONVERGED if any(cell.status == "failed" for cell in found.cells) else DONE


def _say(cell: Cell) -> None:
    """A line for a cell that ended."""
    from tqdm import tqdm

    words = cell.status if cell.error is None else f"{cell.status}: {cell.error}"
    with tqdm.external_write_mode():
        print(f"{cell.name}: {words}, {duration(cell.seconds or 0.0)}", flush=True)


def _listed(found: Sweep) -> str:
    from maxent import reports

    rows = [[cell.name, cell.status] for cell in found.cells]
    return f"{reports.table(('cell', 'status'), rows)}\n\n{found.count}"
