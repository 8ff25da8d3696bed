"""The notebooks themselves: where they are, copying them for a learner, how far a learner is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maxent.errors import ConfigError
from maxent.learn import progress
from maxent.learn.exercise import Exercise, Quiz
from maxent.learn.registry import sheets
from maxent.support.arguments import require_count
from maxent.support.files import output_folder, staged
from maxent.support.tables import table

HERE = Path(__file__).parent
PLACES = (HERE / "notebooks", HERE.parents[1] / "notebooks")
"""In an installed package; in a checkout."""
NAME = re.compile(r"\d\d[a-z]?-[a-z0-9-]+")
"""What the name of a notebook of the course looks like."""


def notebook_files(*, solutions: bool = False) -> dict[str, Path]:
    """The notebooks of the course by name, in its order: the learners', or those with solutions."""
    for place in PLACES:
        folder = place / "solutions" if solutions else place
        found = sorted(path for path in folder.glob("*.ipynb") if NAME.fullmatch(path.stem))
        if found:
            return {path.stem: path for path in found}
    raise ConfigError("this installation of maxent holds no notebooks; install it again")


def copy_notebooks(
    folder: str | os.PathLike[str],
    *,
    solutions: bool = False,
    seed: int | None = None,
    overwrite: bool = False,
) -> tuple[list[str], list[str]]:
    """Put the notebooks and a record of progress into a folder, made where it is missing.

    A notebook that is there already is kept: it may hold a learner's work.  `overwrite` replaces
    it; the record of progress is kept all the same, with a new seed where one is given.
    Returns the names of what was written and of what was kept.
    Raises ConfigError for another seed than the folder's, unless `overwrite`.
    """
    if seed is not None:
        seed = require_count("seed", seed, minimum=0)
    destination = output_folder(folder, overwrite=True)
    record = progress.read(destination) or progress.new(seed or 0)
    if seed is not None and seed != record["seed"]:
        if not overwrite:
            raise ConfigError(
                f"{str(folder)!r} has the seed {record['seed']}; with {seed} its exercises would "
                "ask for other numbers: choose another folder, or give --overwrite"
            )
        record["seed"] = seed
    written, kept = [], []
    for source in [*notebook_files(solutions=solutions).values(), *_companions()]:
        target = destination / source.name
        if target.exists() and not overwrite:
            kept.append(source.name)
            continue
        with staged(target, replace=True) as path:
            path.write_bytes(source.read_bytes())
        written.append(source.name)
    progress.write(destination, record)
    return written, kept


def _companions() -> list[Path]:
    """What goes with the notebooks: the glossary."""
    return [path for place in PLACES for path in place.glob("glossary.md")][:1]


def status(folder: str | os.PathLike[str]) -> str:
    """How far a learner is, as a table: a line a notebook; ConfigError where no record is."""
    record = progress.read(Path(folder))
    if record is None:
        raise ConfigError(
            f"{str(folder)!r} holds no {progress.FILE}: name a folder that maxent learn DIR made"
        )
    rows, open_minutes = [], 0
    for name, sheet in sheets().items():
        exercises = _done(sheet.EXERCISES, record["exercises"])
        quizzes = _done(sheet.QUIZZES, record["quizzes"])
        tries = sum(
            int(record["exercises"].get(e.number, {}).get("tries", 0)) for e in sheet.EXERCISES
        )
        left = sum(e.minutes for e in sheet.EXERCISES if not _right(record["exercises"], e.number))
        open_minutes += left
        rows.append([name, exercises, str(tries), quizzes, f"{left} min" if left else "done"])
    header = ["notebook", "exercises", "tries", "quizzes", "left"]
    variant = f", variant of seed {record['seed']}" if record["seed"] else ""
    return f"{table(header, rows)}\n\nexercises left: about {open_minutes} minutes{variant}"


def _done(all_of: tuple[Exercise, ...] | tuple[Quiz, ...], entries: Mapping[str, Any]) -> str:
    right = sum(_right(entries, each.number) for each in all_of)
    return f"{right} of {len(all_of)}"


def _right(entries: Mapping[str, Any], number: str) -> bool:
    return bool(entries.get(number, {}).get("right"))
