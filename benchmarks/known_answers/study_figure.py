"""The figure of `study.py`: a row for each cell, one mark a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.lines import Line2D

from maxent.plots.style import INK, LINES, MARKERS, MUTED, new_figure, styled

KINDS = ("two Q's, the smaller counts", "one Q", "others, as named")
PANELS = (
    ("policy", "KL(agent's policy || π*), nats"),
    ("shift", "mean of V - V*, in deviations of V*"),
    ("spread", "deviation of V - V*, in deviations of V*"),
)


@styled
def study_figure(rows: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> Any:
    """How far the policy, the level of values and their shape are from the answer.

    rows : {row: {one of KINDS: {"policy" | "shift" | "spread": one number a seed}}}.
    """
    figure = new_figure(10.0, 1.5 + 0.25 * len(rows))
    axes = figure.subplots(1, 3, sharey=True)
    for (measure, label), ax in zip(PANELS, axes, strict=True):
        for place, found in enumerate(rows.values()):
            for kind, numbers in found.items():
                index = KINDS.index(kind)
                seeds = numbers[measure]
                height = place + (0.0 if len(found) == 1 else 0.36 * index - 0.18)
                ax.plot(
                    seeds,
                    [height] * len(seeds),
                    MARKERS[index],
                    color=LINES[index],
                    markersize=4.5,
                    alpha=0.75,
                )
        ax.set_xlabel(label)
        ax.grid(axis="y", color="#e4e4e4", linewidth=0.6, zorder=0)
    axes[0].set_xscale("log")
    axes[1].axvline(0.0, color=INK, linewidth=0.8)
    axes[1].axvline(-0.5, color=MUTED, linewidth=0.8, linestyle=":")
    axes[1].set_xscale("symlog", linthresh=1.0)
    ticks = (-10.0, -3.0, -1.0, -0.5, 0.0, 0.5)
    axes[1].set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks], minor=False)
    axes[1].minorticks_off()
    axes[1].set_xlim(-25.0, 1.0)
    axes[2].set_xlim(left=0.0)
    axes[0].set_yticks(range(len(rows)), labels=list(rows))
    axes[0].set_ylim(len(rows) - 0.4, -0.6)
    title = (
        "Agents held against known answers, one mark a seed\n"
        "base: a point in a box, temperature 0.2, discount 0.95, sac with two Q's, 3,000 steps; "
        "each row changes what it names"
    )
    figure.suptitle(title, x=0.01, ha="left")
    handles = [
        Line2D([], [], color=LINES[i], marker=MARKERS[i], linestyle="", label=kind)
        for i, kind in enumerate(KINDS)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(KINDS))
    return figure
