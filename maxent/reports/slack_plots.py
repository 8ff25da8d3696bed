"""Small figures of slack, as SVG within a page: one mark a check, on a scale in tolerances.

The scale has three parts, each by the logarithm.  In the middle, slacks between minus one
tolerance, at its left end, and minus 1e-4 of one: what rounding alone can do, where an equality
comes to lie.  To the right the room that an inequality leaves, to the left a violation.  Colours
are the page's own, and each verdict has its own shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from maxent.theorems.check import Check

WIDTH, HEIGHT = 240, 18
ROUNDING = 70, 130
"""Where the middle part begins and ends."""
WITHIN, BEYOND = 4.0, 16.0
"""Decades of tolerances in the middle part, and to either side."""


def position(slack: float, tolerance: float) -> float:
    """Where on the scale a slack lies, between 4 and WIDTH - 4."""
    left, right = ROUNDING
    if slack == 0.0:
        return right
    share = slack / tolerance if tolerance > 0.0 else math.copysign(math.inf, slack)
    if share > 0.0:
        return right + min(math.log10(1.0 + share) / BEYOND, 1.0) * (WIDTH - 4 - right)
    decades = math.log10(-share)
    if decades <= 0.0:
        return right - max(1.0 + decades / WITHIN, 0.0) * (right - left)
    return left - min(decades / BEYOND, 1.0) * (left - 4)


def strip(checks: Iterable[Check]) -> str:
    """The slacks of some checks on one line; empty where none applies."""
    marks = [_mark(check) for check in checks if check.verdict != "not applicable"]
    if not marks:
        return ""
    left, right = ROUNDING
    middle = HEIGHT // 2
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
        f'<rect class="band" x="{left}" y="0" width="{right - left}" height="{HEIGHT}"/>'
        f'<path class="axis" d="M0 {middle}H{WIDTH}"/>{"".join(marks)}</svg>'
    )


def scale() -> str:
    """The words under the parts of the scale."""
    left, right = ROUNDING
    places = (
        (left // 2, "violated"),
        ((left + right) // 2, "rounding"),
        ((right + WIDTH) // 2, "room"),
    )
    words = "".join(
        f'<text x="{x}" y="13" text-anchor="middle">{word}</text>' for x, word in places
    )
    return f'<svg class="strip scale" viewBox="0 0 {WIDTH} {HEIGHT}">{words}</svg>'


def _mark(check: Check) -> str:
    """A disc holds, a diamond is undecided, a cross fails."""
    x, y = position(check.slack, check.tolerance), HEIGHT / 2
    if check.verdict == "holds":
        return f'<circle class="holds" cx="{x:.1f}" cy="{y:g}" r="3.5"/>'
    if check.verdict == "undecided":
        return f'<path class="undecided" d="M{x - 5:.1f} {y:g}l5 -5l5 5l-5 5z"/>'
    return f'<path class="fails" d="M{x - 4:.1f} {y - 4:g}l8 8m0 -8l-8 8"/>'
