"""Many runs: seeds, environments and settings, side by side, in one folder.

A **sweep** is every combination of algorithms, environments, settings and seeds; one combination
is a **cell**.  A cell is a training like any other, in a folder of its own (`cells.py` names it),
or an exact trade-off, in a JSON file.  Cells know nothing of each other, so where and when each
is worked on makes no difference to its numbers: a training in a sweep is, bit for bit, the one
that `train` gives alone with one thread (on the same machine, with the same versions).

What is in the folder is all the memory there is.  A cell that is finished is skipped, one that was
cut goes on, and one that another process works on is left to it; so a sweep may be stopped, killed
and started again, and several processes, on several machines with a common disk, may share one.

`engines.py` hands cells to processes of this machine, to a Dask or to a Ray cluster, by joblib.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from maxent.errors import ConfigError, MaxEntWarning
from maxent.support.arguments import quoted, require_count, require_flag
from maxent.support.files import require_path
from maxent.support.progress import Lines, bar
from maxent.support.stopping import StopRequest, stop_requested
from maxent.sweeps.cells import CUT, DONE, ELSEWHERE, FAILED, WAITING, Cell, cells_of
from maxent.sweeps.engines import LostWorkersError, outcomes, require_cluster
from maxent.sweeps.results import Sweep
from maxent.sweeps.work import Outcome, as_found, work

__all__ = ["Cell", "Sweep", "sweep"]

ROUNDS = 3
"""How often cells that died with their process are begun again."""


def sweep(
    algorithm: str | Iterable[str],
    env: str | Iterable[str],
    *,
    folder: str | os.PathLike[str],
    seeds: str | Iterable[int] | None = None,
    grid: Mapping[str, Iterable[Any]] | None = None,
    jobs: int | None = None,
    cluster: Any = None,
    progress: bool | None = None,
    report: Callable[[Cell], object] | None = None,
    dry_run: bool = False,
    **settings: Any,
) -> Sweep:
    """Train, or solve exactly, every combination of algorithms, environments, settings and seeds.

    algorithm : of `train`, one or several; or "tradeoff", for exact trade-offs.
    env : ids of Gymnasium environments, one or several.  For trade-offs MDPs: names of maps, files
        (.txt, .npz, .tra), "gym:ID".
    folder : where the runs are kept, `folder/seed-0` and so on, below a folder for each
        environment and setting where these vary.  Cells that are finished there are skipped, cells
        that were cut go on.
    seeds : "0:8" (0 to 7), "1,4,5", or whole numbers; None: 0.  Trade-offs have none.
    grid : settings that vary: lists of values by name, such as {"temperature": [0.05, 0.2]}.
    jobs : processes at once, each with one thread; None: as many as there are processors, or
        all that a cluster has; 1: one after another, in this process.
    cluster : None: processes of this machine; "dask:ADDRESS" or a `distributed.Client`: the workers
        of a Dask cluster; "ray" or "ray:ADDRESS": those of a Ray cluster.  All need this folder, by
        the same path.
    progress : True: a bar in a terminal or a notebook, elsewhere a line of text now and then; None:
        such lines alone, in a terminal or a notebook; False: nothing.
    report : called with each cell that ends.
    dry_run : check everything and say what is done already; begin and write nothing.
    settings : the same for all cells: arguments of `train` (`steps` among them) and settings of the
        algorithm.  `checkpoint_every` is 10,000 and `threads` 1 where they are not given.  For
        trade-offs: `temperatures`, and what the MDP is made with.

    Returns a `Sweep`: its cells, each done, failed (with the reason; the others go on), cut, or
    being worked on elsewhere.  Ctrl-C, and SIGTERM, stop each training after the running step, with
    a checkpoint; the same call goes on.

    Raises, before anything is begun, ConfigError for what cannot be set, for cells that are the
    same, and for a name that two cells share; ResumeMismatchError where a cell's folder holds a run
    of other settings.  Raises MaxEntError where the workers of a cluster are lost.

    >>> import tempfile, maxent
    >>> found = maxent.sweep(
    ...     "sql", "maxent/Gridworld-v0", seeds="0:2", grid={"temperature": [0.1, 0.5]}, jobs=1,
    ...     folder=tempfile.mkdtemp(), steps=120, env_settings={"map": "S.G", "discount": 0.9},
    ...     hidden=(8,), batch_size=4, learning_starts=10, log_every=40,
    ... )
    >>> [cell.name for cell in found.cells][:2], {cell.status for cell in found.cells}
    (['temperature=0.1/seed-0', 'temperature=0.1/seed-1'], {'done'})
    >>> [(group.name, len(group.runs)) for group in found.comparison().groups]
    [('sql_discrete, temperature 0.1', 2), ('sql_discrete, temperature 0.5', 2)]
    """
    if jobs is not None:
        jobs = require_count("jobs", jobs)
    dry_run = require_flag("dry_run", dry_run)
    require_cluster(cluster)
    if report is not None and not callable(report):
        raise ConfigError(f"report = {quoted(report)} is no function; give one, or None")
    place = require_path(folder, "folder").absolute()
    if place.exists() and not place.is_dir():
        raise ConfigError(f"folder {str(place)!r} exists and is no folder; choose another name")
    cells = cells_of(algorithm, env, seeds, grid, settings)
    found = {cell.name: as_found(cell, place) for cell in cells}
    if dry_run:
        return Sweep(place, tuple(found.values()))
    place.mkdir(parents=True, exist_ok=True)
    stop_file = place / f".stop-{token_hex(8)}"
    task = partial(work, folder=str(place), stop_file=str(stop_file), here=str(Path.cwd()))
    with ExitStack() as after:
        after.callback(stop_file.unlink, missing_ok=True)
        stop = after.enter_context(stop_requested(stop_file.touch))
        shown = after.enter_context(bar(progress, total=len(cells), unit="cell"))
        lines = Lines(shown, progress if report is None else False)
        shown.update(sum(cell.status == DONE for cell in found.values()))
        for _ in range(ROUNDS):
            begin = [cell for cell in found.values() if cell.status in (WAITING, CUT, ELSEWHERE)]
            if not begin or stop:
                break
            try:
                for outcome in outcomes(task, begin, jobs, cluster):
                    cell = _told(found[outcome.name], outcome, stop)
                    found[outcome.name] = cell
                    if stop:
                        stop_file.touch()
                    if cell.status in (DONE, FAILED):
                        shown.update(1)
                        if lines.due:
                            lines.write(f"maxent: {_count(found.values())}")
                    if report is not None and cell.status in (DONE, FAILED, CUT):
                        report(cell)
            except LostWorkersError as lost:
                warnings.warn(str(lost), MaxEntWarning, stacklevel=2)
    return Sweep(place, tuple(found.values()), stop.signal)


def _told(cell: Cell, outcome: Outcome, stop: StopRequest) -> Cell:
    """A cell with what came of it; its warnings told."""
    for text in outcome.warnings:
        warnings.warn(f"{cell.name}: {text}", MaxEntWarning, stacklevel=3)
    if outcome.signal is not None and outcome.process == os.getpid():  # worked on in this process
        stop.signal = outcome.signal
    return replace(cell, status=outcome.status, error=outcome.error, seconds=outcome.seconds)


def _count(cells: Iterable[Cell]) -> str:
    """How far a sweep is, in words."""
    given = list(cells)
    done, failed = (sum(cell.status == each for cell in given) for each in (DONE, FAILED))
    return f"{done} of {len(given)} cells done" + (f", {failed} failed" if failed else "")
