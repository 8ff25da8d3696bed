"""An environment from its id, or from a function that makes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium

from maxent.environments import registration  # noqa: F401 (registers the ids)
from maxent.errors import ConfigError, MissingExtraError
from maxent.gridworlds import MAPS
from maxent.mdp import MDP
from maxent.support.arguments import quoted

ON_A_MAP = (
    "  It is a map: env='maxent/Gridworld-v0' with env_settings={{'map': {0!r}}}; in a command "
    "--env maxent/Gridworld-v0 --env-option map={0}"
)

Environment = str | gymnasium.Env | Callable[[], gymnasium.Env]


def make_environment(
    env: str | Callable[[], gymnasium.Env], settings: Mapping[str, Any] | None = None
) -> gymnasium.Env:
    """An environment of a function, or of an id with settings for `gymnasium.make`.

    Raises ConfigError where Gymnasium cannot make it, or the function gives none.
    """
    if not isinstance(env, str):
        if isinstance(env, type) and not issubclass(env, gymnasium.Env):
            raise ConfigError(f"env is the class {env.__name__}, which makes no gymnasium.Env")
        made = env() if callable(env) else None
        if not isinstance(made, gymnasium.Env):
            given = f"a function that gave {made!r:.60}" if callable(env) else type(env).__name__
            if isinstance(env, MDP):
                raise ConfigError("env is an MDP; give env=lambda: maxent.MDPEnv(mdp)")
            raise ConfigError(
                f"env is {given}; give a Gymnasium id, an environment, or a function that makes an "
                "environment (to train on, a vector environment too)"
            )
        return made
    made_with = f" with {dict(settings)}" if settings else ""
    try:
        return gymnasium.make(env, **(settings or {}))
    except Exception as error:  # whatever an environment's constructor does
        missing = isinstance(error, gymnasium.error.DependencyNotInstalled)  # says how to get it
        kind = MissingExtraError if missing else ConfigError
        raise kind(
            f"Gymnasium cannot make {quoted(env)}{made_with}: {type(error).__name__}: {error}"
            + (ON_A_MAP.format(env) if env in MAPS else "")
        ) from error
