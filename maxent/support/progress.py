"""Progress shown to people: a bar in a terminal or a notebook, or a line of text now and then."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from maxent.support.arguments import require_flag

if TYPE_CHECKING:
    from tqdm.std import tqdm

AFTER, BETWEEN = 10.0, 60.0
"""Seconds before the first line of text, and between two."""


def in_notebook() -> bool:
    """Whether this is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


class Hidden:
    """A bar that nobody sees.  It does without tqdm, which takes long to import."""

    disable = True

    def __init__(self, iterable: Iterable[Any] = (), **settings: Any) -> None:
        self._iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterable)

    def __enter__(self) -> Hidden:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, count: float = 1) -> None:
        """So much more is done."""

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        """What to say beside the bar."""

    def close(self) -> None:
        """That was all."""


def bar(progress: bool | None, **settings: Any) -> tqdm | Hidden:
    """A progress bar (tqdm's, of these settings) where one was asked for and can be shown: in a
    terminal or a notebook, but not in a job of continuous integration.  ConfigError for what is
    neither True nor False nor None."""
    if progress is not None:
        require_flag("progress", progress)
    if not progress or os.environ.get("CI") or not (sys.stderr.isatty() or in_notebook()):
        return Hidden(**settings)
    if not in_notebook():
        from tqdm.std import tqdm

        return tqdm(**settings)
    with warnings.catch_warnings():  # without ipywidgets it is one of text
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm as automatic
    return automatic(**settings)


class Lines:
    """A line of text on standard error now and then, where no bar is shown.

    progress : True: wherever that is; None: in a terminal or a notebook alone; False: never.
    """

    def __init__(self, shown: tqdm | Hidden, progress: bool | None) -> None:
        self._silent = not shown.disable or not _is_seen(progress)
        self._due = time.monotonic() + AFTER

    @property
    def due(self) -> bool:
        """Whether it is time for one."""
        return not self._silent and time.monotonic() >= self._due

    def write(self, text: str) -> None:
        """Write one, and wait for the next."""
        print(text, file=sys.stderr, flush=True)
        self._due = time.monotonic() + BETWEEN


def tell(progress: bool | None, text: str) -> None:
    """One line of text on standard error, where `Lines` would write its own."""
    if _is_seen(progress):
        print(text, file=sys.stderr, flush=True)


def _is_seen(progress: bool | None) -> bool:
    seen = bool(progress) or (progress is None and (sys.stderr.isatty() or in_notebook()))
    return seen and not os.environ.get("CI")


def duration(seconds: float) -> str:
    """A time as people say it: 40 s, 3 min 20 s, 2 h 5 min.

    >>> [duration(x) for x in (3.2, 200, 7500)]
    ['3 s', '3 min 20 s', '2 h 5 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
