"""Quadratic beside linear convergence: soft policy iteration is Newton's method (SPI-NEWTON)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy import ndarray

from maxent.plots.curves.convergence import curves_of, log_axis, shared_settings
from maxent.plots.parts import curve_look, headline, rule, tick_decades
from maxent.plots.style import INK, LINES, new_figure, styled
from maxent.support.arguments import require_kind
from maxent.tabular.solvers.convergence import Convergence

MARKS = 12
"""Of a curve, where it has more points."""


@styled
def newton(
    policy_iteration: Convergence, value_iteration: Convergence, *, title: str | None = None
) -> Figure:
    """Soft policy iteration is Newton's method: errors by iteration, and each error against the
    one before, where quadratic convergence is a line of slope 2 (SPI-NEWTON).

    Both arguments are results of `maxent.tabular.solvers.convergence.convergence` on one problem,
    with `solver=soft_policy_iteration` and with `solver=soft_value_iteration`.

    title: in place of the usual one.
    """
    require_kind("policy_iteration", policy_iteration, Convergence)
    require_kind("value_iteration", value_iteration, Convergence)
    pair = (policy_iteration, value_iteration)
    figure = new_figure(9.2, 4.0)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    _by_iteration(left, policy_iteration, value_iteration)
    _error_by_error(right, policy_iteration, value_iteration)
    log_axis(left, pair)
    headline(figure, f"Soft policy iteration is Newton's method: {shared_settings(pair)}")
    return figure


def _by_iteration(ax: Axes, fast: Convergence, slow: Convergence) -> None:
    last = len(fast.errors) - 1
    shown = min(len(slow.errors) - 1, max(3 * last, 12))
    for index, record in enumerate((fast, slow)):
        errors = curves_of(record)["error"][: shown + 1]
        ax.semilogy(
            np.arange(len(errors)),
            np.where(errors > 0.0, errors, np.nan),
            **curve_look(index),
            label=record.method,
            clip_on=False,
            zorder=3,
        )
    left_out = len(slow.errors) - 1 - shown
    if left_out > 0:
        middle = "\n(its interval's midpoint)" if "midpoint" in curves_of(slow) else ""
        ax.annotate(
            f"{len(slow.errors) - 1} iterations\nto the same tolerance{middle}",
            (shown, slow.errors[shown]),
            xytext=(-4, -10),
            textcoords="offset points",
            ha="right",
            va="top",
            color=LINES[1],
            fontsize=8.0,
        )
    ax.set_xlim(0, shown)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel("iteration k")
    ax.legend(loc="best")


def _error_by_error(ax: Axes, fast: Convergence, slow: Convergence) -> None:
    for index, record in enumerate((fast, slow)):
        errors = record.meaningful
        ax.loglog(
            errors[:-1],
            errors[1:],
            **curve_look(index),
            markersize=4.5,
            markevery=_apart(errors[:-1]),
            label=f"{record.method}: p = {record.order:.2f}",
            zorder=3 - index,
        )
    if len(fast.meaningful) >= 2:
        _reference_slope(ax, fast.meaningful)
    ax.legend(title="measured $p$ in $e_{k+1} \\approx C\\,e_k^{\\,p}$", loc="upper left")
    ax.set(xlabel="error at iteration k", ylabel="error at iteration k + 1")
    tick_decades(ax.xaxis, ax.yaxis, most=7)
    rule(ax, along="both")


def _apart(errors: ndarray) -> list[int]:
    """Of falling errors at most 12, evenly spaced in the logarithm, so that marks do not merge."""
    if len(errors) <= MARKS:
        return list(range(len(errors)))
    wanted = np.geomspace(errors[0], errors[-1], MARKS)
    return sorted({int(np.abs(np.log(errors / each)).argmin()) for each in wanted})


def _reference_slope(ax: Axes, errors: ndarray) -> None:
    """A line of slope 2 through the last step."""
    x = np.geomspace(errors[-2] / 10.0, errors[:-1].max(), 50)
    y = errors[-1] * (x / errors[-2]) ** 2
    inside = y <= 3.0 * errors[1:].max()
    look: dict[str, Any] = {"color": INK, "linestyle": "--", "linewidth": 1.0, "zorder": 1}
    ax.loglog(x[inside], y[inside], label="slope 2, quadratic", **look)
