"""One sweep on several threads: each has states of its own, so that nothing depends on how many."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

LEAST = 4_096
"""States that are worth a thread."""


def in_parts(
    threads: int, sweep: Callable[..., Any], size: int, *arguments: Any, least: int = LEAST
) -> list[Any]:
    """`sweep(*arguments, first, last)` for ranges that together are [0, size), one a thread.

    sweep : lets the interpreter go while it runs (compiled with `nogil`).
    least : what is worth a thread.
    """
    parts = max(1, min(threads, size // least))
    if parts == 1:
        return [sweep(*arguments, 0, size)]
    edges = [size * part // parts for part in range(parts + 1)]
    runs = [
        _pool(threads).submit(sweep, *arguments, first, last) for first, last in pairwise(edges)
    ]
    return [run.result() for run in runs]


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="maxent")
