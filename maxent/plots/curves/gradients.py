"""Gradient methods step by step: how far the policies are from optimal, and what they earn."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.plots.curves.convergence import say_unknown
from maxent.plots.parts import curve_look, entries_of, entry, headline, rule, tick_decades
from maxent.plots.style import INK, LINES, MUTED, discount_text, new_figure, require_records, styled
from maxent.tabular.softmax_policies import GradientTrace

TICKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


@styled
def gradients(*traces: GradientTrace, title: str | None = None) -> Figure:
    """The worst state's shortfall V* - V^pi by step, and the objective J by step (PG, NPG).

    traces: results of `maxent.tabular.policy_gradient` on one problem, a colour, a marker and an
    entry in the legend each.  `natural_policy_gradient` with its largest step is soft policy
    iteration, and makes the reference to compare with.  Dotted: the bound of theory, for the
    natural gradients that have one.  Errors are drawn no lower than V* itself is known (grey).

    title: in place of the usual one.
    """
    if not traces:
        raise ConfigError("gradients() needs at least one trace; see maxent.tabular")
    require_records("gradients", traces, GradientTrace, "maxent.natural_policy_gradient and others")
    if len({(trace.temperature, trace.discount, trace.optimum) for trace in traces}) > 1:
        raise ConfigError("the traces are of different problems; draw one problem a figure")
    figure = new_figure(9.2, 4.4 + 0.16 * (len(traces) // 2))
    left, right = figure.subplots(1, 2)
    for index, trace in enumerate(traces):
        _draw(left, "error", np.maximum(trace.errors, trace.reference_error), index)
        if not np.isnan(trace.theoretical).all():
            steps = np.arange(trace.iterations + 1)
            left.plot(steps, trace.theoretical, ":", color=LINES[index % len(LINES)], linewidth=1.2)
        _draw(right, "objective", trace.objectives, index)
    _error_axis(left, traces)
    right.axhline(traces[0].optimum, color=INK, linestyle="--", linewidth=1.0, zorder=1)
    right.set_ylabel("objective J (reward units, discounted)")
    rule(left, right)
    for ax in (left, right):
        _step_axis(ax, max(trace.iterations for trace in traces))
    headline(
        figure,
        f"Policy gradients: temperature {traces[0].temperature:g}, "
        f"discount {discount_text(traces[0].discount)}",
    )
    figure.legend(handles=_legend(traces), loc="outside lower center", ncols=2)
    return figure


def _draw(ax: Axes, name: str, curve: ndarray, index: int) -> None:
    """A curve with about ten markers, evenly spaced on the axis of steps."""
    length = len(curve)
    spread = np.unique(np.geomspace(1, max(length - 1, 1), 10).round().astype(int))
    marked = range(length) if length <= 20 else [0, *spread]
    ax.plot(
        np.arange(length),
        curve,
        **curve_look(index),
        markevery=[int(k) for k in marked if k < length],
        linewidth=1.4,
        zorder=3,
        gid=f"{name} {index}",
    )


def _step_axis(ax: Axes, last: int) -> None:
    """Steps, linear up to 10 and logarithmic beyond where there are many."""
    ax.set_xlabel("step k")
    if last <= 30:
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
        return
    ax.set_xscale("symlog", linthresh=10, linscale=1.0)
    ticks = [tick for tick in TICKS if tick <= 1.1 * last and tick not in (1, 2)]
    ax.set_xticks(ticks, labels=[str(tick) for tick in ticks])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(-0.4, 1.1 * last)
    ax.set_xlabel("step k (from 10 on a logarithmic axis)")


def _error_axis(ax: Axes, traces: tuple[GradientTrace, ...]) -> None:
    known = max(trace.reference_error for trace in traces)
    shown = np.concatenate([np.maximum(trace.errors, known) for trace in traces])
    bottom = max(float(shown.min()), 1e-300)
    ax.set_yscale("log")
    ax.set_ylim(bottom / 8.0, 5.0 * max(float(shown.max()), bottom))
    if known > 0.0 and bottom <= 2.0 * known:
        ax.axhspan(bottom / 8.0, known, color="#ececec", zorder=0, linewidth=0)
        say_unknown(ax, (0.01, known), (0, -6))
    ax.set_ylabel("largest shortfall, max V* \N{MINUS SIGN} V\n(reward units, discounted)")
    tick_decades(ax.yaxis)


def _legend(traces: tuple[GradientTrace, ...]) -> list[Line2D]:
    entries = entries_of([trace.method for trace in traces])
    if any(not np.isnan(trace.theoretical).all() for trace in traces):
        entries.append(entry("bound of theory", color=MUTED, linestyle=":"))
    return [*entries, entry("J*, the optimum", color=INK, linestyle="--")]
