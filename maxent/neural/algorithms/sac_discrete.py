r"""Soft actor-critic for discrete actions: every expectation over actions is an exact sum.

Christodoulou (2019), *Soft Actor-Critic for Discrete Action Settings*, Algorithm 1.  For each
gradient step, on a minibatch of transitions (s, a, r, s') with discount on arrival d:

1. evaluate the policy:   Q_i <- Q_i - rate grad 1/2 ( Q_i(s,a) - r - d V(s') )^2,
   V(s') = sum_a' pi(a'|s') ( min_i Qbar_i(s',a') - alpha log pi(a'|s') )               (SAC-L1)
2. improve it:   pi <- pi - rate grad sum_a pi(a|s) ( alpha log pi(a|s) - min_i Q_i(s,a) ) (SAC-L2)
3. tune the temperature:  alpha <- alpha - rate grad alpha ( H(pi(.|s)) - target_entropy )
4. follow with the target: Qbar_i <- (1 - tau) Qbar_i + tau Q_i

Where it departs from the paper: its target entropy, 0.98 log A, leaves nearly uniform policies
(and a temperature that grows without end where a task cannot keep so much entropy); the default
here is half of log A.  Where the environment tells which actions are available, A(s), the sums run
over those, and the default is half of log |A(s)| in each state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural import losses, operators
from maxent.neural.algorithms import sac, temperature
from maxent.neural.algorithms.settings import no_value_network
from maxent.neural.parts import policies
from maxent.neural.parts.ensembles import cautious
from maxent.neural.parts.networks import Parameters, mlp, mlp_parameters
from maxent.neural.parts.optim import adam, average_into, copied, gradient_of, moments
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces


@dataclass(frozen=True, kw_only=True)
class Config(sac.Config):
    """Settings of discrete soft actor-critic: those of `sac`, with the target entropy in nats,
    between 0 and log A; None: half of log A.  `policy` and `components` are of Box actions."""

    @property
    def unused(self) -> dict[str, str]:
        return super().unused | dict.fromkeys(("policy", "components"), "for Box actions")


def init(spaces: Spaces, config: Config, generator: torch.Generator) -> dict[str, Any]:
    """Everything that learns, before it has: parameters, targets, moments, log temperature."""
    if not spaces.discrete:
        raise ConfigError("sac_discrete is for Discrete actions; use sac")
    if config.policy != "gaussian":
        raise ConfigError(
            f"policy = {config.policy!r} is for Box actions; discrete ones have every probability "
            "as it is: leave it out"
        )
    most = math.log(spaces.action_size)
    if config.temperature is None and spaces.action_size == 1:
        raise ConfigError(
            f"action space {spaces.action} has one action, hence no entropy to tune the "
            "temperature by; give temperature="
        )
    if config.target_entropy is not None and not 0.0 < config.target_entropy < most:
        raise ConfigError(
            f"target_entropy = {config.target_entropy!r} is outside (0, {most:.4g}), the entropies "
            f"that {spaces.action_size} actions have at temperatures above 0, in nats (the most is "
            f"log {spaces.action_size}); the usual one is half of that, {0.5 * most:.4g}"
        )
    sizes = (spaces.observation_size, *config.hidden, spaces.action_size)
    critic = mlp_parameters(
        sizes, generator=generator, members=config.critics, kind=config.critic_network
    )
    actor = mlp_parameters(sizes, generator=generator)
    return {
        "actor": actor,
        "actor_moments": moments(actor),
        "critic": critic,
        "critic_moments": moments(critic),
        "target": copied(critic),
        **temperature.begun(config.temperature, config.initial_temperature, generator.device),
    }


def act(
    state: dict[str, Any],
    observation: Tensor,
    generator: torch.Generator,
    spaces: Spaces,
    deterministic: bool = False,
) -> Tensor:
    """Actions drawn from the policy in states (n, d) -> (n,); deterministic: its likeliest."""
    return policy(state, observation, spaces).choose(generator, deterministic)


def policy(state: dict[str, Any], observation: Tensor, spaces: Spaces) -> policies.Categorical:
    """log pi(a|s) of all actions, (n, d) -> (n, A)."""
    return policies.Categorical(log_policies(state["actor"], observation))


def log_policy(
    state: dict[str, Any], observation: Tensor, actions: Tensor, spaces: Spaces
) -> Tensor:
    """log pi(a|s) of given actions: (n, d), whole numbers (n, N) -> (n, N)."""
    return policy(state, observation, spaces).log_density(actions)


def q_values(state: dict[str, Any], observation: Tensor, actions: Tensor, spaces: Spaces) -> Tensor:
    """min_i Q_i(s, a) of given actions: (n, d), whole numbers (n, N) -> (n, N)."""
    return cautious(state, mlp(state["critic"], observation)).gather(-1, actions)


state_values = no_value_network


def log_policies(actor: Parameters, observation: Tensor, available: Tensor | None = None) -> Tensor:
    """log pi(a|s) of all actions, (n, d) -> (n, A); -inf for those not available."""
    logits = mlp(actor, observation)
    if available is not None:
        logits = torch.where(available, logits, -math.inf)
    return torch.log_softmax(logits, dim=-1)


def draw(
    count: int, generator: torch.Generator, config: Config, spaces: Spaces
) -> dict[str, Tensor]:
    """Nothing: every expectation over actions is a sum."""
    return {}


def update(
    state: dict[str, Any],
    batch: Batch,
    noise: dict[str, Tensor],
    config: Config,
    spaces: Spaces,
    follow: bool = True,
) -> dict[str, Tensor]:
    """One gradient step of everything, in place.  What it logs is on its docs/algorithms page."""
    alpha = temperature.current(state)
    next_q = cautious(state, mlp(state["target"], batch.next_observation))
    next_log_policy = log_policies(state["actor"], batch.next_observation, batch.next_available)

    def evaluation(critic: Parameters) -> tuple[Tensor, Tensor]:
        q = losses.q_taken(mlp(critic, batch.observation), batch.action)
        loss = losses.discrete_soft_policy_evaluation_loss(q, batch, next_q, next_log_policy, alpha)
        return loss, q.mean()

    gradient, critic_loss, q = gradient_of(evaluation, state["critic"])
    adam(state["critic"], gradient, state["critic_moments"], config.critic_rate)

    smaller_q = cautious(state, mlp(state["critic"], batch.observation))

    def improvement(actor: Parameters) -> tuple[Tensor, Tensor]:
        log_pi = log_policies(actor, batch.observation, batch.available)
        loss = losses.discrete_soft_policy_improvement_loss(smaller_q, log_pi, alpha)
        return loss, log_pi

    gradient, actor_loss, log_pi = gradient_of(improvement, state["actor"])
    adam(state["actor"], gradient, state["actor_moments"], config.actor_rate)

    if config.temperature is None:
        target = _target_entropy(config, spaces, batch.available)
        temperature.tune(
            state,
            lambda log_alpha: losses.discrete_temperature_loss(log_alpha, log_pi, target),
            config.temperature_rate,
        )

    if follow:
        average_into(state["target"], state["critic"], config.target_rate)
    return {
        "critic_loss": critic_loss,
        "actor_loss": actor_loss,
        "q": q,
        "entropy": operators.entropy(log_pi).mean(),
        "temperature": alpha,
    }


def _target_entropy(config: Config, spaces: Spaces, available: Tensor | None) -> float | Tensor:
    """The entropy to keep; by default half of what the available actions of each state allow."""
    if config.target_entropy is not None:
        return config.target_entropy
    if available is None:
        return losses.discrete_target_entropy(spaces.action_size, 0.5)
    return (0.5 * available.sum(-1).double().log()).float()
