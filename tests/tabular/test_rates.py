"""How fast, not only whether: measured rates against the theorems' (RATE, SPI-NEWTON)."""

import itertools

import numpy as np
import pytest

import maxent
from maxent.tabular import operators as ops


def sweeps(mdp, temperature, count):
    """V_1 ... V_count of soft value iteration from 0, straight from the operators' page."""
    v = np.zeros(mdp.n_states)
    values = []
    for _ in range(count):
        v = np.where(
            mdp.terminal, 0.0, ops.soft_value(ops.backup(mdp, v), temperature, mdp.log_mask)
        )
        values.append(v)
    return values


@pytest.mark.parametrize("discount", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("temperature", [0.01, 1.0, 100.0])
def test_soft_value_iteration_converges_at_rate_gamma(discount, temperature):
    mdp = maxent.garnet(30, 3, discount=discount, branching=5, seed=4)
    exact = maxent.soft_policy_iteration(mdp, temperature).v
    count = int(min(150, np.log(1e-7) / np.log(discount)))
    errors = [np.abs(v - exact).max() for v in sweeps(mdp, temperature, count)]
    late = np.arange(count // 2, count)
    slope = np.polyfit(late, np.log(np.array(errors)[late]), 1)[0]
    assert slope == pytest.approx(np.log(discount), rel=0.01)


def test_the_solver_walks_the_same_path_as_the_operators():
    mdp = maxent.garnet(
        40, 3, discount=0.9, branching=4, seed=2, terminal=2, masked=0.3, absorbing=1
    )
    for temperature in (0.0, 0.3, 50.0):
        path = []
        maxent.soft_value_iteration(
            mdp, temperature, callback=lambda it, path=path: path.append(it.v)
        )
        for fast, slow in zip(path, sweeps(mdp, temperature, len(path)), strict=True):
            np.testing.assert_allclose(fast, slow, rtol=1e-13, atol=1e-13)


def test_soft_policy_iteration_is_newton_with_exponent_two():
    """SPI-NEWTON: near V* the error is squared each time; the exponent is fitted over MDPs."""
    pairs = []
    for seed in range(20):
        mdp = maxent.garnet(7, 3, discount=0.9, branching=None, seed=seed)
        exact = maxent.soft_policy_iteration(mdp, 0.3, tolerance=1e-11).v
        v = np.zeros(7)
        errors = [np.abs(v - exact).max()]
        for _ in range(8):
            log_policy = ops.boltzmann_policy(ops.backup(mdp, v), 0.3)
            v = np.linalg.solve(
                np.eye(7) - 0.9 * ops.policy_transition(mdp, np.exp(log_policy)),
                ops.policy_reward(mdp, log_policy, 0.3),
            )
            errors.append(np.abs(v - exact).max())
        pairs += [(a, b) for a, b in itertools.pairwise(errors) if 1e-10 < b < a < 0.5]
    before, after = np.log(np.array(pairs)).T
    exponent = np.polyfit(before, after, 1)[0]
    assert len(pairs) >= 20
    assert 1.8 < exponent < 2.2


def test_newton_needs_few_steps_where_value_iteration_needs_thousands():
    mdp = maxent.garnet(50, 3, discount=0.999, branching=3, seed=1, terminal=1)
    newton = maxent.soft_policy_iteration(mdp, 0.5)
    plain = maxent.soft_value_iteration(mdp, 0.5)
    assert newton.iterations <= 10 < 1000 < plain.iterations


def test_the_tail_of_value_iteration_by_macqueen_beats_the_norm_bound():
    """On a mixing MDP the span falls faster than gamma^k, so the interval closes early."""
    mdp = maxent.garnet(200, 4, discount=0.999, branching=20, seed=1)
    solution = maxent.soft_value_iteration(mdp, 1.0)
    by_the_norm = np.log(solution.tolerance / np.abs(solution.v).max()) / np.log(0.999)
    assert solution.iterations < by_the_norm / 100
