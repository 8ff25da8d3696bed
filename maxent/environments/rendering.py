"""Frames of an MDP at a state: a line or a map of text, or an image of tiles.

An MDP with a `grid` is drawn as its map.  Any other is drawn as a square of tiles, its states
in reading order: start states, terminal states and the rest look different.  The tiles differ
in brightness and carry the map's own characters, so they can be told apart without colour.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP
from maxent.mdp.grid import Grid
from maxent.support.shapes import UInt8

if TYPE_CHECKING:  # Pillow is imported when the first image is asked for
    from PIL import Image

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

AGENT = "@"
TERMINAL, NOTHING = "\u25a0", "\u2007"
"""Characters of a terminal state and of an empty place on the square of an MDP without a map."""

LARGEST_FRAME, LARGEST_TILE, SMALLEST_LETTERED = 640, 48, 12
"""Pixels: the longer side of a frame (unless tiles of 2 need more), and sides of tiles."""

SMOOTHING = 8
"""The agent's disc is drawn this many times larger and reduced, for smooth edges."""

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
    TERMINAL: ((64, 190, 150), _BLACK),
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
    terminal = " (terminal)" if mdp.terminal[state] else ""
    line = f"state {state} of {mdp.n_states}{name}{terminal}"
    return line if mdp.grid is None else "\n".join([*mdp.grid.text, line])


class Board:
    """The empty board of an MDP, drawn once; `frame(state)` puts the agent on it.

    side : pixels of a tile: 2 to 48, the most with which the board stays within 640 pixels.
    image : uint8 (height, width, 3), the board without the agent; each of height and width is a
        number of cells times `side`.
    """

    def __init__(self, mdp: MDP) -> None:
        from PIL import Image

        self.grid = square(mdp) if mdp.grid is None else mdp.grid
        self.side = min(LARGEST_TILE, max(2, LARGEST_FRAME // max(self.grid.shape)))
        characters, kinds = np.unique([list(line) for line in self.grid.text], return_inverse=True)
        tiles = np.stack([tile(str(c), self.side) for c in characters])
        rows, columns = self.grid.shape
        image = tiles[kinds.reshape(rows, columns)].swapaxes(1, 2)
        self.image = image.reshape(rows * self.side, columns * self.side, 3)
        self._canvas, self._agent = Image.fromarray(self.image), disc(self.side)

    def frame(self, state: int) -> UInt8[ndarray, "height width 3"]:
        """The board with a disc at the state; without one where the state has no cell."""
        canvas = self._canvas.copy()
        row, column = self.grid.cells[state]
        if row >= 0:
            margin = (self.side - self._agent.width) // 2
            corner = (int(column) * self.side + margin, int(row) * self.side + margin)
            canvas.paste(self._agent, corner, self._agent)
        return np.array(canvas)


def square(mdp: MDP) -> Grid:
    """A map without moves for an MDP that has none: its states in reading order."""
    columns = ceil(sqrt(mdp.n_states))
    rows = ceil(mdp.n_states / columns)
    start = mdp.initial_distribution > 0.0
    marks = np.full(rows * columns, NOTHING)
    marks[: mdp.n_states] = np.where(mdp.terminal, TERMINAL, ".")
    if not start[~mdp.terminal].all():
        marks[: mdp.n_states][start & ~mdp.terminal] = "S"
    cells = np.stack(np.divmod(np.arange(mdp.n_states), columns), axis=1)
    lines = tuple("".join(line) for line in marks.reshape(rows, columns))
    return Grid(lines, cells, np.zeros((mdp.n_actions, 2), dtype=int))


def tile(character: str, side: int) -> UInt8[ndarray, "side side 3"]:
    """The image of one cell of a map, with its character where it is large enough."""
    from PIL import Image, ImageDraw, ImageFont

    colour, ink = _TILES[_kind(character)]
    image = Image.new("RGB", (side, side), colour)
    if side >= SMALLEST_LETTERED:
        pen, last = ImageDraw.Draw(image), side - 1
        pen.line([(0, last), (last, last), (last, 0)], fill=_LINE)
        if character == TERMINAL:
            third = side // 3
            pen.rectangle([third, third, last - third, last - third], fill=ink)
        elif ink is not None and character.isascii():
            font = ImageFont.load_default(size=2 * side / 3)
            pen.text((last / 2, last / 2), character, fill=ink, font=font, anchor="mm")
    return np.asarray(image)


def _kind(character: str) -> str:
    if character == " ":
        return "."
    if character in _TILES:
        return character
    if character.isalpha():
        return "entrance" if character.isupper() else "exit"
    return "named"


def disc(side: int) -> Image.Image:
    """The agent on tiles of that side: a white-rimmed disc on a transparent square image, of even
    or odd size as the side is; no smaller than can be seen on tiny tiles."""
    from PIL import Image, ImageDraw

    radius = max(0.34 * side, 6.0)
    rim = radius + 0.06 * side + 1.0
    size = 2 * ceil(rim) + side % 2
    image = Image.new("RGBA", (SMOOTHING * size, SMOOTHING * size))
    for reach, colour in ((rim, _WHITE), (radius, _AGENT_COLOUR)):
        ImageDraw.Draw(image).circle((image.width / 2, image.width / 2), SMOOTHING * reach, colour)
    return image.resize((size, size), Image.Resampling.BOX)
