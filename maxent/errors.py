"""Everything that can go wrong, by name.

Every error of this package is a `MaxEntError`, so `except maxent.MaxEntError` catches what a
user can mend.  Each also derives from the built-in class that a Python programmer expects
(`ValueError`, `MemoryError`, `FileExistsError`).  A message says where, the value found, the
limit, and what to do.
"""

from __future__ import annotations


class MaxEntError(Exception):
    """Base of every error raised on purpose by maxent.

    >>> import maxent
    >>> try:
    ...     maxent.gridworld("four-rooms", discount=2.0)
    ... except maxent.MaxEntError as error:
    ...     print(type(error).__name__)
    ConfigError
    """


class ModelError(MaxEntError, ValueError):
    """An MDP, a policy or a prior is not what it must be (probabilities, shapes, rewards)."""


class ConfigError(MaxEntError, ValueError):
    """A scalar argument or a setting is outside its valid range."""


class MissingExtraError(ConfigError, ImportError):
    """What was asked for needs a library that is not installed; the message has the line that
    installs it."""


class ToleranceError(ConfigError):
    """The tolerance asked for is below what float64 can certify on this MDP."""


class MapError(MaxEntError, ValueError):
    """A gridworld map cannot be read."""


class MemoryBudgetError(MaxEntError, MemoryError):
    """A request would not fit in memory; nothing was allocated."""


class OutputExistsError(MaxEntError, FileExistsError):
    """An output file or folder exists and overwriting was not asked for; nothing was changed."""


class CheckpointWriteError(MaxEntError, OSError):
    """A checkpoint could not be written (a full disk, say); the checkpoints before it are whole."""


class CorruptCheckpointError(MaxEntError, ValueError):
    """A file of a training run is missing or not what was written; nothing of it was used."""


class TrainingDivergedError(MaxEntError, FloatingPointError):
    """A number of the training became NaN or infinite; no checkpoint with it was written."""


class ResumeMismatchError(ConfigError):
    """A training run cannot be continued with a configuration other than its own."""


class RunLockedError(MaxEntError, BlockingIOError):
    """Another process is using the training run; nothing was changed."""


class MaxEntWarning(UserWarning):
    """Something is probably not what was meant, yet has a well-defined meaning."""
