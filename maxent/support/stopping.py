"""Stopping gently: the first signal asks, the second one does not."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class StopRequest:
    """Whether to stop: once a signal came (its number), or `asked` was set."""

    signal: int | None = None
    asked: bool = False

    def __bool__(self) -> bool:
        return self.asked or self.signal is not None

    @property
    def exit_code(self) -> int:
        """What a program that was stopped exits with: 130 for SIGINT, 143 for SIGTERM, else 0."""
        return 0 if self.signal is None else 128 + self.signal


@contextmanager
def stop_requested(then: Callable[[], object] | None = None) -> Iterator[StopRequest]:
    """Within it the first SIGINT or SIGTERM only sets the flag, so that a loop can save and leave
    (and calls `then`); a second one exits at once, with 130 or 143.  Does nothing outside the main
    thread."""
    request = StopRequest()

    def handle(number: int, _: Any) -> None:
        if request.signal is not None:
            os._exit(128 + number)
        request.signal = int(number)
        if then is not None:
            then()

    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
