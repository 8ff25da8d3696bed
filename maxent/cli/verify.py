"""`maxent verify MDP`: the theorems, checked on an MDP."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import maxent
from maxent.cli.exit_codes import DONE, NOT_PASSED
from maxent.cli.model import Model
from maxent.cli.outputs import require_outputs, say_written, write_record


def run(asked: Namespace) -> int:
    """Check, write the file, print the report."""
    from maxent import reports
    from maxent.proofs.prove import certainty
    from maxent.theorems.statements import listing

    keys = None if asked.keys is None else [key.strip() for key in asked.keys.split(",")]
    if asked.list:  # what stands where an MDP would is a key
        named = keys or ([key.strip() for key in asked.mdp.split(",")] if asked.mdp else [None])
        pages = [listing(key) for key in named]
        print(reports.printable("\n\n".join(pages)))
        return DONE
    outputs = require_outputs("verify", asked)
    mdp = Model.of(asked).build()
    check = maxent.verify_rigorously if asked.rigorous else maxent.verify
    report = check(mdp, asked.temperature, keys=keys, seed=asked.seed, progress=True)
    found: dict[str, Any] = {"report": report.to_dict()}
    facts = {"seed": str(asked.seed)}
    if asked.rigorous:
        found["optimal_values"] = surely = certainty(mdp, asked.temperature)
        facts["V* enclosed"] = f"to within {surely['enclosed_error']:.2g} in every state"
        facts["V* proved"] = f"to intervals {surely['proved_width']:.2g} wide, in every state"
    if "json" in outputs:
        write_record("verify", asked, outputs["json"], mdp, **found)
    if "html" in outputs:
        from maxent.reports.page import verification_page

        page = verification_page(asked.mdp, mdp, asked.temperature, report, facts=facts)
        reports.write_text(page, outputs["html"], overwrite=asked.overwrite)
    print(reports.printable(report.clause_table() if asked.clauses else str(report)))
    say_written(outputs)
    return DONE if report.passed else NOT_PASSED
