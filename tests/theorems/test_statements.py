"""The table of statements: complete, without doubles, and what code, tests and docs say by key."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest

import maxent
from maxent.proofs import certificate, checker, enclosure, prove
from maxent.proofs.clauses import CLAUSES as PROVABLE
from maxent.theorems import catalogue, check, clauses, counterexamples, statements
from maxent.theorems.statements import CLAUSES, STATEMENTS, listing

ROOT = Path(__file__).parents[2]


def load_tables():
    path = ROOT / "docs" / "statement_tables.py"
    spec = importlib.util.spec_from_file_location("statement_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = load_tables()


def named(key, text):
    return re.search(rf"(?<![\w-]){key}(?![\w-])", text)


def test_every_key_has_clauses_or_is_a_counter_example():
    assert {clause.key for clause in CLAUSES} == {k for k, s in STATEMENTS.items() if not s.against}
    assert {clause.key for clause in PROVABLE} <= {clause.key for clause in CLAUSES}
    against = {key: about for key, about in STATEMENTS.items() if about.against}
    assert list(counterexamples.ALL) == list(against)
    for key, about in against.items():
        assert key.startswith("NOT-") and about.against in STATEMENTS and about.missing
        assert about.functions[0].endswith(f".{counterexamples.ALL[key].__name__}")


def test_no_clause_of_a_family_is_forgotten():
    """Every file of the folder is a family, and every clause in one is among CLAUSES."""
    files = {path.stem for path in Path(clauses.__file__).parent.glob("*.py")} - {"__init__"}
    assert {section.replace("-", "_") for section in statements.FAMILIES} == files
    defined = sum(
        path.read_text().count("\n@clause(") for path in Path(clauses.__file__).parent.glob("*.py")
    )
    assert defined == len(CLAUSES) > 80


@pytest.mark.parametrize("listed", [CLAUSES, PROVABLE], ids=["numerical", "proved"])
def test_no_two_clauses_share_key_and_name(listed):
    counts = Counter((clause.key, clause.name) for clause in listed)
    assert {pair for pair, count in counts.items() if count > 1} == set()


def test_a_statement_of_another_strength_bears_the_same_name_only_for_the_same_thing():
    """`solve`'s bounds are not MacQueen's inequalities for every iterate."""
    assert ("SQL-T3", "MacQueen bounds") not in {(each.key, each.name) for each in PROVABLE}


def test_what_all_clauses_of_a_key_assume_stands_with_the_key():
    for key, about in STATEMENTS.items():
        own = [clause.hypotheses for clause in CLAUSES if clause.key == key]
        assert all(found[: len(about.hypotheses)] == about.hypotheses for found in own), key
        extras = [set(found[len(about.hypotheses) :]) for found in own]
        assert not extras or not set.intersection(*extras), key


@pytest.mark.parametrize("key", STATEMENTS)
def test_the_functions_of_a_key_exist_and_name_it(key):
    assert STATEMENTS[key].functions
    for name in STATEMENTS[key].functions:
        module, _, function = name.rpartition(".")
        assert named(key, getattr(importlib.import_module(module), function).__doc__), name


@pytest.mark.parametrize("key", STATEMENTS)
def test_a_test_names_each_key(key):
    assert tables.test_of(key)


def headings(page):
    return re.findall(r"^## (.*)$", (ROOT / "docs" / page).read_text(), re.M)


def test_headings_of_the_theory_and_files_of_clauses_have_the_same_names():
    files = {path.stem for path in Path(clauses.__file__).parent.glob("*.py")} - {"__init__"}
    found = [tables.address(heading).replace("-", "_") for heading in headings("theory.md")]
    assert set(found) == files and len(found) == len(files)
    for clause in CLAUSES:
        module = clause.cases.__module__.rpartition(".")[2]
        assert STATEMENTS[clause.key].section.replace("-", "_") == module, clause.key


@pytest.mark.parametrize("key", STATEMENTS)
def test_the_docs_address_of_a_key_leads_to_it(key):
    page, _, anchor = STATEMENTS[key].anchor.removeprefix("docs/").partition("#")
    sections = re.split(r"^## ", (ROOT / "docs" / page).read_text(), flags=re.M)
    (section,) = (each for each in sections if tables.address(each.split("\n")[0]) == anchor)
    assert named(key, section)


def test_the_docs_are_those_that_the_table_makes():
    for path, text in tables.pages().items():
        assert path.read_text() == text, "run `python docs/statement_tables.py --write`"


def test_the_list_has_a_line_a_key_within_80_columns():
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines] == list(STATEMENTS)
    assert max(map(len, lines)) <= 80
    assert lines[2].endswith("8 clauses") and lines[-1].endswith("against FIRST-EXIT")


@pytest.mark.parametrize("key", STATEMENTS)
def test_the_list_of_a_key_says_everything_once(key):
    about, printed = STATEMENTS[key], listing(key)
    assert max(map(len, printed.splitlines())) <= 80
    flat = " ".join(printed.split())
    for words in (about.title, about.plain, about.source, *about.functions, about.anchor):
        assert words in flat, words
    for clause in CLAUSES:
        if clause.key == key:
            assert f"{clause.name}: {clause.statement}" in flat
            assert all(flat.count(each.words) == 1 for each in about.hypotheses)


def test_an_unknown_key_is_named_with_the_nearest():
    with pytest.raises(maxent.ConfigError, match="'SQL-T33'; did you mean 'SQL-T3'"):
        listing("SQL-T33")


@pytest.mark.parametrize(
    "module", [catalogue, check, statements, enclosure, prove, certificate, checker]
)
def test_examples_in_docstrings_run(module):
    if module in (enclosure, prove, certificate, checker):
        pytest.importorskip("flint")
    found = doctest.testmod(module)
    assert found.attempted > 0 and found.failed == 0
