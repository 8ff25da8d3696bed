"""Tables without an environment, and simulators that are walked through."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import maxent
from maxent.environments.tables import from_gymnasium

STAY, GO = [(1.0, 0, 0.0, False)], [(0.5, 0, 1.0, False), (0.5, 1, 1.0, True)]


@pytest.mark.parametrize(
    "P",
    [
        {0: {0: STAY, 1: GO}},
        [[STAY, GO]],
        {(0, 0): STAY, (0, 1): GO},
        {0: [STAY, GO], 1: []},
        {0: {0: STAY, 1: GO}, 1: {0: [(1.0, 1, 0.0, True)], 1: [(1.0, 1, 0.0, True)]}},
    ],
)
def test_forms_of_a_table(P):
    mdp = maxent.from_table(P, discount=0.9)
    assert mdp.terminal.tolist() == [False, True] and mdp.state_names is None
    np.testing.assert_allclose(maxent.solve(mdp, 0.0).v, [1 / 0.55, 0.0], atol=1e-8)


def test_the_tables_of_gymnasium():
    for name in ("FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"):
        env = gymnasium.make(name).unwrapped
        theirs = from_gymnasium(env, discount=0.9)
        ours = maxent.from_table(
            env.P, discount=0.9, initial_distribution=env.initial_state_distrib
        )
        assert (ours.transition != theirs.transition).nnz == 0
        assert np.array_equal(ours.reward, theirs.reward)
        assert np.array_equal(ours.terminal, theirs.terminal)
        assert np.array_equal(ours.initial_distribution, theirs.initial_distribution)


def test_labels():
    P = {
        (0, 0): {"right": [(1.0, (0, 1), -1.0, False)]},
        (0, 1): {"left": [(1.0, (0, 0), -1.0, False)], "right": [(1.0, "home", 5.0, True)]},
    }
    mdp = maxent.from_table(P, discount=0.9, initial_distribution={(0, 0): 1.0})
    assert mdp.state_names == ("(0, 0)", "(0, 1)", "home")
    assert mdp.action_names == ("right", "left")
    assert mdp.action_mask[0].tolist() == [True, False]
    assert maxent.solve(mdp, 0.0).v.round(6).tolist() == [3.5, 5.0, 0.0]
    by_pair = {(s, a): row for s, rows in P.items() for a, row in rows.items()}
    assert np.array_equal(maxent.from_table(by_pair, discount=0.9).reward, mdp.reward)


def test_a_data_frame():
    pandas = pytest.importorskip("pandas")
    columns = ["state", "action", "probability", "next_state", "reward", "terminated"]
    rows = [
        ("shop", "wait", 1.0, "shop", 1.0, False),
        ("shop", "go", 0.5, "shop", 0.0, False),
        ("shop", "go", 0.5, "home", 2.0, True),
    ]
    frame = pandas.DataFrame(rows, columns=columns)
    mdp = maxent.from_table(frame, discount=0.9, initial_distribution="shop")
    assert mdp.state_names == ("shop", "home") and mdp.action_names == ("wait", "go")
    assert mdp.terminal.tolist() == [False, True] and mdp.initial_distribution.tolist() == [1.0, 0]
    assert mdp.reward[0].tolist() == [1.0, 1.0]
    for_ever = maxent.from_table(frame[:1].drop(columns="terminated"), discount=0.9)
    assert maxent.solve(for_ever, 0.0).v.round(6).tolist() == [10.0]
    with pytest.raises(maxent.ModelError, match="has no column 'reward'; give state, action"):
        maxent.from_table(frame.drop(columns="reward"), discount=0.9)
    with pytest.raises(maxent.ModelError, match="names 'hom', which is not in the table"):
        maxent.from_table(frame, discount=0.9, initial_distribution="hom")
    with pytest.raises(maxent.ConfigError, match="of state 'shop' = 'x' is not valid"):
        maxent.from_table(frame, discount=0.9, initial_distribution={"shop": "x"})
    start = pandas.Series({"home": 0.0, "shop": 1.0})
    mdp = maxent.from_table(frame, discount=0.9, initial_distribution=start)
    assert mdp.initial_distribution.tolist() == [1.0, 0]


@pytest.mark.parametrize("missing", [np.nan, None, "NA"])
@pytest.mark.parametrize("column", ["state", "action", "next_state"])
def test_a_missing_cell_of_a_data_frame_is_no_state(column, missing):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"state": [0, 1], "action": 0, "probability": 1.0, "next_state": 1, "reward": 0.0}
    )
    kind = "Int64" if missing == "NA" else float
    frame[column] = pandas.array([0, pandas.NA if missing == "NA" else missing], dtype=kind)
    with pytest.raises(maxent.ModelError, match="none is missing"):
        maxent.from_table(frame, discount=0.9)


@pytest.mark.parametrize(
    "P, words",
    [
        ({}, "give a table"),
        (3, "give a table"),
        ({0: {}}, "without any outcome"),
        ({0: {0: []}}, "without any outcome"),
        ({0: 3}, r"P\[0\] is 3"),
        ({0: {0: [(1.0, 0, 0.0)]}}, "state 0, action 0 has the outcome"),
        ({0: {0: [(-1.0, 0, 0.0, False)]}}, "at least 0"),
        ({0: {0: [(0.5, 0, 0.0, False)]}}, "state 0, action 0 sum to 0.5"),
        ({0: {0: [(1.0, 1, 0.0, False)]}}, "state 1 is entered"),
        ({0: {0: [(1.0, [1], 0.0, False)]}}, "state 0, action 0 has the outcome"),
        ({0: {0: [(1.0, 0, 0.0, "no")]}}, "terminated True or False"),
        ({"a": {"go": [(0.5, "a", 0.0, False)]}}, r"state 0 \('a'\), action 0 \('go'\) sum to 0.5"),
        ({"a": {"go": [(1.0, "b", 0.0, False)]}}, "state 'b' is entered .* has no row for it"),
    ],
)
def test_bad_tables(P, words):
    with pytest.raises(maxent.ModelError, match=words):
        maxent.from_table(P, discount=0.9)


def maze(place, move):
    """Four cells in a row: the last is the goal."""
    if place == 1 and move == "left":
        return None
    to = min(max(place + {"left": -1, "right": 1}[move], 0), 3)
    return to, float(to == 3), to == 3


def test_a_successor_function():
    mdp = maxent.from_simulator(maze, start=0, actions=["left", "right"], discount=0.5)
    assert mdp.state_names == ("0", "1", "2", "3") and mdp.terminal.tolist() == [False] * 3 + [True]
    assert mdp.action_mask[1].tolist() == [False, True]
    assert maxent.solve(mdp, 0.0).v.tolist() == pytest.approx([0.25, 0.5, 1.0, 0.0], abs=1e-8)
    several = maxent.from_simulator(maze, start=[2, 0], actions=lambda s: ["right"], discount=0.5)
    assert several.initial_distribution.tolist() == [0.5, 0.5, 0.0, 0.0]

    def random(place, move):
        return [(0.5, *maze(place, move)), (0.5, place, 0.0, False)]

    slow = maxent.from_simulator(random, start={0: 1.0}, actions=["right"], discount=0.5)
    assert slow.transition.toarray()[0].tolist() == [0.5, 0.5, 0.0, 0.0]


class Counter(gymnasium.Env):
    """A walk to 3; `fault` says what it does that no table can hold."""

    observation_space, action_space = spaces.Discrete(4), spaces.Discrete(2, start=1)

    def __init__(self, fault=None):
        self.fault, self.place, self.steps = fault, 0, 0
        self.open = open(__file__) if fault == "file" else None  # noqa: SIM115

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.steps = 0
        return self.place, {}

    def step(self, action):
        self.steps += 1
        move = 2 * action - 3
        if self.fault == "random" and self.np_random.random() < 0.5:
            move = 0
        self.place = min(max(self.place + move, 0), 3)
        end = self.place == 3
        return self.place, end / self.steps if self.fault == "time" else float(end), end, False, {}


def test_an_environment():
    env = gymnasium.wrappers.TimeLimit(Counter(), 2)
    mdp = maxent.from_simulator(env, discount=0.5)
    assert mdp.n_states == 4 and mdp.terminal.tolist() == [False] * 3 + [True]
    assert maxent.solve(mdp, 0.0).v.tolist() == pytest.approx([0.25, 0.5, 1.0, 0.0], abs=1e-8)
    cliff = maxent.from_simulator(gymnasium.make("CliffWalking-v1"), discount=0.9)
    table = maxent.from_gymnasium("CliffWalking-v1", discount=0.9)
    start = int(np.argmax(table.initial_distribution))
    assert maxent.solve(cliff, 0.1).v[0] == pytest.approx(
        maxent.solve(table, 0.1).v[start], abs=1e-7
    )


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: maxent.from_simulator(Counter("random"), discount=0.5), "action 2 is random"),
        (
            lambda: maxent.from_simulator(Counter("time"), discount=0.5),
            "action 2 pays 0.*number of steps",
        ),
        (lambda: maxent.from_simulator(gymnasium.make("FrozenLake-v1"), discount=0.5), "is random"),
        (
            lambda: maxent.from_simulator(gymnasium.make("Pendulum-v1"), discount=0.5),
            "a Discrete one",
        ),
        (
            lambda: maxent.from_simulator(
                gymnasium.make("CartPole-v1"), discount=0.5, max_states=50
            ),
            "max_states = 50",
        ),
        (
            lambda: maxent.from_simulator(Counter(), discount=0.5, key=lambda env: []),
            "not hashable",
        ),
        (lambda: maxent.from_simulator(Counter(), discount=0.5, start=0), "go with a function"),
        (lambda: maxent.from_simulator(maze, discount=0.5), "needs start="),
        (
            lambda: maxent.from_simulator(maze, discount=0.5, start=0, actions=[1], key=repr),
            "key goes with",
        ),
        (lambda: maxent.from_simulator(3, discount=0.5), "simulator is a int"),
        (
            lambda: maxent.from_simulator(maze, discount=0.5, start={0: 0.5}, actions=[1]),
            "probability 1",
        ),
        (
            lambda: maxent.from_simulator(maze, discount=0.5, start=0, actions=2),
            "actions = 2 must be a list",
        ),
    ],
)
def test_what_cannot_be_walked_through(call, words):
    with pytest.raises(maxent.ConfigError, match=words):
        call()


def test_an_environment_that_cannot_be_copied():
    env = Counter("file")
    with env.open, pytest.raises(maxent.ConfigError, match="Counter cannot be copied"):
        maxent.from_simulator(env, discount=0.5)


@pytest.mark.parametrize(
    "returned, words", [(3, "3 is no"), ([(1.0, 0)], "has the outcome"), ((0, 1.0), "is no")]
)
def test_what_a_function_may_not_return(returned, words):
    with pytest.raises(maxent.ModelError, match=words):
        maxent.from_simulator(lambda s, a: returned, start=0, actions=[0], discount=0.5)
    with pytest.raises(maxent.ModelError, match="no action is available"):
        maxent.from_simulator(lambda s, a: None, start=0, actions=[0], discount=0.5)
