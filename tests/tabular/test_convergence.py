"""The recorder of convergence: errors under their bounds, theoretical and certified; the rates."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from maxent.mdp import MDP
from maxent.mdp.random_mdps import garnet
from maxent.tabular import operators
from maxent.tabular.policy_gradient import natural_policy_gradient
from maxent.tabular.solvers import (
    modified_soft_policy_iteration,
    soft_policy_iteration,
    soft_value_iteration,
    solve,
)
from maxent.tabular.solvers.convergence import Convergence, convergence, reference_value

SOLVERS = (
    soft_value_iteration,
    soft_policy_iteration,
    modified_soft_policy_iteration,
    partial(modified_soft_policy_iteration, sweeps=3),
)


def dense(seed: int, n_states: int = 7, n_actions: int = 3, discount: float = 0.9) -> MDP:
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(n_states), size=(n_states, n_actions))
    return MDP(transition, rng.normal(size=(n_states, n_actions)), discount=discount)


def assert_bounds_hold(record: Convergence) -> None:
    slack = record.reference_error
    assert np.isnan(record.certified[0])
    assert (record.certified[1:] + slack >= record.errors[1:]).all()
    assert (record.midpoint_certified[1:] + slack >= record.midpoint_errors[1:]).all()
    known = ~np.isnan(record.theoretical)
    assert (record.theoretical[known] + slack >= record.errors[known]).all()


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("temperature", [0.0, 0.1, 3.0])
@pytest.mark.parametrize("terminal", [0, 1])
def test_bounds_lie_above_the_error(solver, temperature, terminal):
    mdp = garnet(20, 3, discount=0.9, branching=3, terminal=terminal, masked=0.2, seed=4)
    start = np.random.default_rng(0).normal(size=mdp.n_states)
    for v0 in (None, start, np.full(mdp.n_states, -60.0)):
        record = convergence(mdp, temperature, solver=solver, v0=v0)
        assert_bounds_hold(record)
        assert len(record.errors) == len(record.certified) == len(record.theoretical)
        assert record.midpoint_errors[-1] < 1e-6


def test_theoretical_bound_is_stated_exactly_where_it_is_known():
    mdp, high, low = dense(0), np.full(7, 60.0), np.full(7, -60.0)
    everywhere = convergence(mdp, 0.3, v0=high)
    assert everywhere.theoretical[0] == everywhere.errors[0]
    np.testing.assert_allclose(everywhere.theoretical[1:] / everywhere.theoretical[:-1], 0.9)

    exact = convergence(mdp, 0.3, v0=high, solver=soft_policy_iteration)
    assert np.isnan(exact.theoretical[:2]).all()
    assert exact.theoretical[2] == exact.errors[2]
    inexact = convergence(mdp, 0.3, v0=high, solver=modified_soft_policy_iteration)
    assert np.isnan(inexact.theoretical).all()
    for solver in SOLVERS:
        assert not np.isnan(convergence(mdp, 0.3, v0=low, solver=solver).theoretical).any()


def test_unknown_solver_has_no_theoretical_bound():
    def mine(mdp, temperature, **options):
        return solve(mdp, temperature, **options)

    record = convergence(dense(1), 0.3, solver=mine)
    assert np.isnan(record.theoretical).all()
    assert_bounds_hold(record)


def test_value_iteration_is_linear_at_rate_gamma():
    record = convergence(dense(2, discount=0.8), 0.3, v0=np.full(7, 30.0))
    assert record.rate == pytest.approx(0.8, abs=0.01)
    assert record.order == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_policy_iteration_is_quadratic(seed):
    mdp = dense(seed)
    record = convergence(mdp, 0.3, solver=soft_policy_iteration)
    clear = record.meaningful
    assert len(clear) >= 4
    # Newton on T: e_{k+1} <= C e_k^2 with C of the order 1 / (alpha (1 - gamma)), from the second
    # derivative of the log-sum-exp and the norm of (I - gamma P)^{-1}; 4 times that is generous.
    constant = 4.0 / (0.3 * (1.0 - mdp.discount))
    assert (clear[2:] <= constant * clear[1:-1] ** 2).all()
    assert record.order > 1.5
    assert len(record.errors) < 10


def test_reference_value_solves_the_soft_bellman_equation():
    mdp = garnet(30, 4, discount=0.95, branching=4, terminal=2, seed=1)
    v, error = reference_value(mdp, 0.2)
    residual = operators.soft_value(operators.backup(mdp, v), 0.2, mdp.log_mask) - v
    assert np.abs(residual[~mdp.terminal]).max() <= 2.0 * error
    assert 0.0 < error < 1e-10


def test_prior_and_limits_are_passed_on():
    mdp = dense(3)
    prior = np.random.default_rng(0).dirichlet(np.ones(3), size=7)
    record = convergence(mdp, 0.3, prior=prior, solver=soft_policy_iteration)
    assert_bounds_hold(record)
    v = solve(mdp, 0.3, prior=prior).v
    assert record.errors[0] == pytest.approx(np.abs(v).max(), abs=1e-6)
    rough = convergence(mdp, 0.3, tolerance=0.5)
    assert 0 < len(rough.errors) < len(convergence(mdp, 0.3).errors)


def test_record_is_read_only_and_describes_itself():
    record = convergence(dense(0), 0.3)
    with pytest.raises(ValueError, match="read-only"):
        record.errors[0] = 0.0
    assert "soft value iteration" in repr(record)
    assert record.iterations[-1] == len(record.errors) - 1


def test_rates_of_short_records_are_nan():
    def record(*errors: float) -> Convergence:
        array = np.array(errors)
        return Convergence("m", 1.0, 0.9, array, array, array, array, array, 1e-12)

    assert np.isnan(record(1.0).rate)
    assert np.isnan(record(1.0, 0.1).order)
    assert record(1.0, 0.1).rate == pytest.approx(0.1)
    assert record(1e-1, 1e-2, 1e-4).order == pytest.approx(2.0)
    assert record(1e-1, 1e-2, 1e-4, 1e-8, 1e-12).order == pytest.approx(2.0)  # the last is rounding


def test_an_mdp_in_which_nothing_is_ever_earned():
    mdp = MDP(np.ones((1, 1, 1)), np.zeros(1), discount=0.9)
    record = convergence(mdp, 1.0)
    assert record.errors[-1] == 0.0
    assert natural_policy_gradient(mdp, 1.0).errors[-1] == 0.0
