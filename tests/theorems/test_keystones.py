"""SOFT-PDL, APPROX, ROBUST, RATE and BALANCE where the answer is known by hand."""

import numpy as np
import pytest

import maxent
from maxent.tabular.balance import exit_pay
from maxent.theorems.catalogue import verify

KEYS = ("SOFT-PDL", "APPROX", "ROBUST", "RATE", "BALANCE")


def one_state(rewards, discount=0.9):
    n = len(rewards)
    return maxent.MDP(np.ones((1, n, 1)), np.array([rewards]), discount=discount)


def value(mdp, policy, temperature):
    return maxent.soft_policy_evaluation(mdp, policy, temperature, tolerance=1e-11).v


def test_two_coins_differ_by_their_divergences():
    """SOFT-PDL in one state: V^p' - V^p = alpha (KL(p || B) - KL(p' || B)) / (1 - gamma)."""
    mdp, old, new = one_state([0.0, 1.0]), np.array([[0.5, 0.5]]), np.array([[0.1, 0.9]])
    goal = np.exp(np.array([[0.0, 1.0]]) / 0.4)
    goal /= goal.sum()
    apart = [float((p * np.log(p / goal)).sum()) for p in (old, new)]
    gain = value(mdp, new, 0.4) - value(mdp, old, 0.4)
    assert gain[0] == pytest.approx(0.4 * (apart[0] - apart[1]) / 0.1, abs=1e-9)


@pytest.mark.parametrize("d", [1e-3, 1e-2])
def test_an_error_in_q_costs_its_square_and_two_tied_actions_all_of_it(d):
    """APPROX is attained by two tied actions as d tends to 0."""
    mdp = one_state([0.0, 0.0])
    best = maxent.solve(mdp, 1.0, tolerance=1e-11)
    policy = np.exp(maxent.boltzmann_policy(best.q + np.array([[d, -d]]), 1.0))
    lost = float((best.v - value(mdp, policy, 1.0))[0])
    bound = d * d / 2 / 0.1
    assert (1 - d * d) * bound - 2e-11 <= lost <= bound + 2e-11


def test_under_the_worst_rewards_every_policy_earns_the_same():
    """ROBUST: r - alpha log pi* makes every action worth V*."""
    mdp = maxent.garnet(6, 3, discount=0.9, seed=2, terminal=1, masked=0.3)
    best = maxent.solve(mdp, 0.3, tolerance=1e-11)
    delta = np.where(mdp.action_mask, 0.3 * best.log_policy, 0.0)
    paid = mdp.replace(reward=np.where(mdp.terminal[:, None], 0.0, mdp.reward - delta))
    first = np.eye(3)[mdp.action_mask.argmax(axis=1)]
    for policy in (best.policy, first):
        np.testing.assert_allclose(value(paid, policy, 0.0), best.v, atol=1e-9)


def test_the_midpoint_settles_at_the_rate_of_the_second_eigenvalue():
    """RATE: two states that keep their place with probability .8 have lambda_2 = .6."""
    mdp = maxent.MDP([[[0.8, 0.2]], [[0.2, 0.8]]], [[1.0], [0.0]], discount=0.9)
    best = maxent.solve(mdp, 0.5, tolerance=1e-11).v
    seen = []
    maxent.soft_value_iteration(mdp, 0.5, callback=lambda now: seen.append(now.v.copy()))
    apart = np.array([v - best for v in seen])
    spans = np.ptp(apart, axis=1)
    np.testing.assert_allclose(spans[1:12] / spans[:11], 0.9 * 0.6, rtol=1e-6)
    middle = apart.mean(axis=1)
    np.testing.assert_allclose(middle[1:12] / middle[:11], 0.9, rtol=1e-6)


def test_a_corridor_of_one_step_balances_at_a_known_temperature():
    """BALANCE by hand: stay or leave, c = -1, g = 2, gamma = 1/2: alpha_c = (4 - 2 + 1) / log 2."""
    moves = np.zeros((2, 2, 2))
    moves[0, 0, 0] = moves[0, 1, 1] = 1.0
    mdp = maxent.MDP(moves, [[-1.0, 1.0], [0.0, 0.0]], discount=0.5, terminal=[False, True])
    assert exit_pay(mdp) == (-1.0, 2.0, 2)
    alpha = maxent.balance_temperature(mdp)
    assert alpha == pytest.approx(3.0 / np.log(2.0), rel=1e-12)
    for factor, leaves in ((0.5, True), (2.0, False)):
        policy = maxent.solve(mdp, factor * alpha).policy[0]
        assert (policy[1] > 0.5) == leaves


@pytest.mark.parametrize("discount", [0.0, 0.9, 0.9999])
@pytest.mark.parametrize("temperature", [1e-6, 0.3, 1e6])
def test_the_checks_hold_at_the_edges(discount, temperature):
    mdp = maxent.garnet(8, 3, discount=discount, seed=4, branching=3, terminal=1, masked=0.3)
    report = verify(mdp, temperature, keys=KEYS)
    assert report.passed, report
    prior = np.random.default_rng(0).dirichlet(np.ones(3), size=8) * mdp.action_mask
    prior /= prior.sum(axis=1, keepdims=True)
    assert verify(mdp, temperature, prior=prior, keys=KEYS).passed


@pytest.mark.parametrize("temperature", [0.02, 0.3])
def test_the_checks_of_a_balanced_problem_are_made(temperature):
    mdp = maxent.gridworld("S..#\n.#.G\n", slip=0.1, discount=0.9)
    report = verify(mdp, temperature, keys="BALANCE")
    assert {check.verdict for check in report} == {"holds"}


def test_a_known_answer_by_hand():
    """KNOWN by hand: one state that stays, pi = (3/4, 1/4) floored, V = 2, alpha 1, gamma 1/2."""
    mdp = maxent.MDP(np.ones((1, 2, 1)), np.zeros((1, 2)), discount=0.5)
    known = maxent.known_answer(mdp, [[0.75, 0.25]], [2.0], 1.0)
    floored = 0.999 * np.array([0.75, 0.25]) + 0.0005
    assert known.mdp.reward[0] == pytest.approx(np.log(floored) + 2.0 - 1.0)
    assert known.v.tolist() == [2.0] and known.policy[0] == pytest.approx(floored)
