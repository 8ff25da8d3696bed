"""The memory of the device that tensors are kept on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maxent.errors import MemoryBudgetError
from maxent.support.memory import ALWAYS, require_memory

if TYPE_CHECKING:
    import torch


def require_memory_on(device: torch.device | str, needed: int, what: str, advice: str) -> None:
    """MemoryBudgetError where `needed` bytes are more than a CUDA device has free, this process's
    cache included; elsewhere as `require_memory`."""
    import torch

    device = torch.device(device)
    if device.type != "cuda":
        return require_memory(needed, what, advice)
    if needed <= ALWAYS:
        return None
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + cached
    if needed > free:
        asked = f"{needed / 2**30:.2f}" if needed < 2**90 else "over 10^18"
        raise MemoryBudgetError(
            f"{what} needs {asked} GiB on {device}, which has {free / 2**30:.2f} GiB free; {advice}"
        )
    return None
