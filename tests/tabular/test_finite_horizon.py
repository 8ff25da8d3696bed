"""Backward induction against enumeration and against the infinite horizon."""

import numpy as np
import pytest

import maxent
from maxent.mdp import validation
from maxent.support import memory
from maxent.tabular import operators as ops
from maxent.tabular.bounds import soft_bounds


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


def test_bad_arguments(monkeypatch):
    mdp = maxent.garnet(6, 3, discount=1.0, branching=3)
    for horizon in (0, -1, 2.5, True):
        with pytest.raises(maxent.ConfigError, match="horizon"):
            maxent.finite_horizon(mdp, 0.5, horizon)
    with pytest.raises(maxent.MemoryBudgetError, match="shorten it"):
        maxent.finite_horizon(mdp, 0.5, 10**12)
    with pytest.raises(maxent.ConfigError, match="temperature"):
        maxent.finite_horizon(mdp, -1.0, 3)
    monkeypatch.setattr(memory, "_available_memory", lambda: 2**20)
    maxent.finite_horizon(mdp, 0.5, 100)
    with pytest.raises(maxent.MemoryBudgetError, match="shorten it"):  # 3 MB: S A numbers a step
        maxent.finite_horizon(mdp, 0.5, 10_000)


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_a_terminal_value_is_what_more_steps_would_be_worth(temperature):
    mdp = maxent.garnet(6, 3, discount=0.9, branching=3, seed=1, terminal=1, masked=0.2)
    long = maxent.finite_horizon(mdp, temperature, 9)
    short = maxent.finite_horizon(mdp, temperature, 4, terminal_value=long.v[4 + 1])
    np.testing.assert_array_equal(short.v, long.v[1:6])
    policy = long.policy[1:5]
    tail = maxent.finite_horizon_evaluation(mdp, long.policy, temperature)
    part = maxent.finite_horizon_evaluation(mdp, policy, temperature, terminal_value=tail.v[5])
    np.testing.assert_allclose(part.v, tail.v[1:6], rtol=1e-14)


def test_rewards_of_each_step_are_those_of_an_mdp_with_a_clock():
    """States (t, s): the same MDP with time written into its states."""
    mdp = maxent.garnet(4, 2, discount=0.9, seed=3, masked=0.2).to_dense()
    horizon, rng = 3, np.random.default_rng(0)
    reward = rng.normal(size=(horizon, 4, 2))
    worth = rng.normal(size=4)
    transition, paid = np.zeros((17, 2, 17)), np.zeros((17, 2))
    for t in range(horizon):
        now, then = slice(4 * t, 4 * t + 4), slice(4 * t + 4, 4 * t + 8)
        transition[now, :, then], paid[now] = mdp.transition, reward[t]
    transition[12:16, :, 16], paid[12:16, 0] = 1.0, worth
    mask = np.vstack([*[mdp.action_mask] * horizon, [[True, False]] * 4, [[True, True]]])
    clock = maxent.MDP(transition, paid, discount=0.9, terminal=[16], action_mask=mask)
    for temperature in (0.0, 0.4):
        exact = maxent.solve(clock, temperature, tolerance=1e-13)
        found = maxent.finite_horizon(
            mdp, temperature, horizon, reward=reward, terminal_value=worth
        )
        gap = np.abs(found.v - exact.v[:16].reshape(4, 4)).max()
        assert gap <= found.error_bound + exact.error_bound and found.error_bound < 1e-13
        same = maxent.finite_horizon_evaluation(
            mdp, found.policy, temperature, reward=reward, terminal_value=worth
        )
        np.testing.assert_allclose(same.v, found.v, rtol=1e-13)


def test_the_error_bound_grows_with_the_rewards_given():
    mdp = maxent.garnet(4, 2, discount=0.9, seed=3)
    usual = maxent.finite_horizon(mdp, 0.4, 3).error_bound
    large = maxent.finite_horizon(mdp, 0.4, 3, reward=1e9 * np.ones((3, 4, 2))).error_bound
    assert large > 1e7 * usual
    worth = maxent.finite_horizon(mdp, 0.4, 3, terminal_value=1e9 * np.ones(4)).error_bound
    assert worth > 1e7 * usual


def test_rewards_where_nothing_can_be_paid_do_not_count():
    mdp = maxent.garnet(5, 3, discount=0.9, seed=0, branching=2, masked=0.3, terminal=1)
    nowhere = ~mdp.action_mask | mdp.terminal[:, None]
    odd = np.where(nowhere, 1e9, np.stack([mdp.reward] * 3))
    policy = mdp.action_mask / np.maximum(mdp.action_mask.sum(axis=1, keepdims=True), 1)
    for call in (
        lambda reward: maxent.finite_horizon(mdp, 0.3, 3, reward=reward),
        lambda reward: maxent.finite_horizon_evaluation(mdp, policy, 0.3, 3, reward=reward),
    ):
        found, usual = call(odd), call(None)
        np.testing.assert_array_equal(found.v, usual.v)
        np.testing.assert_array_equal(found.q, usual.q)
        assert found.error_bound == usual.error_bound


def test_bad_rewards_and_terminal_values():
    mdp = maxent.garnet(4, 2, discount=0.9, seed=3, terminal=1)
    for given, words in (
        ({"reward": np.zeros((4, 2))}, r"reward has shape \(4, 2\); it must be \(3, 4, 2\)"),
        ({"reward": np.full((3, 4, 2), np.nan)}, "step 0: "),
        ({"terminal_value": np.zeros(3)}, r"terminal_value has shape \(3,\); it must be \(4,\)"),
        ({"terminal_value": [0, np.inf, 0, 0]}, "terminal_value of state 1 is inf"),
        ({"terminal_value": [0, 0, 0, 1]}, "of state 3 is 1.0; it must be 0, since the state is"),
    ):
        with pytest.raises(maxent.ModelError, match=words):
            maxent.finite_horizon(mdp, 0.5, 3, **given)
        with pytest.raises(maxent.ModelError, match=words):
            maxent.finite_horizon_evaluation(mdp, [0.5, 0.5], 0.5, 3, **given)


def test_a_terminal_value_may_be_as_large_as_a_reward():
    worth = [validation.MAX_REWARD, 0.0, 0.0, -validation.MAX_REWARD]
    mdp = maxent.garnet(4, 2, discount=0.9, seed=3)
    assert np.isfinite(maxent.finite_horizon(mdp, 0.5, 1, terminal_value=worth).v).all()


def test_what_an_evaluation_refuses():
    mdp = maxent.garnet(4, 2, discount=0.9, seed=0)
    evaluate, prior = maxent.finite_horizon_evaluation, np.array([[1.0, 0.0]] * 4)
    inside = evaluate(mdp, [1.0, 0.0], 0.5, 3, prior=prior)  # its divergence is 0: reward alone
    np.testing.assert_allclose(inside.v, evaluate(mdp, [1.0, 0.0], 0.0, 3).v, atol=1e-12)
    with pytest.raises(maxent.ModelError):
        evaluate(mdp, [0.5, 0.5], 0.5, 3, prior=prior)
    with pytest.raises(maxent.ModelError, match="2 steps; the horizon is 3"):
        evaluate(mdp, np.full((2, 4, 2), 0.5), 0.5, 3)
    with pytest.raises(maxent.MemoryBudgetError, match="shorten it"):
        evaluate(mdp, [0.5, 0.5], 0.5, 10**12)


def test_the_error_bound_is_of_the_size_of_rounding_whatever_is_paid():
    """At discount 1 at least a unit of the largest value a step, at most some hundreds."""
    mdp = maxent.garnet(5, 3, discount=1.0, seed=0, branching=2, masked=0.2)
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    horizon, unit = 40, np.finfo(np.float64).eps / 2
    for scale in (1.0, 1e6):
        reward = np.broadcast_to(scale * mdp.reward, (horizon, 5, 3))
        for alpha in (0.0, 0.3, 1e9):
            for found in (
                maxent.finite_horizon(mdp, alpha, horizon, reward=reward),
                maxent.finite_horizon_evaluation(mdp, uniform, alpha, horizon, reward=reward),
            ):
                size = unit * np.abs(found.v).max(axis=1).sum()
                assert 10 * size <= found.error_bound <= 300 * size, (scale, alpha)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 50.0])
def test_each_step_adds_the_rounding_that_is_derived_for_it(alpha):
    """An evaluation: the sweep's rounding at N = max(|V|, largest reward), and u (A + 8) (3 N +
    alpha (1 + log A)) for the sums over actions; what was there before is discounted, with rows
    that sum to 1 + 1e-8 allowed for."""
    mdp = maxent.garnet(2, 3, discount=0.9, seed=1).replace(reward=np.full((2, 3), 0.25))
    reward = np.stack([np.full((2, 3), -0.5), np.full((2, 3), 4.0)])
    reward[1, 0, 0] = 1.5
    unit, sweep = np.finfo(np.float64).eps / 2, soft_bounds(mdp, alpha, None)

    def step(norm, greedy):
        more = 0.0 if greedy else unit * 11 * (3 * norm + alpha * (1 + np.log(3)))
        return sweep.rounding(norm) + more

    for worth in ([5.0, -1.0], [0.5, -7.0]):
        for call in (
            lambda h, **given: maxent.finite_horizon(mdp, alpha, h, **given),
            lambda h, **given: maxent.finite_horizon_evaluation(
                mdp, [0.2, 0.3, 0.5], alpha, h, **given
            ),
        ):
            greedy = call(1).policy[0, 0, 0] != 0.2
            largest = float(np.abs(worth).max())
            one = call(1, terminal_value=worth)
            first = step(largest, greedy)
            assert one.error_bound == pytest.approx(first, rel=1e-12, abs=0.0)
            usual = step(0.25, greedy)
            assert call(1).error_bound == pytest.approx(usual, rel=1e-12, abs=0.0)
            less = np.full((1, 2, 3), 0.125)  # the MDP's own rewards go on counting
            assert call(1, reward=less).error_bound == pytest.approx(usual, rel=1e-12, abs=0.0)
            two = call(2, terminal_value=worth, reward=reward)  # the rewards' size counts: 4
            norm = max(float(np.abs(two.v[1]).max()), 4.0)
            second = 0.9 * (1 + 1e-8) * step(max(largest, 4.0), greedy) + step(norm, greedy)
            assert two.error_bound == pytest.approx(second, rel=1e-11, abs=0.0)


def test_the_step_of_a_policy_that_is_none_is_named():
    mdp, policy = maxent.garnet(4, 2, discount=0.9, seed=0), np.full((3, 4, 2), 0.5)
    policy[1, 2] = 0.6
    with pytest.raises(maxent.ModelError, match="policy at step 1"):
        maxent.finite_horizon_evaluation(mdp, policy, 0.5)
    with pytest.raises(maxent.ModelError, match="policy of state"):
        maxent.finite_horizon_evaluation(mdp, policy[1], 0.5, 3)


def test_a_solution_is_told_in_a_line():
    found = maxent.finite_horizon(maxent.gridworld("S.G", discount=1.0), 0.5, horizon=2)
    assert repr(found).startswith("FiniteHorizonSolution(horizon 2, 3 states, temperature 0.5, err")
