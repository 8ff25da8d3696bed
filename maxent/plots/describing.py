"""What a figure shows, in words computed from what is drawn: for readers who do not see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy import ndarray

from maxent.support.arguments import require_kind

FEW = 10
"""So many points that no line joins are told one by one."""
COLOUR_BAR, ARROW = "<colorbar>", r"$\rightarrow$"
MARKS = {r"\,": " ", r"\|": "|", "\\": "", "$": "", "{": "", "}": ""}


def alt_text(figure: Figure) -> str:
    """The alternative text of a figure: titles, what is on each axis and from where to where, how
    each line runs, and the least and the greatest value of a map.

    It is computed from what is drawn.  Notebooks give it to screen readers by themselves; for
    an image in a page of your own it goes into `alt`.  ConfigError for what is no figure.

    >>> from maxent import plots
    >>> curves = {"square": ([1, 2, 3], [1, 4, 9])}
    >>> plots.alt_text(plots.lines(curves, x="n", y="n squared", title="Squares"))
    'Squares. Horizontal axis: n, 1 to 3. Vertical axis: n squared, 1 to 9. square: 1 at 1, 9 at 3.'
    """
    require_kind("figure", figure, Figure)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    panels = [ax for ax in shown if ax.get_label() != COLOUR_BAR]
    names = _legend([*figure.legends, *(ax.get_legend() for ax in panels)])
    said = [_plain(figure.get_suptitle())]
    for number, ax in enumerate(panels, start=1):
        mesh = next((each for each in ax.collections if each.get_gid() == "values"), None)
        about = [_map(ax, mesh)] if isinstance(mesh, QuadMesh) else _curves(ax, names)
        said += [f"Panel {number}" if len(panels) > 1 else "", *about]
    bars = [ax for ax in shown if ax.get_label() == COLOUR_BAR]
    measures = dict.fromkeys(_plain(ax.get_xlabel() or ax.get_ylabel(), " ") for ax in bars)
    said += [f"Colours: {measure}" for measure in measures if measure]
    lines = {_name(line, names) for ax in panels for line in ax.get_lines()}
    symbols = [name for name in dict.fromkeys(names.values()) if name not in lines]
    said.append(f"Symbols: {', '.join(symbols)}" if symbols else "")
    return " ".join(part if part.endswith((".", "?")) else f"{part}." for part in said if part)


def _legend(legends: Sequence[object]) -> dict[tuple[object, ...], str]:
    """What the legends name, by its look."""
    return {
        look: ("arrow " if look[-1] == ARROW else "") + _plain(text.get_text(), " ")
        for legend in legends
        if legend is not None
        for handle, text in zip(legend.legend_handles, legend.get_texts())  # type: ignore[attr-defined]
        for look in [_look(handle)]
    }


def _look(handle: object) -> tuple[object, ...]:
    """What tells a line from the others; of anything else, itself."""
    if not isinstance(handle, Line2D):
        return (handle,)
    return to_hex(handle.get_color()), handle.get_linestyle(), str(handle.get_marker())


def _name(line: Line2D, names: dict[tuple[object, ...], str]) -> str:
    """A line's own name, or that of the entry of a legend that looks like it, marker or not."""
    if not (label := str(line.get_label())).startswith("_"):
        return _plain(label, " ")
    look = _look(line)
    alike = [name for key, name in names.items() if key[:2] == look[:2]]
    return names.get(look, alike[0] if len(alike) == 1 else "")


def _curves(ax: Axes, names: dict[tuple[object, ...], str]) -> list[str]:
    """Of one panel: title, axes with the range of the data, lines, points, words drawn in it."""
    dots = [
        np.ma.filled(each.get_offsets(), np.nan).T
        for each in ax.collections
        if isinstance(each, PathCollection)
    ]
    drawn = [np.empty((2, 0)), *(_data(line, ax) for line in ax.get_lines()), *dots]
    all_x, all_y = np.hstack(drawn)
    said = [_title(ax)]
    for axis, label, data in (
        ("Horizontal", ax.get_xlabel(), all_x),
        ("Vertical", ax.get_ylabel(), all_y),
    ):
        span = f", {_number(data.min(), data)} to {_number(data.max(), data)}" if len(data) else ""
        said.append(f"{axis} axis: {_plain(label, ' ')}{span}" if label else "")
    said += [_course(line, ax, _name(line, names)) for line in ax.get_lines()]
    said += [f"{each.shape[1]} points" for each in dots if each.shape[1] > 1]
    said += [_plain(t.get_text(), " ") for t in ax.texts if re.search("[A-Za-z]{3}", t.get_text())]
    return said


def _data(line: Line2D, ax: Axes) -> ndarray:
    """The finite points of a line, (2, n); none for one drawn across the axes."""
    if line.get_transform() != ax.transData:
        return np.empty((2, 0))
    data = np.array(line.get_data(orig=False), dtype=float)
    return data[:, np.isfinite(data).all(axis=0)]


def _course(line: Line2D, ax: Axes, name: str) -> str:
    """How a line runs: its ends, and its extremes where they lie between."""
    x, y = _data(line, ax)
    prefix = f"{name}: " if name else ""
    if not len(y):
        level = np.asarray(line.get_ydata(), dtype=float)
        return f"{prefix}level at {level[0]:.3g}" if len(level) and np.ptp(level) == 0.0 else ""
    alone = line.get_linestyle() == "None"
    many = alone and len(y) > FEW
    told = set(range(len(y))) if alone and not many else {0, len(y) - 1}
    if many:
        told, prefix = {int(x.argmin()), int(x.argmax())}, f"{prefix}{len(y)} points, among them "
    scaled = np.log(y) if ax.get_yscale() == "log" and y.min() > 0.0 else y
    for k in (int(y.argmin()), int(y.argmax())):
        if not many and min(abs(scaled[k] - scaled[j]) for j in told) > 0.02 * np.ptp(scaled):
            told.add(k)
    return prefix + ", ".join(f"{_number(y[k], y)} at {_number(x[k], x)}" for k in sorted(told))


def _map(ax: Axes, mesh: QuadMesh) -> str:
    """Of one map: its size, and the least and the greatest value with their cells."""
    rows, columns = (side - 1 for side in np.shape(mesh.get_coordinates())[:2])
    values: Any = np.ma.masked_invalid(np.ma.asarray(mesh.get_array())).reshape(rows, columns)
    places = [divmod(int(k), columns) for k in (values.argmin(), values.argmax())]
    least, most = (f"{_number(values[at], values)} (row {at[0]}, column {at[1]})" for at in places)
    same = values.max() - values.min() <= 1e-9 * np.abs(values).max()
    span = f"{_number(values.max(), values)} everywhere" if same else f"{least} to {most}"
    return f"{_title(ax)}; {rows} rows, {columns} columns; {span}".lstrip("; ")


def _number(value: float, among: ndarray) -> str:
    """To three digits; 0 where it is nothing beside the greatest."""
    if abs(value) < 1e-15 * np.abs(among).max():
        return "0"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


def _title(ax: Axes) -> str:
    return _plain(ax.get_title(loc="left") or ax.get_title())


def _plain(text: str, between: str = "; ") -> str:
    """Words on one line, formulas without their marks."""
    for mark, word in MARKS.items():
        text = text.replace(mark, word)
    return between.join(line.strip() for line in text.splitlines() if line.strip()).replace(
        "?;", "?"
    )
