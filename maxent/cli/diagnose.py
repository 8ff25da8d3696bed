"""`maxent diagnose RUN`: a trained agent held against the theory."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import maxent
from maxent.cli.arguments import Parser, as_option, library_default, whole_number
from maxent.cli.exit_codes import DONE
from maxent.cli.model import Model, add_model_options
from maxent.cli.outputs import agent_record, write_record
from maxent.cli.runs import add_run, environment
from maxent.errors import ConfigError
from maxent.support.arguments import require_count
from maxent.support.extras import require_neural
from maxent.support.files import require_output


def add_options(parser: Parser) -> None:
    """What the command takes."""
    add_run(parser, "Its folder; the run may be going on.")
    add_model_options(
        parser,
        "The MDP that the agent was trained on: a map name, FILE.txt, FILE.npz or gym:ID; left "
        "out: the one its environment holds, else estimates from episodes.",
    )
    for name, words in (
        ("episodes", "For estimates from episodes."),
        ("seed", "Of episodes and samples."),
    ):
        default = library_default("diagnose", name)
        parser.option(name, "N", words, kind=whole_number, default=default)
    parser.option(
        "step", "N", "The checkpoint of that step; left out: the latest.", kind=whole_number
    )
    parser.option("out", "FILE.json", "Write the findings there.")
    parser.flag("overwrite", "Replace an output file that exists.")


def run(asked: Namespace) -> int:
    """Diagnose, write the file, print the table."""
    from maxent import reports

    require_neural()
    out = None if asked.out is None else require_output(asked.out, asked.overwrite, (".json",))
    require_count("episodes", asked.episodes)
    model = Model.of(asked)
    if model.given() and model.mdp is None:
        raise ConfigError(f"{as_option(next(iter(model.given())))} needs an MDP after RUN")
    agent = maxent.load_agent(asked.folder, step=asked.step, **environment(asked))
    discount = agent.config.discount
    if model.discount not in (None, discount):
        raise ConfigError(
            f"--discount {model.discount:g}: the agent was trained with {discount:g}; leave it out"
        )
    problem = None if model.mdp is None else replace(model, discount=discount).build()
    found = maxent.diagnose(agent, problem, episodes=asked.episodes, seed=asked.seed)
    if out is not None:
        write_record("diagnose", asked, out, **agent_record(agent), diagnosis=found.to_dict())
    print(reports.printable(str(found)))
    if out is not None:
        print(f"wrote {out}")
    return DONE
