"""Checks and reports: the sign convention, the verdicts, and how they are printed and stored."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest

import maxent
from maxent.theorems.case import Case
from maxent.theorems.check import Check
from maxent.theorems.clause import Clause
from maxent.theorems.hypotheses import Hypothesis
from maxent.theorems.report import CheckFailedError, Report


def check(verdict="holds", slack=-1e-16, tolerance=1e-12):
    return Check(
        "SQL-T9", "part", "It is so.", "nowhere", (), slack, tolerance, {"state": 3}, verdict
    )


@pytest.mark.parametrize(
    ("slack", "tolerance", "doubt", "verdict"),
    [
        (0.0, 0.0, 0.0, "holds"),
        (-1.0, 2.0, 0.5, "holds"),
        (-1.0, 1.2, 0.5, "undecided"),
        (-2.0, 1.7, 0.5, "undecided"),
        (-2.3, 1.7, 0.5, "fails"),
        (5.0, 0.1, 3.0, "holds"),  # a doubt that cannot matter
        (-np.inf, 1.0, 0.0, "fails"),
        (np.nan, 1.0, 0.0, "fails"),
        (0.0, np.nan, 0.0, "fails"),
        (0.0, np.inf, 0.0, "fails"),
    ],
)
def test_the_verdict_asks_where_the_true_slack_can_lie(slack, tolerance, doubt, verdict):
    assert Case(slack, tolerance, doubt, {}).verdict == verdict


def test_a_case_is_the_worst_place_it_may_look_at():
    slack = np.array([[3.0, -9.0], [1.0, 2.0]])
    where = np.array([[True, False], [True, True]])
    case = Case.worst_of(slack, where, 0.1, 0.0, q="zero")
    assert case.slack == 1.0
    assert case.witness == {"q": "zero", "state": 1, "action": 0}


def test_what_is_not_a_number_is_the_worst():
    case = Case.worst_of(np.array([1.0, np.nan]), np.ones(2, dtype=bool), 0.1, 0.0)
    assert case.witness == {"state": 1}
    assert case.verdict == "fails"


def test_a_clause_is_judged_by_its_worst_case_in_units_of_its_tolerance():
    cases = [Case(-1e-3, 1.0, 0.0, {"i": 0}), Case(-1e-9, 1e-8, 0.0, {"i": 1})]
    found = Clause("K", "c", "s", (), "w", lambda instance: cases).check(None)
    assert (found.verdict, found.witness) == ("holds", {"i": 1})
    cases.append(Case(-1e-9, 1e-10, 0.0, {"i": 2}))
    found = Clause("K", "c", "s", (), "w", lambda instance: cases).check(None)
    assert (found.verdict, found.witness, found.slack) == ("fails", {"i": 2}, -1e-9)


def test_a_missing_hypothesis_is_named():
    never = Hypothesis("the moon is full", lambda instance: False)
    found = Clause("K", "c", "s", (never,), "w", lambda instance: []).check(None)
    assert found.verdict == "not applicable"
    assert found.witness == {"missing": "the moon is full"}
    assert math.isnan(found.slack)
    assert Report((found,)).passed


@pytest.mark.parametrize(
    ("verdict", "passed"),
    [("holds", True), ("not applicable", True), ("fails", False), ("undecided", False)],
)
def test_a_report_passes_without_failures_and_without_doubts(verdict, passed):
    report = Report((check(), check(verdict)))
    assert report.passed is passed
    if passed:
        report.raise_if_failed()
    else:
        with pytest.raises(CheckFailedError, match=f"1 of 2 .*\n.*SQL-T9 part: {verdict}.*state 3"):
            report.raise_if_failed()
        assert issubclass(CheckFailedError, maxent.MaxEntError)


def test_a_report_prints_a_line_a_clause():
    lines = (
        Report((check(), check("fails", -1.0), check("not applicable", math.nan)))
        .clause_table()
        .splitlines()
    )
    assert lines[0].split() == ["key", "clause", "verdict", "slack", "tolerance", "where"]
    assert "SQL-T9  part" in lines[2]
    assert lines[-1] == "3 checks: 1 hold, 1 fail, 1 not applicable"
    assert Report(()).clause_table().endswith("0 checks: none")


def test_a_report_prints_the_verdict_first_then_a_line_a_key():
    others = [replace(check(), key="SAC-L9"), replace(check("not applicable"), key="SAC-L9")]
    assert str(Report((check(), check(), *others))).splitlines() == [
        "passed: 3 clauses hold, 1 not applicable",
        "",
        "SQL-T9  2 hold",
        "SAC-L9  1 holds, 1 not applicable",
    ]
    assert str(Report(())) == "no checks"
    assert str(Report((check("not applicable"),))).startswith("no clause applies\n")


def test_what_did_not_pass_is_shown_in_full_beneath_its_key():
    grave = replace(check("fails", -1.0), statement="It is so. " * 20, hypotheses=("the moon",))
    printed = str(Report((grave, check("undecided"), check("fails", math.nan), check())))
    assert printed.startswith(
        "NOT PASSED: 2 clauses fail, 1 undecided, 1 holds\nnot passed: SQL-T9 part,"
    )
    assert max(map(len, printed.splitlines())) <= 80
    lines = printed.splitlines()
    assert lines[3:5] == [
        "SQL-T9  2 fail, 1 undecided, 1 holds",
        "  part: fails, slack -1.00e+00, tolerance 1.00e-12",
    ]
    for words in ("It is so.", "worst case: state 3", "assumes: the moon", "source: nowhere"):
        assert f"    {words}" in printed
    assert "  part: undecided, slack -1.00e-16" in printed and "part: fails, slack nan" in printed


def test_strengths_are_told_apart():
    report = Report((check(), replace(check(), strength="proved")))
    assert "SQL-T9  1 holds (numerical), 1 holds (proved)" in str(report)
    assert report.clause_table().count("1 checks: 1 hold") == 2
    assert report.clause_table().startswith("numerical\n\nkey")


def test_a_report_is_plain_json():
    report = Report((check(), check("fails", -math.inf, math.nan)))
    stored = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert stored["passed"] is False
    assert stored["checks"][0]["witness"] == {"state": 3}
    assert stored["checks"][1]["slack"] is None
    assert [c.key for c in report] == ["SQL-T9"] * len(report)


def test_a_frame_has_one_row_a_check():
    pytest.importorskip("pandas")
    frame = Report((check(), check("fails"))).to_frame()
    assert list(frame["verdict"]) == ["holds", "fails"]


def test_without_pandas_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        Report((check(),)).to_frame()
