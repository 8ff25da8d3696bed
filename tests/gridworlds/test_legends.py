"""Maps that people have: drawn with other characters, given as lists and arrays."""

import inspect

import numpy as np
import pytest
from gymnasium.envs.toy_text import taxi

import maxent
from maxent.cli import main

FROZEN_LAKE = ["SFFF", "FHFH", "FFFH", "HFFG"]
U_MAZE = "#####\\" + "#GOO#\\" + "###O#\\" + "#OOO#\\" + "#####"
CLASSIC = """
%%%%%%%%%
%o..%...%
%.%%%.%.%
%...P.%G%
%%%%%%%%%
"""
SOKOBAN = """
    #####
    #   #
    #$  #
  ###  $##
  #  *@+ #
### # ####
#   # #
#####-#
    ###"""


def world(map, **settings):
    return maxent.gridworld(map, **({"discount": 0.9} | settings))


@pytest.mark.parametrize(
    "desc",
    [
        FROZEN_LAKE,
        "\n".join(FROZEN_LAKE),
        [list(row) for row in FROZEN_LAKE],
        [row.encode() for row in FROZEN_LAKE],
        np.array(FROZEN_LAKE),
        np.asarray(FROZEN_LAKE, dtype="c"),
    ],
    ids=["rows", "text", "cells", "bytes", "array", "desc"],
)
def test_the_desc_of_frozen_lake_is_frozen_lake(desc):
    mdp = maxent.gridworld(
        desc, legend="gymnasium", discount=0.99, slip=2 / 3, step_reward=0.0, rewards={"H": 0.0}
    )
    assert "\n".join(mdp.grid.text) == maxent.MAPS["frozen-lake-4x4"].text
    theirs = maxent.from_gymnasium("FrozenLake-v1", discount=0.99, desc=FROZEN_LAKE)
    for temperature in (0.0, 0.1):
        np.testing.assert_allclose(
            maxent.solve(mdp, temperature).v, maxent.solve(theirs, temperature).v, atol=1e-7
        )


@pytest.mark.parametrize(
    "map, legend, read",
    [
        (U_MAZE, "d4rl", "#####\n#G..#\n###.#\n#...#\n#####"),
        (U_MAZE.replace("\\", "\\\n"), "d4rl", "#####\n#G..#\n###.#\n#...#\n#####"),
        ([[1, 1, 1, 1], [1, "r", 0, "g"], [1, 1, 1, 1]], "d4rl", "####\n#S.G\n####"),
        ("%%%%%\n% .P%\n%%%%%", "pacman", "#####\n#.GS#\n#####"),
        ("+-+-+\n|S  |\n+ + +\n|  E|\n+-+-+", "lines", "#####\n#S..#\n#.#.#\n#..G#\n#####"),
        ("┌─┐\n│S│\n│E│\n└─┘", "lines", "###\n#S#\n#G#\n###"),
        ("S01\n00E", "maze01", "S.#\n..G"),
        ("0 1 0\n0 0 0\n", "maze01", ".#.\n..."),
        ("0110", "maze01", ".##."),
        (str(np.array([[0, 1], [0, 0]])), "maze01", ".#\n.."),
        ([[0, 1], [0, 0]], "maze01", ".#\n.."),
        (np.array([[0, 1], [0, 0]]), "maze01", ".#\n.."),
        (np.array([[0.0, 1.0], [0.0, 0.0]]), "maze01", ".#\n.."),
        (np.array([[False, True], [False, False]]), "maze01", ".#\n.."),
        (np.array([[-1, 0], [0, 10]]), {-1: "#", 0: ".", 10: "G"}, "#.\n.G"),
        (np.array([[255, 0], [0, 0]]), {255: ".", 0: "#"}, ".#\n##"),
        ("%F%\nHSE", {"%": "#", "F": ".", "H": "X", "E": "G"}, "#.#\nXSG"),
        ("XXX\nXSX\nX.X", {"X": "#"}, "###\n#S#\n#.#"),
        (["S ", " G"], None, "S \n G"),
        ([["S", " "], [" ", "G"]], None, "S \n G"),
        ("\nS.G\n...", None, "S.G\n..."),
        ("\n    S.G\n     . \n    ", None, "S.G\n . "),
    ],
)
def test_maps_that_people_have(map, legend, read):
    assert "\n".join(world(map, legend=legend).grid.text) == read


def test_what_a_gridworld_cannot_hold_is_said():
    with pytest.warns(maxent.MaxEntWarning, match="capsules and food and ghosts .* left out"):
        classic = world(inspect.cleandoc(CLASSIC), legend="pacman")
    assert "".join(classic.grid.text).count("#") == CLASSIC.count("%")
    assert not classic.terminal.any() and classic.reward.max() == classic.reward.min() == -0.04
    assert classic.initial_distribution.max() == 1.0
    with pytest.warns(maxent.MaxEntWarning, match="boxes"):
        board = world(SOKOBAN.strip("\n"), legend="sokoban")
    assert board.grid.text == (
        "##########",
        "#####...##",
        "#####...##",
        "#####...##",
        "###..GSS.#",
        "###.#.####",
        "#...#.####",
        "#####.####",
        "##########",
    )


def test_a_reward_is_of_a_character_as_drawn_or_of_what_it_means():
    settings = {"step_reward": 0.0, "discount": 0.9}
    lake = maxent.gridworld("SH\nFG", legend="gymnasium", rewards={"H": -5.0}, **settings)
    assert lake.reward[0].tolist() == [0.0, -5.0, 0.0, 0.0]
    lake = maxent.gridworld("SH\nFG", legend="gymnasium", rewards={"X": -6.0, "F": 2.0}, **settings)
    assert lake.reward[0].tolist() == [0.0, -6.0, 2.0, 0.0]
    both = maxent.gridworld("gSE", legend={"g": "G", "E": "G"}, rewards={"g": 7.0}, **settings)
    assert both.reward[1].max() == 7.0 and both.terminal.tolist() == [True, False, True]
    own = maxent.gridworld("SA.", legend={"A": "."}, rewards={"A": 0.5}, **settings)
    assert own.reward[:, 1].tolist() == [0.5, 0.0, 0.0]
    cliffs = maxent.gridworld(
        "C\nS\nc", legend={"C": "!", "c": "!"}, rewards={"C": -9.0, "c": -8.0}, **settings
    )
    assert cliffs.reward.tolist() == [[-9.0, 0.0, -8.0, 0.0]]
    portal = maxent.gridworld("SPp", legend={"P": "A", "p": "a"}, rewards={"P": 3.0}, **settings)
    assert portal.reward[1].tolist() == [3.0] * 4


@pytest.mark.parametrize(
    "map, settings, words",
    [
        (FROZEN_LAKE, {}, "'F' .10 on the map.*legend='gymnasium' reads this map"),
        (U_MAZE, {}, "legend='d4rl' reads"),
        ([[0, 1], [0, 0]], {}, "legend='d4rl' or legend='maze01' reads"),
        ("%%%\n%P%\n%%%", {}, "legend='pacman' reads.*legend={'%': '#'} makes it a wall"),
        ("%%%\n%S%\n%%%", {}, r"character '%'; say what it is: legend={'%': '#'} makes it a wall"),
        ("+-+\n|S|\n+-+", {}, "legend='lines' reads"),
        ("SFFF/FHFH", {"legend": "gymnasium"}, r"map.replace\('/', '\\n'\)"),
        (
            "\n".join(taxi.MAP),
            {},
            "unknown character '[+]'; this is the map of Gymnasium's Taxi.*v4",
        ),
        (
            "\n".join(taxi.MAP),
            {"legend": "lines"},
            "character ':'; this is .*Taxi.*between cells",
        ),
        (taxi.MAP[1:-1], {}, "this is the map of Gymnasium's Taxi"),
        (
            taxi.MAP,
            {"legend": dict.fromkeys("+-|", "#") | {":": "."}},
            "portal 'B': this is the map of Gymnasium's Taxi",
        ),
        ("S..E", {}, "capital letter is a portal .*legend={'E': '.'}.*'#' a wall, 'G' a goal"),
        ("S..A", {"rewards": {"A": 0.5}}, "legend={'A': '.'} .* reward is rewards={'A': 0.5}"),
        ("\nS..\n\n...\n", {}, "line 2 has 0 "),
        ("\n  S..\n ...\n", {}, "line 2 has 3 "),
        ("\n\tS..\n", {}, r"line 1, column 1: unknown character '\\t'"),
        ("S..\n...\n   ", {}, "line 3 of 3 holds nothing but spaces.*inspect.cleandoc"),
        ("S...\n....\n  ", {}, "line 3 has 2 .*inspect.cleandoc"),
        ("S...\n    ....\n    ....", {}, "line 2 has 8 .*inspect.cleandoc"),
        ("   \nS..\n...", {}, "line 1 of 3 holds nothing but spaces"),
        (["S..", "   "], {}, "line 2 of 2 holds nothing but spaces"),
        (SOKOBAN.strip("\n"), {}, "legend='sokoban' reads boards"),
        ([["S", "."], ["."]], {}, "line 2 has 1 cells where line 1 has 2"),
        ([["S", "GG"]], {}, "unknown character 'GG'"),
        ([["S", float("nan")]], {}, "unknown character 'nan'"),
        ([3, 4], {}, "give a text for each row, or a list of cells"),
        ([], {}, "it has no rows"),
        ([[]], {}, "empty"),
        ([[1, "c"], [0, 0]], {"legend": "d4rl"}, "unknown character 'c'"),
    ],
)
def test_what_to_do_about_a_map(map, settings, words):
    with pytest.raises(maxent.MapError, match=words):
        world(map, **settings)


@pytest.mark.parametrize(
    "map, settings, words",
    [
        ("S.", {"legend": "gymnasiu"}, "did you mean 'gymnasium'"),
        ("S.", {"legend": 3}, "legend = 3 must be a name"),
        ("S.", {"legend": {"%": "wall"}}, r"legend\['%'\] = 'wall' is none of our characters"),
        ("four-rooms", {"legend": "gymnasium"}, "needs none"),
        ("%S", {"legend": {"%": "#"}, "rewards": {"%": 1.0}}, "a wall is never entered"),
        (b"S.", {}, "map is a bytes"),
    ],
)
def test_what_is_wrong_with_a_legend(map, settings, words):
    with pytest.raises(maxent.ConfigError, match=words):
        world(map, **settings)


def test_the_command_line_takes_legends(tmp_path, capsys):
    path = tmp_path / "maze.lay"
    path.write_text("%%%%%\n%P .%\n%%%%%\n")
    wanted = ["solve", str(path), "--temperature", "0.1", "--discount", "0.9"]
    assert main(wanted) == 2
    assert "legend='pacman' reads this map" in capsys.readouterr().err
    for legend in ("pacman", "%=#,P=S,.=G"):
        assert main([*wanted, "--legend", legend]) == 0
        assert "3 states, 4 actions, 1 terminal" in capsys.readouterr().out
    assert main([*wanted, "--legend", "%=#,P"]) == 2
    assert "must be a name such as gymnasium, or have the form" in capsys.readouterr().err
