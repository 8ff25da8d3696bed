"""A setting does something, or is refused where a caller gives it; what files record is read."""

import json

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import maxent
from maxent.cli import main
from maxent.errors import ConfigError
from maxent.neural.algorithms import ALGORITHMS
from maxent.neural.parts.networks import named_tensors
from maxent.neural.runs.durable import seal, sha256_of

BASE = {"hidden": (4, 4), "batch_size": 3, "learning_starts": 4, "temperature": 0.2, "critics": 2}
OTHER = {
    "temperature": 0.7,
    "cooled_from": 3.0,
    "cooling_share": 0.9,
    "discount": 0.5,
    "batch_size": 5,
    "hidden": (5, 5),
    "critics": 3,
    "smallest_of": 1,
    "critic_network": "layer_norm",
    "learning_starts": 6,
    "replay_capacity": 3,
    "updates_per_step": 0.5,
    "final_rate_share": 0.1,
    "normalize_observations": True,
    "policy": {"sac": "mixture", "sac_discrete": "gaussian", "sql": "sampler"},
    "components": 3,
    "initial_temperature": 2.0,
    "target_entropy": 0.3,
    "candidates": 5,
    "proposal": "uniform",
    "value_particles": 6,
    "particles": 3,
    "kernel": "inverse-multiquadric",
    "form": "original",
    "target_rate": 0.5,
    "target_interval": 2,
}
"""Another value of every setting (of a rate: a hundredth)."""
KINDS = [
    ("sac", {}),
    ("sac", {"temperature": None}),
    ("sac", {"policy": "mixture", "cooled_from": 2.0}),
    ("sac_v1", {}),
    ("sac_discrete", {}),
    ("sac_discrete", {"temperature": None}),
    ("sql", {}),
    ("sql", {"policy": "sampler"}),
    ("sql", {"proposal": "uniform"}),
    ("sql_discrete", {"cooled_from": 2.0}),
]


class Walk(gymnasium.Env):
    """Steps along a line; the further the action, the less is paid."""

    observation_space = spaces.Box(-9.0, 9.0, (2,))

    def __init__(self, discrete):
        self.action_space = spaces.Discrete(3) if discrete else spaces.Box(-1.0, 1.0, (2,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.normal(size=2).astype(np.float32)
        return self.place, {}

    def step(self, action):
        self.place = (0.9 * self.place + 0.1 * np.asarray(action)).astype(np.float32)
        return self.place, -float(np.square(action).sum()), False, False, {}


def bits(algorithm, settings):
    """All that an agent has become, after ten steps of a walk, and what it does."""
    agent = maxent.train(
        algorithm, Walk(algorithm.endswith("discrete")), steps=10, progress=False, **settings
    )
    seen = np.ones((3, 2), dtype=np.float32)
    actions = agent.actions(seen, agent.generator(1))
    return [actions.tolist(), *((name, x.tolist()) for name, x in named_tensors(agent.state))]


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "kind"), KINDS)
def test_every_setting_does_something_or_is_refused(algorithm, kind, monkeypatch):
    """The table of unused settings is held against what each setting really changes."""
    base = BASE | kind
    before = bits(algorithm, base)
    refused = {}
    with monkeypatch.context() as patched:
        patched.setattr("maxent.neural.training.require_used", lambda *_: None)
        for name, default in ALGORITHMS[algorithm].Config().to_dict().items():
            value = 0.01 * default if name.endswith("_rate") else None
            value = OTHER.get(name, value)
            value = value[algorithm] if isinstance(value, dict) else value
            if name == "target_entropy" and base["temperature"] is None:
                value = 0.1
            if value == base.get(name, default) and name not in ("policy", "proposal"):
                raise AssertionError(f"{name} = {value!r} is no other value")
            if name in kind and name in ("policy", "proposal", "cooled_from", "temperature"):
                continue  # it is what makes the kind
            if name == "cooled_from" and base["temperature"] is None:
                continue  # refused in words of its own
            if bits(algorithm, base | {name: value}) == before:
                refused[name] = value
    assert set(refused) == set(ALGORITHMS[algorithm].Config(**base).unused)


@pytest.mark.parametrize(("algorithm", "kind"), KINDS)
def test_what_would_do_nothing_is_refused(algorithm, kind):
    base = BASE | kind
    for name in ALGORITHMS[algorithm].Config(**base).unused:
        value = {"sac_discrete": "gaussian"} if name == "policy" else OTHER.get(name, 0.01)
        value = value[algorithm] if isinstance(value, dict) else value
        with pytest.raises(
            ConfigError, match=rf"^{name} = .*would do nothing.*or leave {name} out"
        ):
            bits(algorithm, base | {name: value})


def test_a_default_that_is_said_aloud_is_refused_where_it_does_nothing(tmp_path):
    with pytest.raises(ConfigError, match=r'components = 8 .*only with policy="mixture"'):
        bits("sac", BASE | {"components": 8})
    with pytest.raises(ConfigError, match=r"cell.*components = 8"):
        maxent.sweep(
            "sac", "Pendulum-v1", seeds="0:2", folder=tmp_path / "sweep", steps=9, components=8
        )
    assert not (tmp_path / "sweep").exists()
    assert bits("sac", BASE | {"target_entropy": None}) == bits("sac", BASE)


@pytest.mark.parametrize(
    ("name", "value", "needs"),
    [
        ("evaluation_episodes", 3, "evaluate_every"),
        ("checkpoint_every", 5, "run"),
        ("overwrite", True, "run"),
    ],
)
def test_arguments_that_would_do_nothing_are_refused_too(name, value, needs, tmp_path, capsys):
    with pytest.raises(ConfigError, match=rf"^{name} = .*would do nothing.*only with {needs}"):
        bits("sac", BASE | {name: value})
    option = "--" + name.replace("_", "-")
    given = [option] if value is True else [option, str(value)]
    assert main(["train", "sac", "--env", "Pendulum-v1", "--steps", "9", *given]) == 2
    assert f"{name} = {value} would do nothing" in capsys.readouterr().err
    if needs != "run":
        with pytest.raises(ConfigError, match=f"{name} = {value} would do nothing"):
            maxent.sweep("sac", "Pendulum-v1", folder=tmp_path, steps=9, **{name: value})


def test_a_start_brings_its_temperature_with_it():
    settings = BASE | {"temperature": None}
    start = maxent.train("sac", Walk(False), steps=8, progress=False, **settings)
    with pytest.raises(ConfigError, match=r"initial_temperature = 2\.0 would do nothing"):
        bits("sac", settings | {"start": start, "initial_temperature": 2.0})
    bits("sac", settings | {"start": start})


def test_records_of_unused_settings_are_read(tmp_path):
    """A run and an agent's file from before, in which such a setting was given another value."""
    run, file = tmp_path / "run", tmp_path / "agent.safetensors"
    agent = maxent.train("sac", "Pendulum-v1", steps=8, run=run, progress=False, **BASE)
    record = json.loads((run / "config.json").read_text())
    settings = record["config"]["settings"]
    assert (settings["components"], settings["cooling_share"]) == (8, 0.5)
    settings |= {"components": 3, "cooling_share": 0.9, "target_entropy": -2.0}
    record["config_sha256"] = sha256_of(record["config"])
    del record["sha256"]
    (run / "config.json").write_bytes(seal(record))
    loaded = maxent.load_agent(run)
    assert loaded.config.components == 3
    assert maxent.resume(run, steps=12, progress=False).steps == 12
    loaded.save(file)
    again = maxent.load_agent(file)
    assert again.config.cooling_share == 0.9 and agent.config.components == 8
