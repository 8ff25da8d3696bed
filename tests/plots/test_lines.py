"""Lines: what is drawn is what was given; what cannot be drawn is refused."""

import doctest

import numpy as np
import pytest

from maxent import plots
from maxent.errors import ConfigError
from maxent.plots.curves import lines as module

LABELS = {"x": "n", "y": "n squared", "title": "Squares"}


def test_each_line_is_there_with_its_numbers_name_and_dash():
    n = np.arange(1, 5)
    drawn = plots.lines({"a": (n, n**2), "b": (n, -n)}, **LABELS, level=3.0)
    (ax,) = drawn.axes
    first, second, level = ax.lines
    assert first.get_xydata().tolist() == [[1, 1], [2, 4], [3, 9], [4, 16]]
    assert level.get_ydata()[0] == 3.0
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_color() != second.get_color() and first.get_marker() != second.get_marker()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")) == tuple(LABELS.values())
    assert plots.lines({"a": (n, n)}, **LABELS, log="xy").axes[0].get_yscale() == "log"
    (points,) = plots.lines({"a": (n, n)}, **LABELS, join=False).axes[0].get_lines()
    assert (points.get_linestyle(), points.get_marker()) == ("None", "o")


@pytest.mark.parametrize(
    "curves, log, words",
    [
        ({}, "", "0 curves; give 1 to 6"),
        ({str(k): ([1], [1]) for k in range(7)}, "", "7 curves"),
        ({"a": ([1, 2], [1])}, "", "curve 'a' has 2 numbers along x and 1 along y"),
        ({"a": ([], [])}, "", "curve 'a' has 0"),
        ({"a": ([1], [1])}, "z", "log = 'z' is none of"),
    ],
)
def test_what_cannot_be_drawn_is_refused(curves, log, words):
    with pytest.raises(ConfigError, match=words):
        plots.lines(curves, **LABELS, log=log)


def test_the_example_runs():
    assert doctest.testmod(module).failed == 0
