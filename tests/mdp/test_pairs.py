"""`from_pairs`: a list of state-action pairs."""

import numpy as np
import pytest
from scipy import sparse

import maxent

STATES, ACTIONS = [0, 0, 1], [0, 1, 0]
REWARD = [5.0, 10.0, -1.0]
TRANSITION = np.array([[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]])


def test_the_example_of_quantecon():
    """Puterman (2005), section 3.1, as QuantEcon's DiscreteDP documents it: v = (-8.57, -20)."""
    for transition in (TRANSITION, sparse.csr_array(TRANSITION), TRANSITION.tolist()):
        mdp = maxent.from_pairs(STATES, ACTIONS, REWARD, transition, discount=0.95)
        found = maxent.solve(mdp, 0.0, tolerance=1e-9)
        np.testing.assert_allclose(found.v, [-60 / 7, -20.0], atol=1e-8)
        assert found.policy[0].tolist() == [1.0, 0.0]
        assert mdp.action_mask.tolist() == [[True, True], [True, False]]


def test_any_order_and_infeasible_pairs():
    order = [2, 0, 1]
    mdp = maxent.from_pairs(
        np.array(STATES)[order], np.array(ACTIONS)[order], np.array(REWARD)[order],
        TRANSITION[order], discount=0.95,
    )  # fmt: skip
    assert mdp.reward.tolist() == [[5.0, 10.0], [-1.0, 0.0]]
    mdp = maxent.from_pairs(STATES, ACTIONS, [5.0, -np.inf, -1.0], TRANSITION, discount=0.95)
    assert mdp.action_mask.tolist() == [[True, False], [True, False]]


def test_rewards_by_transition():
    paid = np.array([[1.0, 3.0], [7.0, 2.0], [0.0, -1.0]])
    mdp = maxent.from_pairs(STATES, ACTIONS, paid, sparse.csr_array(TRANSITION), discount=0.9)
    assert mdp.reward.tolist() == [[2.0, 2.0], [-1.0, 0.0]]
    assert mdp.transition_reward.toarray()[0].tolist() == [1.0, 3.0]


def test_a_terminal_state_needs_no_pair():
    mdp = maxent.from_pairs([0], [0], [1.0], [[0.0, 1.0]], discount=0.9, terminal=[1])
    assert maxent.solve(mdp, 0.0).v.tolist() == pytest.approx([1.0, 0.0])
    with pytest.raises(maxent.ModelError, match="state 1 has no available action"):
        maxent.from_pairs([0], [0], [1.0], [[0.0, 1.0]], discount=0.9)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"states": [0, 0, 2]}, r"states\[2\] is 2; it must be a number from 0 to 1"),
        ({"actions": [0, -1, 0]}, r"actions\[1\] is -1"),
        ({"states": [0, 0]}, "give 3 whole numbers"),
        ({"actions": [0.0, 1.0, 0.0]}, "dtype float64"),
        ({"actions": [0, 0, 0]}, "state 0, action 0 is listed 2 times"),
        ({"reward": [1.0]}, r"reward has shape \(1,\)"),
        ({"reward": [np.nan, 0.0, 0.0]}, "reward at state 0, action 0 is nan"),
        ({"transition": TRANSITION / 2}, "state 0, action 0 sum to 0.5"),
        ({"transition": [0.5, 0.5, 1.0]}, r"it must be \(L, S\)"),
    ],
)
def test_bad_pairs(changes, words):
    given = {"states": STATES, "actions": ACTIONS, "reward": REWARD, "transition": TRANSITION}
    with pytest.raises(maxent.ModelError, match=words):
        maxent.from_pairs(**(given | changes), discount=0.9)
