"""`maxent walk MDP --out FILE.gif`: agents that follow the soft-optimal policy, as a GIF."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import maxent
from maxent.cli.arguments import Parser, number, whole_number
from maxent.cli.exit_codes import DONE
from maxent.cli.model import Model, add_model_options
from maxent.support.files import require_output

TEMPERATURE = 0.02
"""Low for rewards of about 1, which those of the named maps are."""


def add_options(parser: Parser) -> None:
    """What the command takes."""
    add_model_options(parser)
    parser.option("out", "FILE.gif", "Where the GIF goes.")
    parser.option(
        "temperature",
        "ALPHA",
        "0 is the hard maximum.",
        kind=number,
        default=TEMPERATURE,
    )
    for name, default, words in (
        ("episodes", 4, "Agents, 12 at most."),
        ("max_steps", 60, "Steps after which an episode is cut off, 200 at most."),
        ("seed", 0, "Of what happens."),
    ):
        parser.option(name, "N", words, kind=whole_number, default=default)
    parser.flag("overwrite", "Replace the file if it exists.")
    parser.need("mdp", "out")


def run(asked: Namespace) -> int:
    """Solve, draw, say where the GIF is."""
    from maxent import plots

    path = require_output(asked.out, asked.overwrite, (".gif",))
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
    print(f"{asked.episodes} episodes at temperature {asked.temperature:g}: {drawn}")
    return DONE
