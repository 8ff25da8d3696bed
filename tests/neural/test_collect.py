"""Transitions are told right at every kind of ending, in every kind of environment."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import maxent
from maxent.errors import ConfigError
from maxent.neural.parts.spaces import Spaces
from maxent.neural.training.collect import Environments, environments_of
from maxent.neural.training.vector import VectorEnvironments


class Counting(gymnasium.Env):
    """Observes how many steps it took since the reset, and which episode it is.

    Episode 0 terminates at step 3, episode 1 is truncated at step 2, episode 2 is terminated and
    truncated at once at step 4, and so on in turn.
    """

    ends = ((3, True, False), (2, False, True), (4, True, True))

    def __init__(self):
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,))
        self.action_space = spaces.Box(-2.0, 4.0, (1,))
        self.episode, self.steps, self.actions = -1, 0, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is None:
            self.episode += 1
        self.steps = 0
        return self._seen(), {}

    def step(self, action):
        self.steps += 1
        self.actions.append(float(action[0]))
        last, terminated, truncated = self.ends[self.episode % 3]
        over = self.steps == last
        return self._seen(), float(self.steps), over and terminated, over and truncated, {}

    def _seen(self):
        return np.array([self.episode, self.steps], dtype=np.float32)


# (episode, step) before -> after, reward, terminated: what was really lived, in order
TRUTH = [
    ((0, 0), (0, 1), 1.0, False),
    ((0, 1), (0, 2), 2.0, False),
    ((0, 2), (0, 3), 3.0, True),
    ((1, 0), (1, 1), 1.0, False),
    ((1, 1), (1, 2), 2.0, False),
    ((2, 0), (2, 1), 1.0, False),
    ((2, 1), (2, 2), 2.0, False),
    ((2, 2), (2, 3), 3.0, False),
    ((2, 3), (2, 4), 4.0, True),
    ((3, 0), (3, 1), 1.0, False),
]
EPISODES = [(6.0, 3), (3.0, 2), (10.0, 4)]


def lived_by(environments, iterations):
    """Every transition of the first environment, and the finished episodes."""
    rows, episodes = [], []
    for _ in range(iterations):
        actions = np.zeros((len(environments), 1), dtype=np.float32)
        lived, finished = environments.step(actions)
        if len(lived.reward) == len(environments):  # else the first one only began an episode
            rows.append(
                (
                    tuple(lived.observation[0].astype(int).tolist()),
                    tuple(lived.next_observation[0].astype(int).tolist()),
                    float(lived.reward[0]),
                    bool(lived.terminated[0]),
                )
            )
        episodes += finished
    return rows, episodes


def spaces_of(env):
    return Spaces(env.observation_space, env.action_space)


def test_single_environment_tells_what_was_collectd():
    env = Counting()
    rows, episodes = lived_by(Environments([env], spaces_of(env), seed=0), len(TRUTH))
    assert rows == TRUTH
    assert [tuple(episode) for episode in episodes] == EPISODES


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_vector_environment_tells_the_same_in_every_autoreset_mode(mode):
    vector = SyncVectorEnv([Counting], autoreset_mode=mode)
    # a seeded reset begins no episode of `Counting`: one reset more, as for the single environment
    environments = VectorEnvironments(vector, spaces_of(Counting()), seed=0)
    environments.observation = environments._flatten(vector.reset()[0])
    skipped = 3 if mode is AutoresetMode.NEXT_STEP else 0
    rows, episodes = lived_by(environments, len(TRUTH) + skipped)
    assert rows == TRUTH
    assert [tuple(episode) for episode in episodes] == EPISODES


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_environments_that_end_at_different_times_do_not_disturb_each_other(mode):
    def late():
        env = Counting()
        env.episode = 1  # its first episode is the third kind
        return env

    vector = SyncVectorEnv([Counting, late], autoreset_mode=mode)
    environments = VectorEnvironments(vector, spaces_of(Counting()), seed=0)
    environments.observation = environments._flatten(vector.reset()[0])
    transitions, ends = 0, 0
    for _ in range(60):
        lived, finished = environments.step(np.zeros((2, 1), dtype=np.float32))
        assert (lived.next_observation[:, 0] == lived.observation[:, 0]).all()
        assert (lived.next_observation[:, 1] == lived.observation[:, 1] + 1).all()
        assert (lived.reward == lived.next_observation[:, 1]).all()
        kind = lived.observation[:, 0].astype(int) % 3
        length = np.array([end[0] for end in Counting.ends])[kind]
        ending = lived.next_observation[:, 1] == length
        assert (lived.terminated == (ending & (kind != 1))).all()
        transitions += len(lived.reward)
        ends += len(finished)
    assert ends >= 2 * 60 // 4 - 2
    begun = 120 - transitions  # steps that only began an episode; one may be due at the end
    assert begun in (ends, ends - 1, ends - 2) if mode is AutoresetMode.NEXT_STEP else begun == 0


def test_actions_reach_the_environment_in_its_own_units():
    env = Counting()
    environments = Environments([env], spaces_of(env), seed=0)
    for action in (-1.0, 0.0, 1.0):
        environments.step(np.array([[action]], dtype=np.float32))
    assert env.actions == [-2.0, 1.0, 4.0]


def test_discrete_actions_begin_where_their_space_does():
    found = Spaces(spaces.Discrete(3), spaces.Discrete(4, start=-1))
    assert [found.to_environment(np.int64(k)) for k in range(4)] == [-1, 0, 1, 2]
    assert found.flatten(2).tolist() == [0.0, 0.0, 1.0]


def test_dictionaries_are_flattened():
    space = spaces.Dict(a=spaces.Box(-1, 1, (2, 2)), b=spaces.Discrete(3))
    found = Spaces(space, spaces.Discrete(2))
    assert found.observation_size == 7
    seen = found.flatten({"a": np.arange(4.0, dtype=np.float32).reshape(2, 2), "b": 1})
    assert seen.tolist() == [0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 0.0]
    assert seen.dtype == np.float32


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            spaces.Box(np.array([-1, -np.inf], np.float32), np.array([1, np.inf], np.float32)),
            "all sides finite",
        ),
        (spaces.MultiDiscrete([2, 3]), "neither Box nor Discrete"),
        (spaces.Box(0.0, 0.0, (1,)), "low < high"),
    ],
)
def test_actions_that_no_algorithm_handles_are_refused(action, message):
    with pytest.raises(ConfigError, match=message):
        Spaces(spaces.Discrete(2), action)


def test_observations_that_do_not_flatten_are_refused():
    with pytest.raises(ConfigError, match="does not flatten"):
        Spaces(spaces.Sequence(spaces.Discrete(2)), spaces.Discrete(2))


@pytest.mark.parametrize("name", ["Pendulum-v1", "CartPole-v1", "MountainCarContinuous-v0"])
def test_restored_environments_continue_bit_for_bit(name):
    environments, found = environments_of(name, 2, seed=5)
    rng = np.random.default_rng(0)

    def actions():
        if found.discrete:
            return rng.integers(found.action_size, size=2)
        return rng.uniform(-1, 1, (2, found.action_size)).astype(np.float32)

    for _ in range(237):
        environments.step(actions())
    saved, here = environments.state(), environments.observation.copy()
    again, _ = environments_of(name, 2, seed=99)
    again.restore(saved)
    assert (again.observation == here).all()
    for _ in range(450):
        taken = actions()
        one, two = environments.step(taken), again.step(taken)
        assert all((a == b).all() for a, b in zip(one[0][:5], two[0][:5], strict=True))
        assert one[1] == two[1]
    environments.close()
    again.close()


@pytest.mark.parametrize(
    ("env", "num_envs", "message"),
    [
        ("NoSuchEnv-v0", 1, "cannot make 'NoSuchEnv-v0'"),
        ("two-goals", 1, r"env_settings=\{'map': 'two-goals'\}"),
        (maxent.gridworld("two-goals"), 1, r"env=lambda: maxent\.MDPEnv\(mdp\)"),
        (3, 1, "env is int"),
    ],
)
def test_what_is_no_environment_is_refused(env, num_envs, message):
    with pytest.raises(ConfigError, match=message):
        environments_of(env, num_envs, 0)


def test_copies_of_a_made_environment_are_refused():
    with gymnasium.make("CartPole-v1") as env, pytest.raises(ConfigError, match="already made"):
        environments_of(env, 2, 0)


def test_seeds_of_copies_differ():
    environments, _ = environments_of("Pendulum-v1", 3, seed=0)
    assert len(np.unique(environments.observation[:, 0])) == 3
    environments.close()
