"""The Gaussian policies of both soft actor-critics: a network gives `mean` and `log_std`,
and the choice that discrete policies make.

On a box with sides the action is a = tanh(u), u Gaussian, and densities are in the units of
[-1, 1]^m; without sides the action is u itself, in the environment's units.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from maxent.neural.parts import gaussian
from maxent.neural.parts.networks import Parameters, mlp, mlp_parameters
from maxent.neural.parts.spaces import Spaces

LOG_STD = (-20.0, 2.0)
"""Limits of the log standard deviation, as in the papers' own code.

So an unsquashed policy is at most e^2 = 7.4 broad, in the units of its actions.  Beyond a limit no
gradient comes through: what leads back in is that of other states and of the mean, which share the
layers below.  (A squashed policy stays away from the upper one: its entropy is largest at 0.9.)
"""


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


def choose(
    log_policy: Float[Tensor, "B A"], generator: torch.Generator, deterministic: bool
) -> Tensor:
    """One discrete action in each state, (B, A) -> (B,): drawn, or the likeliest."""
    if deterministic:
        return log_policy.argmax(-1)
    return torch.multinomial(log_policy.exp(), 1, generator=generator)[:, 0]
