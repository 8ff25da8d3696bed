"""The tour: well-known MDPs solved, held against published values, theorems and bounds, and drawn.

Everything the tour does is listed in tables: `PROBLEMS` are solved, hard and at a few temperatures,
by each solver (`problems.py`, `solving.py`); `PUBLISHED` values are compared (`published.py`);
`VERIFIED` problems go through `maxent.verify` (`theorems.py`); `FIGURES` are drawn (`figures.py`).
Tables are printed as they are computed, and every number goes to `tour.json`.
"""

from __future__ import annotations

import os
from typing import Any

import maxent
from maxent import reports
from maxent.support.files import output_folder
from maxent.tabular.solvers.convergence import Convergence
from maxent.tour.figures import CURVES, FIGURES, draw
from maxent.tour.problems import PROBLEMS, VERIFIED
from maxent.tour.published import PUBLISHED, compare_all
from maxent.tour.solving import solve_all
from maxent.tour.state import Tour, heading, say
from maxent.tour.theorems import verify_all

__all__ = ["FIGURES", "PROBLEMS", "PUBLISHED", "VERIFIED", "take"]


def take(folder: str | os.PathLike[str], *, overwrite: bool = False) -> bool:
    """Take the tour; figures and `tour.json` go to `folder`, the tables to standard output.

    The folder is created; one that is not empty is refused with OutputExistsError, unless
    `overwrite` is true: then the files of an earlier tour are replaced, each when its successor
    is complete, and other files are left alone.  Returns whether everything agreed.
    """
    tour = Tour(output_folder(folder, overwrite), overwrite)
    say(f"maxent {maxent.__version__}: the tour.  Figures and numbers go to {tour.folder}/")
    draw(tour, FIGURES[0])
    record: dict[str, Any] = {
        "format": "maxent-tour-1",
        "versions": reports.versions(),
        "solved": solve_all(tour, PROBLEMS),
        "published": compare_all(tour, PUBLISHED),
        "theorems": verify_all(tour, VERIFIED),
    }
    heading("Figures")
    for figure in FIGURES[1:]:
        draw(tour, figure)
    record |= {
        "figures": tour.figures,
        "convergence": [_curve_record(curve) for curve in tour.curves.values()],
        "tradeoffs": tour.tradeoffs,
        "failures": tour.failures,
        "passed": not tour.failures,
        "seconds": tour.seconds(),
    }
    reports.write_json(record, tour.folder / "tour.json", overwrite=overwrite)
    conclude(tour)
    return not tour.failures


def _curve_record(curve: Convergence) -> dict[str, Any]:
    names = "method temperature discount errors certified theoretical reference_error order rate"
    return {"mdp": CURVES} | {name: getattr(curve, name) for name in names.split()}


def conclude(tour: Tour) -> None:
    """Whether all went well, and where to look next."""
    heading("Where to look next")
    say(f"{tour.folder}/{FIGURES[0].file} and {len(FIGURES) - 1} more figures beside it")
    say(f"{tour.folder}/tour.json holds every number")
    say("maxent solve four-rooms --temperature 0.01    any map, file or environment")
    say("maxent verify four-rooms --temperature 0.1    every theorem, clause by clause")
    say("maxent maps                                   the named maps")
    for failure in tour.failures:
        say(f"FAILED: {failure}")
    verdict = "everything agreed" if not tour.failures else f"{len(tour.failures)} FAILED"
    say(f"\n{verdict}, in {tour.seconds():.0f} s")
