"""`maxent tour`: a minute through everything."""

from __future__ import annotations

from argparse import Namespace

from maxent.cli.exit_codes import DONE, NOT_PASSED


def run(asked: Namespace) -> int:
    """Take the tour."""
    from maxent import tour

    return DONE if tour.take(asked.out, overwrite=asked.overwrite) else NOT_PASSED
