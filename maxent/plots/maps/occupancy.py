"""Where policies go: discounted visits on the map, of one policy."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy import ndarray

from maxent.mdp import MDP, require_mdp, validation
from maxent.plots.maps import basemap, dot_plots, grids
from maxent.plots.parts import axes_for
from maxent.plots.style import (
    INK,
    discount_text,
    figure_of,
    named,
    number,
    require_pair,
    setting_of,
    styled,
)
from maxent.solution import Solution
from maxent.support.arguments import require_one_of
from maxent.tabular.occupancy import occupancy

VISITS_LABEL = "expected visits (discounted)"
UNEVEN, DECADES = 50.0, 4
"""Ratio of the most to the least visits from which the scale is logarithmic, and how many powers of
ten it then spans at most."""


@styled
def occupancy_map(
    mdp: MDP,
    policy: Solution | ndarray,
    *,
    scale: str = "auto",
    ax: Axes | None = None,
    title: str | None = None,
) -> Figure:
    """Expected discounted visits of each state under a policy, from the initial distribution.

    policy: a Solution, or probabilities (S, A).  The colours are sum_t gamma^t Pr(s_t = s), the
    arrows the policy.  Terminal cells hold no visits but arrivals: the legend sums them by kind,
    and small maps write them in the cell.

    scale: "linear", "log" (at most four powers of ten below the most), or "auto": log where visits
    differ by more than a factor of 50.  An MDP without a map gives a plot by state.

    ax: draw there instead of in a new figure.  Returns the figure.

    title: in place of the usual one.
    """
    require_mdp(mdp)
    probabilities = policy_of(mdp, policy)
    visits = occupancy(mdp, probabilities).sum(axis=1)
    norm = visits_scale(mdp, [visits], scale)
    nonterminal = float(visits[~mdp.terminal].sum())
    solved = f"discount {discount_text(mdp.discount)}"
    if isinstance(policy, Solution):
        solved = setting_of(mdp, policy)
    title = f"{named(f'Discounted visits, {number(nonterminal)} in all', mdp)}\n{solved}"
    if mdp.grid is None:
        return _by_state(mdp, visits, norm, title, ax)
    ax, own = axes_for(ax, *grids.figure_size(mdp.grid.shape), square_cells=True)
    figure = figure_of(ax)
    mesh, entries = grids.draw_map(ax, mdp, probabilities, clipped(visits, norm), norm)
    name_arrivals(ax, mdp, visits, entries)
    ax.set_title(title)
    bar = grids.colour_bar(
        figure, [ax], mesh, VISITS_LABEL, mdp.grid.shape, extend(norm, visits[~mdp.terminal])
    )
    bar.minorticks_off()
    if own:
        grids.legend(figure, entries)
    return figure


def policy_of(mdp: MDP, policy: Any) -> ndarray:
    """The probabilities (S, A) of a Solution of this MDP, or of a policy given as such."""
    if isinstance(policy, Solution):
        require_pair(mdp, policy)
        return policy.policy
    return validation.action_distribution("policy", policy, mdp.action_mask, mdp.terminal)


def visits_scale(mdp: MDP, visits: list[ndarray], scale: str = "auto") -> Normalize:
    """A colour scale for visits (S,), of one policy or of several."""
    require_one_of("scale", scale, ("auto", "linear", "log"))
    seen = np.concatenate([v[~mdp.terminal] for v in visits])
    seen = seen[seen > 0.0]
    most = float(seen.max(initial=0.0)) or 1.0
    least = float(seen.min(initial=most))
    if scale == "linear" or (scale == "auto" and most <= UNEVEN * least):
        return Normalize(0.0, most)
    return LogNorm(min(max(least, most / 10**DECADES), most / 1.01), most)


def clipped(visits: ndarray, norm: Normalize) -> ndarray:
    """Visits below a logarithmic scale take its lowest colour."""
    found: ndarray = np.maximum(visits, norm.vmin or 0.0)
    return found


def extend(norm: Normalize, *visits: ndarray) -> str:
    """Whether a colour bar says that there is something below it."""
    least = min(float(v.min(initial=np.inf)) for v in visits)
    return "min" if least < (norm.vmin or 0.0) else "neither"


def name_arrivals(ax: Axes, mdp: MDP, visits: ndarray, entries: list[Artist]) -> None:
    """Add arrivals to the legend entries of terminal cells, and write them where there is room."""
    assert mdp.grid is not None
    cell = grids.cell_points(ax, mdp.grid.shape)
    text = basemap.characters(mdp.grid)
    totals: dict[str, float] = {}
    for state in np.flatnonzero(mdp.terminal & (mdp.grid.cells[:, 0] >= 0)):
        row, column = mdp.grid.cells[state]
        kind = basemap.SYMBOLS.get(text[row, column], basemap.OTHER_END)[2]
        totals[kind] = totals.get(kind, 0.0) + float(visits[state])
        if cell >= grids.ROOM_FOR_NUMBERS:
            size = float(np.clip(0.16 * cell, 5.5, 9.0))
            place: Any = {"ha": "center", "va": "bottom", "fontsize": size, "color": INK}
            ax.text(column, row + 0.47, number(visits[state]), zorder=7, **place)
    for entry in entries:
        kind = str(entry.get_label()).removesuffix(" (terminal)")
        if kind in totals:
            entry.set_label(f"{kind}: {number(totals[kind])} arrivals")


def _by_state(mdp: MDP, visits: ndarray, norm: Normalize, title: str, ax: Axes | None) -> Figure:
    """Without a map: a dot a state, terminal states named in the title."""
    listed = mdp.n_states <= dot_plots.NAMED
    size = (6.0, 1.6 + 0.22 * mdp.n_states) if listed else (7.5, 3.9)
    ax, own = axes_for(ax, *size)
    log = isinstance(norm, LogNorm)
    left_out = log & ~mdp.terminal & (visits < 1e-6 * (norm.vmax or 1.0))
    shown = np.where(left_out, np.nan, visits)
    dot_plots.draw_dots(ax, mdp, shown, VISITS_LABEL, bounds=None, limits=None, name="visits")
    if log:
        (ax.set_xscale if listed else ax.set_yscale)("log")
    if mdp.terminal.any():
        title += f"; {number(float(visits[mdp.terminal].sum()))} arrivals at terminal states"
    if left_out.any():
        title += f"; {int(left_out.sum())} states with hardly any left out"
    ax.set_title(title)
    figure = figure_of(ax)
    for label in figure.findobj(lambda artist: "value 0" in str(artist.get_label())):
        label.set_label("terminal")
    if own and mdp.terminal.any():
        figure.legend(loc="outside lower center", ncols=2, markerscale=1.5)
    return figure
