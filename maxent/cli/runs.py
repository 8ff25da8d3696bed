"""How a run is named on the command line, and whether what it names may be imported."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from maxent.cli.arguments import Parser


def add_run(parser: Parser, words: str) -> None:
    """The argument RUN, and what its environment is made with."""
    parser.place("folder", "RUN", words)
    parser.need("folder")
    parser.option("env", "ID", "A Gymnasium environment in place of the run's own.")
    parser.flag(
        "trust", "Import the module that the run's environment MODULE:ID names; that executes it."
    )


def environment(asked: Namespace) -> dict[str, Any]:
    """Those arguments, as `load_agent` and `resume` take them."""
    return {"env": asked.env, "trust": asked.trust}
