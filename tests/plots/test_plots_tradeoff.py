"""Figures of the trade-off: what is drawn, where, in which words; bad arguments."""

import re

import fresh
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

import maxent
from maxent import plots
from maxent.plots import style
from maxent.plots.maps import animations
from maxent.plots.style import MARKERS
from maxent.support import memory

GARNET = maxent.garnet(8, 3, discount=0.9, seed=3, branching=3)
ROOM = maxent.gridworld("S..\n.#.\n..G", discount=0.9)
TEMPERATURES = np.logspace(-2, 2, 12)
ALPHA, MINUS = "\N{GREEK SMALL LETTER ALPHA}", "\N{MINUS SIGN}"
AT_ZERO, AT_INFINITY = (
    f"{ALPHA} \N{RIGHTWARDS ARROW} 0",
    f"{ALPHA} \N{RIGHTWARDS ARROW} \N{INFINITY}",
)


def words(figure):
    figure.canvas.draw()
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


def line(figure, gid):
    (found,) = (artist for ax in figure.axes for artist in ax.lines if artist.get_gid() == gid)
    return found.get_xydata()


@pytest.fixture(scope="module")
def curve():
    return maxent.tradeoff(GARNET, TEMPERATURES[::-1])  # any order


def test_the_front_is_drawn_through_its_points_between_its_ends(curve):
    figure = plots.tradeoff(curve)
    assert isinstance(figure, Figure)
    front = line(figure, "front 0")
    for entropy, reward in zip(curve.entropies, curve.returns, strict=True):
        assert np.abs(front - [entropy, reward]).sum(axis=1).min() < 1e-12
    ends = np.column_stack([curve.entropy_range, curve.return_range])
    np.testing.assert_allclose(front[[0, -1]], ends)
    np.testing.assert_allclose(line(figure, "end 0"), ends[:1])
    np.testing.assert_allclose(line(figure, "end inf"), ends[1:])
    markers = {artist.get_gid(): artist.get_marker() for artist in figure.axes[0].lines}
    assert (markers["end 0"], markers["end inf"]) == ("^", "v")
    assert "random policies" not in markers  # unless asked for
    text = words(figure)
    for part in (
        "discounted entropy (nats)",
        "return (reward units, discounted)",
        AT_ZERO,
        AT_INFINITY,
    ):
        assert part in text
    assert "discount 0.9" in text and f"temperature {ALPHA}" in text


def test_the_line_between_the_points_is_the_front_itself(curve):
    """Drawn from the slopes at the points, it is where a finer curve runs, and it is concave."""
    coarse = line(plots.tradeoff(curve), "front 0")
    fine = maxent.tradeoff(GARNET, np.logspace(-1, 1, 50))
    drawn = np.interp(fine.entropies, coarse[:, 0], coarse[:, 1])
    height = curve.return_range[0] - curve.return_range[1]
    assert np.abs(drawn - fine.returns).max() < 0.01 * height
    chords = np.interp(fine.entropies, *np.stack([curve.entropies, curve.returns])[:, curve.order])
    assert np.abs(chords - fine.returns).max() > 0.02 * height  # straight pieces would be worse
    steps = np.diff(coarse, axis=0)
    slopes = (steps[:, 1] / np.maximum(steps[:, 0], 1e-300))[steps[:, 0] > 1e-6]
    assert (np.diff(slopes) <= 1e-4 * np.abs(slopes[1:]) + 1e-6).all()


def test_the_line_has_the_slopes_of_the_front_at_a_point_and_at_both_ends():
    x, y = line(plots.tradeoff(maxent.tradeoff(GARNET, [0.5])), "front 0").T
    moved = np.abs(np.diff(x)) > 0.0
    slopes = (np.diff(y)[moved] / np.diff(x)[moved]).round(3)
    near = int(np.abs(slopes + 0.5).argmin())
    assert -0.1 < slopes[0] <= 0.0  # flat at temperature 0
    assert slopes[near] == pytest.approx(-0.5, abs=0.05) and 5 < near < len(slopes) - 5
    assert slopes[-1] < 5.0 * slopes[near]  # and upright at infinity
    assert (np.diff(slopes) <= 1e-3).all()


def test_temperature_colours_the_points(curve):
    figure = plots.tradeoff(curve)
    (points,) = (c for c in figure.axes[0].collections if c.get_gid() == "points")
    light = points.get_facecolor()[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) >= -1e-3).all() and light[-1] > light[0] + 0.3  # reads in greyscale
    np.testing.assert_allclose(points.get_offsets()[0], [curve.entropies[-1], curve.returns[-1]])
    assert len(figure.axes[0].texts) > 2
    for text in figure.axes[0].texts:
        index = int(np.abs(curve.entropies - text.xy[0]).argmin())
        assert text.xy == (curve.entropies[index], curve.returns[index])
        assert text.get_text() == f"{curve.temperatures[index]:.2g}"


def test_the_tangent_touches_with_slope_minus_alpha(curve):
    figure = plots.tradeoff(curve, tangent=0.7)
    (x0, y0), (x1, y1) = line(figure, "tangent")
    assert (y1 - y0) / (x1 - x0) == pytest.approx(-0.7)
    fine = maxent.tradeoff(GARNET, [0.7, *np.logspace(-2, 2, 40)])
    above = y0 - 0.7 * (fine.entropies - x0) - fine.returns
    assert above[0] == pytest.approx(0.0, abs=1e-9) and (above >= -1e-9).all()
    (touched,) = (a.get_xydata() for a in figure.axes[0].lines if a.get_marker() == "o")
    np.testing.assert_allclose(touched, [[fine.entropies[0], fine.returns[0]]])
    np.testing.assert_allclose(touched[0], [(x0 + x1) / 2, (y0 + y1) / 2])
    assert f"slope {MINUS}0.7" in words(figure)
    for bad in (np.inf, -1.0, float("nan")):
        with pytest.raises(maxent.ConfigError):
            plots.tradeoff(curve, tangent=bad)


def test_random_policies_lie_below(curve):
    figure = plots.tradeoff(curve, random_policies=60, seed=1)
    cloud = line(figure, "random policies")
    assert len(cloud) == 60
    for temperature, objective in zip(curve.temperatures, curve.objectives, strict=True):
        assert (cloud[:, 1] + temperature * cloud[:, 0] <= objective + 1e-9).all()
    again = plots.tradeoff(curve, random_policies=60, seed=1)
    np.testing.assert_array_equal(line(again, "random policies"), cloud)
    with pytest.raises(maxent.ConfigError):
        plots.tradeoff(curve, random_policies=-1)


def test_several_curves_differ_in_colour_dash_and_marker_and_share_axes_a_step():
    discounts = (0.5, 0.9, 0.99)
    curves = [
        maxent.tradeoff(GARNET.replace(discount=discount), TEMPERATURES) for discount in discounts
    ]
    figure = plots.tradeoff(*curves, per_step=True, tangent=0.5)
    fronts = [
        artist
        for ax in figure.axes
        for artist in ax.lines
        if str(artist.get_gid()).startswith("front")
    ]
    assert len({to_rgba(artist.get_color()) for artist in fronts}) == 3
    assert len({artist.get_linestyle() + str(artist._dash_pattern) for artist in fronts}) == 3
    for index, (artist, discount) in enumerate(zip(fronts, discounts, strict=True)):
        end = artist.get_xydata()[-1, 0]
        assert end == pytest.approx(np.log(3), rel=1e-9)  # nats a step, whatever the discount
        assert f"discount {discount:g}" in words(figure)
        assert any(a.get_marker() == MARKERS[index] for a in figure.axes[0].lines)
    assert "per step" in words(figure)
    named = plots.tradeoff(*curves, labels=["a", "b", "c"])
    assert {"a", "b", "c"} <= set(words(named).split("\n"))
    with pytest.raises(maxent.ConfigError, match="labels"):
        plots.tradeoff(*curves, labels=["a"])
    with pytest.raises(maxent.ConfigError, match="at least one"):
        plots.tradeoff()


def test_policies_along_the_curve_as_maps():
    curve = maxent.tradeoff(ROOM, [0.1, 1.0])
    figure = plots.tradeoff_policies(ROOM, curve, [0, 0.1, 0.4, np.inf], columns=2)
    maps = [ax for ax in figure.axes if ax.get_title(loc="left")]
    assert len(maps) == 4
    text = words(figure)
    for part in (
        AT_ZERO,
        f"{ALPHA} = 0.1",
        f"{ALPHA} = 0.4",
        AT_INFINITY,
        "entropy",
        "policy entropy (nats)",
    ):
        assert part in text
    value = maxent.policy_return(ROOM, curve.policy(0.1))
    assert f"return {value:.3g}".replace("-", MINUS) in text
    shown = maps[1].collections[0].get_array().compressed()
    expected = maxent.entropy(np.log(curve.policy(0.1)))[~ROOM.terminal]
    np.testing.assert_allclose(np.sort(shown), np.sort(expected), atol=1e-12)
    with pytest.raises(maxent.ConfigError, match="panels"):
        plots.tradeoff_policies(ROOM, curve, [])
    with pytest.raises(maxent.ConfigError, match="another MDP"):
        plots.tradeoff_policies(GARNET, curve, [0.1])


def test_policies_without_a_map(curve):
    figure = plots.tradeoff_policies(GARNET, curve, [0.0, 0.5, np.inf])
    assert "policy entropy (nats)" in words(figure) and f"{ALPHA} = 0.5" in words(figure)


def test_reaching_against_the_temperature():
    curve = maxent.tradeoff(ROOM, TEMPERATURES)
    figure = plots.reaching(curve, horizon=6)
    drawn = figure.axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(drawn[:, 0], curve.temperatures)
    np.testing.assert_allclose(drawn[:, 1], curve.reaching(6))
    text = words(figure)
    assert "within 6 steps" in text and "ever: surely" in text and "probability" in text
    assert "within 50 steps" in words(plots.reaching(curve))  # 5 / (1 - discount)
    pit = maxent.gridworld("X.S.G", discount=0.9)
    perhaps = plots.reaching(maxent.tradeoff(pit, TEMPERATURES))
    assert "surely" not in words(perhaps)
    named = plots.reaching(curve, maxent.tradeoff(pit, TEMPERATURES), labels=["room", "pit"])
    assert "room, ever" in words(named) and "pit, within 50 steps" in words(named)
    with pytest.raises(maxent.ConfigError, match="no temperature"):
        plots.reaching(maxent.tradeoff(ROOM, [0.0, np.inf]))


def test_by_temperature(curve):
    figure = plots.tradeoff_by_temperature(curve, maxent.tradeoff(ROOM, TEMPERATURES))
    assert len(figure.axes) == 3
    for ax, column in zip(
        figure.axes, (curve.returns, curve.entropies, curve.objectives), strict=True
    ):
        drawn = ax.lines[0].get_xydata()
        np.testing.assert_allclose(drawn[:, 1], column[curve.order])
        assert ax.get_xscale() == "log"
    text = words(figure)
    for part in ("nats", "reward units", "temperature", "limits at 0 and infinity"):
        assert part in text


def test_axes_can_be_given_and_files_written(curve, tmp_path):
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert plots.tradeoff(curve, ax=left) is figure
    room = maxent.tradeoff(ROOM, TEMPERATURES)
    assert plots.reaching(room, ax=right) is figure
    path = plots.save(figure, tmp_path / "both.svg")
    assert path.stat().st_size > 5_000
    assert style.MAX_PANELS == 12


def test_one_point_and_only_the_ends_can_be_drawn():
    for temperatures in ([0.5], [0.0, np.inf]):
        figure = plots.tradeoff(maxent.tradeoff(GARNET, temperatures), random_policies=3)
        assert AT_INFINITY in words(figure)


def test_a_front_of_one_point_has_readable_axes():
    """Entropy and return that differ by rounding only are one number, at any unit of reward."""
    transition = np.full((2, 2, 2), 0.5)
    for size in (1.0, 1e-12, 1e9):
        for actions in (1, 2):
            mdp = maxent.MDP(transition[:, :actions], np.full((2, actions), size), discount=0.9)
            curve = maxent.tradeoff(mdp, [0.1 * size, size])
            ax = plots.tradeoff(curve, random_policies=4).axes[0]
            assert np.ptp(ax.get_xlim()) >= 1.0 and np.ptp(ax.get_ylim()) >= size
            by_temperature = plots.tradeoff_by_temperature(curve)
            assert np.ptp(by_temperature.axes[0].get_ylim()) >= size
            assert np.ptp(by_temperature.axes[1].get_ylim()) >= 1.0
            labels = [label.get_text() for label in ax.get_xticklabels() + ax.get_yticklabels()]
            assert max(len(label) for label in labels) < 8, labels
    moving = maxent.tradeoff(GARNET.replace(reward=1e-12 * GARNET.reward), 1e-12 * TEMPERATURES)
    assert np.ptp(plots.tradeoff(moving).axes[0].get_ylim()) < 1.2 * -np.diff(moving.return_range)


def test_the_ends_are_marked_where_the_curve_holds_them():
    ends = maxent.tradeoff(ROOM, [np.inf, *TEMPERATURES, 0.0])
    figure = plots.reaching(ends, horizon=6)
    chance = ends.reaching(6)
    np.testing.assert_allclose(line(figure, "end inf"), [[1.0, chance[0]]])
    np.testing.assert_allclose(line(figure, "end 0"), [[0.0, chance[-1]]])
    assert f"{AT_ZERO}, within 6 steps" in words(figure) and AT_INFINITY in words(figure)
    low, high = figure.axes[0].get_xlim()
    assert 1e-4 < low < 1e-2 and 1e2 < high < 1e4  # the marks are at the edges, not on the scale
    without = words(plots.reaching(maxent.tradeoff(ROOM, TEMPERATURES)))
    assert AT_ZERO not in without and AT_INFINITY not in without


def test_bad_settings(curve, tmp_path):
    with pytest.raises(maxent.ConfigError, match="more than 100,000"):
        plots.tradeoff(curve, random_policies=10**9)
    room = maxent.tradeoff(ROOM, [0.1])
    solution = maxent.solve(ROOM, 0.1)
    for columns in (0, -1):
        with pytest.raises(maxent.ConfigError, match="columns"):
            plots.tradeoff_policies(ROOM, room, [0.1], columns=columns)
        with pytest.raises(maxent.ConfigError, match="columns"):
            plots.side_by_side(ROOM, {"a": solution}, columns=columns)
        with pytest.raises(maxent.ConfigError, match="columns"):
            plots.temperature_strip(ROOM, [0.1], columns=columns)


WRONG_KINDS = """
import maxent
from maxent import plots

room = maxent.gridworld("S.G", discount=0.9)
for call, words in (
    (lambda: plots.tradeoff(3), "3 is a int, not a curve"),
    (lambda: plots.reaching(3), "not a curve"),
    (lambda: plots.tradeoff_by_temperature(None), "not a curve"),
    (lambda: plots.tradeoff_policies(room, 3, [0.1]), "not a curve"),
    (lambda: plots.tradeoff_policies(None, 3, [0.1]), "not an MDP"),
    (lambda: plots.temperature_strip(None, [0.1]), "not an MDP"),
    (lambda: plots.side_by_side(None, {"a": 3}), "not an MDP"),
    (lambda: plots.animate_iterations(None, 0.1, "a.gif"), "not an MDP"),
    (lambda: plots.animate_rollouts(None, 0.1, "a.gif"), "not an MDP"),
):
    try:
        call()
    except maxent.ModelError as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
"""


def test_other_things_than_curves_and_mdps_are_named(tmp_path):
    """In a process of its own, where annotations are not executed."""
    assert fresh.run(WRONG_KINDS, tmp_path) == ""


def test_frames_too_large_are_refused_before_anything_is_drawn(tmp_path, monkeypatch):
    path = tmp_path / "a.gif"

    def never(*arguments, **settings):
        raise AssertionError("solved or drawn")

    solution = maxent.solve(ROOM, 0.1)
    monkeypatch.setattr(animations, "simulate", never)
    for dpi in (1e6, 1e-3):
        with pytest.raises(maxent.ConfigError, match=re.escape(f"dpi = {dpi:g}")):
            plots.animate_iterations(ROOM, 0.1, path, dpi=dpi, solver=never)
        with pytest.raises(maxent.ConfigError, match=re.escape(f"dpi = {dpi:g}")):
            plots.animate_rollouts(ROOM, solution, path, dpi=dpi)
    monkeypatch.setattr(memory, "_available_memory", lambda: 2**30)
    with pytest.raises(maxent.MemoryBudgetError, match="200 frames at dpi 1000"):
        plots.animate_iterations(ROOM, 0.1, path, dpi=1e3, frames=200, solver=never)
    with pytest.raises(maxent.MemoryBudgetError, match="lower dpi"):
        plots.animate_rollouts(ROOM, solution, path, dpi=1e3, max_steps=199)
    assert not path.exists()


def test_a_step_of_every_axis_is_1_minus_the_discount_of_the_whole(curve):
    """Front, points, random policies and tangent are scaled alike, so that the slope stays."""
    whole, step = (
        plots.tradeoff(curve, tangent=0.7, random_policies=3, per_step=each)
        for each in (False, True)
    )
    one, other = (
        next(c for c in figure.axes[0].collections if c.get_gid() == "points").get_offsets()
        for figure in (whole, step)
    )
    np.testing.assert_allclose(other, 0.1 * one)
    for gid in ("front 0", "end 0", "end inf", "random policies"):
        np.testing.assert_allclose(line(step, gid), 0.1 * line(whole, gid), rtol=1e-9, atol=1e-12)
    (x0, y0), (x1, y1) = line(step, "tangent")
    assert (y1 - y0) / (x1 - x0) == pytest.approx(-0.7)
    best = maxent.tradeoff(GARNET, [0.7]).objectives[0]
    assert y0 + 0.7 * x0 == pytest.approx(0.1 * best, rel=1e-9)


def test_a_title_says_only_what_all_curves_share(curve):
    named = maxent.tradeoff(maxent.gridworld("two-goals", discount=0.9), [0.1])
    farther = maxent.tradeoff(GARNET.replace(discount=0.5), [0.1])
    for curves, shared in (
        ([named], ["two-goals, slip 0, discount 0.9"]),
        ([named, named], ["two-goals, slip 0, discount 0.9"]),
        ([named, curve], ["discount 0.9"]),
        ([curve, farther], []),
    ):
        title = plots.tradeoff(*curves).axes[0].get_title(loc="left")
        assert title.split("\n")[1:] == shared
