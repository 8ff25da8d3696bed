"""Learning from samples: errors against the exact solution, and the bias of sampled soft values."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from maxent.errors import ConfigError
from maxent.plots.curves.convergence import common_settings, record_names
from maxent.plots.style import LINES, MARKERS, MUTED, figure_of, new_figure, require_records, styled
from maxent.support.arguments import require_kind
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
    if names is not None and len(names) != len(curves):
        raise ConfigError(f"names has {len(names)} entries; it must have {len(curves)}")
    own = ax is None
    if ax is None:
        ax = new_figure(7.0, 4.8).add_subplot()
    for index, each in enumerate(curves):
        colour, x = LINES[index % len(LINES)], each.checkpoints
        low, high = each.interval(level)
        if len(each.runs) > 1:
            ax.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0, zorder=2)
            for row in each.errors:
                ax.plot(x, row, color=colour, linewidth=0.5, alpha=0.3, zorder=1)
        ax.plot(
            x,
            each.mean,
            color=colour,
            linewidth=1.8,
            marker=MARKERS[index % len(MARKERS)],
            markevery=max(1, len(x) // 8),
            zorder=3,
        )
    ax.set_xscale("log")
    ax.set_yscale("log")
    _tick_decades(ax)
    ax.set_xlabel("samples (transitions)")
    ax.set_ylabel(f"{MEASURES[curves[0].measure]}\n(reward units, discounted)")
    handles = [
        Line2D([], [], color=LINES[i % len(LINES)], marker=MARKERS[i % len(MARKERS)], label=name)
        for i, name in enumerate(names or record_names(curves))
    ]
    if exponent is not None:
        handles.append(_draw_slope(ax, curves, exponent))
    ax.set_title(f"Learning from samples\n{', '.join(common_settings(curves))}")
    if own:
        figure_of(ax).legend(handles=handles, loc="outside lower center", ncols=2)
    else:
        ax.legend(handles=handles)
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
    own = ax is None
    if ax is None:
        ax = new_figure(7.0, 4.8).add_subplot()
    handles, unbiased, drawn = [], [], []
    for index, name in enumerate(record.names):
        gap, bar = -record.biases[index], 2.0 * record.errors[index]
        if (np.abs(gap) <= bar + 1e-12 * max(1.0, abs(record.exact))).all():
            unbiased.append(name)
            continue
        colour, marker = LINES[index % len(LINES)], MARKERS[index % len(MARKERS)]
        known = gap > bar  # the others are lost in noise
        drawn += gap[known].tolist()
        ax.errorbar(
            record.samples[known],
            gap[known],
            yerr=bar[known],
            color=colour,
            marker=marker,
            capsize=2.0,
            zorder=3,
        )
        predicted = -record.first_order[index]
        if np.isfinite(predicted).all():
            ax.plot(
                record.samples, predicted, color=colour, linestyle="--", linewidth=1.0, zorder=2
            )
        handles.append(Line2D([], [], color=colour, marker=marker, label=name))
    handles.append(
        Line2D([], [], color=MUTED, linestyle="--", linewidth=1.0, label="first-order bias")
    )
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    if drawn:
        ax.set_ylim(0.4 * min(drawn), 3.0 * max(drawn))
    ax.set_xticks(record.samples, labels=[str(size) for size in record.samples])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(LogLocator(numticks=9))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(axis="y", color="#e4e4e4", linewidth=0.6, zorder=0)
    ax.set_xlabel("sampled actions N")
    ax.set_ylabel("exact soft value \N{MINUS SIGN} mean estimate\n(reward units)")
    ax.set_title(
        f"Bias of the importance-sampled soft value\ntemperature {record.temperature:g}, one state"
    )
    if unbiased:
        note = f"no bias seen: {', '.join(unbiased)}"
        ax.annotate(note, (0.02, 0.03), xycoords="axes fraction", color=MUTED, fontsize=8.0)
    if own:
        figure_of(ax).legend(handles=handles, loc="outside lower center", ncols=3)
    else:
        ax.legend(handles=handles)
    return figure_of(ax)


def _draw_slope(ax: Axes, curves: tuple[ErrorCurves, ...], exponent: float) -> Line2D:
    """A dashed line of slope -exponent / 2 over the last decade, above every mean."""
    last = max(each.checkpoints[-1] for each in curves)
    x = np.array([0.1 * last, last])
    tops = [np.interp(math.log(x[0]), np.log(each.checkpoints), each.mean) for each in curves]
    y = 1.6 * max(tops) * (x / x[0]) ** (-exponent / 2.0)
    label = f"slope \N{MINUS SIGN}{exponent / 2:g}, for step sizes $n^{{-{exponent:g}}}$"
    ax.plot(x, y, color=MUTED, linestyle="--", linewidth=1.2, zorder=4)
    return Line2D([], [], color=MUTED, linestyle="--", linewidth=1.2, label=label)


def _tick_decades(ax: Axes) -> None:
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(numticks=9))
        axis.set_minor_locator(NullLocator())
    low, high = ax.get_ylim()
    if high / low < 1000.0:
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
        ax.yaxis.set_major_formatter("{x:g}")
    ax.grid(axis="y", color="#e4e4e4", linewidth=0.6, zorder=0)
