"""Checks and reports: the sign convention, the verdicts, and how they are printed and stored."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest

import maxent
from maxent.theorems.check import Check, CheckFailedError, Report
from maxent.theorems.clause import Case, Clause
from maxent.theorems.hypotheses import Hypothesis


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
    found = Clause("K", "c", "s", "w", (), lambda instance: cases).check(None)
    assert (found.verdict, found.witness) == ("holds", {"i": 1})
    cases.append(Case(-1e-9, 1e-10, 0.0, {"i": 2}))
    found = Clause("K", "c", "s", "w", (), lambda instance: cases).check(None)
    assert (found.verdict, found.witness, found.slack) == ("fails", {"i": 2}, -1e-9)


def test_a_missing_hypothesis_is_named():
    never = Hypothesis("the moon is full", lambda instance: False)
    found = Clause("K", "c", "s", "w", (never,), lambda instance: []).check(None)
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


def test_a_report_prints_as_a_table():
    lines = str(
        Report((check(), check("fails", -1.0), check("not applicable", math.nan)))
    ).splitlines()
    assert lines[0].split() == ["key", "clause", "verdict", "slack", "tolerance", "where"]
    assert "SQL-T9  part" in lines[2]
    assert lines[-1] == "3 checks: 1 hold, 1 fail, 1 not applicable"
    assert str(Report(())).endswith("0 checks: none")


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
    with pytest.raises(ImportError, match=r"pip install 'maxent\[data\]'.*to_dict"):
        Report((check(),)).to_frame()
