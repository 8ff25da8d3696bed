"""Learning from samples: errors against the exact solution, and the bias of sampled soft values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from maxent.errors import ConfigError
from maxent.plots.curves.convergence import common_settings, record_names
from maxent.plots.parts import (
    add_legend,
    axes_for,
    curve_look,
    entries_of,
    entry,
    rule,
    tick_decades,
)
from maxent.plots.style import MUTED, figure_of, require_records, styled
from maxent.support.arguments import require_kind, require_names
from maxent.tabular.sampled import ErrorCurves
from maxent.tabular.sampled.estimators import ImportanceBias

MEASURES = {"max": "largest error, max |Q \N{MINUS SIGN} Q exact|", "rms": "root-mean-square error"}


@styled
def error_curves(
    *curves: ErrorCurves,
    names: tuple[str, ...] | list[str] | None = None,
    exponent: float | None = 0.75,
    level: float = 0.95,
    ax: Axes | None = None,
    title: str | None = None,
) -> Figure:
    """Error to the exact values against samples, both logarithmic: a thin line for each seed, a
    thick one for their geometric mean, a band for its confidence interval.

    curves: results of `maxent.tabular.sampled.error_curves`, of one `measure`.  names: what to call
    them; left out: the learner, with its temperature or discount where they differ.  exponent: of
    the step sizes; a dashed line shows the slope -exponent / 2 that Robbins-Monro steps tend to;
    None: no line.  ax: draw there instead of in a new figure.  Returns the figure.

    title: in place of the usual one.
    """
    require_records("error_curves", curves, ErrorCurves, "maxent.tabular.sampled.error_curves")
    if not curves or len({each.measure for each in curves}) > 1:
        raise ConfigError("error_curves() needs one or more curves, all with the same measure")
    names = None if names is None else require_names("names", names, len(curves))
    ax, own = axes_for(ax, 7.0, 4.8)
    for index, each in enumerate(curves):
        look, x = curve_look(index), each.checkpoints
        low, high = each.interval(level)
        if len(each.runs) > 1:
            ax.fill_between(x, low, high, color=look["color"], alpha=0.25, linewidth=0, zorder=2)
            for row in each.errors:
                ax.plot(x, row, color=look["color"], linewidth=0.5, alpha=0.3, zorder=1)
        ax.plot(x, each.mean, linewidth=1.8, markevery=max(1, len(x) // 8), zorder=3, **look)
    ax.set(xscale="log", yscale="log", xlabel="samples (transitions)")
    _tick(ax)
    ax.set_ylabel(f"{MEASURES[curves[0].measure]}\n(reward units, discounted)")
    handles = entries_of(names or record_names(curves))
    if exponent is not None:
        handles.append(_draw_slope(ax, curves, exponent))
    ax.set_title(f"Learning from samples\n{', '.join(common_settings(curves))}")
    add_legend(ax, own, handles)
    seeds = {len(each.runs) for each in curves}
    if max(seeds) > 1:
        count = "/".join(map(str, sorted(seeds)))
        note = f"{count} seeds; band: {level:.0%} interval of the geometric mean"
        ax.annotate(note, (0.02, 0.02), xycoords="axes fraction", color=MUTED, fontsize=7.5)
    return figure_of(ax)


@styled
def importance_bias(
    record: ImportanceBias, *, ax: Axes | None = None, title: str | None = None
) -> Figure:
    """The bias of the importance-sampled soft value (SQL Eq. 10) against the number of samples,
    for each proposal, with the first-order bias, -alpha Var(w) / (2 N E[w]^2), dashed.

    The estimate is biased low: what is drawn is exact minus mean estimate, on log axes, with bars
    of two standard errors.  Where the weights have a huge variance the first-order bias lies far
    above the figure: it says nothing at these N.  A proposal whose bias is 0 within the bars
    everywhere is named beside the curves.
    record: of `maxent.tabular.sampled.estimators.importance_bias`.

    title: in place of the usual one.
    """
    require_kind("record", record, ImportanceBias)
    ax, own = axes_for(ax, 7.0, 4.8)
    handles, unbiased, drawn = [], [], []
    for index, name in enumerate(record.names):
        gap, bar = -record.biases[index], 2.0 * record.errors[index]
        if (np.abs(gap) <= bar + 1e-12 * max(1.0, abs(record.exact))).all():
            unbiased.append(name)
            continue
        look = curve_look(index)
        known = gap > bar  # the others are lost in noise
        drawn += gap[known].tolist()
        x, y, spread = record.samples[known], gap[known], bar[known]
        ax.errorbar(x, y, yerr=spread, capsize=2.0, zorder=3, **look)
        predicted = -record.first_order[index]
        if np.isfinite(predicted).all():
            dashes: Any = {"linestyle": "--", "linewidth": 1.0, "zorder": 2}
            ax.plot(record.samples, predicted, color=look["color"], **dashes)
        handles.append(entry(name, **look))
    handles.append(entry("first-order bias", color=MUTED, linestyle="--", linewidth=1.0))
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    if drawn:
        ax.set_ylim(0.4 * min(drawn), 3.0 * max(drawn))
    ax.set_xticks(record.samples, labels=[str(size) for size in record.samples])
    ax.xaxis.set_minor_locator(NullLocator())
    tick_decades(ax.yaxis)
    rule(ax)
    ax.set_xlabel("sampled actions N")
    ax.set_ylabel("exact soft value \N{MINUS SIGN} mean estimate\n(reward units)")
    ax.set_title(
        f"Bias of the importance-sampled soft value\ntemperature {record.temperature:g}, one state"
    )
    if unbiased:
        note = f"no bias seen: {', '.join(unbiased)}"
        ax.annotate(note, (0.02, 0.03), xycoords="axes fraction", color=MUTED, fontsize=8.0)
    return add_legend(ax, own, handles, 3)


def _draw_slope(ax: Axes, curves: tuple[ErrorCurves, ...], exponent: float) -> Line2D:
    """A dashed line of slope -exponent / 2 over the last decade, above every mean."""
    last = max(each.checkpoints[-1] for each in curves)
    x = np.array([0.1 * last, last])
    tops = [np.interp(math.log(x[0]), np.log(each.checkpoints), each.mean) for each in curves]
    y = 1.6 * max(tops) * (x / x[0]) ** (-exponent / 2.0)
    label = f"slope \N{MINUS SIGN}{exponent / 2:g}, for step sizes $n^{{-{exponent:g}}}$"
    ax.plot(x, y, color=MUTED, linestyle="--", linewidth=1.2, zorder=4)
    return entry(label, color=MUTED, linestyle="--", linewidth=1.2)


def _tick(ax: Axes) -> None:
    tick_decades(ax.xaxis, ax.yaxis)
    low, high = ax.get_ylim()
    if high / low < 1000.0:
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
        ax.yaxis.set_major_formatter("{x:g}")
    rule(ax)
