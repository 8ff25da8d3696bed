"""Priors: KL control against the entropy problem with reward r + alpha log prior, mellowmax, and
both over a finite horizon."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mpmath import mp, mpf
from truth import optimal_value

import maxent
from maxent.tabular import operators as ops
from maxent.tabular.finite_horizon import finite_horizon_evaluation

SOLVERS = [
    maxent.soft_value_iteration,
    maxent.soft_policy_iteration,
    maxent.modified_soft_policy_iteration,
    maxent.solve,
]
MASKED = {"branching": 3, "masked": 0.3, "terminal": 1}
values = hnp.arrays(float, (3, 4), elements=st.floats(-50, 50))


def family(seed=1, n_states=7, discount=0.9, **settings):
    return maxent.garnet(n_states, 3, discount=discount, seed=seed, **settings)


def some_prior(mdp, seed=2, sharpness=1.0):
    rng = np.random.default_rng(seed)
    prior = rng.exponential(size=mdp.reward.shape) ** sharpness * mdp.action_mask
    return prior / prior.sum(axis=1, keepdims=True)


def rewarded(mdp, prior, temperature):
    """The MDP with reward r + alpha log prior: PRIOR says its entropy problem is KL control."""
    bonus = temperature * np.log(np.where(prior > 0, prior, 1.0))
    return mdp.replace(reward=mdp.reward + bonus)


def tabular(mdp):
    return maxent.MDP(
        mdp.to_dense().transition,
        mdp.reward,
        discount=mdp.discount,
        terminal=mdp.terminal,
        action_mask=mdp.action_mask,
    )


# -- KL control ----------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("temperature", [1e-3, 0.4, 50.0])
@pytest.mark.parametrize("settings", [{}, MASKED])
def test_a_prior_is_a_reward_of_alpha_log_prior(solver, temperature, settings):
    mdp = family(**settings)
    prior = some_prior(mdp, sharpness=3.0)
    kl = solver(mdp, temperature, prior=prior)
    entropy = solver(rewarded(mdp, prior, temperature), temperature)
    slack = 1e-12 * (1 + np.abs(kl.v).max())
    assert (kl.lower <= entropy.upper + slack).all() and (entropy.lower <= kl.upper + slack).all()
    nonterminal = ~mdp.terminal
    near = dict(atol=1e-7 + 4 * kl.tolerance / temperature)
    np.testing.assert_allclose(kl.policy[nonterminal], entropy.policy[nonterminal], **near)


def test_the_value_of_a_policy_counts_its_divergence_from_the_prior():
    mdp = family(**MASKED)
    prior, policy = some_prior(mdp), some_prior(mdp, 3)
    kl = maxent.soft_policy_evaluation(mdp, policy, 0.4, prior=prior)
    entropy = maxent.soft_policy_evaluation(rewarded(mdp, prior, 0.4), policy, 0.4)
    np.testing.assert_allclose(kl.v, entropy.v, atol=1e-9)
    at_prior = maxent.soft_policy_evaluation(mdp, prior, 0.4, prior=prior)
    reward_only = maxent.soft_policy_evaluation(mdp, prior, 0.0)
    np.testing.assert_allclose(at_prior.v, reward_only.v, atol=1e-9)  # no divergence from itself
    best = maxent.solve(mdp, 0.4, prior=prior)
    assert (best.upper >= np.maximum(kl.lower, at_prior.lower)).all()


def test_the_ends_of_the_temperature():
    """alpha -> infinity: the prior itself; alpha = 0: the hard maximum over its support."""
    mdp = family(**MASKED)
    prior = some_prior(mdp)
    hot = maxent.solve(mdp, 1e6, prior=prior)
    nonterminal = ~mdp.terminal
    np.testing.assert_allclose(hot.policy[nonterminal], prior[nonterminal], atol=1e-4)
    reward_only = maxent.soft_policy_evaluation(mdp, prior, 0.0)
    np.testing.assert_allclose(hot.v, reward_only.v, atol=1e-3)
    row = int(np.flatnonzero(nonterminal & (mdp.action_mask.sum(axis=1) == 3))[0])
    best = int(maxent.solve(mdp, 0.0).policy[row].argmax())
    without = prior.copy()
    without[row, best] = 0.0
    without /= without.sum(axis=1, keepdims=True)
    mask = mdp.action_mask.copy()
    mask[row, best] = False
    masked = tabular(mdp).replace(action_mask=mask)
    hard = maxent.solve(mdp, 0.0, prior=without)
    np.testing.assert_allclose(hard.v, maxent.solve(masked, 0.0).v, atol=1e-8)
    assert (hard.v <= maxent.solve(mdp, 0.0).v + 1e-8).all()
    assert hard.policy[row, best] == 0.0


def test_the_uniform_prior_is_the_entropy_less_alpha_log_a():
    equal = family()
    uniform = np.full(3, 1 / 3)
    kl, entropy = maxent.solve(equal, 0.4, prior=uniform), maxent.solve(equal, 0.4)
    # three actions everywhere and no terminal state: a constant, and the same policy
    np.testing.assert_allclose(kl.v, entropy.v - 0.4 * np.log(3) / (1 - 0.9), atol=1e-8)
    np.testing.assert_allclose(kl.policy, entropy.policy, atol=1e-8)
    mdp = family(**MASKED)  # otherwise another policy: it is not paid for having choices
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    kl, entropy = maxent.solve(mdp, 0.4, prior=uniform), maxent.solve(mdp, 0.4)
    assert np.abs(kl.policy - entropy.policy).max() > 0.01


# -- mellowmax -----------------------------------------------------------------------------------


@given(values, values, st.sampled_from([0.0, 1e-300, 1e-6, 0.1, 7.0, 1e9, 1e15]))
def test_mellowmax_is_a_monotone_non_expansion(first, second, temperature):
    difference = ops.mellowmax(first, temperature) - ops.mellowmax(second, temperature)
    assert np.abs(difference).max() <= np.abs(first - second).max() + 1e-13
    higher = np.maximum(first, second)
    rise = ops.mellowmax(higher, temperature) - ops.mellowmax(first, temperature)
    assert rise.min() >= -1e-13


@given(values, st.sampled_from([1e-300, 1e-6, 0.1, 1.0, 7.0, 1e3, 1e9, 1e15]))
def test_mellowmax_against_high_precision(q, temperature):
    alpha = mpf(temperature)
    for row, got in zip(q, ops.mellowmax(q, temperature), strict=True):
        top = mpf(float(row.max()))
        mean = mp.fsum(mp.exp((mpf(float(x)) - top) / alpha) for x in row) / 4
        exact = top + alpha * mp.log(mean)
        assert abs(mpf(float(got)) - exact) <= 1e-14 * (np.abs(row).max() + min(temperature, 100))


def test_mellowmax_is_the_soft_value_with_the_uniform_prior():
    rng = np.random.default_rng(4)
    q, mask = rng.normal(size=(20, 4)), rng.random((20, 4)) < 0.6
    mask[:, 0] = True
    count = mask.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_mask, log_uniform = np.log(mask), np.log(mask / count[:, None])
    for temperature in (0.05, 1.0, 30.0):
        got = ops.mellowmax(q, temperature, log_mask)
        np.testing.assert_allclose(got, ops.soft_value(q, temperature, log_uniform), atol=1e-13)
        less = ops.soft_value(q, temperature, log_mask) - temperature * np.log(count)
        np.testing.assert_allclose(got, less, atol=1e-13)
    average = np.where(mask, q, 0.0).sum(axis=1) / count
    np.testing.assert_allclose(ops.mellowmax(q, 1e12, log_mask), average, atol=1e-11)
    greatest = np.where(mask, q, -np.inf).max(axis=1)
    np.testing.assert_array_equal(ops.mellowmax(q, 0.0, log_mask), greatest)
    assert (ops.mellowmax(q, 0.3, log_mask) >= average - 1e-14).all()
    assert maxent.mellowmax is ops.mellowmax


def test_mellowmax_iteration_ends_in_kl_control_with_the_uniform_prior():
    mdp = family(**MASKED)
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    q = np.zeros(mdp.reward.shape)
    for _ in range(400):
        q = ops.backup(mdp, ops.mellowmax(q, 0.3, mdp.log_mask))
    solution = maxent.solve(mdp, 0.3, prior=uniform)
    np.testing.assert_allclose(q, solution.q, atol=1e-8)


def test_where_the_boltzmann_average_has_three_fixed_points_mellowmax_has_one():
    """Asadi and Littman (2017): loop for 0.02 or leave for 0.1, discount 0.98, beta = 16.55."""
    transition = np.zeros((2, 2, 2))
    transition[0, 0, 0] = transition[0, 1, 1] = 1.0
    mdp = maxent.MDP(
        transition, np.array([[0.02, 0.1], [0, 0]]), discount=0.98, terminal=[False, True]
    )

    def average(q, temperature):
        return (np.exp(ops.boltzmann_policy(q, temperature)) * q).sum(axis=1)

    ends = {}
    for operator in (average, ops.mellowmax):
        for start in (0.0, 0.1749, 1.2):
            q = np.full((2, 2), start)
            for _ in range(3000):
                q = ops.backup(mdp, operator(q, 1 / 16.55))
            ends[operator, start] = operator(q, 1 / 16.55)[0]
    assert ends[average, 0.0] == pytest.approx(0.1589, abs=1e-4)
    assert ends[average, 1.2] == pytest.approx(1.0, abs=1e-4)
    mellow = [ends[ops.mellowmax, start] for start in (0.0, 0.1749, 1.2)]
    np.testing.assert_allclose(mellow, mellow[0], atol=1e-12)


# -- finite horizon ------------------------------------------------------------------------------


def sequences(mdp, temperature, horizon, state, prior):
    """alpha log sum over action sequences of prod prior * exp(rewards / alpha), deterministic."""
    total = 0.0
    for actions in itertools.product(range(mdp.n_actions), repeat=horizon):
        s, weight, earned = state, 1.0, 0.0
        for step, a in enumerate(actions):
            if mdp.terminal[s]:  # one way to do nothing for the rest
                weight *= float(all(b == 0 for b in actions[step:]))
                break
            weight *= prior[s, a]
            earned += mdp.discount**step * mdp.reward[s, a]
            s = int(mdp.transition[s, a].argmax())
        total += weight * np.exp(earned / temperature)
    return temperature * np.log(total)


def test_finite_horizon_with_a_prior_against_all_sequences():
    mdp = family(5, n_states=5, discount=1.0, branching=1, terminal=1, masked=0.2).to_dense()
    prior = some_prior(mdp)
    solution = maxent.finite_horizon(mdp, 0.7, 5, prior=prior)
    for s in range(5):
        assert solution.v[0, s] == pytest.approx(sequences(mdp, 0.7, 5, s, prior), abs=1e-12)
    by_entropy = maxent.finite_horizon(mdp, 0.7, 5)  # a mask: weight 1 for what is available
    ones = mdp.action_mask.astype(float)
    for s in range(5):
        assert by_entropy.v[0, s] == pytest.approx(sequences(mdp, 0.7, 5, s, ones), abs=1e-12)


@pytest.mark.parametrize("settings", [{}, MASKED])
def test_finite_horizon_with_a_prior_is_a_reward(settings):
    mdp = family(6, discount=1.0, **settings)
    prior = some_prior(mdp)
    kl = maxent.finite_horizon(mdp, 0.4, 8, prior=prior)
    entropy = maxent.finite_horizon(rewarded(mdp, prior, 0.4), 0.4, 8)
    np.testing.assert_allclose(kl.v, entropy.v, atol=1e-12)
    nonterminal = ~mdp.terminal
    np.testing.assert_allclose(
        kl.policy[:, nonterminal], entropy.policy[:, nonterminal], atol=1e-12
    )
    assert (kl.policy[:, ~mdp.action_mask] == 0.0).all()


@pytest.mark.parametrize("temperature", [0.0, 1e-6, 0.5, 1e4])
def test_the_error_bound_of_a_finite_horizon_holds(temperature):
    """H steps of the infinite-horizon problem whose states carry the time: 60 digits."""
    mdp = family(7, n_states=3, discount=0.9, terminal=1)
    horizon, n = 4, 3
    big = np.zeros((horizon * n + 1, 3, horizon * n + 1))
    reward = np.zeros((horizon * n + 1, 3))
    dense = mdp.to_dense()
    terminal = np.ones(horizon * n + 1, dtype=bool)
    for t in range(horizon):
        here, there = slice(t * n, t * n + n), slice(t * n + n, t * n + 2 * n)
        terminal[here] = mdp.terminal
        reward[here] = dense.reward
        if t + 1 < horizon:
            big[here, :, there] = dense.transition
        else:
            big[here, :, -1] = dense.transition.sum(axis=2)
    unrolled = maxent.MDP(big, reward, discount=0.9, terminal=terminal)
    solution = maxent.finite_horizon(mdp, temperature, horizon)
    flat = np.append(solution.v[:horizon].ravel(), 0.0)
    truth = optimal_value(unrolled, temperature, flat)
    assert max(abs(x - mpf(float(v))) for x, v in zip(truth, flat, strict=True)) <= (
        solution.error_bound
    )
    assert solution.error_bound < 1e-12 * max(1.0, temperature)


@pytest.mark.parametrize("with_prior", [False, True])
@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_the_optimal_policy_evaluates_to_the_optimal_value(with_prior, temperature):
    mdp = family(8, discount=1.0, **MASKED)
    prior = some_prior(mdp) if with_prior else None
    best = maxent.finite_horizon(mdp, temperature, 6, prior=prior)
    value = finite_horizon_evaluation(mdp, best.policy, temperature, prior=prior)
    assert value.horizon == 6
    np.testing.assert_allclose(value.v, best.v, atol=1e-12)
    assert np.abs(value.v - best.v).max() <= 10 * (value.error_bound + best.error_bound)
    rng = np.random.default_rng(9)
    for _ in range(20):  # no policy, time-dependent or not, does better from any state and time
        other = rng.exponential(size=(6, *mdp.reward.shape)) * mdp.action_mask
        other /= other.sum(axis=2, keepdims=True)
        v = finite_horizon_evaluation(mdp, other, temperature, prior=prior).v
        assert (v <= best.v + 1e-12).all()
        still = finite_horizon_evaluation(mdp, other[0], temperature, 6, prior=prior).v
        assert (still <= best.v + 1e-12).all()
        repeated = np.repeat(other[:1], 6, axis=0)
        same = finite_horizon_evaluation(mdp, repeated, temperature, prior=prior).v
        np.testing.assert_array_equal(same, still)


def test_a_long_evaluation_approaches_the_infinite_one():
    mdp = family(10, discount=0.8, **MASKED)
    policy = some_prior(mdp)
    forever = maxent.soft_policy_evaluation(mdp, policy, 0.5)
    long = finite_horizon_evaluation(mdp, policy, 0.5, 150)
    np.testing.assert_allclose(long.v[0], forever.v, atol=1e-8)
    by_hand = ops.policy_reward(mdp, long.log_policy[0], 0.5)
    np.testing.assert_allclose(long.v[149], by_hand, atol=1e-14)


def test_bad_time_dependent_policies():
    mdp = family(11)
    policy = np.full((4, 7, 3), 1 / 3)
    with pytest.raises(maxent.ModelError, match="policy has 4 steps; the horizon is 5"):
        finite_horizon_evaluation(mdp, policy, 0.5, 5)
    with pytest.raises(maxent.ConfigError, match="horizon"):
        finite_horizon_evaluation(mdp, policy[0], 0.5)
    policy[2, 1, 0] = 0.5
    with pytest.raises(maxent.ModelError, match="policy at step 2 of state 1 sums to"):
        finite_horizon_evaluation(mdp, policy, 0.5)
    with pytest.raises(maxent.ModelError, match="shape"):
        finite_horizon_evaluation(mdp, np.full((4, 7, 2), 0.5), 0.5)
