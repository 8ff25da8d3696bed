"""The command line: `maxent COMMAND ...`, also `python -m maxent COMMAND ...`.

==================  =========================================================================
`program.py`        `main`: finds the command, parses, runs, reports errors; the overall help
`process.py`        what a Unix program owes its surroundings: signals, warnings, closed pipes
`exit_codes.py`     the exit codes
`commands.py`       what each command takes, from `commands.toml`
`arguments.py`      the parser of a command's arguments: each mistake is named in one line
`model.py`          how an MDP is named, and built
`outputs.py`        the files that commands write
others              a command each
==================  =========================================================================

A command is a table of `commands.toml`, which says what it takes, and a module with
`run(arguments)`, which returns the exit code.  Everything heavy is imported when a command needs
it, so that `--help` is quick.
"""

from maxent.cli.program import main

__all__ = ["main"]
