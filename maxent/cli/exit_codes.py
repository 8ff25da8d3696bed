"""The exit codes of every command."""

DONE = 0
NOT_PASSED = 1
"""A check failed or is undecided, or the tour found a disagreement."""
USER_ERROR = 2
"""Told in one message on stderr, with nothing created or changed."""
NOT_CONVERGED = 3
"""`solve`: the result is written all the same, with its bounds.  `train`, `resume`: a number became
NaN or infinite; the checkpoints before are whole."""
INTERRUPTED = 130
"""Ctrl-C; `solve` still writes its best certified answer, `train` and `resume` a checkpoint."""
READER_GONE = 141
"""The reader of standard output went away."""
TERMINATED = 143
"""SIGTERM; otherwise as Ctrl-C."""
