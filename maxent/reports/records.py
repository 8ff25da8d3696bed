"""Numbers and what they are about as JSON, strict: a number that is not finite becomes null.

Numbers keep all their digits, so that what is read back is what was computed.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import maxent
from maxent.mdp import MDP
from maxent.solution import Solution
from maxent.support.files import write_whole
from maxent.support.plain import plain

LIBRARIES = ("numpy", "scipy", "gymnasium", "matplotlib", "numba")


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
        json.dump(plain(record, "the record", finite=True), file, allow_nan=False)
        file.write("\n")


def write_text(text: str, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with write_whole(path, overwrite=overwrite) as staged:
        staged.write_text(text, encoding="utf-8")


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
