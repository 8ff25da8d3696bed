"""`maxent.verify`: no false alarm on correct operators, arguments checked, reports repeatable."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import maxent
from maxent.theorems.catalogue import KEYS
from maxent.theorems.statements import CLAUSES, STATEMENTS

DISCOUNTS = (0.0, 0.5, 0.9, 0.99, 0.9999)
TEMPERATURES = (0.0, 1e-8, 1e-4, 0.1, 0.37, 1.0, 10.0, 1e4, 1e8)
MDPS_PER_DISCOUNT = 21
PAPERS = ("SQL-T1", "SQL-T2", "SQL-T3", "SQL-T4", "SAC-L1", "SAC-L2", "SAC-T1")
ALWAYS = (*PAPERS, "GIBBS-4", "MELLOWMAX", "SCALE", "SHAPE", "NPG", "SUBOPT", "PATH", "SLOPE")
"""Their clauses apply to most MDPs."""


def varied_mdp(i, discount):
    """The i-th of a family that mixes dense, sparse, masked, terminal, absorbing, row errors."""
    rng = np.random.default_rng([i, round(1e4 * discount)])
    n_states, n_actions = int(rng.integers(2, 10)), int(rng.integers(1, 5))
    mdp = maxent.garnet(
        n_states,
        n_actions,
        discount=discount,
        branching=(None, 1, 2, 3)[i % 4],
        terminal=(0, 0, 1)[i % 3],
        absorbing=(0, 1)[i % 2] if n_states > 2 else 0,
        masked=(0.0, 0.4)[(i // 2) % 2],
        reward_scale=(1.0, 1.0, 1e-6, 1e6, 0.0)[i % 5],
        seed=i,
    )
    if i % 6 == 5:  # rows that sum to 1 only within the tolerance of the model
        off = 1.0 + 0.9e-9 * rng.uniform(-1.0, 1.0, size=(n_states * n_actions, 1))
        rows = mdp.transition_rows * off
        shape = (n_states, n_actions, n_states)
        mdp = mdp.replace(
            transition=sparse.csr_array(rows) if mdp.is_sparse else rows.reshape(shape)
        )
    prior = None
    if i % 4 == 3:
        prior = rng.dirichlet(np.full(n_actions, 0.5), size=n_states) * mdp.action_mask
        prior[prior < 1e-3] = 0.0
        prior[np.arange(n_states), mdp.action_mask.argmax(axis=1)] += 1e-5
        prior /= prior.sum(axis=1, keepdims=True)
    return mdp, prior


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_no_false_alarm_on_random_mdps(discount):
    """21 MDPs a discount, 105 in all, with temperatures taken in turn."""
    checked = 0
    temperatures = itertools.cycle(TEMPERATURES)
    for i in range(MDPS_PER_DISCOUNT):
        mdp, prior = varied_mdp(i, discount)
        report = maxent.verify(mdp, next(temperatures), prior=prior, seed=i)
        report.raise_if_failed()
        checked += sum(check.verdict == "holds" for check in report)
        assert {check.verdict for check in report} <= {"holds", "not applicable"}
    always = sum(clause.key in ALWAYS for clause in CLAUSES)  # the others have more hypotheses
    assert checked > MDPS_PER_DISCOUNT * always


@pytest.mark.slow
@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_no_false_alarm_for_any_pair_of_discount_and_temperature(discount, temperature):
    for i in range(100, 112):
        mdp, prior = varied_mdp(i, discount)
        maxent.verify(mdp, temperature, prior=prior, seed=i).raise_if_failed()


@pytest.mark.parametrize("temperature", [1e-300, 1e15])
def test_no_false_alarm_at_the_ends_of_the_temperature_range(temperature):
    mdp = maxent.garnet(5, 3, discount=0.95, seed=0, terminal=1, masked=0.3)
    maxent.verify(mdp, temperature).raise_if_failed()


def test_at_temperature_zero_the_boltzmann_formula_is_not_applicable():
    report = maxent.verify(maxent.garnet(5, 3, discount=0.9, seed=0), 0.0, keys=PAPERS)
    skipped = {
        (check.key, check.clause): check.witness for check in report if check.slack != check.slack
    }
    assert skipped == {
        ("SQL-T1", "formula"): {"missing": "temperature > 0"},
        ("SAC-L2", "minimiser"): {"missing": "temperature > 0"},
    }


def test_with_only_terminal_states_nothing_is_applicable():
    mdp = maxent.MDP(
        np.zeros((1, 1, 1)), np.zeros(1), discount=0.9, terminal=[True], initial_distribution=[1.0]
    )
    assert {check.verdict for check in maxent.verify(mdp, 0.1)} == {"not applicable"}


def test_every_key_has_its_clauses_once():
    assert KEYS[:7] == PAPERS
    assert list(KEYS) == [key for key in STATEMENTS if not key.startswith("NOT-")]
    assert len(KEYS) == 44
    assert len({(clause.key, clause.name) for clause in CLAUSES}) == len(CLAUSES)
    report = maxent.verify(maxent.garnet(4, 2, discount=0.9, seed=0), 0.1)
    about_mdps = [c for c in CLAUSES if not c.key.startswith("LQR")]
    assert [(check.key, check.clause) for check in report] == [(c.key, c.name) for c in about_mdps]
    assert all(check.strength == "numerical" and check.source for check in report)


def test_every_key_is_stated_in_the_docs():
    text = (Path(__file__).parents[2] / "docs" / "theory.md").read_text()
    stated = re.findall(r"^- \*\*([A-Z0-9-]+)\b", text, re.M)
    assert sorted(stated) == sorted(KEYS)


def test_keys_choose_and_the_seed_repeats():
    mdp = maxent.garnet(4, 2, discount=0.9, seed=0)
    report = maxent.verify(mdp, 0.1, keys=["SQL-T3", "SAC-L2"], seed=7)
    assert {check.key for check in report} == {"SQL-T3", "SAC-L2"}
    again = maxent.verify(mdp, 0.1, keys=["SAC-L2", "SQL-T3"], seed=7)
    assert report == again
    assert maxent.verify(mdp, 0.1, keys="SQL-T3", seed=8).checks != report.checks[:8]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keys": "SQL-T33"}, "did you mean 'SQL-T3'"),
        ({"keys": ["SAC-L1", "LQR-9"]}, "no check has the key 'LQR-9'; .*Known: APPROX"),
        ({"keys": []}, "keys is empty"),
        ({"temperature": -1.0}, "temperature = -1.0"),
        ({"temperature": True}, "temperature = True is not valid"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    mdp = maxent.garnet(4, 2, discount=0.9, seed=0)
    with pytest.raises(maxent.ConfigError, match=message):
        maxent.verify(mdp, **{"temperature": 0.1} | arguments)


def test_a_prior_that_is_none_is_refused():
    mdp = maxent.garnet(4, 2, discount=0.9, seed=0)
    with pytest.raises(maxent.ModelError, match=r"prior of state 0 sums to 1\.5"):
        maxent.verify(mdp, 0.1, prior=np.full((4, 2), 0.75))


def test_a_discount_of_one_says_what_to_do():
    mdp = maxent.garnet(4, 2, discount=1.0, seed=0)
    with pytest.raises(maxent.ConfigError, match=r"discount = 1 .*such as 0.999"):
        maxent.verify(mdp, 0.1)


def test_rows_that_undo_the_discount_are_refused():
    transition = np.full((1, 1, 1), 1.0 + 9e-10)
    mdp = maxent.MDP(transition, np.zeros(1), discount=1.0 - 1e-12)
    with pytest.raises(maxent.ModelError, match="largest row sum"):
        maxent.verify(mdp, 0.1)


def lattice(n, discount=0.95):
    """An n x n grid, four noisy moves, a terminal corner."""
    index = np.arange(n * n).reshape(n, n)
    row, column = np.divmod(np.arange(n * n), n)
    steps = [(-1, 0), (0, 1), (1, 0), (0, -1)]
    after = [
        index[np.clip(row + down, 0, n - 1), np.clip(column + right, 0, n - 1)]
        for down, right in steps
    ]
    rows, columns, data = [], [], []
    for action in range(4):
        for turn, probability in ((0, 0.8), (1, 0.1), (-1, 0.1)):
            rows.append(np.arange(n * n) * 4 + action)
            columns.append(after[(action + turn) % 4])
            data.append(np.full(n * n, probability))
    entries = np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))
    transition = sparse.csr_array(sparse.coo_array(entries, shape=(4 * n * n, n * n)))
    reward = (transition @ (np.arange(n * n) == n * n - 1)).reshape(n * n, 4) - 0.04
    return maxent.MDP(transition, reward, discount=discount, terminal=np.arange(n * n) == n * n - 1)


def test_a_gridworld():
    maxent.verify(lattice(10), 0.1).raise_if_failed()  # about a second


@pytest.mark.slow
def test_a_hundred_thousand_states_are_within_reach():
    report = maxent.verify(lattice(316, 0.99), 0.1)  # a minute or two
    report.raise_if_failed()
    missing = [check.witness["missing"] for check in report if check.verdict == "not applicable"]
    assert all("at most" in words or "no terminal" in words for words in missing)
    assert len(report) - len(missing) > 60
