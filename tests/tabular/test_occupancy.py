"""The occupancy against power series, and the identities that tie it to values."""

import numpy as np
import pytest

import maxent
from maxent.tabular import operators as ops


def policy_of(mdp, seed=0):
    weights = np.random.default_rng(seed).exponential(size=mdp.reward.shape) * mdp.action_mask
    return weights / weights.sum(axis=1, keepdims=True)


def series(mdp, policy, steps):
    """d(s) summed step by step, an arrival in a terminal state counted once."""
    nonterminal = mdp.initial_distribution.copy()
    visits = nonterminal.copy()
    for t in range(1, steps):
        flow = ((nonterminal * ~mdp.terminal)[:, None] * policy).ravel() @ mdp.transition_rows
        visits += mdp.discount**t * flow
        nonterminal = flow
    return visits


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("terminal", [0, 2])
def test_against_the_series(dense, terminal):
    mdp = maxent.garnet(9, 3, discount=0.8, branching=3, seed=1, terminal=terminal, masked=0.3)
    mdp = mdp.to_dense() if dense else mdp
    policy = policy_of(mdp)
    x = maxent.occupancy(mdp, policy)
    np.testing.assert_allclose(x.sum(axis=1), series(mdp, policy, 200), atol=1e-14)
    nonterminal = ~mdp.terminal
    np.testing.assert_allclose(
        x[nonterminal], x[nonterminal].sum(axis=1, keepdims=True) * policy[nonterminal]
    )
    if terminal == 0:
        assert x.sum() == pytest.approx(1 / (1 - 0.8))


@pytest.mark.parametrize("discount", [0.9, 0.9999])
def test_a_large_mdp_without_neighbourhoods_is_solved_as_well(discount):
    """There a factorisation fills in; the iteration must be as good as one."""
    mdp = maxent.garnet(2500, 3, discount=discount, branching=4, seed=1)
    x = maxent.occupancy(mdp, np.full((2500, 3), 1 / 3))
    visits = x.sum(axis=1)
    flow = mdp.initial_distribution + discount * (x.ravel() @ mdp.transition)
    np.testing.assert_allclose(visits, flow, rtol=1e-11)
    assert x.sum() == pytest.approx(1 / (1 - discount), rel=1e-11)


def test_initial_mass_on_a_terminal_state_counts_once():
    mdp = maxent.gridworld("S.G", discount=0.5).replace(initial_distribution=[0.5, 0.0, 0.5])
    right = np.tile([0.0, 1.0, 0.0, 0.0], (3, 1))
    visits = maxent.occupancy(mdp, right).sum(axis=1)
    np.testing.assert_allclose(visits, [0.5, 0.25, 0.5 + 0.125])


def test_objective_return_and_entropy_agree_with_the_value():
    mdp = maxent.garnet(9, 3, discount=0.9, branching=3, seed=2, terminal=1, masked=0.3)
    policy = policy_of(mdp)
    for temperature in (0.0, 0.7):
        value = maxent.soft_policy_evaluation(mdp, policy, temperature).v
        objective = maxent.policy_return(mdp, policy) + temperature * maxent.discounted_entropy(
            mdp, policy
        )
        assert mdp.initial_distribution @ value == pytest.approx(objective, abs=1e-10)
    prior = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    value = maxent.soft_policy_evaluation(mdp, policy, 0.7, prior=prior).v
    objective = maxent.policy_return(mdp, policy) + 0.7 * maxent.discounted_entropy(
        mdp, policy, prior
    )
    assert mdp.initial_distribution @ value == pytest.approx(objective, abs=1e-10)


def test_sub_optimality_is_the_visited_divergence():
    """SUBOPT: J(pi*) - J(pi) = alpha sum_s d^pi(s) KL(pi || pi*)."""
    mdp = maxent.garnet(9, 3, discount=0.9, branching=3, seed=3, terminal=1)
    best = maxent.soft_policy_iteration(mdp, 0.4)
    policy = policy_of(mdp)
    loss = mdp.initial_distribution @ (best.v - maxent.soft_policy_evaluation(mdp, policy, 0.4).v)
    log_best = ops.boltzmann_policy(best.q, 0.4)
    visits = maxent.occupancy(mdp, policy).sum(axis=1)
    divergence = ops.kl_divergence(np.log(policy), log_best)
    assert loss == pytest.approx(0.4 * (visits * divergence)[~mdp.terminal].sum(), rel=1e-9)


def test_without_a_discount_only_where_the_policy_ends():
    mdp = maxent.gridworld("sutton-barto-4x4", discount=1.0)
    uniform = np.full((mdp.n_states, 4), 0.25)
    x = maxent.occupancy(mdp, uniform)
    assert (x * mdp.reward).sum() == pytest.approx(
        mdp.initial_distribution @ maxent.soft_policy_evaluation(mdp, uniform, 0.0).v
    )
    up = np.tile([1.0, 0.0, 0.0, 0.0], (mdp.n_states, 1))
    with pytest.raises(maxent.ConfigError, match="reaches a terminal state"):
        maxent.occupancy(mdp, up)


@pytest.mark.parametrize("away", [1e-4, 1e-8, 1e-12])
def test_near_discount_1_the_error_is_what_the_docstring_says(away):
    """Without an end, visits sum to 1 / (1 - gamma)."""
    for seed in range(8):
        mdp = maxent.garnet(6, 2, discount=1.0 - away, seed=seed, branching=2)
        visits = maxent.occupancy(mdp, [0.3, 0.7])
        assert abs((1.0 - mdp.discount) * visits.sum() - 1.0) <= 2.2e-16 / (1.0 - mdp.discount)
