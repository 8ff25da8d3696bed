"""`main`: from a command line to an exit code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import maxent
from maxent.cli.arguments import Parser
from maxent.cli.commands import COMMANDS, HELP
from maxent.cli.exit_codes import (
    DONE,
    INTERRUPTED,
    NOT_CONVERGED,
    READER_GONE,
    TERMINATED,
    USER_ERROR,
)
from maxent.cli.model import require_known_mdp
from maxent.cli.process import (
    drop_output,
    open_what_is_closed,
    plain_warnings,
    sigterm_as_interrupt,
    tell,
    words_of,
)
from maxent.errors import ConfigError, MaxEntError, TrainingDivergedError
from maxent.support.arguments import nearest


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code (see `exit_codes.py`)."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    open_what_is_closed()
    with plain_warnings(), sigterm_as_interrupt() as received:
        try:
            code = _dispatch(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            tell("interrupted")
            code = INTERRUPTED
        except BrokenPipeError:
            drop_output()
            return READER_GONE
        except (MaxEntError, OSError) as error:
            tell(f"error: {words_of(error)}")
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
    module = _module(name)
    check = getattr(module, "check_given", require_known_mdp)
    return Parser(name, getattr(module, "SETTINGS", ()), check)
