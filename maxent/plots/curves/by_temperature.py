"""What the temperature does: to return, entropy and objective, and to reaching the goal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.plots.curves.tradeoff import (
    DASHES,
    ENTROPY,
    RETURN,
    TEMPERATURE,
    curve_names,
    largest_reward,
    shared_discount,
    widen_point,
)
from maxent.plots.parts import add_legend, axes_for, curve_look, entry, rule, tick_decades
from maxent.plots.style import MUTED, PAPER, new_figure, styled
from maxent.tabular.tradeoff import Tradeoff

OBJECTIVE = "objective\n(reward units, discounted)"
LIMITS: dict[float, dict[str, Any]] = {
    0.0: {"marker": "^", "linestyle": "none", "markersize": 7.0},
    np.inf: {"marker": "v", "linestyle": "none", "markersize": 7.0, "markerfacecolor": PAPER},
}
"""How the two ends are marked, as in `tradeoff`."""


@styled
def reaching(
    *curves: Tradeoff,
    horizon: int | None = None,
    states: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Figure:
    """Probability of reaching the goal against the temperature: within a horizon, and ever.

    horizon: steps; left out: 5/(1 - discount) of the first curve, beyond which the discount leaves
        less than 1 % of a reward.
    A curve that holds temperature 0 or inf has that limit marked at the left or right edge.
    states: the states to reach; left out: the goal cells of the map, else the terminal states.

    title: in place of the usual one.
    """
    names = curve_names(curves, labels)
    if horizon is None:
        horizon = max(1, round(5.0 / (1.0 - curves[0].mdp.discount)))
    ax, own = axes_for(ax, 6.4, 4.1)
    entries: list[Line2D] = []
    ever = [curve.reaching(None, states) for curve in curves]
    certain = all((probability > 1.0 - 1e-9).all() for probability in ever)
    for index, (curve, name) in enumerate(zip(curves, names)):
        whose = "" if len(curves) == 1 and labels is None else f"{name}, "
        soon = curve_look(index) | {"linestyle": "-"}
        late = soon | {"linestyle": ":", "marker": ""}
        probability = curve.reaching(horizon, states)
        _along(ax, curve, probability, **soon)
        _mark_limits(ax, curve, probability, soon["color"])
        entries.append(entry(f"{whose}within {horizon} steps", **soon))
        if not certain:
            _along(ax, curve, ever[index], **late)
            entries.append(entry(f"{whose}ever", **late))
    if certain:
        entries.append(ax.axhline(1.0, color=MUTED, linestyle=":", label="ever: surely"))
    held = {end for curve in curves for end in LIMITS if end in curve.temperatures}
    for end in sorted(held):
        words = f"{temperature_words(end)}, within {horizon} steps"
        entries.append(entry(words, color=MUTED, **LIMITS[end]))
    _temperature_axis(ax, curves)
    rule(ax)
    ax.set(xlabel=TEMPERATURE, ylabel="probability of reaching the goal", ylim=(-0.03, 1.03))
    ax.set_title(f"Does it still arrive?{shared_discount(curves)}")
    return add_legend(ax, own, entries)


@styled
def tradeoff_by_temperature(
    *curves: Tradeoff, labels: Sequence[str] | None = None, title: str | None = None
) -> Figure:
    """Return, entropy and objective, each against the temperature; the ends as dotted lines.

    title: in place of the usual one.
    """
    names = curve_names(curves, labels)
    figure = new_figure(6.4, 6.8)
    axes = figure.subplots(3, 1, sharex=True)
    for index, curve in enumerate(curves):
        look = _dashed(index)
        columns = (curve.returns, curve.entropies, curve.objectives)
        ranges = (curve.return_range, curve.entropy_range, ())
        for ax, column, ends in zip(axes, columns, ranges):
            _along(ax, curve, column, **look)
            for end in ends:
                ax.axhline(end, color=look["color"], linestyle=":", linewidth=1.0, zorder=1)
    for ax, label in zip(axes, (RETURN, ENTROPY, OBJECTIVE)):
        ax.set_ylabel(label.replace(" (", "\n(") if "\n" not in label else label)
    rule(*axes)
    returns = np.concatenate([curve.returns for curve in curves])
    widen_point(axes[0].set_ylim, returns, largest_reward(curves))
    widen_point(axes[1].set_ylim, np.concatenate([curve.entropies for curve in curves]), 1.0)
    _temperature_axis(axes[0], curves)
    axes[2].set_xlabel(TEMPERATURE)
    axes[0].set_title(f"What the temperature does{shared_discount(curves)}")
    told = len(curves) > 1 or labels is not None
    entries = [entry(name, **_dashed(i)) for i, name in enumerate(names) if told]
    look = {"color": MUTED, "linestyle": ":", "linewidth": 1.0}
    entries.append(entry("limits at 0 and infinity", **look))
    figure.legend(handles=entries, loc="outside lower center", ncols=min(3, len(entries)))
    return figure


def _dashed(index: int) -> dict[str, Any]:
    return curve_look(index) | {"linestyle": DASHES[index % len(DASHES)]}


def _along(ax: Axes, curve: Tradeoff, column: ndarray, **look: Any) -> None:
    order = curve.order
    seen = order[(curve.temperatures[order] > 0.0) & np.isfinite(curve.temperatures[order])]
    every = max(1, len(seen) // 12)
    ax.plot(curve.temperatures[seen], column[seen], markevery=every, zorder=3, **look)


def _mark_limits(ax: Axes, curve: Tradeoff, column: ndarray, colour: str) -> None:
    """Triangles at the edges for temperature 0 and infinity, those that the curve holds."""
    for edge, end in enumerate(LIMITS):
        for value in column[curve.temperatures == end][:1]:
            look: Any = {"color": colour, "clip_on": False, "zorder": 5, "gid": f"end {end:g}"}
            ax.plot([edge], [value], transform=ax.get_yaxis_transform(), **look, **LIMITS[end])


def _temperature_axis(ax: Axes, curves: Sequence[Tradeoff]) -> None:
    if not any(((c.temperatures > 0.0) & np.isfinite(c.temperatures)).any() for c in curves):
        raise ConfigError("the curves hold no temperature between 0 and infinity to draw")
    ax.set_xscale("log")
    tick_decades(ax.xaxis)


def temperature_words(temperature: float) -> str:
    """A temperature in a legend or a title, the ends as limits."""
    alpha, arrow = "\N{GREEK SMALL LETTER ALPHA}", "\N{RIGHTWARDS ARROW}"
    if temperature == 0.0:
        return f"{alpha} {arrow} 0"
    if np.isinf(temperature):
        return f"{alpha} {arrow} \N{INFINITY}"
    return f"{alpha} = {temperature:g}"
