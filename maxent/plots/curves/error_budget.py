"""An error budget: a bar for each approximation, its size on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent.errors import ConfigError
from maxent.plots.parts import entry, headline, rule, tick_decades
from maxent.plots.style import INK, LINES, MUTED, new_figure, styled
from maxent.support.arguments import require_kind

PANELS = (
    ("value_rms", "error of V, visited root mean square\n(reward units, discounted)"),
    ("loss", "J(optimal) \N{MINUS SIGN} J(policy)\n(reward units, discounted)"),
)


@styled
def error_budget(
    budget: Mapping[str, Mapping[str, Sequence[float]]], *, title: str = "Error budget"
) -> Figure:
    """Two bars a row, from top to bottom: the error of V and the loss of the policy.

    budget: {row: {"value_rms": one number a seed, "value_max": ..., "loss": ...}}; a bar ends at
    the mean over seeds, dots are seeds, the tick is the mean of the largest error.  Rows whose
    names begin with the same word (the rung) share a colour.  A quantity that a row lacks, or that
    is not positive, is not drawn.
    """
    require_kind("budget", budget, Mapping)
    for name, row in budget.items():
        require_kind("a name of a row", name, str)
        require_kind(f"budget[{name!r}]", row, Mapping)
    if not budget:
        raise ConfigError("error_budget() needs at least one row")
    rungs = list(dict.fromkeys(name.split()[0] for name in budget))
    figure = new_figure(10.0, 1.5 + 0.27 * len(budget))
    axes = figure.subplots(1, 2, sharey=True, squeeze=False)[0]
    for ax, (quantity, label) in zip(axes, PANELS):
        for place, (name, found) in enumerate(budget.items()):
            colour = LINES[rungs.index(name.split()[0]) % len(LINES)]
            _draw(ax, place, found.get(quantity, ()), colour)
            if quantity == "value_rms":
                _mark(ax, place, found.get("value_max", ()))
        ax.set(xscale="log", xlabel=label, xlim=_range(budget, quantity))
        tick_decades(ax.xaxis)
        ax.tick_params(axis="y", length=0.0)
    rule(*axes, along="x")
    axes[0].set_yticks(range(len(budget)), labels=list(budget))
    axes[0].tick_params(axis="y", labelcolor=INK)
    axes[0].set_ylim(len(budget) - 0.4, -0.6)
    headline(figure, title)
    handles = [
        entry("mean over seeds", color=MUTED, linewidth=6.0, alpha=0.5),
        entry("a seed", color=INK, marker="o", linestyle="", markersize=3.0),
        entry("largest error", color=INK, marker="|", linestyle="", markersize=9.0),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _draw(ax: Axes, place: int, seeds: Sequence[float], colour: str) -> None:
    values = _positive(seeds)
    if values.size:
        ax.barh(place, values.mean(), height=0.66, color=colour, alpha=0.55, zorder=2)
        ax.plot(values, np.full(values.size, place), "o", color=INK, markersize=2.4, zorder=3)


def _mark(ax: Axes, place: int, seeds: Sequence[float]) -> None:
    values = _positive(seeds)
    if values.size:
        ax.plot(values.mean(), place, "|", color=INK, markersize=9.0, zorder=3)


def _positive(seeds: Sequence[float]) -> np.ndarray:
    values = np.asarray(seeds, dtype=float)
    found: np.ndarray = values[np.isfinite(values) & (values > 0.0)]
    return found


def _range(
    budget: Mapping[str, Mapping[str, Sequence[float]]], quantity: str
) -> tuple[float, float]:
    """Whole decades around everything that is drawn."""
    drawn = [_positive(row.get(quantity, ())) for row in budget.values()]
    if quantity == "value_rms":
        largest = [_positive(row.get("value_max", ())) for row in budget.values()]
        drawn += [values.mean(keepdims=True) for values in largest if values.size]
    values = np.concatenate(drawn)
    if not values.size:
        return 0.1, 1.0
    return 10.0 ** np.floor(np.log10(values.min())), 10.0 ** np.ceil(np.log10(values.max()) + 0.02)
