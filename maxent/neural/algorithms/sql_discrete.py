r"""Soft Q-learning for discrete actions: the soft value and the policy are exact.

SQL: Haarnoja, Tang, Abbeel, Levine (2017).  For each gradient step, on a minibatch of
transitions (s, a, r, s') with discount on arrival d:

1. soft value:  V(s') = alpha log sum_a' exp( Qbar(s', a') / alpha )               (SQL Eq. 5)
2. soft Q:      Q <- Q - rate grad 1/2 ( Q(s,a) - r - d V(s') )^2        (SQL Eq. 11, SQL-T2)
3. target:      every `target_interval` steps, Qbar <- (1 - tau) Qbar + tau Q

and the policy is exp( (Q - V) / alpha ) (SQL-T1), both over the available actions where the
environment tells which they are.  With alpha -> 0 this is deep Q-learning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural import losses, operators
from maxent.neural.algorithms import temperature
from maxent.neural.algorithms.settings import Settings, no_value_network
from maxent.neural.parts import policies
from maxent.neural.parts.ensembles import cautious
from maxent.neural.parts.networks import Parameters, mlp, mlp_parameters
from maxent.neural.parts.optim import adam, average_into, copied, gradient_of, moments
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.support.arguments import require_count, require_positive


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Settings of discrete soft Q-learning.

    temperature : alpha.
    critic_rate : learning rate of Adam.
    target_rate, target_interval : the share of Q that its target takes over, and after how many
        gradient steps it does.
    """

    temperature: float = 0.1
    critics: int = 1
    critic_rate: float = 3e-4
    target_rate: float = 0.005
    target_interval: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("temperature", self.temperature)
        require_count("target_interval", self.target_interval)


def init(spaces: Spaces, config: Config, generator: torch.Generator) -> dict[str, Any]:
    """Everything that learns, before it has: parameters, target, moments, and alpha to act by."""
    if not spaces.discrete:
        raise ConfigError("sql_discrete is for Discrete actions; use sql")
    sizes = (spaces.observation_size, *config.hidden, spaces.action_size)
    critic = mlp_parameters(
        sizes, generator=generator, members=config.critics, kind=config.critic_network
    )
    return {
        "critic": critic,
        "critic_moments": moments(critic),
        "target": copied(critic),
        "temperature": {"fixed": torch.tensor(config.temperature, device=generator.device)},
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
    """The Boltzmann policy of Q (SQL-T1), log pi(a|s) of all actions, (n, d) -> (n, A)."""
    q = cautious(state, mlp(state["critic"], observation))
    return policies.Categorical(operators.boltzmann_policy(q, state["temperature"]["fixed"]))


def log_policy(
    state: dict[str, Any], observation: Tensor, actions: Tensor, spaces: Spaces
) -> Tensor:
    """log pi(a|s) of given actions: (n, d), whole numbers (n, N) -> (n, N)."""
    return policy(state, observation, spaces).log_density(actions)


def q_values(state: dict[str, Any], observation: Tensor, actions: Tensor, spaces: Spaces) -> Tensor:
    """min_i Q_i(s, a) of given actions: (n, d), whole numbers (n, N) -> (n, N)."""
    return cautious(state, mlp(state["critic"], observation)).gather(-1, actions)


state_values = no_value_network


def draw(
    count: int, generator: torch.Generator, config: Config, spaces: Spaces
) -> dict[str, Tensor]:
    """Nothing: the soft value is a sum."""
    return {}


def update(
    state: dict[str, Any],
    batch: Batch,
    noise: dict[str, Tensor],
    config: Config,
    spaces: Spaces,
    follow: bool = True,
) -> dict[str, Tensor]:
    """One gradient step, in place.  What it logs is on its docs/algorithms page."""
    next_q = cautious(state, mlp(state["target"], batch.next_observation))
    log_prior = operators.log_mask(batch.next_available)
    next_v = operators.soft_value(next_q, temperature.of(state, config), log_prior)

    def evaluation(critic: Parameters) -> tuple[Tensor, Tensor]:
        q = losses.q_taken(mlp(critic, batch.observation), batch.action)
        return losses.soft_q_loss(q, batch, next_v), q.mean()

    gradient, critic_loss, q = gradient_of(evaluation, state["critic"])
    adam(state["critic"], gradient, state["critic_moments"], config.critic_rate)

    if follow:
        average_into(state["target"], state["critic"], config.target_rate)
    return {"critic_loss": critic_loss, "q": q, "next_v": next_v.mean()}
