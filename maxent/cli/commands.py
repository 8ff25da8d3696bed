"""The commands and what each takes, as `commands.toml` has them: with a command's description stand
its arguments, a line each, in the words of its --help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from maxent.support.data_files import beside, paragraphs

TEXTS = beside(__file__)
HELP: str = TEXTS["help"]
COMMANDS: dict[str, dict[str, Any]] = TEXTS["commands"]
"""Each is a module beside this one (a hyphen is an underscore there), with `run`."""
NEEDED: dict[str, str] = paragraphs(TEXTS["needed"])
"""What to say where an argument that is needed is left out."""
HEAD = re.compile(
    r"(?P<dashes>--)?(?P<name>[\w-]+):? ?(?P<metavar>.*?)( \((?P<kind>[a-z ]+)\))?"
    r"( = (?P<default>\S+))?"
)


class Entry(NamedTuple):
    """One argument of a command.  kind : what its value must be, or "many" or "repeatable";
    metavar : "" of a flag; endings : of the file that it names, where a file is written there."""

    name: str
    metavar: str
    kind: str
    default: str | None
    words: str
    is_option: bool

    @property
    def endings(self) -> tuple[str, ...]:
        if self.is_option and self.metavar.startswith("FILE."):
            return tuple(re.findall(r"\.\w+", self.metavar))
        return ()


def entries(command: str) -> Iterator[Entry]:
    """What a command takes."""
    return _entries(COMMANDS[command]["takes"])


def _entries(text: str) -> Iterator[Entry]:
    for line in text.strip().replace("\n  ", " ").splitlines():
        if line.startswith("["):
            yield from _entries(TEXTS["groups"][line.strip("[]")])
            continue
        head, _, words = line.partition("  ")
        found = HEAD.fullmatch(head)
        assert found is not None, line
        name, metavar, kind, default = found.group("name", "metavar", "kind", "default")
        is_option = found["dashes"] is not None
        yield Entry(name.replace("-", "_"), metavar, kind or "", default, words, is_option)
