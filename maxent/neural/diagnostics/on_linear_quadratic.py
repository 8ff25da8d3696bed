"""A trained agent on a linear-quadratic problem: held against the closed form."""

from __future__ import annotations

import numpy as np
import torch

from maxent.continuous import distances
from maxent.continuous.lqr import LinearQuadratic, solve_lqr
from maxent.errors import ConfigError
from maxent.neural.diagnostics.findings import Diagnosis, Finding
from maxent.neural.diagnostics.trained import TrainedAgent, as_doubles, policy_in, q_in
from maxent.neural.parts.policies import Categorical, Gaussian


def on_linear_quadratic(
    agent: TrainedAgent, problem: LinearQuadratic, *, states: int = 10_000, seed: int = 0
) -> Diagnosis:
    """Gain, covariance and value against the closed form, under its stationary law."""
    own, wanted = agent.spaces, problem.B.shape
    found = policy_in(agent, np.zeros((1, own.observation_size)))
    if not isinstance(found, Gaussian | Categorical):
        raise ConfigError(f"{agent.algorithm} has no Gaussian policy to compare with LQR-2")
    if own.discrete or own.bounded or (own.observation_size, own.action_size) != wanted:
        raise ConfigError(
            f"the problem has {wanted[0]} states and {wanted[1]} unbounded actions; the agent was "
            f"trained on something else, {own.observation} and {own.action}"
        )
    exact = solve_lqr(problem, agent.temperature)
    rng = np.random.default_rng(seed)
    points = exact.stationary_states(states, rng)
    policy = policy_in(agent, points)
    assert isinstance(policy, Gaussian)
    shape = (32, *policy.mean.shape)
    noise = torch.randn(shape, generator=agent.generator(seed), device=agent.device)
    action, log_density = policy.sample(noise.transpose(0, 1))
    # with its log density, not the entropy: at the optimum the difference does not vary at all
    v = as_doubles((q_in(agent, points, action) - agent.temperature * log_density).mean(-1))
    means = as_doubles(policy.mean)
    gain = distances.fitted_gain(points, means)
    covariance = np.diag(np.exp(2.0 * as_doubles(policy.log_std)).mean(axis=0))
    best_means = -points @ exact.gain.T
    spread = float(
        np.sqrt(((means - best_means) ** 2).sum(1).mean() / (best_means**2).sum(1).mean())
    )
    findings = (
        Finding("LQR-1", "gain K, fitted", distances.frobenius_error(gain, exact.gain), np.nan, ""),
        Finding("LQR-1", "mean action = -K s", spread, np.nan, ""),
        Finding(
            "LQR-2",
            "covariance = alpha/2 M^-1",
            distances.frobenius_error(covariance, exact.covariance),
            np.nan,
            "",
        ),
        Finding(
            "LQR-2",
            "... of which a diagonal policy cannot do",
            distances.frobenius_error(np.diag(np.diag(exact.covariance)), exact.covariance),
            np.nan,
            "",
        ),
        Finding(
            "LQR-3", "V, in deviations of V", distances.value_error(v, points, exact), np.nan, ""
        ),
    )
    return Diagnosis(f"{agent} on a linear-quadratic problem, closed form", findings)
