"""Refusing what would not fit in memory, before anything is allocated."""

from __future__ import annotations

import os

from maxent.errors import MemoryBudgetError


def require_memory(needed: int, what: str, advice: str = "use sparse transitions") -> None:
    """MemoryBudgetError where `needed` bytes are more than half of the memory available."""
    limit = _available_memory() // 2
    if needed > limit:
        raise MemoryBudgetError(
            f"{what} needs {needed / 2**30:.2f} GiB, above the limit of {limit / 2**30:.2f} GiB "
            f"(half of the memory available); {advice}"
        )


def _available_memory() -> int:
    """Bytes that can be had without swapping; 8 GiB on a system that does not say."""
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
