"""What figures are made of: axes, the looks of curves, legends, head-lines, grids of panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from maxent.plots.style import LINES, MARKERS, figure_of, new_figure


def axes_for(
    ax: Axes | None, width: float, height: float, *, square_cells: bool = False
) -> tuple[Axes, bool]:
    """The axes given, or those of a new figure of that size; and whether they are new."""
    if ax is not None:
        return ax, False
    return new_figure(width, height, square_cells=square_cells).add_subplot(), True


def curve_look(index: int) -> dict[str, Any]:
    """Colour and marker of a figure's curve of that number, for `plot`."""
    return {"color": LINES[index % len(LINES)], "marker": MARKERS[index % len(MARKERS)]}


def entry(label: str, **look: Any) -> Line2D:
    """What a legend shows for curves of that look."""
    return Line2D([], [], label=label, **look)


def entries_of(names: Sequence[str]) -> list[Line2D]:
    """A legend entry for each curve, in the looks that they have by their number."""
    return [entry(name, **curve_look(index)) for index, name in enumerate(names)]


def add_legend(ax: Axes, own: bool, entries: Sequence[Artist], columns: int = 2) -> Figure:
    """The figure of `ax`, with its legend below; within the axes where they are somebody else's."""
    figure = figure_of(ax)
    if own:
        figure.legend(handles=entries, loc="outside lower center", ncols=columns)
    else:
        ax.legend(handles=entries, loc="best")
    return figure


def headline(figure: Figure, text: str) -> None:
    """The title of a whole figure, at its left."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=10.0)


def rule(*axes: Axes, along: Any = "y") -> None:
    """Faint lines behind what is drawn, at the ticks of one axis or `"both"`."""
    for ax in axes:
        ax.grid(axis=along, color="#e4e4e4", linewidth=0.6, zorder=0)


def tick_decades(*axes: Axis, most: int = 9) -> None:
    """Ticks at powers of ten alone, on logarithmic axes."""
    for axis in axes:
        axis.set_major_locator(LogLocator(numticks=most))
        axis.set_minor_locator(NullLocator())


def grid_of_axes(figure: Figure, count: int, columns: int, *, shared: bool = True) -> list[Axes]:
    """`count` axes in rows of at most `columns`, the rest of the last row left blank."""
    across = min(count, columns)
    down = -(-count // across)
    axes = figure.subplots(down, across, squeeze=False, sharex=shared, sharey=shared).ravel()
    for ax in axes[count:]:
        ax.set_visible(False)
    return list(axes)


def colour_scale(
    figure: Figure, mesh: ScalarMappable, axes: Sequence[Axes], label: str, **place: Any
) -> Any:
    """A colour bar beside the axes, without a frame; `place` as in `Figure.colorbar`."""
    bar = figure.colorbar(
        mesh, ax=list(axes), **{"aspect": 30, "pad": 0.02, "fraction": 0.04} | place
    )
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar


def small_colour_scale(mesh: ScalarMappable, ax: Axes, label: str) -> None:
    """A colour bar below one panel of several."""
    bar = figure_of(ax).colorbar(mesh, ax=ax, location="bottom", aspect=25, pad=0.02, shrink=0.9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7.5)
    bar.ax.locator_params(nbins=4)
    bar.set_label(label, fontsize=8.0)
