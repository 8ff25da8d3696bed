"""`maxent train ALGORITHM`: a neural agent, trained on an environment."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

from tqdm import tqdm
from tyro.conf import Positional, UseAppendAction

import maxent
from maxent.cli.arguments import NEEDED, option, read_pairs
from maxent.cli.evaluate import evaluation_text
from maxent.cli.exit_codes import DONE
from maxent.cli.process import require_neural
from maxent.errors import ConfigError
from maxent.support.arguments import nearest

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


@dataclass(frozen=True)
class Train:
    """Train an agent by soft actor-critic or soft Q-learning.

    Ctrl-C, and SIGTERM, stop after the running step, with a checkpoint where there is a --run; a
    second one stops at once.  maxent resume RUN goes on.

    examples:
      maxent train sac --env Pendulum-v1 --steps 20000 --run pendulum
      maxent train sql --env CartPole-v1 --steps 5000 --set temperature=0.2 --set hidden=64,64
      maxent train sac --list
    """

    algorithm: Annotated[Positional[str], option("ALGORITHM", "(required)")] = ""
    """sac, sac_v1, sql, sac_discrete or sql_discrete; where actions are discrete, sac and sql are
    the discrete ones."""
    env: Annotated[str | None, option("ID", "(required)")] = None
    """A Gymnasium environment, such as Pendulum-v1; MODULE:ID imports MODULE first."""
    steps: Annotated[int | None, option("N", "(required)")] = None
    """Environment steps in all."""
    env_option: Annotated[
        UseAppendAction[tuple[str, ...]], option("KEY=VALUE", "(repeatable)")
    ] = ()
    """What the environment is made with, such as map=four-rooms for maxent/Gridworld-v0."""
    seed: Annotated[int, option("N", "(default: 0)")] = 0
    """Of everything."""
    set: Annotated[UseAppendAction[tuple[str, ...]], option("NAME=VALUE", "(repeatable)")] = ()
    """A setting of the algorithm, such as batch_size=128; --list names them."""
    list: Annotated[bool, option("")] = False
    """Say what ALGORITHM can be told, and which algorithms there are; trains nothing."""
    run_: Annotated[str | None, option("RUN", name="run")] = None
    """A new folder for checkpoints, settings and log; left out: nothing is kept."""
    checkpoint_every: Annotated[int, option("N", "(default: 10000)")] = 10_000
    """Environment steps between checkpoints; 0: only at the end."""
    evaluate_every: Annotated[int, option("N", "(default: 0)")] = 0
    """Environment steps between evaluations of the deterministic policy; 0: never."""
    evaluation_episodes: Annotated[int, option("N", "(default: 10)")] = 10
    """Episodes of an evaluation."""
    log_every: Annotated[int, option("N", "(default: 1000)")] = 1_000
    """Environment steps between lines of the log; 0: never."""
    copies: Annotated[int, option("N", "(default: 1)")] = 1
    """Environments, stepped in turn."""
    device: Annotated[str, option("cpu|cuda", "(default: cpu)")] = "cpu"
    """Where the networks are."""
    overwrite: Annotated[bool, option("")] = False
    """Replace a RUN that exists."""

    def run(self) -> int:
        """Train, saying what was logged and saved."""
        if self.list:
            require_neural()
            print(_listing(self.algorithm))
            return DONE
        for name in ("algorithm", "env", "steps"):
            if getattr(self, name) in ("", None):
                raise ConfigError(NEEDED[name])
        require_neural()
        agent = maxent.train(
            self.algorithm,
            self.env,
            steps=self.steps,
            seed=self.seed,
            run=self.run_,
            overwrite=self.overwrite,
            copies=self.copies,
            log_every=self.log_every,
            evaluate_every=self.evaluate_every,
            evaluation_episodes=self.evaluation_episodes,
            checkpoint_every=self.checkpoint_every,
            device=self.device,
            env_settings=read_pairs("--env-option", self.env_option),
            progress=True,
            announce=say,
            report=say_row,
            **_settings(self.algorithm, self.set),
        )
        return outcome(agent, self.run_)


def say(text: str) -> None:
    """A line on standard output, at once, above the bar."""
    with tqdm.external_write_mode():
        print(text, flush=True)


def say_row(row: Mapping[str, Any]) -> None:
    """A row of the log as a line."""
    words = [f"{word} {row[name]:.4g}" for name, word in SHOWN.items() if name in row]
    say("   ".join([f"step {row['step']}", *words, f"{row['seconds']:.0f} s"]))


def outcome(agent: Agent, run: str | None) -> int:
    """Say what became of a training; the exit code."""
    if agent.stopped_by is not None:
        kept = f"; go on with: maxent resume {shlex.quote(run)}" if run and agent.steps else ""
        print(f"maxent: stopped after step {agent.steps}{kept}", file=sys.stderr)
        return 128 + agent.stopped_by
    if run is not None:
        say(f"trained: {agent}\nevaluate it: maxent evaluate {shlex.quote(run)}")
        return DONE
    say(f"trained: {agent}\n{evaluation_text(agent.evaluate())}")
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
            raise ConfigError(f"{algorithm} has no setting {name!r}; {nearest(name, known)}")
        if (
            forms
            and isinstance(known[name].default, tuple)
            and not isinstance(value, (tuple, list))
        ):
            given[name] = (value,)  # hidden=64
    return given


def _listing(algorithm: str) -> str:
    """The settings of an algorithm with their meaning and defaults, or all algorithms."""
    from maxent.neural.algorithms import ALGORITHMS
    from maxent.neural.algorithms.settings import Settings

    if not algorithm:
        width = max(map(len, ALGORITHMS))
        return "\n".join(
            f"{name:<{width}}  {_first_line(module)}" for name, module in ALGORITHMS.items()
        )
    if algorithm not in ALGORITHMS:
        raise ConfigError(f"algorithm {algorithm!r} is unknown; {nearest(algorithm, ALGORITHMS)}")
    module = ALGORITHMS[algorithm]
    values = module.Config().to_dict().items()
    width = max(len(name) for name, _ in values)
    return "\n".join(
        [
            _first_line(module),
            "",
            inspect.cleandoc(module.Config.__doc__ or ""),
            "",
            inspect.cleandoc(Settings.__doc__ or ""),
            "",
            "Defaults, as --set takes them:",
            *(f"  {name:<{width}} = {_written(value)}" for name, value in values),
        ]
    )


def _first_line(module: object) -> str:
    return (module.__doc__ or "").partition("\n")[0]


def _written(value: Any) -> str:
    """A setting's value as it is written after --set NAME=."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
