r"""Soft actor-critic as it is used today: twin Q, no value network, tuned temperature.

SAC2: Haarnoja et al. (2018), *Soft Actor-Critic Algorithms and Applications*, Algorithm 1.
For each gradient step, on a minibatch of transitions (s, a, r, s') with discount on arrival d:

1. evaluate the policy:   Q_i <- Q_i - rate grad 1/2 ( Q_i(s,a) - r - d V(s') )^2,
   V(s') = min_i Qbar_i(s', a') - alpha log pi(a'|s'), a' ~ pi           (SAC-L1; SAC2 Eqs. 3, 5)
2. improve it:            pi <- pi - rate grad ( alpha log pi(a|s) - min_i Q_i(s, a) ), a ~ pi
   reparameterised                                                     (SAC-L2; SAC2 Eqs. 7, 9)
3. tune the temperature:  alpha <- alpha - rate grad -alpha ( log pi(a|s) + target_entropy )
                                                                              (SAC2 Eq. 18)
4. follow with the target: Qbar_i <- (1 - tau) Qbar_i + tau Q_i

The policy climbs the Q's that step 1 has just improved.  Steps 1-3 use the alpha before step 3, and
step 3 the sample of step 2, of the policy before its step.

With `policy="mixture"` the expectations over a and a' are sums over the components, each by a
sample of its own (`parts/mixture.py`).

Where it departs from the paper: the temperature's step is taken on log alpha (it stays positive;
the paper's authors found no difference), and `temperature` fixes alpha instead of tuning it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural import losses
from maxent.neural.algorithms import temperature
from maxent.neural.algorithms.settings import Settings, no_value_network
from maxent.neural.parts import actors
from maxent.neural.parts.ensembles import cautious
from maxent.neural.parts.networks import Parameters, action_value, action_values, mlp_parameters
from maxent.neural.parts.optim import adam, average_into, copied, gradient_of, moments
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.support.arguments import quoted, require_count, require_finite, require_one_of


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Settings of soft actor-critic.

    policy : "gaussian", of one hill; "mixture", of as many Gaussians as there are `components`; or
        "flow", splines of noise (`parts/flow.py`; needs zuko, the extra `flows`).
    components : of a mixture.
    temperature : alpha, fixed; None: tuned, from `initial_temperature`.
    target_entropy : entropy in nats that the tuned temperature keeps, for densities in
        [-1, 1]^m (of a box without sides, in its own units); None: -m, by convention.
    actor_rate, critic_rate, temperature_rate : learning rates of Adam.
    target_rate : tau, the share of Q that its target takes over in a step.
    """

    policy: actors.PolicyName = "gaussian"
    components: int = 8
    temperature: float | None = None
    initial_temperature: float = 1.0
    target_entropy: float | None = None
    actor_rate: float = 3e-4
    critic_rate: float = 3e-4
    temperature_rate: float = 3e-4
    target_rate: float = 0.005

    def __post_init__(self) -> None:
        super().__post_init__()
        require_count("components", self.components)
        require_one_of("policy", self.policy, get_args(actors.PolicyName))
        if isinstance(self.target_entropy, str):  # "auto", as other libraries say
            raise ConfigError(
                f"target_entropy = {quoted(self.target_entropy)}; give None for the usual one, or "
                "a number of nats"
            )
        if self.target_entropy is not None:
            require_finite("target_entropy", self.target_entropy)

    @property
    def unused(self) -> dict[str, str]:
        found = super().unused
        if self.policy != "mixture":
            found["components"] = 'with policy="mixture"'
        if self.temperature is not None:
            tuned = ("initial_temperature", "target_entropy", "temperature_rate")
            found |= dict.fromkeys(tuned, "where the temperature is tuned, temperature=None")
        return found

    @property
    def can_be_compiled(self) -> bool:
        return self.policy != "flow"

    @property
    def rows_of_update(self) -> int:
        return self.batch_size * (self.components if self.policy == "mixture" else 1)


def init(spaces: Spaces, config: Config, generator: torch.Generator) -> dict[str, Any]:
    """Everything that learns, before it has: parameters, targets, moments, log temperature."""
    if spaces.discrete:
        raise ConfigError("sac is for Box actions; use sac_discrete")
    _require_reachable(config, spaces)
    sizes = (spaces.observation_size + spaces.action_size, *config.hidden, 1)
    critic = mlp_parameters(
        sizes, generator=generator, members=config.critics, kind=config.critic_network
    )
    actor = actors.fresh(config.policy, spaces, config.hidden, config.components, generator)
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
    """Actions of the policy in states (n, d) -> (n, m); deterministic: its central ones."""
    return actors.act(state["actor"], observation, generator, spaces, deterministic)


state_values = no_value_network


def policy(
    state: dict[str, Any], observation: Tensor, spaces: Spaces
) -> actors.Gaussian | actors.Mixture | actors.Flow:
    """The policy in states (n, d), squashed where actions are bounded."""
    return actors.policy_in(state["actor"], observation, spaces)


def log_policy(
    state: dict[str, Any], observation: Tensor, actions: Tensor, spaces: Spaces
) -> Tensor:
    """log pi(a|s) of given actions: (n, d), (n, N, m) -> (n, N)."""
    return policy(state, observation, spaces).log_density(actions)


def q_values(state: dict[str, Any], observation: Tensor, actions: Tensor, spaces: Spaces) -> Tensor:
    """min_i Q_i(s, a) of given actions: (n, d), (n, N, m) -> (n, N)."""
    return cautious(state, action_values(state["critic"], observation, actions))


def draw(
    count: int, generator: torch.Generator, config: Config, spaces: Spaces
) -> dict[str, Tensor]:
    """The noise of an update on `count` transitions: of a' in step 1 and of a in step 2."""
    shape = (config.policy, count, spaces, config.components)
    return {
        "next_action": actors.noise(*shape, generator),
        "action": actors.noise(*shape, generator),
    }


def update(
    state: dict[str, Any],
    batch: Batch,
    noise: dict[str, Tensor],
    config: Config,
    spaces: Spaces,
    follow: bool = True,
) -> dict[str, Tensor]:
    """One gradient step of everything, in place.  What it logs is on its docs/algorithms page."""
    observation, alpha = batch.observation, temperature.current(state)

    following = batch.next_observation
    drawn = actors.sample(state["actor"], following, noise["next_action"], spaces)
    next_q = drawn.mean(_cautious_q(state, state["target"], following, drawn.action))
    next_log_density = drawn.mean(drawn.log_density)

    def evaluation(critic: Parameters) -> tuple[Tensor, Tensor]:
        q = action_value(critic, observation, batch.action)
        loss = losses.soft_policy_evaluation_loss(q, batch, next_q, next_log_density, alpha)
        return loss, q.mean()

    gradient, critic_loss, q = gradient_of(evaluation, state["critic"])
    adam(state["critic"], gradient, state["critic_moments"], config.critic_rate)

    def improvement(actor: Parameters) -> tuple[Tensor, Tensor]:
        own = actors.sample(actor, observation, noise["action"], spaces)
        log_density = own.mean(own.log_density)
        smaller_q = own.mean(_cautious_q(state, state["critic"], observation, own.action))
        return losses.soft_policy_improvement_loss(smaller_q, log_density, alpha), log_density

    gradient, actor_loss, log_density = gradient_of(improvement, state["actor"])
    adam(state["actor"], gradient, state["actor_moments"], config.actor_rate)

    if config.temperature is None:
        target = _target_entropy(config, spaces)
        temperature.tune(
            state,
            lambda log_alpha: losses.temperature_loss(log_alpha, log_density, target),
            config.temperature_rate,
        )

    if follow:
        average_into(state["target"], state["critic"], config.target_rate)
    return {
        "critic_loss": critic_loss,
        "actor_loss": actor_loss,
        "q": q,
        "entropy": -log_density.mean(),
        "temperature": alpha,
    }


def _cautious_q(
    state: dict[str, Any], critic: Parameters, observation: Tensor, action: Tensor
) -> Tensor:
    """One Q of an action a state, (B, m) -> (B,), or of one of each part, (B, K, m) -> (B, K)."""
    of_each = action_value if action.ndim == 2 else action_values
    return cautious(state, of_each(critic, observation, action))


def _require_reachable(config: Config, spaces: Spaces) -> None:
    """ConfigError for a target entropy that no temperature gives the policy."""
    target = config.target_entropy
    least, most = actors.entropy_range(config.policy, spaces, config.components)
    if target is not None and not least < target < most:
        m, why = spaces.action_size, "a policy on [-1, 1]^m has less than m log 2"
        if not spaces.bounded:
            why = "a Gaussian has m (log(2 pi e) / 2 + log_std), and log_std is limited"
        raise ConfigError(
            f"target_entropy = {target!r} is outside ({least:.4g}, {most:.4g}) nats, for m = {m} "
            f"dimensions of action: {why}, so that the temperature would run away; the usual one "
            f"is -m = {-m}"
        )


def _target_entropy(config: Config, spaces: Spaces) -> float:
    if config.target_entropy is None:
        return losses.continuous_target_entropy(spaces.action_size)
    return config.target_entropy
