"""Occupancy maps, strips by temperature, policies side by side, rewards: numbers and words."""

import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.quiver import Quiver
from matplotlib.text import Text

import maxent
from maxent import plots
from maxent.plots.maps import occupancy as visits_of
from maxent.plots.maps import rewards
from maxent.plots.style import number


def words(figure):
    figure.canvas.draw()
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


def meshes(figure):
    """The values drawn on each map, in order, (rows, columns), nan where there are none."""
    found = figure.findobj(lambda artist: artist.get_gid() == "values")
    return [np.ma.filled(mesh.get_array(), np.nan) for mesh in found]


def small(**settings):
    return maxent.gridworld("russell-norvig-4x3", **({"discount": 0.9} | settings))


# -- occupancy ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_colours_are_the_visits(scale):
    mdp = small()
    solution = maxent.solve(mdp, 0.3)
    visits = maxent.occupancy(mdp, solution.policy).sum(axis=1)
    figure = plots.occupancy_map(mdp, solution, scale=scale)
    (shown,) = meshes(figure)
    for state, (row, column) in enumerate(mdp.grid.cells):
        if mdp.terminal[state]:
            assert np.isnan(shown[row, column])
        else:
            assert shown[row, column] == pytest.approx(visits[state])
    text = words(figure)
    for part in (
        "expected visits (discounted)",
        "temperature 0.3, discount 0.9",
        f"{number(visits[~mdp.terminal].sum())} in all",
        f"goal: {number(visits[mdp.terminal & (mdp.grid.cells[:, 0] == 0)].sum())} arrivals",
        f"pit: {number(visits[mdp.terminal & (mdp.grid.cells[:, 0] == 1)].sum())} arrivals",
    ):
        assert part in text
    assert len(figure.findobj(Quiver)) == 1


def test_the_scale_is_chosen_by_the_spread_of_visits():
    mdp = small()
    norm = visits_of.visits_scale
    nonterminal = ~mdp.terminal
    even, uneven = np.where(nonterminal, 1.0, 99.0), np.where(nonterminal, 1.0, 99.0)
    uneven[0] = 1e-9
    assert not isinstance(norm(mdp, [even]), LogNorm) and norm(mdp, [even]).vmin == 0.0
    assert isinstance(norm(mdp, [uneven]), LogNorm)
    assert norm(mdp, [uneven]).vmin == pytest.approx(1e-4)  # four powers of ten, no more
    assert norm(mdp, [even]).vmax == norm(mdp, [uneven]).vmax == 1.0  # terminal states left out
    assert not isinstance(norm(mdp, [uneven], "linear"), LogNorm)
    assert isinstance(norm(mdp, [even], "log"), LogNorm)


def test_a_policy_alone_is_enough_and_unvisited_cells_are_drawn():
    mdp = maxent.gridworld("S..\n...\n..G", discount=0.9)
    right = np.zeros((mdp.n_states, 4))
    right[:, mdp.action_names.index("right")] = 1.0
    text = words(plots.occupancy_map(mdp, right))  # never leaves the first row
    assert "temperature" not in text and "discount 0.9" in text and "goal: 0.00 arrivals" in text
    mdp = maxent.gridworld("four-rooms", discount=0.95)
    assert "arrivals" in words(plots.occupancy_map(mdp, maxent.solve(mdp, 0.02)))


@pytest.mark.parametrize("n_states", [8, 60])
def test_occupancy_without_a_map(n_states):
    mdp = maxent.garnet(n_states, 3, discount=0.9, terminal=1, seed=2, branching=2)
    solution = maxent.solve(mdp, 0.3)
    visits = maxent.occupancy(mdp, solution.policy).sum(axis=1)
    figure = plots.occupancy_map(mdp, solution)
    (bars,) = figure.axes[0].containers
    drawn = bars.lines[0].get_xdata() if n_states == 8 else bars.lines[0].get_ydata()
    np.testing.assert_allclose(drawn, visits[:-1])
    assert f"{number(visits[-1])} arrivals at terminal states" in words(figure)
    assert "value 0" not in words(figure)


def test_occupancy_refusals():
    mdp = small()
    with pytest.raises(maxent.ConfigError, match="did you mean 'linear'"):
        plots.occupancy_map(mdp, maxent.solve(mdp, 0.1), scale="linar")
    with pytest.raises(maxent.ModelError, match="sums to"):
        plots.occupancy_map(mdp, np.ones((11, 4)))
    other = maxent.gridworld("two-goals")
    with pytest.raises(maxent.ModelError, match="pass the MDP that was solved"):
        plots.occupancy_map(mdp, maxent.solve(other, 0.1))


# -- by temperature, side by side --------------------------------------------------------------


@pytest.mark.parametrize("what", ["value", "entropy", "occupancy"])
def test_a_strip_shows_each_temperature_in_order(what):
    mdp = small()
    given = [0.3, maxent.solve(mdp, 0.01), 0.05]
    figure = plots.temperature_strip(mdp, given, what)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    titles = [title for title in titles if "temperature" in title]
    assert [title.split("\n")[0] for title in titles] == [
        "temperature 0.01",
        "temperature 0.05",
        "temperature 0.3",
    ]
    nonterminal = ~mdp.terminal
    row, column = mdp.grid.cells[nonterminal].T
    for temperature, shown in zip((0.01, 0.05, 0.3), meshes(figure), strict=True):
        solution = maxent.solve(mdp, temperature)
        visits = maxent.occupancy(mdp, solution.policy).sum(axis=1)
        truth = {
            "value": solution.v,
            "entropy": maxent.entropy(solution.log_policy),
            "occupancy": visits,
        }[what]
        tolerance = visits.max() * 1.01e-4 if what == "occupancy" else 1e-6  # lowest colour
        np.testing.assert_allclose(shown[row, column], truth[nonterminal], atol=tolerance)
        if what == "occupancy":
            arrived = f"{number(visits[mdp.terminal].sum())} arrivals"
            assert arrived in "".join(titles)
    assert {"value": "reward units", "entropy": "nats", "occupancy": "visits"}[what] in words(
        figure
    )
    assert len(figure.findobj(Quiver)) == 3


def test_one_entropy_scale_up_to_log_a():
    figure = plots.temperature_strip(small(), [0.01, 1.0], "entropy")
    found = figure.findobj(lambda artist: artist.get_gid() == "values")
    assert {(mesh.norm.vmin, mesh.norm.vmax) for mesh in found} == {(0.0, np.log(4))}
    assert "log 4" in words(figure)


def test_side_by_side_takes_solutions_and_policies():
    mdp = small()
    uniform = np.full((11, 4), 0.25)
    soft = maxent.solve(mdp, 0.1)
    text = words(plots.side_by_side(mdp, {"soft": soft, "uniform": uniform}))
    assert "soft" in text and "uniform" in text and "visits" in text and "arrivals" in text
    assert "soft value V" in words(
        plots.side_by_side(mdp, {"a": soft, "b": maxent.solve(mdp, 0.0)})
    )
    figure = plots.side_by_side(mdp, {"soft": soft, "uniform": uniform}, "entropy")
    assert np.nanmin(meshes(figure)[1]) == pytest.approx(np.log(4))


@pytest.mark.parametrize("n_states", [8, 60])
@pytest.mark.parametrize("what", ["value", "entropy", "occupancy"])
def test_comparisons_without_a_map_are_tables(n_states, what):
    mdp = maxent.garnet(n_states, 3, discount=0.9, terminal=1, seed=2)
    figure = plots.temperature_strip(mdp, [0.1, 1.0], what)
    (table,) = meshes(figure)
    assert table.shape == (n_states, 2) and np.isnan(table[-1]).all()
    if what == "value":
        np.testing.assert_allclose(table[:-1, 1], maxent.solve(mdp, 1.0).v[:-1])
    assert "temperature" in words(figure) and "state (blank: terminal)" in words(figure)


def test_comparison_refusals():
    mdp = small()
    with pytest.raises(maxent.ConfigError, match="did you mean 'entropy'"):
        plots.temperature_strip(mdp, [0.1], "entrpy")
    with pytest.raises(maxent.ConfigError, match="13 panels"):
        plots.temperature_strip(mdp, np.linspace(0.1, 1.0, 13).tolist())
    with pytest.raises(maxent.ConfigError, match="0 panels"):
        plots.side_by_side(mdp, {})
    with pytest.raises(maxent.ConfigError, match="needs Solutions"):
        plots.side_by_side(mdp, {"uniform": np.full((11, 4), 0.25)}, "value")


# -- rewards -----------------------------------------------------------------------------------


def drawn_rewards(figure):
    return [piece.get_array() for piece in figure.findobj(lambda a: a.get_gid() == "rewards")]


def test_shaping_is_removed_before_rewards_are_compared():
    mdp = small()
    potential = np.random.default_rng(0).normal(size=11) * ~mdp.terminal
    shaped = mdp.reward + mdp.discount * mdp.expect(potential) - potential[:, None]
    figure = plots.reward_map(mdp, {"true": mdp.reward, "shaped": shaped})
    first, second = drawn_rewards(figure)
    assert len(first) == 4 * 9  # a piece for each action of each state
    np.testing.assert_allclose(first, second, atol=1e-12)
    kept = drawn_rewards(
        plots.reward_map(mdp, {"true": mdp.reward, "shaped": shaped}, shaping=True)
    )
    assert np.abs(kept[0] - kept[1]).max() > 0.1
    np.testing.assert_array_equal(kept[0], mdp.reward[~mdp.terminal].ravel())
    text = words(figure)
    assert "reward less shaping (reward units)" in text and "shaped" in text
    assert "discount 0.9" in text


@pytest.mark.parametrize("moves", [4, 8])
def test_each_piece_lies_where_its_action_leads(moves):
    mdp = maxent.gridworld("...\n...\n..G", discount=0.9, moves=moves)
    pieces = rewards._pieces(mdp)
    areas = []
    for action, piece in enumerate(pieces):
        down, right = mdp.grid.moves[action]
        middle = piece.mean(axis=0)
        assert np.sign(middle.round(9)).tolist() == [right, down]  # x, then y downwards
        assert np.abs(piece).max() == 0.5
        x, y = piece.T
        areas.append(0.5 * abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)))
    assert sum(areas) == pytest.approx(1.0)


def test_rewards_by_state_of_odd_moves_and_without_a_map():
    mdp = small()
    plain = drawn_rewards(plots.reward_map(mdp, np.arange(11.0), shaping=True))[0]
    np.testing.assert_array_equal(plain.reshape(9, 4)[:, 0], np.arange(11.0)[~mdp.terminal])
    grid = maxent.Grid(("..",), np.array([[0, 0], [0, 1]]), np.array([[0, 0], [0, 1]]))
    step = np.full((2, 2, 2), 0.5)
    stays = maxent.MDP(step, [[1.0, 3.0], [0.0, 2.0]], discount=0.5, grid=grid)
    figure = plots.reward_map(stays, stays.reward, shaping=True)
    np.testing.assert_array_equal(drawn_rewards(figure)[0], [2.0, 1.0])
    assert "mean over actions" in words(figure)
    mdp = maxent.garnet(8, 3, discount=0.9, terminal=1, seed=2)
    figure = plots.reward_map(mdp, {"true": mdp.reward, "twice": 2 * mdp.reward})
    line = next(line for line in figure.axes[0].lines if line.get_label() == "twice")
    np.testing.assert_allclose(line.get_ydata(), 2 * line.get_xdata())
    assert "equal" in words(figure)
    words(plots.reward_map(mdp, mdp.reward))
    with pytest.raises(maxent.ModelError, match="reward has shape"):
        plots.reward_map(mdp, np.ones(3))
    with pytest.raises(maxent.ConfigError, match="0 rewards"):
        plots.reward_map(mdp, {})
