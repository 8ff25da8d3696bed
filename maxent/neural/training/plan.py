"""What a run is asked to do: the arguments of `train` that its `config.json` keeps."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import torch
from gymnasium.vector import VectorEnv

import maxent
from maxent.environments.making import Environment
from maxent.errors import ConfigError
from maxent.neural.runs.record import RENAMED
from maxent.support.arguments import quoted, require_count, require_flag
from maxent.support.memory import require_memory

OTHER_GYMS = ("GymV21Environment", "GymV26Environment")
"""Ids of Gymnasium's whose settings name another environment, module included."""

Env = Environment | VectorEnv


KINDS: dict[str, Any] = {
    "algorithm": str,
    "device": str,
    "env": str | None,
    "env_settings": dict,
    "start": str | None,
}
MOST_THREADS = 1024
"""More cannot be started on most machines, and the process would end."""
BYTES_PER_ENVIRONMENT = 10_000
"""What an environment takes at the very least, with its generator and its wrappers."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run is asked to do, besides the algorithm's own settings.

    The fields are the arguments of `train` of the same names, where their meaning and defaults are
    explained, but for two that may be objects there:

    env : the environment's id; None: it was given as an object.
    start : the agent whose networks were begun with, in words; None: fresh ones.
    """

    algorithm: str
    env: str | None
    steps: int
    seed: int = 0
    num_envs: int = 1
    log_every: int = 1_000
    evaluate_every: int = 0
    evaluation_episodes: int = 10
    checkpoint_every: int = 0
    device: str = "cpu"
    threads: int | None = None
    env_settings: dict[str, Any] = field(default_factory=dict)
    start: str | None = None
    vectorization: Literal["sync", "async"] = "sync"
    compile: bool | Literal["auto"] = False  # as runs were made before it could be asked for

    def __post_init__(self) -> None:
        for name in ("steps", "num_envs", "evaluation_episodes"):
            object.__setattr__(self, name, require_count(name, getattr(self, name)))
        for name in ("seed", "log_every", "evaluate_every", "checkpoint_every"):
            object.__setattr__(self, name, require_count(name, getattr(self, name), 0))
        if self.threads is not None and require_count("threads", self.threads) > MOST_THREADS:
            raise ConfigError(f"threads = {self.threads} is above {MOST_THREADS}; give fewer")
        if self.seed >= 2**63:
            raise ConfigError(f"seed = {self.seed} is too large; give one below 2^63")
        if not (self.compile == "auto" or isinstance(self.compile, bool)):
            raise ConfigError(f'compile = {quoted(self.compile)}; give True, False or "auto"')
        if self.vectorization not in ("sync", "async"):
            raise ConfigError(
                f'vectorization = {quoted(self.vectorization)}; give "sync" or "async"'
            )
        for name, kinds in KINDS.items():
            if not isinstance(value := getattr(self, name), kinds):
                raise ConfigError(f"{name} = {quoted(value)} is a {type(value).__name__}")
        require_memory(
            BYTES_PER_ENVIRONMENT * self.num_envs, f"{self.num_envs} environments", "lower num_envs"
        )
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise ConfigError(f"device = {quoted(self.device)} cannot be used: {error}") from error

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Plan:
        """The plan among values by name, which may be more: a configuration, or arguments."""
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})


def require_recorded(run: str | os.PathLike[str], config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that a run recorded; ConfigError for one that this version cannot go on
    with: a field that a later version has added, say, whose meaning is not known here."""
    known = {each.name for each in fields(Plan)} | {"settings"}
    if unknown := sorted(config.keys() - known):
        raise ConfigError(
            f"run {os.fspath(run)!r} has the setting {unknown[0]!r}, which maxent "
            f"{maxent.__version__} does not know: it was made by a later version, which can go on "
            "with it"
        )
    if missing := sorted({"algorithm", "env", "steps", "settings"} - config.keys()):
        raise ConfigError(f"run {os.fspath(run)!r} does not say {missing[0]!r} of its training")
    Plan.of({**config, "device": "cpu"})  # that of the run may be on another machine
    if not isinstance(config["settings"], dict):
        raise ConfigError(f"run {os.fspath(run)!r} has settings that are no dictionary")
    return dict(config)


def environment_of_run(
    run: str | os.PathLike[str], config: Mapping[str, Any], env: Env | None, trust: bool
) -> Env:
    """The environment to open a run with: `env` where it is given, else the one that its
    configuration names.

    An id of the form MODULE:ID imports a module, which executes it.  A run does so only where
    `trust` is true, or the module is loaded already; else ConfigError.
    """
    if env is not None:
        return env
    name = config["env"]
    if name is None:
        raise ConfigError(
            f"the environment of run {os.fspath(run)!r} was given as an object and has no id: give "
            "env"
        )
    module, colon, _ = name.partition(":")
    imports = (colon and module not in sys.modules) or name.startswith(OTHER_GYMS)
    if imports and not require_flag("trust", trust):
        raise ConfigError(
            f"run {os.fspath(run)!r} names the environment {name!r}: to make it, a Python module "
            f"that the run names ({module!r}) would be imported, which executes what is in it. If "
            "you trust it, say so (--trust, in Python trust=True), or name the environment "
            "yourself (--env, env=)"
        )
    return str(name)


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """PyTorch with so many threads, and afterwards with as many as before; None: as it is."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def by_new_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments by the names of today; a DeprecationWarning for an old name."""
    for old, new in RENAMED.items():
        if old in settings:
            warnings.warn(
                f"{old}= is {new}= now; the old name goes with version 0.3.0",
                DeprecationWarning,
                stacklevel=5,
            )
    return {RENAMED.get(name, name): value for name, value in settings.items()}
