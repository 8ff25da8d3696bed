"""Settings of critics: their networks, and how many count."""

import copy
from itertools import combinations

import pytest
import torch
from torch import nn

import maxent
from maxent.errors import ConfigError
from maxent.neural.parts import ensembles
from maxent.neural.parts.networks import mlp, mlp_parameters, named_tensors
from maxent.neural.runs.durable import seal, unseal

SMALL = {"hidden": (8, 8), "batch_size": 8, "learning_starts": 20, "seed": 3}
SETTINGS = [
    {"critics": 5, "smallest_of": 2},
    {"critic_network": "layer_norm"},
    {"critic_network": "residual", "normalize_observations": True},
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
    plain = maxent.train(algorithm, env, steps=60, **SMALL)
    assert whole.history[-1]["critic_loss"] != plain.history[-1]["critic_loss"]


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
        ("sac", {"n_steps": 3}, "setting 'n_steps' is unknown"),
    ],
)
def test_settings_that_make_no_sense_are_refused(algorithm, settings, told):
    with pytest.raises(ConfigError, match=told):
        maxent.train(algorithm, "Pendulum-v1", steps=10, **SMALL | settings)


def test_a_setting_that_is_gone_is_read_where_it_did_nothing_and_else_refused(tmp_path):
    """`n_steps`, the rewards in a target: 1 is what there is."""
    agent = maxent.train("sac", "Pendulum-v1", steps=30, run=tmp_path / "run", **SMALL)
    path = tmp_path / "run" / "config.json"
    record = unseal(path)
    record["config"]["settings"]["n_steps"] = 1
    path.write_bytes(seal(record))
    assert maxent.load_agent(tmp_path / "run").steps == 30
    longer = maxent.resume(tmp_path / "run", steps=40)
    assert longer.steps == 40 and not hasattr(longer.config, "n_steps")
    record["config"]["settings"]["n_steps"] = 3
    path.write_bytes(seal(record))
    for call in (maxent.load_agent, maxent.resume):
        with pytest.raises(
            ConfigError, match=r"run .* has n_steps = 3, a setting that there is no"
        ):
            call(tmp_path / "run")
    kept = agent.config.to_dict()
    object.__setattr__(agent.config, "to_dict", lambda: kept | {"n_steps": 1})
    assert maxent.load_agent(agent.save(tmp_path / "old.safetensors")).config == agent.config


def test_agents_with_other_critics_are_not_composed():
    agents = [maxent.train("sql", "CartPole-v1", steps=30, **SMALL | SETTINGS[0]) for _ in range(2)]
    with pytest.raises(ConfigError, match="smallest_of = 2"):
        maxent.compose_agents(agents)
