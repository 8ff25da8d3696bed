"""What was lived through, and minibatches of it.

A transition is stored with its **discount on arrival**, gamma * (1 - terminated): a truncated
step, cut by a time limit, still has a future; a terminated one has none.  Nothing else about the
end of an episode reaches the mathematics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural.parts.spaces import Spaces
from maxent.support.devices import require_memory_on


class Batch(NamedTuple):
    """B transitions: observation (B, d), action (B, m) or whole numbers (B,), reward (B,),
    next_observation (B, d), discount (B,) = gamma * (1 - terminated).

    available, next_available : which discrete actions there were in each state, booleans (B, A);
        None where the environment tells of no action mask.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    next_observation: Tensor
    discount: Tensor
    available: Tensor | None = None
    next_available: Tensor | None = None

    def each(self, function: Callable[[Tensor], Tensor]) -> Batch:
        """The function of every tensor there is."""
        return Batch(*(None if x is None else function(x) for x in self))  # type: ignore[arg-type]


def bytes_of_replay(spaces: Spaces, capacity: int, masked: bool) -> int:
    """What a `Replay` takes."""
    wide = 2 * spaces.observation_size + (0 if spaces.discrete else spaces.action_size)
    return capacity * (4 * wide + 16 + 2 * masked * spaces.action_size)


class Replay:
    """The last `capacity` transitions, in tensors allocated once.

    masked : whether each comes with the actions available before and after it.

    Raises MemoryBudgetError, before anything is allocated, where they would not fit.
    """

    def __init__(
        self,
        spaces: Spaces,
        capacity: int,
        device: torch.device | str = "cpu",
        masked: bool = False,
    ) -> None:
        require_memory_on(
            device,
            bytes_of_replay(spaces, capacity, masked),
            f"a replay buffer of {capacity} transitions",
            "lower replay_capacity",
        )
        action_shape, action_type = (
            ((), torch.int64) if spaces.discrete else ((spaces.action_size,), torch.float32)
        )
        self.capacity, self.inserted = capacity, 0
        self._rows = Batch(
            torch.zeros((capacity, spaces.observation_size), device=device),
            torch.zeros((capacity, *action_shape), dtype=action_type, device=device),
            torch.zeros(capacity, device=device),
            torch.zeros((capacity, spaces.observation_size), device=device),
            torch.zeros(capacity, device=device),
            *(
                torch.ones((capacity, spaces.action_size), dtype=torch.bool, device=device)
                for _ in range(2 * masked)
            ),
        )

        # NumPy writes a row in a fifth of the time
        on_cpu = self._rows.reward.device.type == "cpu"
        self._written = [x.numpy() if on_cpu and x is not None else x for x in self._rows]

    def __len__(self) -> int:
        return min(self.inserted, self.capacity)

    def add(self, transitions: Sequence[Tensor | ndarray | None]) -> None:
        """Append transitions, the parts of a `Batch`, oldest first; the oldest stored make room."""
        count = len(transitions[Batch._fields.index("reward")])  # type: ignore[arg-type]
        if count > self.capacity:
            raise ConfigError(
                f"replay_capacity = {self.capacity} is below the {count} transitions of one step"
            )
        start = self.inserted % self.capacity
        first = min(count, self.capacity - start)
        for stored, given in zip(self._written, transitions, strict=True):
            if stored is None or given is None:
                continue
            read = torch.as_tensor if isinstance(stored, Tensor) else np.asarray
            new: Any = read(given)
            stored[start : start + first] = new[:first]
            if first < count:
                stored[: count - first] = new[first:]
        self.inserted += count

    def sample(self, count: int, generator: torch.Generator) -> Batch:
        """`count` stored transitions, drawn uniformly and independently."""
        rows = torch.randint(len(self), (count,), generator=generator, device=generator.device)
        return self._rows.each(lambda stored: stored.index_select(0, rows))

    def rows_since(self, inserted: int) -> dict[str, ndarray]:
        """What was added after the buffer had counted `inserted`, oldest first, as arrays."""
        first = max(inserted, self.inserted - self.capacity)
        places = torch.arange(first, self.inserted) % self.capacity
        return {
            name: stored[places.to(stored.device)].cpu().numpy()
            for name, stored in zip(Batch._fields, self._rows, strict=True)
            if stored is not None
        }

    def restore(self, rows: dict[str, ndarray], inserted: int) -> None:
        """Take up what was saved: the last rows, and how many were ever inserted."""
        count = len(rows["reward"])
        self.inserted = inserted - count
        if count:
            self.add(Batch(**{name: torch.from_numpy(np.array(rows[name])) for name in rows}))
