r"""Two agents put together without training: the average of their Q's is a network again.

The exact half's `maxent.tabular.composition` says how good Q_Sigma = sum_i w_i Q_i is for the
reward sum_i w_i r_i; this is the same for agents of soft Q-learning, whose policy is the Boltzmann
policy of their Q.  Haarnoja, Pong, Zhou, Dalal, Abbeel, Levine (2018), *Composable Deep
Reinforcement Learning for Robotic Manipulation*.

**A sum of networks is a network.**  Hidden layers side by side (block-diagonal weights), last
layers weighted and added.  Where an agent's Q is the smaller of two, sums of smaller ones are
smallest sums,

    sum_i w_i min_c Q_ic = min over all choices (c_1 ... c_k) of sum_i w_i Q_i,c_i,

so the average has a member for each choice.  What `compose_agents` returns is therefore an `Agent`
like any other: it acts, is evaluated, held against an MDP (`agent.on(mdp)`), and its parameters can
be trained further.

**Continuous actions.**  With discrete ones the policy follows from Q_Sigma exactly.  Otherwise
actions must be drawn from exp(Q_Sigma(s,.)/alpha), in one of two ways:

- `boltzmann_actions`: self-normalised importance sampling.  Candidates a_j from a proposal p, one
  of them kept with probability w_j / sum w, w_j = exp(Q_Sigma(s,a_j)/alpha) / p(a_j): nothing to
  train, exact as their number grows;
- the sampling network of the composed agent, which starts as that of the agent with the largest
  weight and follows Q_Sigma by amortised Stein variational gradients (SQL Eqs. 13-14) in the states
  it is given: one pass through a network for each action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from maxent.errors import ConfigError
from maxent.mdp import validation
from maxent.neural.algorithms import sql, sql_discrete
from maxent.neural.parts.networks import Parameters
from maxent.neural.parts.normalise import as_seen
from maxent.neural.parts.optim import copied, moments
from maxent.neural.parts.resampling import Resampled
from maxent.neural.training.agent import Agent
from maxent.support.arguments import require_count, require_kind
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float

ACTS_BY = ("temperature", "resampling")
"""Parts of a state that are no networks: alpha, and how many candidates there are."""
BATCH = 128
"""States in a step of fitting a sampling network."""


def averaged_network(networks: Sequence[Parameters], weights: Sequence[float]) -> Parameters:
    """Parameters of the network that is sum_i w_i min_c (network i, member c).

    networks: of `mlp_parameters(..., members=)`, with inputs, outputs and number of layers in
    common.  The smallest output over the members of the result, of which there are as many as
    choices of a member of each, is the weighted sum of the smallest outputs of each.
    """
    layers = len(networks[0]) // 2
    counts = [len(network["bias0"]) for network in networks]
    choices = torch.tensor(list(product(*map(range, counts))))  # (members of the result, k)
    result = {}
    for layer in range(layers):
        parts = [
            (network[f"weight{layer}"][chosen], network[f"bias{layer}"][chosen])
            for network, chosen in zip(networks, choices.T, strict=True)
        ]
        if layer == layers - 1:
            parts = [(w * weight, w * bias) for w, (weight, bias) in zip(weights, parts)]
        matrices, biases = zip(*parts, strict=True)
        first, last = layer == 0, layer == layers - 1
        if first and last:
            matrix = torch.stack(matrices).sum(0)
        elif first:
            matrix = torch.cat(matrices, dim=-1)
        elif last:
            matrix = torch.cat(matrices, dim=-2)
        else:
            matrix = torch.stack(
                [torch.block_diag(*blocks) for blocks in zip(*matrices, strict=True)]
            )
        result[f"weight{layer}"] = matrix
        result[f"bias{layer}"] = torch.stack(biases).sum(0) if last else torch.cat(biases, dim=-1)
    return result


def widened(network: Parameters, hidden: tuple[int, ...]) -> Parameters:
    """The same function by a network of these hidden layers: what is added is 0."""
    result = {}
    for layer in range(len(network) // 2):
        weight, bias = network[f"weight{layer}"], network[f"bias{layer}"]
        rows = hidden[layer - 1] if layer else weight.shape[-2]
        columns = hidden[layer] if layer < len(hidden) else weight.shape[-1]
        more = columns - weight.shape[-1]
        padded = torch.nn.functional.pad(weight, (0, more, 0, rows - weight.shape[-2]))
        result[f"weight{layer}"] = padded
        result[f"bias{layer}"] = torch.nn.functional.pad(bias, (0, more))
    return copied(result)


@takes_our_words
def compose_agents(
    agents: Sequence[Agent],
    weights: Sequence[float] | None = None,
    *,
    observations: Float[ndarray, "n d"] | None = None,
    steps: int = 2_000,
    seed: int = 0,
) -> Agent:
    """The agent whose Q is the weighted average of the agents' Q's.

    agents: two or more of soft Q-learning ("sql" or "sql_discrete"), with the same spaces,
    temperature and discount.  weights: at least 0, with sum 1; None: equal ones.

    For a sampling network only: observations (n, d), flattened, in which it is fitted
    in `steps` steps of Adam at the agents' `sampler_rate` (seed: of its noise).  Agents that act by
    resampling do without: the network of the largest weight gives their candidates, fitted or not.

    What comes back keeps the environment that all agents have in common.  Where they were trained
    on different ones, or on one with different settings (tasks that differ in the reward are the
    usual case), it has none, and `evaluate()` needs `env=`.

    Raises ConfigError where the agents do not go together.

    >>> import maxent
    >>> settings = {"map": "S.G", "discount": 0.9}
    >>> agents = [
    ...     maxent.train(
    ...         "sql", "maxent/Gridworld-v0", env_settings=settings, steps=20, seed=seed,
    ...         hidden=(8,), batch_size=4, learning_starts=10,
    ...     )
    ...     for seed in (1, 2)
    ... ]
    >>> both = maxent.compose_agents(agents)
    >>> both.steps, both.env, both.env_settings == settings
    (40, 'maxent/Gridworld-v0', True)
    """
    _check_together(agents)
    if any(agent.config.normalize_observations for agent in agents):
        raise ConfigError(
            "agents trained with normalize_observations see each its own units, so that their "
            "networks have no average; train them without"
        )
    for agent in agents:
        if agent.config.critic_network != "plain" or "ensemble" in agent.state:
            raise ConfigError(
                f"{agent} was trained with critic_network = {agent.config.critic_network!r} and "
                f"smallest_of = {agent.config.smallest_of}: there are averages only of plain "
                "networks of which the smallest counts"
            )
    shares = _weights(weights, len(agents))
    critic = averaged_network([agent.state["critic"] for agent in agents], shares)
    first = agents[int(np.argmax(shares))]
    config = replace(first.config, hidden=_hidden(critic), critics=len(critic["bias0"]))
    state = {"critic": critic, "critic_moments": moments(critic), "target": copied(critic)}
    if "sampler" in first.state:
        if observations is None and "resampling" not in first.state:
            raise ConfigError(
                "actions are continuous: give observations (n, d), the states in which the "
                "sampling network is fitted to the average"
            )
        sampler = widened(first.state["sampler"], config.hidden)
        state |= {"sampler": sampler, "sampler_moments": moments(sampler)}
    state |= {name: copied(first.state[name]) for name in ACTS_BY if name in first.state}
    composed = Agent(
        algorithm=first.algorithm,
        config=config,
        spaces=first.spaces,
        state=state,
        steps=sum(agent.steps for agent in agents),
        start="composed of " + " + ".join(map(_part, shares, agents)),
        **_environment_in_common(agents),
    )
    if "sampler" in state and observations is not None:
        seen = torch.as_tensor(observations, dtype=torch.float32, device=composed.device)
        _fit_sampler(composed, seen, require_count("steps", steps, 0), composed.generator(seed))
    return composed


def boltzmann_actions(
    agent: Agent,
    observations: Float[ndarray, "n d"],
    generator: torch.Generator,
    *,
    candidates: int = 64,
) -> ndarray:
    """Actions (n, m) from exp(Q(s,.)/alpha), by self-normalised importance sampling.

    agent: of continuous soft Q-learning, composed or not; its sampling network gives the places of
    three quarters of the candidates (`mixture_proposal`), the rest are uniform (all are where it
    has none), so that a network that does not follow Q costs candidates and nothing else: KL to
    exp(Q/alpha) falls as one over their number squared (`Resampled`).  In the policy's units,
    [-1, 1]^m.  Agents of `policy="resampled"`, the default, act like this by themselves.
    """
    if not isinstance(agent.config, sql.Config):
        raise ConfigError(f"boltzmann_actions is for agents of sql, not of {agent.algorithm}")
    require_count("candidates", candidates, 2)
    seen = torch.as_tensor(observations, dtype=torch.float32, device=agent.device)
    policy = Resampled(
        agent.state,
        as_seen(agent.state, seen),
        torch.tensor(agent.temperature, device=agent.device),
        candidates,
        agent.spaces.action_size,
    )
    with torch.no_grad():
        return policy.actions(1, generator)[:, 0].cpu().numpy()


def _fit_sampler(
    agent: Agent, observations: Float[Tensor, "n d"], steps: int, generator: torch.Generator
) -> None:
    """Stein variational gradients for the sampling network alone, in place (SQL Eqs. 13-14)."""
    state, config = agent.state, agent.config
    assert isinstance(config, sql.Config)
    for _ in range(steps):
        rows = torch.randint(
            len(observations), (BATCH,), generator=generator, device=generator.device
        )
        noise = sql.particle_noise(BATCH, generator, config, agent.spaces)
        sql.sampler_step(state, observations[rows], noise, config)


def _environment_in_common(agents: Sequence[Agent]) -> dict[str, Any]:
    """`env` and `env_settings` of all agents; None and {} where they differ, as tasks that differ
    in their rewards do: none of them is then the composed agent's."""
    first = agents[0]
    if all((first.env, first.env_settings) == (each.env, each.env_settings) for each in agents):
        return {"env": first.env, "env_settings": dict(first.env_settings)}
    return {"env": None, "env_settings": {}}


def _part(share: float, agent: Agent) -> str:
    """A composed agent's part in words: by these a run begun with it says what it began with."""
    made = f" {agent.env_settings}" if agent.env_settings else ""
    begun = f", begun with {agent.start}" if agent.start else ""
    where = f"{agent.env or 'unnamed environment'}{made}"
    return f"{share:g} x ({where}, {agent.steps} steps{begun})"


def _hidden(network: Parameters) -> tuple[int, ...]:
    """Sizes of the hidden layers."""
    return tuple(network[f"bias{layer}"].shape[-1] for layer in range(len(network) // 2 - 1))


def _weights(weights: Sequence[float] | None, count: int) -> list[float]:
    if weights is None:
        return [1.0 / count] * count
    shares = validation.real_array("weights", weights).ravel().tolist()
    if len(shares) != count or not min(shares) >= 0.0 or not abs(sum(shares) - 1.0) <= 1e-9:
        raise ConfigError(f"weights = {shares}; give {count}, at least 0, that sum to 1")
    return shares


def _check_together(agents: Sequence[Agent]) -> None:
    """ConfigError unless these are two agents or more of one kind of soft Q-learning."""
    require_kind("agents", agents, Sequence)
    if len(agents) < 2:
        raise ConfigError(f"compose_agents() was given {len(agents)} agents; give two or more")
    first = agents[0]
    for place, agent in enumerate(agents):
        require_kind(f"agent {place}", agent, Agent)
        if not isinstance(agent.config, sql.Config | sql_discrete.Config):
            raise ConfigError(
                f"agent {place} is of {agent.algorithm}; composing takes agents of sql or "
                "sql_discrete, whose policies are Boltzmann policies of their Q"
            )
        for name, mine, other in (
            ("algorithm", first.algorithm, agent.algorithm),
            ("temperature", first.temperature, agent.temperature),
            ("discount", first.config.discount, agent.config.discount),
            ("observation space", first.spaces.observation, agent.spaces.observation),
            ("action space", first.spaces.action, agent.spaces.action),
            ("number of hidden layers", len(first.config.hidden), len(agent.config.hidden)),
        ):
            if mine != other:
                raise ConfigError(
                    f"agent {place} has {name} {other}, agent 0 {mine}; composed agents must agree"
                )
