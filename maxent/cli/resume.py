"""`maxent resume RUN`: go on with a run."""

from __future__ import annotations

from argparse import Namespace

import maxent
from maxent.cli.train import outcome, say, say_row
from maxent.support.extras import require_neural


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
        env=asked.env,
        trust=asked.trust,
    )
    if not saved and agent.stopped_by is None:
        say(f"nothing to do: {agent.steps} steps are done already; --steps N goes on to more")
    return outcome(agent, asked.folder)
