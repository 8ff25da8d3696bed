"""What an agent does, and believes, in every state of an MDP."""

from __future__ import annotations

import numpy as np
import torch
from gymnasium.spaces import Discrete
from numpy import ndarray
from scipy.special import ndtr

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.neural.diagnostics.trained import (
    TrainedAgent,
    as_doubles,
    every_action,
    log_policy_in,
    policy_in,
    q_in,
)
from maxent.neural.parts.policies import Flow, Gaussian, Mixture, Resampled, SamplingNetwork
from maxent.solution import Solution
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.solvers import soft_policy_evaluation

SAMPLES = 2_000
"""Actions drawn in each state where a policy has no density to integrate."""


def evaluated_on(agent: TrainedAgent, mdp: MDP) -> Solution:
    """The exact evaluation of the agent's policy on an MDP, at its temperature (SAC-L1)."""
    return soft_policy_evaluation(mdp, policy_on(agent, mdp), agent.temperature)


def policy_on(agent: TrainedAgent, mdp: MDP) -> Float[ndarray, "S A"]:
    """The agent's action probabilities in every state of an MDP, (S, A).

    Discrete actions: the policy over the available actions.  Continuous ones: the probability of
    each action's cell, the part of the box nearest to `mdp.actions`, which must form a regular
    grid; exact for Gaussian policies and mixtures, from samples (seed 0) for sampling networks.
    """
    mdp, seen = require_mdp(mdp), observations_of(agent, mdp)
    if agent.spaces.discrete:
        if mdp.n_actions != agent.spaces.action_size:
            raise ConfigError(
                f"the agent has {agent.spaces.action_size} actions, the MDP {mdp.n_actions}"
            )
        log_policy = as_doubles(log_policy_in(agent, seen, every_action(agent, len(seen))))
        available: ndarray = np.exp(operators.boltzmann_policy(log_policy, 1.0, mdp.log_mask))
        return available
    edges = _edges(agent, mdp)
    policy = policy_in(agent, seen)
    if isinstance(policy, Gaussian):
        parts = [(np.ones(len(seen)), policy)]
    elif isinstance(policy, Mixture):
        parts = [
            (np.exp(as_doubles(log_share)), Gaussian(mean, log_std, policy.squashed))
            for log_share, mean, log_std in zip(
                *(x.unbind(1) for x in (policy.log_share, policy.mean, policy.log_std)), strict=True
            )
        ]
    else:
        return _sampled_cells(agent, seen, edges)
    joint: ndarray = np.sum([w[:, None] * _joint_cells(part, edges) for w, part in parts], axis=0)
    joint /= joint.sum(axis=1, keepdims=True)
    return joint


def observations_of(agent: TrainedAgent, mdp: MDP) -> Float[ndarray, "S d"]:
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


def q_on(agent: TrainedAgent, mdp: MDP) -> Float[ndarray, "S A"]:
    """The agent's own q (the smaller of two) for every state and action of an MDP, (S, A).

    Continuous actions: q(s, a) at the nodes `mdp.actions`, without the term of their cells.
    """
    seen = observations_of(agent, mdp)
    if agent.spaces.discrete:
        return as_doubles(q_in(agent, seen, every_action(agent, len(seen))))
    every = nodes(agent, mdp)
    at_once = max(1, 200_000 // len(every))
    parts = [seen[first : first + at_once] for first in range(0, len(seen), at_once)]
    return np.concatenate(
        [as_doubles(q_in(agent, part, np.tile(every, (len(part), 1, 1)))) for part in parts]
    )


def nodes(agent: TrainedAgent, mdp: MDP) -> Float[ndarray, "A m"]:
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


def _edges(agent: TrainedAgent, mdp: MDP) -> list[ndarray]:
    """The inner edges of the cells of `mdp.actions` along each axis, the last axis fastest."""
    points = nodes(agent, mdp).astype(float)
    axes = [np.unique(points[:, axis]) for axis in range(points.shape[1])]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    if grid.shape != points.shape or not np.allclose(grid, points):
        raise ConfigError(
            "the MDP's actions must be all points of a regular grid, the last axis fastest"
        )
    return [0.5 * (axis[1:] + axis[:-1]) for axis in axes]


def _joint_cells(policy: Gaussian, edges: list[ndarray]) -> ndarray:
    """Probabilities (n, cells) of a Gaussian policy, the last axis fastest."""
    joint: ndarray = np.ones((len(policy.mean), 1))
    for axis, inner in enumerate(edges):
        along = _gaussian_cells(policy, axis, inner)
        joint = (joint[:, :, None] * along[:, None, :]).reshape(len(joint), -1)
    return joint


def _gaussian_cells(policy: Gaussian, axis: int, edges: ndarray) -> ndarray:
    """Probabilities (n, cells) of a Gaussian policy along one axis, in closed form."""
    centre = as_doubles(policy.mean[:, axis, None])
    std = np.exp(as_doubles(policy.log_std[:, axis, None]))
    inner = np.arctanh(edges) if policy.squashed else edges
    ends = np.zeros((len(centre), 1))
    z = np.concatenate([ends - np.inf, (inner - centre) / std, ends + np.inf], axis=1)
    low, high = z[:, :-1], z[:, 1:]
    upper = low > 0.0  # there from above, where the difference keeps its digits
    cells: ndarray = np.where(upper, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
    return cells


def _sampled_cells(agent: TrainedAgent, seen: ndarray, edges: list[ndarray]) -> ndarray:
    """Frequencies (n, cells) of the actions of a policy that is no Gaussian."""
    shape = tuple(len(inner) + 1 for inner in edges)
    generator, counts = agent.generator(0), np.zeros((len(seen), int(np.prod(shape))))
    for first in range(0, len(seen), 256):
        policy = policy_in(agent, seen[first : first + 256])
        assert isinstance(policy, SamplingNetwork | Resampled | Flow)
        with torch.no_grad():
            drawn = as_doubles(policy.actions(SAMPLES, generator))
        places = [np.searchsorted(inner, drawn[..., axis]) for axis, inner in enumerate(edges)]
        cells = np.ravel_multi_index(places, shape)
        rows = np.arange(first, first + len(drawn))[:, None]
        np.add.at(counts, (np.broadcast_to(rows, cells.shape), cells), 1.0)
    return counts / SAMPLES
