"""How an MDP is named on the command line, and built: a map, a file of one, .npz, .tra, gym:ID."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import maxent
from maxent.cli.arguments import as_option, read_pairs, read_value
from maxent.errors import ConfigError, MapError
from maxent.support.arguments import nearest

if TYPE_CHECKING:
    from maxent.mdp import MDP

GYM = "gym:"
FOR_GYM = ("discount", "env_option")
FOR_NPZ = ("discount",)
FOR_TRA = ("discount", "terminal")
ANY_SIZE = "open-50x50, maze-21x31, maze-21x31-seed7"
"""Examples of maps that are generated at any size."""


@dataclass(frozen=True)
class Model:
    """Which MDP, and what to change in it; None: as it is."""

    mdp: str
    discount: float | None = None
    slip: float | None = None
    moves: int | None = None
    wind: str | None = None
    step_reward: float | None = None
    rewards: str | None = None
    bump_reward: float | None = None
    goals: str | None = None
    legend: str | None = None
    terminal: str | None = None
    env_option: tuple[str, ...] = ()

    @classmethod
    def of(cls, asked: Namespace) -> Model:
        """The part of a command's arguments that names an MDP."""
        values = {field.name: getattr(asked, field.name) for field in fields(cls)}
        return cls(**values | {"env_option": tuple(asked.env_option or ())})

    def given(self) -> dict[str, Any]:
        """The options that were given, as keyword arguments of `gridworld`."""
        options = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        options.pop("mdp", None)
        if self.rewards is not None:
            options["rewards"] = read_pairs("--rewards", self.rewards.split(","))
        if self.legend is not None:
            options["legend"] = _legend(self.legend)
        if self.wind is not None:
            numbers = [read_value(part) for part in self.wind.split(",")]
            options["wind"] = numbers[0] if len(numbers) == 1 else numbers
        return options

    def build(self) -> MDP:
        """The MDP; ConfigError for an option that does not concern its kind."""
        if self.mdp.startswith(GYM):
            return self._from_gymnasium(self.mdp.removeprefix(GYM))
        if self.mdp.endswith(".npz"):
            return self._from_archive()
        if self.mdp.endswith(".tra"):
            return self._from_model_checker()
        return self._from_map()

    def require_found(self) -> None:
        """ConfigError where no map and no file has the name given; what a file holds, and an
        environment, is looked at by `build`."""
        from maxent.gridworlds import maps

        if self.mdp.startswith(GYM) or _is_file(self.mdp):
            return
        if maps.is_name(self.mdp):
            with suppress(MapError):
                maps.named_map(self.mdp)
                return
        raise MapError(_unknown_mdp(self.mdp))

    def _only(self, allowed: Sequence[str], kind: str) -> dict[str, Any]:
        options = self.given()
        for name in options:
            if name not in allowed:
                raise ConfigError(f"{as_option(name)} does not concern {kind}; leave it out")
        return options

    def _discount(self, typical: float) -> float:
        if self.discount is None:
            raise ConfigError(
                f"{self.mdp} has no discount of its own; add, say, --discount {typical}"
            )
        return self.discount

    def _from_gymnasium(self, name: str) -> MDP:
        options = self._only(FOR_GYM, "a Gymnasium environment")
        discount = self._discount(0.99)
        settings = read_pairs("--env-option", options.get("env_option", ()))
        for taken in {"discount", "env"} & settings.keys():
            raise ConfigError(f"--env-option {taken}=... is no setting of an environment")
        return maxent.from_gymnasium(name, discount=discount, **settings)

    def _from_archive(self) -> MDP:
        changes = self._only(FOR_NPZ, "an .npz file")
        mdp = maxent.MDP.load(self.mdp)
        return mdp.replace(**changes) if changes else mdp

    def _from_model_checker(self) -> MDP:
        options = self._only(FOR_TRA, "a .tra file")
        terminal: Any = options.get("terminal")
        if terminal is not None and re.fullmatch(r"\d+(,\d+)*", terminal):
            terminal = [int(state) for state in terminal.split(",")]
        return maxent.read_model(self.mdp, discount=self._discount(0.99), terminal=terminal)

    def _from_map(self) -> MDP:
        from maxent.gridworlds import maps

        settings = self._only([field.name for field in fields(self)[1:-2]], "a map")
        if maps.is_name(self.mdp):
            with suppress(MapError):
                maps.named_map(self.mdp)
                return maxent.gridworld(self.mdp, **settings)
        if not _is_file(self.mdp):
            raise MapError(_unknown_mdp(self.mdp))
        try:
            return maxent.gridworld(Path(self.mdp), **settings | {"discount": self._discount(0.95)})
        except MapError as error:
            if "legend=" not in str(error):
                raise
            raise MapError(f"{error} (here as --legend NAME or --legend 'F=.,%=#')") from None


def require_known_mdp(asked: Namespace) -> None:
    """MapError where an MDP was named that there is not."""
    if getattr(asked, "mdp", None) is not None:
        Model.of(asked).require_found()


def _legend(text: str) -> str | dict[str, str]:
    """The name of a legend, or characters and what they mean: F=.,H=X (also ,=# and ==#)."""
    if "=" not in text:
        return text
    if not re.fullmatch(r".=.(,.=.)*", text):
        raise ConfigError(
            f"--legend {text!r} must be a name such as gymnasium, or have the form F=.,H=X,%=#"
        )
    return {text[i]: text[i + 2] for i in range(0, len(text), 4)}


def known_maps(name: str) -> str:
    """The tail of a message about an unknown name of a map."""
    from maxent.gridworlds.maps import MAPS

    return f"{nearest(name, MAPS)}; of any size: {ANY_SIZE}"


def _unknown_mdp(name: str) -> str:
    folder = _is_folder(name)
    name = name if len(name) < 64 else f"{name[:60]}..."
    if folder:
        return f"{name!r} is a folder; name a file in it, or a map (see: maxent maps)"
    if name.endswith(".txt") or os.sep in name:
        return f"there is no map file {name!r}; name a file, or a map (see: maxent maps)"
    if re.fullmatch(r"[\w/]+-v\d+", name):
        return f"no map or file is called {name!r}; an environment is named gym:{name}"
    return (
        f"no map or file is called {name!r}; {known_maps(name)}.  Else name a map file, an .npz "
        "or .tra file or an environment, such as gym:FrozenLake-v1"
    )


def _is_folder(name: str) -> bool:
    """Whether a folder is there; False for a name that no file can have."""
    with suppress(OSError, ValueError):
        return bool(name) and Path(name).is_dir()
    return False


def _is_file(name: str) -> bool:
    """Whether something that is no folder is there; False for a name that no file can have."""
    with suppress(OSError, ValueError):
        return Path(name).exists() and not Path(name).is_dir()
    return False
