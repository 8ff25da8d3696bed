"""The page of a verification: complete, escaped, self-contained; formulas and figures in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import maxent
from maxent.cli import main
from maxent.reports.formulas import formula
from maxent.reports.page import verification_page
from maxent.reports.slack_plots import ROUNDING, WIDTH, position, strip
from maxent.theorems.catalogue import statements
from maxent.theorems.check import Check
from maxent.theorems.report import Report

MDP = maxent.garnet(5, 3, discount=0.9, seed=0, terminal=1, masked=0.3)
VOID = {"meta", "link", "rect", "path", "circle"}


class Page(HTMLParser):
    """Text, tags and attributes of a page; an error where tags are not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag, tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def check(verdict="holds", slack=-1e-15, tolerance=1e-13, **about):
    given = {
        "key": "SQL-T3",
        "clause": "contraction",
        "statement": "max |T Q1 - T Q2| <= gamma max |Q1 - Q2|.",
        "source": "SQL Theorem 3",
        "hypotheses": ("discount < 1",),
        "witness": {"state": 3},
    }
    return Check(**given | about, slack=slack, tolerance=tolerance, verdict=verdict)


def page_of(*checks, name="an MDP"):
    return Page(verification_page(name, MDP, 0.1, Report(checks)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("V^pi' >= V^pi_k", "V<sup>&pi;'</sup> ≥ V<sup>&pi;<sub>k</sub></sup>"),
        ("gamma^k max |V_0 - V*|", "&gamma;<sup>k</sup> max |V<sub>0</sub> \N{MINUS SIGN} V*|"),
        ("(I - gamma P)^-1 r", "(I \N{MINUS SIGN} &gamma; P)<sup>\N{MINUS SIGN}1</sup> r"),
        ("V*_alpha -> pi_inf", "V*<sub>&alpha;</sub> → &pi;<sub>&infin;</sub>"),
        ("Q_(k-1) / (1-gamma)", "Q<sub>k\N{MINUS SIGN}1</sub> / (1\N{MINUS SIGN}&gamma;)"),
        ("the public policy_gradient", "the public <code>policy_gradient</code>"),
        ("bounds of `solve` hold V*.", "bounds of <code>solve</code> hold V*."),
        ("<p,q> + alpha KL(p || q)", "⟨p, q⟩ + &alpha; KL(p ‖ q)"),
        ("sum_(i<d) and a < b", "sum<sub>i&lt;d</sub> and a &lt; b"),
        ("Eqs. 4-6, the non-expansion", "Eqs. 4&ndash;6, the non-expansion"),
        ("span_a(x)^2 and max_s y", "span<sub>a</sub>(x)<sup>2</sup> and max<sub>s</sub> y"),
        ("<b>&", "&lt;b&gt;&amp;"),
    ],
)
def test_a_formula_in_html(text, shown):
    assert formula(text) == shown


def test_no_statement_keeps_what_only_a_program_reads():
    wrong = []
    for about in statements():
        shown = formula(about["statement"])
        plain = re.sub(r"<code>[^<]*</code>", "", shown)
        left = re.findall(r"[_^`]|&lt;=|\b(?:alpha|gamma|pi)\b(?!;)", plain)
        if left or len(Page(shown).text) > len(about["statement"]):
            wrong.append((about["key"], left, plain))
    assert wrong == []


def test_positions_separate_rounding_from_room_and_from_violations():
    left, right = ROUNDING
    assert position(-1e-13, 1e-13) == left and position(0.0, 1e-13) == right
    assert left < position(-1e-15, 1e-13) < position(-1e-16, 1e-13) < right
    assert position(-1e-40, 1e-13) == right and position(-1.01e-13, 1e-13) < left
    assert right < position(1e-9, 1e-13) < position(1.0, 1e-13) <= WIDTH
    assert 0 < position(-1e9, 1e-13) < position(-1e-9, 1e-13) < left
    assert position(1.0, 0.0) == WIDTH - 4 and position(-1.0, 0.0) == 4  # proved with tolerance 0
    falling = [position(slack, 1e-13) for slack in (1.0, 1e-13, 0.0, -1e-14, -1e-12, -np.inf)]
    assert falling == sorted(falling, reverse=True)


def test_each_verdict_has_its_own_mark():
    shapes = {v: strip([check(v)]) for v in ("holds", "undecided", "fails", "not applicable")}
    assert len(set(shapes.values())) == 4 and shapes["not applicable"] == ""
    assert "circle" in shapes["holds"] and "circle" not in shapes["fails"]
    assert strip([check(), check("fails")]).count('class="fails"') == 1


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (["holds", "holds", "not applicable"], "All 2 checks that apply hold"),
        (["holds"], "The check holds"),
        (["holds", "undecided"], "No check fails; 1 of 2 are undecided"),
        (["holds", "undecided", "fails"], "1 of 3 checks fail"),
        (["not applicable"], "No check applies to this MDP"),
    ],
)
def test_the_verdict_comes_first(verdicts, words):
    nan = float("nan")
    checks = [
        check(v, **{"slack": nan, "tolerance": nan} if v == "not applicable" else {})
        for v in verdicts
    ]
    text = page_of(*checks).text
    assert words in text
    assert text.index(words) < text.index("discount")
    assert ("What did not pass" in text) == bool({"fails", "undecided"} & set(verdicts))


def test_a_page_holds_every_clause_with_its_numbers():
    report = maxent.verify(MDP, 0.1)
    page = Page(verification_page("garnet", MDP, 0.1, report))
    anchors = {attrs["id"] for tag, attrs in page.tags if tag == "h3"}
    assert anchors == {each.key for each in report}
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    assert links == {f"#{key}" for key in anchors}
    applicable = [each for each in report if each.verdict != "not applicable"]
    strips = sum(attrs.get("class") == "strip" for tag, attrs in page.tags if tag == "svg")
    assert strips == len(applicable) + len({each.key for each in applicable})
    for each in report:
        assert f"{each.clause}." in page.text
    missing = next(each for each in report if each.verdict == "not applicable")
    assert missing.witness["missing"] in page.text


def test_a_page_asks_for_nothing_from_elsewhere():
    html = verification_page("garnet", MDP, 0.1, maxent.verify(MDP, 0.1))
    page = Page(html)
    assert not {"script", "img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "data", "action"):
            assert attrs.get(name, "#").startswith(("#", "data:")), (tag, attrs)
        assert not any(name.startswith("on") for name in attrs)
    assert "//" not in html and "@import" not in html and "url(" not in html


def test_what_a_user_names_is_text_not_html():
    name = "<script>alert('&')</script>"
    page = page_of(check(witness={"state": "<b>"}), name=name)
    assert name in page.text and "<b>" in page.text
    assert not {"script", "b"} & {tag for tag, _ in page.tags}


def test_several_strengths_stand_apart():
    text = page_of(check(), replace(check(), strength="proved")).text
    assert "numerical: 1 holds." in text and "proved: 1 holds. Ball arithmetic" in text


def test_numbers_are_those_of_the_report():
    text = page_of(check(slack=-2.5e-16, tolerance=1.25, witness={"alpha": 0.1234567})).text
    minus, times = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
    assert f"slack {minus}2.5{times}10{minus}16" in text
    assert "tolerance 1.2" in text and "alpha 0.123457" in text
    assert "slack ∞" in page_of(check(slack=np.inf)).text


def test_the_command_writes_page_and_json(capsys, tmp_path, monkeypatch):
    pytest.importorskip("flint")
    monkeypatch.chdir(tmp_path)
    asked = ["verify", "two-goals", "--temperature", "0.1", "--keys", "SQL-T2,NPG", "--rigorous"]
    assert main([*asked, "--html", "page.html", "--json", "page.json"]) == 0
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "All 7 checks that apply hold" in page.text and "V* proved" in page.text
    record = json.loads((tmp_path / "page.json").read_text())
    found = [(each["key"], each["strength"]) for each in record["report"]["checks"]]
    assert (
        found == [("SQL-T2", "numerical")] * 3 + [("SQL-T2", "proved")] + [("NPG", "numerical")] * 3
    )
    assert 0.0 <= record["optimal_values"]["proved_width"] <= 1e-10
    assert 0.0 < record["optimal_values"]["enclosed_error"] < 1e-8
    printed = capsys.readouterr().out
    assert printed.startswith("passed: 7 clauses hold\n")
    assert printed.index("3 hold (numerical), 1 holds (proved)") < printed.index("wrote")
    assert main([*asked, "--html", "page.html"]) == 2  # exists
    assert main(["verify", "two-goals", "--temperature", "0.1", "--html", "page.htm"]) == 2
    assert main([*asked[:-3], "--keys", "NPG", "--rigorous"]) == 2  # nothing to prove
    assert "no clause of 'NPG' is proved" in capsys.readouterr().err
