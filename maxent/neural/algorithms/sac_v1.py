r"""Soft actor-critic as first published: value network and its target, twin Q, fixed temperature.

SAC: Haarnoja, Zhou, Abbeel, Levine (2018), *Soft Actor-Critic*, Algorithm 1.  For each gradient
step, on a minibatch of transitions (s, a, r, s') with discount on arrival d:

1. state value:   V <- V - rate grad 1/2 ( V(s) - min_i Q_i(s,a) + alpha log pi(a|s) )^2,
   a ~ pi                                                                 (SAC Eqs. 5-6)
2. soft Q:        Q_i <- Q_i - rate grad 1/2 ( Q_i(s,a) - r - d Vbar(s') )^2     (SAC Eqs. 7-9)
3. policy:        pi <- pi - rate grad ( alpha log pi(a|s) - min_i Q_i(s, a) ), a ~ pi
   reparameterised                                                       (SAC Eqs. 10-13)
4. target:        Vbar <- (1 - tau) Vbar + tau V

All gradients are taken at the parameters before the step, and steps 1 and 3 share their sample a,
as in the authors' program; read as a sequence, the paper's step 3 would climb the Q's of step 2.

The paper absorbs alpha into the reward (its reward scale is 1/alpha); here alpha is explicit.  As
in its text, and not in its code, the policy climbs the smaller of both Q's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural import losses
from maxent.neural.algorithms import sac, temperature
from maxent.neural.algorithms.settings import Settings
from maxent.neural.parts import policies
from maxent.neural.parts.ensembles import cautious
from maxent.neural.parts.networks import Parameters, action_value, mlp_parameters, state_value
from maxent.neural.parts.optim import adam, average_into, copied, gradient_of, moments
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.support.arguments import require_positive

act, policy, log_policy, q_values = sac.act, sac.policy, sac.log_policy, sac.q_values


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Settings of the first soft actor-critic.

    temperature : alpha; the paper's reward scale is 1/alpha (5 for most tasks).
    actor_rate, critic_rate, value_rate : learning rates of Adam.
    target_rate : tau, the share of V that its target takes over in a step.
    """

    temperature: float = 0.2
    actor_rate: float = 3e-4
    critic_rate: float = 3e-4
    value_rate: float = 3e-4
    target_rate: float = 0.005

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("temperature", self.temperature)


def init(spaces: Spaces, config: Config, generator: torch.Generator) -> dict[str, Any]:
    """Everything that learns, before it has: parameters, target, moments."""
    if spaces.discrete:
        raise ConfigError("sac_v1 is for Box actions; use sac_discrete")
    observed, acted = spaces.observation_size, spaces.action_size
    value = mlp_parameters(
        (observed, *config.hidden, 1), generator=generator, kind=config.critic_network
    )
    critic = mlp_parameters(
        (observed + acted, *config.hidden, 1),
        generator=generator,
        members=config.critics,
        kind=config.critic_network,
    )
    actor = policies.actor_parameters(spaces, config.hidden, generator)
    return {
        "actor": actor,
        "actor_moments": moments(actor),
        "critic": critic,
        "critic_moments": moments(critic),
        "value": value,
        "value_moments": moments(value),
        "target": copied(value),
    }


def state_values(state: dict[str, Any], observation: Tensor) -> Tensor:
    """V(s) of the value network: (n, d) -> (n,)."""
    return state_value(state["value"], observation)


def draw(
    count: int, generator: torch.Generator, config: Config, spaces: Spaces
) -> dict[str, Tensor]:
    """The noise of an update on `count` transitions: of the sample a."""
    return {"action": policies.noise(count, spaces, generator)}


def update(
    state: dict[str, Any],
    batch: Batch,
    noise: dict[str, Tensor],
    config: Config,
    spaces: Spaces,
    follow: bool = True,
) -> dict[str, Tensor]:
    """One gradient step of everything, in place.  What it logs is on its docs/algorithms page."""
    observation, alpha = batch.observation, temperature.of(state, config)

    def improvement(actor: Parameters) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        action, log_density = policies.sample(actor, observation, noise["action"], spaces)
        smaller_q = cautious(state, action_value(state["critic"], observation, action))
        loss = losses.soft_policy_improvement_loss(smaller_q, log_density, alpha)
        return loss, (smaller_q, log_density)

    actor_gradient, actor_loss, (smaller_q, log_density) = gradient_of(improvement, state["actor"])

    def state_evaluation(value: Parameters) -> tuple[Tensor, tuple[()]]:
        v = state_value(value, observation)
        return losses.soft_value_loss(v, smaller_q, log_density, alpha), ()

    value_gradient, value_loss, _ = gradient_of(state_evaluation, state["value"])

    next_v = state_value(state["target"], batch.next_observation)

    def evaluation(critic: Parameters) -> tuple[Tensor, Tensor]:
        q = action_value(critic, observation, batch.action)
        return losses.soft_q_loss(q, batch, next_v), q.mean()

    critic_gradient, critic_loss, q = gradient_of(evaluation, state["critic"])

    adam(state["value"], value_gradient, state["value_moments"], config.value_rate)
    adam(state["critic"], critic_gradient, state["critic_moments"], config.critic_rate)
    adam(state["actor"], actor_gradient, state["actor_moments"], config.actor_rate)
    if follow:
        average_into(state["target"], state["value"], config.target_rate)
    return {
        "critic_loss": critic_loss,
        "value_loss": value_loss,
        "actor_loss": actor_loss,
        "q": q,
        "entropy": -log_density.mean(),
    }
