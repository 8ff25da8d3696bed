"""Files of earlier versions go on being read: MDPs, certificates, runs (`old_files/make.py`)."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import maxent

FOLDER = Path(__file__).parent / "old_files" / "0.1.0"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


@pytest.fixture(params=sorted(EXPECTED["runs"]))
def old_run(request, tmp_path):
    """A copy of a run's folder, and what was known of its agent."""
    folder = tmp_path / request.param
    shutil.copytree(FOLDER / request.param, folder)
    return folder, EXPECTED["runs"][request.param]


@pytest.mark.parametrize("name", sorted(EXPECTED["mdps"]))
def test_an_mdp_is_read(name):
    known = EXPECTED["mdps"][name]
    mdp = maxent.MDP.load(FOLDER / f"{name}.npz")
    assert [mdp.n_states, mdp.n_actions] == known["shape"]
    v = maxent.solve(mdp, 0.5, tolerance=1e-10).v
    np.testing.assert_allclose(v, known["v"], rtol=0, atol=2e-10)


def test_what_an_mdp_carries_is_read():
    dense = maxent.MDP.load(FOLDER / "dense.npz")
    assert dense.action_names == ("x", "y", "z")
    assert list(dense.terminal) == [False, False, False, True]
    assert not dense.action_mask[0, 2]
    assert maxent.MDP.load(FOLDER / "gridworld.npz").grid.text[0] == "S.#."
    assert maxent.MDP.load(FOLDER / "sparse.npz").is_sparse


@pytest.mark.parametrize("name", sorted(EXPECTED["certificates"]))
def test_a_certificate_is_proved_again(name):
    pytest.importorskip("flint")
    found = maxent.check_certificate(FOLDER / f"{name}.json")
    assert found.valid
    assert (
        json.loads((FOLDER / f"{name}.json").read_text())["enclosure"]["radius"]
        == (EXPECTED["certificates"][name]["radius"])
    )


def test_an_agent_is_loaded(old_run):
    folder, known = old_run
    agent = maxent.load_agent(folder)
    assert agent.steps == known["steps"]
    assert agent.temperature == pytest.approx(known["temperature"], rel=1e-6)
    assert agent.history == known["history"]
    observation = np.zeros((1, agent.spaces.observation_size), dtype=np.float32)
    observation[0, 0] = 1.0
    action = agent.actions(observation, agent.generator(0), deterministic=True)
    np.testing.assert_allclose(action, known["action"], rtol=1e-4)
    assert len(agent.evaluate(episodes=2, longest=50).returns) == 2


@pytest.mark.filterwarnings("ignore:.*may not continue bit for bit")
def test_a_run_goes_on(old_run):
    folder, known = old_run
    agent = maxent.resume(folder, steps=80)
    assert agent.steps == 80
    if folder.name == "sql":  # from before its policy was a setting
        assert agent.config.policy == "sampler" and "resampling" not in agent.state
    assert agent.history[: len(known["history"])] == known["history"]
    assert len(agent.history) > len(known["history"])


def test_a_record_without_a_seed_is_compared(tmp_path):
    from maxent.neural.runs.durable import seal

    shutil.copytree(FOLDER / "sac", tmp_path / "sac")
    config = tmp_path / "sac" / "config.json"
    record = json.loads(config.read_text())
    del record["sha256"], record["config"]["seed"]
    config.write_bytes(seal(record))
    assert len(maxent.compare(tmp_path / "sac").groups[0].runs) == 1
