"""Modules by the names they had in version 0.1."""

import importlib
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from maxent import plots
from maxent.support.moved import LEFT, MOVED

pytest.importorskip("torch")  # modules of the neural half too
DOCS = Path(__file__).parents[2] / "docs"
TAUGHT = [
    "maxent.neural.agent",
    "maxent.neural.learner",
    "maxent.neural.networks",
    "maxent.neural.soft_q_learning",
    "maxent.neural.statistics",
    "maxent.neural.diagnostics.corridor",
    "maxent.plots.composition",
    "maxent.plots.error_budget",
    "maxent.plots.grids",
    "maxent.registration",
    "maxent.simulation",
    "maxent.tabular.convergence",
    "maxent.tabular.estimators",
    "maxent.theorems.certificate",
    "maxent.proof_checker",
    "maxent.tabular.composition",
    "maxent.tabular.finite_horizon",
    "maxent.tabular.inverse",
    "maxent.tabular.policy_gradient",
    "maxent.tabular.sampled",
    "maxent.tabular.tradeoff",
    "maxent.tabular.operators",
    "maxent.continuous.discretise",
    "maxent.continuous.distances",
    "maxent.continuous.lqr",
    "maxent.continuous.multigoal",
    "maxent.continuous.pendulum",
    "maxent.environments",
    "maxent.neural.composition",
    "maxent.neural.diagnostics",
    "maxent.neural.training",
    "maxent.plots.style",
    "maxent.testing",
    "maxent.theorems.catalogue",
    "maxent.theorems.counterexamples",
    "maxent.learn",
]
"""The modules that README, docs and notebooks of 0.1.0 named or imported from."""


def fresh(old):
    """The old module as a first import finds it, with what was said."""
    sys.modules.pop(old, None)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        module = importlib.import_module(old)
        assert importlib.import_module(old) is module
    return module, said


@pytest.mark.parametrize("old", MOVED)
def test_an_old_name_is_the_new_module_and_warns_once_where_it_is_imported(old):
    module, said = fresh(old)
    assert module is importlib.import_module(MOVED[old])
    assert [(each.category, each.filename) for each in said] == [(DeprecationWarning, __file__)]
    assert MOVED[old] in str(said[0].message) and "0.3.0" in str(said[0].message)


@pytest.mark.filterwarnings("ignore:.*the old name goes:DeprecationWarning")
@pytest.mark.parametrize("name", TAUGHT)
def test_what_was_taught_can_be_imported(name):
    assert importlib.import_module(name)


def test_the_table_is_sorted_and_leads_to_no_old_name():
    top = [name for name in MOVED if name.count(".") == 1]
    deep = [name for name in MOVED if name.count(".") > 1]
    assert list(MOVED) == [*top, *deep]
    assert not set(MOVED) & set(MOVED.values())


def test_every_way_to_import():
    code = """
import warnings
warnings.simplefilter("always")
import maxent.simulation as simulation
from maxent.tabular import convergence
from maxent.random_mdps import garnet
import maxent.grid
maxent.grid.Grid, simulation.simulate, convergence.convergence, garnet
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    said = [line.partition(" is ")[0] for line in done.stderr.splitlines() if "Warning" in line]
    assert said == [
        "<string>:4: DeprecationWarning: maxent.simulation",
        "<string>:5: DeprecationWarning: maxent.tabular.convergence",
        "<string>:6: DeprecationWarning: maxent.random_mdps",
        "<string>:7: DeprecationWarning: maxent.grid",
    ]


def test_a_pickle_with_an_old_name_is_read():
    sys.modules.pop("maxent.grid", None)
    with pytest.warns(DeprecationWarning, match=r"maxent\.grid is"):
        found = pickle.loads(b"cmaxent.grid\nGrid\n.")
    assert found is importlib.import_module("maxent.mdp.grid").Grid


def test_a_function_of_an_old_modules_name_stays():
    composition, error_budget = plots.composition, plots.error_budget
    fresh("maxent.plots.composition")
    fresh("maxent.plots.error_budget")
    assert plots.composition is composition and callable(composition)
    assert plots.error_budget is error_budget and callable(error_budget)


def test_what_left_the_package_says_where_it_went():
    for old, file in LEFT.items():
        assert (DOCS.parent / file).is_file()
        with pytest.raises(ModuleNotFoundError, match=f"{old} is {file}"):
            importlib.import_module(old)


def test_the_migration_note_shows_the_table():
    text = (DOCS / "migration.md").read_text(encoding="utf-8").partition("## Modules")[2]
    assert dict(re.findall(r"\| `([\w.]+)` \| `([\w.]+)` \|", text)) == MOVED
