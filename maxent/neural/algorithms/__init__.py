"""The five algorithms by name, and what makes a module an algorithm.

An algorithm is a module that is read beside its paper: a `Config` and a handful of pure functions
of a **state**, a dictionary of dictionaries of tensors that holds everything that learns.  The
loop, the files, the environments and the diagnostics know an algorithm by `Algorithm` alone, and
ask nothing about which of the five it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural.algorithms import sac, sac_discrete, sac_v1, sql, sql_discrete, temperature
from maxent.neural.algorithms.settings import Settings
from maxent.neural.parts import ensembles, normalise
from maxent.neural.parts.policies import Categorical, Policy
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.support.arguments import nearest, quoted

State = dict[str, Any]
Noise = dict[str, Tensor]


class Algorithm(Protocol):
    """The names that a module has to be an algorithm.

    Shapes: B transitions, n states, d observation, m action (continuous actions have an axis m, in
    the policy's units; discrete ones are whole numbers without it), N actions in each state.
    """

    @property
    def Config(self) -> type[Settings]:
        """The settings, with their defaults and checks."""

    def init(self, spaces: Spaces, config: Any, generator: torch.Generator) -> State:
        """Everything that learns, before it has.  ConfigError for spaces it is not for."""

    def act(
        self,
        state: State,
        observation: Tensor,
        generator: torch.Generator,
        spaces: Spaces,
        deterministic: bool = False,
    ) -> Tensor:
        """Actions in states (n, d) -> (n, m) or (n,); deterministic: the policy's central ones."""

    def draw(self, count: int, generator: torch.Generator, config: Any, spaces: Spaces) -> Noise:
        """All random numbers of one update on `count` transitions, by name; {} where none are."""

    def update(
        self,
        state: State,
        batch: Batch,
        noise: Noise,
        config: Any,
        spaces: Spaces,
        follow: bool = True,
    ) -> dict[str, Tensor]:
        """One gradient step of everything, in place; no randomness but `noise`.

        follow: whether targets follow after it (`config.follows`).  Gives the numbers to log, 0-d.
        Nothing in it asks what a tensor's value is, so that it can be compiled as one graph, where
        the rates of `config` are 0-d tensors.
        """

    def policy(self, state: State, observation: Tensor, spaces: Spaces) -> Policy:
        """The policy in states (n, d), as one of the kinds of `maxent.neural.parts.policies`: every
        probability, a Gaussian's mean and deviation, or something to draw from."""

    def log_policy(
        self, state: State, observation: Tensor, actions: Tensor, spaces: Spaces
    ) -> Tensor:
        """log pi(a|s) of given actions, log-density or log-probability: (n, d), (n, N[, m]) ->
        (n, N).  ConfigError where the policy has no density that can be computed (sql)."""

    def q_values(
        self, state: State, observation: Tensor, actions: Tensor, spaces: Spaces
    ) -> Tensor:
        """Q(s, a) of given actions, of the critics the smallest: (n, d), (n, N[, m]) -> (n, N)."""

    def state_values(self, state: State, observation: Tensor) -> Tensor | None:
        """V(s) of a network of its own, (n, d) -> (n,); None where it has none."""


ALGORITHMS: dict[str, Algorithm] = {
    "sac": sac,
    "sac_v1": sac_v1,
    "sac_discrete": sac_discrete,
    "sql": sql,
    "sql_discrete": sql_discrete,
}


def fresh_state(
    module: Algorithm, spaces: Spaces, config: Settings, generator: torch.Generator
) -> State:
    """All that an agent holds before it has learnt: what `module.init` gives, and beside it what
    settings of every algorithm add."""
    state = module.init(spaces, config, generator)
    temperature.cool(state, config, 0.0)
    state |= ensembles.begun(config.critics, config.smallest_of, generator.device)
    if config.normalize_observations:
        state |= normalise.begun(spaces.observation_size, generator.device)
    return state


def choose_actions(
    module: Algorithm,
    state: State,
    observation: Tensor,
    generator: torch.Generator,
    spaces: Spaces,
    deterministic: bool = False,
    available: Tensor | None = None,
) -> Tensor:
    """`module.act`, among the available actions alone where these are given: booleans (n, A)."""
    if available is None or bool(available.all()):
        return module.act(state, observation, generator, spaces, deterministic)
    policy = module.policy(state, observation, spaces)
    assert isinstance(policy, Categorical)  # masks are read for discrete actions alone
    return policy.within(available).choose(generator, deterministic)


def random_actions(
    count: int, generator: torch.Generator, spaces: Spaces, available: Tensor | None = None
) -> Tensor:
    """Actions that no policy chose, (n, m) or (n,): uniform among those that are available, or in a
    box; standard normal where the box has no sides."""
    size, at = spaces.action_size, generator.device
    if available is not None and not bool(available.all()):
        return torch.multinomial(available.float(), 1, generator=generator)[:, 0]
    if spaces.discrete:
        return torch.randint(size, (count,), generator=generator, device=at)
    if not spaces.bounded:
        return torch.randn((count, size), generator=generator, device=at)
    return 2.0 * torch.rand((count, size), generator=generator, device=at) - 1.0


def with_defaults(algorithm: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Recorded settings with those that the record leaves out, as plain values."""
    known = ALGORITHMS.get(algorithm)
    return ({} if known is None else known.Config().to_dict()) | dict(settings)


def require_algorithm(name: Any) -> None:
    """ConfigError, with the likeliest name, for an algorithm that there is not."""
    if not isinstance(name, str) or name not in ALGORITHMS:
        raise ConfigError(f"algorithm {quoted(name)} is unknown; {nearest(name, ALGORITHMS)}")


def algorithm_for(name: str, spaces: Spaces) -> str:
    """`name`, or its discrete form where the actions are discrete and it has one.

    Raises ConfigError for an unknown name.
    """
    require_algorithm(name)
    if spaces.discrete and f"{name}_discrete" in ALGORITHMS:
        return f"{name}_discrete"
    return name
