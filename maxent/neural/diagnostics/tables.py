"""What an agent does, and believes, in every state of an MDP."""

from __future__ import annotations

import numpy as np
import torch
from gymnasium.spaces import Discrete
from jaxtyping import Float
from numpy import ndarray
from scipy.special import ndtr

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.neural.algorithms import sac_discrete, sql_discrete
from maxent.neural.parts import policies, proposals
from maxent.neural.parts.networks import action_values, mlp
from maxent.neural.training.agent import Agent
from maxent.solution import Solution
from maxent.tabular import operators
from maxent.tabular.solvers import soft_policy_evaluation

SAMPLES = 2_000
"""Actions drawn in each state where a policy has no density to integrate."""


def evaluated_on(agent: Agent, mdp: MDP) -> Solution:
    """The exact evaluation of the agent's policy on an MDP, at its temperature (SAC-L1)."""
    return soft_policy_evaluation(mdp, policy_on(agent, mdp), agent.temperature)


def policy_on(agent: Agent, mdp: MDP) -> Float[ndarray, "S A"]:
    """The agent's action probabilities in every state of an MDP, (S, A).

    Discrete actions: the policy over the available actions.  Continuous ones: the probability of
    each action's cell, the part of the box nearest to `mdp.actions`, which must form a regular
    grid; exact for Gaussian policies, from samples (seed 0) for sampling networks.
    """
    mdp, seen = require_mdp(mdp), observations_of(agent, mdp)
    if agent.spaces.discrete:
        if mdp.n_actions != agent.spaces.action_size:
            raise ConfigError(
                f"the agent has {agent.spaces.action_size} actions, the MDP {mdp.n_actions}"
            )
        log_policy = discrete_log_policy(agent, seen)
        return np.exp(operators.boltzmann_policy(log_policy, 1.0, mdp.log_mask))
    edges = _edges(agent, mdp)
    if is_sampled(agent):
        return _sampled_cells(agent, seen, edges)
    joint = np.ones((len(seen), 1))
    for axis, inner in enumerate(edges):
        along = _gaussian_cells(agent, seen, axis, inner)
        joint = (joint[:, :, None] * along[:, None, :]).reshape(len(joint), -1)
    return joint / joint.sum(axis=1, keepdims=True)


def observations_of(agent: Agent, mdp: MDP) -> Float[ndarray, "S d"]:
    """What the agent sees in each state, flattened as for its networks."""
    space, seen = agent.spaces.observation, mdp.observations
    if seen is None:
        seen = np.arange(mdp.n_states)
        if isinstance(space, Discrete):
            nonterminal = np.flatnonzero(~mdp.terminal)
            if mdp.n_states < space.n or nonterminal.max(initial=0) >= space.n:
                raise ConfigError(
                    f"the MDP has {mdp.n_states} states, the agent sees {space.n}: it was trained "
                    "on something else"
                )
            # an end that a table was given besides its own states is never acted in
            seen = space.start + np.minimum(seen, space.n - 1)
    try:
        return np.stack([agent.spaces.checked(each) for each in seen])
    except ConfigError as error:
        raise ConfigError(
            f"the agent was trained on something else than this MDP: {error}"
        ) from None


def q_on(agent: Agent, mdp: MDP) -> Float[ndarray, "S A"]:
    """The agent's own q (the smaller of two) for every state and action of an MDP, (S, A).

    Continuous actions: q(s, a) at the nodes `mdp.actions`, without the term of their cells.
    """
    seen = torch.as_tensor(observations_of(agent, mdp), device=agent.device)
    with torch.no_grad():
        if agent.spaces.discrete:
            q = mlp(agent.state["critic"], seen).amin(0)
        else:
            every = torch.as_tensor(nodes(agent, mdp), device=agent.device)
            parts = [
                action_values(agent.state["critic"], part, every.expand(len(part), -1, -1)).amin(0)
                for part in seen.split(max(1, 200_000 // len(every)))
            ]
            q = torch.cat(parts)
    return q.double().cpu().numpy()


def discrete_log_policy(agent: Agent, seen: Float[ndarray, "n d"]) -> Float[ndarray, "n A"]:
    """log pi(a|s) of an agent with discrete actions, for flattened observations."""
    observations = torch.as_tensor(seen, device=agent.device)
    with torch.no_grad():
        if "actor" in agent.state:
            chances = sac_discrete.log_policy(agent.state["actor"], observations)
        else:
            temperature = agent.state["temperature"]["fixed"]
            chances = sql_discrete.log_policy(agent.state["critic"], observations, temperature)
    return chances.double().cpu().numpy()


def nodes(agent: Agent, mdp: MDP) -> Float[ndarray, "A m"]:
    """The MDP's actions in the units of the agent's policy."""
    if mdp.actions is None:
        raise ConfigError(
            "the agent's actions are continuous: the MDP must say, in its `actions`, what each "
            "action number stands for (maxent.continuous.discretise does)"
        )
    if mdp.actions.shape[1] != agent.spaces.action_size:
        raise ConfigError(
            f"the MDP's actions have {mdp.actions.shape[1]} numbers, the agent's "
            f"{agent.spaces.action_size}"
        )
    return agent.spaces.from_environment(mdp.actions)


def _edges(agent: Agent, mdp: MDP) -> list[ndarray]:
    """The inner edges of the cells of `mdp.actions` along each axis, the last axis fastest."""
    points = nodes(agent, mdp).astype(float)
    axes = [np.unique(points[:, axis]) for axis in range(points.shape[1])]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    if grid.shape != points.shape or not np.allclose(grid, points):
        raise ConfigError(
            "the MDP's actions must be all points of a regular grid, the last axis fastest"
        )
    return [0.5 * (axis[1:] + axis[:-1]) for axis in axes]


def _gaussian_cells(agent: Agent, seen: ndarray, axis: int, edges: ndarray) -> ndarray:
    """Probabilities (n, cells) of a Gaussian policy along one axis, in closed form."""
    with torch.no_grad():
        mean, log_std = policies.mean_and_log_std(
            agent.state["actor"], torch.as_tensor(seen, device=agent.device)
        )
    centre = mean[:, axis, None].double().cpu().numpy()
    std = np.exp(log_std[:, axis, None].double().cpu().numpy())
    inner = np.arctanh(edges) if agent.spaces.bounded else edges
    ends = np.zeros((len(seen), 1))
    z = np.concatenate([ends - np.inf, (inner - centre) / std, ends + np.inf], axis=1)
    low, high = z[:, :-1], z[:, 1:]
    upper = low > 0.0  # there from above, where the difference keeps its digits
    return np.where(upper, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))


def is_sampled(agent: Agent) -> bool:
    """Whether the agent's policy has no density that could be integrated over a cell."""
    return not agent.spaces.discrete and "actor" not in agent.state


def _sampled_cells(agent: Agent, seen: ndarray, edges: list[ndarray]) -> ndarray:
    """Frequencies (n, cells) of a sampling network's actions."""
    shape = tuple(len(inner) + 1 for inner in edges)
    generator, counts = agent.generator(0), np.zeros((len(seen), int(np.prod(shape))))
    for first in range(0, len(seen), 256):
        observations = torch.as_tensor(seen[first : first + 256], device=agent.device)
        size = (len(observations), SAMPLES, len(edges))
        noise = torch.randn(size, generator=generator, device=agent.device)
        with torch.no_grad():
            action = torch.tanh(proposals.sample(agent.state["sampler"], observations, noise))
        drawn = action.double().cpu().numpy()
        places = [np.searchsorted(inner, drawn[..., axis]) for axis, inner in enumerate(edges)]
        cells = np.ravel_multi_index(places, shape)
        rows = np.arange(first, first + len(observations))[:, None]
        np.add.at(counts, (np.broadcast_to(rows, cells.shape), cells), 1.0)
    return counts / SAMPLES
