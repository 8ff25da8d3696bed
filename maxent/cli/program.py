"""`main`: from a command line to an exit code."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import Protocol

import tyro

import maxent
from maxent.cli.arguments import require_arguments
from maxent.cli.check import Check
from maxent.cli.compare import Compare
from maxent.cli.diagnose import Diagnose
from maxent.cli.evaluate import Evaluate
from maxent.cli.exit_codes import (
    DONE,
    INTERRUPTED,
    NOT_CONVERGED,
    READER_GONE,
    TERMINATED,
    USER_ERROR,
)
from maxent.cli.maps import Maps
from maxent.cli.process import drop_output, plain_warnings, sigterm_as_interrupt, told
from maxent.cli.resume import Resume
from maxent.cli.solve import Solve
from maxent.cli.tour import Tour
from maxent.cli.tradeoff import Tradeoff
from maxent.cli.train import Train
from maxent.cli.verify import Verify
from maxent.errors import ConfigError, MaxEntError, TrainingDivergedError
from maxent.support.arguments import nearest


class Command(Protocol):
    """What every command has, besides its options."""

    def run(self) -> int:
        """Do it; the exit code."""


COMMANDS: dict[str, type[Command]] = {
    "tour": Tour,
    "maps": Maps,
    "solve": Solve,
    "verify": Verify,
    "tradeoff": Tradeoff,
    "check": Check,
    "train": Train,
    "resume": Resume,
    "evaluate": Evaluate,
    "compare": Compare,
    "diagnose": Diagnose,
}

HELP = """\
usage: maxent COMMAND ...

Maximum-entropy reinforcement learning: exact solutions with certified bounds, and neural agents.

commands:
  tour             a minute through solvers, published values, theorems and figures
  maps             list the named gridworlds, or draw one
  solve MDP        values and policy of an MDP at a temperature
  verify MDP       check the theorems on an MDP
  tradeoff MDP     return against entropy at many temperatures
  check FILE       prove a certificate again (solve MDP --certificate FILE writes one)
  train ALGORITHM  train an agent: soft actor-critic (sac) or soft Q-learning (sql)
  resume RUN       go on with a training
  evaluate RUN     episodes of a trained agent
  compare RUN...   learning curves of several trainings
  diagnose RUN     how far each equality of the theory is from holding for an agent
  COMMAND --help says more; --version prints the version.

An MDP is a map name (four-rooms, maze-21x31), a map file (FILE.txt), a saved MDP
(FILE.npz) or an environment of Gymnasium's with a transition table (gym:FrozenLake-v1).

examples:
  maxent tour
  maxent solve four-rooms --temperature 0.01
  maxent verify gym:FrozenLake-v1 --discount 0.99 --temperature 1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code (see `exit_codes.py`)."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    with plain_warnings(), sigterm_as_interrupt() as received:
        try:
            code = _dispatch(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            print("maxent: interrupted", file=sys.stderr)
            code = INTERRUPTED
        except BrokenPipeError:
            drop_output()
            return READER_GONE
        except (MaxEntError, OSError) as error:
            print(f"maxent: error: {told(error)}", file=sys.stderr)
            code = NOT_CONVERGED if isinstance(error, TrainingDivergedError) else USER_ERROR
    return TERMINATED if received and code == INTERRUPTED else code


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="", file=sys.stdout if arguments else sys.stderr)
        return DONE if arguments else USER_ERROR
    if arguments[0] in ("-V", "--version"):
        print(f"maxent {maxent.__version__}")
        return DONE
    name, *rest = arguments
    if name not in COMMANDS:
        raise ConfigError(f"unknown command {name!r}; {nearest(name, COMMANDS)}")
    command = COMMANDS[name]
    require_arguments(name, command, rest)
    try:
        parsed = tyro.cli(
            command,
            prog=f"maxent {name}",
            description=textwrap.dedent(f"    {command.__doc__}"),
            args=rest,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except SystemExit as end:  # tyro has printed its help, or what is wrong
        return end.code if isinstance(end.code, int) else DONE
    return parsed.run()
