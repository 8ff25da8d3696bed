"""`maxent tour`: a minute through everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from maxent.cli.arguments import option
from maxent.cli.exit_codes import DONE, NOT_PASSED


@dataclass(frozen=True)
class Tour:
    """Solve well-known MDPs, compare with published values, check theorems, draw figures.

    examples:
      maxent tour
      maxent tour --out my-tour
      maxent tour --overwrite
    """

    out: Annotated[str, option("FOLDER", "(default: tour-output)")] = "tour-output"
    """Where figures and tour.json go; it is created, or must be empty."""
    overwrite: Annotated[bool, option("")] = False
    """Write into a folder that is not empty, replacing the files of an earlier tour."""

    def run(self) -> int:
        """Take the tour."""
        from maxent import tour

        return DONE if tour.take(self.out, overwrite=self.overwrite) else NOT_PASSED
