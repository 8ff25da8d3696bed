"""What `diagnose` says of a linear-quadratic problem, and from episodes alone, against agents made
by hand whose errors are known."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from hand_made_agents import ALPHA, GAMMA, ROUNDING, agent_of, by_statement, table_agent
from scipy import integrate
from scipy.special import logsumexp
from scipy.stats import norm

import maxent
from maxent.continuous.lqr import coupled_masses, solve_lqr
from maxent.errors import ConfigError
from maxent.neural.diagnostics import diagnose, from_rollouts
from maxent.neural.parts.spaces import Spaces

BOX = Spaces(spaces.Box(0.0, 1.0, (3,)), spaces.Box(-2.0, 6.0, (1,)))


def lqr_agent(temperature=0.2):
    problem = coupled_masses()
    exact = solve_lqr(problem, temperature)
    endless = Spaces(spaces.Box(-np.inf, np.inf, (4,)), spaces.Box(-np.inf, np.inf, (2,)))
    weight = np.concatenate([-exact.gain.T, np.zeros((4, 2))], axis=1)
    spread = 0.5 * np.log(np.diag(exact.covariance))
    actor = (weight, np.concatenate([np.zeros(2), spread])[None])
    return agent_of("sac", endless, temperature, actor=actor), problem, exact


def test_the_optimal_actor_of_a_linear_quadratic_problem_has_no_error():
    agent, problem, exact = lqr_agent()
    errors = {each.statement: each.error for each in diagnose(agent, problem).findings}
    assert errors["gain K, fitted"] < ROUNDING and errors["mean action = -K s"] < ROUNDING
    rest = exact.covariance - np.diag(np.diag(exact.covariance))
    floor = np.linalg.norm(rest) / np.linalg.norm(exact.covariance)
    assert floor > 0.01
    assert errors["... of which a diagonal policy cannot do"] == pytest.approx(floor)
    assert errors["covariance = alpha/2 M^-1"] == pytest.approx(floor, rel=1e-5)
    # its q is 0 everywhere, so its V is alpha H; over the deviation of V, in closed form
    entropy = 0.5 * np.log(2 * np.pi * np.e * np.diag(exact.covariance)).sum()
    product = exact.P @ exact.stationary_covariance()
    bias = 0.2 * entropy - (exact.constant - np.trace(product))
    expected = np.sqrt(1.0 + bias**2 / (2.0 * (product @ product).trace()))
    assert errors["V, in deviations of V"] == pytest.approx(expected, rel=0.02)


def test_a_gain_and_a_covariance_off_by_a_tenth_are_found_so():
    agent, problem, exact = lqr_agent()
    agent.state["actor"]["weight0"].mul_(1.1)
    agent.state["actor"]["bias0"][0, 2:] += 0.5 * np.log(1.1)
    errors = {each.statement: each.error for each in diagnose(agent, problem).findings}
    assert errors["gain K, fitted"] == pytest.approx(0.1, rel=1e-4)
    assert errors["mean action = -K s"] == pytest.approx(0.1, rel=1e-4)
    wrong = np.linalg.norm(1.1 * np.diag(np.diag(exact.covariance)) - exact.covariance)
    expected = wrong / np.linalg.norm(exact.covariance)
    assert errors["covariance = alpha/2 M^-1"] == pytest.approx(expected, rel=1e-4)


def test_a_linear_quadratic_problem_of_other_sizes_is_refused():
    choices = Spaces(spaces.Box(-1.0, 1.0, (4,)), spaces.Discrete(2))
    squashed = Spaces(spaces.Box(-1.0, 1.0, (4,)), spaces.Box(-1.0, 1.0, (2,)))
    for agent in (
        agent_of("sac", BOX),
        agent_of("sac_discrete", choices),
        agent_of("sac", squashed),
    ):
        with pytest.raises(ConfigError, match="4 states and 2 unbounded actions"):
            diagnose(agent, coupled_masses())


# from episodes


class Steps(gymnasium.Env):
    """Three steps, numbered; pays `paid[step, action]` and ends, or is cut, after the last."""

    def __init__(self, paid, cut=False, action_space=None):
        self.observation_space = spaces.Discrete(4)
        self.action_space = action_space or spaces.Discrete(2)
        self.paid, self.cut = np.array(paid), cut

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.number = 0
        return 0, {}

    def step(self, action):
        paid = self.paid[self.number, action] if self.paid.ndim == 2 else self.paid[self.number]
        self.number += 1
        over = self.number == 3
        return self.number, float(paid), over and not self.cut, over and self.cut, {}


PAID = np.array([[1.0, 0.2], [-0.5, 0.3], [2.0, 1.5]])


def steps_optimum(v_end=0.0):
    q, v = np.zeros((4, 2)), v_end
    for step in (2, 1, 0):
        q[step] = PAID[step] + GAMMA * v
        v = ALPHA * logsumexp(q[step] / ALPHA)
    return q


def test_the_exact_q_has_no_error_in_episodes_either():
    env = Steps(PAID)
    agent = agent_of("sql_discrete", Spaces(env.observation_space, env.action_space))
    agent.state["critic"]["weight0"].copy_(torch.tensor(steps_optimum()))
    found = from_rollouts(agent, env, episodes=50)
    for finding in found.findings:
        # what was lived is random but for its mean: only the rest is exact, step by step
        lived = "lived" in finding.statement
        if finding.key != "GIBBS-3":
            assert abs(finding.error) < (0.2 if lived else ROUNDING), finding
            assert lived or finding.largest < ROUNDING


def test_the_soft_value_of_q_is_not_the_value_of_another_policy():
    """SQL-T2 holds for Q* whatever the policy does; SAC-L1 does not."""
    env = Steps(PAID)
    agent = agent_of(  # a uniform policy
        "sac_discrete",
        Spaces(env.observation_space, env.action_space),
        critic=(steps_optimum(), 0.0),
    )
    found = by_statement(from_rollouts(agent, env, episodes=5))
    assert found["SQL-T2", "q = r + gamma (soft value of q)(s'), each step"].error < ROUNDING
    q = steps_optimum()
    lacks = ALPHA * logsumexp(q[1:3] / ALPHA, axis=1) - q[1:3].mean(axis=1) - ALPHA * np.log(2)
    residual = found["SAC-L1", "q = r + gamma E_pi[q - alpha log pi](s'), each step"]
    expected = np.sqrt(((GAMMA * lacks) ** 2).sum() / 3)
    assert residual.error == pytest.approx(expected, rel=1e-4)
    apart = ALPHA * logsumexp(q[:3] / ALPHA, axis=1) - q[:3].mean(axis=1) - ALPHA * np.log(2)
    assert found["SAC-L2", "pi = Boltzmann(q)"].error == pytest.approx(
        apart.mean() / ALPHA, rel=1e-4
    )
    assert found["GIBBS-3", "entropy of the policy"].error == pytest.approx(np.log(2), rel=1e-6)


@pytest.mark.parametrize("cut", [False, True])
def test_the_soft_return_lived_is_the_known_one(cut):
    """Rewards that no action changes: the soft return of the uniform policy has no spread."""
    paid, shift, end = [1.0, -0.5, 2.0], 0.7, 0.4
    bonus = ALPHA * np.log(2)
    exact, future = np.zeros(4), end + bonus if cut else 0.0
    exact[3] = end  # what the agent thinks of the state after the last
    for step in (2, 1, 0):
        exact[step] = paid[step] + GAMMA * future
        future = exact[step] + bonus
    env = Steps(paid, cut)
    table = np.repeat(exact[:, None], 2, axis=1)
    found = Spaces(env.observation_space, env.action_space)
    right = from_rollouts(agent_of("sql_discrete", found, critic=(table, 0.0)), env, episodes=3)
    assert right["SAC-L1"].error == pytest.approx(0.0, abs=ROUNDING)
    assert right["SAC-L1"].largest < ROUNDING and right["SQL-T2"].largest < ROUNDING
    wrong = from_rollouts(agent_of("sql_discrete", found, critic=(table + shift, 0.0)), env)
    # an end is lived; at a cut the agent's own belief, too high by as much, stands in for the rest
    each = shift - (shift * GAMMA ** np.array([3, 2, 1]) if cut else 0.0)
    assert wrong["SAC-L1"].error == pytest.approx(np.mean(each), abs=ROUNDING)
    steps = shift * np.array([1 - GAMMA, 1 - GAMMA, 1 - GAMMA if cut else 1.0])
    assert wrong["SQL-T2"].error == pytest.approx(np.sqrt(np.mean(steps**2)), abs=ROUNDING)


def test_the_entropy_of_a_squashed_policy_is_in_the_soft_return():
    env = Steps([1.0, -0.5, 2.0], action_space=spaces.Box(-3.0, 1.0, (1,)))
    mean, std = 0.4, 0.8
    law = norm(mean, std)
    squash = integrate.quad(lambda u: law.pdf(u) * np.log1p(-(np.tanh(u) ** 2)), -8, 9)[0]
    entropy = law.entropy() + squash
    exact, future = np.zeros(5), 0.0
    for step in (2, 1, 0):
        exact[step] = [1.0, -0.5, 2.0][step] + GAMMA * future
        future = exact[step] + ALPHA * entropy
    agent = agent_of(
        "sac",
        Spaces(env.observation_space, env.action_space),
        critic=(exact[:, None], 0.0),
        actor=(0.0, [[mean, np.log(std)]]),
    )
    found = from_rollouts(agent, env, episodes=100)
    error = 5.0 / np.sqrt(100 * 64)
    assert found["GIBBS-3"].error == pytest.approx(entropy, abs=error)
    assert found["SAC-L1"].error == pytest.approx(0.0, abs=error)
    # q does not depend on the action: Boltzmann's policy is uniform on [-1, 1]
    assert found["SAC-L2"].error == pytest.approx(np.log(2) - entropy, abs=0.1)


def test_an_environment_that_never_ends_does_not_keep_diagnose_for_ever(monkeypatch):
    monkeypatch.setattr("maxent.neural.diagnostics.walks.LONGEST", 7)
    ring = maxent.MDP(np.ones((1, 2, 1)), np.zeros(1), discount=GAMMA)
    found = from_rollouts(table_agent(ring, np.zeros((1, 2))), maxent.MDPEnv(ring), episodes=3)
    assert "3 episodes (21 steps)" in found.title
