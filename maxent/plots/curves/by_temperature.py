"""What the temperature does: to return, entropy and objective, and to reaching the goal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator
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
from maxent.plots.style import LINES, MARKERS, MUTED, PAPER, figure_of, new_figure, styled
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
    own = ax is None
    if ax is None:
        ax = new_figure(6.4, 4.1).add_subplot()
    entries: list[Line2D] = []
    ever = [curve.reaching(None, states) for curve in curves]
    certain = all((probability > 1.0 - 1e-9).all() for probability in ever)
    for index, (curve, name) in enumerate(zip(curves, names)):
        colour, marker = LINES[index % len(LINES)], MARKERS[index % len(MARKERS)]
        whose = "" if len(curves) == 1 else f"{name}, "
        soon: dict[str, Any] = {"color": colour, "linestyle": "-", "marker": marker}
        probability = curve.reaching(horizon, states)
        _along(ax, curve, probability, **soon)
        _mark_limits(ax, curve, probability, colour)
        entries.append(Line2D([], [], label=f"{whose}within {horizon} steps", **soon))
        if not certain:
            late: dict[str, Any] = {"color": colour, "linestyle": ":", "marker": ""}
            _along(ax, curve, ever[index], **late)
            entries.append(Line2D([], [], label=f"{whose}ever", **late))
    if certain:
        entries.append(ax.axhline(1.0, color=MUTED, linestyle=":", label="ever: surely"))
    held = {end for curve in curves for end in LIMITS if end in curve.temperatures}
    for end in sorted(held):
        words = f"{temperature_words(end)}, within {horizon} steps"
        entries.append(Line2D([], [], label=words, color=MUTED, **LIMITS[end]))
    _temperature_axis(ax, curves)
    ax.set_xlabel(TEMPERATURE)
    ax.set_ylabel("probability of reaching the goal")
    ax.set_ylim(-0.03, 1.03)
    ax.grid(axis="y", color="#e4e4e4", linewidth=0.6, zorder=0)
    ax.set_title(f"Does it still arrive?{shared_discount(curves)}")
    if own:
        figure_of(ax).legend(handles=entries, loc="outside lower center", ncols=2)
    else:
        ax.legend(handles=entries, loc="best")
    return figure_of(ax)


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
        colour, marker = LINES[index % len(LINES)], MARKERS[index % len(MARKERS)]
        look: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "linestyle": DASHES[index % len(DASHES)],
        }
        columns = (curve.returns, curve.entropies, curve.objectives)
        ranges = (curve.return_range, curve.entropy_range, ())
        for ax, column, ends in zip(axes, columns, ranges):
            _along(ax, curve, column, **look)
            for end in ends:
                ax.axhline(end, color=colour, linestyle=":", linewidth=1.0, zorder=1)
    for ax, label in zip(axes, (RETURN, ENTROPY, OBJECTIVE)):
        ax.set_ylabel(label.replace(" (", "\n(") if "\n" not in label else label)
        ax.grid(axis="y", color="#e4e4e4", linewidth=0.6, zorder=0)
    returns = np.concatenate([curve.returns for curve in curves])
    widen_point(axes[0].set_ylim, returns, largest_reward(curves))
    widen_point(axes[1].set_ylim, np.concatenate([curve.entropies for curve in curves]), 1.0)
    _temperature_axis(axes[0], curves)
    axes[2].set_xlabel(TEMPERATURE)
    axes[0].set_title(f"What the temperature does{shared_discount(curves)}")
    limit = Line2D(
        [], [], color=MUTED, linestyle=":", linewidth=1.0, label="limits at 0 and infinity"
    )
    entries = [limit]
    if len(curves) > 1:
        entries = [
            Line2D(
                [],
                [],
                color=LINES[i % len(LINES)],
                marker=MARKERS[i % len(MARKERS)],
                linestyle=DASHES[i % len(DASHES)],
                label=name,
            )
            for i, name in enumerate(names)
        ] + entries
    figure.legend(handles=entries, loc="outside lower center", ncols=min(3, len(entries)))
    return figure


def _along(ax: Axes, curve: Tradeoff, column: ndarray, **look: Any) -> None:
    order = curve.order
    seen = order[(curve.temperatures[order] > 0.0) & np.isfinite(curve.temperatures[order])]
    every = max(1, len(seen) // 12)
    ax.plot(curve.temperatures[seen], column[seen], markevery=every, zorder=3, **look)


def _mark_limits(ax: Axes, curve: Tradeoff, column: ndarray, colour: str) -> None:
    """Triangles at the edges for temperature 0 and infinity, those that the curve holds."""
    for edge, end in enumerate(LIMITS):
        for value in column[curve.temperatures == end][:1]:
            ax.plot(
                [edge],
                [value],
                transform=ax.get_yaxis_transform(),
                color=colour,
                clip_on=False,
                zorder=5,
                gid=f"end {end:g}",
                **LIMITS[end],
            )


def _temperature_axis(ax: Axes, curves: Sequence[Tradeoff]) -> None:
    if not any(((c.temperatures > 0.0) & np.isfinite(c.temperatures)).any() for c in curves):
        raise ConfigError("the curves hold no temperature between 0 and infinity to draw")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(numticks=9))
    ax.xaxis.set_minor_locator(NullLocator())


def temperature_words(temperature: float) -> str:
    """A temperature in a legend or a title, the ends as limits."""
    alpha, arrow = "\N{GREEK SMALL LETTER ALPHA}", "\N{RIGHTWARDS ARROW}"
    if temperature == 0.0:
        return f"{alpha} {arrow} 0"
    if np.isinf(temperature):
        return f"{alpha} {arrow} \N{INFINITY}"
    return f"{alpha} = {temperature:g}"
