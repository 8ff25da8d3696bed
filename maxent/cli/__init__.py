"""The command line: `maxent COMMAND ...`, also `python -m maxent COMMAND ...`.

==================  =========================================================================
`program.py`        `main`: finds the command, parses, runs, tells errors; the overall help
`process.py`        what a Unix program owes its surroundings: signals, warnings, closed pipes
`exit_codes.py`     the exit codes
`arguments.py`      checks the arguments of a command, each mistake told in one line
`model.py`          how an MDP is named, and built
`outputs.py`        the files that commands write
others              a command each: its options, its `--help`, and `run`
==================  =========================================================================

A command is a frozen dataclass, its fields the options (read by tyro), its docstring the help.
Everything heavy is imported when a command needs it, so that `--help` is quick.
"""

from maxent.cli.program import main

__all__ = ["main"]
