"""Soft Q-learning that acts by resampling candidates from its own Q."""

import math

import numpy as np
import pytest
import torch
from gymnasium import spaces
from scipy import integrate

import maxent
from maxent.errors import ConfigError
from maxent.neural.algorithms import sql
from maxent.neural.composition import boltzmann_actions, compose_agents
from maxent.neural.parts import proposals
from maxent.neural.parts.networks import mlp_parameters
from maxent.neural.parts.resampling import Resampled
from maxent.neural.parts.spaces import Spaces

SEEN = spaces.Box(-1.0, 1.0, (2,))


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def waves(action):
    """Two hills along the first axis, with exp(Q / 0.2) integrated below."""
    return 0.6 * torch.cos(4.0 * action[..., 0] + 0.5) - 0.3 * action.square().sum(-1)


class OnWaves(Resampled):
    """Q known in closed form, the same in every state; from -130 on, as on the four goals."""

    def _q(self, actions):
        return waves(actions) - 26.0


def resampled(m=1, candidates=64, states=1, sampler=False):
    state = {"sampler": mlp_parameters((2 + m, 16, m), generator=source(7))} if sampler else {}
    seen = torch.zeros(states, 2)
    return OnWaves(state, seen, torch.tensor(0.2), candidates, m)


def exact_in_one_dimension(temperature=0.2):
    """Cumulative distribution on a fine grid, and the entropy, of exp(Q / temperature)."""
    grid = torch.linspace(-1.0, 1.0, 20_001, dtype=torch.float64)
    height = torch.exp(waves(grid[:, None]) / temperature)
    total = torch.trapezoid(height, grid)
    density = height / total
    entropy = -torch.trapezoid(density * density.log(), grid)
    return grid, torch.cumulative_trapezoid(density, grid), entropy.item()


@pytest.mark.parametrize("sampler", [False, True])
def test_actions_follow_the_boltzmann_policy(sampler):
    """Kolmogorov's distance of 10,000 actions to the exact law: 1.95 / sqrt(n) at one in a
    thousand, and KL = chi^2 / (2 N^2) is far below."""
    drawn = (
        resampled(candidates=100, sampler=sampler).actions(10_000, source(1)).flatten().sort()[0]
    )
    grid, cumulative, _ = exact_in_one_dimension()
    expected = np.interp(drawn.numpy(), grid[1:].numpy(), cumulative.numpy())
    assert np.abs(expected - np.linspace(0.0, 1.0, len(drawn))).max() < 1.95 / math.sqrt(len(drawn))


@pytest.mark.parametrize("sampler", [False, True])
@pytest.mark.parametrize("candidates", [8, 32])
def test_the_log_density_of_actions_is_bracketed(candidates, sampler):
    """-E log pi, the entropy of the policy as it is (with 8 candidates not the Boltzmann policy's),
    by a route of its own: the histogram of its actions."""
    policy = resampled(candidates=candidates, sampler=sampler)
    found = policy.bracketed(20_000, source(2))
    counts = torch.histc(found.action, 100, -1.0, 1.0) / 20_000
    entropy = -torch.xlogy(counts, counts / 0.02).sum().item()
    error = 4.0 * found.above.std().item() / 141.0 + 100 / 40_000  # bias of the histogram
    below, above = found.below.mean().item(), found.above.mean().item()
    assert below - error < -entropy < above + error
    assert -entropy == pytest.approx(0.5 * (below + above), abs=error + 0.15 * (above - below))


def test_forgetting_the_density_of_the_proposal_shows_in_the_entropy(monkeypatch):
    """The weights must hold p: without it, actions heap up where the proposal does."""
    *_, entropy = exact_in_one_dimension(2.0)

    def entropy_of_histogram(policy):
        counts = torch.histc(policy.actions(4_000, source(3)), 40, -1.0, 1.0) / 4_000
        return -torch.xlogy(counts, counts / 0.05).sum().item()

    policy = resampled(sampler=True)._replace(temperature=torch.tensor(2.0))
    assert entropy_of_histogram(policy) == pytest.approx(entropy, abs=0.06)
    around = proposals.around

    def forgetful(*noise):
        places, drawn = around(*noise)
        return places, drawn._replace(log_density=torch.zeros_like(drawn.log_density))

    monkeypatch.setattr(proposals, "around", forgetful)
    assert entropy_of_histogram(policy) < entropy - 0.3


def test_the_bias_of_the_soft_value_is_chi_squared_over_twice_the_count():
    candidates = 64
    grid, _, _ = exact_in_one_dimension()
    height = torch.exp(waves(grid[:, None]) / 0.2)
    z, second = torch.trapezoid(height, grid), torch.trapezoid(height**2, grid)
    chi_squared = (2.0 * second / z**2 - 1.0).item()  # the density of the proposal is 1/2
    policy = resampled(candidates=candidates)
    found = policy.bracketed(40_000, source(4))
    log_z = (policy._q(found.action) / policy.temperature - found.above).mean().item()
    exact = math.log(z) - 130.0
    assert log_z - exact == pytest.approx(-chi_squared / (2 * candidates), rel=0.2)


@pytest.mark.parametrize("sampler", [False, True])
def test_the_estimated_density_of_given_actions_integrates_to_one(sampler):
    policy = resampled(candidates=16, sampler=sampler)
    actions = torch.linspace(-1.0, 1.0, 801)[None, :, None]
    log_density = policy.log_density(actions)
    assert torch.equal(log_density, policy.log_density(actions))
    total = integrate.trapezoid(log_density.exp()[0], actions[0, :, 0])
    assert total == pytest.approx(1.0, abs=0.03)
    outside = policy.log_density(torch.tensor([[[1.2], [-1.0], [1.0]]]))[0]
    assert outside[0] == -math.inf and outside[1:].isfinite().all()


def test_the_slots_of_a_mixture_make_up_its_density():
    noise = torch.rand((3, 5, 2), generator=source(1))
    centre, width = torch.randn((2, 3, 7, 2), generator=source(2))
    places, drawn = proposals.around(centre, noise, width)
    u = torch.atanh(drawn.action.double()).float()
    mixture = places.slots(u).logsumexp(-1) - math.log(12)
    torch.testing.assert_close(mixture, drawn.log_density, rtol=1e-3, atol=1e-3)


# the algorithm with it


def box(m, low=-1.0, high=1.0):
    return Spaces(SEEN, spaces.Box(low, high, (m,)))


@pytest.mark.parametrize("m", [1, 2, 3, 6, 17])
def test_actions_and_densities_in_every_dimension(m):
    config = sql.Config(policy="resampled", hidden=(8,), candidates=12)
    state = sql.init(box(m), config, source())
    observation = torch.rand((5, 2), generator=source(1))
    actions = sql.act(state, observation, source(2), box(m))
    assert actions.shape == (5, m) and (actions.abs() <= 1.0).all()
    best = sql.act(state, observation, source(2), box(m), deterministic=True)
    drawn, log_density = sql.policy(state, observation, box(m)).drawn(3, source(3))
    assert best.shape == (5, m) and drawn.shape == (5, 3, m)
    assert log_density.isfinite().all()
    given = sql.log_policy(state, observation, drawn, box(m))
    assert given.shape == (5, 3) and given.isfinite().all()


def test_states_in_parts_are_states_at_once(monkeypatch):
    policy = resampled(candidates=8, states=6)
    monkeypatch.setattr("maxent.neural.parts.resampling.MOST_AT_ONCE", 1)
    actions = policy.actions(2, source())
    assert actions.shape == (6, 2, 1)
    assert len(actions.unique()) == 12


def test_without_a_sampling_network_there_is_none_and_few_dimensions():
    config = sql.Config(policy="resampled", proposal="uniform", hidden=(8,))
    assert not {"sampler", "sampler_moments"} & sql.init(box(3), config, source()).keys()
    with pytest.raises(ConfigError, match=r'4 dimensions.* up to 3.*proposal="mixture"'):
        sql.init(box(4), config, source())
    with pytest.raises(ConfigError, match="finite sides"):
        sql.init(box(1, -math.inf, math.inf), config, source())
    with pytest.raises(ConfigError, match=r'proposal = "network".*folds.*"mixture"'):
        sql.Config(policy="resampled", proposal="network")
    with pytest.raises(ConfigError, match="resampeld"):
        sql.Config(policy="resampeld")
    with pytest.raises(ConfigError, match="candidates = 1"):
        sql.Config(policy="resampled", candidates=1)


SMALL = {"hidden": (8,), "batch_size": 4, "learning_starts": 10, "policy": "resampled"}
SMALL |= {"candidates": 9, "value_particles": 4, "temperature": 0.3}


@pytest.mark.parametrize("proposal", ["mixture", "uniform"])
def test_a_run_goes_on_bit_for_bit_and_its_agent_comes_back(tmp_path, proposal):
    settings = SMALL | {"proposal": proposal}
    whole = maxent.train("sql", "Pendulum-v1", steps=40, seed=3, **settings)
    stopped = maxent.train(
        "sql",
        "Pendulum-v1",
        steps=40,
        seed=3,
        run=tmp_path / "run",
        checkpoint_every=20,
        log_every=20,
        report=lambda row: row["step"] < 20,
        **settings,
    )
    assert stopped.steps == 20
    again = maxent.resume(tmp_path / "run")
    path = again.save(tmp_path / "agent.safetensors")
    back = maxent.load_agent(path)
    assert back.config.candidates == 9 and back.config.policy == "resampled"
    seen = np.zeros((3, 3), np.float32)
    for agent in (again, back, maxent.load_agent(tmp_path / "run")):
        assert int(agent.state["resampling"]["candidates"]) == 9
        for name, x in whole.state["critic"].items():
            assert torch.equal(x, agent.state["critic"][name])
        actions = agent.actions(seen, agent.generator(1))
        assert np.array_equal(actions, whole.actions(seen, whole.generator(1)))
    assert np.isfinite(back.entropy(np.zeros(3)))
    assert np.isfinite(back.evaluate(episodes=1, longest=5).returns).all()
    found = maxent.diagnose(back, episodes=1)
    assert np.isfinite(found["GIBBS-3"].error)


def test_a_start_keeps_the_networks_and_not_the_number_of_candidates():
    short = {"steps": 12, "seed": 3}
    first = maxent.train("sql", "Pendulum-v1", **short, **SMALL)
    hotter = SMALL | {"candidates": 21, "temperature": 2.0}
    second = maxent.train("sql", "Pendulum-v1", start=first, **short, **hotter)
    assert int(second.state["resampling"]["candidates"]) == 21
    assert second.temperature == 2.0
    assert second.state["temperature"]["fixed"].item() == 2.0
    sampler = {name: x for name, x in SMALL.items() if name != "candidates"}
    sampler["policy"] = "sampler"
    assert maxent.train("sql", "Pendulum-v1", start=first, **short, **sampler).steps == 12


@pytest.mark.parametrize("proposal", ["uniform", "mixture"])
def test_composed_agents_resample_from_the_average(proposal):
    settings = SMALL | {"proposal": proposal, "steps": 12}
    agents = [maxent.train("sql", "Pendulum-v1", seed=seed, **settings) for seed in (1, 2)]
    both = compose_agents(agents)
    seen = np.zeros((4, 3), np.float32)
    actions = both.actions(seen, both.generator(1))
    assert actions.shape == (4, 1)
    assert np.array_equal(actions, boltzmann_actions(both, seen, both.generator(1), candidates=9))


@pytest.mark.parametrize("proposal", ["mixture", "uniform"])
def test_a_deterministic_action_is_the_same_in_every_call(proposal):
    agent = maxent.train("sql", "Pendulum-v1", **SMALL | {"proposal": proposal, "steps": 12})
    seen = np.zeros(3, np.float32)
    first, again = (agent.act(seen, deterministic=True) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(*(agent.actions(seen[None], deterministic=True) for _ in range(2)))
    assert not np.array_equal(first, agent.act(seen, deterministic=True, seed=5))
    assert not np.array_equal(agent.act(seen), agent.act(seen))
