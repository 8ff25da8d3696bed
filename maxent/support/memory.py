"""Refusing what would not fit in memory, before anything is allocated; keeping what was freed."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from maxent.errors import MemoryBudgetError

GROUPS = Path("/sys/fs/cgroup")
"""Where Linux keeps its control groups, which containers are."""

ALWAYS = 2**20
"""Bytes that are never worth asking the system about."""

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""What glibc's `mallopt` calls the freed memory that it keeps, and the size of an array from which
each has memory of its own, given back when the array goes."""
KEPT, LARGE = 128 * 2**20, 32 * 2**20
"""Bytes for these two."""


@cache
def keep_freed_memory() -> None:
    """Have this process keep up to 128 MiB that were freed, for the arrays to come.

    By default glibc gives freed memory back to the system, which hands it out anew page by page,
    filled with zeros: where every operation makes an array of a megabyte, that is up to a third of
    all time.  Nothing is done on other systems, nor where the environment says how memory is
    allocated (MALLOC_TRIM_THRESHOLD_, GLIBC_TUNABLES and the like).
    """
    told = any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ)
    if sys.platform != "linux" or told:
        return
    with suppress(AttributeError, OSError):  # of another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(TRIM_THRESHOLD, KEPT)
        mallopt(MMAP_THRESHOLD, LARGE)


def require_memory(needed: int, what: str, advice: str = "use sparse transitions") -> None:
    """MemoryBudgetError where `needed` bytes are more than half of the memory available."""
    if needed <= ALWAYS:
        return
    limit = _available_memory() // 2
    if needed > limit:
        asked = f"{needed / 2**30:.2f}" if needed < 2**90 else "over 10^18"
        raise MemoryBudgetError(
            f"{what} needs {asked} GiB, above the limit of {limit / 2**30:.2f} GiB "
            f"(half of the memory available to this process); {advice}"
        )


def _available_memory() -> int:
    """Bytes that can be had without swapping: of the machine, or less where a container is given
    less; 8 GiB on a system that does not say."""
    return min(_of_the_machine(), *_left_in_groups(Path("/proc/self/cgroup"), GROUPS))


def _of_the_machine() -> int:
    try:
        with open("/proc/meminfo") as table:
            for line in table:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8 * 2**30


def _left_in_groups(own: Path, groups: Path) -> list[int]:
    """What is left to each control group of Linux that this process is in, innermost first.

    own : a file with a line `number:controllers:path` for each hierarchy; version 2 has number 0
    and no controllers.  groups : where the hierarchies are mounted.

    A group's page cache counts as used, but what is inactive of it is given back at need.
    """
    found = []
    for line in _read(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, names = groups, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = groups / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        inside = root / path.lstrip("/")
        for group in (inside, *inside.parents):  # in a container the path may lead nowhere
            limit = _read(group / names[0]).strip()
            if limit.isdigit():
                used = int(_read(group / names[1]) or 0)
                cache = dict(each.split() for each in _read(group / "memory.stat").splitlines())
                found.append(max(0, int(limit) - used + int(cache.get(names[2], 0))))
            if group == root:
                break
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
