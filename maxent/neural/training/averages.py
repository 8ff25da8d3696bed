"""What a row of the log says: means over the updates and episodes since the row before."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maxent.errors import TrainingDivergedError
from maxent.neural.training.collect import Episode

_SUMS = "sums/"


class Averages:
    """Running sums of what updates and episodes report, until they become a row."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._updates = 0
        self._episodes: list[Episode] = []
        self._started = time.monotonic()

    def add_update(self, metrics: dict[str, Tensor]) -> None:
        """Count the metrics of a gradient step."""
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(value)) + value.detach()
        self._updates += 1

    def add_episodes(self, episodes: list[Episode]) -> None:
        """Count finished episodes."""
        self._episodes += episodes

    def take_row(self, step: int) -> dict[str, Any]:
        """The row of a step; begin anew.  TrainingDivergedError for a mean that is not finite."""
        means = {name: float(value) / self._updates for name, value in self._sums.items()}
        for name, value in means.items():
            if not np.isfinite(value):
                raise TrainingDivergedError(
                    f"step {step}: {name} is {value}; the training diverged. Lower the "
                    "learning rates, or look at the rewards"
                )
        if self._episodes:
            totals, lengths = zip(*self._episodes, strict=True)
            means |= {"return": float(np.mean(totals)), "length": float(np.mean(lengths))}
        seconds = time.monotonic() - self._started
        row = {"step": step, "seconds": seconds, "episodes": len(self._episodes)} | means
        self._sums, self._updates, self._episodes = {}, 0, []
        return row

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of them, beside `values`."""
        return {f"{_SUMS}{name}": value for name, value in self._sums.items()}

    def values(self) -> dict[str, Any]:
        """The plain part of what a checkpoint keeps."""
        return {"updates": self._updates, "episodes": self._episodes}

    def restore(self, tensors: dict[str, Tensor], values: dict[str, Any], device: str) -> None:
        """Come back to where a checkpoint's tensors and values were taken."""
        self._sums = {
            name.removeprefix(_SUMS): tensor.to(device)
            for name, tensor in tensors.items()
            if name.startswith(_SUMS)
        }
        self._updates = values["updates"]
        self._episodes = [Episode(*episode) for episode in values["episodes"]]
