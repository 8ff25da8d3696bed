"""The command line: `maxent COMMAND ...`, also `python -m maxent COMMAND ...`.

==================  =========================================================================
`program.py`        `main`: finds the command, parses, runs, reports errors; the overall help
`process.py`        what a Unix program owes its surroundings: signals, warnings, closed pipes
`exit_codes.py`     the exit codes
`arguments.py`      the parser of a command's arguments: each mistake is named in one line
`model.py`          how an MDP is named, and built
`outputs.py`        the files that commands write
others              a command each: its options, and `run`
==================  =========================================================================

A command is a module with `add_options(parser)` and `run(arguments)`, which returns the exit code;
what its `--help` says before and after the options is in `program.toml`.  Everything heavy is
imported when a command needs it, so that `--help` is quick.
"""

from maxent.cli.program import main

__all__ = ["main"]
