"""`maxent verify MDP`: the theorems, checked on an MDP."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    from maxent.theorems.check import Report


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
    """Prove too, in ball arithmetic, rounding included, the clauses that can be proved."""
    list: Annotated[bool, option("")] = False
    """Say what is checked, on what hypotheses and where it is proved; needs no MDP."""
    json: Annotated[str | None, option("FILE.json")] = None
    """Write the report there, for machines."""
    html: Annotated[str | None, option("FILE.html")] = None
    """Write the report there, for people: one page with figures, nothing loaded from elsewhere."""
    overwrite: Annotated[bool, option("")] = False
    """Replace an output file that exists."""

    def run(self) -> int:
        """Check, write the file, print the report."""
        from maxent import reports

        keys = None if self.keys is None else [key.strip() for key in self.keys.split(",")]
        if self.list:
            print(reports.printable(_listing(keys)))
            return DONE
        outputs = require_outputs(self)
        mdp = self.model.build()
        if self.temperature is None:
            raise ConfigError(NEEDED["temperature"])
        report = maxent.verify(mdp, self.temperature, keys=keys, seed=self.seed, progress=True)
        found: dict[str, Any] = {"report": report.to_dict()}
        facts = {"seed": str(self.seed)}
        if self.rigorous:
            report = _with_proofs(report, mdp, self.temperature, keys, self.seed)
            surely = _certainties(mdp, self.temperature)
            found = {"report": report.to_dict(), "optimal_values": surely}
            facts["V* enclosed"] = f"to within {surely['enclosed_error']:.2g} in every state"
            facts["V* proved"] = f"to intervals {surely['proved_width']:.2g} wide, in every state"
        if "json" in outputs:
            write_record(self, mdp, outputs["json"], **found)
        if "html" in outputs:
            page = reports.verification_page(
                self.model.mdp, mdp, self.temperature, report, facts=facts
            )
            reports.write_text(page, outputs["html"], overwrite=self.overwrite)
        print(reports.printable(_tables(report)))
        say_written(outputs)
        return DONE if report.passed else NOT_PASSED


def _with_proofs(
    report: Report, mdp: MDP, temperature: float, keys: list[str] | None, seed: int
) -> Report:
    """The report with the clauses that can be proved after the numerical ones of their key."""
    from maxent.proofs.clauses import CLAUSES
    from maxent.theorems.check import Report

    provable = dict.fromkeys(key for key, *_ in CLAUSES)
    if keys is not None:
        keys = [key for key in keys if key in provable] or keys  # none: `prove` says so
    proved = maxent.prove(mdp, temperature, keys=keys, seed=seed, progress=True)
    order = list(dict.fromkeys(check.key for check in report))
    return Report(tuple(sorted((*report, *proved), key=lambda check: order.index(check.key))))


def _certainties(mdp: MDP, temperature: float) -> dict[str, float]:
    """How surely the optimal values are known, in the worst state: the certified error of the
    solver's float64 values, and the width of the intervals of ball arithmetic."""
    solved, proved = maxent.solve(mdp, temperature), maxent.enclose(mdp, temperature)
    return {"enclosed_error": solved.error_bound, "proved_width": proved.width}


def _tables(report: Report) -> str:
    """A table of checks for each strength of evidence, or one where there is only one."""
    strengths = dict.fromkeys(check.strength for check in report)
    if len(strengths) == 1:
        return str(report)
    tables = []
    for strength in strengths:
        checks = tuple(check for check in report if check.strength == strength)
        tables.append(f"{strength}\n\n{replace(report, checks=checks)}")
    return "\n\n".join(tables)


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
