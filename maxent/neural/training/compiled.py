"""An update as one compiled graph: when it pays, and how it is called.

An algorithm's `update` is some five hundred operations on small tensors, and with networks of 64
units nearly all of its time goes into starting them one by one.  `torch.compile` makes them one
graph.  Its values agree within rounding, and what training makes of a rounding grows: so a run is
compiled from its first update to its last or not at all, and records which.

What changes from update to update comes from outside, so that there is one graph: the minibatch,
the noise, the learning rates as 0-d tensors, and whether targets follow (a graph for each answer).
"""

from __future__ import annotations

import copy
import time
import types
import warnings
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from maxent.errors import ConfigError, MaxEntWarning
from maxent.neural.algorithms import Algorithm, Noise, State
from maxent.neural.algorithms.settings import Settings
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training import products
from maxent.neural.training.plan import Plan
from maxent.support.progress import duration, tell

PAYS = 40_000
"""Updates from which "auto" compiles: as many as repay a compilation with nothing cached, for the
algorithm and the sizes that it helps least (docs/speed.md)."""


def is_asked(plan: Plan, config: Settings) -> bool:
    """Whether a plan has its updates compiled.

    "auto" looks at the settings alone, never at what is cached or how fast a machine is: the same
    call gives the same numbers each time.
    """
    if plan.compile != "auto":
        if plan.compile and not config.can_be_compiled:
            raise ConfigError('compile = True with policy = "flow", whose updates run eagerly only')
        return bool(plan.compile)
    return config.can_be_compiled and plan.device == "cpu" and updates_of(plan, config) >= PAYS


def updates_of(plan: Plan, config: Settings) -> int:
    """Gradient steps of a whole training."""
    return int(max(plan.steps - config.learning_starts, 0) * config.updates_per_step)


class CompiledUpdate:
    """`module.update` as a compiled graph, called like it.

    The graph is made at the first call, for what that is called with: the same settings, spaces and
    sizes have to come each time, and nothing checks it, which makes a call a fifth faster.
    """

    def __init__(
        self,
        module: Algorithm,
        config: Settings,
        device: torch.device,
        backend: str = "inductor",
    ) -> None:
        self._rates = {
            field.name: torch.zeros((), device=device)
            for field in fields(config)
            if field.name in config.rates
        }
        self._config = copy.copy(config)
        for name, rate in self._rates.items():
            object.__setattr__(self._config, name, rate)
        self._graphs = {follow: _graph(module, backend) for follow in (True, False)}

    def __call__(
        self,
        state: State,
        batch: Batch,
        noise: Noise,
        config: Settings,
        spaces: Spaces,
        follow: bool = True,
    ) -> dict[str, Tensor]:
        """As `update` of an algorithm; of `config` the rates alone are read."""
        for name, rate in self._rates.items():
            rate.fill_(getattr(config, name))
        logged: dict[str, Tensor] = self._graphs[follow](
            state, batch, noise, self._config, spaces, follow
        )
        return logged


def compiled(
    module: Algorithm,
    state: State,
    config: Settings,
    spaces: Spaces,
    *,
    masked: bool,
    progress: bool | None,
) -> CompiledUpdate | None:
    """The update of an algorithm as a graph, tried on copies; None, with a warning that says why,
    where this machine or this version of PyTorch cannot make one."""
    tell(progress, "maxent: compiling the update into one graph (compile=False leaves it out) ...")
    began, device = time.monotonic(), next(iter(state["critic"].values())).device
    update = CompiledUpdate(module, config, device)
    batch = _some_batch(config.batch_size, spaces, masked, device)
    noise = module.draw(config.batch_size, torch.Generator(device), config, spaces)
    try:
        with warnings.catch_warnings():  # PyTorch's own, which python -W error makes errors of
            warnings.simplefilter("ignore")
            for follow in {config.follows(count) for count in range(2)}:
                update(copy.deepcopy(state), batch, noise, config, spaces, follow)
    except Exception as error:  # torch, the C++ compiler, Triton: each has errors of its own
        said = [line for line in str(error).split("\n") if line.strip()]
        reason = f"{type(error).__name__}: {' '.join(said[:2])}"[:200]
        warnings.warn(
            f"the update could not be compiled, so it runs uncompiled ({reason}); a C++ compiler "
            "is needed, such as g++; compile=False says no more of it",
            MaxEntWarning,
            stacklevel=4,
        )
        return None
    tell(progress, f"maxent: compiled in {duration(time.monotonic() - began)}")
    return update


def _graph(module: Algorithm, backend: str) -> Any:
    """One graph of an update.  The copy of the function has a code object, and so a cache, of its
    own."""
    plain: Any = module.update
    alone = types.FunctionType(
        plain.__code__.replace(), plain.__globals__, plain.__name__, plain.__defaults__
    )
    options: dict[str, Any] = {"guard_filter_fn": torch.compiler.skip_all_guards_unsafe}
    if backend == "inductor":
        options |= products.options()
    return torch.compile(alone, fullgraph=True, dynamic=False, backend=backend, options=options)


def _some_batch(count: int, spaces: Spaces, masked: bool, device: torch.device) -> Batch:
    """A minibatch of the form that `Replay.sample` gives."""
    wide, size = spaces.observation_size, spaces.action_size
    actions = torch.zeros(count, dtype=torch.int64) if spaces.discrete else torch.zeros(count, size)
    masks = [torch.ones(count, size, dtype=torch.bool) for _ in range(2 * masked)]
    parts = (torch.ones(count, wide), actions, torch.zeros(count), torch.ones(count, wide))
    return Batch(*(part.to(device) for part in (*parts, torch.ones(count), *masks)))
