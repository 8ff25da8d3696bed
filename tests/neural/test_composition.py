"""Averaged agents: the average network is the average, and the policy the one of its Q."""

import gymnasium
import numpy as np
import pytest
import torch

import maxent
from maxent.neural.algorithms import sql, sql_discrete
from maxent.neural.composition import averaged_network, boltzmann_actions, compose_agents
from maxent.neural.diagnostics import q_on
from maxent.neural.parts.networks import action_values, mlp, mlp_parameters
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.agent import Agent
from maxent.tabular.composition import compose

TEMPERATURE = 0.5


def tasks(count=2):
    base = maxent.garnet(6, 3, discount=0.9, seed=1, branching=3, terminal=1, masked=0.5)
    assert not base.action_mask.all()
    rng = np.random.default_rng(0)
    return [base.replace(reward=rng.normal(size=(6, 3))) for _ in range(count)]


def discrete_agent(mdp, q, critics=1, **settings):
    """An agent whose Q is a table, one a copy: a linear network of the one-hot state."""
    env = maxent.MDPEnv(mdp)
    spaces = Spaces(env.observation_space, env.action_space)
    config = sql_discrete.Config(
        **{"temperature": TEMPERATURE, "hidden": (), "critics": critics, "discount": 0.9} | settings
    )
    state = sql_discrete.init(spaces, config, torch.Generator().manual_seed(0))
    for part in ("critic", "target"):
        state[part]["weight0"].copy_(torch.tensor(q))
        state[part]["bias0"].zero_()
    return Agent(algorithm="sql_discrete", config=config, spaces=spaces, state=state, steps=10)


@pytest.mark.parametrize("hidden", [(), (5,), (5, 7)])
@pytest.mark.parametrize("copies", [(1, 1), (2, 2), (2, 1, 2)])
def test_the_network_is_the_weighted_sum_of_the_smallest(hidden, copies):
    generator = torch.Generator().manual_seed(0)
    networks, x = [], torch.randn((20, 4), generator=generator, dtype=torch.float64)
    for place, count in enumerate(copies):
        sizes = (4, *(size + place for size in hidden), 3)  # of different widths
        made = mlp_parameters(sizes, generator=generator, members=count)
        networks.append({name: 3.0 * tensor.double() for name, tensor in made.items()})
    weights = [0.2, 0.5, 0.3] if len(copies) == 3 else [0.3, 0.7]
    merged = averaged_network(networks, weights)
    expected = sum(w * mlp(each, x).amin(0) for w, each in zip(weights, networks, strict=True))
    got = mlp(merged, x)
    assert len(got) == np.prod(copies)
    torch.testing.assert_close(got.amin(0), expected, rtol=1e-12, atol=1e-12)
    if copies == (2, 2) and hidden:  # pairing copy with copy is another, larger function
        pairs = sum(w * mlp(each, x) for w, each in zip(weights, networks, strict=True)).amin(0)
        assert (pairs >= expected - 1e-12).all() and (pairs > expected + 1e-3).any()


@pytest.mark.parametrize("weights", [None, [0.25, 0.75]])
def test_tables_compose_as_in_the_exact_half(weights):
    mdps = tasks()
    exact = compose(mdps, TEMPERATURE, weights)
    agents = [discrete_agent(m, t.q) for m, t in zip(mdps, exact.tasks, strict=True)]
    agent = compose_agents(agents, weights)
    available = exact.mdp.action_mask & ~exact.mdp.terminal[:, None]
    np.testing.assert_allclose(
        q_on(agent, exact.mdp)[available], exact.q[available], rtol=3e-7, atol=3e-7
    )
    found = agent.on(exact.mdp)
    nonterminal = ~exact.mdp.terminal
    np.testing.assert_allclose(found.policy[nonterminal], exact.policy[nonterminal], atol=1e-6)
    np.testing.assert_allclose(found.v, exact.value.v, atol=1e-5)
    assert agent.temperature == TEMPERATURE and agent.steps == 20


def test_the_smaller_of_two_is_taken_in_each_agent_before_averaging():
    mdps = tasks()
    rng = np.random.default_rng(3)
    tables = rng.normal(size=(2, 2, 6, 3))
    agents = [discrete_agent(m, q, critics=2) for m, q in zip(mdps, tables, strict=True)]
    found = q_on(compose_agents(agents), mdps[0])
    np.testing.assert_allclose(found, 0.5 * tables.min(axis=1).sum(axis=0), atol=1e-6)


def test_actions_are_drawn_from_the_boltzmann_policy_of_the_average():
    mdps = tasks()
    exact = compose(mdps, TEMPERATURE)
    agent = compose_agents([discrete_agent(m, t.q) for m, t in zip(mdps, exact.tasks, strict=True)])
    state = 0
    seen = np.tile(agent.spaces.flatten(state), (20_000, 1))
    drawn = agent.actions(seen, agent.generator(0))
    expected = np.exp(exact.q[state] / TEMPERATURE)
    expected /= expected.sum()
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 20_000, expected, atol=0.015)
    assert agent.act(state, deterministic=True) == exact.q[state].argmax()


def test_a_composed_agent_can_be_trained_further_and_leaves_its_parts_alone():
    mdps = tasks()
    agents = [discrete_agent(m, np.ones((6, 3)), critics=2) for m in mdps]
    agent = compose_agents(agents)
    batch = Batch(
        torch.eye(6),
        torch.zeros(6, dtype=torch.int64),
        torch.full((6,), 5.0),
        torch.eye(6),
        torch.zeros(6),
    )
    for _ in range(20):
        sql_discrete.update(agent.state, batch, {}, agent.config, agent.spaces)
    q = q_on(agent, mdps[0])
    assert (q[:, 0] > 1.001).all()  # towards the reward
    assert (q_on(agents[0], mdps[0]) == 1.0).all()


def continuous_agent(slope, hidden=(), seed=0, **settings):
    """An agent of one action in [-2, 2] whose Q is slope * a (in [-1, 1]), whatever the state."""
    spaces = Spaces(gymnasium.spaces.Box(-1, 1, (1,)), gymnasium.spaces.Box(-2.0, 2.0, (1,)))
    config = sql.Config(
        **{"temperature": TEMPERATURE, "hidden": (16,), "critics": 1, "sampler_rate": 3e-3}
        | {"policy": "sampler"}
        | settings
    )
    state = sql.init(spaces, config, torch.Generator().manual_seed(seed))
    # slope * a = slope * (relu(a) - relu(-a)), in the first two units of the hidden layer
    critic = state["critic"]
    for tensor in critic.values():
        tensor.zero_()
    critic["weight0"][:, 1, 0], critic["weight0"][:, 1, 1] = 1.0, -1.0
    critic["weight1"][:, 0], critic["weight1"][:, 1] = slope, -slope
    return Agent(algorithm="sql", config=config, spaces=spaces, state=state, steps=10)


def moments_of(slope):
    """Mean and variance of the density proportional to exp(slope a / alpha) on [-1, 1]."""
    k = slope / TEMPERATURE
    mean = 1.0 / np.tanh(k) - 1.0 / k
    return mean, 1.0 + 2.0 / k**2 - 2.0 / (k * np.tanh(k)) - mean**2


def test_importance_sampling_draws_from_the_average():
    agents = [continuous_agent(2.0), continuous_agent(-0.5)]
    agent = compose_agents(agents, [0.6, 0.4], observations=np.zeros((1, 1)), steps=0)
    a = torch.linspace(-1, 1, 9)[None, :, None]
    q = action_values(agent.state["critic"], torch.zeros((1, 1)), a).amin(0)
    torch.testing.assert_close(q[0], a[0, :, 0])  # 0.6 * 2 - 0.4 * 0.5 = 1
    drawn = boltzmann_actions(agent, np.zeros((4_000, 1)), agent.generator(1), candidates=256)
    mean, variance = moments_of(1.0)
    assert drawn.shape == (4_000, 1)
    assert drawn.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / 4_000))
    assert drawn.var() == pytest.approx(variance, rel=0.12)
    # the untrained sampling network alone is far from it
    assert abs(agent.actions(np.zeros((2_000, 1)), agent.generator(0)).mean() - mean) > 0.1


@pytest.mark.parametrize("policy", ["sampler", "resampled"])
def test_a_composed_agent_is_saved_and_loaded(policy, tmp_path):
    agents = [continuous_agent(2.0, policy=policy), continuous_agent(-0.5, seed=1, policy=policy)]
    agent = compose_agents(agents, [0.6, 0.4], observations=np.zeros((1, 1)), steps=0)
    same = maxent.load_agent(agent.save(tmp_path / "both.safetensors"))
    seen = np.linspace(-1, 1, 5)[:, None]
    before = agents[0].actions(seen, agents[0].generator(3))
    for each in (agent, same):
        drawn = each.actions(seen, each.generator(3))
        assert np.array_equal(drawn, agent.actions(seen, agent.generator(3)))
        if policy == "sampler":  # fitted in no steps: that of the largest weight
            np.testing.assert_allclose(drawn, before, rtol=0, atol=1e-6)


def test_the_sampling_network_follows_the_average():
    agents = [continuous_agent(2.0, critics=2), continuous_agent(-0.5, seed=1)]
    seen = np.linspace(-1, 1, 50)[:, None]
    before = {name: tensor.clone() for name, tensor in agents[0].state["sampler"].items()}
    agent = compose_agents(agents, [0.6, 0.4], observations=seen, steps=600)
    mean, variance = moments_of(1.0)
    drawn = agent.actions(np.zeros((5_000, 1)), agent.generator(0))
    assert drawn.mean() == pytest.approx(mean, abs=0.06)
    assert 0.55 * variance < drawn.var() < 1.1 * variance  # it widens slowly: 0.82 at 1,200 steps
    for name, tensor in agents[0].state["sampler"].items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
    assert -2.0 <= agent.act(np.zeros(1, dtype=np.float32))[0] <= 2.0


def test_what_does_not_go_together_is_refused():
    one, two = (discrete_agent(m, np.ones((6, 3))) for m in tasks())
    with pytest.raises(maxent.ConfigError, match="1 agents; give two"):
        compose_agents([one])
    with pytest.raises(maxent.ConfigError, match="sum to 1"):
        compose_agents([one, two], [0.5, 0.6])
    with pytest.raises(maxent.ConfigError, match="at least 0"):
        compose_agents([one, two], [1.5, -0.5])
    with pytest.raises(maxent.ConfigError, match=r"temperature 0\.7, agent 0 0\.5"):
        compose_agents([one, discrete_agent(tasks()[0], np.ones((6, 3)), temperature=0.7)])
    with pytest.raises(maxent.ConfigError, match=r"discount 0\.8, agent 0 0\.9"):
        compose_agents([one, discrete_agent(tasks()[0], np.ones((6, 3)), discount=0.8)])
    with pytest.raises(maxent.ConfigError, match="algorithm sql, agent 0 sql_discrete"):
        compose_agents([one, continuous_agent(1.0)])
    with pytest.raises(maxent.ConfigError, match="give observations"):
        compose_agents([continuous_agent(1.0), continuous_agent(2.0)])
    with pytest.raises(maxent.ConfigError, match="boltzmann_actions is for agents of sql"):
        boltzmann_actions(one, np.zeros((1, 6)), one.generator(0))
    sac = maxent.train("sac", maxent.MDPEnv(tasks()[0]), steps=2, learning_starts=1, hidden=(4,))
    with pytest.raises(maxent.ConfigError, match="agent 1 is of sac_discrete"):
        compose_agents([one, sac])
