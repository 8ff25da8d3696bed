"""What a hurried, an unlucky and a demanding user meet: broken environments, wrong arguments,
environments that are gone, numbers that are none; and what is left behind."""

import os
import signal

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import maxent
from maxent.errors import ConfigError, MemoryBudgetError, TrainingDivergedError
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.learner import Learner
from maxent.neural.training.plan import Plan

SMALL = {"hidden": (8,), "batch_size": 8, "learning_starts": 10, "replay_capacity": 50}
BOX, CHOICES = spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(3)


class Fragile(gymnasium.Env):
    """Episodes of 5 steps of 3 zeros; what is given replaces it.  Remembers what was closed."""

    closed: list = []  # noqa: RUF012
    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self, action_space=CHOICES, first=0.0, seen=0.0, paid=1.0, at_step=None, length=5, size=3
    ):
        self.observation_space = spaces.Box(-1.0, 1.0, (size,), np.float64)
        self.action_space, self.length, self.at_step = action_space, length, at_step
        self.first, self.seen, self.paid, self.total = first, seen, paid, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.full(self.observation_space.shape, self.first), {}

    def step(self, action):
        self.steps += 1
        self.total += 1
        if self.at_step is not None:
            self.at_step(self.total)
        seen = np.full(self.observation_space.shape, self.seen)
        return seen, self.paid, False, self.steps >= self.length, {}

    def close(self):
        self.closed.append(self)


@pytest.fixture(autouse=True)
def none_closed():
    Fragile.closed.clear()


def train(env, algorithm="sac", steps=40, **settings):
    return maxent.train(algorithm, env, steps=steps, **SMALL | settings)


# what is left open


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"nonsense": 1}, ConfigError),
        ({"algorithm": "sca"}, ConfigError),
        ({"algorithm": "sac_v1"}, ConfigError),
        ({"replay_capacity": 10**12}, MemoryBudgetError),
        ({"target_entropy": 9.0}, ConfigError),
    ],
)
def test_environments_are_closed_where_training_does_not_begin(settings, error):
    with pytest.raises(error):
        train(Fragile, num_envs=3, **settings)
    assert len(set(map(id, Fragile.closed))) == 3


def test_environments_are_closed_where_one_of_them_cannot_begin():
    made = []

    def make():
        made.append(Fragile(first="rubbish" if len(made) == 2 else 0.0))
        return made[-1]

    with pytest.raises(ValueError, match="rubbish"):
        train(make, num_envs=3)
    assert len(set(map(id, Fragile.closed))) == 3

    def refuse():
        if len(Fragile.closed) + len(made) >= 8:
            raise RuntimeError("no more licences")
        made.append(Fragile())
        return made[-1]

    with pytest.raises(RuntimeError, match="licences"):
        train(refuse, num_envs=5)
    assert len(set(map(id, Fragile.closed))) == len(made) == 5


def test_an_environment_of_the_users_stays_open():
    with pytest.raises(ConfigError, match="neither Box nor Discrete"):
        train(Fragile(spaces.MultiBinary(3)))
    train(Fragile())
    assert Fragile.closed == []


def test_an_environment_that_breaks_leaves_the_last_checkpoint(tmp_path):
    def breaks(total):
        if total == 33:
            raise ValueError("the simulator died")

    with pytest.raises(ValueError, match="simulator died"):
        train(lambda: Fragile(at_step=breaks), run=tmp_path / "run", checkpoint_every=10)
    assert len(Fragile.closed) == 1
    assert maxent.load_agent(tmp_path / "run", env=Fragile).steps == 30
    assert maxent.resume(tmp_path / "run", env=Fragile).steps == 40  # nobody holds the lock


def test_ctrl_c_gives_the_agent_back():
    def interrupt(total):
        if total == 23:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    agent = train(lambda: Fragile(at_step=interrupt), steps=10**9, compile=False)
    assert (agent.steps, agent.stopped_by) == (23, signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


# numbers that are none

ALGORITHMS = [("sac", BOX), ("sac_v1", BOX), ("sql", BOX), ("sac", CHOICES), ("sql", CHOICES)]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"first": np.nan}, "observation"),
        ({"seen": np.nan}, "next_observation"),
        ({"seen": 1e300}, "next_observation"),
        ({"paid": np.nan}, "reward"),
        ({"paid": -1e300}, "reward"),
    ],
)
def test_what_is_no_number_of_float32_is_told_at_once(given, name):
    step = 0 if name == "observation" else 1
    with pytest.raises(TrainingDivergedError, match=f"step {step}: .* gave an? {name} that is NaN"):
        train(lambda: Fragile(**given))


@pytest.mark.parametrize(("algorithm", "actions"), ALGORITHMS)
@pytest.mark.parametrize("given", [{"seen": 1e30}, {"paid": 1e38}])
def test_a_training_that_diverges_is_told_even_if_nothing_is_logged(algorithm, actions, given):
    with pytest.raises(TrainingDivergedError, match=r"(critic|actor)\S* has \d+ numbers"):
        train(lambda: Fragile(actions, **given), algorithm, log_every=0)


# environments that are gone, or are others


def test_a_run_whose_environment_is_gone_goes_on_with_one_that_is_given(tmp_path):
    gymnasium.register("hard-use/Gone-v0", entry_point=lambda length: Fragile(length=length))
    train("hard-use/Gone-v0", run=tmp_path / "run", env_settings={"length": 4})
    assert maxent.load_agent(tmp_path / "run").env_settings == {"length": 4}
    del gymnasium.registry["hard-use/Gone-v0"]
    for again in (maxent.load_agent, maxent.resume):
        with pytest.raises(ConfigError, match=r"cannot make 'hard-use/Gone-v0' with \{'length': 4"):
            again(tmp_path / "run")
    assert maxent.load_agent(tmp_path / "run", env=Fragile).steps == 40
    agent = maxent.resume(tmp_path / "run", env=Fragile, steps=60)
    assert (agent.steps, agent.env, agent.env_settings) == (60, None, {})


def test_a_run_does_not_go_on_with_an_environment_of_other_sizes(tmp_path):
    train(Fragile, run=tmp_path / "run")
    for again in (maxent.load_agent, maxent.resume):
        with pytest.raises(ConfigError, match=r"has the shape \(5, 8\) there, in the"):
            again(tmp_path / "run", env=lambda: Fragile(size=5))
        with pytest.raises(ConfigError, match="sac_discrete is for Discrete"):
            again(tmp_path / "run", env=lambda: Fragile(BOX))
    assert maxent.load_agent(tmp_path / "run", env=Fragile).steps == 40


def test_a_run_with_a_vector_environment_goes_on_with_single_ones(tmp_path):
    vector = SyncVectorEnv([Fragile] * 3)
    train(vector, run=tmp_path / "run")
    assert maxent.resume(tmp_path / "run", env=Fragile, steps=60).steps == 60
    vector.close()


# wrong arguments


def test_what_is_no_environment_is_refused():
    one, vector = Fragile(), SyncVectorEnv([Fragile] * 2)
    agent = train(Fragile)
    for wrong, message in (
        (lambda: train(lambda: "Pendulum-v1"), "a function that gave 'Pendulum-v1'"),
        (lambda: train(lambda: one, num_envs=2), "gave one environment twice"),
        (lambda: train(vector, num_envs=3), "num_envs = 3 of a vector environment, which has 2"),
        (lambda: train(None), "env is NoneType"),
        (lambda: train(Fragile, seed=2**64), "seed = 18446744073709551616 is too large"),
        (lambda: train(lambda: Fragile(size=0)), "does not flatten to a vector"),
        (lambda: train(lambda: Fragile(spaces.Box(-3e38, 3e38, (1,)))), "all sides finite"),
        (lambda: agent.evaluate(vector), "env is SyncVectorEnv"),
        (lambda: agent.evaluate("Pendulum-v1"), "actions are Box.* the agent's Discrete"),
        (lambda: agent.evaluate(lambda: Fragile(size=5)), "is none of Box"),
        (lambda: agent.act(np.zeros(4)), r"observation \[0. 0. 0. 0.\] is none of Box"),
        (lambda: agent.act({"a": 1}), "is none of Box"),
    ):
        with pytest.raises(ConfigError, match=message):
            wrong()
    vector.close()


def test_a_number_that_is_no_state_is_refused():
    mdp = maxent.gridworld("S.G", discount=0.9)
    agent = train(lambda: maxent.MDPEnv(mdp), "sql")
    assert agent.act(np.int64(2)) in range(4)
    for wrong in (3, -1, 0.5, np.zeros(3)):
        with pytest.raises(ConfigError, match=r"is none of Discrete\(3\)"):
            agent.act(wrong)


# episodes that nothing ends


def test_an_episode_that_nothing_ends_is_stopped_and_told():
    agent = train(lambda: Fragile(length=5))
    told = agent.evaluate(lambda: Fragile(length=10**9), episodes=3, longest=7)
    assert told.unfinished == 3 and told.lengths.tolist() == [7, 7, 7]
    assert "3 unfinished" in repr(told)
    assert agent.evaluate(Fragile, episodes=2, longest=5).unfinished == 0
    with pytest.raises(ConfigError, match="longest = 0"):
        agent.evaluate(Fragile, longest=0)


# unusual spaces


@pytest.mark.parametrize(
    "box",
    [
        spaces.Box(0, 3, (1,), np.int64),
        spaces.Box(-128, 127, (1,), np.int8),
        spaces.Box(0, 255, (1,), np.uint8),
    ],
)
def test_every_whole_number_of_a_box_can_be_acted(box):
    found = Spaces(spaces.Box(-1.0, 1.0, (1,)), box)
    every = np.linspace(-1.0, 1.0, 20_001, dtype=np.float32)[:, None]
    acted = [found.to_environment(each) for each in every]
    assert all(box.contains(action) for action in acted)
    numbers = np.concatenate(acted)
    assert np.array_equal(np.unique(numbers), np.arange(int(box.low[0]), int(box.high[0]) + 1))
    assert (np.diff(numbers.astype(int)) >= 0).all()
    again = found.from_environment(np.concatenate(acted)[:, None].astype(float))
    step = 2.0 / (float(box.high[0]) - float(box.low[0]))
    assert np.abs(again - every).max() <= 0.5 * step + 1e-6


@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_actions_keep_the_shape_of_their_box(shape):
    class Strict(Fragile):
        def step(self, action):
            assert self.action_space.contains(action)
            return super().step(action)

    for algorithm in ("sac", "sac_v1", "sql"):
        env = Strict(spaces.Box(-3.0, 0.5, shape))
        assert np.shape(train(env, algorithm).act(np.zeros(3))) == shape


class Named(gymnasium.Env):
    """Dictionary observations with the number of the step; ends at the third."""

    observation_space = spaces.Dict(number=spaces.Box(-9.0, 9.0, (2,)), rest=spaces.Discrete(4))
    action_space = spaces.Discrete(3, start=2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self.seen(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.steps += 1
        return self.seen(), 1.0, self.steps == 3, False, {}

    def seen(self):
        return {"number": np.full(2, self.steps, np.float32), "rest": self.steps % 4}


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_dictionaries_are_told_right_in_every_autoreset_mode(mode):
    vector = SyncVectorEnv([Named] * 3, autoreset_mode=mode)
    learner = Learner(Plan(algorithm="sac", env=None, steps=60, num_envs=3), vector, SMALL)
    learner.train()
    stored = learner.replay.rows_since(0)
    before, after = stored["observation"][:, 0], stored["next_observation"][:, 0]
    assert (after == before + 1.0).all() and set(after.tolist()) == {1.0, 2.0, 3.0}
    assert ((stored["discount"] == 0.0) == (after == 3.0)).all()
    vector.close()


def test_training_leaves_torch_as_it_was():
    state = torch.get_rng_state()
    train(Fragile)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("algorithm", ["sac_discrete", "sql_discrete"])
def test_an_episode_that_begins_with_nan_is_told(algorithm):
    class Begins(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,))
        action_space = gymnasium.spaces.Discrete(2)
        episodes = 0

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.episodes += 1
            return np.array([np.nan if self.episodes > 15 else 0.0], np.float32), {}

        def step(self, action):
            return np.zeros(1, np.float32), 0.0, True, False, {}

    with pytest.raises(TrainingDivergedError, match="observation that is NaN"):
        train(Begins, algorithm=algorithm, steps=60)
