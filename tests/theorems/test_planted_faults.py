"""Each planted fault is caught, and by the keys that theory names; correct variants are not; the
docs show the matrix."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from theorems import correct_variants, planted_faults

import maxent
from maxent.tabular import operators

SETTINGS = planted_faults.SETTINGS
TEXTS = {page: (planted_faults.DOCS / page).read_text() for page in planted_faults.PAGES}
DOCS = "\n".join(TEXTS.values())

GROUP_OF = {name: group for group, faults in planted_faults.GROUPS.items() for name in faults}
BY_GROUP = {
    "The soft value": {"SQL-T2", "SQL-T3", "GIBBS-1", "SCALE"},
    "The Boltzmann policy": {"SQL-T1", "GIBBS-2", "SUBOPT", "SOFT-PDL", "ROBUST"},
    "The value of a policy": {"SAC-L1", "GIBBS-1", "PG-EQUIVALENCE"},
    "The backup": {"SQL-T2", "SQL-T3", "SAC-L1", "PRIOR"},
}
"""Keys whose statement is about the formula itself, so that no fault in it may escape them."""

VISITS = {"PG", "SUBOPT", "SENSITIVITY"}
BY_FAULT = {
    "at 0: each tied action in full": {"SQL-T1"},
    "at 0: actions within 0.1 count as tied": {"SAC-L2", "GIBBS-1"},
    "next state's entropy undiscounted": {"SAC-L1"},
    "this state's entropy for the next one's": {"SAC-L1"},
    "entropy earned in terminal states": {"SAC-L1"},
    "prior ignored by the soft value": {"SQL-T2", "SQL-T3", "GIBBS-1"},
    "prior ignored by the policy": {"SQL-T1", "SAC-L2", "SUBOPT"},
    "entropy for minus the divergence": {"SAC-L1", "GIBBS-1"},
    "prior counted twice": {"SQL-T2", "SQL-T3", "GIBBS-1"},
    "alpha missing at the log prior": {"SQL-T2", "SQL-T3", "GIBBS-1"},
    "prior's probabilities for their logarithms": {"SQL-T2", "SQL-T3", "GIBBS-1"},
    "divergence the wrong way round": {"GIBBS-2", "SUBOPT", "SOFT-PDL"},
    **{name: VISITS for name in planted_faults.FAULTS if name.startswith("occupancy")},
    "entropy: 0 log 0 is not 0": {"DUAL-TEMPERATURE"},
    "discounted entropy in bits": {"ENVELOPE"},
    "entropy of a step for the discounted one": {"ENVELOPE"},
    "return of the initial step only": {"ENVELOPE"},
    "gradient without the entropy": {"PG"},
    "gradient without the value subtracted": {"PG"},
    "gradient of the initial step only": {"PG"},
    "gradient's sign": {"PG"},
    "natural step not divided by 1 - gamma": {"NPG"},
    "trade-off: entropies times alpha": {"SLOPE"},
    "trade-off: objective for return": {"SLOPE"},
    "temperature for the entropy of a step": {"DUAL-TEMPERATURE"},
    "mellowmax: sum for mean": {"MELLOWMAX"},
    **{name: {"FIRST-EXIT"} for name in planted_faults.FAULTS if name.startswith("first exit")},
    **{name: {"AVERAGE"} for name in planted_faults.FAULTS if name.startswith("average reward")},
    **{name: {"KNOWN"} for name in planted_faults.FAULTS if name.startswith("known answer")},
    **{name: {"BALANCE"} for name in planted_faults.FAULTS if name.startswith("balance")},
}
"""The same for faults that not every key of their group depends on."""


def setting_for(fault):
    """One in which the fault can matter."""
    if fault.startswith("at 0: each"):
        return SETTINGS["temperature 0, ties"]
    if fault.startswith("at 0:"):
        return SETTINGS["temperature 0"]
    if fault.startswith("average reward"):
        return SETTINGS["every action, no end"]
    if fault.startswith("balance"):
        return SETTINGS["paid by the step"]
    return SETTINGS["sparse, prior" if GROUP_OF[fault] == "The prior" else "masked, terminal"]


@pytest.mark.parametrize("fault", planted_faults.FAULTS)
def test_the_fault_is_caught_by_the_keys_about_its_formula(fault):
    expected = BY_FAULT.get(fault) or BY_GROUP[GROUP_OF[fault]]
    found = planted_faults.caught_by(planted_faults.faulty(fault), setting_for(fault), expected)
    assert set(found) == expected


def test_there_are_many_faults_and_no_two_are_one():
    assert len(planted_faults.FAULTS) == sum(map(len, planted_faults.GROUPS.values())) >= 40
    rng = np.random.default_rng(0)
    q = np.where(rng.random((30, 4)) < 0.2, 0.0, rng.normal(size=(30, 4)))
    log_policy = operators.boltzmann_policy(rng.normal(size=(30, 4)), 1.0)
    log_prior = np.log(np.array([0.1, 0.2, 0.7, 0.0]), where=[1, 1, 1, 0], out=np.full(4, -np.inf))
    log_prior = np.tile(log_prior, (30, 1))
    calls = {
        "soft_value": (q, 0.1, log_prior),
        "boltzmann_policy": (q, 0.1, log_prior),
        "policy_value": (q, log_policy - 1.0, 0.1, np.where(log_prior > -np.inf, log_prior, -9.0)),
    }
    for operator, given in calls.items():
        seen = {"none": getattr(operators, operator)(*given)}
        for name, parts in planted_faults.FAULTS.items():
            if operator in parts and not name.startswith("at 0"):
                with np.errstate(all="ignore"):
                    seen[name] = parts[operator](*given)
        made = [value.tobytes() for name, value in seen.items() if name != "alpha in float32"]
        assert len(set(made)) == len(made), operator


@pytest.mark.parametrize("variant", ["none", *correct_variants.VARIANTS])
def test_no_correct_variant_is_flagged(variant):
    parts = correct_variants.VARIANTS.get(variant, {})
    for name, setting in SETTINGS.items():
        assert not planted_faults.caught_by(planted_faults.family(**parts), setting), name


@pytest.mark.parametrize("name", SETTINGS)
def test_neither_storage_nor_the_order_of_states_is_flagged(name):
    mdp, temperature, prior = SETTINGS[name]
    other = correct_variants.stored_otherwise(mdp)
    assert other.is_sparse != mdp.is_sparse
    rng = np.random.default_rng(4)
    states, actions = rng.permutation(mdp.n_states), rng.permutation(mdp.n_actions)
    moved = correct_variants.permuted(mdp, states, actions)
    assert moved.reward[0, 0] == mdp.reward[states[0], actions[0]]
    maxent.verify(other, temperature, prior=prior).raise_if_failed()
    prior = None if prior is None else prior[np.ix_(states, actions)]
    maxent.verify(moved, temperature, prior=prior).raise_if_failed()


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

    def rounded(*given):
        given = list(given)
        position = POSITION_OF_TEMPERATURE[name]
        given[position] = float(np.float32(given[position]))
        return getattr(operators, name)(*given)

    changed = SimpleNamespace(**vars(operators) | {name: rounded})
    keys = planted_faults.CORE
    assert planted_faults.caught_by(changed, SETTINGS["masked, terminal"], keys)


@pytest.mark.parametrize("fault", ["discount applied twice", "terminal states bootstrapped"])
def test_a_faulty_backup_alone_is_caught(fault):
    changed = SimpleNamespace(**vars(operators) | planted_faults.FAULTS[fault])
    found = planted_faults.caught_by(changed, SETTINGS["masked, terminal"], ["SQL-T2"])
    assert found == {"SQL-T2": {"backup"}}


def test_a_failure_says_where():
    mdp, temperature, _ = SETTINGS["masked, terminal"]
    operators = planted_faults.faulty("discount not applied")
    report = maxent.verify(mdp, temperature, keys="SQL-T2", operators=operators)
    failed = next(check for check in report if check.verdict == "fails")
    assert failed.slack < -failed.tolerance
    assert {"state", "action"} <= set(failed.witness)
    assert not mdp.terminal[failed.witness["state"]]


def test_the_docs_list_every_fault_once():
    parts = [text.split(planted_faults.BEGIN)[1] for text in TEXTS.values()]
    lines = [line for part in parts for line in part.split(planted_faults.END)[0].splitlines()]
    first = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    assert [name for name in first if name in GROUP_OF] == list(planted_faults.FAULTS)
    counted = planted_faults.summary(lines)
    assert counted in lines


@pytest.mark.parametrize("fault", list(planted_faults.FAULTS)[::13])
def test_the_docs_show_what_catches_it(fault):
    pytest.importorskip("clarabel")
    made = planted_faults.row(fault)
    assert made in DOCS, "run `python tests/theorems/planted_faults.py --write`"


@pytest.mark.slow
def test_the_docs_show_the_whole_matrix():
    pytest.importorskip("clarabel")
    for page, made in planted_faults.matrices().items():
        assert made in TEXTS[page], "run `python tests/theorems/planted_faults.py --write`"


@pytest.mark.slow
def test_every_clause_is_failed_by_a_fault():
    """Keys of which every clause was seen to fail are not asked again."""
    pytest.importorskip("clarabel")
    left = {(clause.key, clause.name) for clause in planted_faults.ABOUT_MDPS}
    first = [(fault, setting_for(fault)) for fault in planted_faults.FAULTS]
    others = [(fault, each) for fault in planted_faults.FAULTS for each in SETTINGS.values()]
    for fault, setting in first + others:
        keys = {key for key, _ in left}
        found = planted_faults.caught_by(planted_faults.faulty(fault), setting, keys)
        left -= {(key, name) for key, names in found.items() for name in names}
        if not left:
            return
    raise AssertionError(f"no planted fault fails {sorted(left)}")
