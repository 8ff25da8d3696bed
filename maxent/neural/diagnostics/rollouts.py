"""A trained agent where nothing exact is known: estimates from whole episodes of its policy."""

from __future__ import annotations

from typing import NamedTuple

import gymnasium
import numpy as np
import torch
from numpy import ndarray

from maxent.neural.diagnostics.findings import Diagnosis, Finding
from maxent.neural.diagnostics.trained import (
    TrainedAgent,
    as_doubles,
    every_action,
    log_policy_in,
    policy_in,
    q_in,
)
from maxent.neural.diagnostics.walks import steps
from maxent.neural.parts import proposals
from maxent.neural.parts.policies import Categorical
from maxent.support.arguments import count
from maxent.tabular import operators

ACTIONS = 64
"""Drawn in each state for expectations over a continuous policy."""


class Claims(NamedTuple):
    """What an agent says in n states, each (n,): v, the entropy of its policy, and
    KL(pi || Boltzmann policy of its q); the last from below where actions are sampled."""

    v: ndarray
    entropy: ndarray
    divergence: ndarray


def from_rollouts(
    agent: TrainedAgent, environment: gymnasium.Env, *, episodes: int = 20, seed: int = 0
) -> Diagnosis:
    """Estimates from whole episodes; what an agent says of (s, a) against what it then lived.

    The soft return after (s, a) is r + gamma ( alpha H(s') + soft return after (s', a') ), with the
    agent's own v = E_pi[q - alpha log pi] at the end of an episode that was cut (after 10,000 steps
    in any case).  Its soft value alpha log integral exp(q / alpha) is v + alpha KL(pi || .).
    """
    alpha = agent.temperature
    generator = agent.generator(seed)

    def draw(flat: ndarray, mask: ndarray | None) -> ndarray:
        available = None if mask is None else mask[None]
        action: ndarray = agent.actions(flat[None], generator, available=available)[0]
        return action

    taken = list(steps(agent, environment, draw, episodes=episodes, seed=seed))
    states, following = (np.stack([getattr(s, f) for s in taken]) for f in ("state", "following"))
    rewards = np.array([step.reward for step in taken])
    discounts = np.array([0.0 if step.terminated else agent.config.discount for step in taken])
    q = as_doubles(q_in(agent, states, np.stack([s.action for s in taken])[:, None])[:, 0])
    here = claims(agent, states, generator, _stacked(agent, [s.available for s in taken]))
    masks_beyond = _stacked(agent, [s.beyond_available for s in taken])
    beyond = claims(agent, following, generator, masks_beyond)
    soft = beyond.v + alpha * beyond.divergence
    residual = q - (rewards + discounts * soft)
    own_residual = q - (rewards + discounts * beyond.v)
    lived = np.zeros(len(taken))
    for step in reversed(range(len(taken))):
        future = beyond.v[step]
        if not taken[step].over:
            future = alpha * beyond.entropy[step] + lived[step + 1]
        lived[step] = rewards[step] + discounts[step] * future

    def mean_square(each: ndarray) -> float:
        return float(np.sqrt(np.mean(each**2)))

    bias = q - lived
    findings = (
        Finding.of("SAC-L1", "q - soft return lived, mean", float(bias.mean()), bias, "reward"),
        Finding.of(
            "SAC-L1",
            "q = r + gamma E_pi[q - alpha log pi](s'), each step",
            mean_square(own_residual),
            own_residual,
            "reward",
        ),
        Finding.of(
            "SQL-T2",
            "q = r + gamma (soft value of q)(s'), each step",
            mean_square(residual),
            residual,
            "reward",
        ),
        Finding.of(
            "SAC-L2",
            "pi = Boltzmann(q): KL(pi || .), from below",
            float(here.divergence.mean()),
            here.divergence,
            "nats",
        ),
        Finding("GIBBS-3", "entropy of the policy", float(here.entropy.mean()), np.nan, "nats"),
    )
    return Diagnosis(
        f"{agent}, estimated from {count(episodes, 'episode')} ({len(taken)} steps)", findings
    )


def claims(
    agent: TrainedAgent,
    states: ndarray,
    generator: torch.Generator,
    available: ndarray | None = None,
) -> Claims:
    """What the agent says of flattened states (n, d); available: booleans (n, A), or None."""
    alpha, policy = agent.temperature, policy_in(agent, states)
    if isinstance(policy, Categorical):
        actions = every_action(agent, len(states))
        q = as_doubles(q_in(agent, states, actions))
        log_policy = as_doubles(log_policy_in(agent, states, actions))
        log_mask = None
        if available is not None:
            log_mask = np.where(available, 0.0, -np.inf)
            log_policy = operators.boltzmann_policy(log_policy, 1.0, log_mask)
        v = operators.policy_value(q, log_policy, alpha)
        divergence = (operators.soft_value(q, alpha, log_mask) - v) / alpha
        return Claims(v, operators.entropy(log_policy), divergence)
    with torch.no_grad():
        drawn, log_density = policy.drawn(ACTIONS, generator)
        q_drawn = q_in(agent, states, drawn)
        value = (q_drawn - alpha * log_density).mean(-1)
        soft = proposals.importance_sampled_soft_value(q_drawn, log_density, alpha)
    return Claims(
        as_doubles(value), -as_doubles(log_density.mean(-1)), as_doubles((soft - value) / alpha)
    )


def _stacked(agent: TrainedAgent, masks: list[ndarray | None]) -> ndarray | None:
    """The masks of all states, (n, A); None where none was told."""
    if all(mask is None for mask in masks):
        return None
    every = np.ones(agent.spaces.action_size, dtype=bool)
    return np.stack([every if mask is None else mask for mask in masks])
