"""A trained agent where the answer is known in every observation, of any dimension."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.neural.diagnostics.findings import Diagnosis, Finding
from maxent.neural.diagnostics.rollouts import ACTIONS, claims
from maxent.neural.diagnostics.trained import (
    TrainedAgent,
    as_doubles,
    every_action,
    log_policy_in,
    policy_in,
    q_in,
)
from maxent.neural.diagnostics.walks import steps
from maxent.neural.known_environment import KnownEnvironment
from maxent.neural.parts.policies import Categorical


def on_known_environment(
    agent: TrainedAgent, known: KnownEnvironment, *, episodes: int = 20, seed: int = 0
) -> Diagnosis:
    """Errors in the observations of `episodes` episodes of the agent's own policy.

    Expectations over a continuous policy are over 64 actions a state.  An error of values is given
    as its mean (a shift, which no policy notices) and its standard deviation over states (which
    does harm), beside the standard deviation of V itself.  `SUBOPT`'s sides are means over
    episodes: V(s_0) - (soft return + gamma^T V(s_T)) and alpha E sum_t gamma^t KL.

    Raises ConfigError where the agent learnt at another discount or fixed temperature, or on other
    spaces.
    """
    _require_same_problem(agent, known)
    states, actions, own_logs, rewards, starts, last = _episodes(agent, known, episodes, seed)
    log_policy, log_answer, entropy = _policies(agent, known, states, seed)
    weights = np.exp(log_policy) if agent.spaces.discrete else 1.0 / log_policy.shape[1]
    divergence = np.sum(weights * (log_policy - log_answer), axis=1)
    seen = claims(agent, states, agent.generator(seed))
    taken = actions[:, None]
    v, q = known.v(states), known.q(states, taken)[:, 0]
    v_error = seen.v - v
    q_error = as_doubles(q_in(agent, states, taken)[:, 0]) - q
    alpha, gamma = known.temperature, known.discount
    lengths = np.diff(np.append(starts, len(states)))
    discounts = np.concatenate([gamma ** np.arange(length) for length in lengths])
    lost = alpha * np.add.reduceat(discounts * divergence, starts)
    soft_return = np.add.reduceat(discounts * (rewards - alpha * own_logs), starts)
    lost_return = v[starts] - soft_return - gamma**lengths * last

    findings = (
        Finding.of("KNOWN", "policy: KL(pi || pi*)", divergence.mean(), divergence, "nats"),
        Finding.of("KNOWN", "v - V*, mean", v_error.mean(), v_error, "reward"),
        Finding.of("KNOWN", "v - V*, deviation over states", v_error.std(), v_error, "reward"),
        Finding.of("KNOWN", "(V* itself, deviation over states)", v.std(), v - v.mean(), "reward"),
        Finding.of("KNOWN", "q - Q*, mean, actions taken", q_error.mean(), q_error, "reward"),
        Finding.of("KNOWN", "q - Q*, deviation", q_error.std(), q_error, "reward"),
        Finding.of("GIBBS-3", "entropy of the policy", seen.entropy.mean(), seen.entropy, "nats"),
        Finding.of("GIBBS-3", "entropy of pi* there", entropy.mean(), entropy, "nats"),
        Finding.of("SUBOPT", "V*(s_0) - soft return", lost_return.mean(), lost_return, "reward"),
        Finding.of("SUBOPT", "alpha E sum gamma^t KL(pi || pi*)", lost.mean(), lost, "reward"),
    )
    return Diagnosis(
        f"{agent}, held against a known answer in {len(states)} states of {episodes} episodes",
        findings,
    )


class Episodes(NamedTuple):
    """Whole episodes, their steps one after another: n states (n, d), the actions drawn in them
    (n[, m]) with their log pi (n,), rewards (n,), the step at which each episode starts, and V* of
    the observation in which it was cut (0 where it terminated)."""

    states: ndarray
    actions: ndarray
    log_policy: ndarray
    rewards: ndarray
    starts: ndarray
    last_v: ndarray


def _episodes(agent: TrainedAgent, known: KnownEnvironment, episodes: int, seed: int) -> Episodes:
    generator, logs = agent.generator(seed), []

    def draw(flat: ndarray, mask: ndarray | None) -> ndarray:
        action, log_policy = _drawn(agent, flat, generator)
        logs.append(log_policy)
        return action

    taken = list(steps(agent, known.env, draw, episodes=episodes, seed=seed))
    ends = (step for step in taken if step.over)
    return Episodes(
        np.stack([step.state for step in taken]),
        np.stack([step.action for step in taken]),
        np.array(logs),
        np.array([step.reward for step in taken]),
        np.flatnonzero([step.first for step in taken]),
        np.array([0.0 if s.terminated else known.v(s.following[None])[0] for s in ends]),
    )


def _drawn(agent: TrainedAgent, flat: ndarray, generator: torch.Generator) -> tuple[ndarray, float]:
    """An action of the policy in one observation (d,), and its log pi."""
    policy = policy_in(agent, flat[None])
    if isinstance(policy, Categorical):
        action = policy.choose(generator, False)
        return action[0].cpu().numpy(), float(policy.log_density(action[:, None]))
    with torch.no_grad():
        drawn, log_density = policy.drawn(1, generator)
    return drawn[0, 0].cpu().numpy(), float(log_density)


def _policies(
    agent: TrainedAgent, known: KnownEnvironment, states: ndarray, seed: int
) -> tuple[ndarray, ndarray, ndarray]:
    """log pi and log pi* of actions of the agent (n, N), all of them where they are discrete; and
    the entropy (n,) of pi*."""
    policy = policy_in(agent, states)
    if isinstance(policy, Categorical):
        every = every_action(agent, len(states))
        answer = known.log_density(states, every)
        return (
            as_doubles(log_policy_in(agent, states, every)),
            answer,
            -np.sum(np.exp(answer) * answer, axis=1),
        )
    with torch.no_grad():
        drawn, log_density = policy.drawn(ACTIONS, agent.generator(seed))
    own = known.log_density(states, known.sample(states, ACTIONS, seed))
    return as_doubles(log_density), known.log_density(states, as_doubles(drawn)), -own.mean(axis=1)


def _require_same_problem(agent: TrainedAgent, known: KnownEnvironment) -> None:
    if agent.spaces != known.spaces:
        raise ConfigError(
            f"the agent acts on {agent.spaces}, the known answer is on {known.spaces}: it was "
            "trained on something else"
        )
    asked = {"discount": known.discount, "temperature": known.temperature}
    for name, right in asked.items():
        own = getattr(agent.config, name)
        if own is not None and own != right:
            raise ConfigError(
                f"the agent learnt with {name} = {own}, the known answer is for {right}: train it "
                f"with {name}={right}"
            )
