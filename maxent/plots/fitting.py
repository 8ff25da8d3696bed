"""Figures that were laid out for a screen, made to fit a column of a paper."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.text import Text

SMALLEST, LARGEST = 7.0, 9.0
"""Points."""
CHARACTER = 0.55
"""Width of a character, in units of the font's size."""


def fit_for_paper(figure: Any) -> None:
    """Texts of 7 to 9 points; titles, labels and legends in lines that fit."""
    for text in figure.findobj(Text):
        text.set_fontsize(min(max(text.get_fontsize(), SMALLEST), LARGEST))
    width, height = figure.get_size_inches()
    grids = [spec.get_gridspec() for ax in figure.axes if (spec := ax.get_subplotspec())]
    across = (width - 1.2) / max((grid.ncols for grid in grids), default=1)
    up = (height - 0.9) / max((grid.nrows for grid in grids), default=1)
    for ax in figure.axes:
        for each in (ax.title, vars(ax).get("_left_title"), ax.xaxis.label):
            _wrap(each, across)
        _wrap(ax.yaxis.label, up)
    _wrap(vars(figure).get("_suptitle"), width - 0.2)
    for legend in list(figure.legends):
        handles, labels = legend.legend_handles, [each.get_text() for each in legend.get_texts()]
        legend.remove()
        entry = (max(map(len, labels)) + 6) * CHARACTER * SMALLEST
        ncols = max(1, int(72.0 * width / entry))
        figure.legend(handles, labels, loc="outside lower center", ncols=ncols)


def _wrap(text: Text | None, inches: float) -> None:
    """Break a text into lines of that length."""
    if text is not None and text.get_text():
        most = max(int(inches * 72.0 / (CHARACTER * float(text.get_fontsize()))), 10)
        lines = text.get_text().splitlines()
        text.set_text("\n".join(textwrap.fill(line, most) for line in lines))
