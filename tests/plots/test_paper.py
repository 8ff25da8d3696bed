"""Figures for a paper: PDF, a column's width, fonts of 7 to 9 points."""

import numpy as np
import pytest
from matplotlib.text import Text

import maxent
from maxent import plots


@pytest.fixture
def paper():
    plots.use_style("paper", width=3.3)
    yield
    plots.use_style()


@pytest.fixture(scope="module")
def curve():
    mdp = maxent.gridworld("S..\n.#.\n..G", slip=0.1, discount=0.9)
    return maxent.tradeoff(mdp, np.geomspace(1e-2, 1, 8))


FIGURES = {
    "front": lambda curve: plots.tradeoff(curve, tangent=0.1),
    "by temperature": plots.tradeoff_by_temperature,
    "strip": lambda curve: plots.tradeoff_policies(curve.mdp, curve, [0.01, 0.1], columns=2),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_at_a_columns_width_has_fonts_of_7_to_9_points(paper, curve, name):
    figure = FIGURES[name](curve)
    assert figure.get_figwidth() == 3.3
    figure.draw_without_rendering()
    sizes = {
        text.get_fontsize()
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible()
    }
    assert min(sizes) >= 7.0 and max(sizes) <= 9.0, sizes


def test_nothing_sticks_out_of_the_figure(paper, curve):
    for draw in FIGURES.values():
        figure = draw(curve)
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
        assert box.x0 >= -0.02 and box.x1 <= figure.get_figwidth() + 0.02


def test_a_pdf_is_the_same_bytes_each_time_and_holds_its_fonts(paper, curve, tmp_path):
    first = plots.save(plots.tradeoff(curve), tmp_path / "a.pdf").read_bytes()
    second = plots.save(plots.tradeoff(curve), tmp_path / "b.pdf").read_bytes()
    assert first == second and first.startswith(b"%PDF") and b"CreationDate" not in first
    assert b"/FontFile2" in first and b"/Type3" not in first


def test_the_usual_style_comes_back(curve):
    usual = plots.tradeoff(curve).get_figwidth()
    plots.use_style("projector")
    large = plots.tradeoff(curve).axes[0].xaxis.label.get_fontsize()
    plots.use_style()
    figure = plots.tradeoff(curve)
    assert large == 14.0 and figure.axes[0].xaxis.label.get_fontsize() == 9.0
    assert figure.get_figwidth() == usual


@pytest.mark.parametrize("given", [{"name": "papr"}, {"name": "paper", "width": 0}])
def test_a_wrong_style_is_refused(given):
    with pytest.raises(maxent.ConfigError, match=r"paper|width"):
        plots.use_style(**given)
    assert plots.tradeoff  # unchanged
