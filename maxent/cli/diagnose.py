"""`maxent diagnose RUN`: a trained agent held against the theory."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import maxent
from maxent.cli.arguments import as_option
from maxent.cli.exit_codes import DONE
from maxent.cli.model import Model
from maxent.cli.outputs import agent_record, require_outputs, say_written, write_record
from maxent.errors import ConfigError
from maxent.support.arguments import require_count
from maxent.support.extras import require_neural


def run(asked: Namespace) -> int:
    """Diagnose, write the file, print the table."""
    from maxent import reports

    require_neural()
    outputs = require_outputs("diagnose", asked)
    require_count("episodes", asked.episodes)
    model = Model.of(asked)
    if model.given() and model.mdp is None:
        raise ConfigError(f"{as_option(next(iter(model.given())))} needs an MDP after RUN")
    agent = maxent.load_agent(asked.folder, step=asked.step, env=asked.env, trust=asked.trust)
    discount = agent.config.discount
    if model.discount not in (None, discount):
        raise ConfigError(
            f"--discount {model.discount:g}: the agent was trained with {discount:g}; leave it out"
        )
    problem = None if model.mdp is None else replace(model, discount=discount).build()
    found = maxent.diagnose(agent, problem, episodes=asked.episodes, seed=asked.seed)
    if "out" in outputs:
        record = agent_record(agent) | {"diagnosis": found.to_dict()}
        write_record("diagnose", asked, outputs["out"], **record)
    print(reports.printable(str(found)))
    say_written(outputs)
    return DONE
