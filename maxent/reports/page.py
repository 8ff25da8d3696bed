"""The checks of an MDP as one HTML page: the verdict first, then each statement with its figures.

The page is one file: its style and its figures are within it, it has no script and asks for nothing
from anywhere.  It is legible by day and by night, on a telephone and on paper.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import groupby

from maxent.mdp import MDP
from maxent.reports.formulas import formula
from maxent.reports.records import versions
from maxent.reports.shell import html_page
from maxent.reports.slack_plots import scale, strip
from maxent.reports.text import discount_text, size_text
from maxent.theorems.check import Check
from maxent.theorems.report import Report
from maxent.theorems.report_text import WORDS, counts

READING = resources.files("maxent.reports").joinpath("reading.html").read_text(encoding="utf-8")
"""How to read the page."""

STRENGTHS = {
    "numerical": "Operators in float64 against an independent truth, on finitely many inputs, "
    "within a derived rounding bound",
    "enclosed": "Intervals that hold a value, in float64 with rounding bounded",
    "proved": "Ball arithmetic, rounding included, for the MDP as stored",
}
"""What each strength of evidence is."""


def verification_page(
    name: str,
    mdp: MDP,
    temperature: float,
    report: Report,
    *,
    facts: Mapping[str, str] | None = None,
) -> str:
    """The HTML of a report on an MDP.

    name : of the MDP, as the reader knows it.
    facts : further lines for the head of the page, label -> text.
    """
    hard = " (hard maximum)" if temperature == 0.0 else ""
    head = {
        "MDP": f"{name}: {size_text(mdp)}",
        "discount": discount_text(mdp.discount),
        "temperature": f"{temperature:g}{hard}",
        **(facts or {}),
        "made by": ", ".join(f"{library} {number}" for library, number in versions().items()),
    }
    checks = sorted(report, key=lambda check: _order(report)[check.key])
    grouped = [(key, list(group)) for key, group in groupby(checks, key=lambda check: check.key)]
    grave = [check for check in checks if check.verdict in ("fails", "undecided")]
    parts = [
        f"<h1>The theorems, checked on {html.escape(name)}</h1>",
        _banner(checks),
        _definitions(head),
        _strengths(checks),
        _section("What did not pass", "unpassed", _clauses(grave)) if grave else "",
        _section("At a glance", "overview", _overview(grouped)),
        '<h2 id="clauses">Clause by clause</h2>',
        *(_statement(key, group) for key, group in grouped),
        _section("How to read this", "reading", READING),
    ]
    return html_page(f"{name}: theorems checked", "\n".join(filter(None, parts)))


def _order(report: Report) -> dict[str, int]:
    """Keys in the order in which they first appear."""
    return {key: i for i, key in enumerate(dict.fromkeys(check.key for check in report))}


def _section(title: str, anchor: str, content: str) -> str:
    return f'<h2 id="{anchor}">{title}</h2>\n{content}'


def _banner(checks: Sequence[Check]) -> str:
    """The verdict on everything."""
    verdicts: list[str] = [check.verdict for check in checks]
    fails, doubts, holds = (verdicts.count(v) for v in ("fails", "undecided", "holds"))
    if fails:
        kind, words = "fails", f"{fails} of {fails + doubts + holds} checks fail"
    elif doubts:
        kind, words = "undecided", f"No check fails; {doubts} of {doubts + holds} are undecided"
    elif holds:
        kind, words = (
            "holds",
            f"All {holds} checks that apply hold" if holds > 1 else "The check holds",
        )
    else:
        kind, words = "undecided", "No check applies to this MDP"
    return f'<div class="verdict {kind}">{words}<small>{counts(checks)}</small></div>'


def _definitions(lines: Mapping[str, str]) -> str:
    rows = (f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in lines.items())
    return f"<dl>{''.join(rows)}</dl>"


def _strengths(checks: Sequence[Check]) -> str:
    """What kinds of evidence there are, and how each came out."""
    rows = []
    for strength in dict.fromkeys(check.strength for check in checks):
        found = counts([check for check in checks if check.strength == strength])
        rows.append(f"<p><strong>{strength}</strong>: {found}. {STRENGTHS[strength]}.</p>")
    return "".join(rows)


def _overview(grouped: Sequence[tuple[str, Sequence[Check]]]) -> str:
    """A line a key."""
    rows = []
    for key, checks in grouped:
        gravest = next(v for v in WORDS if any(check.verdict == v for check in checks))
        rows.append(
            f'<tr><td><a href="#{html.escape(key)}">{html.escape(key)}</a></td>'
            f'<td>{_tag(gravest, counts(checks))}</td><td class="drawn">{strip(checks)}</td></tr>'
        )
    header = f'<th>key</th><th>checks</th><th class="drawn">slack{scale()}</th>'
    return (
        f'<table class="overview"><thead><tr>{header}</tr></thead><tbody>{"".join(rows)}'
        "</tbody></table>"
    )


def _tag(verdict: str, words: str) -> str:
    kind = "none" if verdict == "not applicable" else verdict
    return f'<span class="tag {kind}">{words}</span>'


def _statement(key: str, checks: Sequence[Check]) -> str:
    """All of a key: what its clauses assume in common, then each."""
    common = [each for each in checks[0].hypotheses if all(each in c.hypotheses for c in checks)]
    anchor = html.escape(key)
    return (
        f'<h3 id="{anchor}">{anchor}</h3><p class="small">Assumes: {_listed(common)}.</p>'
        f"{_clauses(checks, common)}"
    )


def _clauses(checks: Sequence[Check], common: Sequence[str] | None = None) -> str:
    """A table of checks: what is stated, the verdict, how close, and where.

    common : hypotheses listed already, with the key; None: none, and each row names its key."""
    header = (
        '<th class="words">statement</th><th class="verdict-cell">verdict</th>'
        f'<th class="drawn">slack{scale()}</th><th class="where">worst case</th>'
    )
    return (
        f'<table class="clauses"><thead><tr>{header}</tr></thead><tbody>'
        f"{''.join(_row(check, common) for check in checks)}</tbody></table>"
    )


def _row(check: Check, common: Sequence[str] | None) -> str:
    name = check.clause if common is not None else f"{check.key}, {check.clause}"
    assumed = [each for each in check.hypotheses if each not in (common or ())]
    words = f"<strong>{html.escape(name)}.</strong> {formula(check.statement)}"
    if assumed:
        also = "Assumes" if common is None else "Assumes also"
        words += f'<div class="small">{also}: {_listed(assumed)}.</div>'
    words += f'<div class="small">Source: {formula(check.source)}.</div>'
    place = "; ".join(f"{name} {_shown(value)}" for name, value in check.witness.items())
    numbers = ""
    if check.verdict != "not applicable":
        numbers = (
            f'<div class="small number">slack {_number(check.slack)}</div>'
            f'<div class="small number">tolerance {_number(check.tolerance)}</div>'
        )
    return (
        f'<tr><td class="words">{words}</td>'
        f'<td class="verdict-cell">{_tag(check.verdict, check.verdict)}'
        f'<div class="small">{check.strength}</div></td>'
        f'<td class="drawn">{strip([check])}{numbers}</td>'
        f'<td class="where small">{html.escape(place)}</td></tr>'
    )


def _listed(hypotheses: Sequence[str]) -> str:
    return "; ".join(formula(each) for each in hypotheses) or "nothing"


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    """-2.4e-16 as it is printed in books."""
    text = f"{value:.1e}" if value != 0.0 and math.isfinite(value) else f"{value:g}"
    mantissa, _, power = text.replace("inf", "&infin;").partition("e")
    if power:
        power = f"\N{MULTIPLICATION SIGN}10<sup>{int(power)}</sup>" if int(power) else ""
    return f"{mantissa}{power}".replace("-", "\N{MINUS SIGN}")
