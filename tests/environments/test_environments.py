"""Gymnasium's tables read as MDPs, MDPs run as Gymnasium environments, and frames of both."""

import string
import subprocess
import sys
import time

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from scipy import sparse, stats

from maxent import (
    MDP,
    ConfigError,
    MaxEntWarning,
    MDPEnv,
    ModelError,
    backup,
    environments,
    from_gymnasium,
    gridworld,
)
from maxent.environments import rendering, tables
from maxent.mdp.grid import Grid


class Table(gymnasium.Env):
    """An environment that is nothing but a table."""

    def __init__(self, table, n_states, n_actions, start=None):
        self.P = table
        self.observation_space = spaces.Discrete(n_states)
        self.action_space = spaces.Discrete(n_actions)
        if start is not None:
            self.initial_state_distrib = np.array(start)


def read(table, n_states, n_actions=1, start=None):
    return from_gymnasium(Table(table, n_states, n_actions, start), discount=0.9)


def random_mdp(seed, kind="dense", n_states=6, n_actions=3):
    """A small random MDP: dense, sparse, masked, terminal, sampled, absorbing, or mixed."""
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(n_states, 0.5), (n_states, n_actions))
    transition[transition < 0.05] = 0.0
    transition /= transition.sum(axis=2, keepdims=True)
    reward = rng.normal(size=(n_states, n_actions))
    settings = {"discount": 0.9}
    if kind in ("masked", "mixed"):
        mask = rng.random((n_states, n_actions)) < 0.6
        mask[:, 0] = True
        settings["action_mask"] = mask
    if kind in ("terminal", "mixed"):
        settings["terminal"] = [n_states - 1, 2]
        settings["initial_distribution"] = rng.dirichlet(np.ones(n_states))
    if kind in ("sampled", "mixed"):
        reward = rng.normal(size=transition.shape)
    if kind == "absorbing":
        transition[0] = np.eye(n_states)[0]
    mdp = MDP(transition, reward, **settings)
    return mdp.to_sparse() if kind in ("sparse", "mixed") else mdp


KINDS = ("dense", "sparse", "masked", "terminal", "sampled", "absorbing", "mixed")


# Tables of Gymnasium ------------------------------------------------------------------------


@pytest.mark.parametrize("slippery", [True, False])
@pytest.mark.parametrize("name", ["4x4", "8x8"])
def test_frozen_lake_is_its_table(name, slippery):
    settings = {"map_name": name, "is_slippery": slippery}
    mdp = from_gymnasium("FrozenLake-v1", discount=0.99, **settings)
    base = gymnasium.make("FrozenLake-v1", **settings).unwrapped
    letters = base.desc.ravel()
    np.testing.assert_array_equal(mdp.terminal, np.isin(letters, [b"G", b"H"]))
    np.testing.assert_array_equal(mdp.initial_distribution, base.initial_state_distrib)
    dense = mdp.to_dense()
    for s in np.flatnonzero(~mdp.terminal):
        for a in range(4):
            expected = np.zeros(mdp.n_states)
            for probability, successor, reward, _ in base.P[s][a]:
                expected[successor] += probability
                assert dense.transition_reward[s, a, successor] == reward
            np.testing.assert_allclose(dense.transition[s, a], expected, atol=1e-15)
    assert mdp.grid.text == tuple(
        "".join({"F": ".", "H": "X"}.get(c.decode(), c.decode()) for c in row) for row in base.desc
    )
    assert mdp.action_names == ("left", "down", "right", "up")


def test_frozen_lake_with_a_map_and_settings_of_its_own():
    mdp = from_gymnasium(
        "FrozenLake-v1",
        discount=0.9,
        desc=["SFS", "FHG"],
        success_rate=1.0,
        reward_schedule=(5, -2, 1),
    )
    assert mdp.grid.text == ("S.S", ".XG") and mdp.grid.shape == (2, 3)
    np.testing.assert_array_equal(mdp.initial_distribution, [0.5, 0, 0.5, 0, 0, 0])
    # success_rate 1 leaves only the intended move: right from the last corner stays, pays 1
    np.testing.assert_array_equal(mdp.to_dense().transition[2, 2], np.eye(6)[2])
    assert mdp.reward[2].tolist() == [1.0, 5.0, 1.0, 1.0]
    assert mdp.reward[1, 1] == -2.0


def test_moves_of_the_grid_are_what_the_actions_do():
    """On the open cells of the unslippery maps, an action displaces by `grid.moves`."""
    for name in ("FrozenLake-v1", "CliffWalking-v1"):
        mdp = from_gymnasium(name, discount=0.9, is_slippery=False)
        moved = 0
        for s in np.flatnonzero(~mdp.terminal & (mdp.grid.cells[:, 0] >= 0)):
            for a in range(4):
                target = mdp.grid.cells[s] + mdp.grid.moves[a]
                successor = int(mdp.to_dense().transition[s, a].argmax())
                if (mdp.grid.cells == target).all(axis=1).any():
                    np.testing.assert_array_equal(mdp.grid.cells[successor], target)
                    moved += 1
        assert moved > 20


@pytest.mark.parametrize("slippery", [False, True])
def test_cliff_walking(slippery):
    mdp = from_gymnasium("CliffWalking-v1", discount=0.99, is_slippery=slippery)
    assert mdp.n_states == 48  # no state is added
    assert np.flatnonzero(mdp.terminal).tolist() == [47]
    assert mdp.initial_distribution[36] == 1.0
    assert mdp.grid.draw({}).splitlines()[3] == "S!!!!!!!!!!G"
    if slippery:
        # from (2, 5), "down": the cliff, and the cells to both sides
        row = mdp.to_dense().transition[29, 2]
        assert dict(zip(np.flatnonzero(row).tolist(), row[row > 0])) == pytest.approx(
            {36: 1 / 3, 28: 1 / 3, 30: 1 / 3}
        )
        assert mdp.reward[29, 2] == pytest.approx(-34.0)
        assert mdp.to_dense().transition_reward[29, 2, 36] == -100.0
        # from the start, "down" and its slip to the right: into the cliff, back to the start
        assert mdp.to_dense().transition_reward[36, 2, 36] == pytest.approx(-34.0)
    else:
        assert mdp.reward[36, 1] == -100.0
        assert mdp.to_dense().transition[36, 1, 36] == 1.0


def test_taxi_has_four_states_entered_both_ways():
    mdp = from_gymnasium("Taxi-v4", discount=0.99)
    base = gymnasium.make("Taxi-v4").unwrapped
    assert mdp.n_states == 501 and np.flatnonzero(mdp.terminal).tolist() == [500]
    into_end = mdp.transition.tocsc()[:, [500]].tocoo()
    states, actions = np.divmod(into_end.row, 6)
    assert (actions == 5).all() and (into_end.data == 1.0).all()
    # passenger aboard, taxi at the destination: the four states that deliver
    assert sorted(states.tolist()) == sorted(base.encode(*base.locs[d], 4, d) for d in range(4))
    assert (mdp.reward[states, 5] == 20.0).all()
    both = [base.encode(*base.locs[d], d, d) for d in range(4)]
    assert not mdp.terminal[
        both
    ].any()  # entered by a transition that does not terminate as well, so not terminal themselves
    assert mdp.state_names[base.encode(3, 1, 4, 2)] == "taxi (3, 1), passenger taxi, to Y"
    assert mdp.state_names[500] == "delivered"
    assert mdp.initial_distribution[500] == 0.0
    assert (mdp.initial_distribution > 0).sum() == 300


def test_rainy_taxi_merges_its_duplicates():
    mdp = from_gymnasium("Taxi-v4", discount=0.99, is_rainy=True)
    np.testing.assert_allclose(mdp.transition.sum(axis=1)[:3000], 1.0, atol=1e-12)
    assert mdp.transition.has_canonical_format
    # in the corner (0, 0), "south" slips west into the wall: 0.8 down, 0.1 east, 0.1 stay
    state = gymnasium.make("Taxi-v4").unwrapped.encode(0, 0, 0, 1)
    row = mdp.transition[[state * 6]].tocoo()
    assert sorted(row.data.tolist()) == pytest.approx([0.1, 0.1, 0.8])


def test_merged_rewards_are_means_and_equal_ones_stay_exact():
    """Equal rewards of merged outcomes stay exact, whatever their probabilities."""
    mdp = read(
        {
            0: {0: [(0.1, 1, 0.3, False), (0.2, 1, 0.3, False), (0.7, 1, 0.3, False)]},
            1: {0: [(1.0, 1, 0.0, True)]},
        },
        2,
        start=[1.0, 0.0],
    )
    assert mdp.to_dense().transition_reward[0, 0, 1] == 0.3
    mdp = read({0: {0: [(0.25, 1, 1.0, True), (0.25, 1, 3.0, True), (0.5, 0, 9.0, False)]}}, 2)
    assert mdp.to_dense().transition_reward[0, 0].tolist() == [9.0, 2.0]
    assert mdp.reward[0, 0] == 5.5


# What "entered" means -----------------------------------------------------------------------


def test_a_terminal_states_own_row_is_dropped():
    row_leads_on = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {0: [(1.0, 0, 7.0, False)]}}
    never_ends = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {0: [(1.0, 1, 7.0, False)]}}
    nonsense = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {0: [(0.5, 0, 7.0, False)]}}
    for table in (row_leads_on, never_ends, nonsense):
        mdp = read(table, 2, start=[1.0, 0.0])
        assert mdp.terminal.tolist() == [False, True]
        assert mdp.n_states == 2 and mdp.reward.tolist() == [[1.0], [0.0]]


def test_a_start_that_ends_episodes_on_return_is_not_terminal():
    """A round trip: back at the start the episode is over, but it begins there."""
    table = {0: {0: [(1.0, 1, 0.0, False)]}, 1: {0: [(1.0, 0, 5.0, True)]}}
    mdp = read(table, 2, start=[1.0, 0.0])
    assert mdp.terminal.tolist() == [False, False, True]
    dense = mdp.to_dense().transition
    assert dense[0, 0, 1] == 1.0 and dense[1, 0, 2] == 1.0
    assert mdp.initial_distribution.tolist() == [1.0, 0.0, 0.0]


def test_stopping_in_place_goes_to_the_appended_state():
    """Action 1 takes a reward and ends the episode without moving."""
    table = {s: {0: [(1.0, 1 - s, 0.0, False)], 1: [(1.0, s, float(s), True)]} for s in range(2)}
    for start in (None, [1.0, 0.0]):
        mdp = read(table, 2, 2, start)
        assert mdp.terminal.tolist() == [False, False, True]
        assert mdp.reward.tolist() == [[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]


def test_a_hole_nobody_can_reach_is_terminal():
    """FrozenLake's rows of holes stay and terminate, also where no other row leads there."""
    mdp = from_gymnasium("FrozenLake-v1", discount=0.9, desc=["SHH", "FHH", "FFG"])
    assert mdp.terminal.tolist() == [False, True, True, False, True, True, False, False, True]


def test_transitions_of_probability_zero_enter_nothing():
    table = {0: {0: [(1.0, 1, 1.0, True), (0.0, 1, 9.0, False)]}, 1: {}}
    mdp = read(table, 2, start=[1.0, 0.0])
    assert mdp.terminal.tolist() == [False, True] and mdp.transition.nnz == 1


def test_missing_actions_and_rows():
    table = {0: {2: [(1.0, 3, 1.0, False)], 0: []}, 3: {0: [(1.0, 0, 0.0, False)]}}
    mdp = read(table, 5, 3, start=[1.0, 0, 0, 0, 0])
    assert mdp.action_mask[[0, 3]].tolist() == [[False, False, True], [True, False, False]]
    assert mdp.terminal.tolist() == [False, True, True, False, True]  # never entered, no row
    with pytest.raises(ModelError, match=r"state 3 is entered.*no row"):
        read({0: {0: [(1.0, 3, 1.0, False)]}}, 4, start=[1.0, 0, 0, 0])
    with pytest.raises(ModelError, match=r"state 1 is entered .*, or is a start"):
        read({0: {0: [(1.0, 0, 1.0, False)]}}, 2, start=[0.5, 0.5])


def test_lists_and_old_names_are_read_as_well():
    table = [[[(1.0, 1, 1.0, False)]], [[(1.0, 0, 2.0, False)]]]
    env = Table(table, 2, 1)
    env.isd = np.array([0.25, 0.75])
    mdp = from_gymnasium(env, discount=0.5)
    assert mdp.initial_distribution.tolist() == [0.25, 0.75]
    assert mdp.reward.ravel().tolist() == [1.0, 2.0]
    assert read(table, 2).initial_distribution.tolist() == [0.5, 0.5]


def random_table(rng, n_states, n_actions):
    """A table with duplicates, zero probabilities, missing actions and arbitrary terminations."""
    table = {}
    for s in range(n_states):
        table[s] = {}
        for a in range(n_actions):
            if a and rng.random() < 0.3:
                continue
            weights = rng.random(4) * (rng.random(4) < 0.7) + [1e-3, 0, 0, 0]
            table[s][a] = [
                (p, int(rng.integers(n_states)), float(rng.normal()), bool(rng.random() < 0.3))
                for p in weights / weights.sum()
            ]
    return table


@pytest.mark.parametrize("seed", range(30))
def test_random_tables_keep_their_value(seed):
    """From the starts, the uniform policy earns in the MDP what it earns in the table itself,
    where a terminated outcome is worth its reward alone: 15 steps of both recursions."""
    rng = np.random.default_rng(seed)
    n_states, n_actions = 5, 3
    table = random_table(rng, n_states, n_actions)
    start = np.eye(n_states)[:2].mean(axis=0)
    mdp = read(table, n_states, n_actions, start)
    policy = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    truth, v = np.zeros(n_states), np.zeros(mdp.n_states)
    for _ in range(15):
        truth = np.array(
            [
                np.mean(
                    [
                        sum(
                            p * (r + 0.9 * truth[t] * (not terminated))
                            for p, t, r, terminated in outcomes
                        )
                        for outcomes in table[s].values()
                    ]
                )
                for s in range(n_states)
            ]
        )
        v = (policy * backup(mdp, v)).sum(axis=1)
    np.testing.assert_allclose(v[:2], truth[:2], atol=1e-12)


# Refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([(0.9, 1, 0.0, False)], r"state 0, action 1 sum to 0\.9"),
        ([(-0.1, 1, 0.0, False), (1.1, 0, 0.0, False)], "state 0, action 1 .*-0.1"),
        ([(np.nan, 1, 0.0, False)], "state 0, action 1 .*nan"),
        ([(1.0, 2, 0.0, False)], "state 0, action 1 .*state 0 to 1"),
        ([(1.0, -1, 0.0, False)], "state 0, action 1 .*state 0 to 1"),
        ([(1.0, 0.5, 0.0, False)], "state 0, action 1 .*next_state"),
        ([(1.0, 1, np.inf, False)], "state 0, action 1 .*inf"),
        ([(1.0, 1, 0.0)], "state 0, action 1 .*terminated"),
        ([7], "state 0, action 1 .*terminated"),
        (3, r"P\[0\]\[1\] is int"),
    ],
)
def test_malformed_tables_name_state_and_action(row, message):
    good = [(1.0, 0, 0.0, False)]
    with pytest.raises(ModelError, match=message):
        read({0: {0: good, 1: row}, 1: {0: good}}, 2, 2)


def test_keys_out_of_range_and_wrong_starts():
    good = [(1.0, 0, 0.0, False)]
    with pytest.raises(ModelError, match=r"P has the key 2; keys are 0 to 1"):
        read({2: {0: good}}, 2)
    with pytest.raises(ModelError, match=r"P\[0\] has the key 'up'"):
        read({0: {"up": good}}, 2)
    with pytest.raises(ModelError, match="P is ndarray"):
        read(np.ones((2, 1, 2)), 2)
    with pytest.raises(ModelError, match="initial_state_distrib"):
        read({0: {0: good}}, 1, start=[0.5])


def test_environments_without_a_table_are_refused():
    with pytest.raises(ConfigError, match="CartPole-v1 has the observation_space Box"):
        from_gymnasium("CartPole-v1", discount=0.9)
    with pytest.raises(ConfigError, match=r"Discrete spaces.*FrozenLake-v1.*maxent\.MDP"):
        from_gymnasium("Blackjack-v1", discount=0.9)
    bare = Table(None, 2, 2)
    del bare.P
    with pytest.raises(ConfigError, match="no transition table"):
        from_gymnasium(bare, discount=0.9)
    shifted = Table({}, 2, 2)
    shifted.observation_space = spaces.Discrete(2, start=1)
    with pytest.raises(ConfigError, match="start at 0"):
        from_gymnasium(shifted, discount=0.9)
    with pytest.raises(ConfigError, match="env is dict"):
        from_gymnasium({}, discount=0.9)


def test_unknown_ids_and_settings():
    with pytest.raises(ConfigError, match=r"doesn't exist.*did you mean 'FrozenLake-v1'"):
        from_gymnasium("FrozenLak-v1", discount=0.9)
    with pytest.warns(DeprecationWarning), pytest.raises(ConfigError, match="Taxi-v4"):
        from_gymnasium("Taxi-v3", discount=0.9)
    with pytest.raises(
        ConfigError, match=r"cannot make 'FrozenLake-v1' with {.size.: 3}: TypeError"
    ):
        from_gymnasium("FrozenLake-v1", discount=0.9, size=3)
    with pytest.raises(ConfigError, match=r"map_name.: .5x5.}: KeyError"):
        from_gymnasium("FrozenLake-v1", discount=0.9, map_name="5x5")
    with pytest.raises(ConfigError, match="not_there"):
        from_gymnasium("not_there:Thing-v0", discount=0.9)
    with pytest.raises(ConfigError, match="discount"):
        from_gymnasium("FrozenLake-v1", discount=1.5)
    with pytest.raises(ConfigError, match="is_slippery: settings go with an id"):
        from_gymnasium(gymnasium.make("FrozenLake-v1"), discount=0.9, is_slippery=False)


def test_a_fickle_passenger_is_refused():
    with pytest.raises(ConfigError, match=r"fickle_passenger.*step"):
        from_gymnasium("Taxi-v4", discount=0.9, fickle_passenger=True)


def test_what_was_made_is_closed_and_what_was_given_is_not(monkeypatch):
    closed = []
    frozen_lake = type(gymnasium.make("FrozenLake-v1").unwrapped)
    monkeypatch.setattr(frozen_lake, "close", lambda self: closed.append(self))
    from_gymnasium(gymnasium.make("FrozenLake-v1"), discount=0.9)
    assert len(closed) == 0
    from_gymnasium("FrozenLake-v1", discount=0.9)
    assert len(closed) == 1
    monkeypatch.setattr(tables, "_mdp_of_env", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        from_gymnasium("FrozenLake-v1", discount=0.9)
    assert len(closed) == 2


def test_a_wrapper_that_alters_the_task_is_warned_about():
    lake = gymnasium.make("FrozenLake-v1")
    with pytest.warns(MaxEntWarning, match="TransformReward"):
        from_gymnasium(gymnasium.wrappers.TransformReward(lake, lambda r: 2 * r), discount=0.9)


# MDPs as environments -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_environment_checker_is_content(kind):
    mdp = random_mdp(3, kind)
    for env in (MDPEnv(mdp), MDPEnv(mdp, render_mode="ansi"), MDPEnv(mdp, render_mode="rgb_array")):
        check_env(env)
    check_env(gymnasium.make("maxent/MDP-v0", mdp=mdp, render_mode="rgb_array").unwrapped)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_fixes_the_trajectory(kind):
    def trajectory(seed):
        env = MDPEnv(random_mdp(0, kind))
        rng = np.random.default_rng(9)
        steps = [env.reset(seed=seed)[0]]
        for _ in range(50):
            state, reward, terminated, truncated, info = env.step(rng.integers(3))
            assert type(state) is int and type(reward) is float and truncated is False
            assert info["action_mask"].dtype == np.int8
            np.testing.assert_array_equal(info["action_mask"], env.mdp.action_mask[state])
            assert terminated is bool(env.mdp.terminal[state])
            steps.append((state, reward))
        return steps

    assert trajectory(5) == trajectory(5)
    assert trajectory(5) != trajectory(6)


@pytest.mark.parametrize("kind", KINDS)
def test_dense_and_sparse_draw_the_same(kind):
    mdp = random_mdp(1, kind)
    one, two = MDPEnv(mdp.to_dense()), MDPEnv(mdp.to_sparse())
    assert one.reset(seed=1)[0] == two.reset(seed=1)[0]
    for action in np.random.default_rng(0).integers(3, size=200):
        assert one.step(action)[:3] == two.step(action)[:3]


def test_an_unavailable_action_stays_and_pays_the_lowest():
    transition = np.tile(np.eye(2)[::-1][:, None], (1, 3, 1))
    mask = np.array([[True, False, True], [True, True, True]])
    mdp = MDP(transition, [[3.0, -9.0, 2.0], [0.0, 0.0, 0.0]], discount=0.9, action_mask=mask)
    env = MDPEnv(mdp)
    _, info = env.reset(options={"state": 0})
    assert info["action_mask"].tolist() == [1, 0, 1]
    assert env.step(1)[:3] == (0, 2.0, False)
    assert env.step(np.int64(0))[:2] == (1, 3.0)


def test_terminal_states_end_the_episode_however_it_got_there():
    mdp = MDP(
        np.ones((2, 1, 2)) / 2,
        np.ones((2, 1)),
        discount=0.9,
        terminal=[1],
        initial_distribution=[0.0, 1.0],
    )
    env = MDPEnv(mdp)
    assert env.reset(seed=0)[0] == 1
    assert env.step(0)[:4] == (1, 0.0, True, False)
    assert env.step(0)[:4] == (1, 0.0, True, False)
    env.reset(seed=0, options={"state": 0})
    while not (step := env.step(0))[2]:
        assert step[:2] == (0, 1.0)
    assert step[:2] == (1, 1.0)


def test_misuse_is_refused():
    env = MDPEnv(random_mdp(0))
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        MDPEnv(random_mdp(0), render_mode="ansi").render()
    env.reset(seed=0)
    for action in (-1, 3, 0.5, "up", None):
        with pytest.raises(ConfigError, match=r"action = .* from 0 to 2"):
            env.step(action)
    with pytest.raises(ConfigError, match="state = 6"):
        env.reset(options={"state": 6})
    with pytest.raises(ConfigError, match="'stat' is unknown; did you mean 'state'"):
        env.reset(options={"stat": 0})
    with pytest.raises(ConfigError, match=r"render_mode = 'rgb' .*'rgb_array'"):
        MDPEnv(random_mdp(0), render_mode="rgb")
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


def test_wrappers_and_vectors():
    mdp = random_mdp(2, "mixed")
    env = gymnasium.make("maxent/MDP-v0", mdp=random_mdp(2, "masked"), max_episode_steps=7)
    env = gymnasium.wrappers.RecordEpisodeStatistics(env)
    env.reset(seed=0)
    for t in range(7):
        *_, terminated, truncated, info = env.step(0)
        assert (terminated, truncated) == (False, t == 6)
    assert info["episode"]["l"] == 7
    with pytest.raises(gymnasium.error.ResetNeeded):
        gymnasium.make("maxent/MDP-v0", mdp=mdp).step(0)

    envs = gymnasium.make_vec("maxent/MDP-v0", num_envs=3, vectorization_mode="sync", mdp=mdp)
    states, infos = envs.reset(seed=1)
    assert states.shape == (3,) and infos["action_mask"].shape == (3, 3)
    for _ in range(20):
        states, rewards, *_ = envs.step(envs.action_space.sample())
    assert rewards.shape == (3,)
    envs.close()


def test_ids_are_known_without_importing_more_than_is_needed():
    """Gymnasium >= 1.0 loads no plugins; an id may name the module that registers it."""
    code = """if True:
        import sys, gymnasium, numpy
        assert not any(name.startswith("maxent") for name in sys.modules)
        named = "maxent.environments:maxent/MDP-v0"
        from maxent.mdp import MDP
        mdp = MDP(numpy.ones((1, 1, 1)), numpy.ones((1, 1)), discount=0.5)
        assert "maxent/MDP-v0" in gymnasium.registry
        assert "gymnasium.envs.toy_text" not in sys.modules
        env = gymnasium.make(named, mdp=mdp)
        assert env.reset()[0] == 0 and env.step(0)[1] == 1.0
        gymnasium.make("maxent/MDP-v0", mdp=mdp)
        heavy = {"matplotlib", "torch", "numba", "maxent.gridworlds", "maxent.tabular", "pygame"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_gridworlds_by_id():
    settings = {"map": "S.G\n.#X", "slip": 0.2, "discount": 0.9}
    env = gymnasium.make("maxent/Gridworld-v0", render_mode="ansi", **settings)
    env.reset(seed=0)
    assert env.render() == "@.G\n.#X"
    check_env(env.unwrapped)
    mdp = from_gymnasium(env, discount=0.5)
    assert mdp.discount == 0.5 and mdp.n_states == 5


def test_a_large_sparse_mdp_steps_fast():
    n = 100_000
    rows = sparse.csr_array(
        (
            np.full(4 * n, 0.5),
            (np.arange(4 * n) // 2, np.random.default_rng(0).integers(n, size=4 * n)),
        ),
        shape=(2 * n, n),
    )
    env = MDPEnv(MDP(rows, np.zeros((n, 2)), discount=0.9), render_mode="rgb_array")
    env.reset(seed=0)
    started = time.perf_counter()
    for _ in range(2000):
        env.step(0)
    assert time.perf_counter() - started < 2.0  # some 20 microseconds a step
    assert env.render().shape == (632, 634, 3)


# Round trip ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["FrozenLake-v1", "CliffWalkingSlippery-v1"])
def test_the_round_trip_agrees_with_gymnasium(name):
    """Table -> MDP -> MDPEnv: chi-square of the transitions against Gymnasium's own table, at a
    level of 1e-4 over all pairs (Bonferroni), and mean rewards within six standard errors."""
    base = gymnasium.make(name).unwrapped
    mdp = from_gymnasium(name, discount=0.99)
    env = MDPEnv(mdp)
    env.reset(seed=2026)
    draws, level, tests = 100, 1e-4, int((~mdp.terminal).sum()) * mdp.n_actions
    reachable = mdp.grid.cells[:, 0] >= 0
    for s in np.flatnonzero(~mdp.terminal & reachable):
        for a in range(mdp.n_actions):
            expected = np.zeros(mdp.n_states)
            for probability, successor, _, _ in base.P[s][a]:
                expected[successor] += probability
            seen, rewards = np.zeros(mdp.n_states), []
            for _ in range(draws):
                env.reset(options={"state": int(s)})
                successor, reward, terminated, *_ = env.step(a)
                seen[successor] += 1
                rewards.append(reward)
                assert terminated is bool(mdp.terminal[successor])
            support = expected > 0
            assert seen[~support].sum() == 0
            if support.sum() > 1:
                p = stats.chisquare(seen[support], draws * expected[support]).pvalue
                assert p > level / tests
            mean = sum(p * r for p, _, r, _ in base.P[s][a])
            spread = np.std(rewards)
            assert abs(np.mean(rewards) - mean) <= 6.0 * spread / np.sqrt(draws) + 1e-12


def test_deterministic_tables_give_gymnasiums_very_trajectories():
    theirs, ours = (
        gymnasium.make("CliffWalking-v1"),
        MDPEnv(from_gymnasium("CliffWalking-v1", discount=1.0)),
    )
    assert theirs.reset(seed=0)[0] == ours.reset(seed=0)[0]
    for action in np.random.default_rng(1).integers(4, size=300):
        one, two = theirs.step(int(action)), ours.step(action)
        assert one[:4] == two[:4]
        if one[2]:
            theirs.reset(), ours.reset()


def test_drawing_never_hits_probability_zero():
    cumulative = np.cumsum([0.0, 0.3, 0.0, 0.7 - 1e-12, 0.0])
    largest = np.nextafter(1.0, 0.0)
    assert [environments.draw(cumulative, u) for u in (0.0, 0.29, 0.31, largest)] == [1, 1, 3, 3]


# Frames -------------------------------------------------------------------------------------


def test_text_marks_the_agent():
    env = gymnasium.make(
        "maxent/MDP-v0", mdp=from_gymnasium("FrozenLake-v1", discount=0.9), render_mode="ansi"
    )
    env.reset(options={"state": 9})
    assert env.render() == "S...\n.X.X\n.@.X\nX..G"
    names = random_mdp(0, "terminal").replace(state_names=list("abcdef"))
    assert rendering.text(names, 2) == "state 2 of 6: c (terminal)"
    assert rendering.text(random_mdp(0), 1) == "state 1 of 6"
    adrift = from_gymnasium("CliffWalking-v1", discount=0.9)
    assert rendering.text(adrift, 40).splitlines()[-1] == "state 40 of 48"


def brightness(colour):
    return float(np.asarray(colour, dtype=float) @ [0.299, 0.587, 0.114])


def test_tiles_differ_in_brightness_or_letter():
    """Read in greyscale: no two kinds share both background (within 8) and letter."""
    tiles = [rendering.tile(c, 48) @ np.array([0.299, 0.587, 0.114]) for c in "#.SGX!Aa1\u25a0"]
    for i, one in enumerate(tiles):
        for other in tiles[:i]:
            assert (np.abs(one - other) > 20).mean() > 0.05
    small = [brightness(rendering.tile(c, 4)[0, 0]) for c in "#X G."]
    assert min(np.abs(np.subtract.outer(small, small))[np.triu_indices(3, 1)]) > 20


@pytest.mark.parametrize("size", [(2, 2), (3, 40), (200, 300)])
def test_frames_fit_and_show_the_agent(size):
    rows, columns = size
    text = ("." * columns,) * rows
    cells = np.argwhere(np.ones(size))
    n = len(cells)
    mdp = MDP(
        sparse.csr_array(np.eye(n) if n < 1000 else sparse.eye_array(n)),
        np.zeros((n, 1)),
        discount=0.9,
        grid=Grid(text, cells, np.zeros((1, 2), dtype=int)),
    )
    board = rendering.Board(mdp)
    assert max(board.image.shape) <= 640 and board.image.dtype == np.uint8
    for state in (0, n // 2, n - 1):
        frame = board.frame(state)
        row, column = cells[state]
        changed = np.argwhere((frame != board.image).any(axis=2))
        centre = (np.array([row, column]) + 0.5) * board.side
        assert len(changed) > 10 and np.abs(changed - centre).max() < max(board.side, 9)
        assert brightness(frame[int(centre[0]), int(centre[1])]) < 80


def test_an_mdp_without_a_map_is_a_square():
    mdp = random_mdp(0, "terminal", n_states=7).replace(initial_distribution=np.eye(7)[1])
    grid = rendering.square(mdp)
    assert grid.text == (".S\u25a0", "...", "\u25a0\u2007\u2007")
    frames = [rendering.Board(mdp).frame(s) for s in range(7)]
    assert len({frame.tobytes() for frame in frames}) == 7
    assert rendering.square(random_mdp(0)).text == ("...", "...")


def test_every_character_of_a_map_is_written_on_its_tile():
    """At each side from the smallest with letters: no two characters give one image, all of a
    letter's pixels lie within the tile's lines, and a smaller tile carries none."""
    written = string.ascii_letters + string.digits + "!$%&*+=?@"
    for side in (rendering.SMALLEST_LETTERED, 20, rendering.LARGEST_TILE):
        tiles = {c: rendering.tile(c, side) for c in written}
        assert len({image.tobytes() for image in tiles.values()}) == len(written)
        for character, image in tiles.items():
            assert image.shape == (side, side, 3) and image.dtype == np.uint8
            ink = (image != image[0, 0]).any(axis=2)[:-1, :-1]
            assert ink.mean() > 0.02, character
            assert not (ink[0].any() or ink[:, 0].any()), character
    plain = rendering.tile("G", rendering.SMALLEST_LETTERED - 1)
    assert (plain == plain[0, 0]).all()


def test_frames_are_the_same_each_time_and_the_callers_own():
    env = MDPEnv(gridworld("four-rooms"), render_mode="rgb_array")
    env.reset(options={"state": 30})
    first = env.render()
    assert first.shape == (624, 624, 3) and first.dtype == np.uint8 and first.flags.writeable
    first[:] = 0
    again = MDPEnv(gridworld("four-rooms"), render_mode="rgb_array")
    again.reset(options={"state": 30})
    assert np.array_equal(env.render(), again.render()) and env.render().any()


def test_pillow_is_imported_with_the_first_image():
    code = """
import sys, maxent
env = maxent.MDPEnv(maxent.gridworld("four-rooms"), render_mode="rgb_array")
env.reset(seed=0)
assert "PIL" not in sys.modules
env.render()
assert "PIL" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
