r"""Maps drawn with other characters than ours: what theirs mean.

A legend translates the characters of a map, {character: one of ours}; a character that it does not
name keeps its meaning (`maxent.gridworlds`).  `LEGENDS` holds those that many maps share.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, MapError, MaxEntWarning
from maxent.gridworlds.text import PORTALS, cell_text, place_of
from maxent.support.arguments import nearest, quoted

OURS = {"#": "wall", ".": "floor", "S": "start", "G": "goal", "X": "pit", "!": "cliff"}
"""Our characters with their names, as messages give them."""


@dataclass(frozen=True)
class Legend:
    """What the characters of a kind of map mean.

    meaning : {character: one of ours}.
    source : where such maps come from, for people.
    rows : a character that ends a row, besides the line break.
    skipped : characters of a text that are no cells.
    ragged : whether rows may end early and have floor outside of the walls; that is no floor.
    left_out : {character: what it stands for that a gridworld has not}, warned of.

    >>> import maxent
    >>> maxent.LEGENDS["gymnasium"].meaning
    {'S': 'S', 'F': '.', 'H': 'X', 'G': 'G'}
    """

    meaning: Mapping[str, str]
    source: str
    rows: str = ""
    skipped: str = ""
    ragged: bool = False
    left_out: Mapping[str, str] | None = None


def _each(**groups: str) -> dict[str, str]:
    """{character: ours} from the characters of each kind."""
    ours = {word: character for character, word in OURS.items()}
    return {character: ours[word] for word, group in groups.items() for character in group}


_PACMAN = {".": "food", "o": "capsules"} | dict.fromkeys("G1234", "ghosts")

LEGENDS: dict[str, Legend] = {
    "gymnasium": Legend(
        _each(start="S", floor="F", pit="H", goal="G"),
        "the `desc` of Gymnasium's FrozenLake",
    ),
    "pacman": Legend(
        _each(wall="%", floor=" .oG1234", start="P"),
        "the layouts of Berkeley's Pac-Man; a single dot of food is the goal",
        left_out=_PACMAN,
    ),
    "d4rl": Legend(
        _each(wall="#1", floor="O0", start="Rr", goal="Gg"),
        "the mazes of D4RL and Gymnasium-Robotics, as text or lists",
        rows="\\",
    ),
    "sokoban": Legend(
        _each(wall="#", floor=" -_$b", start="@+pP", goal=".*oB"),
        "boards of Sokoban (XSB)",
        ragged=True,
        left_out=dict.fromkeys("$*bB", "boxes"),
    ),
    "maze01": Legend(
        _each(wall="1", floor="0", start="Ss", goal="GgEe"),
        "0/1 mazes as text, lists or arrays: 1 is a wall; E, for exit, is a goal",
        skipped=" ,;[]\t",
    ),
    "lines": Legend(
        _each(wall="+-|#─│┌┐└┘├┤┬┴┼━┃═║╔╗╚╝╠╣╦╩╬█", floor=" .", start="S", goal="GE"),
        "mazes drawn with + - | or lines; E, for exit, is a goal",
    ),
}  # fmt: skip
"""Legends by name."""


def named_legend(legend: Any) -> Legend | None:
    """The legend of that name; None where it is given as a mapping, or not at all."""
    if isinstance(legend, str):
        if legend not in LEGENDS:
            raise ConfigError(
                f"legend = {quoted(legend)} is unknown; {nearest(legend, LEGENDS)}.  Or give a "
                "mapping of characters, legend={'F': '.', '%': '#'}"
            )
        return LEGENDS[legend]
    if legend is not None and not isinstance(legend, Mapping):
        raise ConfigError(
            f"legend = {quoted(legend)} must be a name ({', '.join(LEGENDS)}) or a mapping of "
            "characters, legend={'F': '.', '%': '#'}"
        )
    return None


def translate(drawn: ndarray, legend: Any, rewards: Mapping[str, float]) -> ndarray:
    """Each cell of a map in our characters, (rows, columns); MapError names one that has no
    meaning."""
    named = named_legend(legend)
    meaning = _meaning(drawn, named) if named else _checked(legend or {})
    found, index = np.unique(drawn, return_inverse=True)
    characters = found.tolist()
    translated = [meaning.get(character, character) for character in characters]
    portals = set(translated) & PORTALS
    known = {*OURS, " ", *portals, *(portal.lower() for portal in portals), *rewards}
    if not set(translated) <= known:
        unknown = {c for c, own in zip(characters, translated) if own not in known}
        _raise_unknown(drawn, unknown, legend)
    board: ndarray = np.array(translated, dtype="U1")[index].reshape(drawn.shape)
    if named and named.ragged:
        board = _walled(board)
    return board


def _meaning(drawn: ndarray, named: Legend) -> dict[str, str]:
    meaning = dict(named.meaning)
    left_out = named.left_out or {}
    if named is LEGENDS["pacman"] and (drawn == ".").sum() == 1:
        meaning["."], left_out = "G", {c: what for c, what in left_out.items() if c != "."}
    on_map = set(np.unique(drawn).tolist())
    if unseen := sorted({left_out[c] for c in on_map & left_out.keys()}):
        warnings.warn(
            f"{' and '.join(unseen)} of the map are left out: a state is the agent's cell alone, "
            "and their cells are floor or goal",
            MaxEntWarning,
            stacklevel=5,
        )
    return meaning


def _checked(legend: Mapping[Any, Any]) -> dict[str, str]:
    meaning = {cell_text(key): value for key, value in legend.items()}
    for key, value in meaning.items():
        sound = isinstance(value, str) and len(value) == 1
        if not (sound and (value in {*OURS, " "} or (value.isascii() and value.isalpha()))):
            raise ConfigError(
                f"legend[{key!r}] = {quoted(value)} is none of our characters: "
                f"{', '.join(f'{ours!r} {word}' for ours, word in OURS.items())}, or a letter for "
                "a portal"
            )
    return meaning


def _raise_unknown(drawn: ndarray, unknown: set[str], legend: Any) -> None:
    """MapError at the first cell that is not known."""
    at = np.argwhere(np.isin(drawn, list(unknown)))[0]
    character = str(drawn[tuple(at)])
    if _is_taxi(drawn):
        raise MapError(f"{place_of(at)}: unknown character {character!r}; {TAXI}")
    floor = f"a floor with a reward is rewards={{{character!r}: 0.0}}"
    words = f"{say_what_it_is(character)}; {floor}"
    if len(character) == 1 and "a" <= character <= "z":
        words = f"it is the exit of no portal {character.upper()!r}; " + words
    if len(drawn) == 1 and character in "/\\;":
        words = f"rows end with line breaks: map.replace({character!r}, '\\n')"
    elif len(drawn) == 1:
        words += "; a map file is read by its path (in Python a pathlib.Path)"
    raise MapError(
        f"{place_of(at)}: unknown character {character!r}; {known_legends(drawn, legend)}{words}"
    )


def require_portals(board: ndarray, drawn: ndarray) -> None:
    """Every portal has exactly one exit, else MapError with the way to say that it is none."""
    for portal in sorted(PORTALS & set(np.unique(board).tolist())):
        exits = (board == portal.lower()).sum()
        if exits == 1:
            continue
        if _is_taxi(drawn):
            raise MapError(f"portal {portal!r}: {TAXI}")
        found = f"portal {portal!r} ({(board == portal).sum()} on the map) has {exits} exits"
        message = f"{found} {portal.lower()!r}; it needs exactly one"
        if exits == 0:
            message += (
                f".  A capital letter is a portal unless a legend says what it is: "
                f"{known_legends(drawn, None)}legend={{{portal!r}: '.'}} makes it a floor, whose "
                f"reward is rewards={{{portal!r}: 0.5}}, '#' a wall, 'G' a goal, 'X' a pit, "
                "'!' a cliff"
            )
        raise MapError(message)


TAXI = (
    "this is the map of Gymnasium's Taxi, where '|' is a wall and ':' an opening between cells, no "
    "cell, and a state holds the passenger too: maxent.from_gymnasium('Taxi-v4', discount=0.99), "
    "on the command line gym:Taxi-v4"
)
"""What to do about a map of Taxi."""


def _is_taxi(drawn: ndarray) -> bool:
    """Whether a map is drawn as that of Gymnasium's Taxi, its frame left out or not."""
    on_map = set(np.unique(drawn).tolist())
    return {":", "|"} <= on_map <= set("+-|: RGYB") and len(on_map & set("RGYB")) >= 2


def say_what_it_is(character: str) -> str:
    """The advice to name a character in a legend."""
    others = ", ".join(f"{ours!r} {word}" for ours, word in OURS.items() if ours != "#")
    return f"say what it is: legend={{{character!r}: '#'}} makes it a wall ({others})"


def known_legends(drawn: ndarray, given: Any) -> str:
    """The start of an advice: the named legends that know every character of a map."""
    on_map = set(np.unique(drawn).tolist())
    fitting = [
        f"legend={name!r}"
        for name, each in LEGENDS.items()
        if name != given and on_map <= each.meaning.keys() | set(each.rows + each.skipped)
    ]
    return f"{' or '.join(fitting)} reads this map; or " if fitting else ""


def _walled(board: ndarray) -> ndarray:
    """The floor that is joined to what lies outside of the map, as wall."""
    from scipy import ndimage  # few maps need it, and it takes long to import

    framed = np.pad(np.isin(board, (" ", ".")), 1, constant_values=True)
    region = ndimage.label(framed)[0]
    board[(region == region[0, 0])[1:-1, 1:-1]] = "#"
    return board
