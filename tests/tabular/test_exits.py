"""The interval by the time to a terminal state: what is taken for a bound is one."""

from types import SimpleNamespace

import numpy as np
import pytest
from truth import optimal_value

import maxent
from maxent.tabular.solvers.certified import certify
from maxent.tabular.solvers.exits import EPS, _checked, narrowed
from maxent.tabular.solvers.kernels import SoftKernel

MDP = maxent.garnet(6, 3, discount=1 - 1e-9, seed=2, branching=2, terminal=2)


def holds(now, truth):
    return all(
        low <= exact <= high for low, exact, high in zip(now.lower, truth, now.upper, strict=True)
    )


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_the_narrower_interval_holds_the_truth_wherever_the_values_are(temperature):
    truth = optimal_value(MDP, temperature, np.zeros(6))
    kernel = SoftKernel(MDP, temperature, None)
    exact = np.array([float(x) for x in truth])
    rng, narrower = np.random.default_rng(0), 0
    for off in (*np.eye(6)[~MDP.terminal], *-np.eye(6)[~MDP.terminal], *rng.normal(size=(6, 6))):
        for size in (1e-12, 1e-3, 10.0):
            v = np.where(MDP.terminal, 0.0, exact + size * off)
            now = certify(kernel, v)
            found = narrowed(kernel, now)
            assert holds(found, truth) and found.width <= now.width
            assert found.value_size <= np.abs(exact).max() * (1 + 1e-12)
            narrower += found.width < 1e-3 * now.width
    assert narrower > 20


def test_what_is_a_bound_in_some_states_only_is_none():
    """Values below the truth and raised in a single state: the others go on rising."""
    kernel = SoftKernel(MDP, 0.3, None)
    truth = np.array([float(x) for x in optimal_value(MDP, 0.3, np.zeros(6))])
    low = np.where(MDP.terminal, 0.0, truth - 1.0)
    for state in np.flatnonzero(~MDP.terminal):
        found = _checked(kernel, low, np.eye(6)[state], 1e-3)
        assert found is None or (low + found >= truth).all()
    everywhere = _checked(kernel, low, (~MDP.terminal).astype(float), 1.0)
    assert everywhere is None or everywhere >= 1.0


def test_the_rounding_of_values_of_that_size_counts():
    norms = []
    kernel = SimpleNamespace(
        mdp=MDP,
        apply=lambda bound: bound - 1.0,
        bounds=SimpleNamespace(rounding=lambda norm: norms.append(norm) or 1e-9),
    )
    v, direction = np.linspace(-300.0, 200.0, 6), np.linspace(0.5, 1.0, 6)
    found = _checked(kernel, v, direction, 1.0)
    bound = v + 2.0 * direction
    assert norms == [np.abs(bound).max()]
    assert found == np.abs(bound - v).max() + 4.0 * EPS * norms[0]


def test_where_nothing_is_gained_the_interval_stays():
    kernel = SoftKernel(MDP, 0.3, None)
    v = np.array([float(x) for x in optimal_value(MDP, 0.3, np.zeros(6))])
    now = certify(kernel, v)
    end = np.where(MDP.terminal, 0.0, 1.0)

    def among(matrix):
        return SimpleNamespace(
            mdp=MDP, apply=kernel.apply, bounds=kernel.bounds, policy_transition=lambda: matrix
        )

    for matrix in (np.diag(end), 2.0 * np.diag(end), np.full((6, 6), np.nan)):
        assert narrowed(among(matrix), now) is now
    tight = now._replace(below=-1e-300, above=1e-300)
    assert narrowed(kernel, tight) is tight
    sweeps_only = SimpleNamespace(mdp=MDP, apply=kernel.apply, bounds=kernel.bounds)
    assert narrowed(sweeps_only, now) is now
    endless = maxent.garnet(6, 3, discount=0.9, seed=2)
    never = SoftKernel(endless, 0.3, None)
    now = certify(never, np.zeros(6))
    assert narrowed(never, now) is now
