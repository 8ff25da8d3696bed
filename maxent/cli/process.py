"""What a Unix program owes its surroundings: signals, warnings in one line, closed pipes."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from maxent.errors import MaxEntError


def words_of(error: Exception) -> str:
    """The message of an error, without the errno of an OSError."""
    if isinstance(error, OSError) and not isinstance(error, MaxEntError) and error.strerror:
        place = str(error.filename or "")
        place = f"{place[:60]}..." if len(place) > 63 else place
        return f"{place!r}: {error.strerror}" if place else error.strerror
    return str(error)


def tell(text: str) -> None:
    """One line on standard error, where that can be written to."""
    with suppress(OSError):
        print(f"maxent: {text}", file=sys.stderr, flush=True)


def open_what_is_closed() -> None:
    """Open standard output and standard error where the caller closed them: nothing is shown then,
    and files are written as ever."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Show warnings as one line each, without a place in the source."""

    def show(message: Any, *_: Any, **__: Any) -> None:
        text = re.sub("\x1b\\[[0-9;]*m|WARN: ", "", str(message))  # Gymnasium colours its warnings
        tell(f"warning: {text}")

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield


@contextmanager
def sigterm_as_interrupt() -> Iterator[list[int]]:
    """Raise KeyboardInterrupt on SIGTERM, so that what ends a solver gently on Ctrl-C does so here
    as well; yields a list that holds the signal once it came."""
    received: list[int] = []

    def handle(number: int, _: Any) -> None:
        received.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def drop_output() -> None:
    """Send what is left in standard output's buffer nowhere, so that exit stays silent."""
    with suppress(OSError, ValueError, io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
