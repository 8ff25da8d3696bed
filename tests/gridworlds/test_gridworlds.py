"""Gridworlds: what each character and setting does, the geometry, and any map by plain loops."""

import itertools

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maxent

UP, RIGHT, DOWN, LEFT = range(4)
ROOM = "...\n...\n..."


def world(text, **settings):
    """A gridworld with step reward 0 and discount 0.9 unless told otherwise."""
    return maxent.gridworld(text, **({"discount": 0.9, "step_reward": 0.0} | settings))


def outcomes(mdp, cell, action):
    """{cell: (probability, reward)} of a step from a cell; every entry of the MDP, zeros too."""
    row = mdp.grid.state_at(*cell) * mdp.n_actions + action
    span = slice(mdp.transition.indptr[row], mdp.transition.indptr[row + 1])
    cells = mdp.grid.cells[mdp.transition.indices[span]].tolist()
    chances, rewards = mdp.transition.data[span], mdp.transition_reward.data[span]
    return {tuple(c): (p, r) for c, p, r in zip(cells, chances.tolist(), rewards.tolist())}


def close(found, expected):
    assert found.keys() == expected.keys()
    for cell in expected:
        assert found[cell] == pytest.approx(expected[cell], rel=1e-14, abs=1e-14)


# --- moves -----------------------------------------------------------------------------------

EIGHT = {
    "up": (0, 1),
    "up-right": (0, 2),
    "right": (1, 2),
    "down-right": (2, 2),
    "down": (2, 1),
    "down-left": (2, 0),
    "left": (1, 0),
    "up-left": (0, 0),
}
FOUR = dict(list(EIGHT.items())[::2])


@pytest.mark.parametrize("moves, targets", [(4, FOUR), (8, EIGHT)])
def test_each_action_leads_where_its_name_says(moves, targets):
    mdp = world(ROOM, moves=moves)
    assert mdp.action_names == tuple(targets)
    for action, (name, target) in enumerate(targets.items()):
        assert outcomes(mdp, (1, 1), action) == {target: (1.0, 0.0)}, name
        assert tuple(mdp.grid.moves[action] + 1) == target


@pytest.mark.parametrize("moves, targets", [(4, FOUR), (8, EIGHT)])
def test_slip_goes_to_the_two_neighbouring_directions(moves, targets):
    mdp = world(ROOM, moves=moves, slip=0.3)
    around = list(targets.values())
    for action in range(moves):
        expected = {
            around[action]: (0.7, 0.0),
            around[action - 1]: (0.15, 0.0),
            around[(action + 1) % moves]: (0.15, 0.0),
        }
        close(outcomes(mdp, (1, 1), action), expected)


def test_full_slip_never_goes_as_meant():
    close(outcomes(world(ROOM, slip=1.0), (1, 1), UP), {(1, 0): (0.5, 0.0), (1, 2): (0.5, 0.0)})


def test_edges_and_walls_stop_the_agent_and_cost_the_bump_reward():
    mdp = world(".#\n..", step_reward=-0.5, bump_reward=-2.0)
    assert outcomes(mdp, (0, 0), UP) == {(0, 0): (1.0, -2.5)}
    assert outcomes(mdp, (0, 0), RIGHT) == {(0, 0): (1.0, -2.5)}
    assert outcomes(mdp, (0, 0), LEFT) == {(0, 0): (1.0, -2.5)}
    assert outcomes(mdp, (0, 0), DOWN) == {(1, 0): (1.0, -0.5)}


def test_duplicate_outcomes_are_merged_with_their_mean_reward():
    # in the corner, up (0.6) and its neighbour left (0.2) both bump
    mdp = world(ROOM, slip=0.4, bump_reward=-1.0)
    close(outcomes(mdp, (0, 0), UP), {(0, 0): (0.8, -1.0), (0, 1): (0.2, 0.0)})
    # blown back from below, and bumping to the left: the same successor, two rewards
    mdp = world(".\n.", slip=0.5, bump_reward=-1.0, wind=1)
    close(outcomes(mdp, (0, 0), DOWN), {(0, 0): (1.0, -0.5)})


def test_a_diagonal_move_squeezes_between_walls():
    mdp = world(".#\n#.", moves=8)
    assert outcomes(mdp, (0, 0), 3) == {(1, 1): (1.0, 0.0)}


# --- rewards, terminal cells, starts ---------------------------------------------------------


def test_the_reward_of_a_cell_is_paid_on_arrival_on_top_of_the_step():
    mdp = world("X.G", step_reward=-0.04)
    assert outcomes(mdp, (0, 1), RIGHT) == {(0, 2): (1.0, -0.04 + 1.0)}
    assert outcomes(mdp, (0, 1), LEFT) == {(0, 0): (1.0, -0.04 - 1.0)}
    assert mdp.terminal.tolist() == [True, False, True]
    assert np.diff(mdp.transition.indptr).tolist() == [0] * 4 + [1] * 4 + [0] * 4


def test_defaults():
    mdp = maxent.gridworld("X.G", discount=0.5)
    assert mdp.reward[1].tolist() == [-0.04, 0.96, -0.04, -1.04]
    assert mdp.is_sparse and mdp.discount == 0.5
    assert mdp.initial_distribution.tolist() == [0.0, 1.0, 0.0]


def test_named_floor_pays_on_arrival_but_not_for_staying():
    mdp = world("3.\n..", rewards={"3": 3.0})
    assert outcomes(mdp, (0, 1), LEFT) == {(0, 0): (1.0, 3.0)}
    assert outcomes(mdp, (0, 0), UP) == {(0, 0): (1.0, 0.0)}
    assert outcomes(mdp, (0, 0), RIGHT) == {(0, 1): (1.0, 0.0)}


def test_space_is_floor_and_lines_are_not_stripped():
    mdp = world(" . \n   \n  .")
    assert mdp.n_states == 9 and mdp.grid.shape == (3, 3)


def test_starts():
    assert world("S.\n.S").initial_distribution.tolist() == [0.5, 0.0, 0.0, 0.5]
    for text in ("..\n.G", "..\n.X"):
        assert world(text).initial_distribution.tolist() == pytest.approx([1 / 3] * 3 + [0.0])


def test_portal_pays_on_departure_instead_of_the_step():
    mdp = world("SA..a", step_reward=-1.0, rewards={"A": 10.0}, slip=0.2, bump_reward=-5.0)
    for action in range(4):
        close(outcomes(mdp, (0, 1), action), {(0, 4): (1.0, 10.0)})
    assert outcomes(mdp, (0, 0), RIGHT)[(0, 1)] == (0.8, -1.0)  # nothing on arrival


def test_portal_without_a_named_reward_pays_the_step_and_the_cell_it_leads_to():
    mdp = world("AA.a", step_reward=-1.0, rewards={"a": 3.0})
    assert outcomes(mdp, (0, 0), UP) == {(0, 3): (1.0, 2.0)}
    assert outcomes(mdp, (0, 1), UP) == {(0, 3): (1.0, 2.0)}


def test_cliff_pays_its_reward_instead_of_the_step_and_leads_to_a_start():
    mdp = world("S.\n!.", step_reward=-1.0, rewards={"!": -100.0})
    assert mdp.n_states == 3
    assert outcomes(mdp, (1, 1), LEFT) == {(0, 0): (1.0, -100.0)}
    assert outcomes(mdp, (0, 0), DOWN) == {(0, 0): (1.0, -100.0)}
    with pytest.raises(KeyError, match=r"cell \(1, 0\) is no state: '!' stands there"):
        mdp.grid.state_at(1, 0)
    with pytest.raises(KeyError, match="the map has 2 rows and 2 columns"):
        mdp.grid.state_at(2, 0)


def test_cliff_with_several_starts_and_slip():
    mdp = world("S.S\n.!.", rewards={"!": -6.0}, slip=0.5)
    # down, 0.5: the cliff, then either start; left or right, 0.25 each: that start by foot
    close(outcomes(mdp, (0, 1), DOWN), {(0, 0): (0.5, -3.0), (0, 2): (0.5, -3.0)})


def test_cliff_without_a_start_leads_anywhere():
    mdp = world("..!", rewards={"!": -1.0})
    assert outcomes(mdp, (0, 1), RIGHT) == {(0, 0): (0.5, -1.0), (0, 1): (0.5, -1.0)}


def test_absorbing_goal_is_stayed_in_at_reward_zero():
    mdp = world("S.G", step_reward=-1.0, goals="absorbing", bump_reward=-5.0)
    assert not mdp.terminal.any()
    assert outcomes(mdp, (0, 1), RIGHT) == {(0, 2): (1.0, 0.0)}  # -1 + 1, once
    for action in range(4):
        assert outcomes(mdp, (0, 2), action) == {(0, 2): (1.0, 0.0)}


def test_restart_goal_leads_to_a_start():
    mdp = world("S.S.G", step_reward=-1.0, goals="restart")
    assert not mdp.terminal.any()
    assert outcomes(mdp, (0, 3), RIGHT) == {(0, 4): (1.0, 0.0)}
    for action in range(4):
        assert outcomes(mdp, (0, 4), action) == {(0, 0): (0.5, -1.0), (0, 2): (0.5, -1.0)}


def test_a_pit_is_terminal_whatever_the_goals():
    for goals in ("terminal", "absorbing", "restart"):
        assert world("XSG", goals=goals).terminal.tolist() == [True, False, goals == "terminal"]


# --- wind ------------------------------------------------------------------------------------


def test_wind_blows_upwards_from_the_column_that_is_left():
    mdp = world("...\n...\n...\n...", wind=[0, 2, 0])
    assert outcomes(mdp, (3, 1), RIGHT) == {(1, 2): (1.0, 0.0)}
    assert outcomes(mdp, (3, 0), RIGHT) == {(3, 1): (1.0, 0.0)}
    assert outcomes(mdp, (3, 1), UP) == {(0, 1): (1.0, 0.0)}
    assert outcomes(mdp, (1, 1), LEFT) == {(0, 0): (1.0, 0.0)}  # stopped by the edge


def test_wind_is_stopped_by_a_wall_cell_by_cell():
    mdp = world("..\n#.\n..\n..", wind=(5, 0))
    assert outcomes(mdp, (3, 0), DOWN) == {(2, 0): (1.0, 0.0)}
    assert outcomes(mdp, (2, 0), RIGHT) == {(0, 1): (1.0, 0.0)}


def test_wind_over_a_cliff_counts_only_where_it_ends():
    text, rewards = "..\n!.\nS.", {"!": -9.0}
    assert outcomes(world(text, wind=(2, 0), rewards=rewards), (2, 0), DOWN) == {(0, 0): (1.0, 0.0)}
    assert outcomes(world(text, wind=(1, 0), rewards=rewards), (2, 0), DOWN) == {
        (2, 0): (1.0, -9.0)
    }


def test_one_number_is_the_wind_of_every_column():
    still = maxent.gridworld("windy-gridworld", wind=0)
    assert outcomes(still, (3, 6), RIGHT) == {(3, 7): (1.0, -1.0)}
    assert outcomes(maxent.gridworld("windy-gridworld"), (3, 6), RIGHT) == {(1, 7): (1.0, -1.0)}


# --- geometry and Gymnasium ------------------------------------------------------------------


def test_grid_geometry():
    grid = world("S#\n .\n!G").grid
    assert grid.text == ("S#", " .", "!G") and grid.shape == (3, 2)
    assert grid.cells.tolist() == [[0, 0], [1, 0], [1, 1], [2, 1]]
    assert grid.moves.tolist() == [[-1, 0], [0, 1], [1, 0], [0, -1]]
    assert [grid.state_at(*cell) for cell in grid.cells.tolist()] == [0, 1, 2, 3]
    picture = grid.picture(np.arange(4.0))
    np.testing.assert_array_equal(picture, [[0, np.nan], [1, 2], [np.nan, 3]])


def gymnasium_arrays(identifier, **options):
    """(S, A, S) probabilities and expected rewards (S, A) of a P table, in our order of moves."""
    table = gymnasium.make(identifier, **options).unwrapped.P
    shape = (len(table), len(table[0]))
    transition, reward = np.zeros((*shape, shape[0])), np.zeros(shape)
    order = {"FrozenLake-v1": (3, 2, 1, 0), "CliffWalking-v1": (0, 1, 2, 3)}[identifier]
    for state, (ours, theirs) in itertools.product(table, enumerate(order)):
        for probability, successor, paid, _ in table[state][theirs]:
            transition[state, ours, successor] += probability
            reward[state, ours] += probability * paid
    return transition, reward


@pytest.mark.parametrize("size", ["4x4", "8x8"])
def test_frozen_lake_is_gymnasiums(size):
    mdp = maxent.gridworld(f"frozen-lake-{size}")
    transition, reward = gymnasium_arrays("FrozenLake-v1", map_name=size)
    nonterminal = ~mdp.terminal
    dense = mdp.to_dense()
    np.testing.assert_allclose(dense.transition[nonterminal], transition[nonterminal], atol=1e-15)
    np.testing.assert_allclose(mdp.reward[nonterminal], reward[nonterminal], atol=1e-15)
    assert mdp.initial_distribution[0] == 1.0


def test_cliff_walking_is_gymnasiums():
    mdp = maxent.gridworld("cliff-walking")
    transition, reward = gymnasium_arrays("CliffWalking-v1")
    cells = mdp.grid.cells[:, 0] * 12 + mdp.grid.cells[:, 1]  # theirs counts the cliff as well
    ours, theirs = np.flatnonzero(~mdp.terminal), cells[~mdp.terminal]
    np.testing.assert_array_equal(mdp.to_dense().transition[ours], transition[theirs][:, :, cells])
    np.testing.assert_array_equal(mdp.reward[ours], reward[theirs])


# --- any map ---------------------------------------------------------------------------------

sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))
maps = sizes.flatmap(
    lambda size: st.lists(
        st.text(". #GXS!", min_size=size[1], max_size=size[1]),
        min_size=size[0],
        max_size=size[0],
    )
).filter(lambda rows: set(". S") & set("".join(rows)))


def cell_by_cell(rows, moves, slip, wind, goals, bump_reward, step_reward=-0.04):
    """The same model from plain loops: P (S, A, S), expected rewards (S, A), terminal cells."""
    height, width = len(rows), len(rows[0])
    cells = [(r, c) for r in range(height) for c in range(width) if rows[r][c] not in "#!"]
    ended = {
        cell for cell in cells if rows[cell[0]][cell[1]] in ("XG" if goals == "terminal" else "X")
    }
    starts = [cell for cell in cells if rows[cell[0]][cell[1]] == "S"]
    starts = starts or [cell for cell in cells if cell not in ended]
    compass = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)][:: 8 // moves]

    def is_wall(r, c):
        return not (0 <= r < height and 0 <= c < width) or rows[r][c] == "#"

    def step(cell, direction):
        """[(probability, successor, reward)] of one direction."""
        if rows[cell[0]][cell[1]] == "G" and goals == "absorbing":
            return [(1.0, cell, 0.0)]
        if rows[cell[0]][cell[1]] == "G":
            return [(1 / len(starts), start, step_reward) for start in starts]
        r, c = cell[0] + direction[0], cell[1] + direction[1]
        bump = 0.0
        if is_wall(r, c):
            (r, c), bump = cell, bump_reward
        for _ in range(wind):
            r -= not is_wall(r - 1, c)
        if rows[r][c] == "!":
            return [(1 / len(starts), start, -3.0 + bump) for start in starts]
        entered = {"G": 1.0, "X": -1.0}.get(rows[r][c], 0.0) if (r, c) != cell else 0.0
        return [(1.0, (r, c), step_reward + entered + bump)]

    transition = np.zeros((len(cells), moves, len(cells)))
    reward = np.zeros((len(cells), moves))
    for (s, cell), a in itertools.product(enumerate(cells), range(moves)):
        if cell in ended:
            continue
        for turn, chance in ((0, 1 - slip), (-1, slip / 2), (1, slip / 2)):
            for probability, successor, paid in step(cell, compass[(a + turn) % moves]):
                transition[s, a, cells.index(successor)] += chance * probability
                reward[s, a] += chance * probability * paid
    return transition, reward, [cell in ended for cell in cells]


@pytest.mark.filterwarnings("ignore::maxent.errors.MaxEntWarning")
@given(
    rows=maps,
    slip=st.sampled_from([0.0, 0.1, 2 / 3, 1.0]),
    moves=st.sampled_from([4, 8]),
    wind=st.integers(0, 2),
    goals=st.sampled_from(["terminal", "absorbing", "restart"]),
)
def test_any_map_builds_the_model_that_plain_loops_build(rows, slip, moves, wind, goals):
    settings = {"moves": moves, "slip": slip, "wind": wind, "goals": goals, "bump_reward": -0.5}
    rewards = {"!": -3.0} if "!" in "".join(rows) else {}
    mdp = maxent.gridworld("\n".join(rows), discount=0.9, rewards=rewards, **settings)
    transition, reward, ended = cell_by_cell(rows, **settings)
    assert mdp.terminal.tolist() == ended
    np.testing.assert_allclose(mdp.to_dense().transition, transition, atol=1e-15)
    np.testing.assert_allclose(mdp.reward, reward, atol=1e-14)
    assert (mdp.transition.data > 0.0).all()
    sums = mdp.transition.sum(axis=1).reshape(reward.shape)
    np.testing.assert_allclose(sums, np.where(ended, 0.0, 1.0)[:, None] + 0.0 * sums, rtol=1e-15)


@pytest.mark.slow
def test_a_million_cells_in_seconds():
    mdp = maxent.gridworld("open-1000x1000", slip=0.1)
    assert mdp.n_states == 10**6
    assert mdp.transition.nnz == 12 * 10**6 - 18
    assert mdp.transition.indices.dtype == np.int32
