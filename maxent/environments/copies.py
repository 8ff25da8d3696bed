"""A deterministic environment as a successor function: a copy of it in every state that it met."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from maxent.errors import ConfigError
from maxent.support.arguments import quoted

Outcomes = list[tuple[float, Hashable, float, bool]]
"""(probability, next state, reward, terminated) of each."""


class Copies:
    """A deterministic environment: a copy of it in each state that it was seen in."""

    def __init__(self, env: gymnasium.Env, key: Callable | None, seed: int) -> None:
        if not isinstance(env.action_space, spaces.Discrete):
            raise ConfigError(
                f"the action space is {env.action_space}; from_simulator needs a Discrete one"
            )
        self.actions = range(
            int(env.action_space.start), int(env.action_space.start + env.action_space.n)
        )
        self.key = key
        first = self._copy(env)
        observation, _ = first.reset(seed=seed)
        state = self._name(first, observation)
        self.starts: dict[Hashable, float] = {state: 1.0}
        self.copies = {state: first}
        self.others: dict[Hashable, gymnasium.Env] = {}  # come to in another way

    def row(self, state: Hashable) -> list[tuple[Hashable, Outcomes]]:
        """Each action of a state with its outcome."""
        rows: list[tuple[Hashable, Outcomes]] = []
        for action in self.actions:
            outcome, after = self._step(self.copies[state], action, 1)
            if self._step(self.copies[state], action, 2)[0] != outcome:
                raise ConfigError(
                    f"{self._place(state)} action {action} is random; from_simulator takes a "
                    "deterministic environment, or a function that lists outcomes with their "
                    "probabilities"
                )
            rows.append((action, [outcome]))
            if not outcome[3]:
                known = self.others if outcome[1] in self.copies else self.copies
                known.setdefault(outcome[1], after)
        return rows

    def check(self) -> None:
        """ConfigError where a state does other things when it was come to in another way."""
        waiting = list(self.others)
        while waiting:
            state = waiting.pop()
            for action in self.actions:
                usual = self._step(self.copies[state], action, 1)[0]
                outcome, after = self._step(self.others[state], action, 1)
                if outcome != usual:
                    what = "pays" if outcome[2] != usual[2] else "leads elsewhere or ends"
                    values = f" {usual[2]:g} or {outcome[2]:g}" if what == "pays" else ""
                    raise ConfigError(
                        f"{self._place(state)} action {action} {what}{values}, depending on how "
                        "the state was come to (the number of steps?); tell such states apart with "
                        "key=, or give a successor function without that"
                    )
                if not outcome[3] and outcome[1] not in self.others:
                    self.others[outcome[1]] = after
                    waiting.append(outcome[1])

    def _place(self, state: Hashable) -> str:
        number = list(self.copies).index(state)
        return f"state {number} (of those met so far),"

    def _step(
        self, env: gymnasium.Env, action: int, seed: int
    ) -> tuple[tuple[float, Hashable, float, bool], gymnasium.Env]:
        after = self._copy(env)
        after.unwrapped.np_random = np.random.default_rng(seed)
        observation, reward, terminated, _, _ = after.step(action)
        return (1.0, self._name(after, observation), float(reward), bool(terminated)), after

    def _name(self, env: gymnasium.Env, observation: Any) -> Hashable:
        name = _key_of(env, observation) if self.key is None else self.key(env)
        try:
            hash(name)
        except TypeError:
            raise ConfigError(f"key returned {quoted(name)}, which is not hashable") from None
        return name

    @staticmethod
    def _copy(env: gymnasium.Env) -> gymnasium.Env:
        try:
            return copy.deepcopy(env)
        except Exception as error:  # whatever an environment holds that cannot be copied
            raise ConfigError(
                f"{type(env.unwrapped).__name__} cannot be copied ({type(error).__name__}: "
                f"{error}); give a successor function"
            ) from error


def _key_of(env: gymnasium.Env, observation: Any) -> Hashable:
    """What tells the states of an environment apart where nobody says so."""
    own = getattr(env.unwrapped, "hash", None)
    if callable(own):
        found: Hashable = own()
        return found
    return _hashable(observation)


def _hashable(value: Any) -> Hashable:
    """An observation, dictionaries and arrays included, as something that a set can hold."""
    if isinstance(value, Mapping):
        return tuple((name, _hashable(part)) for name, part in value.items())
    if isinstance(value, tuple | list):
        return tuple(map(_hashable, value))
    if isinstance(value, np.ndarray):
        return (value.shape, value.tobytes())
    found: Hashable = value
    return found
