"""The cells of a sweep: every combination, its name, and whether it can be worked on at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from maxent.errors import ConfigError
from maxent.support.arguments import quoted, require_count
from maxent.support.files import require_path
from maxent.support.plain import plain
from maxent.support.ranges import read_seeds

TRADEOFF = "tradeoff"
"""What stands for an exact trade-off in place of an algorithm."""
DONE, FAILED, CUT, ELSEWHERE, WAITING = "done", "failed", "cut", "elsewhere", "waiting"

OWN = ("algorithm", "env", "seed", "seeds", "run", "folder", "grid", "jobs", "cluster", "dry_run")
OF_ONE_TRAINING = ("overwrite", "start", "progress", "announce", "report")
DEFAULTS = {"threads": 1, "checkpoint_every": 10_000}
"""What a training in a sweep is told where nothing is said of it."""


@dataclass(frozen=True)
class Cell:
    """One combination.

    name : its folder, below that of the sweep; of a trade-off its file without `.json`.
    algorithm, env, seed, settings : what is trained, or solved; seed None: a trade-off.
    status : "done", "failed" (`error` says why), "cut" (it goes on from its last checkpoint),
        "elsewhere" (another process works on it), or "waiting".
    seconds : how long it was worked on here; None: not at all.
    """

    name: str
    algorithm: str
    env: str
    seed: int | None
    settings: dict[str, Any] = field(hash=False)
    status: str = WAITING
    error: str | None = None
    seconds: float | None = None

    @property
    def request(self) -> dict[str, Any]:
        """What makes this cell differ from all others, as JSON holds it."""
        asked = {"algorithm": self.algorithm, "env": self.env, "seed": self.seed}
        return dict(plain(asked | {"settings": self.settings}, "the settings"))


def cells_of(
    algorithm: str | Iterable[str],
    env: str | Iterable[str],
    seeds: str | Iterable[int] | None,
    grid: Mapping[str, Iterable[Any]] | None,
    settings: Mapping[str, Any],
) -> list[Cell]:
    """Every combination; the arguments are those of `sweep`.

    Raises ConfigError for a list that is empty or holds a value twice, for a setting that is a
    sweep's own or is given twice, and for two cells of one name.
    """
    varied = {"algorithm": _texts("algorithm", algorithm), "env": _texts("env", env)}
    exact = TRADEOFF in varied["algorithm"]
    if exact and len(varied["algorithm"]) > 1:
        raise ConfigError("trade-offs and trainings need a sweep each; name them apart")
    varied |= _grid(grid, settings)
    chosen = _seeds(seeds, exact)
    shared = {} if exact else DEFAULTS
    found: dict[str, Cell] = {}
    for values in product(*varied.values()):
        own = dict(zip(varied, values))
        group = "_".join(_word(name, own[name]) for name in varied if len(varied[name]) > 1)
        kind, place = own.pop("algorithm"), own.pop("env")
        for seed in chosen:
            parts = [group or TRADEOFF] if seed is None else [group, f"seed-{seed}"]
            name = "/".join(part for part in parts if part)
            require_path(f"{name}.json", "the name of a cell")
            cell = Cell(name, kind, place, seed, {**shared, **settings, **own})
            if (other := found.get(name.lower())) is not None:
                raise ConfigError(
                    f"two cells would be called {name!r}: {_apart(other, cell)}; use a sweep each"
                )
            found[name.lower()] = cell  # some disks take A and a for one name
    return list(found.values())


def require_of_cells(names: Iterable[Any]) -> None:
    """ConfigError for a name that is no setting of a cell."""
    for name in names:
        if not isinstance(name, str):
            raise ConfigError(f"grid has the name {name!r}, which is no text")
        if name in OWN:
            raise ConfigError(f"{name} is no setting of a cell; it is an argument of the sweep")
        if name in OF_ONE_TRAINING:
            raise ConfigError(f"{name} belongs to one training, not to a sweep; leave it out")


def _texts(name: str, given: Any) -> list[str]:
    """One text, or several."""
    values = [given] if isinstance(given, str) else _list(name, given)
    for value in values:
        if not isinstance(value, str):
            raise ConfigError(f"{name} = {quoted(value)} is no name; a sweep needs names")
    return values


def _seeds(given: Any, exact: bool) -> list[int | None]:
    if exact:
        if given is not None:
            raise ConfigError("a trade-off is exact and has no seeds; leave seeds out")
        return [None]
    if given is None:
        return [0]
    if isinstance(given, bool | int):
        raise ConfigError(f'seeds = {given!r}: give "0:{given}" for 0 to {given} - 1, or [{given}]')
    seeds = read_seeds(given) if isinstance(given, str) else _list("seeds", given)
    _require_once("seeds", seeds)
    return [require_count("a seed", seed, 0) for seed in seeds]


def _grid(grid: Any, settings: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The lists of values by name."""
    if not isinstance(grid, Mapping | None):
        raise ConfigError(f"grid = {quoted(grid)}; give lists of values by name")
    require_of_cells((*settings, *(grid or {})))
    for name in grid or {}:
        if name in settings:
            raise ConfigError(f"{name} is given for all cells and in the grid; give it once")
    return {name: _list(f"grid, {name}", values) for name, values in (grid or {}).items()}


def _list(name: str, given: Any) -> list[Any]:
    """The values of a list; ConfigError for what is none, is empty, or has a value twice."""
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ConfigError(f"{name} = {quoted(given)} must be a list; write [{quoted(given)}]")
    try:
        values = list(given)
    except TypeError:  # an array without axes
        raise ConfigError(f"{name} = {quoted(given)} must be a list") from None
    if not values:
        raise ConfigError(f"{name} is empty; give one value or more, or leave it out")
    _require_once(name, values)
    return values


def _require_once(name: str, values: Iterable[Any]) -> None:
    seen = set()
    for value in values:
        written = json.dumps(plain(value, name), sort_keys=True)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        key = float(value) if number else written  # 1 and 1.0 are one
        if key in seen:
            raise ConfigError(f"{name} has {str(value)[:60]} twice; give it once")
        seen.add(key)


def _word(name: str, value: Any) -> str:
    """What a name of a folder says of a setting."""
    text = _plain_word(value)
    return text if name in ("algorithm", "env") else f"{name}={text}"


def _plain_word(value: Any) -> str:
    """A value as a part of a name that every disk takes."""
    if isinstance(value, Mapping):
        parts = [f"{name}={_plain_word(each)}" for name, each in value.items()]
        return ",".join(parts) or "none"
    if isinstance(value, list | tuple):
        return "x".join(map(_plain_word, value)) or "none"
    if isinstance(value, int | float):
        return str(value).lower()
    return re.sub(r"[^\w.+=-]+", "-", str(value), flags=re.ASCII).lstrip(".-") or "none"


def _apart(one: Cell, other: Cell) -> str:
    """How two cells differ, for a message."""
    before, after = one.request, other.request
    before, after = before | before.pop("settings"), after | after.pop("settings")
    names = [name for name in before if before[name] != after[name]]
    return "; ".join(f"{name} {before[name]!r} and {after[name]!r}" for name in names)
