"""`maxent walk MDP --out FILE.gif`: agents that follow the soft-optimal policy, as a GIF."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import maxent
from maxent.cli.exit_codes import DONE
from maxent.cli.model import Model
from maxent.cli.outputs import require_outputs
from maxent.support.arguments import count


def run(asked: Namespace) -> int:
    """Solve, draw, say where the GIF is."""
    from maxent import plots

    path = require_outputs("walk", asked)["out"]
    mdp = Model.of(asked).build()
    solution = maxent.solve(mdp, asked.temperature, progress=True)
    drawn: Path = plots.animate_rollouts(
        mdp,
        solution,
        path,
        episodes=asked.episodes,
        max_steps=asked.max_steps,
        seed=asked.seed,
        overwrite=asked.overwrite,
    )
    print(f"{count(asked.episodes, 'episode')} at temperature {asked.temperature:g}")
    print(f"wrote {drawn}")
    return DONE
