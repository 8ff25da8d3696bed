"""An MDP by its name and settings, for a trade-off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maxent
from maxent.errors import ConfigError
from maxent.support.arguments import require_temperature
from maxent.support.ranges import read_temperatures

OF_TRADEOFF = ("temperatures", "prior")


def tradeoff_of(name: str, settings: Mapping[str, Any], here: Path, solve: bool = True) -> Any:
    """`maxent.tradeoff` of an MDP; the settings are its temperatures and what the MDP is made with.

    name : a map, a file (.txt, .npz, .tra) as seen from the folder `here`, or gym:ID.
    solve : False: all is checked and the MDP made, but nothing is solved.
    """
    if "temperatures" not in settings:
        raise ConfigError('it has no temperatures; give a list, or a range such as "0.01:10:40"')
    given = settings["temperatures"]
    if isinstance(given, str):
        given = read_temperatures(given)
    if not isinstance(given, list | tuple) or not given:
        raise ConfigError(f'temperatures = {given!r}; give a list, or a range "0.01:10:40"')
    temperatures = [each if each == float("inf") else require_temperature(each) for each in given]
    made_with = {key: value for key, value in settings.items() if key not in OF_TRADEOFF}
    mdp = named_mdp(name, made_with, here)
    return maxent.tradeoff(mdp, temperatures, prior=settings.get("prior")) if solve else None


def named_mdp(name: str, settings: dict[str, Any], here: Path) -> maxent.MDP:
    """The MDP that a name and settings stand for."""
    if name.startswith("gym:"):
        return maxent.from_gymnasium(name.removeprefix("gym:"), **settings)
    if name.endswith(".npz"):
        mdp = maxent.MDP.load(here / name)
        return mdp.replace(**settings) if settings else mdp
    if name.endswith(".tra"):
        return maxent.read_model(here / name, **settings)
    return maxent.gridworld(here / name if (here / name).is_file() else name, **settings)
