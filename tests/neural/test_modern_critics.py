"""Settings of critics: their networks, how many count, and targets of several steps."""

import copy
from itertools import combinations

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

import maxent
from maxent.errors import ConfigError
from maxent.neural.parts import ensembles
from maxent.neural.parts.networks import mlp, mlp_parameters, named_tensors
from maxent.neural.parts.paths import as_one_step
from maxent.neural.parts.replay import Batch, Replay
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.learner import Learner
from maxent.neural.training.plan import Plan

SMALL = {"hidden": (8, 8), "batch_size": 8, "learning_starts": 20, "seed": 3}
SETTINGS = [
    {"critics": 5, "smallest_of": 2},
    {"critic_network": "layer_norm"},
    {"critic_network": "residual", "normalize_observations": True},
    {"n_steps": 3, "num_envs": 2},
]


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def jittered(sizes, kind, members):
    """No scale is 1 and no shift 0, so that leaving one out shows."""
    made = mlp_parameters(sizes, generator=random(1), members=members, kind=kind)
    return {
        n: x.double() + 0.1 * torch.randn(x.shape, generator=random(2)) for n, x in made.items()
    }


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inside = nn.Sequential(
            nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        return x + self.inside(self.norm(x))


def normalised_layers():
    return nn.Sequential(
        *(nn.Linear(4, 6), nn.LayerNorm(6), nn.ReLU()),
        *(nn.Linear(6, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 3)),
    )


def residual_blocks():
    return nn.Sequential(nn.Linear(4, 6), Block(6), Block(6), nn.LayerNorm(6), nn.Linear(6, 3))


@pytest.mark.parametrize(
    ("kind", "sizes", "theirs", "before"),
    [
        ("layer_norm", (4, 6, 5, 3), normalised_layers, ""),
        ("residual", (4, 6, 6, 3), residual_blocks, "stream_"),
    ],
)
def test_networks_are_pytorchs_of_the_same_layers(kind, sizes, theirs, before):
    parameters = jittered(sizes, kind, 2)
    x = torch.randn((7, 4), generator=random(), dtype=torch.float64)
    found = mlp(parameters, x)
    for member in range(2):
        module = theirs().double()
        linear = [each for each in module.modules() if isinstance(each, nn.Linear)]
        norms = [each for each in module.modules() if isinstance(each, nn.LayerNorm)]
        with torch.no_grad():
            for i, layer in enumerate(linear):
                layer.weight.copy_(parameters[f"weight{i}"][member].T)
                layer.bias.copy_(parameters[f"bias{i}"][member, 0])
            for i, norm in enumerate(norms):
                norm.weight.copy_(parameters[f"{before}scale{i}"][member, 0])
                norm.bias.copy_(parameters[f"{before}shift{i}"][member, 0])
            torch.testing.assert_close(found[member], module(x), rtol=1e-12, atol=1e-12)
        assert len(linear) * 2 + len(norms) * 2 == len(parameters)


@pytest.mark.parametrize(("members", "few"), [(5, 2), (5, 1), (4, 3), (3, 3), (2, 1)])
def test_the_smallest_of_some_is_averaged_over_every_draw(members, few):
    q = torch.randn((members, 6), generator=random(), dtype=torch.float64)
    draws = [q[list(chosen)].amin(0) for chosen in combinations(range(members), few)]
    state = ensembles.begun(members, few, torch.device("cpu"))
    state = {part: {n: x.double() for n, x in group.items()} for part, group in state.items()}
    found = ensembles.cautious(state, q)
    torch.testing.assert_close(found, torch.stack(draws).mean(0), rtol=1e-6, atol=1e-7)
    assert (few == members) == (state == {})


def made_paths(n=4, count=50, alpha=0.3):
    """Rewards that make a chosen V and log pi the solution, on actions that nobody's policy chose;
    with terminations, and paths of every length."""
    source = np.random.default_rng(0)
    v, logs = source.normal(size=(n + 1, count)), source.normal(size=(n, count)) * 5.0
    discount = np.where(source.random((n, count)) < 0.1, 0.0, 0.9)
    reward = alpha * logs + v[:-1] - discount * v[1:]
    lengths = source.integers(1, n + 1, count)
    observation, following = v[:-1, :, None], v[1:, :, None]
    action = source.normal(size=(n, count, 2))
    arrays = (observation, action, reward, following, discount)
    return Batch(*map(torch.from_numpy, arrays)), torch.from_numpy(lengths), torch.from_numpy(logs)


def test_targets_of_several_steps_are_right_at_the_solution_whoever_acted():
    alpha = 0.3
    path, lengths, logs = made_paths(alpha=alpha)
    found = as_one_step(path, lengths, logs, alpha)
    target = found.reward + found.discount * found.next_observation[:, 0]
    torch.testing.assert_close(target, alpha * logs[0] + path.observation[0, :, 0])
    assert torch.equal(found.action, path.action[0]) and len(lengths.unique()) == 4
    entropies = torch.full_like(logs, float(logs.mean()))  # the entropy in place of each log
    wrong = as_one_step(path, lengths, entropies, alpha)
    off = wrong.reward + wrong.discount * wrong.next_observation[:, 0] - target
    longer = (lengths > 1) & (path.discount[0] > 0)
    assert off[longer].abs().mean() > 0.5 and off[~longer].abs().max() == 0.0


def test_what_is_beyond_a_path_is_not_read():
    path, lengths, logs = made_paths()
    found = as_one_step(path, lengths, logs, 0.3)
    beyond = torch.arange(4)[:, None] >= lengths
    spoilt = path._replace(
        reward=path.reward.masked_fill(beyond, torch.nan),
        discount=path.discount.masked_fill(beyond, torch.nan),
    )
    again = as_one_step(spoilt, lengths, logs.masked_fill(beyond, torch.nan), 0.3)
    for one, two in zip(found[:5], again[:5], strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("steps", [7, 23])
def test_stored_paths_end_with_episodes_and_with_what_is_stored(steps):
    """Two environments side by side; an observation says environment, episode and time, and each
    episode is cut after 4 steps.  The buffer holds the last 20 rows."""
    found = Spaces(spaces.Box(-1.0, 1.0, (3,)), spaces.Box(-1.0, 1.0, (1,)))
    replay = Replay(found, 20)
    for step in range(steps):
        episode, time = divmod(step, 4)
        here = torch.tensor([[env, episode, time] for env in (0.0, 1.0)])
        there = here + torch.tensor([0.0, 0.0, 1.0])
        number = torch.full((2,), float(step))
        replay.add(Batch(here, torch.zeros(2, 1), number, there, torch.full((2,), 0.9)))
    path, lengths = replay.sample_paths(500, 3, 2, random())
    for row in range(500):
        env, episode, time = path.observation[0, row].tolist()
        step = 4 * episode + time
        expected = min(3, 4 - time, steps - step)
        assert lengths[row] == expected
        kept = path.reward[: int(expected), row].tolist()
        assert kept == [step + k for k in range(int(expected))]
        assert (path.observation[: int(expected), row, 0] == env).all()
    assert len(path.observation[0].unique(dim=0)) == min(20, 2 * steps)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("algorithm", ["sac", "sac_v1", "sql_discrete"])
def test_settings_are_resumed_bit_for_bit_and_saved(algorithm, settings, tmp_path):
    env = "CartPole-v1" if algorithm.endswith("discrete") else "Pendulum-v1"
    settings = SMALL | settings
    whole = maxent.train(algorithm, env, steps=60, **settings)
    maxent.train(algorithm, env, steps=34, run=tmp_path / "run", **settings)
    parts = maxent.resume(tmp_path / "run", steps=60)
    saved = maxent.load_agent(whole.save(tmp_path / "agent.safetensors"))
    for other in (parts, saved):
        found = dict(named_tensors(other.state))
        for name, x in named_tensors(whole.state):
            assert torch.equal(x, found[name]), name
    plain = maxent.train(algorithm, env, steps=60, num_envs=settings.get("num_envs", 1), **SMALL)
    assert whole.history[-1]["critic_loss"] != plain.history[-1]["critic_loss"]


class Masked(gymnasium.Env):
    """Actions 0 and 1 in turn are the only one: a policy's log-density of it is 0 there."""

    observation_space, action_space = spaces.Box(-1.0, 1.0, (1,)), spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return np.zeros(1, np.float32), {"action_mask": np.array([1, 0, 0], np.int8)}

    def step(self, action):
        self.time += 1
        mask = np.eye(3, dtype=np.int8)[self.time % 2]
        seen = np.array([self.time / 10], np.float32)
        return seen, 1.0, False, self.time == 10, {"action_mask": mask}


def test_targets_of_several_steps_know_which_actions_there_were():
    """Where one action is available its log-density is 0, whatever the policy says of it."""
    plan = Plan(algorithm="sac", env=None, steps=100, seed=0)
    learner = Learner(plan, Masked, {"n_steps": 3, "discount": 0.5, "learning_starts": 20})
    for _ in range(15):
        learner._collect()
    batch = learner._batch()
    assert set(batch.reward.tolist()) == {1.0, 1.5, 1.75}
    assert set(batch.discount.tolist()) == {0.5, 0.25, 0.125}


def test_the_mean_of_two_critics_is_above_the_smaller():
    agent = maxent.train("sac", "Pendulum-v1", steps=30, smallest_of=1, **SMALL)
    other = copy.copy(agent.state)
    del other["ensemble"]
    module = maxent.neural.algorithms.sac
    rows = torch.zeros((1, 3)), torch.zeros((1, 1, 1))
    mean, smaller = (module.q_values(s, *rows, agent.spaces) for s in (agent.state, other))
    assert mean > smaller


@pytest.mark.parametrize(
    ("algorithm", "settings", "told"),
    [
        ("sac", {"critics": 2, "smallest_of": 3}, "smallest_of = 3 of 2 critics; give at most 2"),
        ("sac", {"smallest_of": 0}, "smallest_of = 0"),
        ("sac", {"critics": 0}, "critics = 0"),
        ("sac", {"critic_network": "layernorm"}, "did you mean 'layer_norm'"),
        ("sac", {"critic_network": "residual", "hidden": (8, 16)}, "share one width"),
        ("sac", {"critic_network": "residual", "hidden": ()}, "share one width"),
        ("sac", {"n_steps": 0}, "n_steps = 0"),
        ("sql", {"n_steps": 2}, "n_steps = 2: .*sampling network"),
    ],
)
def test_settings_that_make_no_sense_are_refused(algorithm, settings, told):
    with pytest.raises(ConfigError, match=told):
        maxent.train(algorithm, "Pendulum-v1", steps=10, **SMALL | settings)


def test_agents_with_other_critics_are_not_composed():
    agents = [maxent.train("sql", "CartPole-v1", steps=30, **SMALL | SETTINGS[0]) for _ in range(2)]
    with pytest.raises(ConfigError, match="smallest_of = 2"):
        maxent.compose_agents(agents)
