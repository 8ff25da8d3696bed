"""The words of a figure are those of what it draws, and notebooks hand them on."""

import base64
import html

import numpy as np
import pytest
from matplotlib.figure import Figure

import maxent
from maxent import plots
from maxent.tabular.solvers.convergence import convergence


@pytest.fixture(scope="module")
def solved():
    mdp = maxent.gridworld("russell-norvig-4x3", discount=0.9)
    return mdp, maxent.solve(mdp, 0.1)


def test_a_map_tells_its_extremes_and_where_they_are(solved):
    mdp, solution = solved
    words = plots.alt_text(plots.value_map(mdp, solution))
    v = np.where(mdp.terminal, np.nan, solution.v)
    for state in (int(np.nanargmin(v)), int(np.nanargmax(v))):
        row, column = mdp.grid.cells[state]
        assert f"{v[state]:.3g} (row {row}, column {column})" in words
    assert "3 rows, 4 columns" in words and "arrow length: probability of the action" in words


def test_a_line_tells_its_ends_and_the_extremes_between():
    x = np.linspace(0.0, 2.0, 41)
    curves = {"bump": (x, x * (2.0 - x)), "wiggle": (x, 5.0 + 1e-3 * np.sin(9.0 * x) + x)}
    words = plots.alt_text(plots.lines(curves, x="time (s)", y="V", title="Two", level=3.0))
    assert words == (
        "Two. Horizontal axis: time (s), 0 to 2. Vertical axis: V, 0 to 7. bump: 0 at 0, 1 at 1, "
        "0 at 2. wiggle: 5 at 0, 7 at 2. level at 3."
    )


def test_few_points_without_a_line_are_told_one_by_one_and_many_are_counted():
    figure = plots.lines({"a": ([0, 1, 2], [1, 2, 1])}, x="x", y="y", title="T")
    drawn = figure.axes[0].get_lines()[0]
    drawn.set_linestyle("none")
    assert plots.alt_text(figure).endswith("a: 1 at 0, 2 at 1, 1 at 2.")
    drawn.set_data(np.arange(11), np.arange(11))
    assert plots.alt_text(figure).endswith("a: 11 points, among them 0 at 0, 10 at 10.")
    drawn.set_data([0, 1500, 1e7], [0.0, 0.001234, 1e-30])
    assert plots.alt_text(figure).endswith("a: 0 at 0, 0.00123 at 1500, 0 at 1e+07.")


def test_a_flat_map_and_lines_named_by_a_legend_alone(solved):
    mdp, _ = solved
    hard = maxent.soft_policy_evaluation(mdp, np.eye(4)[np.zeros(mdp.n_states, int)], 0.0)
    assert "; 0 everywhere" in plots.alt_text(plots.entropy_map(mdp, hard))
    words = plots.alt_text(plots.convergence(convergence(mdp, 0.1)))
    assert words.count("bound certified by the solver: ") == 1 and "Symbols" not in words


def test_panels_are_numbered(solved):
    mdp, solution = solved
    words = plots.alt_text(plots.hard_and_soft(mdp, [solution]))
    assert "Panel 1. hard: temperature 0" in words and "Panel 2. temperature 0.1" in words


def test_a_notebook_gets_the_words_with_the_image():
    figure = plots.lines({"a": ([0, 1], [1, 2])}, x='<"x">', y="y", title="A & B")
    data, metadata = figure._repr_mimebundle_()
    words = plots.alt_text(figure)
    assert metadata == {"image/png": {"alt": words}}
    assert f'alt="{html.escape(words)}"' in data["text/html"]
    assert data["image/png"] in data["text/html"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


def test_an_empty_figure_has_no_words():
    assert plots.alt_text(Figure()) == ""
