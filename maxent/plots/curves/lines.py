"""Lines of numbers against numbers, for what has no figure of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxent.errors import ConfigError
from maxent.plots.curves.tradeoff import DASHES
from maxent.plots.parts import axes_for
from maxent.plots.style import LINES, MARKERS, MUTED, figure_of, styled
from maxent.support.arguments import quoted, require_finite, require_kind


@styled
def lines(
    curves: Mapping[str, tuple[Any, Any]],
    *,
    x: str,
    y: str,
    title: str,
    log: str = "",
    level: float | None = None,
    join: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Several lines in one figure, each with its own colour, dash and marker.

    curves: {name: (numbers along x, numbers along y)}, at most 6, of equal lengths in a pair.
    x, y: what is on the axes, with units.  log: the logarithmic axes.  level: a number on the y
    axis at which a thin line is drawn, as for the exact answer.  join=False: points alone, where
    nothing lies between them.  ax: draw there instead of in a new figure.  ConfigError for other
    curves.

    >>> from maxent import plots
    >>> curves = {"square": ([1, 2, 3], [1, 4, 9])}
    >>> figure = plots.lines(curves, x="n", y="n squared", title="Squares")
    """
    require_kind("curves", curves, Mapping)
    if not 1 <= len(curves) <= len(LINES):
        raise ConfigError(f"{len(curves)} curves; give 1 to {len(LINES)}")
    if not isinstance(log, str) or log not in ("", "x", "y", "xy"):
        raise ConfigError(f"log = {quoted(log)} is none of '', 'x', 'y', 'xy'")
    ax, _ = axes_for(ax, 6.2, 4.0)
    for index, (name, pair) in enumerate(curves.items()):
        along, up = (np.asarray(numbers, dtype=float).ravel() for numbers in pair)
        if len(along) != len(up) or not len(up):
            raise ConfigError(
                f"curve {name!r} has {len(along)} numbers along x and {len(up)} along y; give as "
                "many of each"
            )
        dash = DASHES[index] if join else ""
        marker = MARKERS[index] if len(along) <= 30 or not join else ""
        ax.plot(along, up, color=LINES[index], linestyle=dash, marker=marker, label=name)
    if level is not None:
        ax.axhline(
            require_finite("level", level), color=MUTED, linewidth=0.8, linestyle=":", zorder=0
        )
    ax.set(**{f"{axis}scale": "log" for axis in log}, xlabel=x, ylabel=y, title=title)
    ax.grid(color="#ececec", linewidth=0.6, zorder=0)
    if len(curves) > 1:
        ax.legend(loc="best")
    return figure_of(ax)
