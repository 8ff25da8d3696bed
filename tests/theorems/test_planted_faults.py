"""Each planted fault is caught, and by which keys; the docs show the same table."""

from __future__ import annotations

import importlib.util
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


"""Which of the papers' theorems catch each fault."""

OF_A_VALUE = {"GIBBS-1", "GIBBS-2", "SPI-NEWTON", "SCALE", "SHAPE", "INFERENCE", "LMDP", "PRIOR"}
OF_A_POLICY = {"GIBBS-1", "GIBBS-2", "SUBOPT", "PATH", "INFERENCE", "PG-EQUIVALENCE"}
OF_A_WRONG_POLICY = {"SPI-NEWTON", "NPG", "MONOTONE", "ENVELOPE", "SLOPE", "SENSITIVITY"}
OF_AN_EVALUATION = {"GIBBS-1", "GIBBS-2", "PG-EQUIVALENCE"}
OF_A_BACKUP = {"SCALE", "SHAPE", "PRIOR"}
ALSO_CAUGHT_BY = {
    "alpha missing in the policy's value": OF_AN_EVALUATION,
    "alpha missing inside log-sum-exp": OF_A_VALUE | {"GIBBS-4", "LIMIT-ZERO", "DUAL-OCCUPANCY"},
    "alpha missing outside log-sum-exp": OF_A_VALUE | {"GIBBS-4", "LIMIT-ZERO", "DUAL-OCCUPANCY"},
    "Boltzmann average for log-sum-exp": OF_A_VALUE | {"GIBBS-4", "LIMIT-INFINITY"},
    "no logarithm: sum of exp": OF_A_VALUE | {"GIBBS-4", "LIMIT-ZERO", "DUAL-OCCUPANCY"},
    "wrong sign of the entropy": OF_AN_EVALUATION,
    "next state's entropy undiscounted": set(),
    "policy not divided by alpha": OF_A_POLICY | OF_A_WRONG_POLICY,
    "policy not normalised": OF_A_POLICY | OF_A_WRONG_POLICY | {"GIBBS-3", "DUAL-TEMPERATURE"},
    "alpha in float32": OF_A_VALUE | OF_A_POLICY,
    "alpha in float32, soft value only": OF_A_VALUE,
    "alpha in float32, policy only": OF_A_POLICY,
    "mask ignored by the soft value": OF_A_VALUE | {"GIBBS-4", "LIMIT-ZERO", "DUAL-OCCUPANCY"},
    "mask ignored by the policy": OF_A_POLICY | OF_A_WRONG_POLICY | {"GIBBS-3", "LIMIT-INFINITY"},
    "hard maximum for log-sum-exp": OF_A_VALUE | {"LIMIT-INFINITY", "DUAL-OCCUPANCY"},
    "discount applied twice": OF_A_BACKUP | {"SPI-NEWTON", "PG", "PATH"},
    "discount not applied": OF_A_BACKUP | {"SPI-NEWTON", "PG", "PATH"},
    "terminal states bootstrapped": OF_A_BACKUP,
    "transition transposed": OF_A_BACKUP | {"SPI-NEWTON", "PG", "PATH", "INFERENCE", "LMDP"},
}
"""Which of the other keys catch it, at least."""


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("fault", planted_faults.FAULTS)
def test_the_fault_is_caught_by_exactly_these_keys(fault, kind):
    """Of the papers' theorems exactly these, of the other keys at least these."""
    mdp = planted_faults.ordinary_mdps()[kind]
    temperature = {"dense": 0.1, "sparse": 0.7}[kind]
    caught = set(planted_faults.caught_by(fault, mdp, temperature))
    assert caught & set(planted_faults.CORE) == CAUGHT_BY[fault]
    if importlib.util.find_spec("clarabel") is None:
        caught.add("DUAL-OCCUPANCY")
    assert caught >= ALSO_CAUGHT_BY[fault]


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
    for made in planted_faults.tables(planted_faults.ordinary_mdps()["dense"], 0.1):
        assert made in text, "run `python tests/theorems/planted_faults.py`, put its tables there"
