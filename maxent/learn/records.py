"""Runs that were recorded for the notebooks, so that nobody has to wait for them.

A record is a JSON file in `recorded/`: the command that made it, the versions it was made with,
what came out, and a SHA-256 of that, so that a changed number is noticed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from maxent.errors import ConfigError
from maxent.support.arguments import nearest

FOLDER = Path(__file__).parent / "recorded"


def digest(data: Any) -> str:
    """The SHA-256 of plain data, however it is laid out in a file."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def record(name: str) -> dict[str, Any]:
    """What a recorded run found; prints the command that made it.

    name: such as "pendulum".  ConfigError for a name without a record, and for a record that is not
    what was written.

    >>> found = record("four-goals")
    made by: python benchmarks/learning/course_records.py four-goals
    >>> found["sac"][0]  # shares of four goals, of seed 1
    [0.632, 0.368, 0.0, 0.0]
    """
    path = FOLDER / f"{name}.json"
    names = sorted(each.stem for each in FOLDER.glob("*.json"))
    if name not in names:
        raise ConfigError(f"nothing is recorded as {name!r}; {nearest(name, names)}")
    found = json.loads(path.read_text(encoding="utf-8"))
    if digest(found["data"]) != found["sha256"]:
        raise ConfigError(f"{path} was changed: its numbers have another SHA-256 than it says")
    print(f"made by: {found['command']}")
    return dict(found["data"])
