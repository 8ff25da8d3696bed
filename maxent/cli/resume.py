"""`maxent resume RUN`: go on with a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional

import maxent
from maxent.cli.arguments import option
from maxent.cli.process import require_neural
from maxent.cli.train import outcome, say, say_row


@dataclass(frozen=True)
class Resume:
    """Go on with a training from its latest checkpoint, as if it had not stopped.

    On the same machine, versions and threads the result is the same bit for bit.

    examples:
      maxent resume pendulum
      maxent resume pendulum --steps 40000
      maxent resume ./runs/seed-3
    """

    folder: Annotated[Positional[str], option("RUN", "(required)")]
    """The folder of a training, as given to maxent train ... --run RUN."""
    steps: Annotated[int | None, option("N")] = None
    """A new last step; left out: the one the training was begun with."""

    def run(self) -> int:
        """Train on, saying what was logged and saved."""
        require_neural()
        saved = []

        def announce(text: str) -> None:
            saved.append(text)
            say(text)

        agent = maxent.resume(
            self.folder, steps=self.steps, progress=True, announce=announce, report=say_row
        )
        if not saved and agent.stopped_by is None:
            say(f"nothing to do: {agent.steps} steps are done already; --steps N goes on to more")
        return outcome(agent, self.folder)
