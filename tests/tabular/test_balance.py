"""BALANCE: the temperature at which staying and leaving are worth the same."""

import numpy as np
import pytest

import maxent
from maxent import ConfigError, balance_temperature

MAPS = {"four-rooms": 1.0, "sutton-barto-4x4": 0.0, "S..#\n.#.G\n..G.\n": 1.0}  # and g


def time_to_exit(mdp, policy):
    """N_pi (S,): what a reward of 1 a step adds up to."""
    paid = mdp.replace(reward=np.ones_like(mdp.reward) * ~mdp.terminal[:, None])
    return maxent.soft_policy_evaluation(paid, policy, 0.0).v


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("settings", [{"slip": 0.2}, {"moves": 8}, {"step_reward": -0.3}])
@pytest.mark.parametrize("discount", [0.5, 0.97])
def test_at_the_balance_the_uniform_policy_is_optimal_and_around_it_sooner_or_later(
    name, settings, discount
):
    mdp = maxent.gridworld(name, discount=discount, **settings)
    alpha, nonterminal = balance_temperature(mdp), ~mdp.terminal
    even = maxent.solve(mdp, alpha)
    np.testing.assert_allclose(even.v[nonterminal], MAPS[name] / discount, atol=1e-7)
    np.testing.assert_allclose(even.policy, 1 / mdp.n_actions, atol=1e-6)
    uniform = time_to_exit(mdp, np.full(mdp.n_actions, 1 / mdp.n_actions))
    for factor in (0.3, 0.9, 1.1, 3.0):
        time = time_to_exit(mdp, maxent.solve(mdp, factor * alpha).policy)
        later = (time - uniform)[nonterminal] * np.sign(factor - 1.0)
        assert later.min() >= -1e-7 and later.max() > 1e-4


def test_without_a_discount_it_is_the_cost_of_a_step_over_log_n():
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=1.0)
    assert balance_temperature(mdp) == pytest.approx(0.04 / np.log(4), rel=1e-12)


def test_it_does_not_depend_on_the_dynamics():
    rng = np.random.default_rng(0)
    for seed in range(5):
        mdp = maxent.garnet(9, 3, discount=0.8, seed=seed, branching=4, terminal=2)
        arrival = mdp.expect(mdp.terminal.astype(float))
        c, g = rng.normal(), rng.normal() + 4.0
        paid = mdp.replace(reward=(c + g * arrival) * ~mdp.terminal[:, None])
        expected = (g / 0.8 - g - c) / np.log(3)
        if expected > 0:
            assert balance_temperature(paid) == pytest.approx(expected, rel=1e-9)
            assert balance_temperature(paid.to_sparse()) == balance_temperature(paid)


@pytest.mark.parametrize(
    ("mdp", "words"),
    [
        (lambda: maxent.garnet(5, 2, discount=0.9, terminal=1), "pays"),
        (lambda: maxent.garnet(5, 2, discount=0.9), "same probability, 0"),
        (lambda: maxent.garnet(9, 3, discount=0.9, terminal=1, masked=0.4), "available actions"),
        (lambda: maxent.gridworld("S.G", discount=0.0), "discount = 0"),
        (lambda: maxent.gridworld("S.G", discount=0.9, step_reward=0.2), "no balance"),
        (lambda: maxent.gridworld("XS.G", discount=0.9), "pays"),
        (lambda: maxent.gridworld("S.G", discount=0.9, goals="absorbing"), "same probability"),
        (lambda: maxent.gridworld("S.G", discount=0.9, bump_reward=-0.1), "action"),
        (
            lambda: maxent.MDP(
                [[[0.5, 0.5]], [[0.0, 1.0]]], [[0.0], [0.0]], discount=0.9, terminal=[False, True]
            ),
            "same probability, 0.5",
        ),
    ],
)
def test_what_is_not_of_this_kind_is_refused_with_the_reason(mdp, words):
    with pytest.raises(ConfigError, match=words):
        balance_temperature(mdp())


def test_what_is_no_mdp_is_refused():
    with pytest.raises(maxent.MaxEntError, match="MDP"):
        balance_temperature("four-rooms")
