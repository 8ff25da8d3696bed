"""Robust means and intervals over runs: closed forms, enumeration, and coverage by simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from maxent import plots
from maxent.errors import ConfigError
from maxent.statistics import (
    bootstrap_interval,
    interquartile_mean,
    learning_curve,
    probability_of_improvement,
)

SCORES = arrays.arrays(
    float, arrays.array_shapes(min_dims=1, max_dims=2), elements=st.integers(-9, 9)
)


def test_known_interquartile_means():
    assert interquartile_mean(range(1, 9)) == 4.5  # of 3, 4, 5, 6
    assert interquartile_mean([100.0, 1.0, 2.0, -100.0]) == 1.5
    assert interquartile_mean([1.0, 2.0, 9.0]) == 4.0  # a quarter of three is none
    assert interquartile_mean([0.0, 1.0, 2.0, 4.0, 50.0]) == pytest.approx(7.0 / 3.0)
    assert interquartile_mean([[8.0, 1.0], [3.0, 6.0], [5.0, 4.0], [2.0, 7.0]]) == 4.5


@given(SCORES)
def test_the_interquartile_mean_by_its_definition(scores):
    ranked = sorted(scores.ravel())
    quarter = len(ranked) // 4
    kept = ranked[quarter : len(ranked) - quarter]
    assert interquartile_mean(scores) == pytest.approx(sum(kept) / len(kept))


def test_of_a_normal_sample_it_is_the_mean():
    draws = np.random.default_rng(0).normal(3.0, 2.0, size=400_000)
    assert interquartile_mean(draws) == pytest.approx(3.0, abs=5.0 * 2.0 * 1.09 / 400_000**0.5)


@pytest.mark.parametrize("scores", [[], [1.0, np.nan], [np.inf], [[]]])
def test_no_score_or_one_that_is_not_finite(scores):
    with pytest.raises(ConfigError, match="finite numbers, at least one"):
        interquartile_mean(scores)


# the bootstrap


def mean(scores):
    return float(scores.mean())


def test_the_interval_against_all_draws():
    """Of three runs all 27 draws can be listed; a symmetric statistic has their quantiles."""
    runs = np.array([1.0, 2.0, 6.0])
    every = [np.mean(draw) for draw in product(runs, repeat=3)]
    wanted = np.quantile(every, [0.1, 0.9])
    found = bootstrap_interval(mean, runs, level=0.8, resamples=8_000)
    assert found == pytest.approx(wanted, abs=0.04)


def test_runs_are_drawn_for_each_task_by_itself():
    """Two tasks far apart: the number of runs of each stays, so the spread is that within them."""
    scores = np.array([[0.0, 1000.0], [1.0, 1001.0], [2.0, 1002.0], [3.0, 1003.0]])
    low, high = bootstrap_interval(mean, scores, seed=1)
    within = np.std([0.0, 1.0, 2.0, 3.0]) / 4**0.5 / 2**0.5  # independent between the tasks
    assert (low + high) / 2.0 == pytest.approx(501.5, abs=0.1)
    assert (high - low) / 2.0 == pytest.approx(1.96 * within, rel=0.1)


def test_same_seed_same_interval():
    scores = np.random.default_rng(2).normal(size=(5, 3))
    first = bootstrap_interval(interquartile_mean, scores, seed=7)
    assert bootstrap_interval(interquartile_mean, scores, seed=7) == first
    assert bootstrap_interval(interquartile_mean, scores, seed=8) != first


@given(st.floats(-5.0, 5.0), st.floats(0.1, 10.0))
def test_the_interval_shifts_and_scales_with_the_scores(shift, scale):
    scores = np.random.default_rng(3).normal(size=(6, 2))
    plain = bootstrap_interval(interquartile_mean, scores, resamples=50)
    moved = bootstrap_interval(interquartile_mean, shift + scale * scores, resamples=50)
    assert moved == pytest.approx([shift + scale * end for end in plain], abs=1e-9)


def coverage(runs: int, trials: int) -> float:
    """How often the 95 % interval of the mean of normal runs holds the true mean, 0."""
    source = np.random.default_rng(runs)
    held = 0
    for trial in range(trials):
        scores = source.normal(size=runs)
        low, high = bootstrap_interval(mean, scores, resamples=100, seed=trial)
        held += low <= 0.0 <= high
    return held / trials


def test_coverage_of_many_runs():
    assert coverage(40, 200) == pytest.approx(0.94, abs=0.05)


@pytest.mark.slow
def test_coverage_of_five_runs_is_short_as_documented():
    """For a normal score the percentile interval of R runs has, for large R, the half width
    1.96 s sqrt((R-1)/R) / sqrt(R) where Student's t would have 2.78 s / sqrt(5)."""
    narrow = 1.96 * (4.0 / 5.0) ** 0.5
    expected = 2.0 * stats.t.cdf(narrow, df=4) - 1.0
    assert 0.82 < expected < 0.86
    assert coverage(5, 1_500) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    "scores, settings, words",
    [
        ([[1.0, 2.0]], {}, "two runs at least"),
        ([1.0, 2.0], {"level": 1.0}, "outside"),
        ([1.0, 2.0], {"level": float("nan")}, "level"),
        ([1.0, 2.0], {"resamples": 0}, "resamples"),
        ([1.0, 2.0], {"seed": -1}, "seed"),
        (np.zeros((2, 2, 2)), {}, "shape"),
    ],
)
def test_what_the_bootstrap_refuses(scores, settings, words):
    with pytest.raises(ConfigError, match=words):
        bootstrap_interval(mean, scores, **settings)


# improvement


def test_known_probabilities_of_improvement():
    assert probability_of_improvement([2.0, 3.0], [0.0, 1.0]) == 1.0
    assert probability_of_improvement([1.0, 1.0], [1.0]) == 0.5
    assert probability_of_improvement([1.0, 3.0], [2.0, 0.0]) == 0.75
    # of two tasks the mean, whatever their scales
    assert probability_of_improvement([[2.0, 0.0], [3.0, 0.0]], [[1.0, 9.0]]) == 0.5


@given(SCORES, SCORES)
def test_improvement_is_the_mann_whitney_statistic(x, y):
    x, y = x.ravel(), y.ravel()
    told = stats.mannwhitneyu(x, y).statistic / (x.size * y.size)
    assert probability_of_improvement(x, y) == pytest.approx(told)
    assert probability_of_improvement(y, x) == pytest.approx(1.0 - told)


def test_improvement_between_normal_runs():
    source = np.random.default_rng(4)
    x, y = source.normal(1.0, 1.0, size=2_000), source.normal(0.0, 1.0, size=2_000)
    exact = stats.norm.cdf(1.0 / 2**0.5)
    assert probability_of_improvement(x, y) == pytest.approx(exact, abs=0.03)
    low, high = bootstrap_interval(probability_of_improvement, x[:50], y[:70], resamples=200)
    assert low < exact < high


def test_improvement_needs_the_same_tasks():
    with pytest.raises(ConfigError, match="2 and of 1 tasks"):
        probability_of_improvement([[1.0, 2.0]], [[1.0]])


# learning curves


def test_runs_on_one_grid():
    """Straight lines are interpolated exactly, and nothing is told beyond a run's ends."""
    curve = learning_curve(
        [([0, 10, 20], [0, 10, 20]), ([5, 15, 30], [15, 25, 40]), ([0, 30], [20, 50])]
    )
    assert curve.steps.tolist() == [5, 10, 15, 20]
    assert curve.runs.tolist() == [[5, 10, 15, 20], [15, 20, 25, 30], [25, 30, 35, 40]]
    assert curve.mean.tolist() == [15, 20, 25, 30]  # three runs are all kept
    assert (curve.low >= curve.runs.min(0)).all() and (curve.high <= curve.runs.max(0)).all()


def test_the_curve_is_the_interquartile_mean_with_its_interval_at_each_step():
    source = np.random.default_rng(5)
    scores = source.normal(size=(8, 3))
    curve = learning_curve([([1, 2, 3], row) for row in scores], resamples=4_000)
    for k in range(3):
        assert curve.mean[k] == pytest.approx(interquartile_mean(scores[:, k]))
        alone = bootstrap_interval(interquartile_mean, scores[:, k], resamples=4_000)
        assert (curve.low[k], curve.high[k]) == pytest.approx(alone, abs=0.1)


def test_one_run_has_no_interval():
    curve = learning_curve([([1, 2], [3.0, 4.0])])
    assert curve.mean.tolist() == [3.0, 4.0]
    assert np.isnan(curve.low).all() and np.isnan(curve.high).all()


@pytest.mark.parametrize(
    "runs, words",
    [
        ([], "at least one run"),
        ([([1, 2], [0, 0]), ([3, 4], [0, 0])], "one ends at step 2, another begins at 3"),
        ([([2, 1], [0, 0])], "must rise"),
        ([([1, 1], [0, 0])], "must rise"),
        ([([1, 2], [0])], "one score each"),
        ([([1], [np.nan])], "finite"),
        ([([], [])], "at least one"),
    ],
)
def test_runs_that_make_no_curve(runs, words):
    with pytest.raises(ConfigError, match=words):
        learning_curve(runs)


# the figure


def test_the_figure_shows_means_intervals_and_runs():
    rising = learning_curve([([1, 2, 3], [0, 1, 2]), ([1, 2, 3], [1, 2, 4])])
    alone = learning_curve([([1, 3], [5.0, 6.0])])
    figure = plots.learning_curves(
        {"one $task$": {"sac": rising, "sql": alone}, "two": {"sql": alone}}
    )
    first, second, *_ = figure.axes
    assert [ax.get_title(loc="left") for ax in (first, second)] == ["one $task$", "two"]
    drawn = [line.get_ydata().tolist() for line in first.lines]
    assert drawn == [*rising.runs.tolist(), rising.mean.tolist(), alone.mean.tolist()]
    band = first.collections[0].get_paths()[0].vertices
    assert {*rising.low, *rising.high} <= {*band[:, 1]}
    assert len(first.collections) == 1  # one run has no interval
    colours = [ax.lines[-1].get_color() for ax in (first, second)]
    assert colours[0] == colours[1] != first.lines[2].get_color()
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["sac", "sql"]
    assert "1/2 runs a line; band: 95%" in figure.get_suptitle()


@pytest.mark.parametrize("tasks", [{}, {"task": {}}])
def test_a_figure_of_nothing(tasks):
    with pytest.raises(ConfigError, match="give 1 to 12"):
        plots.learning_curves(tasks)


def test_level_and_seed_of_a_curve():
    scores = np.random.default_rng(0).normal(size=(6, 3))
    runs = [([0, 1, 2], row) for row in scores]
    wide, narrow = learning_curve(runs), learning_curve(runs, level=0.5)
    assert (wide.level, narrow.level) == (0.95, 0.5)
    assert (wide.low < narrow.low).all() and (narrow.high < wide.high).all()
    other, same = learning_curve(runs, seed=1), learning_curve(runs, seed=0)
    assert np.array_equal(other.mean, wide.mean) and not np.array_equal(other.low, wide.low)
    assert np.array_equal(same.low, wide.low) and np.array_equal(same.high, wide.high)
