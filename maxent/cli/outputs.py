"""The files that commands write: checked before any work is done, named once they are there."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxent.cli.commands import entries
from maxent.cli.model import Model
from maxent.support.files import require_output

if TYPE_CHECKING:
    from maxent.mdp import MDP
    from maxent.neural.training.agent import Agent


def require_outputs(command: str, asked: Namespace) -> dict[str, Path]:
    """The output files that a command was asked for, by option; an error for one that cannot be
    written, now, before any work is done."""
    return {
        entry.name: require_output(path, asked.overwrite, entry.endings)
        for entry in entries(command)
        if entry.endings and (path := getattr(asked, entry.name)) is not None
    }


def write_record(
    command: str, asked: Namespace, path: Path, mdp: MDP | None = None, **found: Any
) -> None:
    """Write as JSON what was asked for and what was found."""
    from maxent import reports

    record: dict[str, Any] = {"format": f"maxent-{command}-1", "request": _request(asked)}
    if mdp is not None:
        record["mdp"] = {"name": asked.mdp} | reports.mdp_record(mdp)
    record |= found | {"versions": reports.versions()}
    reports.write_json(record, path, overwrite=asked.overwrite)


def agent_record(agent: Agent) -> dict[str, Any]:
    """What an agent is, for a record."""
    return {
        "algorithm": agent.algorithm,
        "env": agent.env,
        "settings": agent.config.to_dict(),
        "steps": agent.steps,
        "temperature": agent.temperature,
    }


def _request(asked: Namespace) -> dict[str, Any]:
    """The arguments of a command; those that name an MDP together."""
    request = dict(vars(asked))
    if "mdp" in request:
        model = asdict(Model.of(asked))
        request = {"model": model} | {k: v for k, v in request.items() if k not in model}
    return request


def say_written(outputs: Mapping[str, Path]) -> None:
    """Name the files that were written."""
    for path in outputs.values():
        print(f"wrote {path}")
