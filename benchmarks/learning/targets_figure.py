"""The figure of `targets.py`: each error as a share of what its aim allows, one mark per seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maxent.plots.parts import curve_look, entries_of, headline, rule
from maxent.plots.style import INK, new_figure, styled

LEAST = 0.01
"""Smaller shares, 0 too, are drawn here."""


@styled
def targets_figure(used_up: Mapping[tuple[str, str], Mapping[str, Sequence[float]]]) -> Any:
    """A row for each measure of each task and algorithm; left of the line at 1 it is reached.

    used_up : {(task, algorithm): {measure: one number a seed}}.
    """
    rows = [(*run, measure) for run, found in used_up.items() for measure in found]
    kinds = list(dict.fromkeys(_kind(algorithm) for _, algorithm, _ in rows))
    figure = new_figure(8.0, 1.4 + 0.24 * len(rows))
    ax = figure.subplots()
    rule(ax)
    for place, (task, algorithm, measure) in enumerate(rows):
        found = [max(share, LEAST) for share in used_up[task, algorithm][measure]]
        look = curve_look(kinds.index(_kind(algorithm))) | {"linestyle": "", "alpha": 0.7}
        ax.plot(found, [place] * len(found), **look)
    ax.axvline(1.0, color=INK, linewidth=0.8)
    label = f"error / what the aim allows; 1 or less: reached ({LEAST:g} or less: left edge)"
    ax.set(xscale="log", xlim=(0.8 * LEAST, 12.0), ylim=(len(rows) - 0.4, -0.6), xlabel=label)
    ax.set_yticks(range(len(rows)), labels=[f"{task}, {name}: {m}" for task, name, m in rows])
    headline(figure, "Learning held against exact answers, one mark per seed")
    handles = entries_of(kinds)
    for handle in handles:
        handle.set_linestyle("")
    figure.legend(handles=handles, loc="outside lower center", ncols=len(kinds))
    return figure


def _kind(algorithm: str) -> str:
    """`sql` of `sql_uniform`: what a row is marked with; its whole name stands beside it."""
    return algorithm.partition("_")[0]
