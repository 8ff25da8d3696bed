"""Relations between the answers to related problems; each would expose a whole class of faults."""

import math

import numpy as np
import pytest

import maxent

CASES = [(seed, temperature) for seed in range(4) for temperature in (0.05, 1.0, 20.0)]


def solved(mdp, temperature, **options):
    return maxent.soft_policy_iteration(mdp, temperature, **options)


def random_mdp(seed, discount=0.9, **settings):
    return maxent.garnet(12, 3, discount=discount, branching=4, seed=seed, **settings)


def close(a, b, scale=1.0):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize(("seed", "temperature"), CASES)
def test_scale_reward_and_temperature_together(seed, temperature):
    mdp = random_mdp(seed, terminal=1, masked=0.3)
    one = solved(mdp, temperature)
    two = solved(
        mdp.replace(reward=4.0 * mdp.reward), 4.0 * temperature, tolerance=4 * one.tolerance
    )
    np.testing.assert_array_equal(two.v, 4.0 * one.v)  # a power of two: bit for bit
    np.testing.assert_array_equal(two.log_policy, one.log_policy)
    three = solved(mdp.replace(reward=3.0 * mdp.reward), 3.0 * temperature)
    close(three.v, 3.0 * one.v, np.abs(three.v).max())


@pytest.mark.parametrize(("seed", "temperature"), CASES)
def test_shift_every_reward(seed, temperature):
    mdp = random_mdp(seed, masked=0.3)
    one, two = solved(mdp, temperature), solved(mdp.replace(reward=mdp.reward + 2.5), temperature)
    close(two.v, one.v + 2.5 / (1 - mdp.discount), np.abs(two.v).max())
    close(two.policy, one.policy)


@pytest.mark.parametrize(("seed", "temperature"), CASES)
def test_shape_with_a_potential(seed, temperature):
    mdp = random_mdp(seed, terminal=2, masked=0.3)
    potential = np.where(mdp.terminal, 0.0, np.random.default_rng(seed).normal(size=12))
    shaped = mdp.reward + mdp.discount * mdp.expect(potential) - potential[:, None]
    one, two = solved(mdp, temperature), solved(mdp.replace(reward=shaped), temperature)
    close(two.v, one.v - potential, np.abs(one.v).max())
    close(two.policy, one.policy)


@pytest.mark.parametrize(("seed", "temperature"), CASES)
def test_duplicate_every_action(seed, temperature):
    mdp = random_mdp(seed).to_dense()
    twice = maxent.MDP(
        np.repeat(mdp.transition, 2, axis=1), np.repeat(mdp.reward, 2, axis=1), discount=0.9
    )
    one, two = solved(mdp, temperature), solved(twice, temperature)
    close(two.v, one.v + temperature * math.log(2) / (1 - 0.9), np.abs(two.v).max())
    close(two.policy.reshape(12, 3, 2).sum(axis=2), one.policy)


@pytest.mark.parametrize(("seed", "temperature"), CASES)
def test_no_future_is_a_closed_form(seed, temperature):
    mdp = random_mdp(seed, discount=0.0)
    v = temperature * np.log(np.exp(mdp.reward / temperature).sum(axis=1))
    close(solved(mdp, temperature).v, v)


@pytest.mark.parametrize("seed", range(4))
def test_the_temperature_bounds(seed):
    mdp = random_mdp(seed, terminal=1, masked=0.3)
    hard = solved(mdp, 0.0)
    for temperature in (1e-6, 1e-3, 0.1, 1.0):
        soft = solved(mdp, temperature)
        slack = hard.error_bound + soft.error_bound
        gap = soft.v - hard.v
        assert gap.min() >= -slack
        assert gap.max() <= temperature * math.log(3) / (1 - mdp.discount) + slack
        earned = maxent.soft_policy_evaluation(mdp, soft.policy, 0.0)
        loss = (hard.v - earned.v).max()
        assert loss <= temperature * math.log(3) / (1 - mdp.discount) + 2 * slack


@pytest.mark.parametrize("seed", range(4))
def test_the_temperature_to_infinity(seed):
    """V*/alpha and the policy tend to those of the MDP without rewards, which is not uniform where
    masks or terminal states make some futures richer in choices."""
    mdp = random_mdp(seed, terminal=1, masked=0.3)
    free = solved(mdp.replace(reward=np.zeros((12, 3))), 1.0)
    hot = solved(mdp, 1e9)
    np.testing.assert_allclose(hot.v / 1e9, free.v, atol=1e-7)
    np.testing.assert_allclose(hot.policy, free.policy, atol=1e-7)
    nonterminal = ~mdp.terminal
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    assert np.abs(free.policy - uniform)[nonterminal].max() > 0.01
    plain = random_mdp(seed)
    np.testing.assert_allclose(solved(plain, 1e9).policy, 1 / 3, atol=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_renaming_states_and_actions(seed):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(seed, terminal=1, masked=0.3).to_dense()
    states, actions = rng.permutation(12), rng.permutation(3)
    renamed = maxent.MDP(
        mdp.transition[states][:, actions][:, :, states],
        mdp.reward[states][:, actions],
        discount=0.9,
        terminal=mdp.terminal[states],
        action_mask=mdp.action_mask[states][:, actions],
    )
    one, two = solved(mdp, 0.5), solved(renamed, 0.5)
    close(two.v, one.v[states])
    nonterminal = ~renamed.terminal
    close(two.policy[nonterminal], one.policy[states][:, actions][nonterminal])


@pytest.mark.parametrize("seed", range(4))
def test_dense_and_sparse_are_one(seed):
    mdp = random_mdp(seed, terminal=1, masked=0.3, transition_rewards=True)
    for temperature in (0.0, 0.3):
        close(solved(mdp, temperature).v, solved(mdp.to_dense(), temperature).v)


@pytest.mark.parametrize("seed", range(4))
def test_a_uniform_prior_is_a_reward_of_minus_alpha_log_a(seed):
    mdp = random_mdp(seed, terminal=1, masked=0.3)
    prior = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    with_prior = solved(mdp, 0.7, prior=prior)
    paid = mdp.reward - 0.7 * np.log(mdp.action_mask.sum(axis=1, keepdims=True))
    close(with_prior.v, solved(mdp.replace(reward=paid), 0.7).v)


def test_an_absorbing_goal_earns_entropy_and_a_terminal_one_does_not():
    settings = {"discount": 0.9, "step_reward": 0.0}
    kinds = {
        goals: maxent.gridworld("..G", goals=goals, **settings)
        for goals in ("terminal", "absorbing")
    }
    v = {goals: solved(mdp, 1.0).v for goals, mdp in kinds.items()}
    assert v["terminal"][2] == 0.0
    assert v["absorbing"][2] == pytest.approx(math.log(4) / (1 - 0.9), rel=1e-9)
    assert (v["absorbing"] > v["terminal"]).all()
