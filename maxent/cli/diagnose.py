"""`maxent diagnose RUN`: a trained agent held against the theory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional

import maxent
from maxent.cli.arguments import as_option, option
from maxent.cli.exit_codes import DONE
from maxent.cli.model import Model
from maxent.cli.process import require_neural
from maxent.errors import ConfigError
from maxent.support.arguments import require_count
from maxent.support.files import require_output


@dataclass(frozen=True)
class Truth(Model):
    """The MDP that the agent was trained on, where it can be named; with the agent's discount."""

    mdp: Annotated[Positional[str], option("MDP", "(optional)")] = ""
    """The MDP that the agent was trained on: a map name, FILE.txt, FILE.npz or gym:ID; left out:
    the one its environment holds, else estimates from episodes."""


@dataclass(frozen=True)
class Diagnose:
    """Say how far each equality of the theory is from holding for a trained agent.

    Against an MDP, or a linear-quadratic problem, errors are exact; else they are estimates.

    examples:
      maxent diagnose pendulum
      maxent diagnose lake gym:FrozenLake-v1
      maxent diagnose pendulum --episodes 50 --out findings.json
    """

    folder: Annotated[Positional[str], option("RUN", "(required)")]
    """The folder of a training; it may be going on."""
    model: OmitArgPrefixes[Truth]
    episodes: Annotated[int, option("N", "(default: 20)")] = 20
    """For estimates from episodes."""
    seed: Annotated[int, option("N", "(default: 0)")] = 0
    """Of episodes and samples."""
    step: Annotated[int | None, option("N")] = None
    """The checkpoint of that step; left out: the latest."""
    out: Annotated[str | None, option("FILE.json")] = None
    """Write the findings there."""
    overwrite: Annotated[bool, option("")] = False
    """Replace an output file that exists."""

    def run(self) -> int:
        """Diagnose, write the file, print the table."""
        from maxent import reports

        require_neural()
        out = None if self.out is None else require_output(self.out, self.overwrite, (".json",))
        require_count("episodes", self.episodes)
        if self.model.given() and not self.model.mdp:
            raise ConfigError(f"{as_option(next(iter(self.model.given())))} needs an MDP after RUN")
        from maxent.neural.diagnostics import diagnose

        agent = maxent.load_agent(self.folder, step=self.step)
        discount = agent.config.discount
        if self.model.discount not in (None, discount):
            raise ConfigError(
                f"--discount {self.model.discount:g}: the agent was trained with {discount:g}; "
                "leave it out"
            )
        problem = replace(self.model, discount=discount).build() if self.model.mdp else None
        found = diagnose(agent, problem, episodes=self.episodes, seed=self.seed)
        if out is not None:
            record = {
                "format": "maxent-diagnose-1",
                "request": asdict(self),
                "algorithm": agent.algorithm,
                "env": agent.env,
                "settings": agent.config.to_dict(),
                "steps": agent.steps,
                "temperature": agent.temperature,
                "diagnosis": found.to_dict(),
                "versions": reports.versions(),
            }
            reports.write_json(record, out, overwrite=self.overwrite)
        print(reports.printable(str(found)))
        if out is not None:
            print(f"wrote {out}")
        return DONE
