"""Whether a training fits in memory, before anything of its size is made."""

from __future__ import annotations

from itertools import pairwise

import torch

from maxent.neural.algorithms.settings import Settings
from maxent.neural.parts.networks import layer_sizes
from maxent.neural.parts.replay import bytes_of_replay
from maxent.neural.parts.spaces import Spaces
from maxent.support.devices import require_memory_on

COPIES = 5
"""Of a network's numbers: itself, its target, two moments and a gradient."""
FLOAT = 4
"""Bytes of a number."""


def require_room(
    spaces: Spaces,
    config: Settings,
    masked: bool,
    device: torch.device | str,
    *,
    trained: bool = True,
) -> None:
    """MemoryBudgetError where networks, minibatch and replay buffer need more memory than the
    device has free; it names the largest of them.

    masked : as of `Replay`.  trained : else only the networks are needed.
    """
    if not trained:
        return require_room_for_networks(spaces, config, device)
    rows, widths = config.rows_of_update, _widths(spaces, config)
    needs = [
        _networks(spaces, config),
        (
            FLOAT * rows * (widths[0] + config.critics * sum(widths[1:])),
            f"an update, {rows} rows through layers {_in_words(widths)}",
            "lower batch_size, "
            + "value_particles, particles " * (rows > config.batch_size)
            + "or the sizes of the layers (hidden)",
        ),
        (
            bytes_of_replay(spaces, config.replay_capacity, masked),
            f"a replay buffer of {config.replay_capacity} transitions",
            "lower replay_capacity",
        ),
    ]
    largest, what, advice = max(needs)
    total = sum(need for need, _, _ in needs)
    beside = " and what is beside it" if 100 * total > 101 * largest else ""
    require_memory_on(device, total, f"{what}{beside}", advice)


def require_room_for_networks(
    spaces: Spaces, config: Settings, device: torch.device | str = "cpu"
) -> None:
    """MemoryBudgetError where the networks need more memory than the device has free."""
    require_memory_on(device, *_networks(spaces, config))


def _networks(spaces: Spaces, config: Settings) -> tuple[int, str, str]:
    """Bytes, what needs them, and what to do: the critics and one network more with the same hidden
    layers, with all that is kept beside them."""
    widths = _widths(spaces, config)
    weights = sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))
    return (
        FLOAT * COPIES * (config.critics + 1) * weights,
        f"networks with the layers {_in_words(widths)}",
        "give fewer or smaller layers (hidden)" + _of_spaces(spaces),
    )


def _widths(spaces: Spaces, config: Settings) -> tuple[int, ...]:
    """Inputs, hidden layers and outputs of a critic."""
    d, m = spaces.observation_size, spaces.action_size
    ends = (d, m) if spaces.discrete else (d + m, 1)
    return layer_sizes((ends[0], *config.hidden, ends[1]), config.critic_network)


def _of_spaces(spaces: Spaces) -> str:
    """Advice where the spaces alone make a network large."""
    if max(spaces.observation_size, spaces.action_size) < 10_000:
        return ""
    return (
        f", or an environment with smaller spaces (observations are {spaces.observation_size} "
        f"numbers here, actions {spaces.action_size}; Discrete ones are one-hot)"
    )


def _in_words(widths: tuple[int, ...]) -> str:
    shown = [str(width) for width in widths]
    return " -> ".join(shown if len(shown) < 7 else [*shown[:3], "...", *shown[-2:]])
