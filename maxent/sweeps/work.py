"""Working on one cell, wherever that is: the state of its folder, and what comes of it."""

from __future__ import annotations

import json
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from os import getpid
from pathlib import Path
from typing import Any

import maxent
from maxent.errors import (
    ConfigError,
    CorruptCheckpointError,
    MissingExtraError,
    OutputExistsError,
    ResumeMismatchError,
    RunLockedError,
)
from maxent.support.extras import require_neural
from maxent.support.files import read_whole, write_whole
from maxent.support.plain import plain
from maxent.support.stopping import stop_requested
from maxent.sweeps.cells import CUT, DONE, ELSEWHERE, FAILED, TRADEOFF, WAITING, Cell
from maxent.sweeps.models import tradeoff_of

FORMAT = "maxent-sweep-tradeoff-1"

_one_at_a_time = threading.Lock()
"""PyTorch's number of threads is the process's: where a process has several workers that are
threads, as Dask's can be, their cells wait for each other."""


@dataclass(frozen=True)
class Outcome:
    """What came of a cell: see `Cell`.  warnings : their texts.  signal : what stopped it, and
    process : the id of the process it was in."""

    name: str
    status: str
    error: str | None = None
    seconds: float | None = None
    warnings: tuple[str, ...] = ()
    signal: int | None = None
    process: int = 0


def as_found(cell: Cell, folder: Path) -> Cell:
    """A cell as done, cut or waiting, by what is in the folder; as failed where that is damaged, so
    that the others go on.

    Raises what its training would raise of its settings (ConfigError for an unknown one), and
    ResumeMismatchError where its folder holds another training, OutputExistsError where it holds
    something else.
    """
    try:
        return replace(cell, status=_status_of(cell, folder / cell.name))
    except (ResumeMismatchError, MissingExtraError):
        raise
    except CorruptCheckpointError as error:
        advice = "move its folder away, and the same sweep trains it anew"
        return replace(cell, status=FAILED, error=f"{error}; {advice}")
    except (ConfigError, TypeError) as error:
        if isinstance(error, TypeError) and "unexpected keyword" not in str(error):
            raise
        raise ConfigError(f"cell {cell.name!r}: {error}") from error


def _status_of(cell: Cell, place: Path) -> str:
    if cell.algorithm == TRADEOFF:
        return _status_of_tradeoff(cell, place.with_name(f"{place.name}.json"))
    require_neural()
    from maxent.neural.runs.checkpoints import steps_in
    from maxent.neural.runs.record import differences, is_run
    from maxent.neural.training import configuration_of, recorded_configuration

    if "steps" not in cell.settings:
        raise ConfigError("it has no steps; give steps, the environment steps of each training")
    asked = configuration_of(cell.algorithm, cell.env, seed=cell.seed, **cell.settings)
    if not is_run(place):
        _require_free(place)
        return WAITING
    saved = recorded_configuration(place)
    if cell.settings.get("compile") is not False:  # a run says whether it could be
        asked["compile"] = saved["compile"]
    if found := differences(saved, asked):
        raise ResumeMismatchError(
            f"{str(place)!r} holds a run of other settings (there -> asked for): "
            f"{'; '.join(found)}; choose another folder, or take these settings back"
        )
    done = steps_in(place)
    return DONE if done and done[-1] >= asked["steps"] else CUT


def _require_free(place: Path) -> None:
    """OutputExistsError where a folder holds something that is no run.  A run that was killed
    before it was one leaves a lock at most."""
    if place.exists() and (
        not place.is_dir()
        or any(not each.name.startswith((".", "lock")) for each in place.iterdir())
    ):
        raise OutputExistsError(
            f"{str(place)!r} exists and is no training run; it was left as it is, choose another "
            "folder"
        )


def _status_of_tradeoff(cell: Cell, file: Path) -> str:
    tradeoff_of(cell.env, cell.settings, Path.cwd(), solve=False)
    if not file.exists():
        return WAITING
    try:
        saved = json.loads(read_whole(file))
        kind, request = saved["format"], saved["request"]
    except (ValueError, KeyError, TypeError):
        kind, request = None, None
    if kind != FORMAT:
        raise OutputExistsError(f"{str(file)!r} exists and is no cell of a sweep; move it away")
    if request != plain(cell.request, finite=True):
        raise ResumeMismatchError(
            f"{str(file)!r} holds the trade-off of other settings ({request}); choose another "
            "folder"
        )
    return DONE


def work(
    cell: Cell, *, folder: str, stop_file: str, here: str, stop: Callable[[], bool] = lambda: False
) -> Outcome:
    """Work on a cell until it is done, fails, or the sweep is stopped (a file `stop_file` is there,
    this process gets a signal, or `stop()` says so); never raises.

    folder : that of the sweep.  here : where files of MDPs are looked for.
    """
    begun = time.monotonic()
    with (
        _one_at_a_time,
        stop_requested() as signalled,
        warnings.catch_warnings(record=True) as told,
    ):
        warnings.simplefilter("default")

        def asked_to_stop() -> bool:
            return bool(signalled) or Path(stop_file).exists() or stop()

        signal = None
        if asked_to_stop():
            return Outcome(cell.name, WAITING, signal=signalled.signal, process=getpid())
        try:
            if cell.algorithm == TRADEOFF:
                status = _solved(cell, Path(folder), Path(here))
            else:
                status, signal = _trained(cell, Path(folder, cell.name), asked_to_stop)
            error = None
        except (RunLockedError, OutputExistsError):  # begun by another process meanwhile
            status, error = ELSEWHERE, None
        except Exception as caught:
            status, error = FAILED, f"{type(caught).__name__}: {caught}"
        texts = tuple(dict.fromkeys(str(each.message) for each in told))
        seconds = time.monotonic() - begun
        return Outcome(
            cell.name, status, error, seconds, texts, signal or signalled.signal, getpid()
        )


def _trained(cell: Cell, place: Path, stop: Callable[[], bool]) -> tuple[str, int | None]:
    """Train a cell, or go on with it; its status, and the signal that stopped it."""
    from maxent.neural.runs.checkpoints import steps_in
    from maxent.neural.runs.record import is_run

    def report(_: dict[str, Any]) -> bool | None:
        return False if stop() else None

    if is_run(place):
        if (done := steps_in(place)) and done[-1] >= cell.settings["steps"]:
            return DONE, None  # by another process, since the sweep began
        agent = maxent.resume(
            place, env=cell.env, steps=cell.settings["steps"], progress=False, report=report
        )
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        asked = cell.settings | {"seed": cell.seed, "run": place}
        agent = maxent.train(cell.algorithm, cell.env, progress=False, report=report, **asked)
    stopped = agent.stopped_by
    return CUT if stopped else DONE, stopped if isinstance(stopped, int) else None


def _solved(cell: Cell, folder: Path, here: Path) -> str:
    """Solve a trade-off and write its file."""
    curve = tradeoff_of(cell.env, cell.settings, here)
    record = {"format": FORMAT, "request": cell.request, "tradeoff": curve.to_dict()}
    with suppress(OutputExistsError), write_whole(folder / f"{cell.name}.json") as staged:
        staged.write_text(json.dumps(plain(record, finite=True), indent=1) + "\n")
    return DONE
