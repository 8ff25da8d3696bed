"""`maxent resume RUN`: go on with a run."""

from __future__ import annotations

from argparse import Namespace

import maxent
from maxent.cli.arguments import Parser, whole_number
from maxent.cli.runs import add_run, environment
from maxent.cli.train import outcome, say, say_row
from maxent.support.extras import require_neural


def add_options(parser: Parser) -> None:
    """What the command takes."""
    add_run(parser, "Its folder, as given to maxent train ... --run RUN.")
    parser.option(
        "steps",
        "N",
        "A new last step; left out: the one the run was begun with.",
        kind=whole_number,
    )


def run(asked: Namespace) -> int:
    """Train on, saying what was logged and saved."""
    require_neural()
    saved = []

    def announce(text: str) -> None:
        saved.append(text)
        say(text)

    agent = maxent.resume(
        asked.folder,
        steps=asked.steps,
        progress=True,
        announce=announce,
        report=say_row,
        **environment(asked),
    )
    if not saved and agent.stopped_by is None:
        say(f"nothing to do: {agent.steps} steps are done already; --steps N goes on to more")
    return outcome(agent, asked.folder)
