"""Each algorithm as a whole, on problems small enough to have an exact answer."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from gymnasium import spaces
from scipy import integrate, optimize

import maxent
from maxent.neural.algorithms import sac, sac_discrete, sac_v1, sql, sql_discrete
from maxent.neural.parts import networks
from maxent.neural.parts.networks import mlp
from maxent.neural.parts.replay import Batch
from maxent.neural.parts.spaces import Spaces

STATES, ACTIONS, PARTS = 5, 3, 4
NOTHING = spaces.Box(-1.0, 1.0, (1,))
TABLE = Spaces(spaces.Discrete(STATES), spaces.Discrete(ACTIONS))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def table_world(seed=0):
    """An MDP with a terminal state and probabilities in parts of 1/4, all of it as one batch."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(PARTS, np.full(STATES, 1.0 / STATES), size=(STATES, ACTIONS))
    reward = rng.normal(size=(STATES, ACTIONS))
    mdp = maxent.MDP(counts / PARTS, reward, discount=0.8, terminal=[STATES - 1])
    rows = [
        [s, a, t]
        for s, a, t in np.ndindex(counts.shape)
        for _ in range(counts[s, a, t])
        if s != STATES - 1
    ]
    s, a, t = torch.tensor(rows).T
    assert (t == STATES - 1).any() and counts.max() < PARTS  # some end, and chance decides
    seen = torch.eye(STATES)
    discount = torch.where(t == STATES - 1, 0.0, 0.8)
    paid = torch.tensor(reward, dtype=torch.float32)[s, a]
    return mdp, Batch(seen[s], a, paid, seen[t], discount)


def learn(module, found, config, state, batch_of, steps, *, slow=()):
    """Updates on batches of `batch_of()`, the last third of them at a tenth of the `slow` rates."""
    source = generator(1)
    for step in range(steps):
        if step == 2 * steps // 3:
            config = replace(config, **{name: 0.1 * getattr(config, name) for name in slow})
        batch = batch_of()
        noise = module.draw(len(batch.reward), source, config, found)
        logged = module.update(state, batch, noise, config, found)
    return logged


@pytest.mark.parametrize("critics", [1, 2])
@pytest.mark.parametrize("module", [sql_discrete, sac_discrete], ids=["sql", "sac"])
@pytest.mark.parametrize("temperature", [0.3, 2.5])
def test_a_table_of_all_transitions_gives_the_exact_solution(module, critics, temperature):
    mdp, batch = table_world()
    exact = maxent.solve(mdp, temperature)
    rates = {"critic_rate": 0.03, "target_rate": 0.2}
    if module is sac_discrete:
        rates["actor_rate"] = 0.03
    config = module.Config(temperature=temperature, hidden=(), critics=critics, **rates)
    state = module.init(TABLE, config, generator())
    slow = [name for name in rates if name != "target_rate"]
    learn(module, TABLE, config, state, lambda: batch, 1200, slow=slow)
    seen = torch.eye(STATES)[:-1]
    for q in mlp(state["critic"], seen).numpy():
        np.testing.assert_allclose(q, exact.q[:-1], atol=2e-3)
    every = torch.arange(ACTIONS).expand(len(seen), -1)
    log_policy = module.log_policy(state, seen, every, TABLE)
    np.testing.assert_allclose(log_policy.exp().numpy(), exact.policy[:-1], atol=2e-3)


CENTRE, STEEPNESS = torch.tensor([0.4, -0.2]), torch.tensor([5.0, 2.0])


def quadratic(parameters, observation, action):
    """A Q that can be exact: linear in a and a^2."""
    return mlp(parameters, torch.cat([action, action.square()], dim=-1)).squeeze(-1)


def quadratic_bandit(module, monkeypatch, bounded, steps, **settings):
    """An actor-critic on r = -sum_k steepness_k (a_k - centre_k)^2 without a future: its mean and
    log_std, and the state."""
    side = 1.0 if bounded else math.inf
    found = Spaces(NOTHING, spaces.Box(-side, side, (2,)))
    monkeypatch.setattr(module, "action_value", quadratic)
    rates = {"actor_rate": 0.01, "critic_rate": 0.05}
    if module is sac_v1:
        rates["value_rate"] = 0.05
    config = module.Config(hidden=(), **(rates | settings))
    state = module.init(found, config, generator())
    state["critic"] = networks.mlp_parameters((4, 1), generator=generator(), members=2)
    state["critic_moments"] = module.moments(state["critic"])
    if module is sac:
        state["target"] = module.copied(state["critic"])
    seen, source = torch.zeros(128, 1), generator(2)

    def batch_of():
        action = 2.0 * torch.rand((128, 2), generator=source) - 1.0
        reward = -(STEEPNESS * (action - CENTRE).square()).sum(-1)
        return Batch(seen, action, reward, seen, torch.zeros(128))

    slow = [name for name in vars(config) if name in ("actor_rate", "temperature_rate")]
    logged = learn(module, found, config, state, batch_of, steps, slow=slow)
    mean, log_std = mlp(state["actor"], seen[:1])[0].chunk(2)
    return mean, log_std, state, logged


@pytest.mark.parametrize("module", [sac, sac_v1])
def test_without_sides_the_gaussian_is_the_boltzmann_policy(module, monkeypatch):
    """exp(r / alpha) is Normal(centre, alpha / (2 steepness)), V its logarithm's integral."""
    alpha = 0.5
    mean, log_std, state, _ = quadratic_bandit(module, monkeypatch, False, 1500, temperature=alpha)
    std = (alpha / (2.0 * STEEPNESS)).sqrt()
    torch.testing.assert_close(mean, CENTRE, rtol=0, atol=0.02)
    torch.testing.assert_close(log_std.exp(), std, rtol=0.04, atol=0)
    if module is sac_v1:
        v = 0.5 * alpha * torch.log(math.pi * alpha / STEEPNESS).sum()
        assert mlp(state["value"], torch.zeros(1, 1)).item() == pytest.approx(v.item(), abs=0.03)


@pytest.mark.parametrize("module", [sac, sac_v1])
def test_within_sides_the_squashed_gaussian_comes_nearest_the_boltzmann_policy(module, monkeypatch):
    alpha = 0.2
    mean, log_std, _, _ = quadratic_bandit(module, monkeypatch, True, 1500, temperature=alpha)
    for k in range(2):
        nearest, target = nearest_squashed(k, alpha)
        found = moments_of(squashed(mean[k].item(), log_std[k].item()))
        assert found == pytest.approx(moments_of(nearest), abs=0.015)
        assert found == pytest.approx(moments_of(target), abs=0.025)


def squashed(mean, log_std):
    """Density of tanh of a Gaussian."""
    std = math.exp(log_std)

    def density(a):
        z = (np.arctanh(a) - mean) / std
        return np.exp(-0.5 * z * z) / (std * math.sqrt(2.0 * math.pi) * (1.0 - a * a))

    return density


def integral(function):
    return integrate.quad(function, -1.0, 1.0, limit=200, points=[-0.5, 0.0, 0.5])[0]


def moments_of(density):
    """Mean and standard deviation of an unnormalised density on [-1, 1]."""
    whole = integral(density)
    mean = integral(lambda a: a * density(a)) / whole
    return mean, math.sqrt(integral(lambda a: (a - mean) ** 2 * density(a)) / whole)


def nearest_squashed(k, alpha):
    """The squashed Gaussian with the least KL divergence from exp(r_k / alpha), and the latter."""
    centre, steepness = CENTRE[k].item(), STEEPNESS[k].item()

    def reward(a):
        return -steepness * (a - centre) ** 2

    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()

    def divergence(parameters):
        mean, log_std = parameters
        u = mean + np.exp(log_std) * nodes
        log_jacobian = 2.0 * (math.log(2.0) - u - np.logaddexp(0.0, -2.0 * u))
        return weights @ (-log_std - log_jacobian - reward(np.tanh(u)) / alpha)

    best = optimize.minimize(divergence, [0.0, -1.0], method="Nelder-Mead")
    return squashed(*best.x), lambda a: np.exp(reward(a) / alpha)


def test_the_tuned_temperature_is_the_one_with_the_target_entropy(monkeypatch):
    """H = m/2 log(pi e alpha) - 1/2 sum log steepness, solved for alpha."""
    target = 0.4
    mean, log_std, _, logged = quadratic_bandit(
        sac, monkeypatch, False, 2400, target_entropy=target, temperature_rate=0.01
    )
    alpha = math.exp(target + 0.5 * STEEPNESS.log().sum().item()) / (math.pi * math.e)
    assert logged["temperature"].item() == pytest.approx(alpha, rel=0.06)
    torch.testing.assert_close(mean, CENTRE, rtol=0, atol=0.03)
    torch.testing.assert_close(log_std.exp(), (alpha / (2.0 * STEEPNESS)).sqrt(), rtol=0.05, atol=0)


@pytest.mark.parametrize("part", [None, 0.8])
@pytest.mark.parametrize("start", [0.1, 3.0])
def test_the_discrete_temperature_settles_from_above_and_below(part, start):
    """A bandit whose exact policy at alpha is softmax(reward / alpha); by default half of log A."""
    reward = np.array([1.0, 0.4, -0.5, 0.7])
    found = Spaces(NOTHING, spaces.Discrete(4))
    config = sac_discrete.Config(
        hidden=(),
        initial_temperature=start,
        target_entropy=None if part is None else part * math.log(4),
        actor_rate=0.1,
        critic_rate=0.1,
        temperature_rate=0.01,
    )
    state = sac_discrete.init(found, config, generator())
    seen, action = torch.zeros(4, 1), torch.arange(4)
    paid = torch.tensor(reward, dtype=torch.float32)
    batch = Batch(seen, action, paid, seen, torch.zeros(4))
    logged = learn(
        sac_discrete,
        found,
        config,
        state,
        lambda: batch,
        1200,
        slow=("actor_rate", "temperature_rate"),
    )

    def excess(log_alpha):
        p = np.exp((reward - 1.0) / math.exp(log_alpha))
        p /= p.sum()
        return -(p * np.log(p)).sum() - (0.5 if part is None else part) * math.log(4)

    alpha = math.exp(optimize.brentq(excess, -3.5, 5.0))
    assert logged["temperature"].item() == pytest.approx(alpha, rel=0.01)
    policy = sac_discrete.policy(state, seen[:1], found).log_policy.exp()[0].numpy()
    exact = np.exp(reward / alpha)
    np.testing.assert_allclose(policy, exact / exact.sum(), atol=0.01)


ALPHA = 0.7


def hills(a):
    """Two unequal hills."""
    return 1.2 * torch.exp(-(((a + 0.5) / 0.25) ** 2)) + torch.exp(-(((a - 0.6) / 0.2) ** 2))


def hill_values(parameters, observation, action):
    """A Q that can be exact: in each of two states a constant and the hills."""
    features = torch.cat([observation, observation * hills(action)], dim=-1)
    return mlp(parameters, features).squeeze(-1)


def two_steps(monkeypatch, steps, **settings):
    """Soft Q-learning on: a first step without reward, then one that pays the hills and ends."""
    found = Spaces(spaces.Box(0.0, 1.0, (2,)), spaces.Box(-1.0, 1.0, (1,)))
    for module in (networks, sql):
        monkeypatch.setattr(module, "action_value", hill_values)
    config = sql.Config(
        temperature=ALPHA,
        critic_rate=0.05,
        sampler_rate=5e-3,
        target_rate=0.2,
        policy="sampler",
        **settings,
    )
    state = sql.init(found, config, generator())
    state["critic"] = networks.mlp_parameters((4, 1), generator=generator(), members=config.critics)
    state["critic_moments"] = sql.moments(state["critic"])
    state["target"] = sql.copied(state["critic"])
    seen = torch.eye(2).repeat_interleave(16, 0)
    first, source = seen[:, 0], generator(2)

    def batch_of():
        action = 2.0 * torch.rand((32, 1), generator=source) - 1.0
        reward = torch.where(first > 0.0, 0.0, hills(action)[:, 0])
        return Batch(seen, action, reward, torch.eye(2)[1].expand(32, 2), 0.9 * first)

    logged = learn(
        sql,
        found,
        config,
        state,
        batch_of,
        steps,
        slow=("critic_rate", "sampler_rate"),
    )
    return state, logged, found, config


def boltzmann(a):
    return math.exp(hills(torch.tensor(a, dtype=torch.float64)).item() / ALPHA)


@pytest.mark.parametrize(
    ("proposal", "off"), [("uniform", 0.02), ("mixture", 0.02), ("network", 0.1)]
)
def test_soft_q_learning_values_two_hills_by_their_log_integral(proposal, off, monkeypatch):
    """The volume of the box included; a network's own density is less sure than the mixture."""
    state, _, _, _ = two_steps(
        monkeypatch, 300, proposal=proposal, hidden=(32,), value_particles=48, particles=4
    )
    actions = torch.linspace(-1.0, 1.0, 21)[:, None]
    first, second = (hill_values(state["critic"], s.expand(21, 2), actions) for s in torch.eye(2))
    torch.testing.assert_close(second, hills(actions).T.expand(2, 21), rtol=0, atol=0.02)
    v = ALPHA * math.log(integral(boltzmann))
    torch.testing.assert_close(first, torch.full_like(first, 0.9 * v), rtol=0, atol=off)


def test_soft_q_learning_samples_two_hills_as_often_as_quadrature(monkeypatch):
    state, logged, found, _ = two_steps(
        monkeypatch, 500, hidden=(32, 32), value_particles=4, particles=16
    )
    before, after = (
        sql.act(state, s.expand(4000, 2), generator(5), found)[:, 0].numpy() for s in torch.eye(2)
    )
    assert np.mean(before) == pytest.approx(0.0, abs=0.06)  # uniform, q being the same everywhere
    assert np.var(before) == pytest.approx(1 / 3, abs=0.06)
    edges = np.linspace(-1.0, 1.0, 11)
    exact = [integrate.quad(boltzmann, low, high)[0] for low, high in pairwise(edges)]
    shares = np.histogram(after, edges)[0] / len(after)
    assert 0.5 * np.abs(shares - np.array(exact) / sum(exact)).sum() < 0.1
    spread = 0.5 * (before.std() + after.std())
    assert logged["spread"].item() == pytest.approx(spread, abs=0.05)
