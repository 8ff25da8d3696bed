"""The Gaussian policies' networks, and the kinds of policy that there are.

`Categorical`, `Gaussian`, `Mixture`, `Flow`, `SamplingNetwork` and `Resampled` are a policy in n
states, read off once: what diagnostics need of any algorithm, and what every `log_policy` is made
of.  All but the first are `drawn`: so many actions in each state, with their log-densities.

A Gaussian's network gives `mean` and `log_std`.  On a box with sides the action is a = tanh(u), u
Gaussian, and densities are in the units of [-1, 1]^m; without sides the action is u itself, in the
environment's units.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural.parts import gaussian, proposals
from maxent.neural.parts.flow import Flow
from maxent.neural.parts.mixture import Mixture
from maxent.neural.parts.networks import Parameters, mlp, mlp_parameters
from maxent.neural.parts.resampling import Resampled
from maxent.neural.parts.spaces import Spaces
from maxent.support.shapes import Bool, Float, Int

LOG_STD = (-20.0, 2.0)
"""Limits of the log standard deviation, as in the papers' own code.

So an unsquashed policy is at most e^2 = 7.4 broad, in the units of its actions.  Beyond a limit no
gradient comes through: what leads back in is that of other states and of the mean, which share the
layers below.  (A squashed policy stays away from the upper one: its entropy is largest at 0.9.)
"""


def entropy_range(spaces: Spaces) -> tuple[float, float]:
    """Between which entropies, in nats, a policy on a box can be: both ends are out of reach.

    Squashed, below the uniform density's m log 2 (its units are [-1, 1]^m) and without a lower end;
    unsquashed, between those of the `LOG_STD` limits.
    """
    m = spaces.action_size
    if spaces.bounded:
        return -math.inf, m * math.log(2.0)
    unit = 0.5 * math.log(2.0 * math.pi * math.e)
    return m * (unit + LOG_STD[0]), m * (unit + LOG_STD[1])


def actor_parameters(
    spaces: Spaces, hidden: tuple[int, ...], generator: torch.Generator
) -> Parameters:
    """A fresh actor: observation (d) -> mean and log_std, 2 m numbers."""
    sizes = (spaces.observation_size, *hidden, 2 * spaces.action_size)
    return mlp_parameters(sizes, generator=generator)


def mean_and_log_std(
    actor: Parameters, observation: Float[Tensor, "*B d"]
) -> tuple[Float[Tensor, "*B m"], Float[Tensor, "*B m"]]:
    """The Gaussian in each state, before any squashing."""
    mean, log_std = mlp(actor, observation).chunk(2, dim=-1)
    return mean, log_std.clamp(*LOG_STD)


def sample(
    actor: Parameters,
    observation: Float[Tensor, "B d"],
    noise: Float[Tensor, "B m"],
    spaces: Spaces,
) -> tuple[Float[Tensor, "B m"], Float[Tensor, " B"]]:
    """a = f(noise; s) and log pi(a|s), differentiable in the parameters (SAC Eq. 11).

    noise: standard normal.
    """
    mean, log_std = mean_and_log_std(actor, observation)
    draw = gaussian.squashed_sample if spaces.bounded else gaussian.gaussian_sample
    action, log_density, _ = draw(mean, log_std, noise)
    return action, log_density


def act(
    actor: Parameters,
    observation: Float[Tensor, "B d"],
    noise: Float[Tensor, "B m"] | None,
    spaces: Spaces,
) -> Float[Tensor, "B m"]:
    """The action alone; without noise the deterministic one, tanh of the mean or the mean."""
    u, log_std = mean_and_log_std(actor, observation)
    if noise is not None:
        u = u + log_std.exp() * noise
    return torch.tanh(u) if spaces.bounded else u


def noise(
    count: int, spaces: Spaces, generator: torch.Generator
) -> Float[Tensor, "{count} {spaces.action_size}"]:
    """Standard normal noise of one action in each of `count` states."""
    shape = (count, spaces.action_size)
    return torch.randn(shape, generator=generator, device=generator.device)


class Categorical(NamedTuple):
    """A policy over discrete actions.  log_policy : (n, A), log pi(a|s)."""

    log_policy: Tensor

    def log_density(self, actions: Int[Tensor, "n N"]) -> Float[Tensor, "n N"]:
        """log pi(a|s) of given actions."""
        return self.log_policy.gather(-1, actions)

    def choose(self, generator: torch.Generator, deterministic: bool) -> Int[Tensor, " n"]:
        """One action in each state: drawn, or the likeliest."""
        if deterministic:
            return self.log_policy.argmax(-1)
        return torch.multinomial(self.log_policy.exp(), 1, generator=generator)[:, 0]

    def within(self, available: Bool[Tensor, "n A"] | None) -> Categorical:
        """The same policy among the available actions alone; None: among all."""
        if available is None:
            return self
        kept = torch.where(available, self.log_policy, -math.inf)
        return Categorical(torch.log_softmax(kept, dim=-1))


class Gaussian(NamedTuple):
    """A diagonal Gaussian, squashed by tanh or not.  mean, log_std : (n, m), before a squash."""

    mean: Tensor
    log_std: Tensor
    squashed: bool

    def sample(
        self, noise: Float[Tensor, "n N m"]
    ) -> tuple[Float[Tensor, "n N m"], Float[Tensor, "n N"]]:
        """N actions in each state and their log densities; noise: standard normal."""
        draw = gaussian.squashed_sample if self.squashed else gaussian.gaussian_sample
        action, log_density, _ = draw(*self._expanded(noise), noise)
        return action, log_density

    def drawn(
        self, count: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n {count} m"], Float[Tensor, "n {count}"]]:
        """`count` actions in each state and their log-densities."""
        n, m = self.mean.shape
        shape = (n, count, m)
        return self.sample(torch.randn(shape, generator=generator, device=generator.device))

    def log_density(self, actions: Float[Tensor, "n N m"]) -> Float[Tensor, "n N"]:
        """log pi(a|s) of given actions; -inf outside of a squashed policy's box.

        An action on the border of the box, where tanh has rounded it to, counts as the nearest
        number inside: it does not say which u it came from (see `gaussian`).
        """
        mean, log_std = self._expanded(actions)
        if not self.squashed:
            return gaussian.gaussian_log_density(actions, mean, log_std)
        edge = 1.0 - torch.finfo(actions.dtype).eps
        u = torch.atanh(actions.clamp(-edge, edge))
        inside = (actions.abs() <= 1.0).all(-1)
        return torch.where(inside, gaussian.squashed_log_density(u, mean, log_std), -math.inf)

    def _expanded(self, like: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean[:, None].expand_as(like), self.log_std[:, None].expand_as(like)


class SamplingNetwork(NamedTuple):
    """Soft Q-learning's policy in states (n, d): actions are tanh f(noise; s)."""

    parameters: Parameters
    observation: Tensor

    def sample(
        self, noise: Float[Tensor, "n N m"]
    ) -> tuple[Float[Tensor, "n N m"], Float[Tensor, "n N"]]:
        """N actions in each state, and what their log densities are where the network is one-to-one
        (`proposals.network_proposal`); noise: standard normal."""
        return proposals.network_proposal(self.parameters, self.observation, noise)

    def drawn(
        self, count: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "n {count} m"], Float[Tensor, "n {count}"]]:
        """`count` actions in each state and what `sample` gives as their log-densities."""
        return self.sample(self._noise(count, generator))

    def actions(self, count: int, generator: torch.Generator) -> Float[Tensor, "n {count} m"]:
        """The actions of `drawn` alone."""
        noise = self._noise(count, generator)
        return torch.tanh(proposals.sample(self.parameters, self.observation, noise))

    def log_density(self, actions: Tensor) -> Tensor:
        """Always a ConfigError: nothing finds every noise that the network turns into an action."""
        raise ConfigError(
            "the policy of sql is a sampling network, and the density of a given action would need "
            "every noise that gives this action; draw actions together with their densities "
            "(policy(...).drawn(count, generator)), use exp(Q/temperature), which it follows "
            '(q_values), or train with policy="resampled", whose density is estimated'
        )

    def _noise(self, count: int, generator: torch.Generator) -> Float[Tensor, "n {count} m"]:
        size = self.parameters[f"bias{len(self.parameters) // 2 - 1}"].shape[-1]
        shape = (len(self.observation), count, size)
        return torch.randn(shape, generator=generator, device=generator.device)


Policy = Categorical | Gaussian | Mixture | Flow | SamplingNetwork | Resampled
