"""Tables and paragraphs of text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

COLUMNS = 80


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a header; the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    return "\n".join(table_row(row, widths) for row in [header, *rows])


def table_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of a table, for tables that grow while their numbers are computed."""
    first, *others = (
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths))
    )
    return " ".join([first, *others]).rstrip()


def filled(text: str, first: int = 0, rest: int = 0) -> str:
    """Each line of a text as lines of at most 80 columns; `first`, `rest`: how far they begin."""
    indents: Any = {"initial_indent": " " * first, "subsequent_indent": " " * rest}
    fill = textwrap.TextWrapper(COLUMNS, break_on_hyphens=False, **indents).fill
    return "\n".join(fill(line) for line in text.split("\n"))
