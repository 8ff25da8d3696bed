"""Frames of an MDP at a state, with NumPy alone: a line or map of text, or an image of tiles.

Also here: the maps and names of Gymnasium's own environments, which frames and figures show.

An MDP with a `grid` is drawn as its map.  Any other is drawn as a square of tiles, its states
in reading order: start states, terminal states and the rest look different.  The tiles differ
in brightness and carry the map's own letters, so they are told apart without colour.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from maxent.mdp import MDP
from maxent.mdp.grid import Grid

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

AGENT = "@"
ENDED, NOTHING = "\u25a0", "\u2007"
"""Characters of a terminal state and of an empty place on the square of an MDP without a map."""

LARGEST_FRAME, LARGEST_TILE, SMALLEST_LETTERED = 640, 48, 12
"""Pixels: the longer side of a frame (unless tiles of 2 need more), and sides of tiles."""

# One octal digit a row, three pixels each, top to bottom.
_ROWS = """
25755 65656 34443 65556 74647 74644 34553 55755 72227 11152 55655 44447 57755 65555 25552 65644
25563 65655 34216 72222 55557 55552 55775 55255 55222 71247
75557 26227 61247 61216 55711 74616 34652 71244 25252 25316 22202
"""
_FONT = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!", _ROWS.split(), strict=True))

# Okabe and Ito's colours, at brightnesses that stay apart in greyscale: (tile, letter).
_WHITE, _BLACK = (255, 255, 255), (40, 40, 40)
_TILES: dict[str, tuple[Colour, Colour | None]] = {
    NOTHING: ((225, 225, 225), None),
    "#": ((48, 48, 52), None),
    ".": ((250, 248, 243), None),
    "S": ((196, 224, 243), (0, 90, 150)),
    "G": ((64, 190, 150), _BLACK),
    "X": ((190, 62, 0), _WHITE),
    "!": ((120, 62, 20), (255, 214, 150)),
    ENDED: ((64, 190, 150), _BLACK),
    "entrance": ((204, 121, 167), _BLACK),
    "exit": ((240, 205, 224), _BLACK),
    "named": ((240, 228, 66), _BLACK),
}
_AGENT_COLOUR, _LINE = (0, 72, 140), (214, 210, 202)


def text(mdp: MDP, state: int) -> str:
    """The map with "@" at the agent, or one line naming the state where it has no cell."""
    if mdp.grid is not None and mdp.grid.cells[state, 0] >= 0:
        return mdp.grid.draw({state: AGENT})
    name = "" if mdp.state_names is None else f": {mdp.state_names[state]}"
    ended = " (terminal)" if mdp.terminal[state] else ""
    line = f"state {state} of {mdp.n_states}{name}{ended}"
    return line if mdp.grid is None else "\n".join([*mdp.grid.text, line])


class Board:
    """The empty board of an MDP, drawn once; `frame(state)` puts the agent on it."""

    def __init__(self, mdp: MDP) -> None:
        self.grid = square(mdp) if mdp.grid is None else mdp.grid
        self.side = min(LARGEST_TILE, max(2, LARGEST_FRAME // max(self.grid.shape)))
        characters, kinds = np.unique([list(line) for line in self.grid.text], return_inverse=True)
        tiles = np.stack([tile(str(c), self.side) for c in characters])
        rows, columns = self.grid.shape
        image = tiles[kinds.reshape(rows, columns)].swapaxes(1, 2)
        self.image = image.reshape(rows * self.side, columns * self.side, 3)

    def frame(self, state: int) -> UInt8[ndarray, "height width 3"]:
        """The board with a disc at the state; without one where the state has no cell."""
        image = self.image.copy()
        row, column = self.grid.cells[state]
        if row >= 0:
            _put_disc(image, (row + 0.5) * self.side, (column + 0.5) * self.side, self.side)
        return image


def square(mdp: MDP) -> Grid:
    """A map without moves for an MDP that has none: its states in reading order."""
    columns = ceil(sqrt(mdp.n_states))
    rows = ceil(mdp.n_states / columns)
    start = mdp.initial_distribution > 0.0
    marks = np.full(rows * columns, NOTHING)
    marks[: mdp.n_states] = np.where(mdp.terminal, ENDED, ".")
    if not start[~mdp.terminal].all():
        marks[: mdp.n_states][start & ~mdp.terminal] = "S"
    cells = np.stack(np.divmod(np.arange(mdp.n_states), columns), axis=1)
    lines = tuple("".join(line) for line in marks.reshape(rows, columns))
    return Grid(lines, cells, np.zeros((mdp.n_actions, 2), dtype=int))


def tile(character: str, side: int) -> UInt8[ndarray, "side side 3"]:
    """The image of one cell of a map, with its letter where it is large enough."""
    colour, ink = _TILES[_kind(character)]
    image = np.empty((side, side, 3), dtype=np.uint8)
    image[:] = colour
    if side < SMALLEST_LETTERED:
        return image
    image[-1], image[:, -1] = _LINE, _LINE
    if ink is None:
        return image
    if character == ENDED:
        third = side // 3
        image[third:-third, third:-third] = ink
    elif character.upper() in _FONT:
        glyph = _glyph(character.upper(), max(1, side // 8))
        top, left = ((side - size) // 2 for size in glyph.shape)
        image[top : top + glyph.shape[0], left : left + glyph.shape[1]][glyph] = ink
    return image


def _kind(character: str) -> str:
    if character == " ":
        return "."
    if character in _TILES:
        return character
    if character.isalpha():
        return "entrance" if character.isupper() else "exit"
    return "named"


def _glyph(character: str, scale: int) -> ndarray:
    """A letter as booleans (5 * scale, 3 * scale)."""
    rows = [[int(digit) >> bit & 1 for bit in (2, 1, 0)] for digit in _FONT[character]]
    return np.kron(np.array(rows), np.ones((scale, scale), dtype=int)).astype(bool)


def _put_disc(image: ndarray, y: float, x: float, side: int) -> None:
    """Blend a white-rimmed disc into an image, in place; smooth edges, seen on tiny tiles too."""
    radius = max(0.34 * side, 6.0)
    top, left = (max(0, int(centre - radius - 3)) for centre in (y, x))
    part = image[top : int(y + radius + 4), left : int(x + radius + 4)]
    rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
    distance = np.hypot(rows + top + 0.5 - y, columns + left + 0.5 - x)
    for size, colour in ((radius + 0.06 * side + 1.0, _WHITE), (radius, _AGENT_COLOUR)):
        _blend(part, np.clip(size - distance + 0.5, 0.0, 1.0), colour)


def _blend(part: ndarray, cover: Float[ndarray, "rows columns"], colour: Colour) -> None:
    mixed = part * (1.0 - cover[..., None]) + np.array(colour) * cover[..., None]
    part[:] = np.round(mixed).astype(np.uint8)


def layout(env: Any, n_states: int, added: int) -> dict[str, Any]:
    """The grid and the names of an environment of Gymnasium's, as arguments of `MDP`.

    env : unwrapped.  n_states : of its table; `added` states without a cell follow them.
    CliffWalking's cliff cells are no states one can be in, so they have no cell.  Empty for an
    environment that is not FrozenLake, CliffWalking or Taxi.
    """
    from gymnasium.envs.toy_text.cliffwalking import CliffWalkingEnv
    from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
    from gymnasium.envs.toy_text.taxi import TaxiEnv

    order: tuple[str, ...]
    if isinstance(env, TaxiEnv):
        names = [_taxi_name(*env.decode(state)) for state in range(n_states)]
        order = ("south", "north", "east", "west", "pick up", "drop off")
        return {"state_names": names + ["delivered"] * added, "action_names": order}
    if isinstance(env, FrozenLakeEnv):
        ours = {b"S": "S", b"G": "G", b"H": "X"}
        lines = ["".join(ours.get(c, ".") for c in line) for line in np.asarray(env.desc).tolist()]
        order = ("left", "down", "right", "up")
    elif isinstance(env, CliffWalkingEnv):
        lines = ["." * 12] * 3 + ["S" + "!" * 10 + "G"]
        order = ("up", "right", "down", "left")
    else:
        return {}
    cells = [divmod(state, len(lines[0])) for state in range(n_states)]
    cells = [(-1, -1) if lines[r][c] == "!" else (r, c) for r, c in cells] + [(-1, -1)] * added
    directions = {"left": (0, -1), "down": (1, 0), "right": (0, 1), "up": (-1, 0)}
    moves = np.array([directions[name] for name in order])
    return {"grid": Grid(tuple(lines), np.array(cells), moves), "action_names": order}


def _taxi_name(row: int, column: int, passenger: int, destination: int) -> str:
    where = ("R", "G", "Y", "B", "taxi")[passenger]
    return f"taxi ({row}, {column}), passenger {where}, to {'RGYB'[destination]}"
