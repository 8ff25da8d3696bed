"""`maxent verify MDP`: the theorems, checked on an MDP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import OmitArgPrefixes

import maxent
from maxent.cli.arguments import option
from maxent.cli.exit_codes import DONE, NOT_PASSED
from maxent.cli.model import Model
from maxent.cli.outputs import check_outputs, say_written, write_record


@dataclass(frozen=True)
class Verify:
    """Check the theorems of maximum-entropy reinforcement learning on an MDP.

    examples:
      maxent verify four-rooms --temperature 0.1
      maxent verify gym:FrozenLake-v1 --discount 0.99 --temperature 1 --json report.json
      maxent verify sutton-barto-5x5 --temperature 0.5 --keys SQL-T3,SAC-T1
    """

    model: OmitArgPrefixes[Model]
    temperature: Annotated[float, option("ALPHA", "(required)")]
    """0 is the hard maximum; there is no default."""
    keys: Annotated[str | None, option("KEY,KEY,...")] = None
    """Which theorems; left out: all."""
    seed: Annotated[int, option("N", "(default: 0)")] = 0
    """For the random inputs of the checks."""
    json: Annotated[str | None, option("FILE.json")] = None
    """Write the report there."""
    overwrite: Annotated[bool, option("")] = False
    """Replace an output file that exists."""

    def run(self) -> int:
        """Check, write the file, print the report."""
        from maxent import reports

        outputs = check_outputs(self)
        mdp = self.model.build()
        keys = None if self.keys is None else [key.strip() for key in self.keys.split(",")]
        report = maxent.verify(mdp, self.temperature, keys=keys, seed=self.seed, progress=True)
        if "json" in outputs:
            write_record(self, mdp, outputs["json"], report=report.to_dict())
        print(reports.printable(str(report)))
        say_written(outputs)
        return DONE if report.passed else NOT_PASSED
