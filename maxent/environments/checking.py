"""What an environment does wrong before a training finds out; see `maxent.testing`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from maxent.environments.guard import Guarded, close, misfit, name_of
from maxent.environments.making import Environment, make_environment
from maxent.environments.masks import KEY, mask_in
from maxent.environments.space_checks import require_actions, require_no_bytes, require_observations
from maxent.errors import ConfigError

STEPS = 200
"""Steps with random actions, twice."""
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class EnvironmentReport:
    """What `check_environment` found.

    name : the environment's.  faults : what training refuses, or would learn wrongly from.
    advice : what works, and is probably not meant.
    """

    name: str
    faults: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether there is no fault."""
        return not self.faults

    def raise_if_failed(self) -> None:
        """ConfigError with every fault, where there is one."""
        if self.faults:
            raise ConfigError(str(self))

    def __str__(self) -> str:
        verdict = "fit for training" if self.passed else f"{len(self.faults)} faults"
        lines = [f"environment {self.name}: {verdict}"]
        lines += [f"  fault: {words}" for words in self.faults]
        lines += [f"  advice: {words}" for words in self.advice]
        return "\n".join(lines)


def examined(env: Environment) -> EnvironmentReport:
    """The report on an environment, an id, or a function that makes one."""
    if isinstance(env, gymnasium.Env):
        return _examined(env)
    made = make_environment(env)
    try:
        return _examined(made)
    finally:
        close(made)


def _examined(env: gymnasium.Env) -> EnvironmentReport:
    faults: list[str] = []
    advice: list[str] = []
    for check in (
        lambda: require_observations(env.observation_space),
        lambda: require_no_bytes(env.observation_space),
        lambda: require_actions(env.action_space),
    ):
        with _noting(faults):
            check()
    if not all(isinstance(s, gymnasium.Space) for s in (env.observation_space, env.action_space)):
        return EnvironmentReport(name_of(env), _once(faults), ())
    with _noting(faults), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, two = (_stepped(env, seed=3) for _ in range(2))
        faults += one.faults
        advice += one.advice
        if one.trace != two.trace:
            faults.append(
                "two episodes with the same seed and actions differ: a resumed run would not be "
                "the uncut one; draw every random number from self.np_random, and call "
                "super().reset(seed=seed) first"
            )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            check_env(env, skip_render_check=True, skip_close_check=True)
        except Exception as error:
            faults.append(f"Gymnasium's checker: {type(error).__name__}: {_line(error)}")
    advice += [f"Gymnasium's checker: {_line(each.message)}" for each in said]
    advice = [words for words in advice if "different from the unwrapped" not in words]
    return EnvironmentReport(name_of(env), _once(faults), _once(advice))


@dataclass
class _Seen:
    """What came in some steps: everything, as bytes, and what is to be said of it."""

    trace: list[bytes]
    faults: list[str]
    advice: list[str]


def _stepped(env: gymnasium.Env, seed: int) -> _Seen:
    """Some steps with random actions; ConfigError where the interface is broken."""
    guarded, found = Guarded(env), _Seen([], [], [])
    env.action_space.seed(seed)
    seen, info = guarded.reset(seed=seed)
    masked, ended, space = KEY in info, False, env.action_space
    for step in range(STEPS):
        _look(env, seen, 0.0, f"step {step}", found)
        try:
            mask = mask_in(info, space)
        except ConfigError as error:
            found.faults.append(f"step {step}: {error}")
            break
        action = space.sample(None if mask is None else mask.astype(np.int8))
        seen, reward, terminated, truncated, info = guarded.step(action)
        _look(env, seen, reward, f"step {step + 1}", found)
        other = (KEY in info) is not masked and not terminated
        if isinstance(space, spaces.Discrete) and other:
            found.faults.append(
                "info['action_mask'] comes with reset or with step alone; give it with both"
            )
            break
        if terminated or truncated:
            ended = True
            seen, info = guarded.reset()
    if not ended and getattr(env.spec, "max_episode_steps", None) is None:
        found.advice.append(
            f"no episode ended in {STEPS} random steps and there is no time limit: give "
            "max_episode_steps, or wrap it with gymnasium.wrappers.TimeLimit"
        )
    return found


def _look(env: gymnasium.Env, seen: Any, reward: float, where: str, found: _Seen) -> None:
    flat = np.asarray(spaces.flatten(env.observation_space, seen), dtype=float)
    found.trace.append(flat.tobytes() + np.float64(reward).tobytes())
    for name, numbers in (("observation", flat), ("reward", np.array(reward))):
        if not (np.abs(numbers) <= LARGEST).all():
            found.faults.append(f"{where}: the {name} is NaN, infinite or beyond float32")
    if misfit(env.observation_space, seen) is None and not env.observation_space.contains(seen):
        found.advice.append(
            "observations are outside of their space (by its sides or its type); networks take "
            "them as they are"
        )


@contextmanager
def _noting(faults: list[str]) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        faults.append(str(error))


def _line(said: Any) -> str:
    text = " ".join(str(said).replace("\x1b[33m", "").replace("\x1b[0m", "").split())
    return text.removeprefix("WARN: ")[:300]


def _once(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
