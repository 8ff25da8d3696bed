"""What goes across episodes: statistics of wrappers, generators, counters, endless episodes.

Kept in a checkpoint, put back when a run is resumed, frozen in an evaluation.
"""

import json
import os
import random
from collections import deque

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import NormalizeObservation, NormalizeReward, RecordEpisodeStatistics

import maxent
from maxent.errors import ConfigError, MaxEntWarning
from maxent.neural.parts import normalise
from maxent.neural.parts.networks import named_tensors
from maxent.neural.runs import segments
from maxent.neural.runs.checkpoints import load
from maxent.neural.training import collect, snapshots
from maxent.neural.training.averages import CLOCK

SMALL = {"hidden": (8,), "batch_size": 8, "learning_starts": 10, "replay_capacity": 500}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)


class Far(gymnasium.Env):
    """A walk on a line around 100; its noise comes from a generator, and more counts on."""

    def __init__(self, length=9, noise="np_random"):
        self.observation_space = spaces.Box(-np.inf, np.inf, (1,))
        self.action_space = spaces.Discrete(2)
        self.length, self.noise = length, noise
        self.own, self.old = np.random.default_rng(7), random.Random(7)
        self.episodes, self.seen, self.held = 0, deque(maxlen=3), {"best": -np.inf}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.steps = 100.0, 0
        self.episodes += 1
        return self._view(), {}

    def step(self, action):
        sources = {"np_random": self.np_random.normal, "own": self.own.normal}
        sources["old"] = lambda: self.old.gauss(0.0, 1.0)
        self.place += 0.1 * (2 * action - 1) + 0.1 * sources[self.noise]()
        self.steps += 1
        self.seen.append(self.place)
        self.held["best"] = max(self.held["best"], self.place)
        reward = -abs(self.place - 100.5) + 0.01 * self.episodes
        return self._view(), reward, False, self.steps == self.length, {}

    def _view(self):
        return np.array([self.place], dtype=np.float32)


def same(one, two):
    pairs = zip(named_tensors(one.state), named_tensors(two.state), strict=True)
    return all(torch.equal(x, y) for (_, x), (_, y) in pairs)


ENVIRONMENTS = {
    "normalised observations": lambda: NormalizeObservation(Far()),
    "normalised rewards": lambda: NormalizeReward(Far()),
    "both, and statistics": lambda: NormalizeReward(
        NormalizeObservation(RecordEpisodeStatistics(Far()))
    ),
    "an own generator": lambda: Far(noise="own"),
    "Python's generator": lambda: Far(noise="old"),
    "an episode counter": Far,
}


@pytest.mark.parametrize("case", ENVIRONMENTS)
@pytest.mark.parametrize("num_envs", [1, 2])
def test_a_resumed_run_is_the_uncut_one_to_the_byte(case, num_envs, tmp_path):
    env = ENVIRONMENTS[case]
    settings = SMALL | {"log_every": 10, "num_envs": num_envs, "updates_per_step": 0.05}
    whole = maxent.train("sql", env, steps=120, run=tmp_path / "a", **settings)

    def stop(row):
        return row["step"] < 50  # as a signal would: no row of its own

    maxent.train("sql", env, steps=120, run=tmp_path / "b", report=stop, **settings)
    parts = maxent.resume(tmp_path / "b", env=env)
    assert same(whole, parts)
    assert lines(tmp_path / "a") == lines(tmp_path / "b")
    rows = [load(tmp_path / name).rows.arrays for name in "ab"]
    assert all((rows[0][name] == rows[1][name]).all() for name in rows[0])


def lines(run):
    """The lines of a log, their fields in order, but for those of the clock."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [json.dumps({k: v for k, v in row.items() if k not in CLOCK}) for row in rows]


def test_an_evaluation_uses_the_statistics_of_training_and_leaves_them(tmp_path):
    env = ENVIRONMENTS["normalised observations"]
    agent = maxent.train("sql", env, steps=300, run=tmp_path / "run", **SMALL)
    for each in (agent, maxent.load_agent(tmp_path / "run", env=env)):
        made = env()
        seen, real = [], made.observation
        made.observation = lambda x, real=real, seen=seen: seen.append(real(x)) or seen[-1]
        before = made.obs_rms.count
        each.evaluate(made, episodes=3)
        assert np.abs(seen).max() < 6.0  # with fresh statistics the first ones are near 100
        assert made.update_running_mean and made.obs_rms.count == before
    raw = agent.evaluate(env, episodes=4)
    assert np.ptp(raw.returns) < 8.0  # no first episode that stands out


def test_the_wrappers_of_a_vector_environment_keep_their_statistics(tmp_path):
    def make():
        return gymnasium.wrappers.vector.NormalizeObservation(SyncVectorEnv([Far, Far]))

    one = make()
    maxent.train("sql", one, steps=60, run=tmp_path / "run", **SMALL)
    two = make()
    maxent.resume(tmp_path / "run", env=two, steps=62)
    assert two.obs_rms.count > one.obs_rms.count > 50
    np.testing.assert_allclose(two.obs_rms.mean, one.obs_rms.mean, rtol=0.01)


# our own normalisation


@pytest.mark.parametrize("algorithm", ["sac", "sql"])
def test_normalised_observations_are_resumed_bit_for_bit_and_frozen_in_evaluation(
    algorithm, tmp_path
):
    settings = SMALL | {"normalize_observations": True, "num_envs": 2}
    whole = maxent.train(algorithm, Far, steps=100, **settings)
    maxent.train(algorithm, Far, steps=54, run=tmp_path / "run", **settings)
    parts = maxent.resume(tmp_path / "run", env=Far, steps=100)
    assert same(whole, parts) and "observations/mean" in dict(named_tensors(parts.state))
    before = {name: x.clone() for name, x in named_tensors(parts.state)}
    parts.evaluate(Far, episodes=2)
    assert all(torch.equal(before[name], x) for name, x in named_tensors(parts.state))
    assert float(parts.state["observations"]["mean"][0]) == pytest.approx(100.0, abs=1.0)
    other = maxent.train(algorithm, Far, steps=30, start=whole, **settings)
    assert float(other.state["observations"]["count"]) == 130.0
    with pytest.raises(ConfigError, match="normalize_observations = 1"):
        maxent.train(algorithm, Far, steps=30, **SMALL | {"normalize_observations": 1})


def test_running_statistics_are_those_of_all_that_was_seen():
    rows = torch.randn((500, 3), generator=torch.Generator().manual_seed(0)) * 5.0 + 1e4
    state = normalise.begun(3, torch.device("cpu"))
    for part in rows.split([1, 7, 92, 400]):
        normalise.include(state, part)
    scaled = (rows.double() - rows.double().mean(0)) / rows.double().var(0, correction=0).sqrt()
    np.testing.assert_allclose(normalise.as_seen(state, rows), scaled.clamp(-10, 10), atol=1e-5)
    assert normalise.as_seen({}, rows) is rows


@pytest.mark.slow
def test_normalisation_solves_what_raw_observations_make_hard():
    """Observations of 100 +- 1: to keep near 100.5."""
    settings = {"hidden": (32,), "learning_starts": 200, "batch_size": 64, "temperature": 0.02}
    settings |= {"discount": 0.9, "critic_rate": 3e-3, "target_rate": 0.05}
    scores = [
        maxent.train(
            "sql", lambda: Far(50), steps=3_000, seed=1, normalize_observations=on, **settings
        )
        .evaluate(lambda: Far(50), episodes=10)
        .returns.mean()
        for on in (False, True)
    ]
    assert scores[1] > scores[0] + 1.0


# episodes that do not end


def test_an_endless_episode_that_can_be_copied_is_a_snapshot(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "REPLAYED", 20)
    settings = SMALL | {"num_envs": 2}
    endless = lambda: NormalizeObservation(Far(10**9))  # noqa: E731
    whole = maxent.train("sql", endless, steps=200, **settings)
    kept = {"run": tmp_path / "run", "checkpoint_every": 30}
    maxent.train("sql", endless, steps=110, **kept, **settings)
    saved = load(tmp_path / "run")
    assert [each["actions"] for each in saved.values["environments"]] == [[], []]
    assert not saved.memory["environments"][0]["whole"]
    assert same(maxent.resume(tmp_path / "run", env=endless, steps=200), whole)
    sizes = [len(json.dumps(load(tmp_path / "run", step).memory)) for step in (180, 200)]
    assert abs(sizes[0] - sizes[1]) < 100


class Locked(Far):
    """Nothing can be read out of it."""

    def __init__(self, length=10**9):
        super().__init__(length)
        self.handle = torch.Generator()


def test_where_it_cannot_be_copied_there_is_a_limit_and_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "REPLAYED", 20)
    monkeypatch.setattr(collect, "LONGEST", 50)
    with (
        pytest.warns(MaxEntWarning, match=r"does not hold"),
        pytest.warns(MaxEntWarning, match=r"environment Locked: .* 50 steps.*max_episode_steps"),
    ):
        maxent.train("sql", Locked, steps=80, run=tmp_path / "run", **SMALL)
    (saved,) = load(tmp_path / "run").values["environments"]
    assert len(saved["actions"]) == 50
    with pytest.warns(MaxEntWarning, match=r"does not hold Locked.handle \(Generator\)"):
        maxent.train("sql", Locked, steps=50, run=tmp_path / "short", **SMALL)
    maxent.train("sql", Locked, steps=50, **SMALL)  # nothing to resume: nothing to tell


def test_a_wrapper_that_cannot_be_read_is_warned_of(tmp_path):
    class Odd(gymnasium.Wrapper):
        def __init__(self, env):
            super().__init__(env)
            self.odd, self.fine, self.of = torch.zeros(3), {"a": [1.0]}, np.tanh

    with pytest.warns(MaxEntWarning, match=r"does not hold Odd.odd \(Tensor\): a resumed run"):
        maxent.train("sql", Odd(Far()), steps=20, run=tmp_path / "run", **SMALL)


def test_a_copy_that_does_something_else_is_found_out():
    hidden = []

    class Sly(Far):
        def step(self, action):
            hidden.append(action)
            return super().step(action if len(hidden) % 2 else 1 - action)

    env = Far()
    env.reset(seed=0)
    assert snapshots.can_be_put_back(env, snapshots.remembered(env))
    env = Sly()
    env.reset(seed=0)
    assert not snapshots.can_be_put_back(env, snapshots.remembered(env))


def test_a_circle_or_a_large_table_is_left_alone():
    env = Far()
    env.circle = env.held
    env.held["self"] = env.held
    env.table = list(range(10**5))
    assert {"Far.circle", "Far.held", "Far.table"} <= set(snapshots.unreadable(env))
    assert "held" not in snapshots.remembered(env)[0]


def test_what_is_put_back_names_no_class():
    """A file can set attributes to plain values, and nothing else."""
    env = Far()
    env.reset(seed=0)
    snapshots.put_back(env, [{"place": {"object": {"x": 1}}, "step": 3, "nothing": 4}])
    assert env.place == 100.0 and not hasattr(env, "nothing") and callable(env.step)


# segments


@pytest.mark.parametrize("capacity", [40, 500])
def test_many_saves_do_not_make_many_segments(tmp_path, monkeypatch, capacity):
    monkeypatch.setattr(segments, "MOST", 5)
    settings = SMALL | {"checkpoint_every": 4, "replay_capacity": capacity}
    whole = maxent.train("sql", Far, steps=200, run=tmp_path / "run", **settings)
    assert len(list((tmp_path / "run" / "replay").iterdir())) <= 12
    rows = load(tmp_path / "run").rows
    assert rows.inserted == 200 and len(rows.arrays["reward"]) == min(200, capacity)
    monkeypatch.undo()
    plain = maxent.train("sql", Far, steps=200, run=tmp_path / "plain", **settings)
    expected = load(tmp_path / "plain").rows.arrays
    assert all((rows.arrays[name] == expected[name]).all() for name in expected)
    assert same(whole, plain)
