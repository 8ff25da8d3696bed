"""Figures: directions of the arrows, words and units, the files that are written, no display."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.quiver import Quiver
from matplotlib.text import Text

from maxent import plots
from maxent.errors import ConfigError, ModelError, OutputExistsError
from maxent.gridworlds import gridworld
from maxent.mdp import MDP
from maxent.mdp.grid import Grid
from maxent.mdp.random_mdps import garnet
from maxent.plots.maps import arrows, basemap, dot_plots, grids, panels
from maxent.plots.style import contrasting, number, value_colours
from maxent.solution import Solution
from maxent.tabular.solvers import (
    modified_soft_policy_iteration,
    soft_policy_evaluation,
    soft_policy_iteration,
    soft_value_iteration,
    solve,
)
from maxent.tabular.solvers.convergence import convergence


def words(figure: Figure) -> str:
    """Every text of a figure, as drawn."""
    figure.canvas.draw()
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


def solved(name: str, temperature: float, **settings: object) -> tuple[MDP, Solution]:
    mdp = gridworld(name, **settings)
    return mdp, solve(mdp, temperature)


def quivers(figure: Figure) -> list[Quiver]:
    return figure.findobj(Quiver)


def drawn_displacements(quiver: Quiver) -> np.ndarray:
    """Where each arrow points on the page, (n, 2) in pixels, x to the right and y upwards."""
    ax = quiver.axes
    start = ax.transData.transform(quiver.XY)
    tip = ax.transData.transform(quiver.XY + np.stack([quiver.U, quiver.V], axis=1))
    return tip - start


def single_action(mdp: MDP, action: int) -> Solution:
    policy = np.zeros((mdp.n_states, mdp.n_actions))
    policy[:, action] = 1.0
    return soft_policy_evaluation(mdp, policy, 0.1)


# -- arrows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("moves", [4, 8])
def test_every_action_points_where_it_moves(moves):
    mdp = gridworld("...\n...\n..G", discount=0.9, moves=moves)
    assert mdp.grid is not None and mdp.n_actions == moves
    seen = set()
    for action in range(moves):
        figure = plots.value_map(mdp, single_action(mdp, action))
        (quiver,) = quivers(figure)
        assert quiver.angles == "xy" and quiver.scale_units == "xy"
        down, right = (float(step) for step in mdp.grid.moves[action])
        for dx, dy in drawn_displacements(quiver):  # on the page, up is positive
            assert np.sign(round(dx, 6)) == np.sign(right)
            assert np.sign(round(dy, 6)) == -np.sign(down)
            seen.add((np.sign(round(dx, 6)), np.sign(round(dy, 6))))
    assert len(seen) == moves


def test_up_points_up_the_page_and_rows_grow_downwards():
    mdp = gridworld("...\n...\n..G", discount=0.9)
    assert mdp.action_names is not None
    expected = {"up": (0, 1), "right": (1, 0), "down": (0, -1), "left": (-1, 0)}
    for action, name in enumerate(mdp.action_names):
        figure = plots.value_map(mdp, single_action(mdp, action))
        figure.canvas.draw()
        page = drawn_displacements(quivers(figure)[0])
        direction = page[0] / np.linalg.norm(page[0])
        np.testing.assert_allclose(direction, expected[name], atol=1e-9)
        pixels = figure.axes[0].transData.transform([(0, 0), (0, 1), (1, 0)])
        assert pixels[1, 1] < pixels[0, 1] and pixels[2, 0] > pixels[0, 0]


def test_the_pixels_of_an_up_arrow_reach_towards_the_smaller_row():
    """The head, the widest part of the drawn arrow, lies above the middle of the arrow."""
    mdp = gridworld("..\n.G", discount=0.9)
    assert mdp.action_names is not None
    figure = plots.value_map(mdp, single_action(mdp, mdp.action_names.index("up")))
    figure.canvas.draw()
    (quiver,) = quivers(figure)
    shape = quiver.get_transform().transform(quiver.get_paths()[0].vertices)  # from the tail
    widest = shape[np.argmax(np.abs(shape[:, 0]))]
    assert shape[:, 1].max() > 5.0 and shape[:, 1].min() > -1.0  # pixels, upwards on the page
    assert widest[1] > 0.5 * shape[:, 1].max()


def test_length_is_proportional_to_probability_and_faint_actions_are_left_out():
    mdp = gridworld("...\n...\n...", discount=0.9)
    policy = np.tile([0.6, 0.3, 0.09, 0.01], (9, 1))
    drawn = arrows.action_arrows(mdp, policy, np.arange(9), reach=0.8, rise=0.0)
    assert drawn.count == 27
    lengths = np.hypot(*drawn.step.T).reshape(9, 3)
    np.testing.assert_allclose(lengths, np.tile([0.48, 0.24, 0.072], (9, 1)))
    assert (np.diff(drawn.opacity.reshape(9, 3), axis=1) < 0).all()


@pytest.mark.parametrize("moves", [4, 8])
def test_arrows_stay_inside_their_cell(moves):
    mdp = gridworld("....\n....\n....", discount=0.9, moves=moves)
    rng = np.random.default_rng(0)
    policy = rng.dirichlet(np.full(moves, 0.3), size=12)
    drawn = arrows.action_arrows(mdp, policy, np.arange(12), reach=0.8, rise=0.0)
    middle = mdp.grid.cells[drawn.state][:, ::-1]
    for end in (drawn.start, drawn.start + drawn.step):
        assert (np.abs(end - middle) <= 0.5).all()


def test_masked_actions_and_terminal_states_have_no_arrow():
    grid = Grid(("..G",), np.array([[0, 0], [0, 1], [0, 2]]), np.array([[0, -1], [0, 1]]))
    step = np.zeros((3, 2, 3))
    step[0, :, 1] = step[1, 1, 2] = step[1, 0, 0] = 1.0
    mask = np.array([[False, True], [True, True], [True, True]])
    mdp = MDP(step, np.ones((3, 2)), discount=0.9, terminal=[2], action_mask=mask, grid=grid)
    figure = plots.value_map(mdp, solve(mdp, 5.0))
    (quiver,) = quivers(figure)
    assert len(quiver.U) == 3  # one of state 0, two of state 1


def test_an_action_that_stays_is_a_dot():
    grid = Grid(("..",), np.array([[0, 0], [0, 1]]), np.array([[0, 0], [0, 1]]))
    step = np.zeros((2, 2, 2))
    step[0, 0, 0] = step[0, 1, 1] = step[1, :, 1] = 1.0
    mdp = MDP(step, np.eye(2), discount=0.9, grid=grid)
    figure = plots.value_map(mdp, solve(mdp, 1.0))
    assert len(quivers(figure)[0].U) == 2
    (dots,) = [
        c for c in figure.axes[0].collections if len(c.get_offsets()) == 2 and c.get_sizes().size
    ]
    assert (dots.get_sizes() > 0).all()


def test_mean_arrows_of_a_large_map_are_means():
    mdp = gridworld("\n".join(["." * 6] * 6), discount=0.9)
    policy = np.tile([0.5, 0.3, 0.1, 0.1], (36, 1))
    drawn = arrows.mean_arrows(mdp, policy, np.arange(36), every=2)
    assert drawn.count == 9
    mean = policy[0] @ arrows.unit_moves(mdp)
    np.testing.assert_allclose(drawn.step, np.tile(1.9 * mean, (9, 1)))


# -- words, colours, everything on the map -----------------------------------------------------


def test_value_map_says_what_it_shows():
    mdp, solution = solved("russell-norvig-4x3", 0.05, discount=0.95)
    text = words(plots.value_map(mdp, solution))
    for word in (
        "Soft values and policy",
        "temperature 0.05, discount 0.95",
        "soft value V (reward units, discounted)",
        "row",
        "column",
        "goal (terminal)",
        "pit (terminal)",
        "wall",
        "start",
        "length: probability of the action",
    ):
        assert word in text
    for value in solution.v[~mdp.terminal]:
        assert number(value) in text


def test_colours_are_the_values():
    mdp, solution = solved("russell-norvig-4x3", 0.05, discount=0.95)
    figure = plots.value_map(mdp, solution)
    (mesh,) = figure.findobj(lambda artist: artist.get_gid() == "values")
    shown = np.ma.filled(mesh.get_array(), np.nan)
    for state, (row, column) in enumerate(mdp.grid.cells):
        if mdp.terminal[state]:
            assert np.isnan(shown[row, column])
        else:
            assert shown[row, column] == solution.v[state]
    assert np.isnan(shown[1, 1])  # the wall


def test_entropy_map_runs_from_zero_to_log_a():
    mdp, solution = solved("four-rooms", 0.02, slip=0.1, discount=0.95)
    figure = plots.entropy_map(mdp, solution)
    text = words(figure)
    assert "policy entropy (nats)" in text and "log 4" in text and "temperature 0.02" in text
    (mesh,) = figure.findobj(lambda artist: artist.get_gid() == "values")
    assert mesh.norm.vmin == 0.0
    assert mesh.norm.vmax == pytest.approx(np.log(4))


def test_hard_maximum_and_discount_near_one_are_named():
    mdp, solution = solved("russell-norvig-4x3", 0.0)
    text = words(plots.value_map(mdp, solution))
    assert "temperature 0 (hard maximum)" in text and "discount 1 \N{MINUS SIGN} 1e-09" in text
    assert "soft" not in text.lower()


@pytest.mark.filterwarnings("ignore::maxent.errors.MaxEntWarning")
def test_an_unfinished_solve_says_how_far_off_it_can_be():
    mdp = gridworld("four-rooms", discount=0.95)
    solution = soft_value_iteration(mdp, 0.1, max_iterations=3)
    assert "max iterations: error \N{LESS-THAN OR EQUAL TO}" in words(
        plots.value_map(mdp, solution)
    )


def test_portals_cliffs_and_named_cells_are_drawn():
    portals = words(plots.value_map(*solved("sutton-barto-5x5", 0.5)))
    assert "portal to a" in portals and "portal to b" in portals
    assert "cliff" in words(plots.value_map(*solved("cliff-walking", 0.5, discount=0.95)))


def test_a_goal_that_does_not_end_is_a_letter():
    mdp, solution = solved("four-rooms", 0.1, discount=0.95, goals="absorbing")
    text = words(plots.value_map(mdp, solution))
    assert "goal (terminal)" not in text and "goal" in text


def test_a_state_off_the_map_is_reported_not_drawn():
    grid = Grid(("..",), np.array([[0, 0], [0, 1], [-1, -1]]), np.array([[0, -1], [0, 1]]))
    rng = np.random.default_rng(0)
    mdp = MDP(rng.dirichlet(np.ones(3), size=(3, 2)), np.ones(3), discount=0.9, grid=grid)
    solution = solve(mdp, 0.1)
    assert "1 state without a cell is not drawn" in words(plots.value_map(mdp, solution))
    assert "without a cell" not in words(
        plots.value_map(mdp.replace(terminal=[2]), solve(mdp.replace(terminal=[2]), 0.1))
    )


@pytest.mark.filterwarnings("ignore::maxent.errors.MaxEntWarning")  # a goal out of reach
@pytest.mark.parametrize("text", ["G", "GG", ".", "XG\nGX"])
def test_smallest_maps(text):
    grid = gridworld(text + "\n" + "." * len(text.split("\n")[0]), discount=0.9)
    for figure in (
        plots.value_map(grid, solve(grid, 0.0)),
        plots.entropy_map(grid, solve(grid, 1.0)),
    ):
        words(figure)


def test_all_terminal_draws():
    grid = Grid(("GG",), np.array([[0, 0], [0, 1]]), np.array([[0, -1], [0, 1]]))
    mdp = MDP(
        np.zeros((2, 2, 2)),
        np.zeros(2),
        discount=0.9,
        terminal=[True, True],
        initial_distribution=[1, 0],
        grid=grid,
    )
    solution = solve(mdp, 0.1)
    words(plots.value_map(mdp, solution))
    words(plots.entropy_map(mdp, solution))
    words(plots.value_map(mdp.replace(grid=None), solution))


def test_colours_read_in_greyscale_and_writing_contrasts():
    colours = value_colours()(np.linspace(0, 1, 50))
    grey = colours[:, :3] @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(grey) > 0).all()
    wall = np.array(mpl.colors.to_rgb(basemap.WALL)) @ np.array([0.2126, 0.7152, 0.0722])
    assert wall < grey[0] - 0.05
    assert contrasting(colours)[0] == 1.0 and contrasting(colours)[-1] == 0.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (-0.04, "\N{MINUS SIGN}0.04"), (12.345, "12.3"), (123456.0, "1.2e+05")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_a_very_large_map_takes_seconds(tmp_path):
    mdp = gridworld("open-316x316", discount=0.99)
    solution = soft_value_iteration(mdp, 0.01, tolerance=0.1)
    start = time.process_time()
    figure = plots.value_map(mdp, solution)
    plots.save(figure, tmp_path / "large.png")
    plots.save(figure, tmp_path / "large.svg")
    assert time.process_time() - start < 10.0
    assert quivers(figure) == []
    assert (tmp_path / "large.svg").stat().st_size < 3_000_000


def test_the_wrong_solution_is_refused():
    mdp = gridworld("four-rooms", discount=0.95)
    other, solution = solved("russell-norvig-4x3", 0.1, discount=0.9)
    for figure in (plots.value_map, plots.entropy_map):
        with pytest.raises(ModelError, match="pass the MDP that was solved"):
            figure(mdp, solution)
    with pytest.raises(ModelError):
        plots.hard_and_soft(mdp, [solution])
    assert other.n_states == len(solution.v)


# -- without a map -----------------------------------------------------------------------------


@pytest.mark.parametrize("n_states", [8, 200])
def test_without_a_map_values_are_listed_with_their_bounds(n_states):
    mdp = garnet(n_states, 3, discount=0.9, terminal=1, seed=2)
    solution = soft_value_iteration(mdp, 0.2, tolerance=0.2)
    figure = plots.value_map(mdp, solution)
    text = words(figure)
    assert "soft value V (reward units, discounted)" in text and "state" in text
    assert "temperature 0.2, discount 0.9" in text and "terminal" in text
    assert "certified interval" in text
    (bars,) = figure.axes[0].containers
    ends = np.array(bars.lines[2][0].get_segments())
    along = 0 if n_states <= dot_plots.NAMED else 1
    shown = np.flatnonzero(~mdp.terminal)
    if n_states > dot_plots.NAMED:  # in the order of their values
        shown = shown[np.argsort(solution.v[shown], kind="stable")]
    np.testing.assert_allclose(ends[:, 0, along], solution.lower[shown])
    np.testing.assert_allclose(ends[:, 1, along], solution.upper[shown])
    entropies = words(plots.entropy_map(mdp, solution))
    assert "policy entropy (nats)" in entropies and "log A" in entropies


def test_state_names_are_used_and_dollar_signs_are_no_mathematics():
    mdp = garnet(3, 2, discount=0.9, seed=0).replace(state_names=("$a", "b$", "a" * 60))
    text = words(plots.value_map(mdp, solve(mdp, 0.1)))
    assert "$a" in text and "a" * 23 + "…" in text


# -- panels ------------------------------------------------------------------------------------


def test_hard_and_soft_panels():
    mdp = gridworld("russell-norvig-4x3", discount=0.9)
    figure = plots.hard_and_soft(mdp, [0.03, solve(mdp, 0.01)])
    text = words(figure)
    for title in ("hard: temperature 0", "temperature 0.01", "temperature 0.03", "discount 0.9"):
        assert title in text
    assert len(quivers(figure)) == 3
    assert text.count("reward units, discounted") == 1  # one scale for all


def test_panels_have_their_own_scales_where_one_would_hide_them():
    mdp = gridworld("four-rooms", discount=0.95)
    solutions = [solve(mdp, t) for t in (0.0, 1.0)]
    assert not panels.one_scale(mdp, solutions)
    assert words(plots.hard_and_soft(mdp, [1.0])).count("reward units, discounted") == 2
    with pytest.raises(ConfigError, match="panels"):
        plots.hard_and_soft(mdp, list(np.linspace(0.1, 1, 13)))


def test_hard_and_soft_without_a_map():
    for n_states in (8, 60):
        mdp = garnet(n_states, 3, discount=0.9, seed=2)
        text = words(plots.hard_and_soft(mdp, [0.5]))
        assert "hard: temperature 0" in text and "temperature 0.5" in text


# -- convergence -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def records():
    mdp = garnet(30, 4, discount=0.9, branching=3, terminal=1, seed=1)
    solvers = (soft_value_iteration, soft_policy_iteration, modified_soft_policy_iteration)
    return [convergence(mdp, 0.3, solver=solver) for solver in solvers]


def test_convergence_draws_bounds_above_the_error(records):
    figure = plots.convergence(*records)
    ax = figure.axes[0]
    assert ax.get_yscale() == "log"
    for index, record in enumerate(records):
        drawn = {
            line.get_gid().split()[0]: line.get_ydata()
            for line in ax.lines
            if (line.get_gid() or "").endswith(str(index))
        }
        error = drawn["error"]
        np.testing.assert_allclose(error, np.maximum(record.errors, record.reference_error))
        for kind in ("certified", "theoretical"):
            if kind in drawn:
                known = ~np.isnan(drawn[kind])
                assert known.any()
                assert (drawn[kind][known] + record.reference_error >= error[known]).all()
    text = words(figure)
    for word in (
        "iteration k",
        "reward units, discounted",
        "temperature 0.3, discount 0.9",
        "soft policy iteration",
        "bound certified by the solver",
        "bound of theory",
    ):
        assert word in text


def test_convergence_of_one_solver_and_of_several_temperatures(records):
    assert "bound of theory" in words(plots.convergence(records[0]))
    mdp = garnet(10, 3, discount=0.9, seed=1)
    text = words(plots.convergence(convergence(mdp, 0.1), convergence(mdp, 1.0)))
    assert "temperature 0.1" in text and "temperature 1" in text
    with pytest.raises(ConfigError, match="at least one"):
        plots.convergence()


def test_newton_names_the_measured_exponent(records):
    value, policy, _ = records
    text = words(plots.newton(policy, value))
    assert "Newton" in text and "quadratic" in text and "error at iteration k + 1" in text
    assert f"soft policy iteration: p = {policy.order:.2f}" in text
    assert f"{len(value.errors) - 1} iterations" in text


# -- axes and settings of the caller -----------------------------------------------------------


def test_a_figure_of_the_caller_is_drawn_into(records):
    figure = Figure(figsize=(12, 4))
    left, middle, right = figure.subplots(1, 3)
    mdp, solution = solved("russell-norvig-4x3", 0.1, discount=0.9)
    assert plots.value_map(mdp, solution, ax=left) is figure
    assert plots.entropy_map(mdp, solution, ax=middle) is figure
    assert plots.convergence(records[0], ax=right) is figure
    assert "nats" in words(figure)


def test_settings_of_the_caller_are_left_alone(tmp_path):
    before = dict(mpl.rcParams)
    plots.save(plots.value_map(*solved("four-rooms", 0.1, discount=0.9)), tmp_path / "f.png")
    assert dict(mpl.rcParams) == before


# -- files -------------------------------------------------------------------------------------


def test_png_and_svg_are_valid_and_deterministic(tmp_path):
    mdp, solution = solved("cliff-walking", 0.1, discount=0.9)
    for ending in ("png", "svg"):
        first, second = (tmp_path / f"{name}.{ending}" for name in ("first", "second"))
        assert plots.save(plots.value_map(mdp, solution), first) == first
        plots.save(plots.value_map(mdp, solution), second)
        assert first.read_bytes() == second.read_bytes()
    picture = imread(tmp_path / "first.png")
    assert picture.ndim == 3 and picture.std() > 0.1
    root = ElementTree.parse(tmp_path / "first.svg").getroot()
    assert root.tag.endswith("svg")
    text = " ".join(root.itertext())
    assert "soft value V (reward units, discounted)" in text  # text stays text
    assert not list(tmp_path.glob(".writing-*"))


def test_saving_the_same_figure_twice_gives_the_same_bytes(tmp_path):
    figure = plots.value_map(*solved("four-rooms", 0.02, discount=0.95))
    engine = figure.get_layout_engine()
    for name in ("a.svg", "a.png", "b.svg", "b.png"):
        plots.save(figure, tmp_path / name)
    assert figure.get_layout_engine() is engine
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_an_existing_file_is_kept_unless_overwriting_is_asked_for(tmp_path):
    figure = plots.value_map(*solved("russell-norvig-4x3", 0.1, discount=0.9))
    path = tmp_path / "figure.png"
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match="overwrite"):
        plots.save(figure, path)
    assert path.read_bytes() == b"precious"
    plots.save(figure, path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["figure", "figure.bmp", "figure.jpg", "figure.png.txt"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"\.svg or \.pdf"):
        plots.save(Figure(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_bad_settings_of_save_leave_nothing(tmp_path):
    with pytest.raises(ConfigError):
        plots.save(Figure(), tmp_path / "a.png", dpi=-1.0)
    with pytest.raises(ConfigError, match="does not exist"):
        plots.save(Figure(), tmp_path / "no" / "a.png")

    class Failing(Figure):
        def savefig(self, *args: object, **kwargs: object) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        plots.save(Failing(), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_no_display_is_needed(tmp_path):
    path = tmp_path / "figure.png"
    code = f"""
import sys
from maxent.gridworlds import gridworld
from maxent.tabular.solvers import solve
from maxent import plots
mdp = gridworld("russell-norvig-4x3", discount=0.9)
plots.save(plots.value_map(mdp, solve(mdp, 0.1)), {str(path)!r})
assert "matplotlib.pyplot" not in sys.modules and "tkinter" not in sys.modules
"""
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment["MPLBACKEND"] = "TkAgg"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert path.read_bytes().startswith(b"\x89PNG")


def test_no_file_of_plots_selects_a_backend():
    for path in Path(plots.__file__).parent.glob("*.py"):
        code = path.read_text()
        assert "pyplot" not in code and "matplotlib.use" not in code and "mpl.use" not in code


def test_the_recorder_of_convergence_does_not_import_matplotlib():
    code = "import sys, maxent.tabular.solvers.convergence; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_figure_sizes_suit_a_page():
    for shape in ((3, 4), (13, 13), (1, 11), (61, 61), (50, 2), (4, 12), (316, 316)):
        width, height = grids.figure_size(shape)
        assert 4.0 <= width <= 9.0 and 2.0 <= height <= 9.0
