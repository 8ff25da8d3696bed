"""What a row of the log says: means over the updates and episodes since the row before."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from maxent.errors import TrainingDivergedError
from maxent.neural.training.transitions import Episode
from maxent.support.arguments import require_count

_SUMS = "sums/"
CLOCK = {"seconds", "steps_per_second", "updates_per_second", "seconds_left"}
"""The fields of a row that depend on the clock."""


class Before(NamedTuple):
    """What went before a run was resumed: the steps, and the seconds they took."""

    step: int
    seconds: float


class Averages:
    """Running sums of what updates and episodes report, until they become a row.

    last : the step that the training ends at.
    """

    def __init__(self, last: int) -> None:
        self._last = last
        self._sums: dict[str, Tensor] = {}
        self._updates = 0
        self._episodes: list[Episode] = []
        self._started = self._since = time.monotonic()
        self._step, self._all_updates = 0, 0

    def add_update(self, metrics: dict[str, Tensor]) -> None:
        """Count the metrics of a gradient step."""
        for name, value in metrics.items():
            if name in self._sums:
                self._sums[name] += value.detach()
            else:
                self._sums[name] = value.detach() + 0.0  # a tensor of its own
        self._updates += 1
        self._all_updates += 1

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
        row = {"step": step, **self._pace(step), "episodes": len(self._episodes)} | means
        self._sums, self._updates, self._episodes = {}, 0, []
        return row

    def _pace(self, step: int) -> dict[str, float]:
        """The fields of a row that depend on the clock."""
        now = time.monotonic()
        lasted = max(now - self._since, 1e-9)
        steps, updates = step - self._step, self._all_updates
        self._since, self._step, self._all_updates = now, step, 0
        return {
            "seconds": now - self._started,
            "steps_per_second": steps / lasted,
            "updates_per_second": updates / lasted,
            "seconds_left": max(self._last - step, 0) * lasted / max(steps, 1),
        }

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of them, beside `values`."""
        return {f"{_SUMS}{name}": value for name, value in self._sums.items()}

    def values(self) -> dict[str, Any]:
        """The plain part of what a checkpoint keeps."""
        return {"updates": self._updates, "sums": list(self._sums), "episodes": self._episodes}

    def restore(
        self, tensors: dict[str, Tensor], values: dict[str, Any], device: str, before: Before
    ) -> None:
        """Come back to where a checkpoint's tensors and values were taken; the clock goes on."""
        saved = {
            name.removeprefix(_SUMS): tensor.to(device)
            for name, tensor in tensors.items()
            if name.startswith(_SUMS)
        }
        order = values.get("sums", saved)  # of a row's fields; version 0.1 did not keep it
        self._sums = {name: saved[name] for name in order}
        self._step, self._started = before.step, self._started - before.seconds
        self._updates = require_count("updates", values["updates"], 1 if self._sums else 0)
        self._episodes = [
            Episode(float(total), require_count("length", length))
            for total, length in values["episodes"]
        ]
