"""Many temperatures at once: the same answers as one by one, within what is certified."""

import math

import numpy as np
import pytest

import maxent
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.solvers import many, steps
from maxent.tabular.tradeoff import newton
from maxent.tabular.tradeoff.front import Front

TEMPERATURES = [0.0, 1e-300, 1e-3, 0.02, 0.3, 5.0, 1e6, math.inf]

KINDS = {
    "dense": {"branching": None},
    "sparse": {"branching": 4},
    "masked": {"branching": 3, "masked": 0.4},
    "terminal": {"branching": 4, "terminal": 3, "masked": 0.2},
    "absorbing": {"branching": 4, "absorbing": 2, "transition_rewards": True},
}


def problem(kind, discount=0.99, n_states=40):
    return maxent.garnet(n_states, 3, discount=discount, seed=3, **KINDS[kind])


def one_by_one(mdp, prior=None):
    """The curve's points by Newton's method with factorised systems."""
    front = Front(mdp, prior)
    front.rows.mix = False
    return [front.solve(temperature) for temperature in TEMPERATURES]


@pytest.mark.parametrize("with_prior", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_curve_by_sweeps_is_the_curve_by_newton(kind, with_prior):
    mdp = problem(kind)
    prior = None
    if with_prior:
        weights = np.random.default_rng(0).uniform(0.1, 1.0, mdp.reward.shape) * mdp.action_mask
        prior = weights / weights.sum(axis=1, keepdims=True)
    front = Front(mdp, prior)
    assert front.rows.mix  # random: no state has neighbours
    found, expected = front.solve_all(TEMPERATURES), one_by_one(mdp, prior)
    if not mdp.terminal.any() and kind != "absorbing":
        assert sum(point.iterations == 0 for point in found) >= 6  # sweeps sufficed
    for point, other in zip(found, expected, strict=True):
        assert point.entropy == pytest.approx(other.entropy, rel=1e-11, abs=1e-11)
        assert point.reward == pytest.approx(other.reward, rel=1e-11, abs=1e-11)
        np.testing.assert_allclose(point.w, other.w, rtol=1e-11, atol=1e-11)
    both = front.objectives(found), front.objectives(expected)
    for temperature, one, other in zip(TEMPERATURES, *both, strict=True):
        if one[0] < math.inf:
            assert abs(one[0] - other[0]) <= one[1] + other[1]
        assert one[1] <= 1e-9 * max(1.0, abs(one[0]), temperature if with_prior else 0.0)


def test_a_state_that_nothing_leads_to_and_one_that_never_leaves():
    transition = np.zeros((4, 2, 4))
    transition[0, :, 1], transition[1, 0, 2], transition[1, 1, 1] = 1.0, 1.0, 1.0
    transition[2, :, 2], transition[3, 0, 1], transition[3, 1, 3] = 1.0, 1.0, 1.0
    mdp = maxent.MDP(
        transition,
        np.array([[0.0, 1.0], [0.5, 0.2], [0.0, 0.0], [1.0, -1.0]]),
        discount=0.9,
        initial_distribution=[1.0, 0.0, 0.0, 0.0],
    )
    curve = maxent.tradeoff(mdp, [0.0, 0.1, 2.0, math.inf])
    for i, temperature in enumerate(curve.temperatures[:3]):
        solution = maxent.soft_policy_iteration(mdp, temperature, tolerance=1e-11)
        assert abs(curve.objectives[i] - solution.v[0]) <= curve.error_bounds[i] + 1e-11


@pytest.mark.parametrize("kind", ["dense", "sparse", "terminal"])
def test_one_sweep_certifies_each_column(kind):
    """The interval of every column holds its own V*, at values that have nothing to do with it."""
    mdp = problem(kind, discount=0.5)
    temperatures = np.array([0.01, 0.5, 20.0])
    base = mdp.log_mask if mdp.log_mask is not None else np.zeros_like(mdp.reward)
    scores = np.stack([(mdp.reward + t * base).T for t in temperatures], axis=2)
    bounds = [soft_bounds(mdp, t, mdp.log_mask) for t in temperatures]
    operator = many.SoftColumns(many.Rows(mdp), temperatures, scores)
    start = np.random.default_rng(1).normal(size=(mdp.n_states, 3)) * ~mdp.terminal[:, None]
    tv, certified = many.certify_columns(operator, bounds, start)
    ended, arrived = many.sweep_columns(operator, bounds, start)
    assert arrived.all()
    for k, temperature in enumerate(temperatures):
        solution = maxent.soft_policy_iteration(mdp, temperature, tolerance=1e-10)
        slack = 2 * solution.error_bound
        assert (certified[k].lower <= solution.v + slack).all()
        assert (certified[k].upper >= solution.v - slack).all()
        np.testing.assert_allclose(ended[:, k], solution.v, atol=1e-9 * temperature + 1e-9)
        alone = operator.keep(np.array([k]))(start[:, [k]])
        np.testing.assert_allclose(alone[:, 0], tv[:, k], rtol=1e-14, atol=1e-14)


def test_a_column_that_sweeps_do_not_settle_is_given_back():
    """A ring: states are coupled to neighbours only, so that sweeps would take thousands."""
    n_states = 200
    transition = np.zeros((n_states, 2, n_states))
    for s in range(n_states):
        transition[s, 0, (s + 1) % n_states] = transition[s, 1, s] = 1.0
    reward = np.zeros((n_states, 2))
    reward[0, 1] = 1.0
    mdp = maxent.MDP(transition, reward, discount=0.999)
    one = np.ones(1)
    operator = many.SoftColumns(many.Rows(mdp), one, reward.T[:, :, None].copy())
    bounds = [soft_bounds(mdp, 1.0, None)]
    v, arrived = many.sweep_columns(operator, bounds, np.zeros((n_states, 1)))
    assert not arrived[0] and np.isfinite(v).all()
    curve = maxent.tradeoff(mdp, [0.05, 1.0])
    for i, temperature in enumerate(curve.temperatures):
        solution = maxent.soft_policy_iteration(mdp, temperature)
        expected = float(mdp.initial_distribution @ solution.v)
        assert abs(curve.objectives[i] - expected) <= curve.error_bounds[i] + solution.error_bound


def test_a_large_map_needs_no_factorisation(monkeypatch):
    """48 x 48 cells: the same points by BiCGSTAB as by LU, and LU where BiCGSTAB fails."""
    rows = ["S" + 47 * "."] + 46 * [48 * "."] + [47 * "." + "G"]
    mdp = maxent.gridworld("\n".join(rows), slip=0.2, discount=0.99)
    assert mdp.n_states > steps.SMALL
    front = Front(mdp)
    given = [0.003, 0.1]
    with monkeypatch.context() as patch:
        patch.setattr(steps, "solve_discounted", None)  # calling it would raise
        found = front.solve_all(given)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "_bicgstab", lambda *_: None)
        expected = front.solve_all(given)
    for point, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(point.w, other.w, rtol=1e-11)
        assert point.entropy == pytest.approx(other.entropy, rel=1e-11)
        assert point.reward == pytest.approx(other.reward, rel=1e-11)


def test_a_policy_of_the_curve_is_not_solved_again(monkeypatch):
    curve = maxent.tradeoff(problem("sparse"), [0.1, 1.0])
    monkeypatch.setattr(newton, "iterate", None)
    monkeypatch.setattr(Front, "solve", None)
    for temperature in (0.0, 0.1, 1.0, math.inf):
        np.testing.assert_allclose(curve.policy(temperature).sum(axis=1), 1.0)


def test_columns_are_solved_in_portions(monkeypatch):
    mdp = problem("sparse")
    whole = maxent.tradeoff(mdp, TEMPERATURES)
    monkeypatch.setattr(many, "ENTRIES", 3 * mdp.reward.size)
    assert many.Rows(mdp).columns == 3
    parts = maxent.tradeoff(mdp, TEMPERATURES)
    np.testing.assert_allclose(parts.entropies, whole.entropies, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(parts.returns, whole.returns, rtol=1e-11, atol=1e-11)


def test_a_matrix_free_map_has_the_curve_of_the_stored_one():
    settings = {"slip": 0.2, "discount": 0.9}
    stored = maxent.gridworld("four-rooms", matrix_free=False, **settings)
    free = maxent.gridworld("four-rooms", matrix_free=True, **settings)
    one, other = (maxent.tradeoff(mdp, [0.0, 0.1, math.inf]) for mdp in (stored, free))
    np.testing.assert_allclose(other.entropies, one.entropies, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(other.returns, one.returns, rtol=1e-11)
