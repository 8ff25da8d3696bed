"""A trained agent on a linear-quadratic problem: held against the closed form."""

from __future__ import annotations

import numpy as np
import torch
from numpy import ndarray

from maxent.continuous import distances
from maxent.continuous.lqr import LinearQuadratic, solve_lqr
from maxent.errors import ConfigError
from maxent.neural.diagnostics.findings import Diagnosis, Finding
from maxent.neural.diagnostics.trained import TrainedAgent, as_doubles, policy_in, q_in
from maxent.neural.parts.policies import Categorical, Gaussian, Policy
from maxent.support.shapes import Float

ACTIONS = 32
"""In each state, of the expectations over a policy."""


def on_linear_quadratic(
    agent: TrainedAgent, problem: LinearQuadratic, *, states: int = 10_000, seed: int = 0
) -> Diagnosis:
    """Gain, covariance, KL, entropy and value against the closed form, under its stationary law.

    Of a policy of whatever class: of a Gaussian gain and covariance are its own, of others they are
    from samples.
    """
    own, wanted = agent.spaces, problem.B.shape
    if own.discrete or own.bounded or (own.observation_size, own.action_size) != wanted:
        raise ConfigError(
            f"the problem has {wanted[0]} states and {wanted[1]} unbounded actions; the agent was "
            f"trained on something else, {own.observation} and {own.action}"
        )
    exact = solve_lqr(problem, agent.temperature)
    points = exact.stationary_states(states, np.random.default_rng(seed))
    policy = policy_in(agent, points)
    assert not isinstance(policy, Categorical)
    with torch.no_grad():
        drawn, logs = policy.drawn(ACTIONS, agent.generator(seed))
    actions, log_policy = as_doubles(drawn), as_doubles(logs)
    # with its log density, not the entropy: at the optimum the difference does not vary at all
    v = (as_doubles(q_in(agent, points, drawn)) - agent.temperature * log_policy).mean(axis=1)
    means, covariance, noise = _moments(policy, actions)
    gain = distances.fitted_gain(points, means)
    best_means = -points @ exact.gain.T
    off = max(float(((means - best_means) ** 2).sum(1).mean()) - noise, 0.0)
    spread = float(np.sqrt(off / (best_means**2).sum(1).mean()))
    answer = exact.log_density(np.repeat(points[:, None], ACTIONS, axis=1), actions)

    def finding(key: str, statement: str, error: float, unit: str = "") -> Finding:
        return Finding(key, statement, error, np.nan, unit)

    findings = [
        finding("LQR-1", "gain K, fitted", distances.frobenius_error(gain, exact.gain)),
        finding("LQR-1", "mean action = -K s", spread),
        finding(
            "LQR-2",
            "covariance = alpha/2 M^-1",
            distances.frobenius_error(covariance, exact.covariance),
        ),
    ]
    if isinstance(policy, Gaussian):
        diagonal = np.diag(np.diag(exact.covariance))
        error = distances.frobenius_error(diagonal, exact.covariance)
        findings += [finding("LQR-2", "... of which a diagonal policy cannot do", error)]
    findings += [
        finding("LQR-2", "policy: KL(pi || pi*)", float((log_policy - answer).mean()), "nats"),
        finding("GIBBS-3", "entropy of the policy", float(-log_policy.mean()), "nats"),
        finding("GIBBS-3", "entropy of pi*", exact.entropy, "nats"),
        finding("LQR-3", "V, in deviations of V", distances.value_error(v, points, exact)),
    ]
    return Diagnosis(f"{agent} on a linear-quadratic problem, closed form", tuple(findings))


def _moments(
    policy: Policy, actions: Float[ndarray, "n N m"]
) -> tuple[Float[ndarray, "n m"], Float[ndarray, "m m"], float]:
    """Mean actions, their mean covariance, and the mean square that sampling adds to the means."""
    if isinstance(policy, Gaussian):
        squares = np.exp(2.0 * as_doubles(policy.log_std)).mean(axis=0)
        return as_doubles(policy.mean), np.diag(squares), 0.0
    n, count, m = actions.shape
    means = actions.mean(axis=1)
    rest = (actions - means[:, None]).reshape(-1, m)
    covariance = rest.T @ rest / (n * (count - 1))
    return means, covariance, float(np.trace(covariance)) / count
