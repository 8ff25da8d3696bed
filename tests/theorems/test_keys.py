"""Statements by hand: small problems on which a key can be computed on paper, or by differences."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import maxent
from maxent.tabular import operators

MDP = maxent.garnet(5, 3, discount=0.9, seed=2)
ALPHA = 0.4


def some_policies():
    """100 policies of the MDP, (5, 3) each."""
    return np.random.default_rng(0).dirichlet(np.full(3, 0.7), size=(100, 5))


def test_the_boltzmann_policy_is_the_best_of_all():
    """SQL-T1: exp((Q* - V*) / alpha) has the value V*, and none of 100 policies has more."""
    best = maxent.solve(MDP, ALPHA, tolerance=1e-11)
    policy = np.exp((best.q - best.v[:, None]) / ALPHA)
    np.testing.assert_allclose(policy.sum(axis=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(maxent.soft_policy_evaluation(MDP, policy, ALPHA).v, best.v)
    for other in some_policies():
        assert (maxent.soft_policy_evaluation(MDP, other, ALPHA).v < best.v).all()


def test_one_state_that_stays_has_a_closed_form():
    """SQL-T2: V* = alpha log(1 + exp(1 / alpha)) / (1 - gamma) for the rewards 0 and 1."""
    mdp = maxent.MDP(np.ones((1, 2, 1)), [[0.0, 1.0]], discount=0.9)
    exact = ALPHA * np.log1p(np.exp(1.0 / ALPHA)) / 0.1
    solution = maxent.solve(mdp, ALPHA, tolerance=1e-11)
    assert solution.v[0] == pytest.approx(exact, rel=1e-11)
    np.testing.assert_allclose(maxent.soft_bellman(mdp, solution.q, ALPHA), solution.q)


def test_a_policy_of_one_state_has_a_closed_form():
    """SAC-L1: V^pi = (E_pi[r] + alpha H(pi)) / (1 - gamma), from any start of the iteration."""
    mdp = maxent.MDP(np.ones((1, 2, 1)), [[0.0, 1.0]], discount=0.9)
    p = np.array([[0.25, 0.75]])
    exact = (0.75 - ALPHA * (p * np.log(p)).sum()) / 0.1
    assert maxent.soft_policy_evaluation(mdp, p, ALPHA).v[0] == pytest.approx(exact, rel=1e-9)
    q = np.array([[100.0, -100.0]])
    for _ in range(400):
        q = maxent.soft_policy_bellman(mdp, q, np.log(p), ALPHA)
    np.testing.assert_allclose(q, [[0.9 * exact, 1.0 + 0.9 * exact]], rtol=1e-12)


def test_the_improved_policy_is_the_nearest_and_better():
    """SAC-L2: of 100 policies none is nearer to exp(Q^pi / alpha) / Z, and no state loses."""
    for old in some_policies()[:5]:
        before = maxent.soft_policy_evaluation(MDP, old, ALPHA)
        new = maxent.soft_policy_improvement(before.q, ALPHA)
        assert (maxent.soft_policy_evaluation(MDP, np.exp(new), ALPHA).v > before.v).all()
        target = before.q / ALPHA - np.log(np.exp(before.q / ALPHA).sum(axis=1, keepdims=True))
        nearest = maxent.kl_divergence(new, target)
        for other in some_policies():
            assert (nearest < maxent.kl_divergence(np.log(other), target)).all()


def test_a_soft_maximum_is_a_maximum_over_distributions():
    """GIBBS-1: <p, q> + alpha H(p), over 100 rows p, is below alpha log sum exp(q / alpha)."""
    q = maxent.solve(MDP, ALPHA).q
    most = maxent.soft_value(q, ALPHA)
    log_best = maxent.boltzmann_policy(q, ALPHA)
    np.testing.assert_allclose(maxent.policy_value(q, log_best, ALPHA), most, rtol=1e-14)
    for other in some_policies():
        assert (maxent.policy_value(q, np.log(other), ALPHA) < most).all()


def test_the_boltzmann_policy_has_the_greatest_entropy_for_its_mean():
    """GIBBS-3: p + t d has the same mean for d = (1, -2, 1), as q is evenly spaced."""
    q = np.array([[0.0, 0.5, 1.0]])
    best = np.exp(maxent.boltzmann_policy(q, ALPHA))
    t = np.linspace(-0.99 * best[0, 0], 0.49 * best[0, 1], 201)[:, None]
    others = best + t * np.array([1.0, -2.0, 1.0])
    assert np.abs(others @ q[0] - best @ q[0]).max() < 1e-14
    entropies = maxent.entropy(np.log(others))
    assert (entropies <= maxent.entropy(np.log(best))[0] + 1e-15).all()
    assert abs(t[np.argmax(entropies), 0]) < 0.01


def test_the_soft_maximum_lies_between_the_maximum_and_alpha_log_n_above():
    """GIBBS-4: the upper bound is attained by a constant q, the lower one at temperature 0."""
    constant = np.full((1, 7), 3.0)
    assert maxent.soft_value(constant, ALPHA)[0] == pytest.approx(3.0 + ALPHA * np.log(7))
    q = np.random.default_rng(0).normal(size=(50, 7))
    rise = maxent.soft_value(q, ALPHA) - q.max(axis=1)
    assert (rise > 0.0).all() and (rise < ALPHA * np.log(7)).all()
    np.testing.assert_array_equal(maxent.soft_value(q, 0.0), q.max(axis=1))


def test_soft_policy_iteration_squares_its_error():
    """SPI-NEWTON: errors e_k with e_(k+1) <= c e_k^2; half a step only shrinks them."""
    exact = maxent.soft_policy_iteration(MDP, ALPHA).v
    v, errors = np.zeros(MDP.n_states), []
    for _ in range(4):
        policy = np.exp(maxent.boltzmann_policy(maxent.backup(MDP, v), ALPHA))
        v = maxent.soft_policy_evaluation(MDP, policy, ALPHA).v
        errors.append(np.abs(exact - v).max())
    span = (1.0 - MDP.discount) * 8.0 * ALPHA / 4.0  # of gamma P d, at most 2 max|d|
    assert 1e-12 < errors[1] <= errors[0] ** 2 / span
    assert errors[2] <= errors[1] ** 2 / span + 1e-12

    def cautious(q, temperature, log_prior=None):
        return operators.boltzmann_policy(q, 2.0 * temperature, log_prior)

    changed = SimpleNamespace(**vars(operators) | {"soft_policy_improvement": cautious})
    found = {c.clause: c for c in maxent.verify(MDP, ALPHA, keys="SPI-NEWTON", operators=changed)}
    assert found["quadratic convergence"].verdict == "fails"


def test_entropy_rises_and_return_falls_with_the_temperature():
    """MONOTONE, in one state by hand: pi of the better action is 1 / (1 + exp(-1/alpha))."""
    mdp = maxent.MDP(np.ones((1, 2, 1)), [[1.0, 0.0]], discount=0.5)
    curve = maxent.tradeoff(mdp, [0.1, 0.5, 2.0, 10.0])
    p = 1.0 / (1.0 + np.exp(-1.0 / curve.temperatures))
    np.testing.assert_allclose(curve.returns, 2.0 * p, rtol=1e-9)
    entropies = -2.0 * (p * np.log(p) + (1.0 - p) * np.log1p(-p))
    np.testing.assert_allclose(curve.entropies, entropies, rtol=1e-9)
    assert (np.diff(curve.entropies) > 0.0).all() and (np.diff(curve.returns) < 0.0).all()


def test_rewards_and_temperature_scale_together():
    """SCALE."""
    once = maxent.solve(MDP, ALPHA)
    thrice = maxent.solve(MDP.replace(reward=3.0 * MDP.reward), 3.0 * ALPHA)
    np.testing.assert_allclose(thrice.v, 3.0 * once.v, atol=1e-7)
    np.testing.assert_allclose(thrice.policy, once.policy, atol=1e-7)


def test_the_scalar_regulator_by_hand():
    """LQR-1, LQR-2, LQR-3 in one dimension: P is the positive root of a quadratic equation."""
    a, b, q, r, w, gamma = 0.9, 0.5, 1.0, 0.2, 0.3, 0.8
    problem = maxent.LinearQuadratic(*(np.array([[x]]) for x in (a, b, q, r, w)), discount=gamma)
    found = maxent.solve_lqr(problem, ALPHA)
    middle = r * (1.0 - gamma * a * a) - gamma * b * b * q
    p = (-middle + np.sqrt(middle**2 + 4.0 * gamma * b * b * q * r)) / (2.0 * gamma * b * b)
    m = r + gamma * b * b * p
    constant = (-gamma * p * w + 0.5 * ALPHA * np.log(np.pi * ALPHA / m)) / (1.0 - gamma)
    assert found.P.item() == pytest.approx(p, rel=1e-12)
    assert found.gain.item() == pytest.approx(gamma * b * p * a / m, rel=1e-12)
    assert found.covariance.item() == pytest.approx(0.5 * ALPHA / m, rel=1e-12)
    assert found.v(np.array([[2.0]])) == pytest.approx(-4.0 * p + constant, rel=1e-12)


def test_a_prior_is_a_reward():
    """PRIOR: r + alpha log prior with entropy, against r with the divergence."""
    prior = np.random.default_rng(1).dirichlet(np.ones(3), size=5)
    with_prior = maxent.solve(MDP, ALPHA, prior=prior)
    rewarded = maxent.solve(MDP.replace(reward=MDP.reward + ALPHA * np.log(prior)), ALPHA)
    np.testing.assert_allclose(with_prior.v, rewarded.v, atol=1e-7)
    np.testing.assert_allclose(with_prior.policy, rewarded.policy, atol=1e-7)


def test_every_path_of_a_deterministic_problem_sums_to_the_value():
    """PATH, along 20 random paths that the policy would hardly ever take."""
    mdp = maxent.garnet(5, 3, discount=0.9, seed=3, branching=1).to_dense()
    solution = maxent.solve(mdp, ALPHA, tolerance=1e-11)
    rng = np.random.default_rng(0)
    for _ in range(20):
        state = start = int(rng.integers(5))
        total, weight = 0.0, 1.0
        for _ in range(int(rng.integers(1, 8))):
            action = int(rng.integers(3))
            surprise = ALPHA * solution.log_policy[state, action]
            total += weight * (mdp.reward[state, action] - surprise)
            state, weight = int(mdp.transition[state, action].argmax()), 0.9 * weight
        assert total + weight * solution.v[state] == pytest.approx(solution.v[start], abs=1e-9)


def test_the_slope_of_the_objective_in_a_reward_is_the_occupancy():
    """SENSITIVITY, by central differences."""
    visits = maxent.occupancy(MDP, maxent.solve(MDP, ALPHA, tolerance=1e-11).policy)

    def objective(state, action, change):
        reward = np.array(MDP.reward)
        reward[state, action] += change
        v = maxent.solve(MDP.replace(reward=reward), ALPHA, tolerance=1e-11).v
        return MDP.initial_distribution @ v

    for state, action in ((0, 0), (3, 1), (4, 2)):
        slope = (objective(state, action, 1e-4) - objective(state, action, -1e-4)) / 2e-4
        assert slope == pytest.approx(visits[state, action], rel=1e-5)


def test_soft_q_learnings_gradient_is_one_of_a_policy_and_one_of_a_value():
    """PG-EQUIVALENCE in one state, both sides by central differences in the table Q."""
    rng = np.random.default_rng(0)
    q, y = rng.normal(size=4), rng.normal(size=4)
    prior = rng.dirichlet(np.ones(4))
    log_prior = np.log(prior)[None]

    def policy_of(q):
        return np.exp(maxent.boltzmann_policy(q[None], ALPHA, log_prior))[0]

    def value_of(policy):
        return policy @ y - ALPHA * (policy * np.log(policy / prior)).sum()

    fixed, goal = policy_of(q), value_of(policy_of(q))

    def left(q):
        return 0.5 * (fixed * (q - y) ** 2).sum()

    def right(q):
        v = maxent.soft_value(q[None], ALPHA, log_prior)[0]
        return -ALPHA * value_of(policy_of(q)) + 0.5 * (v - goal) ** 2

    def gradient(function):
        steps = 1e-5 * np.eye(4)
        return np.array([(function(q + d) - function(q - d)) / 2e-5 for d in steps])

    np.testing.assert_allclose(gradient(left), gradient(right), atol=1e-8)


def test_a_linear_recursion_solves_the_problem_whose_actions_choose_the_next_state():
    """LMDP: z_t = exp(r / alpha) P z_(t+1) on a ring, against backward induction with P as prior;
    and where one state ends, z = exp(r / alpha) P z by a linear solve, against V = alpha log z."""
    passive = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.4, 0.0, 0.6]])
    reward = np.array([-0.3, -0.8, -0.1])
    goes_where_it_says = np.broadcast_to(np.eye(3), (3, 3, 3))

    def chosen(terminal):
        return maxent.MDP(
            goes_where_it_says,
            np.repeat(reward[:, None], 3, axis=1),
            discount=1.0,
            terminal=terminal,
            action_mask=passive > 0.0,
        )

    found = maxent.finite_horizon(chosen([False] * 3), ALPHA, 6, prior=passive)
    z = np.ones(3)
    for t in reversed(range(6)):
        z = np.exp(reward / ALPHA) * (passive @ z)
        np.testing.assert_allclose(found.v[t], ALPHA * np.log(z), rtol=1e-12)

    weight = np.exp(reward[:2] / ALPHA)[:, None] * passive[:2]
    z = np.linalg.solve(np.eye(2) - weight[:, :2], weight[:, 2])
    v = maxent.finite_horizon(chosen([False, False, True]), ALPHA, 400, prior=passive).v[0]
    np.testing.assert_allclose(v, [*(ALPHA * np.log(z)), 0.0], rtol=1e-10)


def test_one_state_with_a_way_out_has_a_closed_form():
    """FIRST-EXIT: stay for r or leave for 1.  z = exp(V / alpha) solves z = e^{r/alpha} z +
    e^{1/alpha}, and is positive just where r < 0, the gain of staying."""
    for r, alpha in ((-0.5, 0.4), (-0.01, 2.0)):
        mdp = maxent.MDP([[[1.0, 0.0], [0.0, 1.0]]] * 2, [[r, 1.0]] * 2, discount=1.0, terminal=[1])
        exact = 1.0 - alpha * np.log(-np.expm1(r / alpha))
        solution = maxent.solve(mdp, alpha)
        assert solution.lower[0] <= exact + 1e-12 and exact - 1e-12 <= solution.upper[0]
        assert solution.error_bound < 1e-8
    for r in (0.0, 0.3):
        mdp = mdp.replace(reward=[[r, 1.0], [0.0, 0.0]])
        with pytest.raises(maxent.ConfigError, match="infinite, since state 0 can be stayed in"):
            maxent.solve(mdp, 0.4)


def test_the_average_of_a_ring_has_a_closed_form():
    """AVERAGE: forward or back on a ring pays 1 or 0 anywhere: alpha log(1 + e^{1/alpha})."""
    ring = np.zeros((5, 2, 5))
    ring[np.arange(5), 0, (np.arange(5) + 1) % 5] = ring[np.arange(5), 1, np.arange(5) - 1] = 1.0
    mdp = maxent.MDP(ring, [[1.0, 0.0]] * 5, discount=0.9)
    found = maxent.average_reward(mdp, ALPHA)
    exact = ALPHA * np.log1p(np.exp(1.0 / ALPHA))
    assert found.lower - 1e-14 <= exact <= found.upper + 1e-14 and found.error_bound < 1e-9
    near = maxent.solve(mdp.replace(discount=0.999), ALPHA)
    np.testing.assert_allclose(0.001 * near.v, exact, rtol=1e-9)
