"""Several agents as one: K states of an algorithm in tensors with a leading axis K.

On a GPU an update of small networks leaves most of the card idle, and K of them in one graph take
hardly longer than one.  `torch.func.vmap` makes of an algorithm's `update` the update of K agents,
each with its own parameters, targets, moments, temperature, minibatch and noise, so that an agent
among K is the agent that it would be alone, but for roundings.  On a CPU nothing is gained: there
processes side by side are the way (`maxent.sweep`).

The graph draws nothing, synchronises with nothing and changes its state in place, so a CUDA graph
can record it (`Replayed`).
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from maxent.neural.algorithms import Algorithm, Noise, State
from maxent.neural.algorithms.settings import Settings
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces

Update = Callable[..., dict[str, Tensor]]
"""The update of K agents, called like that of one: state, batch and noise have a leading axis K,
and what it logs is (K,)."""
WARM = 3
"""Calls before a CUDA graph is recorded: libraries set themselves up in the first ones."""


def stack(trees: Sequence[Any]) -> Any:
    """Tensors in dictionaries or tuples, K of one form, as one with a leading axis K.

    >>> stack([{"a": torch.zeros(2)}, {"a": torch.ones(2)}])["a"].tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    return _mapped(lambda *tensors: torch.stack(tensors), *trees)


def unstack(tree: Any, index: int) -> Any:
    """One of those that were stacked, in tensors of its own."""
    return _mapped(lambda tensor: tensor[index].clone(), tree)


def stacked_update(
    module: Algorithm, config: Settings, spaces: Spaces, backend: str = "inductor"
) -> Update:
    """The `update` of K agents with the same settings, as one compiled graph, in place.

    backend : of `torch.compile`.
    """

    def of_all(state: State, batch: Batch, noise: Noise, follow: bool = True) -> dict[str, Tensor]:
        def of_one(
            state: State, parts: dict[str, Tensor], noise: Noise
        ) -> tuple[State, dict[str, Tensor]]:
            own = _mapped(torch.clone, state)
            return own, module.update(own, Batch(**parts), noise, config, spaces, follow)

        parts = {name: part for name, part in batch._asdict().items() if part is not None}
        new, logged = torch.func.vmap(of_one)(state, parts, noise)
        _mapped(lambda old, value: old.copy_(value), state, new)
        return logged

    alone = types.FunctionType(  # with a code object, and so a cache of graphs, of its own
        of_all.__code__.replace(),
        of_all.__globals__,
        of_all.__name__,
        of_all.__defaults__,
        of_all.__closure__,
    )
    compiled: Update = torch.compile(alone, fullgraph=True, dynamic=False, backend=backend)
    return compiled


class Replayed:
    """An update as a CUDA graph: one launch, whatever is in it.

    state, batch, noise : tensors on the GPU that the update reads at every `replay`; fill the
        latter two in place before it.  The state changes in place, as by `update`.
    logged : what the last replay logged, tensors (K,) of which none is waited for.
    """

    def __init__(
        self, update: Update, state: State, batch: Batch, noise: Noise, follow: bool = True
    ) -> None:
        before = _mapped(torch.clone, state)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM):
                update(state, batch, noise, follow)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self.logged = update(state, batch, noise, follow)
        _mapped(lambda now, then: now.copy_(then), state, before)  # as it was, in the same place

    def replay(self) -> None:
        """One update of all agents; returns before it has ended."""
        self._graph.replay()


def _mapped(function: Callable[..., Tensor], *trees: Any) -> Any:
    """A function of the tensors at each place of trees of one form."""
    first = trees[0]
    if isinstance(first, dict):
        return {name: _mapped(function, *(tree[name] for tree in trees)) for name in first}
    if isinstance(first, tuple):
        parts = [_mapped(function, *each) for each in zip(*trees, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    return None if first is None else function(*trees)
