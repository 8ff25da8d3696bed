"""What is kept, and told, where a training ends by an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from maxent.errors import ConfigError, TrainingDivergedError
from maxent.neural.runs import Run
from maxent.neural.training.agent import Agent


@contextmanager
def losing_nothing(
    agent: Callable[[], Agent],
    run: Run | None = None,
    save: Callable[[Run], object] | None = None,
) -> Iterator[None]:
    """Around a function of the user's: what it raises goes on, with the agent in it, and with a
    checkpoint (`save`) where there is a run."""
    try:
        yield
    except Exception as error:
        now = agent()
        if run is not None and save is not None and now.steps not in run.steps:
            save(run)
        with suppress(AttributeError):
            error.agent = now  # type: ignore[attr-defined]
        kept = "" if run is None else f", and in {str(run.folder)!r}"
        error.add_note(f"the agent of step {now.steps} is in this exception's `agent`{kept}")
        raise


@contextmanager
def telling_the_last_checkpoint(run: Run | None) -> Iterator[None]:
    """Add to an error of the environment, or of numbers that are none, what is left of the run."""
    try:
        yield
    except (ConfigError, TrainingDivergedError) as error:
        if run is None:
            raise
        kept = f"its last checkpoint is step {run.steps[-1]}" if run.steps else "no checkpoint yet"
        message = f"{error}; run {str(run.folder)!r}: {kept}"
        raise type(error)(message) from (error.__cause__ or error)
