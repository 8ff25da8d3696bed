"""`maxent explore MDP`: an interactive page of a gridworld, which computes in the browser."""

from __future__ import annotations

from argparse import Namespace

import maxent
from maxent.cli.exit_codes import DONE
from maxent.cli.model import Model
from maxent.cli.outputs import require_outputs


def run(asked: Namespace) -> int:
    """Build the MDP, write the page."""
    require_outputs("explore", asked)
    page = maxent.explore(Model.of(asked).build(), asked.temperature, title=f"maxent: {asked.mdp}")
    print(f"wrote {page.save(asked.out, overwrite=asked.overwrite)}")
    return DONE
