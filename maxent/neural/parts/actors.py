"""The actor of soft actor-critic, of whichever class its policy is: fresh, sampled, read off.

Which class an actor is, the names of its parameters say (as of `networks`): no file and no
function has to be told.  A sample of a policy is one action a state, or one of each part of a
mixture with the part's probability: what is expected over the policy is then a sum (`Sample.mean`).

Shapes: B states, d observation, m action dimensions, K parts.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from maxent.neural.parts import flow, policies
from maxent.neural.parts.flow import Flow
from maxent.neural.parts.mixture import CENTRE, Mixture, mixture
from maxent.neural.parts.mixture import parameters as mixture_parameters
from maxent.neural.parts.networks import Parameters
from maxent.neural.parts.policies import LOG_STD, Gaussian
from maxent.neural.parts.spaces import Spaces
from maxent.support.shapes import Float

PolicyName = Literal["gaussian", "mixture", "flow"]


class Sample(NamedTuple):
    """Actions (B, m) and log-densities (B,), differentiable in the actor; or one of each part, (B,
    K, m) and (B, K), with their probabilities, `share` (B, K)."""

    action: Tensor
    log_density: Tensor
    share: Tensor | None

    def mean(self, numbers: Tensor) -> Float[Tensor, " B"]:
        """The expectation over the policy of numbers that belong to the actions."""
        return numbers if self.share is None else (self.share * numbers).sum(-1)


def fresh(
    name: PolicyName,
    spaces: Spaces,
    hidden: tuple[int, ...],
    components: int,
    generator: torch.Generator,
) -> Parameters:
    """The parameters of an actor that has learnt nothing."""
    if name == "gaussian":
        return policies.actor_parameters(spaces, hidden, generator)
    observed, m = spaces.observation_size, spaces.action_size
    if name == "flow":
        return flow.parameters(observed, hidden, m, generator)
    return mixture_parameters(observed, hidden, m, components, generator)


def noise(
    name: PolicyName, count: int, spaces: Spaces, components: int, generator: torch.Generator
) -> Tensor:
    """The noise of `sample` in `count` states, standard normal."""
    if name != "mixture":
        return policies.noise(count, spaces, generator)
    shape = (count, components, spaces.action_size)
    return torch.randn(shape, generator=generator, device=generator.device)


def sample(
    actor: Parameters, observation: Float[Tensor, "B d"], noise: Tensor, spaces: Spaces
) -> Sample:
    """a = f(noise; s) and log pi(a|s) (SAC Eq. 11)."""
    if _is_gaussian(actor):
        return Sample(*policies.sample(actor, observation, noise, spaces), None)
    policy = policy_in(actor, observation, spaces)
    if isinstance(policy, Mixture):
        return Sample(*policy.of_each(noise), policy.log_share.exp())
    action, log_density = policy.sample(noise[:, None])
    return Sample(action[:, 0], log_density[:, 0], None)


def act(
    actor: Parameters,
    observation: Float[Tensor, "B d"],
    generator: torch.Generator,
    spaces: Spaces,
    deterministic: bool,
) -> Float[Tensor, "B m"]:
    """One action a state; deterministic: the policy's central one."""
    if _is_gaussian(actor):
        own = None if deterministic else policies.noise(len(observation), spaces, generator)
        return policies.act(actor, observation, own, spaces)
    policy = policy_in(actor, observation, spaces)
    assert not isinstance(policy, Gaussian)
    return policy.central() if deterministic else policy.actions(1, generator)[:, 0]


def policy_in(
    actor: Parameters, observation: Float[Tensor, "B d"], spaces: Spaces
) -> Gaussian | Mixture | Flow:
    """The policy in states (B, d)."""
    if CENTRE in actor:
        return mixture(actor, observation, LOG_STD, spaces.bounded)
    if not _is_gaussian(actor):
        return Flow(actor, observation, spaces.bounded)
    mean, log_std = policies.mean_and_log_std(actor, observation)
    return Gaussian(mean, log_std, squashed=spaces.bounded)


def _is_gaussian(actor: Parameters) -> bool:
    return "weight0" in actor and CENTRE not in actor


def entropy_range(name: PolicyName, spaces: Spaces, components: int) -> tuple[float, float]:
    """Between which entropies, in nats, a policy can be: both ends are out of reach."""
    least, most = policies.entropy_range(spaces)
    if name == "gaussian" or spaces.bounded:
        return least, most
    if name == "flow":
        return -math.inf, math.inf
    return least, most + math.log(components)  # of components that do not overlap
