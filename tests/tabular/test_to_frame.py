"""`Solution.to_frame`: what a spreadsheet of a solution holds."""

import numpy as np
import pytest

import maxent

pytest.importorskip("pandas")


def test_a_row_a_state():
    mdp = maxent.gridworld("S.#\n..G", discount=0.9)
    solution = maxent.solve(mdp, 0.1)
    frame = solution.to_frame(mdp)
    assert list(frame.columns[:6]) == ["state", "row", "column", "v", "lower", "upper"]
    assert frame.shape == (5, 6 + 2 * 4)
    assert np.array_equal(frame["v"], solution.v)
    assert np.array_equal(frame["policy right"], solution.policy[:, 1])
    assert np.array_equal(frame["q down"], solution.q[:, 2])
    assert frame.loc[4, ["row", "column"]].tolist() == [1, 2]
    plain = solution.to_frame()
    assert list(plain.columns[:5]) == ["state", "v", "lower", "upper", "policy 0"]


def test_names_of_states():
    taxi = maxent.from_gymnasium("Taxi-v4", discount=0.9)
    frame = maxent.solve(taxi, 0.0).to_frame(taxi)
    assert frame["name"].iloc[-1] == "delivered" and "policy pick up" in frame.columns


def test_another_mdp_is_refused():
    solution = maxent.solve(maxent.gridworld("S.G", discount=0.9), 0.1)
    with pytest.raises(maxent.ModelError, match="pass the MDP that was solved"):
        solution.to_frame(maxent.gridworld("S..G", discount=0.9))
