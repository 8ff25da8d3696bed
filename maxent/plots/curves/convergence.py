"""Errors by iteration, under the bounds that theory and the solvers give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.plots.parts import add_legend, axes_for, entries_of, entry, rule, tick_decades
from maxent.plots.style import LINES, MARKERS, MUTED, discount_text, require_records, styled
from maxent.tabular.solvers.convergence import Convergence

ERROR_LABEL = "largest error over states, max |V \N{MINUS SIGN} V*|\n(reward units, discounted)"
Kind: TypeAlias = tuple[str, Literal["-", "--", ":", "-."], str]
KINDS: tuple[Kind, ...] = (
    ("error", "-", "error of the iterate $V_k$, measured"),
    ("certified", "--", "bound certified by the solver"),
    ("theoretical", ":", "bound of theory, $\\gamma^k\\,\\|V_0 - V^*\\|$"),
    ("midpoint", "-.", "error of the certified interval's midpoint"),
)


@styled
def convergence(*records: Convergence, ax: Axes | None = None, title: str | None = None) -> Figure:
    """Error per iteration on a log axis, with the theoretical and the certified bound above it.

    records: one or more results of `maxent.tabular.solvers.convergence.convergence`, a
    colour and a marker each.  The grey band is where the reference V* itself is not known; errors
    are drawn no lower than its top.

    ax: draw there instead of in a new figure.  Returns the figure.

    title: in place of the usual one.
    """
    if not records:
        raise ConfigError(
            "convergence() needs at least one record; see maxent.tabular.solvers.convergence"
        )
    require_records(
        "convergence", records, Convergence, "maxent.tabular.solvers.convergence.convergence"
    )
    ax, own = axes_for(ax, 7.0, 4.8)
    for index, record in enumerate(records):
        _draw_record(ax, record, index, alone=len(records) == 1)
    log_axis(ax, records)
    _iteration_axis(ax, [len(record.errors) - 1 for record in records])
    ax.set_title(f"Convergence to the soft-optimal value\n{shared_settings(records)}")
    drawn = [curves_of(record) for record in records]
    handles = _legend(records, [kind for kind in KINDS if any(kind[0] in each for each in drawn)])
    return add_legend(ax, own, handles)


def _legend(records: tuple[Convergence, ...], kinds: Sequence[Kind]) -> list[Line2D]:
    """One record: an entry a curve.  Several: a colour and marker each, and what a dash means."""
    if len(records) == 1:
        return [
            entry(name, color=LINES[i], linestyle=dash, marker="" if i else "o")
            for i, (key, dash, name) in enumerate(KINDS)
            if key in [kind[0] for kind in kinds]
        ]
    dashes = [entry(name, color=MUTED, linestyle=dash) for _, dash, name in kinds]
    return [*entries_of(record_names(records)), *dashes]


def _iteration_axis(ax: Axes, lengths: Sequence[int]) -> None:
    """Iterations, linear; by log(1 + k) where one solver takes many times another's."""
    ax.set_xlabel("iteration k")
    if max(lengths) > 5 * min(lengths) and max(lengths) > 30:
        ax.set_xscale("function", functions=(_log1p, np.expm1))
        ticks = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000]
        ticks = [tick for tick in ticks if tick <= 1.1 * max(lengths)]
        ax.set_xticks(ticks, labels=[str(tick) for tick in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlabel("iteration k (scale of log(1 + k))")
        ax.set_xlim(-0.1, 1.1 * max(lengths))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))
        ax.margins(x=0.02)


def _log1p(iteration: ndarray) -> ndarray:
    found: ndarray = np.log1p(np.maximum(iteration, -0.9))
    return found


def _draw_record(ax: Axes, record: Convergence, index: int, alone: bool) -> None:
    marker = MARKERS[index % len(MARKERS)]
    curves = curves_of(record)
    for order, (name, dash, _) in enumerate(KINDS):
        if name not in curves:
            continue
        curve = curves[name]
        measured = name == "error"
        colour = LINES[(order if alone else index) % len(LINES)]
        ax.semilogy(
            record.iterations,
            np.where(curve > 0.0, curve, np.nan),
            color=colour,
            linestyle=dash,
            linewidth=1.8 if measured else 1.2,
            marker=marker if measured or len(curve) < 8 else None,
            markersize=4.0 if measured else 3.0,
            markerfacecolor=colour if measured else "white",
            markevery=max(1, len(curve) // 12),
            zorder=3 if measured else 2,
            gid=f"{name} {index}",
        )


def curves_of(record: Convergence) -> dict[str, ndarray]:
    """What there is to draw: errors no lower than V* is known; the midpoint only where it ends far
    below the iterate."""
    known = record.reference_error
    curves = {"error": np.maximum(record.errors, known), "certified": record.certified}
    if not np.isnan(record.theoretical).all():
        curves["theoretical"] = record.theoretical
    if record.midpoint_errors[-1] < 0.1 * record.errors[-1]:
        curves["midpoint"] = np.maximum(record.midpoint_errors, known)
    return curves


def log_axis(ax: Axes, records: tuple[Convergence, ...]) -> None:
    """Decades on the y axis, and a band below which V* is not known."""
    unknown = max(record.reference_error for record in records)
    seen = np.concatenate([curve for record in records for curve in curves_of(record).values()])
    low = min(float(seen[seen > 0.0].min(initial=1.0)), 1.0)
    if unknown > 0.0 and low < 30.0 * unknown:
        bottom = min(ax.get_ylim()[0], unknown / 30.0)
        ax.axhspan(bottom, unknown, color="#ececec", zorder=0, linewidth=0)
        ax.set_ylim(bottom=bottom)
        say_unknown(ax, (0.99, unknown), (0, -3), "right")
    ax.set_ylabel(ERROR_LABEL)
    tick_decades(ax.yaxis)
    rule(ax)


def say_unknown(
    ax: Axes, at: tuple[float, float], off: tuple[int, int], ha: Literal["left", "right"] = "left"
) -> None:
    """Words in the grey band where the reference is not known; `at`: share of the width, error."""
    ax.annotate(
        "below the accuracy of V* itself", at, xycoords=("axes fraction", "data"), xytext=off,
        textcoords="offset points", ha=ha, va="top", color=MUTED, fontsize=7.5,
    )  # fmt: skip


def record_names(records: Sequence[Any]) -> list[str]:
    """What to call each record: the method, with the temperature or discount where they differ."""
    names = [record.method for record in records]
    for attribute in ("temperature", "discount"):
        if len({getattr(record, attribute) for record in records}) > 1:
            names = [f"{n}, {_setting(r, attribute)}" for n, r in zip(names, records)]
    return names


def common_settings(records: Sequence[Any]) -> list[str]:
    """Temperature and discount in words, each as far as the records share it."""
    return [
        _setting(records[0], attribute)
        for attribute in ("temperature", "discount")
        if len({getattr(record, attribute) for record in records}) == 1
    ]


def shared_settings(records: tuple[Convergence, ...]) -> str:
    """World, temperature and discount, as far as the records share them."""
    worlds = {record.world for record in records}
    named = [*worlds] if len(worlds) == 1 and worlds != {""} else []
    return ", ".join([*named, *common_settings(records)])


def _setting(record: Any, attribute: str) -> str:
    if attribute == "discount":
        return f"discount {discount_text(record.discount)}"
    return f"temperature {record.temperature:g}"
