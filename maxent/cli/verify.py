"""`maxent verify MDP`: the theorems, checked on an MDP."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional

import maxent
from maxent.cli.arguments import NEEDED, option
from maxent.cli.exit_codes import DONE, NOT_PASSED
from maxent.cli.model import Model
from maxent.cli.outputs import check_outputs, say_written, write_record
from maxent.errors import ConfigError

if TYPE_CHECKING:
    from maxent.mdp import MDP


@dataclass(frozen=True)
class ModelIfAny(Model):
    """Which MDP, where one is needed: not for --list."""

    mdp: Annotated[Positional[str], option("MDP", "(required)")] = ""
    """A map name (see: maxent maps), FILE.txt, FILE.npz or gym:ID."""

    def build(self) -> MDP:
        """The MDP; ConfigError where none is named."""
        if not self.mdp:
            raise ConfigError(NEEDED["mdp"])
        return super().build()


@dataclass(frozen=True)
class Verify:
    """Check the theorems of maximum-entropy reinforcement learning on an MDP.

    examples:
      maxent verify four-rooms --temperature 0.1
      maxent verify gym:FrozenLake-v1 --discount 0.99 --temperature 1 --keys SQL-T3,SAC-T1
      maxent verify --list
    """

    model: OmitArgPrefixes[ModelIfAny]
    temperature: Annotated[float | None, option("ALPHA", "(required)")] = None
    """0 is the hard maximum; there is no default."""
    keys: Annotated[str | None, option("KEY,KEY,...")] = None
    """Which theorems; left out: all."""
    seed: Annotated[int, option("N", "(default: 0)")] = 0
    """For the random inputs of the checks."""
    rigorous: Annotated[bool, option("")] = False
    """Prove in ball arithmetic, rounding included, the clauses that can be proved."""
    list: Annotated[bool, option("")] = False
    """Say what is checked, on what hypotheses and where it is proved; needs no MDP."""
    json: Annotated[str | None, option("FILE.json")] = None
    """Write the report there."""
    overwrite: Annotated[bool, option("")] = False
    """Replace an output file that exists."""

    def run(self) -> int:
        """Check, write the file, print the report."""
        from maxent import reports

        keys = None if self.keys is None else [key.strip() for key in self.keys.split(",")]
        if self.list:
            print(reports.printable(_listing(keys)))
            return DONE
        outputs = check_outputs(self)
        mdp = self.model.build()
        if self.temperature is None:
            raise ConfigError(NEEDED["temperature"])
        check = maxent.prove if self.rigorous else maxent.verify
        report = check(mdp, self.temperature, keys=keys, seed=self.seed, progress=True)
        if "json" in outputs:
            write_record(self, mdp, outputs["json"], report=report.to_dict())
        print(reports.printable(str(report)))
        say_written(outputs)
        return DONE if report.passed else NOT_PASSED


def _listing(keys: Sequence[str] | None) -> str:
    """Key, statement, hypotheses and source of each clause, as text."""
    from maxent.theorems.catalogue import statements

    listed = statements(keys)
    paragraphs = []
    for about in listed:
        lines = [
            about["statement"],
            f"assumes: {'; '.join(about['hypotheses'])}",
            f"source: {about['source']}",
        ]
        told = [
            textwrap.fill(line, 100, initial_indent="    ", subsequent_indent="      ")
            for line in lines
        ]
        paragraphs.append("\n".join([f"{about['key']}  {about['clause']}", *told]))
    count = len({about["key"] for about in listed})
    return "\n\n".join([*paragraphs, f"{len(listed)} clauses of {count} statements"])
