"""A report as text: the verdict and a line a key within 80 columns, or a line a clause."""

from __future__ import annotations

from collections.abc import Sequence

from maxent.support.tables import filled
from maxent.theorems.check import Check

WORDS = {
    "fails": ("fails", "fail"),
    "undecided": ("undecided", "undecided"),
    "holds": ("holds", "hold"),
    "not applicable": ("not applicable", "not applicable"),
}
"""Verdicts, the gravest first, and the words for one and for several clauses."""


def summary(checks: Sequence[Check]) -> str:
    """The verdict, then a line a key, with what did not pass in full beneath it."""
    keys = list(dict.fromkeys(check.key for check in checks))
    width = max(map(len, keys), default=0)
    lines = [filled(_verdict(checks))]
    for key in keys:
        own = [check for check in checks if check.key == key]
        found = _by_strength(own)
        told = [counts(each) for each in found.values()]
        if len(_by_strength(checks)) > 1:
            told = [f"{count} ({strength})" for count, strength in zip(told, found)]
        lines.append(filled(f"{key:<{width}}  {', '.join(told)}", 0, width + 2))
        lines += [_in_full(check) for check in own if check.verdict in ("fails", "undecided")]
    return "\n".join([lines[0], *([""] if keys else []), *lines[1:]])


def clause_tables(checks: Sequence[Check]) -> str:
    """A line a clause; a table for each strength of evidence, named where there are several."""
    found = _by_strength(checks)
    if len(found) <= 1:
        return _clause_table(checks)
    return "\n\n".join(f"{strength}\n\n{_clause_table(own)}" for strength, own in found.items())


def _verdict(checks: Sequence[Check]) -> str:
    grave = [check for check in checks if check.verdict in ("fails", "undecided")]
    if not checks:
        return "no checks"
    if not grave:
        applies = any(check.verdict == "holds" for check in checks)
        return f"passed: {counts(checks, 'clause')}" if applies else "no clause applies"
    names = ", ".join(f"{check.key} {check.clause}" for check in grave)
    return f"NOT PASSED: {counts(checks, 'clause')}\nnot passed: {names}"


def counts(checks: Sequence[Check], noun: str = "") -> str:
    """1 clause fails, 3 hold: how many of each verdict, the gravest first."""
    verdicts: list[str] = [check.verdict for check in checks]
    parts: list[str] = []
    for verdict, (one, several) in WORDS.items():
        count = verdicts.count(verdict)
        if count:
            what = f" {noun}{'' if count == 1 else 's'}" if noun and not parts else ""
            parts.append(f"{count}{what} {one if count == 1 else several}")
    return ", ".join(parts)


def _by_strength(checks: Sequence[Check]) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in checks:
        found.setdefault(check.strength, []).append(check)
    return found


def _in_full(check: Check) -> str:
    """A check that did not pass: the numbers, the statement, the worst case, hypotheses, source."""
    lines = [
        filled(f"{check.clause}: {check.verdict}, {check.numbers}", 2, 4),
        filled(check.statement, 4, 6),
        filled(f"worst case: {check.place}", 4, 6),
        filled(f"assumes: {'; '.join(check.hypotheses) or 'nothing'}", 4, 6),
        filled(f"source: {check.source}", 4, 6),
    ]
    return "\n".join(lines)


def _clause_table(checks: Sequence[Check]) -> str:
    header = ("key", "clause", "verdict", "slack", "tolerance", "where")
    body = [_row(check) for check in checks]
    widths = [max(len(row[i]) for row in [header, *body]) for i in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in [header, tuple("-" * width for width in widths), *body]
    ]
    verdicts: list[str] = [check.verdict for check in checks]
    order = ("holds", "fails", "undecided", "not applicable")
    found = [f"{verdicts.count(each)} {WORDS[each][1]}" for each in order if each in verdicts]
    return "\n".join([*lines, f"{len(checks)} checks: {', '.join(found) or 'none'}"])


def _row(check: Check) -> tuple[str, ...]:
    if check.verdict == "not applicable":
        return check.key, check.clause, check.verdict, "", "", check.place
    found = f"{check.slack:.2e}", f"{check.tolerance:.2e}"
    return check.key, check.clause, check.verdict, *found, check.place
