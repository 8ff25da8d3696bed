"""A run's folder executes nothing: no module that it names is imported unless that is asked for."""

import json
import sys

import gymnasium
import pytest

import maxent
from maxent.cli import main
from maxent.neural.runs.durable import seal, sha256_of

SMALL = {"hidden": (8,), "batch_size": 4, "learning_starts": 10, "replay_capacity": 50}
MODULE = """
import pathlib
import gymnasium
pathlib.Path(__file__).with_name("executed").touch()
entry = "maxent.environments:GridworldEnv"
gymnasium.register("Foreign-v0", entry_point=entry, max_episode_steps=20)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run whose environment is in a module that nobody has imported yet."""
    (tmp_path / "foreign_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    settings = {"map": "S.G", "discount": 0.9}
    folder = tmp_path / "run"
    maxent.train("sql", "maxent/Gridworld-v0", env_settings=settings, steps=20, run=folder, **SMALL)
    rename(folder, "foreign_module:Foreign-v0")
    yield folder
    sys.modules.pop("foreign_module", None)
    gymnasium.registry.pop("Foreign-v0", None)


def rename(folder, env):
    """Give the run another environment, as whoever makes a folder can."""
    path = folder / "config.json"
    record = json.loads(path.read_text())
    del record["sha256"]
    record["config"]["env"] = env
    record["config_sha256"] = sha256_of(record["config"])
    path.write_bytes(seal(record))


def executed(folder):
    return (folder.parent / "executed").exists() or "foreign_module" in sys.modules


@pytest.mark.parametrize("call", [maxent.load_agent, maxent.resume])
def test_from_python(run, call):
    with pytest.raises(maxent.ConfigError, match=r"'foreign_module'\) would be imported.*--trust"):
        call(run)
    assert not executed(run)
    assert call(run, env=gridworld).steps == 20
    assert not executed(run)
    with pytest.raises(maxent.ConfigError, match="trust = 'no'"):
        call(run, trust="no")
    assert call(run, trust=True).env == "foreign_module:Foreign-v0"
    assert executed(run)
    assert call(run).evaluate(episodes=1, longest=5).lengths.shape == (1,)  # imported already


def gridworld():
    return gymnasium.make("maxent/Gridworld-v0", map="S.G", discount=0.9)


@pytest.mark.parametrize("command", ["evaluate", "resume", "diagnose"])
def test_from_the_shell(run, command, capsys):
    assert main([command, str(run)]) == 2
    assert "would be imported" in capsys.readouterr().err
    assert main(["compare", str(run)]) in (0, 2)
    assert not executed(run)
    assert main([command, str(run), "--trust"]) == 0
    assert executed(run)


def test_an_environment_that_is_named_by_hand_is_trusted(run, capsys):
    assert main(["evaluate", str(run), "--env", "foreign_module:Foreign-v0"]) == 0
    assert executed(run)


def test_an_id_whose_settings_name_a_module_is_asked_for_too(run):
    rename(run, "GymV26Environment-v0")
    with pytest.raises(maxent.ConfigError, match="trust=True"):
        maxent.load_agent(run)
