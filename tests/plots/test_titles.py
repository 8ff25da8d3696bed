"""Titles: the world and its slip, and whatever title is asked for."""

import inspect
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

import maxent
from maxent import plots
from maxent.statistics import learning_curve
from maxent.tabular.sampled.estimators import importance_bias
from maxent.tabular.solvers.convergence import convergence
from maxent.tabular.tradeoff.reaching import reaching_probability
from maxent.theorems.counterexamples import free_loop

OWN = "Figure 3: an own title"


@pytest.fixture(scope="module")
def mdp():
    return maxent.gridworld("russell-norvig-4x3", discount=0.9)


@pytest.fixture(scope="module")
def solution(mdp):
    return maxent.solve(mdp, 0.1)


def title_of(figure):
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")


def test_every_figure_takes_a_title():
    for name in set(plots.__all__) - {"Figure", "Player", "alt_text", "save", "use_style"}:
        assert "title" in inspect.signature(getattr(plots, name)).parameters, name


FIGURES = {
    "value_map": lambda mdp, s, **k: plots.value_map(mdp, s, **k),
    "entropy_map": lambda mdp, s, **k: plots.entropy_map(mdp, s, **k),
    "occupancy_map": lambda mdp, s, **k: plots.occupancy_map(mdp, s, **k),
    "hard_and_soft": lambda mdp, s, **k: plots.hard_and_soft(mdp, [s], **k),
    "temperature_strip": lambda mdp, s, **k: plots.temperature_strip(mdp, [s], **k),
    "side_by_side": lambda mdp, s, **k: plots.side_by_side(mdp, {"soft": s}, **k),
    "reward_map": lambda mdp, s, **k: plots.reward_map(mdp, mdp.reward, **k),
    "tradeoff": lambda mdp, s, **k: plots.tradeoff(maxent.tradeoff(mdp, [0.1, 1.0]), **k),
    "convergence": lambda mdp, s, **k: plots.convergence(convergence(mdp, 0.1), **k),
}


@pytest.mark.parametrize("name", FIGURES)
def test_world_and_slip_are_named(name, mdp, solution):
    usual = title_of(FIGURES[name](mdp, solution))
    assert "russell-norvig-4x3, slip 0.2" in usual and "discount 0.9" in usual
    assert title_of(FIGURES[name](mdp, solution, title=OWN)) == OWN


@pytest.mark.parametrize("name", FIGURES)
def test_its_words_tell_titles_axes_and_units(name, mdp, solution):
    words = plots.alt_text(FIGURES[name](mdp, solution))
    assert "russell-norvig-4x3, slip 0.2" in words and "discount 0.9" in words
    assert "reward units" in words or "nats" in words or "visits" in words
    assert not set("\n$\\{}") & set(words) and ".." not in words and words.endswith(".")


def test_a_title_on_axes_of_ones_own(mdp, solution):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    plots.value_map(mdp, solution, ax=left)
    plots.value_map(mdp, solution, ax=right, title=OWN)
    assert [ax.get_title(loc="left") == OWN for ax in (left, right)] == [False, True]


def test_without_a_map_a_title_helps():
    mdp = maxent.garnet(8, 2, branching=2, discount=0.9)
    solution = maxent.solve(mdp, 0.1)
    assert title_of(plots.value_map(mdp, solution)).startswith("Values by state\n")
    assert title_of(plots.value_map(mdp, solution, title=OWN)) == OWN


@pytest.mark.parametrize(
    "made, title",
    [
        (lambda: maxent.gridworld("two-goals"), "two-goals, slip 0"),
        (lambda: maxent.gridworld("S.G", discount=0.9, slip=0.25), "slip 0.25"),
        (lambda: maxent.gridworld("S.G", discount=0.9), ""),
        (lambda: maxent.from_gymnasium("FrozenLake-v1", discount=0.9), "FrozenLake-v1, slip 0.667"),
        (
            lambda: maxent.from_gymnasium("FrozenLake-v1", discount=0.9, is_slippery=False),
            "FrozenLake-v1, slip 0",
        ),
        (lambda: maxent.from_gymnasium("CliffWalking-v1", discount=0.9), "CliffWalking-v1, slip 0"),
    ],
)
def test_what_a_map_is_called(made, title, tmp_path):
    mdp = made()
    assert mdp.grid.title == title
    mdp.save(tmp_path / "mdp.npz")
    assert maxent.MDP.load(tmp_path / "mdp.npz").grid.title == title


def test_a_pdf_is_written_and_is_the_same_each_time(mdp, solution, tmp_path):
    for name in ("one.pdf", "two.pdf"):
        plots.save(plots.value_map(mdp, solution), tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.pdf", "two.pdf"))
    assert one == two and one.startswith(b"%PDF-") and re.search(rb"%%EOF\s*$", one)
    assert b"CreationDate" not in one


def test_panels_say_how_many_arrive(mdp):
    panels = plots.hard_and_soft(mdp, [1.0]).axes[:2]
    policy = maxent.solve(mdp, 1.0).policy
    within = mdp.initial_distribution @ reaching_probability(mdp, policy, 50)
    assert f"{100 * within:.3g} %" in panels[1].get_title(loc="left")
    for ax in panels:
        assert re.search(r"arrives within 50 steps: [\d.]+ %$", ax.get_title(loc="left"))
    endless = maxent.gridworld("S.G", discount=0.9, goals="absorbing")
    assert "arrives" not in plots.hard_and_soft(endless, [1.0]).axes[0].get_title(loc="left")


def test_a_script_is_told_how_to_see_a_figure(mdp, solution):
    figure = plots.value_map(mdp, solution)
    assert "plots.save(figure, 'figure.png') writes it" in str(figure)
    with pytest.raises(maxent.ConfigError, match=r"plots.save\(figure"):
        figure.show()


def test_marks_of_a_long_curve_do_not_merge(mdp):
    slow = convergence(mdp, 0.1)
    fast = convergence(mdp, 0.1, solver=maxent.soft_policy_iteration)
    right = plots.newton(fast, slow).axes[1]
    assert len(slow.meaningful) > 40
    counts = [len(line.get_markevery() or []) for line in right.lines]
    assert 2 < max(counts) <= 12
    along = plots.convergence(fast, slow).axes[0].xaxis.get_transform()
    steps = np.diff(along.transform(np.arange(0.0, 40.0)))
    assert (steps > 0.0).all() and (np.diff(steps) < 0.0).all()  # no kink


def test_many_states_without_a_map_are_in_the_order_of_their_values():
    mdp = maxent.garnet(60, 2, branching=2, discount=0.9)
    solution = maxent.solve(mdp, 0.1)
    ax = plots.value_map(mdp, solution).axes[0]
    x, y = ax.lines[0].get_xydata().T
    assert np.array_equal(y, np.sort(solution.v)) and np.array_equal(x, np.arange(60))
    assert ax.get_xlabel() == "states in the order of their values"


def test_random_policies_fill_the_space_below_the_front():
    curve = maxent.tradeoff(maxent.gridworld("four-rooms"), np.geomspace(1e-3, 10.0, 40))
    figure = plots.tradeoff(curve, random_policies=100)
    (cloud,) = [line for line in figure.axes[0].lines if line.get_gid() == "random policies"]
    returns = cloud.get_ydata()
    low, high = curve.returns.min(), curve.returns.max()
    assert (returns > low + 0.02 * (high - low)).mean() > 0.6  # off the line of never arriving


def test_the_band_of_few_runs_is_called_their_range():
    from maxent.statistics import learning_curve

    def words(count):
        runs = [([0, 1], [0.0, float(run)]) for run in range(count)]
        return title_of(plots.learning_curves({"task": {"sac": learning_curve(runs)}}))

    assert "band: their range" in words(3) and "interval" not in words(3)
    assert "band: 95% bootstrap interval" in words(8)


def _bias():
    return importance_bias([0.0, 1.0], {"even": [0.5, 0.5]}, 0.5, samples=(1, 2), repetitions=4)


OF_RECORDS = {
    "reaching": lambda mdp, **k: plots.reaching(maxent.tradeoff(mdp, [0.1, 1.0]), **k),
    "by temperature": lambda mdp, **k: plots.tradeoff_by_temperature(
        maxent.tradeoff(mdp, [0.1, 1.0]), labels=["an own label"], **k
    ),
    "policies": lambda mdp, **k: plots.tradeoff_policies(
        mdp, maxent.tradeoff(mdp, [0.1, 1.0]), [0.1], **k
    ),
    "counter-example": lambda mdp, **k: plots.counterexample(free_loop(), **k),
    "bias": lambda mdp, **k: plots.importance_bias(_bias(), **k),
    "learning curves": lambda mdp, **k: plots.learning_curves(
        {task: {"sac": learning_curve([([0, 1], [1.0, 2.0])])} for task in "ab"}, columns=1, **k
    ),
}


@pytest.mark.parametrize("name", OF_RECORDS)
def test_figures_of_records_take_a_title(name, mdp):
    assert title_of(OF_RECORDS[name](mdp, title=OWN)) == OWN
    assert title_of(OF_RECORDS[name](mdp)) not in ("", OWN)


def test_arguments_of_such_figures(mdp):
    curve = maxent.tradeoff(mdp, [0.1, 1.0])
    for figure in (plots.tradeoff, plots.reaching, plots.tradeoff_by_temperature):
        legend = figure(curve, labels=["an own label"]).legends[0].get_texts()
        assert any("an own label" in text.get_text() for text in legend), figure.__name__
    first, second = (ax.get_position() for ax in OF_RECORDS["learning curves"](mdp).axes)
    assert first.x0 == second.x0 and first.y0 > second.y0  # one column

    ax = Figure().add_subplot()
    assert plots.importance_bias(_bias(), ax=ax) is ax.figure and ax.get_lines()
