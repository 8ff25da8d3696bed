r"""The error budget of soft Q-learning: one approximation after another, each against the exact.

On the corridor (`maxent.continuous.corridor`) everything is known.  What soft Q-learning puts in
the place of the exact solution is switched on piece by piece; each rung is a pure function of the
corridor, its own settings and a seed, and what it returns is held against V* and pi* by
`Corridor.read`.

==========================  ===================================================================
rung                        what takes the place of what
==========================  ===================================================================
`sampled_fixed_point`       N sampled actions of the integral in V (SQL Eq. 10), Q still a table
`stein_sampler`             a sampling network trained by Stein gradients (SQL Eqs. 13-14) on the
                            exact Q of the Boltzmann policy
`fitted`                    a network of the table Q: first fitted to Q* itself (`targets="exact"`),
                            then soft Q-iteration on all (s,a) with exact soft values; with a
                            target network that lags where `target_rate`, `target_interval` say so
`all_together`              everything at once: minibatches of all transitions, sampled values,
                            sampling network, target network; the algorithm as it is
`read_agent`                the same of a trained agent, for one that lived in the corridor
==========================  ===================================================================

**Sampled values.**  In SQL the regression on targets r + gamma V_N(s') averages their noise out:
its fixed point is that of the *expected* operator, Q = r + gamma E[V_N(Q)].  The noise goes,
Jensen's bias stays and adds up along the way.  To first order, with b(s) the bias of one estimate,

    V - V* ~ (I - gamma P_pi*)^-1 b,      b = -alpha Var(w) / (2 N E[w]^2).

A single sample (N = 1) from p gives exactly V^p, the soft value of p as a policy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.special import ndtri
from torch import Tensor
from torch.func import grad

from maxent.continuous.corridor import Corridor, Reading
from maxent.continuous.environments import CorridorEnv
from maxent.errors import ConfigError
from maxent.neural import losses
from maxent.neural.algorithms import sql
from maxent.neural.diagnostics.tables import q_on
from maxent.neural.parts import proposals, stein
from maxent.neural.parts.networks import Parameters, mlp, mlp_parameters
from maxent.neural.parts.optim import adam, average_into, copied, moments
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.agent import Agent

SPACES = Spaces(CorridorEnv().observation_space, CorridorEnv().action_space)

Draw = Callable[[Tensor, int, torch.Generator], proposals.Proposal]
"""observations (B, 1), number N of actions, source -> N actions and log densities in each state."""

QUANTILES = 4_000
"""Noises at which a sampling network is read off: the midpoints of equal shares of a normal."""


# rung 1: sampled values


def uniform_weights(
    corridor: Corridor, samples: int, estimates: int, seed: int
) -> Float[ndarray, "S K A"]:
    """What N uniform actions give each node in K estimates of V(s): (1/N) sum_i 1/p(a_i) over
    those that count as the node."""
    share = 0.5 * corridor.grid.volumes
    counts = np.random.default_rng(seed).multinomial(
        samples, share / share.sum(), size=(len(corridor.v), estimates)
    )
    return counts * (2.0 / samples)


def proposal_weights(
    corridor: Corridor, draw: Draw, samples: int, estimates: int, seed: int
) -> Float[ndarray, "S K A"]:
    """The same for actions drawn by any proposal."""
    generator = torch.Generator().manual_seed(seed)
    weights = np.zeros((len(corridor.v), estimates, len(corridor.grid.actions)))
    states = np.arange(len(corridor.v))[:, None, None]
    at_once = max(1, 20_000 // samples**2)
    for first in range(0, estimates, at_once):
        count = min(at_once, estimates - first)
        observation = observations(corridor).repeat_interleave(count, dim=0)
        with torch.no_grad():
            drawn = draw(observation, samples, generator)
        shape = (len(corridor.v), count, samples)
        node = corridor.nearest_node(drawn.action.double().numpy().reshape(shape))
        inverse = torch.exp(-drawn.log_density.double()).numpy().reshape(shape) / samples
        np.add.at(weights, (states, first + np.arange(count)[:, None], node), inverse)
    return weights


def uniform_and_network(sampler: Parameters) -> Draw:
    """Half uniform, half near a sampling network's actions: the algorithm's default proposal."""

    def draw(observation: Tensor, count: int, source: torch.Generator) -> proposals.Proposal:
        near = count // 2
        return proposals.mixture_proposal(
            sampler,
            observation,
            torch.rand((len(observation), count - near, 1), generator=source),
            torch.randn((len(observation), near, 1), generator=source),
            torch.randn((len(observation), near, 1), generator=source),
        )

    return draw


def network_alone(sampler: Parameters) -> Draw:
    """A sampling network's actions with its own density (SQL App. C.2)."""

    def draw(observation: Tensor, count: int, source: torch.Generator) -> proposals.Proposal:
        noise = torch.randn((len(observation), count, 1), generator=source)
        return proposals.network_proposal(sampler, observation, noise)

    return draw


def sampled_fixed_point(
    corridor: Corridor,
    weights: Float[ndarray, "S K A"],
    *,
    unbiased: bool = True,
    tolerance: float = 1e-9,
) -> Float[ndarray, " S"]:
    """V of Q = r + gamma E[ V_N(Q) ] (SQL-T2 with Eq. 10), the expectation over K estimates.

    unbiased: E[w] = integral exp(Q/alpha) da, as with any proposal that covers the box.  Then the
    mean weight's relative error, whose expectation is 0, is taken out: with it goes most noise.
    """
    alpha, v = corridor.solution.temperature, corridor.v
    while True:
        q = corridor.backup(v)
        top = q.max(axis=1, keepdims=True)
        mean_weight = (weights @ np.exp((q - top) / alpha)[:, :, None])[..., 0]
        if unbiased:
            exact = corridor.soft_value(q)
            ratio = mean_weight * np.exp((top[:, 0] - exact) / alpha)[:, None]
            after = exact + alpha * (np.log(ratio) - (ratio - 1.0)).mean(axis=1)
        else:
            after = top[:, 0] + alpha * np.log(mean_weight).mean(axis=1)
        if np.abs(after - v).max() <= tolerance:
            return after
        v = after


# rung 2: a sampling network


def stein_sampler(
    corridor: Corridor,
    *,
    seed: int,
    steps: int,
    particles: int = 16,
    batch_size: int = 64,
    hidden: tuple[int, ...] = (64, 64),
    rate: float = 1e-3,
    form: stein.Form = "pre-tanh",
) -> Parameters:
    """A sampling network trained on the exact Q*, linear between the nodes, in random states."""
    generator = torch.Generator().manual_seed(seed)
    sampler = mlp_parameters((2, *hidden, 1), generator=generator)
    state, seen = moments(sampler), observations(corridor)
    q = torch.as_tensor(corridor.q, dtype=torch.float32)
    for _ in range(steps):
        rows = torch.randint(len(q), (batch_size,), generator=generator)
        noise = torch.randn((2, batch_size, particles, 1), generator=generator)
        fixed = proposals.sample(sampler, seen[rows], noise[0])

        def likeness(
            parameters: Parameters,
            rows: Tensor = rows,
            noise: Tensor = noise,
            fixed: Tensor = fixed,
        ) -> Tensor:
            return stein.sampler_loss(
                lambda actions: between_nodes(q[rows], actions),
                fixed,
                proposals.sample(parameters, seen[rows], noise[1]),
                corridor.solution.temperature,
                form=form,
            )

        adam(sampler, grad(likeness)(sampler), state, rate)
    return sampler


def between_nodes(q: Float[Tensor, "B A"], actions: Float[Tensor, "B N 1"]) -> Float[Tensor, "B N"]:
    """Q(s,a) of any actions in [-1, 1]: linear between the nodes, with that slope as gradient."""
    place = 0.5 * (actions.squeeze(-1) + 1.0) * (q.shape[-1] - 1)
    below = place.detach().floor().clamp(0, q.shape[-1] - 2).long()
    low, high = q.gather(-1, below), q.gather(-1, below + 1)
    return low + (place - below) * (high - low)


def sampler_policy(corridor: Corridor, sampler: Parameters) -> Float[ndarray, "S A"]:
    """log probabilities of the cells under a sampling network; -inf for one it never takes."""
    with torch.no_grad():
        u = proposals.sample(sampler, observations(corridor), _quantiles(len(corridor.v)))
    node = corridor.nearest_node(torch.tanh(u[..., 0]).double().numpy())
    counts = np.zeros(corridor.q.shape)
    np.add.at(counts, (np.arange(len(node))[:, None], node), 1.0 / QUANTILES)
    with np.errstate(divide="ignore"):
        return np.log(counts)


def sampler_value(corridor: Corridor, sampler: Parameters) -> Float[ndarray, " S"]:
    """V* estimated from any number of the network's actions by its own density: what is left is
    what the network folds or leaves out, alpha log integral k(a) exp(Q*/alpha) da."""
    with torch.no_grad():
        drawn = proposals.network_proposal(
            sampler, observations(corridor), _quantiles(len(corridor.v))
        )
    node = corridor.nearest_node(drawn.action[..., 0].double().numpy())
    q = torch.as_tensor(np.take_along_axis(corridor.q, node, axis=1))
    return proposals.importance_sampled_soft_value(
        q, drawn.log_density.double(), corridor.solution.temperature
    ).numpy()


def _quantiles(states: int) -> Float[Tensor, "B N 1"]:
    noise = ndtri((np.arange(QUANTILES) + 0.5) / QUANTILES)
    return torch.as_tensor(noise, dtype=torch.float32)[None, :, None].expand(states, -1, -1)


# rungs 3 and 4: a network for Q, and a target that lags


def fitted(
    corridor: Corridor,
    *,
    seed: int,
    steps: int,
    targets: Literal["exact", "own"] = "own",
    target_rate: float = 1.0,
    target_interval: int = 1,
    hidden: tuple[int, ...] = (64, 64),
    rate: float = 1e-3,
) -> Parameters:
    """A network for Q after full-batch gradient steps on every (s, a), with exact soft values.

    targets: "exact": Q* itself.  "own": r + gamma V(s'), V the exact soft value of the target
    network, which takes over `target_rate` of the network every `target_interval` steps (1 and 1:
    no lag).
    """
    if targets not in ("exact", "own"):
        raise ConfigError(f"targets = {targets!r} is unknown; give 'exact' or 'own'")
    generator = torch.Generator().manual_seed(seed)
    batch = transitions(corridor)
    pairs = torch.cat([batch.observation, batch.action], dim=1)
    critic = mlp_parameters((2, *hidden, 1), generator=generator)
    target, state = copied(critic), moments(critic)
    shape, alpha = corridor.q.shape, corridor.solution.temperature
    bonus = torch.as_tensor(corridor.volume_bonus, dtype=torch.float32)
    successor = torch.as_tensor(corridor.successor).ravel()
    next_v = torch.as_tensor(np.append(corridor.v, 0.0), dtype=torch.float32)[successor]
    for count in range(steps):
        if targets == "own" and count % target_interval == 0:
            average_into(target, critic, target_rate)
            with torch.no_grad():
                q = mlp(target, pairs).reshape(shape)
            v = alpha * torch.logsumexp((q + bonus) / alpha, dim=-1)
            next_v = torch.cat([v, v.new_zeros(1)])[successor]

        def loss(parameters: Parameters, next_v: Tensor = next_v) -> Tensor:
            return losses.soft_q_loss(mlp(parameters, pairs).squeeze(-1), batch, next_v)

        adam(critic, grad(loss)(critic), state, rate)
    return critic


def network_q(corridor: Corridor, critic: Parameters) -> Float[ndarray, "S A"]:
    """Q(s,a) of a network at every node."""
    batch = transitions(corridor)
    with torch.no_grad():
        q = mlp(critic, torch.cat([batch.observation, batch.action], dim=1))
    return q.reshape(corridor.q.shape).double().numpy()


def observations(corridor: Corridor) -> Float[Tensor, "S 1"]:
    """The vertices as a network sees them."""
    return torch.as_tensor(corridor.grid.states, dtype=torch.float32)


def transitions(corridor: Corridor) -> Batch:
    """Every (s, a, s') of the grid once, with its discount on arrival."""
    states, actions = corridor.grid.states, corridor.grid.actions
    terminated = corridor.successor.ravel() == len(states)
    observation = np.repeat(states, len(actions), axis=0)
    action = np.tile(actions, (len(states), 1))
    arrays = (
        observation,
        action,
        corridor.reward.ravel(),
        corridor.grid.task.step(observation, action)[0],
        corridor.grid.discount * ~terminated,
    )
    return Batch(*(torch.as_tensor(array, dtype=torch.float32) for array in arrays))


# rung 5: everything at once


def all_together(corridor: Corridor, config: sql.Config, *, seed: int, steps: int) -> Agent:
    """Soft Q-learning as it is, on minibatches drawn from all transitions of the grid."""
    generator = torch.Generator().manual_seed(seed)
    state = sql.init(SPACES, config, generator)
    stored = transitions(corridor)
    for _ in range(steps):
        rows = torch.randint(len(stored.reward), (config.batch_size,), generator=generator)
        batch = stored.each(partial(torch.index_select, dim=0, index=rows))
        noise = sql.draw(config.batch_size, generator, config, SPACES)
        sql.update(state, batch, noise, config, SPACES)
    return Agent(algorithm="sql", config=config, spaces=SPACES, state=state, steps=steps)


def read_agent(corridor: Corridor, agent: Agent) -> tuple[Reading, Reading]:
    """What a soft Q-learner costs: with its sampling network as the policy, and with the exact
    Boltzmann policy of its Q.  V is the exact soft value of its Q in both."""
    q = q_on(agent, corridor.mdp)[:-1]
    v = corridor.soft_value(q)
    sampled = sampler_policy(corridor, agent.state["sampler"])
    return corridor.read(v, sampled), corridor.read(v, corridor.boltzmann_policy(q))
