"""What a learner has done so far: the file `.progress.json` beside the notebooks.

`maxent learn DIR` makes it; without it nothing is recorded.  It is JSON:

    {"format": "maxent-progress-1", "seed": 0,
     "exercises": {"3.2": {"tries": 3, "right": true, "reference": false, "mistakes": ["..."]}},
     "quizzes": {"3.a": {"tries": 1, "right": true}}}
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maxent.errors import ConfigError, MaxEntError
from maxent.support.files import write_whole

FILE = ".progress.json"
FORMAT = "maxent-progress-1"


def new(seed: int = 0) -> dict[str, Any]:
    """The record of a learner who has done nothing yet."""
    return {"format": FORMAT, "seed": seed, "exercises": {}, "quizzes": {}}


def read(folder: Path) -> dict[str, Any] | None:
    """The record in a folder, or None where there is no file; ConfigError for a file that is no
    record."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    try:
        record = json.loads(text)
        known = (
            record["format"] == FORMAT
            and type(record["seed"]) is int
            and all(
                isinstance(record[part], dict)
                and all(isinstance(entry, dict) for entry in record[part].values())
                for part in ("exercises", "quizzes")
            )
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise ConfigError(
            f"{path} is not a record of progress (format {FORMAT}); move it away and run "
            "maxent learn on its folder again"
        )
    return dict(record)


def write(folder: Path, record: dict[str, Any]) -> None:
    """Put a record in a folder, whole."""
    with write_whole(folder / FILE, overwrite=True) as path:
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def seed_here() -> int:
    """The seed of the learner in whose folder this runs; 0 where there is none."""
    record = _here()
    return 0 if record is None else int(record["seed"])


def note(part: str, number: str, *, right: bool | None = None, mistake: str = "") -> None:
    """Record a try (right or not), or (right=None) that the reference was asked for.

    A record that cannot be read or written is told in a line: no exercise fails for it.
    """
    record = _here()
    if record is None:
        return
    entry = record[part].setdefault(number, {"tries": 0, "right": False})
    if right is None:
        entry["reference"] = True
    else:
        entry["tries"] = int(entry.get("tries", 0)) + 1
        entry["right"] = bool(entry.get("right")) or right
    if mistake:
        entry["mistakes"] = [*entry.get("mistakes", []), mistake]
    try:
        write(Path.cwd(), record)
    except (MaxEntError, OSError) as error:
        print(f"(progress was not recorded: {error})")


def _here() -> dict[str, Any] | None:
    try:
        return read(Path.cwd())
    except ConfigError as error:
        print(f"(progress is not recorded: {error})")
        return None
