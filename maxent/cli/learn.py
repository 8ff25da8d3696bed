"""`maxent learn`: the course's notebooks, how far one is, and grades for a class."""

from __future__ import annotations

import difflib
from argparse import Namespace
from pathlib import Path

from maxent.cli.exit_codes import DONE
from maxent.cli.outputs import require_outputs, say_written
from maxent.errors import ConfigError
from maxent.support.arguments import require_positive

VERBS = ("status", "grade")


def run(asked: Namespace) -> int:
    """Do it."""
    first, *rest = asked.words
    verb = first if first in VERBS else "copy"
    takes = {"copy": ("solutions", "seed"), "status": (), "grade": ("out", "timeout")}
    for name in ("solutions", "seed", "out", "timeout"):
        if getattr(asked, name) not in (None, False) and name not in takes[verb]:
            words = "maxent learn DIR" if verb == "copy" else f"maxent learn {verb}"
            raise ConfigError(f"{words} takes no --{name}; see maxent learn --help")
    meant = difflib.get_close_matches(first, VERBS, cutoff=0.8) if first.isalpha() else []
    if verb == "copy" and meant and not Path(first).exists():
        raise ConfigError(
            f"{first!r} looks like {meant[0]}: type maxent learn {meant[0]}, or ./{first} for a "
            "folder of that name"
        )
    places = asked.words if verb == "copy" else rest
    if len(places) > 1:
        raise ConfigError(f"{places[1]!r} is one argument too many; see maxent learn --help")
    if verb == "status":
        from maxent.learn.course import status

        print(status(places[0] if places else "."))
        return DONE
    if verb == "grade":
        if not places:
            raise ConfigError("maxent learn grade needs the FOLDER that holds the notebooks")
        return _grade(places[0], asked)
    return _copy(places[0], asked)


def _copy(folder: str, asked: Namespace) -> int:
    from maxent.learn.course import copy_notebooks

    written, kept = copy_notebooks(
        folder, solutions=asked.solutions, seed=asked.seed, overwrite=asked.overwrite
    )
    for name in written:
        print(f"wrote {Path(folder, name)}")
    if kept:
        print(f"kept {len(kept)} that were there (--overwrite replaces them): {', '.join(kept)}")
    print(f"\nStart with 00-tour:  jupyter lab {folder}")
    print(f"How far you are:     maxent learn status {folder}")
    return DONE


def _grade(folder: str, asked: Namespace) -> int:
    from maxent.learn.grading import grade, left_out, summary, write_grades

    outputs = require_outputs("learn", asked)
    timeout = 60.0 if asked.timeout is None else require_positive("timeout", asked.timeout)
    grades = grade(folder, timeout=timeout)
    if "out" in outputs:
        write_grades(grades, outputs["out"], overwrite=asked.overwrite)
    print(summary(grades))
    if others := left_out(folder):
        print(f"left out, not of the course by name or contents: {', '.join(others)}")
    say_written(outputs)
    return DONE
