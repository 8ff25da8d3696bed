"""Tables and pictures of policies, as text for a terminal."""

from __future__ import annotations

import sys

import numpy as np

from maxent.mdp import MDP
from maxent.solution import Solution
from maxent.support.arguments import count

WIDEST, HIGHEST = 120, 60
"""Largest map, in characters, that is drawn as text."""

TIED = 0.99
"""Moves at least this many times as probable as the likeliest are shown with it."""

UP, RIGHT, DOWN, LEFT = (-1, 0), (0, 1), (1, 0), (0, -1)
_ONE = {UP: "↑", RIGHT: "→", DOWN: "↓", LEFT: "←", (0, 0): "○"}
_ONE |= {(-1, 1): "↗", (1, 1): "↘", (1, -1): "↙", (-1, -1): "↖"}
GLYPHS = {frozenset([move]): glyph for move, glyph in _ONE.items()} | {
    frozenset([UP, RIGHT]): "└",
    frozenset([UP, DOWN]): "↕",
    frozenset([UP, LEFT]): "┘",
    frozenset([RIGHT, DOWN]): "┌",
    frozenset([RIGHT, LEFT]): "↔",
    frozenset([DOWN, LEFT]): "┐",
    frozenset([UP, RIGHT, DOWN]): "├",
    frozenset([UP, RIGHT, LEFT]): "┴",
    frozenset([UP, DOWN, LEFT]): "┤",
    frozenset([RIGHT, DOWN, LEFT]): "┬",
    frozenset([UP, RIGHT, DOWN, LEFT]): "┼",
}
"""The character for each set of moves; a set that is not here is shown as `SEVERAL`."""

SEVERAL = "*"
ASCII = {"↑": "^", "→": ">", "↓": "v", "←": "<", "○": "o"}
LEGEND = "the likeliest move of each cell; corners and crosses: several are as likely"


def discount_text(discount: float) -> str:
    """0.95; for one within 1e-4 of 1 its distance, as in 1-1e-09."""
    return f"1-{1.0 - discount:.2g}" if 0.0 < 1.0 - discount < 1e-4 else f"{discount:g}"


def size_text(mdp: MDP) -> str:
    """How many states and actions an MDP has."""
    terminal = f", {mdp.terminal.sum()} terminal" if mdp.terminal.any() else ""
    return f"{count(mdp.n_states, 'state')}, {count(mdp.n_actions, 'action')}{terminal}"


def policy_picture(mdp: MDP, solution: Solution) -> str | None:
    """The map with the likeliest moves as arrows; None without a map that fits a terminal."""
    grid = mdp.grid
    if grid is None or grid.shape[0] > HIGHEST or grid.shape[1] > WIDEST:
        return None
    moves = [(int(down), int(right)) for down, right in grid.moves]
    marks = {}
    for state in np.flatnonzero(~mdp.terminal & (grid.cells[:, 0] >= 0)).tolist():
        row, column = grid.cells[state]
        if grid.text[row][column].isupper() and grid.text[row][column] != "S":
            continue  # goals and portals keep their letter
        probabilities = solution.policy[state]
        likely = np.flatnonzero(probabilities >= TIED * probabilities.max())
        marks[state] = GLYPHS.get(frozenset(moves[action] for action in likely), SEVERAL)
    return printable(grid.draw(marks))


def printable(text: str) -> str:
    """The text with plain characters in place of arrows that standard output cannot show."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        replaced = (ASCII.get(c, c if c.isascii() else "+") for c in text)
        return "".join(replaced)
    return text
