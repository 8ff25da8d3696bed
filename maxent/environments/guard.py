"""An environment held against its own spaces: what it does wrong is told where it happens.

Gymnasium's interface is a promise that nothing enforces.  An observation of shape (1,) where the
space says (2,) is silently broadcast, a reward of shape (1,) silently squeezed, and training goes
on with numbers that mean nothing.  `Guarded` looks at each reset and step.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from numpy import ndarray

from maxent.errors import ConfigError, MaxEntWarning

RESET = "reset(self, *, seed=None, options=None) returns (observation, info)"
STEP = "step(action) returns (observation, reward, terminated, truncated, info)"


class Guarded(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment that raises ConfigError for whatever its `reset` or `step` does wrong.

    The message says which environment, at which of its steps, what came and what its space says;
    an exception of the environment's own is named, and is the error's cause.  Numbers outside the
    sides of a box are let through (many environments give them), and so are NaN and infinity,
    which training looks for itself.

    steps : the steps taken so far.

    >>> import gymnasium, maxent
    >>> from maxent.environments.guard import Guarded
    >>> class Short(gymnasium.ObservationWrapper):
    ...     def observation(self, observation):
    ...         return observation[:1]
    >>> try:
    ...     Guarded(Short(gymnasium.make("CartPole-v1"))).reset(seed=0)
    ... except maxent.ConfigError as error:
    ...     print(str(error)[:67])
    environment CartPole-v1, reset: the observation has the shape (1,),
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.steps = 0
        self._space = env.observation_space  # an environment may change its own

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: (observation, info)."""
        settings = {} if options is None else {"options": options}
        try:
            came = self.env.reset(seed=seed, **settings)
        except Exception as error:
            raise self._fault("reset", _words_of(error), RESET) from error
        observation, info = self._parts(came, 2, "reset", RESET)
        self._look("reset", observation, info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action: (observation, reward, terminated, truncated, info)."""
        self.steps += 1
        where = f"step {self.steps}"
        try:
            came = self.env.step(action)
        except Exception as error:
            rule = STEP if "unpack" in str(error) else ""  # a wrapper met the old interface
            raise self._fault(where, _words_of(error), rule) from error
        observation, reward, terminated, truncated, info = self._parts(came, 5, where, STEP)
        self._look(where, observation, info)
        if not _is_number(reward) or isinstance(reward, np.timedelta64):
            raise self._fault(where, f"the reward is {_short(reward)}", "a reward is one number")
        for name, value in (("terminated", terminated), ("truncated", truncated)):
            if not _is_flag(value):
                raise self._fault(where, f"{name} is {_short(value)}", "it is True or False")
        try:
            paid = float(reward)
        except OverflowError:
            raise self._fault(where, "the reward is an int beyond any float") from None
        return observation, paid, bool(terminated), bool(truncated), info

    def _look(self, where: str, observation: Any, info: Any) -> None:
        wrong = misfit(self._space, observation)
        if wrong is not None:
            raise self._fault(where, f"the observation {wrong}")
        if not isinstance(info, Mapping):
            raise self._fault(where, f"the info is {_short(info)}", "it is a dictionary")

    def _parts(self, came: Any, count: int, where: str, rule: str) -> Sequence[Any]:
        if isinstance(came, tuple) and len(came) == count:
            return came
        what = f"a tuple of {len(came)}" if isinstance(came, tuple) else _short(came)
        old = "; this is the interface of the old gym" if count == 5 and _size(came) == 4 else ""
        raise self._fault(where, f"{what} came{old}", rule)

    def _fault(self, where: str, what: str, rule: str = "") -> ConfigError:
        rule = f"; {rule}" if rule else ""
        return ConfigError(f"environment {name_of(self.env)}, {where}: {what}{rule}")


def close(env: gymnasium.Env | VectorEnv[Any, Any, Any]) -> None:
    """Close an environment; what that raises is a MaxEntWarning, so that nothing done is lost."""
    try:
        env.close()
    except Exception as error:
        words = f"environment {name_of(env)}, close: {_words_of(error)}"
        warnings.warn(words, MaxEntWarning, stacklevel=3)


def guarded_step(vector: VectorEnv[Any, Any, Any], actions: Any, step: int) -> tuple[Any, ...]:
    """One step of a vector environment, held against its spaces as `Guarded` does."""
    name, count = name_of(vector), vector.num_envs
    where = f"vector environment {name}, step {step}"
    try:
        came = vector.step(actions)
    except Exception as error:
        raise ConfigError(f"{where}: {_words_of(error)}") from error
    if not isinstance(came, tuple) or len(came) != 5:
        raise ConfigError(f"{where}: {_short(came)} came; {STEP}")
    seen, rewards, ended, cut, infos = came
    wrong = misfit(vector.observation_space, seen)
    if wrong is not None:
        raise ConfigError(f"{where}: the observation of all {count} environments {wrong}")
    for what, array in (("rewards", rewards), ("terminated", ended), ("truncated", cut)):
        if np.shape(array) != (count,) or np.asarray(array).dtype.kind not in "biuf":
            raise ConfigError(f"{where}: {what} are {_short(array)}; give {count} numbers")
    return (
        seen,
        np.asarray(rewards, dtype=float),
        np.asarray(ended, dtype=bool),
        np.asarray(cut, dtype=bool),
        infos,
    )


def misfit(space: gymnasium.Space[Any], value: Any) -> str | None:
    """What keeps a value from being one of a space's, by kind and size, in words; None: nothing.

    The sides of a box are not looked at.
    """
    if isinstance(space, spaces.Box):
        return _misfit_box(space, value)
    if isinstance(space, spaces.Dict):
        if not isinstance(value, Mapping):
            return f"is {_short(value)}, its space {_short(space)} is a dictionary"
        parts: Any = ((f"[{key!r}]", space[key], value.get(key)) for key in space.spaces)
        missing = [key for key in space.spaces if key not in value]
        if missing:
            return f"has no {missing[0]!r}, which its space {_short(space)} has"
    elif isinstance(space, spaces.Tuple):
        if not isinstance(value, tuple | list) or len(value) != len(space.spaces):
            return f"is {_short(value)}, its space {_short(space)} has {len(space.spaces)} parts"
        parts = ((f"[{i}]", space[i], part) for i, part in enumerate(value))
    else:
        try:
            fits = bool(space.contains(value))
        except Exception:  # whatever a space of the user's own does
            fits = False
        return None if fits else f"is {_short(value)}, which is not in its space {_short(space)}"
    for name, inner, part in parts:
        wrong = misfit(inner, part)
        if wrong is not None:
            return f"{name} {wrong}"
    return None


def name_of(env: Any) -> str:
    """What an environment is called: its id, or the name of its class."""
    spec = getattr(env, "spec", None)
    inner = getattr(env, "unwrapped", env)
    return str(getattr(spec, "id", None) or type(inner).__name__)


def _misfit_box(space: spaces.Box, value: Any) -> str | None:
    try:
        array = value if isinstance(value, ndarray) else np.asarray(value)
    except Exception:  # ragged lists, tensors that carry gradients
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        return f"is {_short(value)}, its space {_short(space)} holds numbers"
    if array.shape != space.shape:
        return f"has the shape {array.shape}, its space {_short(space)} says {space.shape}"
    return None


def _is_number(value: Any) -> bool:
    if isinstance(value, int | float | np.number | np.bool_):
        return not isinstance(value, np.complexfloating)
    try:
        return np.shape(value) == () and np.asarray(value).dtype.kind in "biuf"
    except Exception:
        return False


def _is_flag(value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return True
    return _is_number(value) and value in (0, 1)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, tuple) else -1


def _short(value: Any) -> str:
    if isinstance(value, ndarray) and value.size > 8:
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _words_of(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
