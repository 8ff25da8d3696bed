"""The clauses of soft Q-iteration have teeth: extremes are attained, pitfalls respected."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import maxent
from maxent.tabular import operators
from maxent.theorems.instance import Instance


def checks(mdp, temperature, key, **settings):
    return {c.clause: c for c in maxent.verify(mdp, temperature, keys=key, **settings)}


def changed(**functions):
    return SimpleNamespace(**vars(operators) | functions)


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_constant_shifts_attain_the_modulus(temperature):
    """SQL-T3: a bound that is attained is seen to be."""
    mdp = maxent.garnet(6, 3, discount=0.9, seed=0)
    found = checks(mdp, temperature, "SQL-T3")["contraction"]
    assert abs(found.slack) <= found.tolerance
    assert "shifted by a constant" in found.witness["q"]


@pytest.mark.parametrize("excess", [1e-6, 1e-9])
def test_a_modulus_slightly_too_large_is_seen(excess):
    """An operator with the same fixed point for which gamma (1 + excess) is the modulus."""
    mdp = maxent.garnet(6, 3, discount=0.9, seed=0)
    best = np.asarray(Instance(mdp, 0.3, None, 0, operators).optimum.q, float)

    def stretched(mdp, q, temperature, log_prior=None):
        true = operators.soft_bellman(mdp, q, temperature, log_prior)
        return best + (1.0 + excess) * (true - best)

    found = checks(mdp, 0.3, "SQL-T3", operators=changed(soft_bellman=stretched))
    assert found["contraction"].verdict == "fails"
    assert found["translation"].verdict == "fails"


def test_the_boltzmann_average_is_neither_monotone_nor_a_contraction():
    mdp = maxent.garnet(6, 3, discount=0.9, seed=0)

    def average(q, temperature, log_prior=None):
        policy = np.exp(operators.boltzmann_policy(q, temperature, log_prior))
        return (policy * q).sum(axis=-1)

    def composed(mdp, q, temperature, log_prior=None):
        return operators.backup(mdp, average(q, temperature, log_prior))

    found = checks(mdp, 0.3, "SQL-T3", operators=changed(soft_bellman=composed))
    for clause in ("monotonicity", "contraction"):
        assert found[clause].verdict == "fails"
        assert "two levels" in found[clause].witness["q"]


def test_with_terminal_states_translation_counts_who_arrives():
    mdp = maxent.garnet(6, 3, discount=0.9, seed=0, terminal=2)
    maxent.verify(mdp, 0.3, keys="SQL-T3").raise_if_failed()

    def forgetful(mdp, q, temperature, log_prior=None):
        v = operators.soft_value(q, temperature, log_prior)
        return mdp.reward + mdp.expect(mdp.discount * v)

    found = checks(mdp, 0.3, "SQL-T3", operators=changed(soft_bellman=forgetful))
    assert found["translation"].verdict == "fails"


def test_the_macqueen_bounds_meet_at_a_constant_shift():
    mdp = maxent.garnet(6, 3, discount=0.9, seed=0)
    found = checks(mdp, 0.3, "SQL-T3")["MacQueen bounds"]
    assert abs(found.slack) <= found.tolerance


@pytest.mark.parametrize("terminal", [0, 1])
def test_rows_that_sum_to_one_within_1e_9_cause_no_alarm(terminal):
    mdp = maxent.garnet(6, 3, discount=0.999, seed=2, terminal=terminal)
    off = 1.0 + 9e-10 * np.random.default_rng(0).uniform(-1, 1, size=(6, 3, 1))
    report = maxent.verify(mdp.replace(transition=mdp.transition * off), 0.1)
    report.raise_if_failed()


def test_ties_at_temperature_zero_cause_no_alarm():
    transition = np.zeros((3, 2, 3))
    transition[0, :, 1], transition[1, :, 2], transition[2, :, 0] = 1.0, 1.0, 1.0
    for discount in (0.0, 0.9, 0.9999):
        maxent.verify(
            maxent.MDP(transition, np.ones(3) / 3, discount=discount), 0.0
        ).raise_if_failed()


def test_tolerances_are_rounding_and_no_more():
    mdp = maxent.garnet(20, 4, discount=0.9, seed=0)
    for check in maxent.verify(mdp, 0.3):
        if check.verdict == "not applicable":
            continue
        if check.key == "DUAL-OCCUPANCY":  # that of its convex solver, 1e-6 of the value
            assert check.tolerance < 1e-4
        else:  # the inputs of huge spread reach 1e6, and so do the temperatures of LIMIT-INFINITY
            limit = 1e-6 if check.key == "LIMIT-INFINITY" else 1e-7
            assert check.tolerance < limit
    for check in maxent.verify(mdp, 0.3, keys="SQL-T2"):
        assert check.tolerance < 1e-11
