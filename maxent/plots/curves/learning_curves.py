"""Training runs by environment step: the interquartile mean over seeds, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from maxent.errors import ConfigError
from maxent.plots.parts import curve_look, entries_of, grid_of_axes, headline, rule
from maxent.plots.style import MAX_PANELS, new_figure, styled
from maxent.statistics import LearningCurve, is_range
from maxent.support.arguments import require_kind


@styled
def learning_curves(
    tasks: Mapping[str, Mapping[str, LearningCurve]],
    *,
    score: str = "return (undiscounted)",
    columns: int = 3,
    title: str | None = None,
) -> Figure:
    """A panel for each task, in it a line for each algorithm: the interquartile mean over its runs,
    a band for the bootstrap interval of that mean, a thin line for each run.

    tasks: {task: {algorithm: curve}}, of `maxent.statistics.learning_curve`; 12 tasks at
    most.  An algorithm has one colour and one marker in all panels.  score: what is on the y axis.

    title: in place of the usual one.
    """
    require_kind("tasks", tasks, Mapping)
    for task, curves in tasks.items():
        require_kind(f"tasks[{task!r}]", curves, Mapping)
        for name, curve in curves.items():
            require_kind(f"tasks[{task!r}][{name!r}]", curve, LearningCurve)
    names = list(dict.fromkeys(name for curves in tasks.values() for name in curves))
    if not names or len(tasks) > MAX_PANELS:
        raise ConfigError(f"{len(tasks)} tasks with {len(names)} curves; give 1 to {MAX_PANELS}")
    across = min(columns, len(tasks))
    down = -(-len(tasks) // across)
    entries = -(-len(names) // 2)
    figure = new_figure(1.4 + max(5.2, 4.0 * across), 0.9 + 3.3 * down + 0.17 * entries)
    axes = grid_of_axes(figure, len(tasks), columns, shared=False)
    rule(*axes)
    for ax, (task, curves) in zip(axes, tasks.items()):
        for name, curve in curves.items():
            _draw(ax, curve, names.index(name))
        ax.set_title(task, fontsize=9.0, parse_math=False)
        ax.set(xlabel="environment steps", ylabel=score)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    headline(figure, f"Learning curves\n{_words(tasks)}")
    legend = figure.legend(handles=entries_of(names), loc="outside lower center", ncols=2)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _draw(ax: Axes, curve: LearningCurve, index: int) -> None:
    look = curve_look(index)
    colour = look["color"]
    if len(curve.runs) > 1:
        band: Any = {"color": colour, "alpha": 0.2, "linewidth": 0, "zorder": 2}
        ax.fill_between(curve.steps, curve.low, curve.high, **band)
        for row in curve.runs:
            ax.plot(curve.steps, row, color=colour, linewidth=0.5, alpha=0.35, zorder=1)
    every = max(1, len(curve.steps) // 8)
    ax.plot(curve.steps, curve.mean, markevery=every, zorder=3, **look)


def _words(tasks: Mapping[str, Mapping[str, LearningCurve]]) -> str:
    """How many runs a line stands for, and what the band is."""
    curves = [curve for curves in tasks.values() for curve in curves.values()]
    counts = sorted({len(curve.runs) for curve in curves})
    runs = "/".join(map(str, counts)) + (" run" if counts == [1] else " runs")
    if counts == [1]:
        return f"{runs} a line"
    levels = "/".join(f"{level:.0%}" for level in sorted({curve.level for curve in curves}))
    band = f"{levels} bootstrap interval"
    if all(is_range(curve.runs, curve.low, curve.high) for curve in curves):
        band = "their range"  # as far as so few runs can tell
    return f"interquartile mean of {runs} a line; band: {band}; thin: each run"
