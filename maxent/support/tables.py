"""Tables of text."""

from __future__ import annotations

from collections.abc import Sequence


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
