"""`maxent verify MDP`: the theorems, checked on an MDP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional

import maxent
from maxent.cli.arguments import NEEDED, option
from maxent.cli.exit_codes import DONE, NOT_PASSED
from maxent.cli.model import Model
from maxent.cli.outputs import require_outputs, say_written, write_record
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
      maxent verify four-rooms --temperature 0.1 --rigorous --html four-rooms.html
      maxent verify gym:FrozenLake-v1 --discount 0.99 --temperature 1 --keys SQL-T3,SAC-T1
      maxent verify --list SQL-T3
    """

    model: OmitArgPrefixes[ModelIfAny]
    temperature: Annotated[float | None, option("ALPHA", "(required)")] = None
    """0 is the hard maximum; there is no default."""
    keys: Annotated[str | None, option("KEY,KEY,...")] = None
    """Which theorems; left out: all."""
    seed: Annotated[int, option("N", "(default: 0)")] = 0
    """For the random inputs of the checks."""
    rigorous: Annotated[bool, option("")] = False
    """Prove too, in ball arithmetic, rounding included, the clauses that can be proved."""
    clauses: Annotated[bool, option("")] = False
    """Print a line a clause, with slack, tolerance and worst case, in place of a line a key."""
    list: Annotated[bool, option("[KEY]")] = False
    """Say what is stated, a line a key; of a KEY its hypotheses and clauses.  Needs no MDP."""
    json: Annotated[str | None, option("FILE.json")] = None
    """Write the report there, for machines."""
    html: Annotated[str | None, option("FILE.html")] = None
    """Write the report there, for people: one page with figures, nothing loaded from elsewhere."""
    overwrite: Annotated[bool, option("")] = False
    """Replace an output file that exists."""

    def run(self) -> int:
        """Check, write the file, print the report."""
        from maxent import reports
        from maxent.proofs.prove import certainty
        from maxent.theorems.statements import listing

        keys = None if self.keys is None else [key.strip() for key in self.keys.split(",")]
        if self.list:  # what stands where an MDP would is a key
            pages = [listing(key) for key in keys or ()] or [listing(self.model.mdp or None)]
            print(reports.printable("\n\n".join(pages)))
            return DONE
        outputs = require_outputs(self)
        mdp = self.model.build()
        if self.temperature is None:
            raise ConfigError(NEEDED["temperature"])
        check = maxent.verify_rigorously if self.rigorous else maxent.verify
        report = check(mdp, self.temperature, keys=keys, seed=self.seed, progress=True)
        found: dict[str, Any] = {"report": report.to_dict()}
        facts = {"seed": str(self.seed)}
        if self.rigorous:
            found["optimal_values"] = surely = certainty(mdp, self.temperature)
            facts["V* enclosed"] = f"to within {surely['enclosed_error']:.2g} in every state"
            facts["V* proved"] = f"to intervals {surely['proved_width']:.2g} wide, in every state"
        if "json" in outputs:
            write_record(self, mdp, outputs["json"], **found)
        if "html" in outputs:
            page = reports.verification_page(
                self.model.mdp, mdp, self.temperature, report, facts=facts
            )
            reports.write_text(page, outputs["html"], overwrite=self.overwrite)
        print(reports.printable(report.clause_table() if self.clauses else str(report)))
        say_written(outputs)
        return DONE if report.passed else NOT_PASSED
