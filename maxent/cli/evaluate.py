"""`maxent evaluate RUN`: whole episodes of a trained agent."""

from __future__ import annotations

from argparse import Namespace

import maxent
from maxent.cli.exit_codes import DONE
from maxent.cli.outputs import agent_record, require_outputs, say_written, write_record
from maxent.support.extras import require_neural


def run(asked: Namespace) -> int:
    """Evaluate, write the file, print the summary."""
    require_neural()
    outputs = require_outputs("evaluate", asked)
    agent = maxent.load_agent(asked.folder, step=asked.step, env=asked.env, trust=asked.trust)
    found = agent.evaluate(
        episodes=asked.episodes,
        seed=asked.seed,
        deterministic=not asked.stochastic,
        video=asked.video,
    )
    if "out" in outputs:
        numbers = {name: getattr(found, name) for name in ("returns", "lengths", "unfinished")}
        write_record("evaluate", asked, outputs["out"], **agent_record(agent), **numbers)
    actions = "drawn from the policy" if asked.stochastic else "the policy's central ones"
    print(f"{'agent':<16} {agent}")
    print(f"{'episodes':<16} {asked.episodes}, from seed {asked.seed}; actions: {actions}")
    print(found.summary())
    say_written(outputs)
    return DONE
