"""The files that commands write: checked before any work is done, told once they are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from maxent.support.files import require_output

if TYPE_CHECKING:
    from maxent.cli.model import Model
    from maxent.mdp import MDP

ENDINGS = {
    "json": (".json",),
    "html": (".html",),
    "figure": (".png", ".svg"),
    "save_mdp": (".npz",),
    "certificate": (".json",),
}
"""The options that name an output file, with the endings that each may have."""


class Command(Protocol):
    """What is common to the commands that take an MDP and write files, all dataclasses."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def model(self) -> Model:
        """Which MDP."""

    @property
    def overwrite(self) -> bool:
        """Whether to replace files that exist."""


def require_outputs(command: Command) -> dict[str, Path]:
    """The output files that a command was asked for, by option; an error for one that cannot be
    written, now, before any work is done."""
    asked = {name: getattr(command, name, None) for name in ENDINGS}
    return {
        name: require_output(path, command.overwrite, ENDINGS[name])
        for name, path in asked.items()
        if path is not None
    }


def write_record(command: Command, mdp: MDP, path: Path, **found: Any) -> None:
    """Write as JSON what was asked for and what was found."""
    from maxent import reports

    record: Mapping[str, Any] = {
        "format": f"maxent-{type(command).__name__.lower()}-1",
        "request": asdict(command),
        "mdp": {"name": command.model.mdp} | reports.mdp_record(mdp),
        **found,
        "versions": reports.versions(),
    }
    reports.write_json(record, path, overwrite=command.overwrite)


def say_written(outputs: Mapping[str, Path]) -> None:
    """Name the files that were written."""
    for path in outputs.values():
        print(f"wrote {path}")
