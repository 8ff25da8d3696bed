"""Along the trade-off: the policies as small maps, and what the temperature does to each number."""

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
from maxent.mdp import MDP, require_mdp
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
from maxent.plots.maps import grids, strips
from maxent.plots.style import (
    LINES,
    MARKERS,
    MUTED,
    PAPER,
    discount_text,
    figure_of,
    new_figure,
    styled,
)
from maxent.support.arguments import require_count
from maxent.tabular.occupancy import discounted_entropy, policy_return
from maxent.tabular.operators import entropy
from maxent.tabular.tradeoff import Tradeoff

OBJECTIVE = "objective\n(reward units, discounted)"
MAX_PANELS = 12
LIMITS: dict[float, dict[str, Any]] = {
    0.0: {"marker": "^", "linestyle": "none", "markersize": 7.0},
    np.inf: {"marker": "v", "linestyle": "none", "markersize": 7.0, "markerfacecolor": PAPER},
}
"""How the two ends are marked, as in `tradeoff`."""


@styled
def tradeoff_policies(
    mdp: MDP, curve: Tradeoff, temperatures: Sequence[float], *, columns: int = 4
) -> Figure:
    """The policies along the curve as small maps: arrows, on the entropy of each state.

    temperatures: up to 12, of the curve or others (these are solved for); 0 and inf are the ends.
    One colour scale, 0 to log A nats.  An MDP without a map gives the entropies by state.
    """
    require_mdp(mdp)
    curve_names([curve], None)
    columns = require_count("columns", columns)
    chosen = list(temperatures)
    if not 0 < len(chosen) <= MAX_PANELS:
        raise ConfigError(f"{len(chosen)} panels; give 1 to {MAX_PANELS} temperatures")
    if curve.mdp is not mdp and curve.mdp.reward.shape != mdp.reward.shape:
        raise ConfigError("the curve is of another MDP; pass the one it was made for")
    policies = [curve.policy(temperature) for temperature in chosen]
    with np.errstate(divide="ignore"):
        entropies = [np.abs(entropy(np.log(policy))) for policy in policies]
    most = float(np.log(mdp.action_mask[~mdp.terminal].sum(axis=1).max(initial=1)))
    limits = (0.0, most if most > 0.0 else 1.0)
    words = [_panel_title(mdp, t, policy) for t, policy in zip(chosen, policies)]
    if mdp.grid is None:
        return _policy_strips(mdp, entropies, chosen, limits)
    rows, wide = mdp.grid.shape
    across = min(len(chosen), columns)
    down = -(-len(chosen) // across)
    side = min(0.62, 2.7 / max(rows, wide))
    width = max(4.6, across * (max(2.3, wide * side) + 0.45) + 1.0)
    figure = new_figure(width, 1.25 + down * (rows * side + 0.85), square_cells=True)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for ax, policy, values, title in zip(axes, policies, entropies, words):
        mesh, entries = grids.draw_map(ax, mdp, policy, values, limits)
        ax.set_title(title, fontsize=8.5)
        ax.label_outer()
    for ax in axes[len(chosen) :]:
        ax.set_visible(False)
    bar = figure.colorbar(mesh, ax=list(axes), aspect=30, fraction=0.04, pad=0.02)
    bar.set_label(grids.ENTROPY_LABEL)
    bar.outline.set_visible(False)
    grids.mark_most(bar, limits)
    figure.suptitle(
        f"Policies along the trade-off, discount {discount_text(mdp.discount)}",
        x=0.01,
        ha="left",
        fontsize=10.0,
    )
    grids.legend(figure, entries)
    return figure


@styled
def reaching(
    *curves: Tradeoff,
    horizon: int | None = None,
    states: Sequence[int] | None = None,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Probability of reaching the goal against the temperature: within a horizon, and ever.

    horizon: steps; left out: 5/(1 - discount) of the first curve, beyond which the discount leaves
        less than 1 % of a reward.
    A curve that holds temperature 0 or inf has that limit marked at the left or right edge.
    states: the states to reach; left out: the goal cells of the map, else the terminal states.
    """
    names = curve_names(curves, labels)
    if horizon is None:
        horizon = max(1, round(5.0 / (1.0 - curves[0].mdp.discount)))
    own = ax is None
    if ax is None:
        ax = new_figure(6.4, 4.1).add_subplot()
    entries: list[Line2D] = []
    ever = [curve.reaching(None, states) for curve in curves]
    certain = all((chance > 1.0 - 1e-9).all() for chance in ever)
    for index, (curve, name) in enumerate(zip(curves, names)):
        colour, marker = LINES[index % len(LINES)], MARKERS[index % len(MARKERS)]
        whose = "" if len(curves) == 1 else f"{name}, "
        soon: dict[str, Any] = {"color": colour, "linestyle": "-", "marker": marker}
        chance = curve.reaching(horizon, states)
        _along(ax, curve, chance, **soon)
        _mark_limits(ax, curve, chance, colour)
        entries.append(Line2D([], [], label=f"{whose}within {horizon} steps", **soon))
        if not certain:
            late: dict[str, Any] = {"color": colour, "linestyle": ":", "marker": ""}
            _along(ax, curve, ever[index], **late)
            entries.append(Line2D([], [], label=f"{whose}ever", **late))
    if certain:
        entries.append(ax.axhline(1.0, color=MUTED, linestyle=":", label="ever: surely"))
    held = {end for curve in curves for end in LIMITS if end in curve.temperatures}
    for end in sorted(held):
        words = f"{_temperature_words(end)}, within {horizon} steps"
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
def tradeoff_by_temperature(*curves: Tradeoff, labels: Sequence[str] | None = None) -> Figure:
    """Return, entropy and objective, each against the temperature; the ends as dotted lines."""
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


def _temperature_words(temperature: float) -> str:
    alpha, arrow = "\N{GREEK SMALL LETTER ALPHA}", "\N{RIGHTWARDS ARROW}"
    if temperature == 0.0:
        return f"{alpha} {arrow} 0"
    if np.isinf(temperature):
        return f"{alpha} {arrow} \N{INFINITY}"
    return f"{alpha} = {temperature:g}"


def _panel_title(mdp: MDP, temperature: float, policy: ndarray) -> str:
    policy = policy / policy.sum(axis=1, keepdims=True)
    reward, nats = policy_return(mdp, policy), discounted_entropy(mdp, policy)
    reward_text = f"{reward:.3g}".replace("-", "\N{MINUS SIGN}")
    return f"{_temperature_words(temperature)}\nreturn {reward_text}, entropy {nats:.3g} nats"


def _policy_strips(
    mdp: MDP, entropies: Sequence[ndarray], temperatures: Sequence[float], limits: tuple
) -> Figure:
    listed = mdp.n_states <= strips.NAMED
    figure = new_figure(*((6.0, 1.6 + 0.24 * mdp.n_states) if listed else (7.5, 4.2)))
    ax = figure.add_subplot()
    for series, (values, temperature) in enumerate(zip(entropies, temperatures)):
        strips.draw_strip(
            ax,
            mdp,
            values,
            grids.ENTROPY_LABEL,
            bounds=None,
            limits=limits if series == 0 else None,
            name=_temperature_words(temperature),
            series=series,
        )
    ax.set_title(f"Policy entropies along the trade-off\ndiscount {discount_text(mdp.discount)}")
    figure.legend(loc="outside lower center", ncols=2 if listed else 4, markerscale=1.5)
    return figure
