"""A sweep as a TOML file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from maxent.errors import ConfigError
from maxent.support.arguments import closest, nearest
from maxent.support.files import read_whole, require_path
from maxent.sweeps.cells import require_of_cells

TABLES = ("sweep", "settings", "grid")
OF_THE_SWEEP = ("algorithm", "env", "seeds", "steps", "folder")
OF_THE_COMMAND = ("jobs", "cluster")


def read_sweep(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The arguments of `maxent.sweep` that a TOML file stands for.

    [sweep] has algorithm, env, seeds, steps, and a folder where that is not the file's name without
    its ending; [settings] has what is the same for all cells, [grid] lists of what varies.  A
    relative folder lies beside the file.

    Raises ConfigError, with the place, for what is no TOML, and for other tables and keys.

    >>> import maxent
    >>> from pathlib import Path
    >>> text = '''
    ... [sweep]
    ... algorithm = "tradeoff"
    ... env = ["two-goals", "four-rooms"]
    ... [settings]
    ... temperatures = "0.01:10:4"
    ... '''
    >>> written = Path("fronts.toml").write_text(text)
    >>> found = maxent.sweep(**maxent.read_sweep("fronts.toml"), jobs=1)
    >>> found
    Sweep('.../fronts', 2 cells: 2 done)
    >>> [round(point["return"], 3) for point in found.tradeoffs()["two-goals"]["points"]][:2]
    [...]
    """
    file = require_path(path, "sweep file")
    if not file.is_file():
        found = f"{str(file)!r} is no file" if file.exists() else f"no file is called {str(file)!r}"
        raise ConfigError(f"{found}; name the TOML file of a sweep")
    try:
        read = tomllib.loads(read_whole(file).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{str(file)!r} is no TOML: {error}") from None
    for name, value in read.items():
        if name not in TABLES:
            raise ConfigError(
                f"{str(file)!r} has {name!r}, which is none of its tables; {nearest(name, TABLES)}"
            )
        if not isinstance(value, dict):
            raise ConfigError(f"{str(file)!r}: {name} must be a table, [{name}]")
    own = read.get("sweep", {})
    for name in own:
        if name not in OF_THE_SWEEP:
            where = "it may belong to [settings]; "
            if name in OF_THE_COMMAND:
                where = f"it is said with the command, --{name}, or as an argument of sweep; "
            elif name in TABLES or closest(name, OF_THE_SWEEP):
                where = ""
            raise ConfigError(
                f"{str(file)!r}: [sweep] has no {name!r}; {where}{nearest(name, OF_THE_SWEEP)}"
            )
    for name in ("algorithm", "env"):
        if name not in own:
            raise ConfigError(f"{str(file)!r}: [sweep] does not say its {name}; add {name} = ...")
    settings = read.get("settings", {})
    try:
        require_of_cells(settings)
    except ConfigError as error:
        raise ConfigError(f"{str(file)!r}, [settings]: {error}") from None
    if "steps" in own and "steps" in settings:
        raise ConfigError(f"{str(file)!r} gives steps in [sweep] and in [settings]; give it once")
    if twice := sorted(own.keys() & read.get("grid", {}).keys()):
        raise ConfigError(f"{str(file)!r} gives {twice[0]} in [sweep] and in [grid]; give it once")
    folder = Path(file.parent, require_path(own.pop("folder", file.stem), "folder"))
    if folder == file:
        raise ConfigError(
            f"{str(file)!r} has no ending, so its folder would bear its name; "
            "say folder = ... in [sweep]"
        )
    return {**own, "grid": read.get("grid", {}), "folder": folder, **settings}
