"""`main`: from a command line to an exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import maxent
from maxent.cli.arguments import Parser
from maxent.cli.exit_codes import (
    DONE,
    INTERRUPTED,
    NOT_CONVERGED,
    READER_GONE,
    TERMINATED,
    USER_ERROR,
)
from maxent.cli.process import drop_output, plain_warnings, sigterm_as_interrupt, words_of
from maxent.errors import ConfigError, MaxEntError, TrainingDivergedError
from maxent.support.arguments import nearest

COMMANDS = (
    *("tour", "maps", "solve", "verify", "tradeoff", "walk", "explore", "check", "learn"),
    *("train", "sweep", "resume", "evaluate", "compare", "diagnose", "check-agent"),
)
"""Each is a module beside this one (a hyphen is an underscore there), with DESCRIPTION, EXAMPLES,
`add_options` and `run`."""

HELP = """\
usage: maxent COMMAND ...

Maximum-entropy reinforcement learning: exact solutions with certified bounds, and neural agents.

commands:
  tour             a minute through solvers, published values, theorems and figures
  maps             list the named gridworlds, or draw one
  solve MDP        values and policy of an MDP at a temperature
  verify MDP       check the theorems on an MDP
  tradeoff MDP     return against entropy at many temperatures
  walk MDP         agents that follow the policy, as a GIF
  explore MDP      an interactive page of a gridworld, for any browser
  learn DIR        the course's notebooks; learn status, learn grade FOLDER
  check FILE       prove a certificate again (solve MDP --certificate FILE writes one)
  train ALGORITHM  train an agent: soft actor-critic (sac) or soft Q-learning (sql)
  sweep FILE.toml  many trainings, or trade-offs, side by side
  resume RUN       go on with a run
  evaluate RUN     episodes of a trained agent
  compare RUN...   learning curves of several runs
  diagnose RUN     how far each equality of the theory is from holding for an agent
  check-agent A    what an agent of any library gets wrong; A is MODULE:ADAPTER
  COMMAND --help says more; --version prints the version.

An MDP is a map name (four-rooms, maze-21x31), a map file (FILE.txt), a saved MDP
(FILE.npz), a model of PRISM or Storm (FILE.tra) or an environment of Gymnasium's
with a transition table (gym:FrozenLake-v1).

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
            print(f"maxent: error: {words_of(error)}", file=sys.stderr)
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
    command = _module(name)
    try:
        asked = parser_of(name).read(rest)
    except SystemExit as end:  # argparse has printed its help
        return end.code if isinstance(end.code, int) else DONE
    code: int = command.run(asked)
    return code


def _module(name: str) -> Any:
    return importlib.import_module(f"maxent.cli.{name.replace('-', '_')}")


def parser_of(name: str) -> Parser:
    """The parser of a command's arguments."""
    command = _module(name)
    parser = Parser(name, command.DESCRIPTION, command.EXAMPLES)
    command.add_options(parser)
    return parser
