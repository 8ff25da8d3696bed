"""The figure of `targets.py`: each error as a share of what its aim allows, one mark per seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.lines import Line2D

from maxent.plots.style import INK, LINES, MARKERS, new_figure, styled

LEAST = 0.01
"""Smaller shares, 0 too, are drawn here."""


@styled
def targets_figure(used_up: Mapping[tuple[str, str], Mapping[str, Sequence[float]]]) -> Any:
    """A row for each measure of each task and algorithm; left of the line at 1 it is reached.

    used_up : {(task, algorithm): {measure: one number a seed}}.
    """
    rows = [(*run, measure) for run, found in used_up.items() for measure in found]
    algorithms = list(dict.fromkeys(algorithm for _, algorithm, _ in rows))
    figure = new_figure(8.0, 1.4 + 0.24 * len(rows))
    ax = figure.subplots()
    for place, (task, algorithm, measure) in enumerate(rows):
        found = [max(share, LEAST) for share in used_up[task, algorithm][measure]]
        index = algorithms.index(algorithm)
        ax.plot(found, [place] * len(found), MARKERS[index], color=LINES[index], alpha=0.7)
    ax.axvline(1.0, color=INK, linewidth=0.8)
    ax.set_xscale("log")
    ax.set_xlim(0.8 * LEAST, 12.0)
    ax.set_xlabel(f"error / what the aim allows; 1 or less: reached ({LEAST:g} or less: left edge)")
    ax.set_yticks(range(len(rows)), labels=[f"{task}, {name}: {m}" for task, name, m in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(axis="y", color="#e4e4e4", linewidth=0.6, zorder=0)
    figure.suptitle("Learning held against exact answers, one mark per seed", x=0.01, ha="left")
    handles = [
        Line2D([], [], color=LINES[i], marker=MARKERS[i], linestyle="", label=name)
        for i, name in enumerate(algorithms)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(algorithms))
    return figure
