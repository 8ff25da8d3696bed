"""Average reward: certified gains, whatever the chains, and the limit of discounting (AVERAGE)."""

import warnings

import numpy as np
import pytest

import maxent


def forest(discount=0.96):
    """Forest management (Chades et al. 2014): 3 ages, rewards 4 and 2, fire .1."""
    wait, cut = np.zeros((3, 3)), np.zeros((3, 3))
    wait[[0, 1, 2], [1, 2, 2]], wait[:, 0], cut[:, 0] = 0.9, 0.1, 1.0
    reward = [[0, 0], [0, 1], [4, 2]]
    return maxent.MDP(np.stack([wait, cut], axis=1), reward, discount=discount)


def test_forest_management():
    found = maxent.average_reward(forest(), 0.0)
    assert found.converged and found.lower <= 3.24 <= found.upper and found.error_bound < 1e-8
    assert found.policy.tolist() == [[1.0, 0.0]] * 3
    np.testing.assert_allclose(found.bias, [0.0, 3.6, 7.6], atol=1e-9)


def stationary_gain(mdp, policy, temperature):
    """The gain of a policy with a single recurrent class, by its stationary distribution."""
    policy = np.asarray(policy)
    moves = np.einsum("sa,sat->st", policy, mdp.to_dense().transition)
    system = np.vstack([moves.T - np.eye(len(moves)), np.ones(len(moves))])
    visits = np.linalg.lstsq(system, np.eye(len(moves) + 1)[-1], rcond=None)[0]
    logs = np.where(policy > 0.0, np.log(np.where(policy > 0.0, policy, 1.0)), 0.0)
    return visits @ (policy * (mdp.reward - temperature * logs)).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1e-6, 0.1, 1.0, 100.0])
def test_no_policy_has_more_and_the_one_found_has_as_much(temperature):
    mdp = maxent.garnet(6, 3, discount=0.9, seed=4)
    found = maxent.average_reward(mdp, temperature)
    assert found.converged
    earned = stationary_gain(mdp, found.policy, temperature)
    assert earned == pytest.approx(found.gain, abs=2 * found.error_bound + 1e-12)
    for other in np.random.default_rng(0).dirichlet(np.full(3, 0.5), size=(50, 6)):
        assert stationary_gain(mdp, other, temperature) <= found.upper + 1e-12


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_the_limit_of_discounting(seed, temperature):
    """(1-gamma) min V* <= rho(s) <= (1-gamma) max V*, for every gamma; at gamma near 1 both ends
    and the bias are near."""
    rng = np.random.default_rng(seed)
    n, m, branching = (int(rng.integers(1, 9)), int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    mdp = maxent.garnet(n, m, discount=0.5, branching=branching, seed=seed, masked=0.2,
                        absorbing=seed % 2 if n > 1 else 0)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", maxent.MaxEntWarning)
        found = maxent.average_reward(mdp, temperature)
    for gamma in (0.5, 0.99, 1.0 - 1e-6):
        value = maxent.solve(mdp.replace(discount=gamma), temperature)
        assert (1.0 - gamma) * value.lower.min() <= found.upper + 1e-12
        assert (1.0 - gamma) * value.upper.max() >= found.lower - 1e-12
    if found.converged:
        assert (1.0 - gamma) * value.v[0] == pytest.approx(found.gain, abs=1e-3)
        if temperature > 0.0:
            near = 0.02 * (1.0 + np.abs(found.bias).max())
            np.testing.assert_allclose(value.v - value.v[0], found.bias, atol=near)
    else:
        assert found.status == "stalled" and (1.0 - gamma) * np.ptp(value.v) > 1e-4


def test_deterministic_dynamics_have_a_perron_root():
    """rho = alpha log of the largest eigenvalue of sum_a exp(r / alpha) P, of period 2 too."""
    alpha = 0.4
    transition = np.zeros((4, 2, 4))
    for s in range(4):  # a ring, forward one or three: period 2
        transition[s, 0, (s + 1) % 4] = transition[s, 1, (s + 3) % 4] = 1.0
    mdp = maxent.MDP(transition, np.random.default_rng(1).normal(size=(4, 2)), discount=0.9)
    matrix = (np.exp(mdp.reward / alpha)[:, :, None] * transition).sum(axis=1)
    root = alpha * np.log(np.abs(np.linalg.eigvals(matrix)).max())
    found = maxent.average_reward(mdp, alpha)
    assert found.converged and found.gain == pytest.approx(root, abs=1e-9)


def test_where_gains_differ_both_bounds_are_reported():
    """Two states that stay, for 0 and for 1; a third leads to either."""
    transition = np.zeros((3, 2, 3))
    transition[0, :, 0] = transition[1, :, 1] = transition[2, 0, 0] = transition[2, 1, 1] = 1.0
    mdp = maxent.MDP(transition, [[0, 0], [1, 1], [0, 0]], discount=0.9)
    with pytest.warns(maxent.MaxEntWarning, match="differs from state to state"):
        found = maxent.average_reward(mdp, 0.0)
    assert found.status == "stalled" and found.lower <= 0.0 and found.upper >= 1.0
    assert found.upper - found.lower < 1.001
    with pytest.warns(maxent.MaxEntWarning, match="goals can restart"):
        ends = maxent.average_reward(maxent.gridworld("S.G", discount=0.9), 0.5)
    assert ends.lower <= 0.0 <= ends.upper


def test_the_bias_is_a_first_exit_value():
    """h(s) - h(0) is what r - rho adds up to until state 0 is reached."""
    mdp = maxent.garnet(7, 3, discount=0.9, seed=8)
    found = maxent.average_reward(mdp, 0.3, tolerance=1e-12)
    until = mdp.replace(discount=1.0, terminal=[True] + [False] * 6, initial_distribution=None,
                        reward=mdp.reward - found.gain)  # fmt: skip
    value = maxent.solve(until, 0.3)
    np.testing.assert_allclose(value.v, found.bias, atol=1e-8)


def test_a_prior_counts_as_a_reward():
    mdp = maxent.garnet(6, 3, discount=0.9, seed=2)
    prior = np.random.default_rng(0).dirichlet(np.ones(3), size=6)
    one = maxent.average_reward(mdp, 0.3, prior=prior)
    other = maxent.average_reward(mdp.replace(reward=mdp.reward + 0.3 * np.log(prior)), 0.3)
    assert one.gain == pytest.approx(other.gain, abs=1e-9)
    np.testing.assert_allclose(one.policy, other.policy, atol=1e-6)


def test_a_large_map_that_begins_anew():
    mdp = maxent.gridworld("open-60x60", slip=0.1, discount=0.9, goals="restart")
    found = maxent.average_reward(mdp, 0.1)
    assert found.converged and found.seconds < 20.0


def test_bad_arguments():
    over = maxent.MDP(np.zeros((1, 1, 1)), [0.0], discount=1.0, terminal=[True],
                      initial_distribution=[1.0])  # fmt: skip
    with pytest.raises(maxent.ModelError, match="every state is terminal"):
        maxent.average_reward(over, 0.1)
    with pytest.raises(maxent.ConfigError, match="tolerance"):
        maxent.average_reward(forest(), 0.1, tolerance=0.0)
    with pytest.raises(maxent.ModelError, match="not an MDP"):
        maxent.average_reward("four-rooms", 0.1)
    with pytest.warns(maxent.MaxEntWarning, match="max_iterations reached"):
        assert maxent.average_reward(forest(), 0.1, max_iterations=1).status == "max_iterations"
