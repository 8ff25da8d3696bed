"""Writing GIFs: frames drawn one by one into the same axes, on one palette, whole or absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.plots.maps import dot_plots, grids
from maxent.plots.style import PAPER, new_figure
from maxent.support.arguments import require_positive
from maxent.support.files import require_output, require_path, write_whole
from maxent.support.memory import require_memory

MIN_PIXELS, MAX_PIXELS = 16, 20_000
BYTES_A_PIXEL, BYTES_AT_ONCE = 4, 64
"""Of memory: kept for each frame (RGB and palette), and for the canvas, its copies, the palette."""
HOLD = 2.0
"""Seconds that the last frame stays."""


def write_gif(
    destination: Path,
    overwrite: bool,
    mdp: MDP,
    frames: Sequence[Any],
    draw: Callable[[Axes, Any], str],
    label: tuple[str, Normalize] | None,
    duration: float,
    dpi: float,
) -> Path:
    """Draw each frame into the same axes, put all on one palette, write the GIF.

    The layout is settled on the last frame and then kept, so that nothing jumps.
    """
    pictures: list[Image.Image] = []
    figure, ax, place = _stage(mdp, draw, frames[-1], label, dpi)
    for frame in frames:
        ax.clear()
        ax.set_title(draw(ax, frame))
        ax.set_position(place)
        pictures.append(_picture(figure))
    palette = _palette(pictures)
    flat = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    durations = [round(1000 * duration)] * (len(flat) - 1) + [round(1000 * max(HOLD, duration))]
    with write_whole(destination, overwrite=overwrite) as staged:
        flat[0].save(
            staged, format="GIF", save_all=True, append_images=flat[1:], duration=durations, loop=0,
            optimize=False,
        )  # fmt: skip
    return destination


def _stage(
    mdp: MDP,
    draw: Callable[[Axes, Any], str],
    frame: Any,
    label: tuple[str, Normalize] | None,
    dpi: float,
) -> tuple[Figure, Axes, Any]:
    """A figure laid out for `frame`, its axes, and where they are to stay."""
    figure = new_figure(*_inches(mdp), square_cells=mdp.grid is not None)
    figure.set_dpi(dpi)
    ax = figure.add_subplot()
    ax.set_title(draw(ax, frame))
    if label is not None:
        assert mdp.grid is not None
        (mesh,) = ax.findobj(lambda artist: artist.get_gid() == "values")
        grids.colour_bar(figure, [ax], cast(Any, mesh), label[0], mdp.grid.shape)
    for _ in range(4):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure, ax, ax.get_position()


def _inches(mdp: MDP) -> tuple[float, float]:
    """Width and height of a frame."""
    if mdp.grid is not None:
        return grids.figure_size(mdp.grid.shape, 5.6)
    return 6.4, 4.4 if mdp.n_states > dot_plots.NAMED else 1.6 + 0.22 * mdp.n_states


def require_dpi(mdp: MDP, dpi: Any, frames: int) -> float:
    """The dpi, if frames of that size fit a GIF (ConfigError) and memory (MemoryBudgetError)."""
    dpi = require_positive("dpi", dpi)
    wide, high = (inches * dpi for inches in _inches(mdp))
    if max(wide, high) > MAX_PIXELS or min(wide, high) < MIN_PIXELS:
        raise ConfigError(
            f"dpi = {dpi:g} makes frames of {wide:.4g} by {high:.4g} pixels, outside the limits of "
            f"{MIN_PIXELS} to {MAX_PIXELS:,}; 80 to 200 is usual"
        )
    needed = int(wide * high) * (BYTES_A_PIXEL * frames + BYTES_AT_ONCE)
    require_memory(needed, f"an animation of {frames} frames at dpi {dpi:g}", "lower dpi or frames")
    return float(dpi)


def _picture(figure: Figure) -> Image.Image:
    canvas = cast(FigureCanvasAgg, figure.canvas)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def _palette(pictures: Sequence[Image.Image]) -> Image.Image:
    """256 colours for up to eight of the frames, first and last among them, set side by side."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, 8).round().astype(int))
    width, height = pictures[0].size
    together = Image.new("RGB", (width * len(chosen), height), PAPER)
    for place, index in enumerate(chosen):
        together.paste(pictures[index], (place * width, 0))
    palette = together.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    colours = np.array(palette.getpalette()).reshape(-1, 3)
    colours[(colours >= 250).all(axis=1)] = 255  # paper stays white
    palette.putpalette(colours.ravel().tolist())
    return palette


def require_gif(path: str | os.PathLike[str], overwrite: bool) -> Path:
    """The path, if it ends in .gif and may be written."""
    ending = require_path(path, "animation path").suffix.lower()
    if ending != ".gif":
        raise ConfigError(f"animation path {os.fspath(path)!r} ends in {ending!r}; end it in .gif")
    return require_output(path, overwrite)
