"""`maxent evaluate RUN`: whole episodes of a trained agent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional

import maxent
from maxent.cli.arguments import option
from maxent.cli.exit_codes import DONE
from maxent.cli.process import require_neural
from maxent.support.files import require_output

if TYPE_CHECKING:
    from maxent.neural.training.agent import Evaluation


@dataclass(frozen=True)
class Evaluate:
    """Evaluate the agent of a training's latest checkpoint.

    examples:
      maxent evaluate pendulum
      maxent evaluate pendulum --episodes 100 --seed 1 --out returns.json
      maxent evaluate pendulum --stochastic --step 10000
    """

    folder: Annotated[Positional[str], option("RUN", "(required)")]
    """The folder of a training; it may be going on."""
    episodes: Annotated[int, option("N", "(default: 10)")] = 10
    """How many; episode i starts with seed + i."""
    seed: Annotated[int, option("N", "(default: 0)")] = 0
    """Of the environment and of the policy; same seed, same episodes."""
    stochastic: Annotated[bool, option("")] = False
    """Draw actions from the policy; left out: its central, or likeliest, action."""
    step: Annotated[int | None, option("N")] = None
    """The checkpoint of that step; left out: the latest."""
    out: Annotated[str | None, option("FILE.json")] = None
    """Write the return and the length of every episode there."""
    overwrite: Annotated[bool, option("")] = False
    """Replace an output file that exists."""

    def run(self) -> int:
        """Evaluate, write the file, print the summary."""
        from maxent import reports

        require_neural()
        out = None if self.out is None else require_output(self.out, self.overwrite, (".json",))
        agent = maxent.load_agent(self.folder, step=self.step)
        told = agent.evaluate(
            episodes=self.episodes, seed=self.seed, deterministic=not self.stochastic
        )
        if out is not None:
            record = {
                "format": "maxent-evaluate-1",
                "request": asdict(self),
                "algorithm": agent.algorithm,
                "env": agent.env,
                "settings": agent.config.to_dict(),
                "steps": agent.steps,
                "temperature": agent.temperature,
                "returns": told.returns,
                "lengths": told.lengths,
                "unfinished": told.unfinished,
                "versions": reports.versions(),
            }
            reports.write_json(record, out, overwrite=self.overwrite)
        actions = "drawn from the policy" if self.stochastic else "the policy's central ones"
        print(f"{'agent':<16} {agent}")
        print(f"{'episodes':<16} {self.episodes}, from seed {self.seed}; actions: {actions}")
        print(evaluation_text(told))
        if out is not None:
            print(f"wrote {out}")
        return DONE


def evaluation_text(told: Evaluation) -> str:
    """Returns and lengths of episodes, for people."""
    from maxent.statistics import bootstrap_interval, interquartile_mean

    returns, count = told.returns, len(told.returns)
    lines = {
        "return": f"{returns.mean():.6g} on average, from {returns.min():.6g} to "
        f"{returns.max():.6g}, undiscounted",
        "length": f"{told.lengths.mean():.6g} steps on average",
    }
    if told.unfinished:
        lines["unfinished"] = f"{told.unfinished}, stopped at {told.lengths.max()} steps"
    if count > 1:
        low, high = bootstrap_interval(interquartile_mean, returns)
        lines["middle half"] = (
            f"{interquartile_mean(returns):.6g} on average (interquartile mean); 95 % interval, "
            f"of these episodes, {low:.6g} to {high:.6g}"
        )
    return "\n".join(f"{label:<16} {value}" for label, value in lines.items())
