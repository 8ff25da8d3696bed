"""`maxent solve MDP`: values and policy, with a certified bound on the error."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

import maxent
from maxent.cli.exit_codes import DONE, INTERRUPTED, NOT_CONVERGED
from maxent.cli.model import Model
from maxent.cli.outputs import require_outputs, say_written, write_record
from maxent.errors import ConfigError
from maxent.support.arguments import count, nearest, quoted

if TYPE_CHECKING:
    from maxent.mdp import MDP
    from maxent.proofs.enclosure import Enclosure
    from maxent.solution import Solution

METHODS = {
    "auto": "solve",
    "value-iteration": "soft_value_iteration",
    "policy-iteration": "soft_policy_iteration",
    "modified-policy-iteration": "modified_soft_policy_iteration",
}
"""Solvers: their names here and in Python."""


def run(asked: Namespace) -> int:
    """Solve, write the files, print the table."""
    from maxent import reports

    if asked.method not in METHODS:
        raise ConfigError(
            f"--method {quoted(asked.method)} is unknown; {nearest(asked.method, METHODS)}"
        )
    outputs = require_outputs("solve", asked)
    mdp = Model.of(asked).build()
    solution = getattr(maxent, METHODS[asked.method])(
        mdp,
        asked.temperature,
        tolerance=asked.tolerance,
        max_iterations=asked.max_iterations,
        progress=True,
    )
    proved = None
    if asked.rigorous or "certificate" in outputs:
        proved = maxent.enclose(mdp, asked.temperature)
    if "json" in outputs:
        found = {"solution": reports.solution_record(mdp, solution)}
        if proved is not None:
            found["enclosure"] = _enclosure_record(proved)
        write_record("solve", asked, outputs["json"], mdp, **found)
    if "certificate" in outputs and proved is not None:
        maxent.write_certificate(proved, outputs["certificate"], overwrite=asked.overwrite)
    if "figure" in outputs:
        from maxent import plots

        figure = plots.value_map(mdp, solution)
        plots.save(figure, outputs["figure"], overwrite=asked.overwrite)
    if "save_mdp" in outputs:
        mdp.save(outputs["save_mdp"], overwrite=asked.overwrite)
    print(_summary(asked.mdp, mdp, solution, proved))
    say_written(outputs)
    if solution.status == "interrupted":
        return INTERRUPTED
    return DONE if solution.converged else NOT_CONVERGED


def _enclosure_record(proved: Enclosure) -> dict[str, Any]:
    """The proof's numbers; the exact midpoint is a sum of float64 arrays."""
    names = "midpoint radius lower upper q_lower q_upper policy_lower policy_upper bits seconds"
    return {name: getattr(proved, name) for name in names.split()}


def _summary(name: str, mdp: MDP, solution: Solution, proved: Enclosure | None) -> str:
    """What a solve found, for people."""
    from maxent import reports

    sums = "undiscounted" if mdp.discount == 1.0 else "discounted"
    start = f"{reports.value_at_start(mdp, solution):.10g}  ({sums}, over the start states)"
    hard = " (hard maximum)" if solution.temperature == 0.0 else ""
    lines = {
        "MDP": f"{name}: {reports.size_text(mdp)}, discount {reports.discount_text(mdp.discount)}",
        "temperature": f"{solution.temperature:g}{hard}",
        "value at start": start,
        "certified error": f"{solution.error_bound:.2g} at most, in every state",
        "policy": f"certified to lose at most {solution.policy_bound:.2g} against the best",
        "method": solution.method,
        "status": f"{solution.status.replace('_', ' ')}, "
        f"{count(solution.iterations, 'iteration')}, {solution.seconds:.3f} s",
    }
    if proved is not None:
        width = proved.width
        lines["proved"] = f"every value, to an interval {width:.2g} wide, in {proved.seconds:.2f} s"
    text = "\n".join(f"{label:<16} {value}" for label, value in lines.items())
    picture = reports.policy_picture(mdp, solution)
    if picture is not None:
        return f"{text}\n\n{picture}\n\n{reports.LEGEND}"
    if mdp.grid is not None:
        return f"{text}\n\nThe map is too large to draw here; --figure draws it."
    return text
