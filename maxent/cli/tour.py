"""`maxent tour`: a minute through everything."""

from __future__ import annotations

from argparse import Namespace

from maxent.cli.arguments import Parser
from maxent.cli.exit_codes import DONE, NOT_PASSED


def add_options(parser: Parser) -> None:
    """What the command takes."""
    parser.option(
        "out",
        "FOLDER",
        "Where figures and tour.json go; it is created, or must be empty.",
        default="tour-output",
    )
    parser.flag(
        "overwrite",
        "Write into a folder that is not empty, replacing the files of an earlier tour.",
    )


def run(asked: Namespace) -> int:
    """Take the tour."""
    from maxent import tour

    return DONE if tour.take(asked.out, overwrite=asked.overwrite) else NOT_PASSED
