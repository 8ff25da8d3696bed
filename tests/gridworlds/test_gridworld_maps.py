"""Gridworld maps: every error, files and line ends, named and generated maps."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csgraph

import maxent
from maxent.gridworlds.maps import named_map

UP = 0


def world(text, **settings):
    """A gridworld with step reward 0 and discount 0.9 unless told otherwise."""
    return maxent.gridworld(text, **({"discount": 0.9, "step_reward": 0.0} | settings))


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, words",
    [
        ("..\n...", "line 2 has 3 characters where line 1 has 2"),
        ("..\n.", "line 2 has 1"),
        ("..\n..\n\n", "line 3 has 0"),
        ("..\n.?", r"line 2, column 2: unknown character '\?'"),
        ("..\n\t.", r"line 2, column 1: unknown character '\\t'"),
        ("\ufeff..\n..", "line 1, column 1.*byte-order mark"),
        ("..\r..", r"line 1, column 3: unknown character '\\r'"),
        (".\0", r"line 1, column 2: unknown character '\\x00'"),
        ("..\n.a", "line 2, column 2.*no portal 'A'"),
        ("maps/mine.txt", r"as pathlib\.Path\('maps/mine.txt'\)"),
        ("", "empty: it has 0 cells"),
        ("\n", "empty"),
        ("\r\n", "empty"),
        ("\n\n", "empty: it has 0 cells in 2 lines"),
        ("##\n##", "no floor cell: of its 4 cells 0 are goals or pits, 4 walls"),
        ("GX\n#!", "no floor cell: of its 4 cells 2 are goals or pits, 1 walls, 1 cliffs"),
        ("A.", r"portal 'A' \(1 on the map\) has 0 exits 'a'"),
        ("AA\naa", r"portal 'A' \(2 on the map\) has 2 exits 'a'"),
        (np.zeros((2, 2, 2)), r"the map has shape \(2, 2, 2\)"),
    ],
)
def test_bad_maps(text, words):
    with pytest.raises(maxent.MapError, match=words):
        world(text)


@pytest.mark.parametrize(
    "name, words",
    [
        ("four-room", "did you mean 'four-rooms'.*russell-norvig-4x3"),
        ("frozen-lake", "did you mean 'frozen-lake-"),
        ("maze-5", "unknown map"),
        ("cliff", "did you mean 'cliff-walking'"),
        ("four rooms", "did you mean 'four-rooms'"),
        ("Cliff_Walking", "did you mean 'cliff-walking'"),
        ("maps/mine.txt", r"as pathlib\.Path\('maps/mine.txt'\)"),
        ("/home/me/mine", r"as pathlib\.Path"),
    ],
)
def test_an_unknown_name_lists_the_nearest(name, words):
    with pytest.raises(maxent.MapError, match=words):
        maxent.gridworld(name)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"discount": 1.5}, "discount"),
        ({"discount": True}, "discount"),
        ({"discount": "0.9"}, "discount"),
        ({"slip": 1.1}, r"slip = 1.1 is outside \[0, 1\]"),
        ({"slip": -0.1}, "slip"),
        ({"slip": float("nan")}, "slip"),
        ({"slip": "0.1"}, "slip"),
        ({"moves": 5}, "moves = 5 must be 4 or 8"),
        ({"moves": 4.0}, "moves"),
        ({"moves": "4"}, "moves"),
        ({"goals": "absorb"}, "did you mean 'absorbing'"),
        ({"goals": 3}, "goals = 3"),
        ({"wind": [0]}, "wind has 1 entries; the map has 3 columns"),
        ({"wind": [0, -1, 0]}, "wind of column 2 is -1"),
        ({"wind": [0, 0.5, 0]}, "wind of column 2 is 0.5"),
        ({"wind": 1.5}, "wind = 1.5"),
        ({"wind": True}, "wind of column 1 is True"),
        ({"step_reward": float("inf")}, "step_reward"),
        ({"bump_reward": float("nan")}, "bump_reward"),
        ({"rewards": {"G": "1"}}, r"rewards\['G'\]"),
        ({"rewards": {"B": 1.0}}, "'B', which is not on the map.*Known: ., G, S, X"),
        ({"rewards": {"goal": 1.0}}, "'goal'; its keys are single characters"),
        ({"rewards": {"#": 1.0}}, "a wall is never entered"),
        ({"rewards": [1.0]}, "must map characters to numbers"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(maxent.ConfigError, match=words):
        world("S.G\n#.X", **settings)


@pytest.mark.parametrize("settings", [{}, {"step_reward": 1.7e308}, {"bump_reward": 1.7e308}])
def test_rewards_that_would_overflow_are_refused(settings):
    with pytest.raises(maxent.ModelError, match="overflow"):
        world("S.G", rewards={"G": 1.7e308}, slip=0.1, **settings)


def test_rewards_of_goal_and_pit_need_none_on_the_map():
    assert world("..", rewards={"G": 5.0, "X": -5.0}).n_states == 2


def test_a_text_map_needs_a_discount():
    with pytest.raises(maxent.ConfigError, match=r"give a discount, for example discount=0.95"):
        maxent.gridworld("S.G")


def test_a_map_is_text_or_a_path():
    with pytest.raises(maxent.ConfigError, match="map is a int"):
        maxent.gridworld(3, discount=0.9)


def test_a_goal_that_cannot_be_reached_is_warned_of_and_still_built():
    with pytest.warns(
        maxent.errors.MaxEntWarning, match=r"leads to 1 of the goals: line 1, column 5"
    ) as caught:
        mdp = world("SG.#G")
    assert mdp.n_states == 4 and len(caught) == 1
    with pytest.warns(maxent.errors.MaxEntWarning, match="to 7 of .*column 8; ...$"):
        world("S.#GGGGGGG")


@pytest.mark.parametrize("goals", ["terminal", "absorbing", "restart"])
def test_what_counts_as_reachable(goals):
    world(".G#.", goals=goals)  # no S: from any other cell
    world("SA#aG", goals=goals)  # through a portal
    world("S!#\n.#.\n..G", goals=goals)
    with pytest.warns(maxent.errors.MaxEntWarning, match="line 1, column 3"):
        world(".#G", goals=goals)
    with pytest.warns(maxent.errors.MaxEntWarning, match="line 1, column 3"):
        world("SXG", goals=goals)


def test_a_map_beyond_memory_is_refused_before_it_is_built():
    tracemalloc.start()
    with pytest.raises(maxent.MemoryBudgetError, match="999999x999999"):
        maxent.gridworld("open-999999x999999")
    with pytest.raises(maxent.MemoryBudgetError, match="999999x999999"):
        maxent.gridworld("maze-999999x999999")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


# --- names, files, line ends -----------------------------------------------------------------


def same(a, b):
    for name in ("transition", "transition_reward"):
        x, y = getattr(a, name), getattr(b, name)
        for part in ("indptr", "indices", "data"):
            np.testing.assert_array_equal(getattr(x, part), getattr(y, part))
    np.testing.assert_array_equal(a.initial_distribution, b.initial_distribution)
    assert a.grid.text == b.grid.text and a.discount == b.discount


def test_crlf_and_a_trailing_newline_change_nothing(tmp_path):
    plain = world("S.#\n..G")
    for text in ("S.#\r\n..G", "S.#\r\n..G\r\n", "S.#\n..G\n"):
        same(plain, world(text))
        path = tmp_path / "map.txt"
        path.write_bytes(text.encode())
        same(plain, world(path))
        assert maxent.read_map(str(path)) == text


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(maxent.MapError, match=r"none.txt.*No such file"):
        maxent.gridworld(tmp_path / "none.txt", discount=0.9)
    with pytest.raises(maxent.MapError, match="no ordinary file"):
        maxent.read_map(tmp_path)
    (tmp_path / "latin.txt").write_bytes(b"S.\xe9G")
    with pytest.raises(maxent.MapError, match=r"not UTF-8 text \(byte 2\)"):
        maxent.read_map(tmp_path / "latin.txt")
    with pytest.raises(maxent.MapError, match="NUL"):
        maxent.read_map("a\0b")
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbfS.G")
    with pytest.raises(maxent.MapError, match="byte-order mark"):
        maxent.gridworld(tmp_path / "bom.txt", discount=0.9)


@pytest.mark.parametrize("name", maxent.MAPS)
def test_every_named_map_builds_as_documented(name):
    entry = maxent.MAPS[name]
    assert named_map(name) == entry
    assert entry.description.endswith((".", "?")) and entry.source.endswith(".")
    mdp = maxent.gridworld(name)
    same(mdp, maxent.gridworld(entry.text, **entry.settings))
    assert "\n".join(mdp.grid.text) == entry.text
    assert maxent.gridworld(name, discount=0.5).discount == 0.5
    page = Path(__file__).parents[1] / "docs" / "gridworlds.md"
    if page.exists():
        words = page.read_text()
        assert f"### {name}" in words and entry.source in words
        assert f"```text\n{entry.text}\n```" in words


def test_settings_override_a_named_map_and_rewards_are_merged():
    mdp = maxent.gridworld("sutton-barto-5x5", rewards={"B": 7.0}, bump_reward=-2.0)
    rewards_of_up = mdp.grid.picture(mdp.reward[:, UP])
    assert rewards_of_up[0].tolist() == [-2.0, 10.0, -2.0, 7.0, -2.0]


def test_generated_names():
    assert maxent.gridworld("open-3x4").grid.text == ("S...", "....", "...G")
    assert maxent.gridworld("open-1x2").grid.text == ("SG",)
    assert "\n".join(maxent.gridworld("maze-9x11-seed7").grid.text) == maxent.maze(9, 11, seed=7)
    assert "\n".join(maxent.gridworld("maze-9x11").grid.text) == maxent.maze(9, 11)
    for name in ("open-1x1", "open-0x5", "maze-3x3", "maze-0x9"):
        with pytest.raises(maxent.ConfigError):
            maxent.gridworld(name)


# --- mazes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(3, 5), (5, 3), (21, 31), (20, 30), (8, 33)])
def test_a_maze_is_perfect(size):
    text = maxent.maze(*size, seed=3)
    lines = text.split("\n")
    assert (len(lines), len(lines[0])) == size
    assert text.count("S") == text.count("G") == 1
    mdp = world(text, goals="absorbing")
    flow = np.abs(mdp.transition).sum(axis=1)
    assert (flow == 1.0).all()
    cells = {tuple(cell) for cell in mdp.grid.cells.tolist()}
    doors = sum(((r + 1, c) in cells) + ((r, c + 1) in cells) for r, c in cells)
    assert doors == mdp.n_states - 1  # with connectedness: a tree
    steps = mdp.transition[0 :: mdp.n_actions]
    for action in range(1, 4):
        steps = steps + mdp.transition[action :: mdp.n_actions]
    assert csgraph.connected_components(steps, directed=False)[0] == 1


def test_a_maze_depends_on_its_seed_alone():
    assert maxent.maze(21, 31, 1) == maxent.maze(21, 31, 1) != maxent.maze(21, 31, 2)


@pytest.mark.parametrize("size", [(3, 3), (2, 9), (1, 1)])
def test_a_maze_needs_two_rooms(size):
    with pytest.raises(maxent.ConfigError, match="no two rooms"):
        maxent.maze(*size)
