"""Backward induction against enumeration and against the infinite horizon."""

import numpy as np
import pytest

import maxent
from maxent.tabular import operators as ops


def enumerated(mdp, temperature, horizon, state):
    """alpha log of the sum over action sequences, for deterministic dynamics and discount 1."""
    if horizon == 0 or mdp.terminal[state]:
        return 0.0
    totals = [
        mdp.reward[state, a]
        + enumerated(mdp, temperature, horizon - 1, int(mdp.transition[state, a].argmax()))
        for a in range(mdp.n_actions)
        if mdp.action_mask[state, a]
    ]
    return temperature * np.log(np.sum(np.exp(np.array(totals) / temperature)))


def test_against_enumeration():
    mdp = maxent.garnet(5, 2, discount=1.0, branching=1, seed=2, terminal=1, masked=0.2).to_dense()
    solution = maxent.finite_horizon(mdp, 0.7, 6)
    for state in range(5):
        assert solution.v[0, state] == pytest.approx(enumerated(mdp, 0.7, 6, state), abs=1e-12)


def test_shapes_and_relations():
    mdp = maxent.garnet(6, 3, discount=0.9, branching=3, seed=1, terminal=1)
    solution = maxent.finite_horizon(mdp, 0.5, 4)
    assert solution.v.shape == (5, 6)
    assert solution.q.shape == solution.log_policy.shape == solution.policy.shape == (4, 6, 3)
    assert (solution.v[4] == 0).all() and (solution.v[:, mdp.terminal] == 0).all()
    for t in range(4):
        np.testing.assert_array_equal(solution.q[t], ops.backup(mdp, solution.v[t + 1]))
    np.testing.assert_allclose(solution.policy.sum(axis=2), 1.0)


@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_a_long_horizon_approaches_the_infinite_one(temperature):
    mdp = maxent.garnet(8, 3, discount=0.8, branching=3, seed=1, terminal=1)
    forever = maxent.solve(mdp, temperature)
    long = maxent.finite_horizon(mdp, temperature, 150)
    np.testing.assert_allclose(long.v[0], forever.v, atol=1e-8)
    np.testing.assert_allclose(long.policy[0], forever.policy, atol=1e-6)
    assert long.error_bound < 1e-12


def test_bad_arguments():
    mdp = maxent.garnet(6, 3, discount=1.0, branching=3)
    for horizon in (0, -1, 2.5, True):
        with pytest.raises(maxent.ConfigError, match="horizon"):
            maxent.finite_horizon(mdp, 0.5, horizon)
    with pytest.raises(maxent.MemoryBudgetError, match="shorten it"):
        maxent.finite_horizon(mdp, 0.5, 10**12)
    with pytest.raises(maxent.ConfigError, match="temperature"):
        maxent.finite_horizon(mdp, -1.0, 3)
