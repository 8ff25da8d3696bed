"""Saving a figure: PNG, SVG or PDF by the ending, whole or absent, the same bytes each time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.figure import Figure

from maxent.errors import ConfigError
from maxent.plots.style import styled
from maxent.support.arguments import require_kind, require_positive
from maxent.support.files import require_output, require_path, write_whole

ENDINGS = (".png", ".svg", ".pdf")
DATES: dict[str, dict[str, None]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
LARGEST_SIDE = 2**16 - 1
"""Pixels of an image, as Matplotlib draws it."""
LAYOUT_PASSES = 6
"""Even: what is left after a few passes is at most a flicker between two layouts, 1e-6 apart."""


@styled
def save(
    figure: Figure, path: str | os.PathLike[str], *, overwrite: bool = False, dpi: float = 150.0
) -> Path:
    """Write `figure` to `path`, a PNG, an SVG or a PDF by its ending, and return the path.

    The file is whole or absent, and the same figure gives the same bytes (no date, no random
    identifiers).  In an SVG text stays text: it can be searched, selected and restyled; in a PDF
    its fonts are embedded.
    `dpi` sets the pixels of a PNG (and of the pictures inside an SVG or PDF of a very large map).

    Raises ConfigError for another ending, OutputExistsError (nothing changed) where `path`
    exists and `overwrite` is false.
    """
    require_kind("figure", figure, Figure)
    ending = require_path(path, "figure path").suffix.lower()
    if ending not in ENDINGS:
        raise ConfigError(
            f"figure path {os.fspath(path)!r} ends in {ending!r}; end it in .png, .svg or .pdf"
        )
    largest = LARGEST_SIDE / figure.get_size_inches().max()
    if (dpi := require_positive("dpi", dpi)) > largest:
        raise ConfigError(
            f"dpi = {dpi:g} is beyond what an image can hold; give at most {largest:g}"
        )
    destination = require_output(path, overwrite)
    with write_whole(destination, overwrite=overwrite) as staged, _settled(figure):
        figure.savefig(staged, format=ending[1:], dpi=dpi, metadata=DATES.get(ending, {}))
    return destination


@contextmanager
def _settled(figure: Figure) -> Iterator[None]:
    """Lay the figure out until nothing moves, and keep it so while it is written: a layout refines
    the one before, so that otherwise a second file of one figure would differ by fractions of a
    pixel."""
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    for _ in range(LAYOUT_PASSES):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)
