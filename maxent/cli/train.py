"""`maxent train ALGORITHM`: a neural agent, trained on an environment."""

from __future__ import annotations

import shlex
import sys
import warnings
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

import maxent
from maxent.cli.arguments import library_default, read_pairs
from maxent.cli.exit_codes import DONE
from maxent.cli.sweep import many
from maxent.errors import ConfigError, MaxEntWarning
from maxent.support.arguments import nearest
from maxent.support.extras import require_neural
from maxent.support.other_words import hint
from maxent.support.progress import duration
from maxent.support.ranges import read_seeds

if TYPE_CHECKING:
    from maxent.neural.training.agent import Agent

SHOWN = {
    "return": "return",
    "evaluation_return": "evaluation",
    "q": "Q",
    "entropy": "entropy",
    "temperature": "temperature",
}
"""What a line of the log shows of a row: its name there, and the word for it."""

CHECKPOINT_EVERY = 10_000

SAME = (
    *("steps", "checkpoint_every", "evaluate_every", "evaluation_episodes", "log_every"),
    *("num_envs", "vectorization", "device", "compile"),
)
"""Options that are arguments of `train` and of `sweep`."""
SETTINGS = (
    *("temperature", "discount", "hidden", "replay_capacity", "updates_per_step"),
    *("actor_rate", "critic_rate", "target_rate", "target_interval"),
    *("learning_starts", "initial_temperature"),
)
"""Settings of the algorithms that other libraries have by other names."""


def check_given(asked: Namespace) -> None:
    """ConfigError for an algorithm that there is not, where PyTorch is there to know them."""
    if asked.algorithm is not None:
        require_neural()
        from maxent.neural.algorithms import require_algorithm

        require_algorithm(asked.algorithm)


def run(asked: Namespace) -> int:
    """Train, saying what was logged and saved."""
    if asked.list:
        require_neural()
        from maxent.neural.algorithms.description import describe

        print(describe(asked.algorithm))
        return DONE
    require_neural()
    if asked.copies is not None:
        if asked.num_envs != library_default("train", "num_envs"):
            raise ConfigError("--copies is the old name of --num-envs; give --num-envs alone")
        asked.num_envs = asked.copies
        warnings.warn(
            "--copies is --num-envs now; the old name goes with version 0.3.0",
            MaxEntWarning,
            stacklevel=2,
        )
    if asked.checkpoint_every is None:
        asked.checkpoint_every = CHECKPOINT_EVERY if asked.run else 0
    told: dict[str, Any] = {
        **{name: getattr(asked, name) for name in SAME},
        "env_settings": read_pairs("--env-option", asked.env_option or ()),
        **_settings(asked.algorithm, asked.set or ()),
    }
    if asked.seeds is not None:
        return many(told | _of_many(asked))
    for name in ("jobs", "cluster"):
        if getattr(asked, name) is not None:
            raise ConfigError(f"--{name} is for many runs; give --seeds too, such as --seeds 0:8")
    agent = maxent.train(
        asked.algorithm,
        asked.env,
        seed=asked.seed,
        run=asked.run,
        overwrite=asked.overwrite,
        threads=asked.threads,
        progress=True,
        announce=say,
        report=say_row,
        **told,
    )
    return outcome(agent, asked.run)


def _of_many(asked: Namespace) -> dict[str, Any]:
    """What --seeds adds to the arguments of `maxent.sweep`."""
    if asked.run is None:
        raise ConfigError("--seeds needs a --run, the folder in which each seed has its own")
    if asked.seed != library_default("train", "seed"):
        raise ConfigError("--seed and --seeds exclude each other; give one of them")
    if asked.overwrite:
        raise ConfigError(
            "--overwrite is for one run; with --seeds the same command goes on with what is there: "
            "to begin anew choose another --run, or remove the folder"
        )
    whole = {name: getattr(asked, name) for name in ("algorithm", "env", "jobs", "cluster")}
    threads = {} if asked.threads is None else {"threads": asked.threads}
    return whole | threads | {"folder": asked.run, "seeds": read_seeds(asked.seeds, "--seeds")}


def say(text: str) -> None:
    """A line on standard output, at once, above the bar."""
    with tqdm.external_write_mode():
        print(text, flush=True)


def say_row(row: Mapping[str, Any]) -> None:
    """A row of the log as a line."""
    words = [f"{word} {row[name]:.4g}" for name, word in SHOWN.items() if name in row]
    pace = f"{row['steps_per_second']:.0f} steps/s, {row['updates_per_second']:.0f} updates/s"
    left = f"{duration(row['seconds'])}, {duration(row['seconds_left'])} left"
    say("   ".join([f"step {row['step']}", *words, pace, left]))


def outcome(agent: Agent, run: str | None) -> int:
    """Say how a run ended; the exit code."""
    named = None if run is None else shlex.quote(run)
    if named is not None and ":" in (agent.env or ""):  # it imports a module
        named += " --trust"
    if isinstance(agent.stopped_by, int):
        kept = f"; go on with: maxent resume {named}" if named and agent.steps else ""
        print(f"maxent: stopped after step {agent.steps}{kept}", file=sys.stderr)
        return 128 + agent.stopped_by
    if named is not None:
        say(f"trained: {agent}\nevaluate it: maxent evaluate {named}")
        return DONE
    say(f"trained: {agent}\n{agent.evaluate().summary()}")
    return DONE


def _settings(algorithm: str, texts: Sequence[str]) -> dict[str, Any]:
    """What --set gives, as keyword arguments; ConfigError for what the algorithm does not know."""
    from maxent.neural.algorithms import ALGORITHMS

    given = read_pairs("--set", texts)
    forms = [
        ALGORITHMS[name] for name in (algorithm, f"{algorithm}_discrete") if name in ALGORITHMS
    ]
    known = {field.name: field for module in forms for field in fields(module.Config)}
    for name, value in given.items():
        if forms and name not in known:
            advice = hint(name, known) or nearest(name, known)
            raise ConfigError(f"{algorithm} has no setting {name!r}; {advice}")
        if (
            forms
            and isinstance(known[name].default, tuple)
            and not isinstance(value, (tuple, list))
        ):
            given[name] = (value,)  # hidden=64
    return given
