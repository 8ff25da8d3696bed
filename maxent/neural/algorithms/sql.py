r"""Soft Q-learning for continuous actions, which acts from its Q itself.

SQL: Haarnoja, Tang, Abbeel, Levine (2017), *Reinforcement Learning with Deep Energy-Based
Policies*, Algorithm 1.  For each gradient step, on a minibatch of transitions (s, a, r, s') with
discount on arrival d:

1. soft value:   draw a'_i from a proposal p,
   V(s') = alpha log (1/N) sum_i exp( Qbar(s', a'_i) / alpha ) / p(a'_i)             (SQL Eq. 10)
2. soft Q:       Q <- Q - rate grad 1/2 ( Q(s,a) - r - d V(s') )^2        (SQL Eq. 11, SQL-T2)
3. sampler:      a = f(noise; s) follows exp(Q(s,.)/alpha) by Stein variational gradients,
   f <- f + rate E[ Delta f . grad f ]                                          (SQL Eqs. 13-14)
4. target:       every `target_interval` steps, Qbar <- (1 - tau) Qbar + tau Q

What acts is Q itself: of `candidates` actions one, by exp(Q/alpha) over their density (see
`resampling`); the sampling network is where most candidates come from.  `policy="sampler"` acts by
the network, as the paper does.  With `proposal="uniform"` a resampled policy has no network and no
step 3.

Where it departs from the paper by default: the Stein gradient is taken before the tanh, which has
the right fixed point (`form="original"` is the authors' program's), the proposal is a mixture of
uniform and sampled actions, and the smaller of two Q's is used (`critics=1` is the paper's), with
averaged targets (`target_interval=1000, target_rate=1.0` copies them as in the paper).  Proposals
use the sampler as it is now, where the paper keeps a copy of it with the target Q: the weights
make up for the difference.  Exploration is the policy's own randomness, without added noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from maxent.errors import ConfigError
from maxent.neural import losses
from maxent.neural.algorithms import temperature
from maxent.neural.algorithms.settings import Settings, no_value_network
from maxent.neural.parts import policies, proposals, stein
from maxent.neural.parts.ensembles import cautious
from maxent.neural.parts.networks import Parameters, action_value, action_values, mlp_parameters
from maxent.neural.parts.optim import adam, average_into, copied, gradient_of, moments
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.resampling import UNIFORM_DIMENSIONS, Resampled
from maxent.neural.parts.spaces import Spaces
from maxent.support.arguments import require_count, require_one_of, require_positive

ProposalName = Literal["mixture", "uniform", "network"]
PolicyName = Literal["resampled", "sampler"]
CENTRES = 32
"""Samples of the network that the mixture puts its Gaussians on, at least."""

KERNELS = {
    "gaussian": stein.gaussian_kernel,
    "inverse-multiquadric": stein.inverse_multiquadric_kernel,
}


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Settings of soft Q-learning.

    temperature : alpha; the reward scale of the authors' program is 1/alpha.
    batch_size, hidden : smaller than elsewhere, as in the authors' program: a gradient step
        values batch_size * (value_particles + 2 * particles) actions.
    policy : what acts: "resampled", one of `candidates` actions of `proposal`, by exp(Q/alpha) over
        their density; or "sampler", the sampling network, as in the paper.
    candidates : of the resampled policy, for each action.
    proposal : what the soft value is sampled from, and candidates: "mixture", "uniform" or
        "network" (not for candidates).  A resampled policy with "uniform" has no sampling network,
        for up to 3 dimensions of action.
    value_particles : actions in each estimate of the soft value.
    particles : fixed, and as many moved, actions of a state in a Stein gradient.
    kernel : "gaussian" or "inverse-multiquadric".
    form : of the Stein gradient: "pre-tanh", "original" or "map"; see `stein`.
    critic_rate, sampler_rate : learning rates of Adam.
    target_rate, target_interval : the share of Q that its target takes over, and after how many
        gradient steps it does.
    """

    temperature: float = 0.1
    batch_size: int = 128
    hidden: tuple[int, ...] = (128, 128)
    policy: PolicyName = "resampled"
    candidates: int = 64
    proposal: ProposalName = "mixture"
    value_particles: int = 16
    particles: int = 16
    kernel: str = "gaussian"
    form: stein.Form = "pre-tanh"
    critic_rate: float = 3e-4
    sampler_rate: float = 3e-4
    target_rate: float = 0.005
    target_interval: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("temperature", self.temperature)
        for name in ("value_particles", "particles", "target_interval"):
            require_count(name, getattr(self, name))
        if self.proposal == "mixture":
            require_count("value_particles", self.value_particles, 2)
        require_count("candidates", self.candidates, 2)
        for name, known in (
            ("policy", get_args(PolicyName)),
            ("proposal", get_args(ProposalName)),
            ("kernel", KERNELS),
            ("form", get_args(stein.Form)),
        ):
            require_one_of(name, getattr(self, name), known)
        if self.policy == "resampled" and self.proposal == "network":
            raise ConfigError(
                'proposal = "network" with policy = "resampled": where the sampling network folds, '
                'the density of a candidate is not known; give policy = "sampler", or the proposal '
                f'"mixture", or "uniform" for up to {UNIFORM_DIMENSIONS} dimensions of action'
            )

    @property
    def unused(self) -> dict[str, str]:
        found = super().unused
        if self.policy != "resampled":
            found["candidates"] = 'with policy="resampled"'
        if not self.has_sampler:
            of_sampler = ("particles", "kernel", "form", "sampler_rate")
            found |= dict.fromkeys(
                of_sampler, 'where there is a sampling network, as with proposal="mixture"'
            )
        return found

    @property
    def has_sampler(self) -> bool:
        """Whether there is a sampling network."""
        return self.policy == "sampler" or self.proposal != "uniform"

    @property
    def rows_of_update(self) -> int:
        return self.batch_size * (self.value_particles + 2 * self.particles * self.has_sampler)


def init(spaces: Spaces, config: Config, generator: torch.Generator) -> dict[str, Any]:
    """Everything that learns, before it has: parameters, target, moments."""
    if not spaces.bounded:
        raise ConfigError(
            "sql needs a Box of actions with finite sides (the soft value is an integral over it); "
            "use sql_discrete for Discrete actions, sac for a box without sides"
        )
    observed, acted = spaces.observation_size, spaces.action_size
    critic = mlp_parameters(
        (observed + acted, *config.hidden, 1),
        generator=generator,
        members=config.critics,
        kind=config.critic_network,
    )
    state = {"critic": critic, "critic_moments": moments(critic), "target": copied(critic)}
    if config.has_sampler:
        sampler = mlp_parameters((observed + acted, *config.hidden, acted), generator=generator)
        state |= {"sampler": sampler, "sampler_moments": moments(sampler)}
    elif acted > UNIFORM_DIMENSIONS:
        raise ConfigError(
            f"actions have {acted} dimensions: uniform candidates serve up to "
            f'{UNIFORM_DIMENSIONS}, where the nearest of them is far; give proposal="mixture"'
        )
    if config.policy == "resampled":
        state["temperature"] = {"fixed": torch.tensor(config.temperature, device=generator.device)}
        state["resampling"] = {"candidates": torch.tensor(config.candidates)}
    return state


def act(
    state: dict[str, Any],
    observation: Tensor,
    generator: torch.Generator,
    spaces: Spaces,
    deterministic: bool = False,
) -> Tensor:
    """Actions of the policy in states (n, d) -> (n, m).

    deterministic: of 32 samples of the network, or of the candidates, the one with the largest Q.
    """
    if isinstance(resampled := policy(state, observation, spaces), Resampled):
        if deterministic:
            return resampled.best(generator)
        return resampled.actions(1, generator)[:, 0]
    shape = (len(observation), 32 if deterministic else 1, spaces.action_size)
    noise = torch.randn(shape, generator=generator, device=generator.device)
    actions = torch.tanh(proposals.sample(state["sampler"], observation, noise))
    if not deterministic:
        return actions[:, 0]
    best = cautious(state, action_values(state["critic"], observation, actions)).argmax(-1)
    return actions[torch.arange(len(best), device=best.device), best]


def policy(
    state: dict[str, Any], observation: Tensor, spaces: Spaces
) -> policies.SamplingNetwork | Resampled:
    """What acts in states (n, d): the sampling network, or Q with candidates to choose from."""
    if "resampling" not in state:
        return policies.SamplingNetwork(state["sampler"], observation)
    return Resampled(
        state,
        observation,
        state["temperature"]["fixed"],
        int(state["resampling"]["candidates"]),
        spaces.action_size,
    )


def log_policy(
    state: dict[str, Any], observation: Tensor, actions: Tensor, spaces: Spaces
) -> Tensor:
    """log pi(a|s) of given actions, estimated: (n, d), (n, N, m) -> (n, N); see `Resampled`.

    Of a sampling network refused with a ConfigError that says what there is: `SamplingNetwork`.
    """
    return policy(state, observation, spaces).log_density(actions)


def q_values(state: dict[str, Any], observation: Tensor, actions: Tensor, spaces: Spaces) -> Tensor:
    """min_i Q_i(s, a) of given actions: (n, d), (n, N, m) -> (n, N)."""
    return cautious(state, action_values(state["critic"], observation, actions))


state_values = no_value_network


def draw(
    count: int, generator: torch.Generator, config: Config, spaces: Spaces
) -> dict[str, Tensor]:
    """The noise of an update on `count` transitions: of the proposal in step 1 (what `propose`
    takes) and of both sets of particles in step 3."""
    size = spaces.action_size

    def uniform(number: int) -> Tensor:
        return torch.rand((count, number, size), generator=generator, device=generator.device)

    def normal(number: int) -> Tensor:
        return torch.randn((count, number, size), generator=generator, device=generator.device)

    values = config.value_particles
    if config.proposal == "uniform":
        noise = {"uniform": uniform(values)}
    elif config.proposal == "network":
        noise = {"network": normal(values)}
    else:
        near = values - max(1, values // 4)
        centres = max(near, CENTRES)
        noise = {"uniform": uniform(values - near), "centres": normal(centres)}
        noise["near"] = normal(near)
    if config.has_sampler:
        noise |= particle_noise(count, generator, config, spaces)
    return noise


def particle_noise(
    count: int, generator: torch.Generator, config: Config, spaces: Spaces
) -> dict[str, Tensor]:
    """The noise of `sampler_step` in `count` states, of the fixed and the moved particles."""
    shape = (2, count, config.particles, spaces.action_size)
    fixed, moved = torch.randn(shape, generator=generator, device=generator.device)
    return {"fixed": fixed, "moved": moved}


def update(
    state: dict[str, Any],
    batch: Batch,
    noise: dict[str, Tensor],
    config: Config,
    spaces: Spaces,
    follow: bool = True,
) -> dict[str, Tensor]:
    """One gradient step of everything, in place.  What it logs is on its docs/algorithms page."""
    alpha = temperature.of(state, config)
    proposal = propose(state.get("sampler"), batch.next_observation, noise, config)
    next_q = cautious(
        state, action_values(state["target"], batch.next_observation, proposal.action)
    )
    next_v = proposals.importance_sampled_soft_value(next_q, proposal.log_density, alpha)

    def evaluation(critic: Parameters) -> tuple[Tensor, Tensor]:
        q = action_value(critic, batch.observation, batch.action)
        return losses.soft_q_loss(q, batch, next_v), q.mean()

    gradient, critic_loss, q = gradient_of(evaluation, state["critic"])
    adam(state["critic"], gradient, state["critic_moments"], config.critic_rate)

    actions = proposal.action
    if config.has_sampler:
        actions = torch.tanh(sampler_step(state, batch.observation, noise, config))

    if follow:
        average_into(state["target"], state["critic"], config.target_rate)
    effective = proposals.effective_sample_size(next_q, proposal.log_density, alpha)
    return {
        "critic_loss": critic_loss,
        "q": q,
        "next_v": next_v.mean(),
        "effective_sample_size": effective.mean(),
        "spread": actions.std(-2, correction=0).mean(),
    }


def propose(
    sampler: Parameters | None, observation: Tensor, noise: dict[str, Tensor], config: Config
) -> proposals.Proposal:
    """Actions and log densities from which the soft value is estimated in states (B, d)."""
    if config.proposal == "uniform" or sampler is None:
        return proposals.uniform_proposal(noise["uniform"])
    if config.proposal == "network":
        return proposals.network_proposal(sampler, observation, noise["network"])
    return proposals.mixture_proposal(
        sampler, observation, noise["uniform"], noise["centres"], noise["near"]
    )


def sampler_step(
    state: dict[str, Any], observation: Tensor, noise: dict[str, Tensor], config: Config
) -> Tensor:
    """Step 3 in states (B, d), in place: the sampling network follows the critic.

    noise: of `particle_noise`.  Gives the fixed particles before tanh, (B, N, m).
    """
    fixed = proposals.sample(state["sampler"], observation, noise["fixed"])

    def likeness(sampler: Parameters) -> tuple[Tensor, tuple[()]]:
        loss = stein.sampler_loss(
            lambda actions: cautious(state, action_values(state["critic"], observation, actions)),
            fixed,
            proposals.sample(sampler, observation, noise["moved"]),
            temperature.of(state, config),
            kernel=KERNELS[config.kernel],
            form=config.form,
        )
        return loss, ()

    gradient, _, _ = gradient_of(likeness, state["sampler"])
    adam(state["sampler"], gradient, state["sampler_moments"], config.sampler_rate)
    return fixed
