"""`maxent solve MDP`: values and policy, with a certified bound on the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes

import maxent
from maxent.cli.arguments import option
from maxent.cli.exit_codes import DONE, INTERRUPTED, NOT_CONVERGED
from maxent.cli.model import Model
from maxent.cli.outputs import require_outputs, say_written, write_record
from maxent.errors import ConfigError
from maxent.support.arguments import nearest

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


@dataclass(frozen=True)
class Solve:
    """Solve an MDP, with a certified bound on the error.

    examples:
      maxent solve four-rooms --temperature 0.01
      maxent solve gym:FrozenLake-v1 --discount 0.99 --temperature 0 --json lake.json
      maxent solve my-map.txt --discount 0.95 --temperature 0.1 --certificate proof.json
    """

    model: OmitArgPrefixes[Model]
    temperature: Annotated[float, option("ALPHA", "(required)")]
    """0 is the hard maximum; there is no default."""
    method: Annotated[str, option("|".join(METHODS), "(default: auto)")] = "auto"
    """Solver."""
    tolerance: Annotated[float | None, option("ERROR")] = None
    """Largest error of any state's value; left out: about 1e-9 of the largest value."""
    max_iterations: Annotated[int | None, option("N")] = None
    """Stop after so many; left out: no limit."""
    json: Annotated[str | None, option("FILE.json")] = None
    """Write every number there."""
    figure: Annotated[str | None, option("FILE.png|FILE.svg")] = None
    """Draw values and policy there."""
    save_mdp: Annotated[str | None, option("FILE.npz")] = None
    """Write the MDP itself there."""
    rigorous: Annotated[bool, option("")] = False
    """Prove the values in ball arithmetic, to within 1e-10, rounding included."""
    certificate: Annotated[str | None, option("FILE.json")] = None
    """Write the proof there, for maxent check; implies --rigorous."""
    overwrite: Annotated[bool, option("")] = False
    """Replace output files that exist."""

    def run(self) -> int:
        """Solve, write the files, print the table."""
        from maxent import reports

        if self.method not in METHODS:
            raise ConfigError(f"--method {self.method} is unknown; {nearest(self.method, METHODS)}")
        outputs = require_outputs(self)
        mdp = self.model.build()
        solution = getattr(maxent, METHODS[self.method])(
            mdp,
            self.temperature,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
            progress=True,
        )
        proved = None
        if self.rigorous or "certificate" in outputs:
            proved = maxent.enclose(mdp, self.temperature)
        if "json" in outputs:
            found = {"solution": reports.solution_record(mdp, solution)}
            if proved is not None:
                found["enclosure"] = _enclosure_record(proved)
            write_record(self, mdp, outputs["json"], **found)
        if "certificate" in outputs and proved is not None:
            maxent.write_certificate(proved, outputs["certificate"], overwrite=self.overwrite)
        if "figure" in outputs:
            from maxent import plots

            figure = plots.value_map(mdp, solution)
            plots.save(figure, outputs["figure"], overwrite=self.overwrite)
        if "save_mdp" in outputs:
            mdp.save(outputs["save_mdp"], overwrite=self.overwrite)
        print(_summary(self.model.mdp, mdp, solution, proved))
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

    start = f"{reports.value_at_start(mdp, solution):.10g}  (discounted, over the start states)"
    hard = " (hard maximum)" if solution.temperature == 0.0 else ""
    lines = {
        "MDP": f"{name}: {reports.size_text(mdp)}, discount {reports.discount_text(mdp.discount)}",
        "temperature": f"{solution.temperature:g}{hard}",
        "value at start": start,
        "certified error": f"{solution.error_bound:.2g} at most, in every state",
        "policy": f"certified to lose at most {solution.policy_bound:.2g} against the best",
        "method": solution.method,
        "status": f"{solution.status.replace('_', ' ')}, {solution.iterations} iterations, "
        f"{solution.seconds:.3f} s",
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
