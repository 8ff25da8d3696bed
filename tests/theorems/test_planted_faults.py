"""Each planted fault is caught, and by which keys; the docs show the same table."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from theorems import planted_faults

import maxent
from maxent.tabular import operators

CAUGHT_BY = {
    "alpha missing in the policy's value": {"SAC-L1"},
    "alpha missing inside log-sum-exp": {"SQL-T2", "SQL-T3"},
    "alpha missing outside log-sum-exp": {"SQL-T2", "SQL-T3"},
    "Boltzmann average for log-sum-exp": {"SQL-T2", "SQL-T3"},
    "no logarithm: sum of exp": {"SQL-T2", "SQL-T3"},
    "wrong sign of the entropy": {"SAC-L1"},
    "next state's entropy undiscounted": {"SAC-L1"},
    "policy not divided by alpha": {"SQL-T1", "SQL-T4", "SAC-L2", "SAC-T1"},
    "policy not normalised": {"SQL-T1", "SQL-T4", "SAC-L2", "SAC-T1"},
    "alpha in float32": {"SQL-T1", "SQL-T2", "SQL-T3", "SAC-L1", "SAC-L2"},
    "alpha in float32, soft value only": {"SQL-T2", "SQL-T3"},
    "alpha in float32, policy only": {"SQL-T1", "SAC-L2"},
    "mask ignored by the soft value": {"SQL-T2", "SQL-T3"},
    "mask ignored by the policy": {"SQL-T1", "SQL-T4", "SAC-L2", "SAC-T1"},
    "hard maximum for log-sum-exp": {"SQL-T2", "SQL-T3"},
    "discount applied twice": {"SQL-T2", "SQL-T3", "SAC-L1"},
    "discount not applied": {"SQL-T2", "SQL-T3", "SAC-L1"},
    "terminal states bootstrapped": {"SQL-T2", "SQL-T3", "SAC-L1"},
    "transition transposed": {"SQL-T2", "SQL-T3", "SAC-L1"},
}


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("fault", planted_faults.FAULTS)
def test_the_fault_is_caught_by_exactly_these_keys(fault, kind):
    mdp = planted_faults.ordinary_mdps()[kind]
    temperature = {"dense": 0.1, "sparse": 0.7}[kind]
    assert set(planted_faults.caught_by(fault, mdp, temperature)) == CAUGHT_BY[fault]


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_the_same_operators_without_a_fault_pass(kind):
    mdp = planted_faults.ordinary_mdps()[kind]
    maxent.verify(mdp, 0.1, operators=planted_faults.family()).raise_if_failed()


POSITION_OF_TEMPERATURE = {
    "soft_value": 1,
    "boltzmann_policy": 1,
    "policy_value": 2,
    "soft_bellman": 2,
    "soft_policy_bellman": 3,
    "soft_policy_improvement": 1,
}


@pytest.mark.parametrize("name", POSITION_OF_TEMPERATURE)
def test_no_operator_hides_behind_the_others(name):
    """The smallest of the faults, alpha in float32, in a single one of the operators."""
    true = getattr(operators, name)

    rounded = planted_faults.in_float32(true, POSITION_OF_TEMPERATURE[name])
    mdp = planted_faults.ordinary_mdps()["dense"]
    report = maxent.verify(mdp, 0.1, operators=SimpleNamespace(**vars(operators) | {name: rounded}))
    assert not report.passed


@pytest.mark.parametrize("fault", ["discount applied twice", "terminal states bootstrapped"])
def test_a_faulty_backup_alone_is_caught(fault):
    mdp = planted_faults.ordinary_mdps()["dense"]
    mended = vars(operators) | planted_faults.FAULTS[fault]
    report = maxent.verify(mdp, 0.1, keys="SQL-T2", operators=SimpleNamespace(**mended))
    assert [check.clause for check in report if check.verdict == "fails"] == ["backup"]


def test_a_failure_says_where():
    mdp = planted_faults.ordinary_mdps()["dense"]
    report = maxent.verify(
        mdp, 0.1, keys="SQL-T2", operators=planted_faults.faulty("discount not applied")
    )
    failed = next(check for check in report if check.verdict == "fails")
    assert failed.slack < -failed.tolerance
    assert {"state", "action"} <= set(failed.witness)
    assert not mdp.terminal[failed.witness["state"]]


def test_the_docs_show_this_table():
    text = (Path(__file__).parents[2] / "docs" / "checks.md").read_text()
    made = planted_faults.table(planted_faults.ordinary_mdps()["dense"], 0.1)
    assert made in text, "run `python tests/theorems/planted_faults.py` and put its table there"
