"""Each operator against its formula, written out by hand, and at the ends of its range."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mpmath import mp, mpf

import maxent
from maxent.tabular import operators as ops

values = hnp.arrays(float, (3, 4), elements=st.floats(-50, 50))
temperatures = st.sampled_from([1e-300, 1e-6, 0.1, 1.0, 7.0, 1e3, 1e9, 1e15])


def chain():
    """Two states, two actions; state 2 is terminal.  Small enough for a hand calculation."""
    transition = np.zeros((3, 2, 3))
    transition[0, 0] = [0.0, 0.5, 0.5]
    transition[0, 1] = [1.0, 0.0, 0.0]
    transition[1, 0] = [0.25, 0.0, 0.75]
    transition[1, 1] = [0.0, 1.0, 0.0]
    reward = np.array([[1.0, 2.0], [3.0, -1.0], [9.0, 9.0]])
    mask = np.array([[True, True], [True, False], [True, True]])
    return maxent.MDP(transition, reward, discount=0.5, terminal=[2], action_mask=mask)


def test_soft_value_is_the_log_sum_exp_of_the_page():
    q = np.array([[1.0, 2.0, 4.0]])
    expected = 0.5 * math.log(math.exp(2.0) + math.exp(4.0) + math.exp(8.0))
    assert ops.soft_value(q, 0.5) == pytest.approx(expected, rel=1e-15)


@given(values, temperatures)
def test_soft_value_against_high_precision(q, temperature):
    alpha = mpf(temperature)
    for row, got in zip(q, ops.soft_value(q, temperature), strict=True):
        top = mpf(float(row.max()))
        exact = top + alpha * mp.log(mp.fsum(mp.exp((mpf(float(x)) - top) / alpha) for x in row))
        assert abs(mpf(float(got)) - exact) <= 20 * 2.3e-16 * max(1, abs(exact), alpha)


@given(values, temperatures)
def test_boltzmann_policy_is_normalised_and_ordered(q, temperature):
    policy = np.exp(ops.boltzmann_policy(q, temperature))
    np.testing.assert_allclose(policy.sum(axis=1), 1.0, rtol=1e-14)
    better = q[:, :1] >= q
    assert (policy[:, :1] >= policy * (1 - 1e-14))[better].all()


@given(values, st.floats(0.01, 100))
def test_gibbs_1_and_2_the_gap_is_alpha_kl(q, temperature):
    rng = np.random.default_rng(0)
    log_p = np.log(rng.dirichlet(np.ones(4), size=3))
    best = ops.boltzmann_policy(q, temperature)
    gap = ops.soft_value(q, temperature) - ops.policy_value(q, log_p, temperature)
    scale = max(1.0, np.abs(q).max(), temperature)
    np.testing.assert_allclose(
        gap, temperature * ops.kl_divergence(log_p, best), rtol=1e-12, atol=1e-13 * scale
    )


@given(values, st.floats(0.0, 100))
def test_gibbs_4_between_the_maximum_and_alpha_log_a_above(q, temperature):
    v, top = ops.soft_value(q, temperature), q.max(axis=1)
    slack = 1e-13 * max(1.0, np.abs(q).max(), temperature)
    assert (v >= top - slack).all()
    assert (v <= top + temperature * math.log(4) + slack).all()


def test_limits_of_the_temperature():
    q = np.array([[1.0, 3.0, 2.0]])
    assert ops.soft_value(q, 1e-300)[0] == 3.0
    assert ops.soft_value(q, 0.0)[0] == 3.0
    np.testing.assert_allclose(ops.soft_value(q, 1e9), 2.0 + 1e9 * math.log(3), rtol=1e-15)
    np.testing.assert_allclose(np.exp(ops.boltzmann_policy(q, 1e15)), 1 / 3, rtol=1e-14)


def test_a_mask_is_a_prior_of_minus_infinity():
    q = np.array([[1.0, 5.0, 2.0]])
    log_prior = np.array([[0.0, -np.inf, 0.0]])
    for temperature in (0.0, 0.3, 1e9):
        assert ops.soft_value(q, temperature, log_prior) == ops.soft_value(
            q[:, [0, 2]], temperature
        )
        policy = np.exp(ops.boltzmann_policy(q, temperature, log_prior))
        assert policy[0, 1] == 0.0
        np.testing.assert_allclose(policy.sum(), 1.0)


def test_a_prior_is_a_reward_of_alpha_log_prior():
    q = np.array([[1.0, 5.0, 2.0]])
    prior = np.array([[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(
        ops.soft_value(q, 0.7, np.log(prior)), ops.soft_value(q + 0.7 * np.log(prior), 0.7)
    )


def test_ties_at_temperature_zero_are_shared_within_the_tolerance():
    q = np.array([[1.0, 1.0 + 1e-12, 0.0]])
    assert np.exp(ops.boltzmann_policy(q, 0.0)).tolist() == [[0.0, 1.0, 0.0]]
    tied = np.exp(ops.boltzmann_policy(q, 0.0, tie_tolerance=1e-11))
    np.testing.assert_allclose(tied, [[0.5, 0.5, 0.0]])


def test_policy_value_and_entropy_of_zero_probabilities():
    q = np.array([[1.0, -np.inf], [2.0, 4.0]])
    with np.errstate(divide="ignore"):
        log_policy = np.log(np.array([[1.0, 0.0], [0.5, 0.5]]))
    np.testing.assert_allclose(ops.entropy(log_policy), [0.0, math.log(2)])
    np.testing.assert_allclose(ops.policy_value(q, log_policy, 2.0), [1.0, 3.0 + 2 * math.log(2)])
    outside = np.array([[-np.inf, 0.0], [0.0, 0.0]])
    assert ops.policy_value(q, log_policy, 2.0, outside)[0] == -np.inf


def test_backup_stops_at_terminal_states():
    q = ops.backup(chain(), np.array([10.0, 20.0, 1000.0]))
    # masked action of state 1 and the terminal state have nothing: no reward, no successor
    np.testing.assert_allclose(q, [[1 + 0.5 * 10, 2 + 0.5 * 10], [3 + 0.5 * 2.5, 0], [0, 0]])


def test_bellman_operators_by_hand():
    mdp, q = chain(), np.array([[1.0, 2.0], [3.0, 100.0], [7.0, 7.0]])
    v = np.array([math.log(math.exp(1.0) + math.exp(2.0)), 3.0, 0.0])
    np.testing.assert_allclose(ops.soft_bellman(mdp, q, 1.0), ops.backup(mdp, v))
    with np.errstate(divide="ignore"):
        log_policy = np.log(np.array([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]]))
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    v_pi = np.array([0.25 + 1.5 + 2.0 * entropy, 3.0, 0.0])
    np.testing.assert_allclose(
        ops.soft_policy_bellman(mdp, q, log_policy, 2.0), ops.backup(mdp, v_pi)
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_policy_transition_and_reward_give_the_linear_system(sparse):
    mdp = maxent.garnet(12, 3, discount=0.9, seed=3, branching=4, terminal=2, masked=0.3)
    mdp = mdp if sparse else mdp.to_dense()
    policy = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        log_policy = np.log(policy)
    matrix = ops.policy_transition(mdp, policy)
    dense = matrix.toarray() if sparse else matrix
    right = ops.policy_reward(mdp, log_policy, 0.7)
    v = np.linalg.solve(np.eye(12) - 0.9 * dense, right)
    assert (v[mdp.terminal] == 0).all()
    q = ops.backup(mdp, v)
    np.testing.assert_allclose(
        np.where(mdp.terminal, 0.0, ops.policy_value(q, log_policy, 0.7)), v, atol=1e-12
    )


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 3)])
def test_the_last_axis_is_actions_whatever_stands_before_it(shape, temperature):
    """Several states, or a batch of such: each row is dealt with by itself."""
    rng = np.random.default_rng(1)
    q, log_policy = rng.normal(size=shape), np.log(rng.dirichlet(np.ones(3), size=shape[:-1]))
    log_prior = np.where(rng.random(shape) < 0.3, -np.inf, 0.0)
    log_prior[..., 1] = 0.0
    stayed = np.where(log_prior > -np.inf, log_policy, -np.inf)
    stayed = stayed - np.log(np.exp(stayed).sum(axis=-1, keepdims=True))
    calls = [
        (ops.soft_value, (q, temperature, log_prior)),
        (ops.boltzmann_policy, (q, temperature, log_prior)),
        (ops.policy_value, (q, stayed, temperature, log_prior)),
        (ops.entropy, (stayed, log_prior)),
        (ops.kl_divergence, (stayed, log_policy)),
        (ops.mellowmax, (q, temperature, log_prior)),
    ]
    for function, arguments in calls:
        whole = function(*arguments)
        for place in np.ndindex(shape[:-1]):
            row = [x[place][None] if isinstance(x, np.ndarray) else x for x in arguments]
            np.testing.assert_allclose(whole[place], function(*row)[0], rtol=1e-14)


@given(values, temperatures)
def test_mellowmax_against_high_precision(q, temperature):
    log_mask = np.array([0.0, 0.0, -np.inf, 0.0])
    found = ops.mellowmax(q, temperature, np.tile(log_mask, (3, 1)))
    for row, got in zip(q[:, [0, 1, 3]], found, strict=True):
        with mp.workdps(60):
            alpha, top = mpf(temperature), mpf(float(row.max()))
            mean = mp.fsum(mp.exp((mpf(float(x)) - top) / alpha) for x in row) / 3
            exact = top + alpha * mp.log(mean)
        assert abs(mpf(float(got)) - exact) <= 1e-12 * max(1, float(np.abs(row).max()))
    assert (ops.mellowmax(q, 0.0) == q.max(axis=1)).all()


def test_a_prior_takes_the_place_of_the_mask_in_the_bellman_operators():
    """E_pi[Q - alpha log(pi / prior)], term by term; without a prior the mask stands for it."""
    mdp = chain()
    rng = np.random.default_rng(2)
    q, policy = rng.normal(size=(3, 2)), np.array([[0.4, 0.6], [1.0, 0.0], [0.5, 0.5]])
    prior = np.array([[0.9, 0.1], [1.0, 0.0], [0.5, 0.5]])
    with np.errstate(divide="ignore"):
        log_policy, log_prior = np.log(policy), np.log(prior)
    cost = 0.4 * math.log(0.4 / 0.9) + 0.6 * math.log(0.6 / 0.1)
    v = np.array([0.4 * q[0, 0] + 0.6 * q[0, 1] - 2.0 * cost, q[1, 0], 0.0])
    found = ops.soft_policy_bellman(mdp, q, log_policy, 2.0, log_prior)
    np.testing.assert_allclose(found, ops.backup(mdp, v))
    best = 2.0 * math.log(0.9 * math.exp(q[0, 0] / 2.0) + 0.1 * math.exp(q[0, 1] / 2.0))
    found = ops.soft_bellman(mdp, q, 2.0, log_prior)
    np.testing.assert_allclose(found, ops.backup(mdp, np.array([best, q[1, 0], 0.0])))
    earned = 0.4 * 1.0 + 0.6 * 2.0 - 2.0 * cost
    found = ops.policy_reward(mdp, log_policy, 2.0, log_prior)
    np.testing.assert_allclose(found, [earned, 3.0, 0.0])
    outside = np.log(np.array([[0.4, 0.6], [0.5, 0.5], [0.5, 0.5]]))  # takes a masked action
    assert ops.policy_reward(mdp, outside, 2.0)[1] == -np.inf
    improved = ops.soft_policy_improvement(q, 2.0, log_prior)
    odds = 0.9 * math.exp(q[0, 0] / 2.0) / (0.1 * math.exp(q[0, 1] / 2.0))
    np.testing.assert_allclose(np.exp(improved[0, 0] - improved[0, 1]), odds)
