"""Environments in processes of their own, which step at the same time.

Each process holds one environment as `Environments` does: guarded, seeded, brought back by its
generator and its actions.  What crosses between processes are the actions there, and back the
transition with what the next one begins from.  So a run is bit for bit the one whose environments
are stepped in turn, its checkpoints are the same, and either can go on from the other's.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces as spaces_of_gymnasium
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, VectorEnv
from numpy import ndarray

from maxent.environments.making import Environment, make_environment
from maxent.errors import ConfigError, MaxEntError
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.collect import Environments, environments_of
from maxent.neural.training.snapshots import Layers
from maxent.neural.training.transitions import Episode, Transitions
from maxent.support.shapes import Bool, Float

Making = Callable[[], gymnasium.Env[Any, Any]]
CAME = "came"
"""Under which name an info holds what came of a call."""


class ParallelEnvironments:
    """n environments in n processes: what `Environments` does, with Gymnasium's `AsyncVectorEnv`.

    make : makes an environment, in each process.  seed : environment i is seeded with seed + i.
    """

    kind = Environments.kind

    def __init__(self, make: Making, count: int, spaces: Spaces, seed: int) -> None:
        spaces.require_room(count)
        here = os.getpid()
        self._vector = AsyncVectorEnv(
            [partial(_One, make, spaces, seed, index, here) for index in range(count)],
            shared_memory=False,
            autoreset_mode=AutoresetMode.DISABLED,
        )
        self.available: Bool[ndarray, "n A"] | None = None
        self.observation: Float[ndarray, "n d"] = np.zeros((count, spaces.observation_size))
        try:
            self._of_each("state")
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return self._vector.num_envs

    def step(self, actions: ndarray) -> tuple[Transitions, list[Episode]]:
        """Take one action in each environment, (n, m) or (n,)."""
        came = self._asked(lambda: self._vector.step(actions)[-1][CAME])
        self._look([seen for _, _, seen in came])
        each = zip(*(transitions for transitions, _, _ in came), strict=True)
        together = (None if parts[0] is None else np.concatenate(parts) for parts in each)
        new = Transitions(*together)  # type: ignore[arg-type]
        return new._replace(action=actions), [one for _, ended, _ in came for one in ended]

    def state(self) -> list[dict[str, Any]]:
        """As of `Environments`."""
        return [one for each in self._of_each("state") for one in each]

    def memory(self) -> list[dict[str, Any]]:
        """As of `Environments`."""
        return [one for each in self._of_each("memory") for one in each]

    def statistics(self) -> Layers:
        """As of `Environments`."""
        layers: Layers = self._of_each("statistics")[0]
        return layers

    def forgotten(self) -> list[str]:
        """As of `Environments`."""
        lost: list[str] = self._of_each("forgotten")[0]
        return lost

    def restore(
        self,
        state: list[dict[str, Any]],
        memory: list[dict[str, Any]] | None = None,
        step: int = 0,
    ) -> None:
        """As of `Environments`."""
        self._of_each("restore", state, memory, step)

    def ignore_masks(self) -> None:
        """As of `Environments`."""
        self._of_each("ignore_masks")

    def close(self) -> None:
        """Close them, and end the processes."""
        try:
            self._vector.close()
        except (EOFError, OSError):  # one of them has ended already
            self._vector.close(terminate=True)

    def _of_each(self, name: str, *arguments: Any) -> list[Any]:
        """What a method of `Environments` gives in each process."""
        came = self._asked(lambda: self._vector.call("ask", name, *arguments))
        self._look([seen for _, seen in came])
        return [found for found, _ in came]

    def _asked(self, ask: Callable[[], Any]) -> list[Any]:
        """What came of each process; raises the first fault of an environment."""
        try:
            came = list(ask())
        except (EOFError, OSError) as error:
            raise ConfigError(
                "the process of an environment ended by itself (killed, out of memory?); lower "
                'num_envs, or give vectorization="sync"'
            ) from error
        for each in came:
            if isinstance(each, MaxEntError):
                raise each
        return came

    def _look(self, seen: list[tuple[ndarray, ndarray | None]]) -> None:
        """Where each environment is now, and which actions there are."""
        self.observation = np.concatenate([observation for observation, _ in seen])
        masks = [mask for _, mask in seen if mask is not None]
        self.available = np.concatenate(masks) if masks else None


class _One(gymnasium.Env[Any, Any]):
    """One environment in its process, as `AsyncVectorEnv` wants it: resets are its own affair."""

    def __init__(self, make: Making, spaces: Spaces, seed: int, index: int, parent: int) -> None:
        if os.getpid() != parent:  # Ctrl-C is for the parent, which stops after the running step
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.observation_space = spaces_of_gymnasium.Discrete(1)
        self.action_space = (
            spaces_of_gymnasium.Discrete(spaces.action_size)
            if spaces.discrete
            else spaces_of_gymnasium.Box(-np.inf, np.inf, (spaces.action_size,))
        )
        self._index = index
        self._held = Environments([make()], spaces, seed + index)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        came = _caught(lambda: (*self._held.step(np.asarray(action)[None]), self._seen()))
        return 0, 0.0, False, False, {CAME: came}

    def ask(self, name: str, *arguments: Any) -> Any:
        """What a method of `Environments` gives, and where the environment is after it; its faults
        as values."""
        method = self.restore if name == "restore" else getattr(self._held, name)
        return _caught(lambda: (method(*arguments), self._seen()))

    def close(self) -> None:
        self._held.close()

    def restore(self, state: list[Any], memory: list[Any] | None, step: int) -> None:
        """Its part of what was saved of all."""
        own = None if memory is None else [memory[self._index]]
        self._held.restore([state[self._index]], own, step // len(state))

    def _seen(self) -> tuple[ndarray, ndarray | None]:
        return self._held.observation, self._held.available


def _caught(call: Callable[[], Any]) -> Any:
    """What a call gives, or what it raised, for the parent to raise: the process goes on."""
    try:
        return call()
    except MaxEntError as error:
        return error


def parallel_environments(
    env: Environment | VectorEnv,
    num_envs: int,
    seed: int,
    settings: Mapping[str, Any] | None = None,
) -> tuple[ParallelEnvironments, Spaces]:
    """As `environments_of`, in processes of their own; ConfigError for what is already made."""
    if isinstance(env, gymnasium.Env | VectorEnv):
        raise ConfigError(
            'vectorization = "async" of an environment that is already made; give its id, or a '
            "function that makes one"
        )
    one, spaces = environments_of(env, 1, seed, settings)  # whatever is wrong is told from here
    one.close()
    return ParallelEnvironments(
        lambda: make_environment(env, settings), num_envs, spaces, seed
    ), spaces
