"""An agent in one file: the same agent again, and nothing of a file that was changed."""

import json
import sys
import types
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import safetensors.torch
import torch
from gymnasium import spaces

import maxent
from maxent.errors import ConfigError, CorruptCheckpointError, MissingExtraError, OutputExistsError
from maxent.neural.parts.networks import named_tensors
from maxent.neural.runs.durable import sha256_of
from maxent.neural.training.agent_file import _read, _written

SMALL = {"hidden": (8,), "batch_size": 8, "learning_starts": 10, "replay_capacity": 50}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("algorithm", "env"),
    [
        ("sac", "Pendulum-v1"),
        ("sac_v1", "Pendulum-v1"),
        ("sql", "Pendulum-v1"),
        ("sac", "CartPole-v1"),
        ("sql", "CartPole-v1"),
    ],
)
def test_a_saved_agent_is_the_same_agent(algorithm, env):
    agent = maxent.train(algorithm, env, steps=30, normalize_observations=True, **SMALL)
    path = agent.save("agent.safetensors")
    again = maxent.load_agent(path)
    pairs = zip(named_tensors(agent.state), named_tensors(again.state), strict=True)
    assert all(torch.equal(dict(named_tensors(again.state))[name], x) for (name, x), _ in pairs)
    assert repr(again) == repr(agent) and again.config == agent.config
    assert again.spaces == agent.spaces and again.history == agent.history
    one, two = (each.evaluate(episodes=2, longest=20).returns for each in (agent, again))
    assert (one == two).all()
    assert maxent.train(algorithm, env, steps=20, start=again, normalize_observations=True, **SMALL)


def test_composed_agents_are_saved_too():
    agents = [maxent.train("sql", "CartPole-v1", steps=30, seed=s, **SMALL) for s in (1, 2)]
    both = maxent.compose_agents(agents)
    again = maxent.load_agent(both.save("both.safetensors"))
    assert torch.equal(again.state["critic"]["weight0"], both.state["critic"]["weight0"])


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(-np.inf, np.inf, (2, 3)),
        spaces.Box(np.array([-1.0, 0.5], np.float32), np.array([1.0, np.inf], np.float32)),
        spaces.Box(0, 7, (2,), np.int16),
        spaces.Box(-1.0, 1.0, (), np.float64),
        spaces.Discrete(5, start=-2),
        spaces.MultiBinary([2, 2]),
        spaces.MultiDiscrete([2, 3], start=[1, 0]),
        spaces.Tuple([spaces.Discrete(2), spaces.Dict(a=spaces.MultiBinary(3))]),
    ],
)
def test_spaces_come_back(space):
    assert _read(json.loads(json.dumps(_written(space)))) == space


def test_what_exists_is_left_and_another_ending_refused():
    agent = maxent.train("sql", "CartPole-v1", steps=20, **SMALL)
    agent.save("a.safetensors")
    with pytest.raises(OutputExistsError):
        agent.save("a.safetensors")
    agent.save("a.safetensors", overwrite=True)
    with pytest.raises(ConfigError, match="safetensors"):
        agent.save("a.pt")
    with pytest.raises(ConfigError, match="holds one step"):
        maxent.load_agent("a.safetensors", step=20)
    assert maxent.load_agent("a.safetensors", env="Acrobot-v1").env == "Acrobot-v1"


def test_any_change_shows():
    agent = maxent.train("sql", "CartPole-v1", steps=20, **SMALL)
    data = agent.save("a.safetensors").read_bytes()
    rng = np.random.default_rng(0)
    for place in [0, 9, 40, *rng.integers(len(data), size=60).tolist(), len(data) - 1]:
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        Path("b.safetensors").write_bytes(changed)
        try:
            other = maxent.load_agent("b.safetensors")
        except CorruptCheckpointError as error:
            assert "b.safetensors" in str(error)
            continue
        same = zip(named_tensors(agent.state), named_tensors(other.state), strict=True)
        assert all(torch.equal(dict(named_tensors(other.state))[n], x) for (n, x), _ in same)
    for odd in (b"", b"12345678", data[:100], data[:-1], b"\0" * 64):
        Path("b.safetensors").write_bytes(odd)
        with pytest.raises(CorruptCheckpointError):
            maxent.load_agent("b.safetensors")
    safetensors.torch.save_file({"w": torch.zeros(1)}, "b.safetensors")
    with pytest.raises(CorruptCheckpointError, match="is no agent as `save` writes it"):
        maxent.load_agent("b.safetensors")


# videos


def test_a_video_of_each_episode(monkeypatch):
    written = []

    class Clip:
        def __init__(self, frames, fps):
            self.frames = frames

        def write_videofile(self, path, **_):
            written.append((Path(path).name, len(self.frames)))

    moviepy = types.ModuleType("moviepy")
    editor = types.ModuleType("moviepy.video.io.ImageSequenceClip")
    moviepy.__spec__ = editor.__spec__ = None
    editor.ImageSequenceClip = Clip
    for name in ("moviepy", "moviepy.video", "moviepy.video.io"):
        monkeypatch.setitem(sys.modules, name, moviepy)
    monkeypatch.setitem(sys.modules, "moviepy.video.io.ImageSequenceClip", editor)
    settings = {"map": "S..G", "discount": 0.9}
    agent = maxent.train("sql", "maxent/Gridworld-v0", env_settings=settings, steps=20, **SMALL)
    found = agent.evaluate(episodes=2, longest=7, deterministic=False, video="films")
    assert [name for name, _ in written] == ["episode-episode-0.mp4", "episode-episode-1.mp4"]
    assert [frames for _, frames in written] == (found.lengths + 1).tolist()


def test_a_video_needs_moviepy_and_a_drawn_environment(monkeypatch):
    agent = maxent.train("sql", "CartPole-v1", steps=20, **SMALL)
    with pytest.raises(ConfigError, match="render_mode='rgb_array'"):
        agent.evaluate(gymnasium.make("CartPole-v1"), video="films")
    monkeypatch.setitem(sys.modules, "moviepy", None)
    mdp = maxent.gridworld("S.G", discount=0.9)
    agent = maxent.train("sql", lambda: maxent.MDPEnv(mdp), steps=20, **SMALL)
    with pytest.raises(MissingExtraError, match="pip install moviepy"):
        agent.evaluate(maxent.MDPEnv(mdp, render_mode="rgb_array"), video="films")
    assert not Path("films").exists()


def resealed(path, change):
    """An agent's file with its document changed, and sealed again."""
    data = Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    document = json.loads(header["__metadata__"]["maxent"])
    document.pop("sha256")
    change(document)
    header["__metadata__"]["maxent"] = json.dumps(document | {"sha256": sha256_of(document)})
    text = json.dumps(header).encode()
    Path(path).write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


ODD_DOCUMENTS = {
    "env": 2.5,
    "steps": "many",
    "env_settings": [],
    "start": {},
    "history": [1],
    "statistics": [0],
}


@pytest.mark.parametrize("name", ODD_DOCUMENTS)
def test_a_sealed_document_of_other_kinds_is_told(name):
    path = maxent.train("sql", "CartPole-v1", steps=11, **SMALL).save("agent.safetensors")
    resealed(path, lambda document: document.update({name: ODD_DOCUMENTS[name]}))
    with pytest.raises(CorruptCheckpointError, match="no agent as `save` writes it"):
        maxent.load_agent(path)


def test_settings_of_a_sealed_document_beyond_memory_are_told():
    path = maxent.train("sql", "CartPole-v1", steps=11, **SMALL).save("agent.safetensors")
    resealed(path, lambda document: document["settings"].update(hidden=[10**6, 10**6]))
    with pytest.raises(maxent.MemoryBudgetError, match="networks with the layers"):
        maxent.load_agent(path)
    resealed(path, lambda document: document["observation"].update(shape=[10**6, 10**6]))
    with pytest.raises(maxent.MemoryBudgetError, match="a Box of shape"):
        maxent.load_agent(path)


@pytest.mark.parametrize("rubbish", ["rubbish", {"float": 3}, {"array": "x"}, None])
def test_statistics_of_a_sealed_document_that_are_none_are_told(rubbish):
    def make():
        return gymnasium.wrappers.NormalizeObservation(gymnasium.make("CartPole-v1"))

    path = maxent.train("sql", make, steps=11, **SMALL).save("agent.safetensors")

    def change(document):
        for layer in document["statistics"]:
            for node in layer.values():
                if isinstance(node, dict) and "object" in node:
                    node["object"]["mean"] = rubbish

    resealed(path, change)
    with pytest.raises(maxent.MaxEntError):
        maxent.load_agent(path).evaluate(make, episodes=1, longest=2)
