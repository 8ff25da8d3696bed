"""The clauses of soft policy iteration have teeth."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import maxent
from maxent.tabular import operators
from maxent.theorems.clauses.soft_policy_iteration import soft_policy_iterations
from maxent.theorems.instance import Instance


def failed(mdp, temperature, key, **functions):
    mended = SimpleNamespace(**vars(operators) | functions)
    report = maxent.verify(mdp, temperature, keys=key, operators=mended)
    return {check.clause for check in report if check.verdict == "fails"}


MDP = maxent.garnet(6, 3, discount=0.9, seed=0)


def test_an_improvement_that_does_nothing_stops_short_of_the_optimum():
    """SAC-T1, and SAC-L2 with it."""

    def uniform(q, temperature, log_prior=None):
        return np.full_like(q, -np.log(q.shape[-1]))

    found = failed(MDP, 0.3, "SAC-T1", soft_policy_improvement=uniform)
    assert {"limit", "dominance"} <= found
    assert "improvement" in failed(MDP, 0.3, "SAC-L2", soft_policy_improvement=uniform)


def test_a_greedy_improvement_is_not_the_soft_one():
    def greedy(q, temperature, log_prior=None):
        return operators.boltzmann_policy(q, 0.0, log_prior)

    assert {"projection", "minimiser"} <= failed(MDP, 0.3, "SAC-L2", soft_policy_improvement=greedy)
    assert "limit" in failed(MDP, 0.3, "SAC-T1", soft_policy_improvement=greedy)


def test_a_cautious_step_improves_but_too_little():
    """SQL-T4: half the step still improves (its first clause holds), less than it should."""

    def half(q, temperature, log_prior=None):
        return operators.boltzmann_policy(q, 2.0 * temperature, log_prior)

    assert "size of the step" in failed(MDP, 0.3, "SQL-T4", boltzmann_policy=half)


def test_an_evaluation_that_is_not_affine_is_seen():
    def bent(mdp, q, log_policy, temperature, log_prior=None):
        true = operators.soft_policy_bellman(mdp, q, log_policy, temperature, log_prior)
        return true + 1e-9 * np.sin(true)

    assert {"affine", "fixed point"} <= failed(MDP, 0.3, "SAC-L1", soft_policy_bellman=bent)


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_policy_iteration_ends_after_a_few_rounds(temperature):
    runs = soft_policy_iterations(Instance(MDP, temperature, None, 0, operators))
    assert len(runs) == 3
    assert all(len(values) <= 10 for _, values in runs)


def test_policies_are_proper_and_varied():
    mdp = maxent.garnet(6, 3, discount=0.9, seed=0, terminal=1, masked=0.4)
    instance = Instance(mdp, 0.3, None, 0, operators)
    names = [name for name, _, _ in instance.policies]
    assert len(set(names)) == len(names) == 10
    for _, log_policy, truth in instance.policies:
        assert instance.problem.is_policy(log_policy)
        assert np.isfinite(truth.v).all()
        np.testing.assert_allclose(np.exp(log_policy).sum(axis=1), 1.0, rtol=1e-14)
