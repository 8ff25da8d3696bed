"""`maxent maps`: the named gridworlds, listed or drawn."""

from __future__ import annotations

import shutil
import textwrap
from argparse import Namespace
from typing import TYPE_CHECKING

from maxent.cli.exit_codes import DONE
from maxent.cli.model import ANY_SIZE, known_maps
from maxent.errors import MapError

if TYPE_CHECKING:
    from maxent.gridworlds.maps import NamedMap

MARGIN = 26
"""Characters left of the text about a map."""


def run(asked: Namespace) -> int:
    """Print them."""
    from maxent.gridworlds.maps import MAPS

    if asked.name is not None:
        print(_drawn(asked.name))
        return DONE
    for name, named in MAPS.items():
        rows = named.text.split("\n")
        print(_paragraph(f"{name}  {len(rows)}x{len(rows[0])}", _about(named), MARGIN))
    print(f"\nOf any size: {ANY_SIZE}.")
    print("Draw one: maxent maps NAME.  What its characters mean: pydoc maxent.gridworlds")
    return DONE


def _drawn(name: str) -> str:
    """A map, what it is, and how to solve it."""
    from maxent.gridworlds.maps import named_map

    try:
        named = named_map(name)
    except MapError:
        raise MapError(f"no map is called {name!r}; {known_maps(name)}") from None
    about = _paragraph("", _about(named), 0)
    return f"{named.text}\n\n{about}\n\nSolve it:  maxent solve {name} --temperature 0.1"


def _about(named: NamedMap) -> str:
    """What a map is, its settings as options, and its source: three lines."""
    words = []
    for name, value in named.settings.items():
        if name == "rewards":
            value = ",".join(f"{key}={reward:g}" for key, reward in value.items())
        elif name == "wind":
            value = ",".join(map(str, value))
        elif isinstance(value, float):
            value = f"{value:.9g}"
        words.append(f"{name.replace('_', '-')} {value}")
    return f"{named.description}\n{', '.join(words)}\n{named.source}"


def _paragraph(label: str, text: str, margin: int) -> str:
    """Lines of text beside a label, wrapped to the terminal."""
    width = max(40, min(shutil.get_terminal_size().columns, 100))
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, width - margin)]
    labels = [label, *[""] * (len(lines) - 1)]
    return "\n".join(f"{beside:<{margin}}{line}" for beside, line in zip(labels, lines))
