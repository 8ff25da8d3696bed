"""States given by number or name."""

import numpy as np
import pytest

import maxent


def shop(**changes):
    """Three states in a row."""
    settings = {"discount": 0.9, "state_names": ["shop", "road", "home"], "terminal": [2]}
    return maxent.MDP(np.eye(3)[[[1], [2], [2]]], np.ones((3, 1)), **(settings | changes))


@pytest.mark.parametrize("terminal", [["home"], "home", 2, {2}, {"home"}, np.array(["home"]), (2,)])
def test_terminal_states(terminal):
    assert shop(terminal=terminal).terminal.tolist() == [False, False, True]


@pytest.mark.parametrize("start", ["road", 1, {"road": 1.0}, {1: 1.0}, [0, 1, 0], np.int64(1)])
def test_starts(start):
    assert shop(initial_distribution=start).initial_distribution.tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"terminal": ["hom"]}, "terminal names the state 'hom'; did you mean 'home'"),
        ({"terminal": {3}}, "terminal names the state 3; states are 0 to 2"),
        ({"terminal": -1}, "terminal names the state -1; states are 0 to 2"),
        ({"terminal": True}, r"terminal has shape \(\); it must be \(3,\)"),
        ({"terminal": "home", "state_names": None}, "'home'; the states have no state_names"),
        ({"terminal": "a", "state_names": "aab"}, "give a list of 3 names"),
        ({"terminal": "a", "state_names": [*"aab"]}, "'a', which 2 states are called"),
        ({"initial_distribution": "hom"}, "initial_distribution names the state 'hom'; did you"),
        ({"initial_distribution": {"shop": 0.5}}, "sums to 0.5, not to 1"),
        ({"terminal": {"home": False}}, "is a dict; give a list of states"),
        ({"terminal": iter(["home"])}, "is a list_iterator; give a list of states"),
        ({"terminal": np.array("home")}, "is a ndarray; give a list of states"),
        ({"initial_distribution": {"shop": 1.0, 0: 1.0}}, "gives a state twice"),
        ({"initial_distribution": {"shop": None}}, "initial_distribution of state 'shop' = None"),
    ],
)
def test_what_is_no_state(changes, words):
    with pytest.raises(maxent.MaxEntError, match=words):
        shop(**changes)


def test_a_series_is_read_by_its_labels():
    pandas = pytest.importorskip("pandas")
    start = pandas.Series({"home": 0.0, "road": 0.75, "shop": 0.25})
    assert shop(initial_distribution=start).initial_distribution.tolist() == [0.25, 0.75, 0]
    ends = pandas.Series({"home": True, "shop": False, "road": False})
    assert shop(terminal=ends).terminal.tolist() == [False, False, True]
    for positions in ([0.25, 0.75, 0.0], [1.0, 0.0, 0.0]):
        found = shop(initial_distribution=pandas.Series(positions))
        assert found.initial_distribution.tolist() == positions
    with pytest.raises(maxent.ModelError, match="names a state twice"):
        shop(initial_distribution=pandas.Series([0.5, 0.5], index=["shop", "shop"]))


def test_messages_have_the_names_of_states_and_actions():
    with pytest.raises(maxent.ModelError, match=r"state 1 \('road'\), action 0 \('go'\) sum to 2"):
        maxent.MDP(
            np.eye(3)[[[1], [2], [2]]] * np.array([1.0, 2.0, 1.0])[:, None, None],
            np.ones((3, 1)),
            discount=0.9,
            state_names=["shop", "road", "home"],
            action_names=["go"],
        )
