"""The settings of a gridworld: merged with a named map's own, and checked.

What each means: `help(maxent.gridworld)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.support.arguments import (
    nearest,
    quoted,
    require_discount,
    require_finite,
    require_fraction,
    require_one_of,
)
from maxent.support.shapes import Int

GOALS = ("terminal", "absorbing", "restart")


@dataclass(frozen=True)
class GridworldSettings:
    """The settings of a gridworld, checked: the arguments of `maxent.gridworld`, none left out.

    wind : int (columns,).  rewards : of every character that has one.
    """

    discount: float
    slip: float
    moves: int
    wind: ndarray
    step_reward: float
    rewards: Mapping[str, float]
    bump_reward: float
    goals: str


def merge_settings(
    given: Mapping[str, Any], own: Mapping[str, Any]
) -> tuple[dict[str, float], list[str], dict[str, Any]]:
    """The rewards by character, checked but for the map, the characters that `given` names; and
    the settings, not yet checked."""
    default = {
        "slip": 0.0,
        "moves": 4,
        "wind": 0,
        "step_reward": -0.04,
        "bump_reward": 0.0,
        "goals": "terminal",
    }
    settings = default | dict(own) | {k: v for k, v in given.items() if v is not None}
    if "discount" not in settings:
        raise ConfigError(
            "give a discount, for example discount=0.95; only named maps have one of their own"
        )
    rewards = {} if given["rewards"] is None else given["rewards"]
    if not isinstance(rewards, Mapping):
        raise ConfigError(f"rewards = {quoted(rewards)} must map characters to numbers")
    rewards = {str(character): reward for character, reward in rewards.items()}
    named = list(rewards)
    rewards = {"G": 1.0, "X": -1.0} | own.get("rewards", {}) | rewards
    for character, reward in rewards.items():
        if not (len(character) == 1 and character.isprintable()):
            raise ConfigError(f"rewards names {quoted(character)}; its keys are single characters")
        rewards[character] = require_finite(f"rewards[{character!r}]", reward)
    return rewards, named, settings


def require_settings(
    settings: Mapping[str, Any], rewards: Mapping[str, float], drawn: ndarray, board: ndarray
) -> GridworldSettings:
    """Every setting checked against its range and the map, as `drawn` and in our characters, else
    ConfigError."""
    on_map = {character for map in (drawn, board) for character in np.unique(map).tolist()}
    for character in rewards:
        if character not in on_map | {"G", "X"}:
            raise ConfigError(
                f"rewards names {quoted(character)}, which is not on the map; "
                f"{nearest(character, on_map - {'#'})}"
            )
    moves, goals = settings["moves"], settings["goals"]
    if isinstance(moves, bool) or not isinstance(moves, Integral) or moves not in (4, 8):
        raise ConfigError(f"moves = {quoted(moves)} must be 4 or 8")
    require_one_of("goals", goals, GOALS)
    return GridworldSettings(
        discount=require_discount(settings["discount"]),
        slip=require_fraction("slip", settings["slip"]),
        moves=int(moves),
        wind=_wind(settings["wind"], *board.shape),
        step_reward=require_finite("step_reward", settings["step_reward"]),
        rewards=rewards,
        bump_reward=require_finite("bump_reward", settings["bump_reward"]),
        goals=goals,
    )


def require_entered(rewards: Mapping[str, float], drawn: ndarray, board: ndarray) -> None:
    """ConfigError for a reward of a wall."""
    for character in rewards:
        if character == "#" or (board[drawn == character] == "#").any():
            raise ConfigError(
                f"rewards names {quoted(character)}; a wall is never entered, see bump_reward"
            )


def _wind(wind: Any, rows: int, columns: int) -> Int[ndarray, " columns"]:
    """Cells upwards for each column, at most the map's height."""
    values = [wind] * columns if isinstance(wind, Integral) else wind
    try:
        values = list(values)
    except TypeError:
        raise ConfigError(
            f"wind = {quoted(wind)} must be a whole number for each column, or one for all"
        ) from None
    if len(values) != columns:
        raise ConfigError(f"wind has {len(values)} entries; the map has {columns} columns")
    for column, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
            raise ConfigError(
                f"wind of column {column + 1} is {quoted(value)}; it must be a whole number of at "
                "least 0"
            )
    return np.array([min(int(value), rows) for value in values])
