"""The settings that all algorithms share; each algorithm's `Config` adds its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar, get_args

from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural.parts.networks import Kind
from maxent.support.arguments import (
    nearest,
    quoted,
    require_count,
    require_counts,
    require_discount,
    require_fraction,
    require_one_of,
    require_positive,
    require_real,
    require_temperature,
)
from maxent.support.other_words import WORDS, hint

Config = TypeVar("Config", bound="Settings")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings that all algorithms share.

    temperature : alpha, above 0, each algorithm's own default; None: tuned, where it can be.
    cooled_from : alpha at the beginning, from which it falls to `temperature`, on a logarithmic
        scale, over `cooling_share` of the run; None: it is the same all along.
    cooling_share : the share of the steps after `learning_starts` at which alpha comes to be
        `temperature`, in (0, 1].
    discount : gamma in [0, 1).
    batch_size : transitions in a minibatch.
    hidden : sizes of the hidden layers of every network.
    critics : how many Q's; of two or more the smallest counts, which is cautious, and biased low.
    smallest_of : of how many of them, drawn at random, the smallest counts, in expectation (REDQ);
        1: their mean; None: the smallest of all.
    critic_network : of every Q, and of sac_v1's V: "plain", "layer_norm", or "residual" blocks, one
        for each number in `hidden`, which must be equal (SimBa, with `normalize_observations`).
    learning_starts : environment steps with uniformly random actions before the first update
        (standard normal ones where the action box has no sides).
    replay_capacity : transitions kept.
    normalize_observations : whether networks see observations less their mean, over their
        deviation, of what was seen in training; an agent keeps both.
    updates_per_step : gradient steps for each environment step; after n steps there have been
        floor(n * updates_per_step), less those of the first steps: 0.1 is one after every tenth.
    final_rate_share : the share of each learning rate that is left at the last step, in (0, 1];
        it falls there linearly from the first.  1: the rates stay.  `target_rate` stays anyway.
    """

    temperature: float | None = None
    cooled_from: float | None = None
    cooling_share: float = 0.5
    discount: float = 0.99
    batch_size: int = 256
    hidden: tuple[int, ...] = (256, 256)
    critics: int = 2
    smallest_of: int | None = None
    critic_network: Kind = "plain"
    learning_starts: int = 1_000
    replay_capacity: int = 1_000_000
    updates_per_step: float = 1.0
    final_rate_share: float = 1.0
    normalize_observations: bool = False

    def __post_init__(self) -> None:
        if require_discount(self.discount) == 1.0:
            raise ConfigError("discount = 1 has no bounded values here; give one below 1")
        for name in ("batch_size", "learning_starts", "replay_capacity", "critics"):
            require_count(name, getattr(self, name))
        require_positive("updates_per_step", self.updates_per_step)
        if not isinstance(self.normalize_observations, bool):
            raise ConfigError(
                f"normalize_observations = {quoted(self.normalize_observations)}; give True or "
                "False"
            )
        if not 0.0 < require_real("final_rate_share", self.final_rate_share, "(0, 1]") <= 1.0:
            raise ConfigError(
                f"final_rate_share = {self.final_rate_share!r} is outside (0, 1]; 1 keeps the rates"
            )
        object.__setattr__(self, "hidden", tuple(require_counts("hidden", self.hidden)))
        self._require_critics()
        for field in fields(self):
            if field.name == "target_rate":
                require_fraction(field.name, getattr(self, field.name))
            if field.name.endswith(("_rate", "initial_temperature")):
                require_positive(field.name, getattr(self, field.name))
        if isinstance(self.temperature, str):  # "auto", as other libraries say
            tuned = any(field.name == "temperature_rate" for field in fields(self))
            raise ConfigError(
                f"temperature = {self.temperature!r}; give a number above 0"
                + (", or None, which has it tuned" * tuned)
            )
        if self.temperature is not None and require_temperature(self.temperature) == 0.0:
            raise ConfigError("temperature = 0: a network needs one greater than 0")
        if not 0.0 < require_real("cooling_share", self.cooling_share, "(0, 1]") <= 1.0:
            raise ConfigError(f"cooling_share = {self.cooling_share!r} is outside (0, 1]")
        if self.cooled_from is not None:
            require_positive("cooled_from", self.cooled_from)
            if self.temperature is None:
                raise ConfigError(
                    f"cooled_from = {self.cooled_from!r} with a temperature that is tuned: give "
                    "the temperature at which it ends"
                )

    def _require_critics(self) -> None:
        few = self.smallest_of
        if few is not None and require_count("smallest_of", few) > self.critics:
            raise ConfigError(
                f"smallest_of = {few} of {self.critics} critics; give at most {self.critics}, or "
                "more critics"
            )
        require_one_of("critic_network", self.critic_network, get_args(Kind))
        if self.critic_network == "residual" and len(set(self.hidden)) != 1:
            raise ConfigError(
                f"hidden = {self.hidden}: residual blocks share one width; give equal numbers, "
                "one for each block"
            )

    @property
    def rows_of_update(self) -> int:
        """States, or pairs of a state and an action, that an update puts through a network."""
        return self.batch_size

    @property
    def unused(self) -> dict[str, str]:
        """The settings that the others leave without effect, and when each has one."""
        return {} if self.cooled_from is not None else {"cooling_share": "with cooled_from"}

    @property
    def can_be_compiled(self) -> bool:
        """Whether an update can be one graph."""
        return True

    def follows(self, updates: int) -> bool:
        """Whether targets follow after so many gradient steps."""
        return updates % getattr(self, "target_interval", 1) == 0

    def at(self: Config, progress: float) -> Config:
        """With the learning rates of one moment; progress: 0 at the first step, 1 at the last."""
        if self.final_rate_share == 1.0:
            return self
        share = (1.0 - progress) + progress * self.final_rate_share
        return replace(self, **{name: share * getattr(self, name) for name in self.rates})

    @property
    def rates(self) -> list[str]:
        """The names of the learning rates."""
        names = (field.name for field in fields(self))
        return [name for name in names if name.endswith("_rate") and name != "target_rate"]

    def temperature_at(self, progress: float) -> float | None:
        """alpha at one moment, 0 at the first update and 1 at the last; None: tuned.

        With `cooled_from`: cooled_from^(1 - p) temperature^p, p = min(1, progress / cooling_share).
        """
        if self.cooled_from is None or self.temperature is None:
            return self.temperature
        part = min(1.0, progress / self.cooling_share)
        begun, ended = math.log(self.cooled_from), math.log(self.temperature)
        return self.temperature if part == 1.0 else math.exp((1.0 - part) * begun + part * ended)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for files."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def configured(
    kind: type[Config], settings: Mapping[str, Any], others: Sequence[str] = ()
) -> Config:
    """A configuration of the given kind; ConfigError, with the likeliest name, for a wrong key.

    others : what can be said beside the settings, for the advice.
    """
    known = [field.name for field in fields(kind)]
    for name in settings:
        if name not in known:
            advice = hint(name, [*known, *others])
            if not advice and name in WORDS:  # a word of others, for what this algorithm has not
                algorithm = kind.__module__.rpartition(".")[2]
                advice = f"{algorithm} has nothing of the kind. Known: {', '.join(sorted(known))}"
            advice = advice or nearest(name, known)
            raise ConfigError(f"setting {name!r} is unknown; {advice}")
    return kind(**settings)


def require_used(config: Settings, given: Mapping[str, Any]) -> None:
    """ConfigError for a setting that a caller has given and that would do nothing.

    A file records every setting, used or not, so what is read from one is not asked this.
    """
    for name, when in config.unused.items():
        if given.get(name) is not None:
            raise ConfigError(
                f"{name} = {given[name]!r} would do nothing: it is used only {when}; change that, "
                f"or leave {name} out"
            )


def no_value_network(state: dict[str, Any], observation: Tensor) -> None:
    """`state_values` of an algorithm whose V follows from its Q and its policy."""
