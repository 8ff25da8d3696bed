"""`maxent evaluate RUN`: whole episodes of a trained agent."""

from __future__ import annotations

from argparse import Namespace

import maxent
from maxent.cli.arguments import Parser, library_default, whole_number
from maxent.cli.exit_codes import DONE
from maxent.cli.outputs import agent_record, write_record
from maxent.cli.runs import add_run, environment
from maxent.support.extras import require_neural
from maxent.support.files import require_output


def add_options(parser: Parser) -> None:
    """What the command takes."""
    add_run(parser, "Its folder; the run may be going on.")
    for name, words in (
        ("episodes", "How many; episode i starts with seed + i."),
        ("seed", "Of the environment and of the policy; same seed, same episodes."),
    ):
        default = library_default("Agent.evaluate", name)
        parser.option(name, "N", words, kind=whole_number, default=default)
    parser.flag(
        "stochastic",
        "Draw actions from the policy; left out: its central, or likeliest, action.",
    )
    parser.option(
        "step", "N", "The checkpoint of that step; left out: the latest.", kind=whole_number
    )
    parser.option("out", "FILE.json", "Write the return and the length of every episode there.")
    parser.option("video", "DIR", "A new folder for a video of each episode (needs moviepy).")
    parser.flag("overwrite", "Replace an output file that exists.")


def run(asked: Namespace) -> int:
    """Evaluate, write the file, print the summary."""
    require_neural()
    out = None if asked.out is None else require_output(asked.out, asked.overwrite, (".json",))
    agent = maxent.load_agent(asked.folder, step=asked.step, **environment(asked))
    found = agent.evaluate(
        episodes=asked.episodes,
        seed=asked.seed,
        deterministic=not asked.stochastic,
        video=asked.video,
    )
    if out is not None:
        numbers = {name: getattr(found, name) for name in ("returns", "lengths", "unfinished")}
        write_record("evaluate", asked, out, **agent_record(agent), **numbers)
    actions = "drawn from the policy" if asked.stochastic else "the policy's central ones"
    print(f"{'agent':<16} {agent}")
    print(f"{'episodes':<16} {asked.episodes}, from seed {asked.seed}; actions: {actions}")
    print(found.summary())
    if out is not None:
        print(f"wrote {out}")
    return DONE
