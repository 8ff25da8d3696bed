"""`train(start=agent)`: what is taken over, what begins anew, what is refused, what a run keeps."""

import json

import numpy as np
import pytest
import torch
from gymnasium import spaces

import maxent
from maxent.errors import ConfigError, TrainingDivergedError
from maxent.neural.parts.networks import named_tensors
from maxent.neural.runs.log import read_log
from maxent.neural.training.learner import Learner
from tests.neural.test_training import Bandit

pytestmark = pytest.mark.filterwarnings("ignore:learning_starts")  # the start alone is looked at

TINY = {"hidden": (8,), "batch_size": 8, "learning_starts": 10, "log_every": 0}
ENVS = {"sac": "Pendulum-v1", "sac_v1": "Pendulum-v1", "sql": "Pendulum-v1"}
ENVS |= {"sac_discrete": "CartPole-v1", "sql_discrete": "CartPole-v1"}


def train(algorithm="sac", env=None, steps=20, **more):
    return maxent.train(algorithm, env or ENVS[algorithm], steps=steps, **(TINY | more))


def networks(agent):
    return {
        name: tensor
        for name, tensor in named_tensors(agent.state)
        if not name.startswith("temperature") and "_moments/" not in name
    }


@pytest.mark.parametrize("algorithm", ENVS)
def test_the_networks_are_taken_over_and_a_fixed_temperature_is_not(algorithm):
    warm = train(algorithm, temperature=10.0)
    cold = train(algorithm, steps=5, temperature=1.0, start=warm, seed=7, log_every=5)
    taken = networks(warm)
    assert all(torch.equal(tensor, taken[name]) for name, tensor in networks(cold).items())
    assert cold.temperature == 1.0
    for name, tensor in cold.state.get("temperature", {}).items():
        assert float(tensor) == {"log": 0.0, "fixed": 1.0}[name]
    moments = [x for name, x in named_tensors(cold.state) if "_moments/" in name]
    assert moments and all(not x.any() for x in moments)


def test_the_fixed_temperature_is_the_one_learned_with():
    warm = train(temperature=10.0)
    cold = train(temperature=1.0, start=warm, steps=30, log_every=30)
    assert cold.history[-1]["temperature"] == pytest.approx(1.0)


def test_a_tuned_temperature_goes_on_from_where_it_was():
    warm = train(steps=40)
    cold = train(start=warm, steps=5)
    assert warm.temperature != 1.0 and cold.temperature == warm.temperature


@pytest.mark.parametrize(
    "start, env, settings, words",
    [
        ("RUN", None, {}, "start = 'RUN' is no agent"),
        ({}, None, {}, "is no agent"),
        (("sac_v1", None, {}), None, {}, "another algorithm than sac"),
        (("sac", None, {}), None, {"hidden": (9,)}, "actor/"),
        (("sac", None, {"critics": 1}), None, {}, "critic/"),
        (("sac", lambda: Bandit(size=2), {}), lambda: Bandit(size=1), {}, "other sizes"),
    ],
)
def test_what_does_not_fit_is_refused(start, env, settings, words):
    if isinstance(start, tuple):
        algorithm, made_on, made_with = start
        start = train(algorithm, made_on, **made_with)
    with pytest.raises(ConfigError, match="start = ") as told:
        train("sac", env, start=start, **settings)
    assert words in str(told.value)


def test_bounded_actions_are_no_start_for_unbounded_ones():
    class Free(Bandit):
        def __init__(self):
            super().__init__()
            self.action_space = spaces.Box(-float("inf"), float("inf"), (1,))

    with pytest.raises(ConfigError, match="other actions"):
        train(env=Free, start=train(env=Bandit))


def test_a_run_cut_before_its_first_checkpoint_goes_on_from_the_same_networks(tmp_path):
    warm = train(steps=40)
    whole = train(start=warm, steps=40, run=tmp_path / "whole")

    def cut(row):
        raise RuntimeError("power")

    with pytest.raises(RuntimeError, match="power"):
        train(start=warm, steps=40, run=tmp_path / "cut", log_every=30, report=cut)
    resumed = maxent.resume(tmp_path / "cut")
    assert all(
        torch.equal(x, dict(named_tensors(whole.state))[name])
        for name, x in named_tensors(resumed.state)
    )


def test_a_run_cut_before_it_had_its_networks_is_not_gone_on_with_from_fresh_ones(
    tmp_path, monkeypatch
):
    warm = train(steps=40)

    def cut(*args):
        raise RuntimeError("power")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power"):
        patch.setattr(Learner, "_save", cut)
        train(start=warm, steps=40, run=tmp_path / "cut")
    with pytest.raises(ConfigError, match="cut before it had saved them"):
        maxent.resume(tmp_path / "cut")


def test_a_run_says_what_it_was_begun_with(tmp_path):
    told = {}
    for seed in (1, 2):
        warm = train(seed=seed)
        train(start=warm, seed=seed, run=tmp_path / str(seed))
        told[seed] = json.loads((tmp_path / str(seed) / "config.json").read_text())["config"]
    assert told[1]["start"] == told[2]["start"]
    assert "Pendulum-v1, 20 steps" in told[1]["start"]
    train(run=tmp_path / "fresh")
    fresh = json.loads((tmp_path / "fresh" / "config.json").read_text())["config"]
    assert fresh["start"] is None


def test_what_it_was_begun_with_is_one_for_equal_numbers_and_remembers_the_first():
    one = train(temperature=1, env_settings={"g": 9})
    same = train(temperature=1.0, env_settings={"g": np.float32(9.0)})
    other = train(temperature=1.0, env_settings={"g": 8})
    told = [train(start=agent).start for agent in (one, same, other)]
    assert told[0] == told[1] != told[2]
    chained = [train(temperature=1, start=agent, env_settings={"g": 9}) for agent in (one, other)]
    assert train(start=chained[0]).start != train(start=chained[1]).start


def test_a_checkpoint_s_agent_has_the_history_until_then(tmp_path):
    train(run=tmp_path / "run", steps=40, log_every=10, checkpoint_every=20)
    agent = maxent.load_agent(tmp_path / "run", step=20)
    assert [row["step"] for row in agent.history] == [10, 20]


@pytest.mark.parametrize("made", [[1, 2], "max_episode_steps=5", 3])
def test_env_settings_are_a_dictionary(made):
    with pytest.raises(ConfigError, match=r"env_settings = .*; give a dictionary"):
        train(env_settings=made)


@pytest.mark.parametrize("line", ["{", "[]", '{"loss": 1.0}', '{"step": -1}', '{"step": "two"}'])
def test_a_line_that_is_no_row_of_a_log_is_told(line, tmp_path):
    train(run=tmp_path / "run", log_every=10)
    log = tmp_path / "run" / "metrics.jsonl"
    log.write_text(log.read_text() + line + "\n")
    with pytest.raises(ConfigError, match=r"metrics\.jsonl, line 3 is no row"):
        maxent.load_agent(tmp_path / "run")
    log.write_text(log.read_text().replace(line + "\n", " " * len(line) + "\n"))
    assert len(maxent.load_agent(tmp_path / "run").history) == 2


def test_a_row_with_a_number_that_was_not_finite_is_one(tmp_path):
    train(run=tmp_path / "run", log_every=10)
    with (tmp_path / "run" / "metrics.jsonl").open("a") as log:
        log.write('{"step": 30, "return": null}\n')
    rows = read_log(tmp_path / "run")
    assert rows[-1] == {"step": 30, "return": None}


def test_an_evaluation_that_is_not_finite_says_so():
    class Lost(Bandit):
        def step(self, action):
            return np.ones(1, dtype=np.float32), self.pays(), False, True, {}

        def pays(self):
            return 0.0

    made = []

    def make():
        env = Lost()
        env.pays = (lambda: 0.0) if not made else (lambda: float("nan"))
        made.append(env)
        return env

    with pytest.raises(TrainingDivergedError, match="step 10: an episode of the evaluation"):
        train(env=make, evaluate_every=10, evaluation_episodes=1)
