"""A trained agent where nothing exact is known: estimates from whole episodes of its policy."""

from __future__ import annotations

from typing import NamedTuple

import gymnasium
import numpy as np
import torch
from numpy import ndarray

from maxent.environments.guard import Guarded
from maxent.environments.masks import mask_in
from maxent.neural.diagnostics.findings import Diagnosis, Finding
from maxent.neural.diagnostics.trained import (
    LONGEST,
    TrainedAgent,
    as_doubles,
    every_action,
    log_policy_in,
    policy_in,
    q_in,
)
from maxent.neural.parts import proposals
from maxent.neural.parts.policies import Categorical
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
    generator, environment = agent.generator(seed), Guarded(environment)
    states, actions, discounts, following, cuts = [], [], [], [], []
    available: list[ndarray | None] = []
    beyond_available: list[ndarray | None] = []
    rewards: list[float] = []
    for episode in range(episodes):
        observation, info = environment.reset(seed=seed + episode)
        over, last = False, len(rewards) + LONGEST
        while not over:
            flat = agent.spaces.flatten(observation)
            mask = mask_in(info, agent.spaces.action)
            available.append(mask)
            action = agent.actions(flat[None], generator, available=_row(mask))[0]
            observation, reward, terminated, truncated, info = environment.step(
                agent.spaces.to_environment(action)
            )
            mask = None if terminated else mask_in(info, agent.spaces.action)
            beyond_available.append(mask)
            over = bool(terminated or truncated) or len(rewards) + 1 == last
            states.append(flat)
            actions.append(action)
            rewards.append(reward)
            discounts.append(0.0 if terminated else agent.config.discount)
            following.append(agent.spaces.flatten(observation))
            cuts.append(over)
    q = as_doubles(q_in(agent, np.stack(states), np.stack(actions)[:, None])[:, 0])
    here = claims(agent, np.stack(states), generator, _stacked(agent, available))
    beyond = claims(agent, np.stack(following), generator, _stacked(agent, beyond_available))
    soft = beyond.v + alpha * beyond.divergence
    residual = q - (np.array(rewards) + np.array(discounts) * soft)
    own_residual = q - (np.array(rewards) + np.array(discounts) * beyond.v)
    lived = np.zeros(len(rewards))
    for step in reversed(range(len(rewards))):
        future = beyond.v[step]
        if not cuts[step]:
            future = alpha * beyond.entropy[step] + lived[step + 1]
        lived[step] = rewards[step] + discounts[step] * future

    def finding(key: str, statement: str, error: float, each: ndarray, unit: str) -> Finding:
        return Finding(key, statement, error, float(np.abs(each).max()), unit)

    def mean_square(each: ndarray) -> float:
        return float(np.sqrt(np.mean(each**2)))

    bias = q - lived
    findings = (
        finding("SAC-L1", "q - soft return lived, mean", float(bias.mean()), bias, "reward"),
        finding(
            "SAC-L1",
            "q = r + gamma E_pi[q - alpha log pi](s'), each step",
            mean_square(own_residual),
            own_residual,
            "reward",
        ),
        finding(
            "SQL-T2",
            "q = r + gamma (soft value of q)(s'), each step",
            mean_square(residual),
            residual,
            "reward",
        ),
        finding(
            "SAC-L2",
            "pi = Boltzmann(q): KL(pi || .), from below",
            float(here.divergence.mean()),
            here.divergence,
            "nats",
        ),
        Finding("GIBBS-3", "entropy of the policy", float(here.entropy.mean()), np.nan, "nats"),
    )
    return Diagnosis(
        f"{agent}, estimated from {episodes} episodes ({len(rewards)} steps)", findings
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


def _row(mask: ndarray | None) -> ndarray | None:
    return None if mask is None else mask[None]


def _stacked(agent: TrainedAgent, masks: list[ndarray | None]) -> ndarray | None:
    """The masks of all states, (n, A); None where none was told."""
    if all(mask is None for mask in masks):
        return None
    every = np.ones(agent.spaces.action_size, dtype=bool)
    return np.stack([every if mask is None else mask for mask in masks])
