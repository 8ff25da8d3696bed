"""`maxent explore MDP`: an interactive page of a gridworld, which computes in the browser."""

from __future__ import annotations

from argparse import Namespace

import maxent
from maxent.cli.arguments import Parser, library_default, number
from maxent.cli.exit_codes import DONE
from maxent.cli.model import Model, add_model_options
from maxent.support.files import require_output


def add_options(parser: Parser) -> None:
    """What the command takes."""
    add_model_options(parser)
    parser.option(
        "temperature",
        "ALPHA",
        "Where its slider begins.",
        kind=number,
        default=library_default("explore", "temperature"),
    )
    parser.option("out", "FILE.html", "The page.")
    parser.flag("overwrite", "Replace an output file that exists.")
    parser.need("mdp", "out")


def run(asked: Namespace) -> int:
    """Build the MDP, write the page."""
    require_output(asked.out, asked.overwrite, (".html",))
    page = maxent.explore(Model.of(asked).build(), asked.temperature, title=f"maxent: {asked.mdp}")
    print(f"wrote {page.save(asked.out, overwrite=asked.overwrite)}")
    return DONE
