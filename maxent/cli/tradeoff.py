"""`maxent tradeoff MDP`: what return costs in entropy, at many temperatures."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

import maxent
from maxent.cli.exit_codes import DONE
from maxent.cli.model import Model
from maxent.cli.outputs import require_outputs, say_written, write_record
from maxent.support.ranges import read_temperatures

if TYPE_CHECKING:
    from maxent.mdp import MDP
    from maxent.tabular.tradeoff import Tradeoff


def run(asked: Namespace) -> int:
    """Solve at every temperature, write the files, print the table."""
    outputs = require_outputs("tradeoff", asked)
    temperatures = read_temperatures(asked.temperatures, "--temperatures")
    mdp = Model.of(asked).build()
    curve = maxent.tradeoff(mdp, temperatures, progress=True)
    if "json" in outputs:
        write_record("tradeoff", asked, outputs["json"], mdp, tradeoff=curve.to_dict())
    if "figure" in outputs:
        from maxent import plots

        plots.save(plots.tradeoff(curve), outputs["figure"], overwrite=asked.overwrite)
    print(_summary(asked.mdp, mdp, curve))
    say_written(outputs)
    return DONE


def _summary(name: str, mdp: MDP, curve: Tradeoff) -> str:
    """The curve as a table, for people."""
    from maxent import reports

    ends = zip(("temperature to 0", "temperature to inf"), curve.return_range, curve.entropy_range)
    columns = (
        curve.temperatures,
        curve.returns,
        curve.entropies,
        curve.objectives,
        curve.error_bounds,
    )
    rows = [
        [f"{temperature:.6g}", *(f"{value:.8g}" for value in values), f"{error:.1e}"]
        for temperature, *values, error in zip(*(column.tolist() for column in columns))
    ]
    return "\n".join(
        [
            f"{'MDP':<18} {name}: {reports.size_text(mdp)}, "
            f"discount {reports.discount_text(mdp.discount)}",
            *(f"{end:<18} return {reward:.8g}, entropy {nats:.8g}" for end, reward, nats in ends),
            "",
            reports.table(("temperature", "return", "entropy", "objective", "error"), rows),
            "",
            "Discounted, over the start states; entropy in nats; objective = return +",
            "temperature * entropy, certified to the error beside it.",
        ]
    )
