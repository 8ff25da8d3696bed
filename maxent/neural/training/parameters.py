"""The parameters of an algorithm, nested dictionaries of tensors: named, and taken over."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from maxent.errors import ConfigError, CorruptCheckpointError
from maxent.neural.parts.networks import named_tensors
from maxent.neural.training.agent import Agent


def load_parameters(state: dict[str, Any], saved: dict[str, Tensor]) -> None:
    """Copy the tensors of a checkpoint into a state, in place.

    Raises ConfigError where the state has other sizes: its environment is another;
    CorruptCheckpointError where the numbers are of another type.
    """
    for name, tensor in named_tensors(state):
        if saved[name].shape != tensor.shape:
            raise ConfigError(
                f"env is another environment than the run's: {name} has the shape "
                f"{tuple(tensor.shape)} there, in the checkpoint {tuple(saved[name].shape)}"
            )
        if saved[name].dtype != tensor.dtype:
            raise CorruptCheckpointError(f"{name} is {saved[name].dtype}, not {tensor.dtype}")
        tensor.copy_(saved[name])


def begin_with(fresh: Agent, start: Agent) -> None:
    """Copy the networks and targets of an agent into a fresh one's, in place; its temperature too
    where that is tuned.  The moments stay fresh, and how many candidates a policy resamples.

    Raises ConfigError where `start` is of another algorithm or has other sizes.
    """
    fixed = fresh.config.temperature is not None
    kept = ("resampling/", "temperature") if fixed else ("resampling/",)
    given, own = (
        {name: x for name, x in named_tensors(each.state) if not name.startswith(kept)}
        for each in (start, fresh)
    )
    if start.algorithm != fresh.algorithm:
        raise ConfigError(f"start = {start} is of another algorithm than {fresh.algorithm}")
    if start.spaces.bounded != fresh.spaces.bounded:
        raise ConfigError(f"start = {start} has other actions: {start.spaces.action}")
    there, here = ({name: tuple(x.shape) for name, x in of.items()} for of in (given, own))
    for name in sorted(there | here):
        if there.get(name) != here.get(name):
            raise ConfigError(
                f"start = {start} has other sizes: {name} is {there.get(name, 'absent')}, here "
                f"{here.get(name, 'absent')}; look at hidden, critics and the spaces"
            )
    for name, tensor in own.items():
        if "_moments/" not in name:
            tensor.copy_(given[name])
