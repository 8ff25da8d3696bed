"""How every figure looks: fonts, colours, sizes and the words that figures share.

Colours are chosen for colour-blind readers and for greyscale print: `cividis` for values (its
lightness rises steadily) and the palette of Okabe and Ito for lines, which differ in dash and
marker as well.  Nothing here or elsewhere selects a matplotlib backend: a figure is a
`matplotlib.figure.Figure` with the Agg canvas, so that no display is needed.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP
from maxent.plots.describing import alt_text
from maxent.plots.fitting import fit_for_paper
from maxent.solution import Solution
from maxent.support.arguments import (
    require_count,
    require_flag,
    require_kind,
    require_one_of,
    require_positive,
)


def _read(name: str) -> dict[str, Any]:
    path = Path(__file__).parent / "styles" / f"{name}.mplstyle"
    settings: Any = mpl.rc_params_from_file(path, use_default_template=False)
    return dict(settings)


STYLES = {name: _read(name) for name in ("screen", "paper", "projector")}
"""The settings of every figure, and what the other styles change in them."""
STYLE: Any = STYLES["screen"]
INK, MUTED, PAPER = (STYLE[name] for name in ("text.color", "xtick.color", "figure.facecolor"))
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = ("o", "s", "^", "D", "v", "P")
MAX_PANELS = 12
"""Panels in one figure: as many as fit a page."""

CHOSEN: dict[str, Any] = {"style": "screen", "width": None}


def use_style(name: str = "screen", *, width: float | None = None) -> None:
    """Choose how the figures made from now on look.

    name : "screen", the usual; "paper", fonts of 7 and 8 points; "projector", large fonts and
        thick lines.
    width : of every figure, in inches, its height adapted: a column of a journal is 3.2 to
        3.5, a page 6.5 to 7.  None: each figure's own.

    Raises ConfigError for another name or a width that is not positive.

    >>> from maxent import plots
    >>> plots.use_style("paper", width=3.3)
    >>> plots.use_style()  # as it was
    """
    require_one_of("style", name, STYLES)
    CHOSEN.update(style=name, width=None if width is None else require_positive("width", width))


def chosen() -> Any:
    """The settings of the style in use."""
    return {**STYLE, **STYLES[CHOSEN["style"]]}


P = ParamSpec("P")
R = TypeVar("R")


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` under `STYLE`, the caller's settings left as they were; where it returns a
    figure and was given a `title`, that is the figure's.  Checks what figures have in common."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        _require_common(**kwargs)
        with mpl.rc_context():
            mpl.rcParams.update(chosen())
            made = function(*args, **kwargs)
            if isinstance(made, Figure) and (title := kwargs.get("title")) is not None:
                _retitle(made, cast(str, title), kwargs.get("ax"))
            if CHOSEN["style"] == "paper" and isinstance(made, Figure):
                fit_for_paper(made)
            return made

    return wrapper


def _require_common(**given: Any) -> None:
    """ConfigError where an argument that many figures have is not of its kind."""
    for name, value in given.items():
        if name == "columns":
            require_count(name, value)
        elif name in ("shaping", "per_step", "join"):
            require_flag(name, value)
        elif name == "ax" and value is not None:
            require_kind(name, value, Axes)
        elif name in ("title", "score", "x", "y") and value is not None:
            require_kind(name, value, str)


def _retitle(figure: Figure, title: str, ax: object) -> None:
    """Give a figure, or the axes that were drawn on, a title in place of the usual one."""
    if isinstance(ax, Axes):
        ax.set_title(title)
    elif figure.get_suptitle():
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.0)
    else:
        figure.axes[0].set_title(title)


class NotebookFigure(Figure):
    """A figure that notebooks show by themselves, and that says elsewhere how to see it."""

    def __str__(self) -> str:
        width, height = (self.get_size_inches() * self.dpi).round().astype(int)
        return (
            f"<Figure of {width} x {height} pixels: maxent.plots.save(figure, 'figure.png') writes "
            "it; a notebook shows it>"
        )

    __repr__ = __str__

    def show(self, warn: bool = True) -> None:
        """ConfigError with what to do: there is no window."""
        raise ConfigError(
            "figures have no window: maxent.plots.save(figure, 'figure.png') writes one to a file, "
            "a notebook shows it as the last line of a cell"
        )

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        with mpl.rc_context():
            mpl.rcParams.update(chosen())
            self.savefig(buffer, format="png", dpi=90.0)
        return buffer.getvalue()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        """As an image and as HTML, each with its words: of the two, JupyterLab and the pages
        made by MyST-NB give screen readers the words of the HTML alone."""
        drawn, words = base64.b64encode(self._repr_png_()).decode(), alt_text(self)
        source = f"data:image/png;base64,{drawn}"
        page = f'<img alt="{html.escape(words)}" src="{source}" style="max-width: 100%">'
        return {"image/png": drawn, "text/html": page}, {"image/png": {"alt": words}}


def new_figure(width: float, height: float, *, square_cells: bool = False) -> Figure:
    """An empty figure of that size in inches, or `use_style`'s width; with the Agg canvas and a
    layout without overlaps."""
    if CHOSEN["width"] is not None:
        share = CHOSEN["width"] / width
        width, height = CHOSEN["width"], height * max(share, min(1.0, share**0.5))
    layout: Any = "compressed" if square_cells else "constrained"
    figure = NotebookFigure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    if (engine := figure.get_layout_engine()) is not None:
        engine.set(w_pad=0.07, h_pad=0.07)  # type: ignore[call-arg]
    return figure


def figure_of(ax: Axes) -> Figure:
    """The figure that holds `ax`."""
    return cast(Figure, ax.get_figure(root=True))


def value_colours() -> Colormap:
    """cividis without its darkest fifth, so that no cell is as dark as a wall."""
    return ListedColormap(mpl.colormaps["cividis"](np.linspace(0.2, 1.0, 256)), "value")


def contrasting(colours: ndarray) -> ndarray:
    """For each RGBA colour, 1.0 (white) or 0.0 (black): whichever is easier to read on it."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear[..., :3] @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(luminance < 0.179, 1.0, 0.0)


def number(value: float) -> str:
    """A short number with a true minus sign: 0.73, −12.3, 1.2e+05."""
    size = abs(value)
    if size >= 10_000:
        text = f"{value:.1e}"
    elif size >= 1000 or (size >= 100 and value == round(value)):
        text = f"{value:.0f}"
    elif size >= 10:
        text = f"{value:.1f}"
    elif size >= 0.005 or value == 0.0:
        text = f"{value:.2f}"
    else:
        text = f"{value:.0e}"
    return text.replace("-", "\N{MINUS SIGN}")


def setting(mdp: MDP, temperature: float) -> str:
    """The part of every title that says how the problem was solved."""
    hard = " (hard maximum)" if temperature == 0.0 else ""
    return f"temperature {temperature:g}{hard}, discount {discount_text(mdp.discount)}"


def setting_of(mdp: MDP, solution: Solution) -> str:
    """The setting of a solution; nothing is maximised where a given policy was evaluated."""
    text = setting(mdp, solution.temperature)
    evaluated = solution.method.startswith("soft policy evaluation")
    return text.replace(" (hard maximum)", "") if evaluated else text


def problem(mdp: MDP) -> str:
    """Of a title that names no one temperature: world, slip and discount."""
    return ", ".join([*filter(None, [world(mdp)]), f"discount {discount_text(mdp.discount)}"])


def named(what: str, mdp: MDP) -> str:
    """The first line of a title: what is shown, and the world with its slip."""
    return f"{what}: {world(mdp)}" if world(mdp) else what


def world(mdp: MDP) -> str:
    """The world and its slip as its map has it; empty where it says nothing."""
    return "" if mdp.grid is None else mdp.grid.title


def discount_text(discount: float) -> str:
    """0.95; for one within 1e-4 of 1 its distance, as in 1 - 1e-09."""
    if 0.0 < 1.0 - discount < 1e-4:
        return f"1 \N{MINUS SIGN} {1.0 - discount:.2g}"
    return f"{discount:g}"


def subtitle(mdp: MDP, solution: Solution) -> str:
    """Temperature and discount; for a solve that fell short, also how far it can be off."""
    text = setting_of(mdp, solution)
    if solution.converged:
        return text
    return f"{text}\n{solution.status.replace('_', ' ')}: error ≤ {solution.error_bound:.2g}"


def require_records(figure: str, records: Sequence[object], kind: type, source: str) -> None:
    """ConfigError where a figure of records was given something else."""
    for each in records:
        if not isinstance(each, kind):
            raise ConfigError(
                f"{figure}() was given {type(each).__name__}; give records of {source}, which are "
                f"{kind.__name__}"
            )


def require_pair(mdp: MDP, solution: Solution) -> None:
    """ModelError where the solution is not one of this MDP."""
    shape = (mdp.n_states, mdp.n_actions)
    if solution.log_policy.shape != shape:
        raise ModelError(
            f"the solution has {solution.log_policy.shape} states and actions, the MDP {shape}; "
            "pass the MDP that was solved"
        )
