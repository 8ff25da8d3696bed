"""The policies along a trade-off, as small maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.plots.curves.by_temperature import temperature_words
from maxent.plots.curves.tradeoff import curve_names
from maxent.plots.maps import dot_plots, grids
from maxent.plots.style import MAX_PANELS, new_figure, problem, styled
from maxent.support.arguments import require_count
from maxent.tabular.occupancy import discounted_entropy, policy_return
from maxent.tabular.operators import entropy
from maxent.tabular.tradeoff import Tradeoff


@styled
def tradeoff_policies(
    mdp: MDP,
    curve: Tradeoff,
    temperatures: Sequence[float],
    *,
    columns: int = 4,
    title: str | None = None,
) -> Figure:
    """The policies along the curve as small maps: arrows, on the entropy of each state.

    temperatures: up to 12, of the curve or others (these are solved for); 0 and inf are the ends.
    One colour scale, 0 to log A nats.  An MDP without a map gives the entropies by state.

    title: in place of the usual one.
    """
    require_mdp(mdp)
    curve_names([curve], None)
    columns = require_count("columns", columns)
    chosen = list(temperatures)
    if not 0 < len(chosen) <= MAX_PANELS:
        raise ConfigError(f"{len(chosen)} panels; give 1 to {MAX_PANELS} temperatures")
    if curve.mdp is not mdp and curve.mdp.reward.shape != mdp.reward.shape:
        raise ConfigError("the curve is of another MDP; pass the one it was made for")
    policies = [curve.policy(temperature) for temperature in chosen]
    with np.errstate(divide="ignore"):
        entropies = [np.abs(entropy(np.log(policy))) for policy in policies]
    most = float(np.log(mdp.action_mask[~mdp.terminal].sum(axis=1).max(initial=1)))
    limits = (0.0, most if most > 0.0 else 1.0)
    words = [_panel_title(mdp, t, policy) for t, policy in zip(chosen, policies)]
    if mdp.grid is None:
        return _dot_plot(mdp, entropies, chosen, limits)
    rows, wide = mdp.grid.shape
    across = min(len(chosen), columns)
    down = -(-len(chosen) // across)
    side = min(0.62, 2.7 / max(rows, wide))
    width = max(4.6, across * (max(2.3, wide * side) + 0.45) + 1.0)
    figure = new_figure(width, 1.25 + down * (rows * side + 0.85), square_cells=True)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for ax, policy, values, title in zip(axes, policies, entropies, words):
        mesh, entries = grids.draw_map(ax, mdp, policy, values, limits)
        ax.set_title(title, fontsize=8.5)
        ax.label_outer()
    for ax in axes[len(chosen) :]:
        ax.set_visible(False)
    bar = figure.colorbar(mesh, ax=list(axes), aspect=30, fraction=0.04, pad=0.02)
    bar.set_label(grids.ENTROPY_LABEL)
    bar.outline.set_visible(False)
    grids.mark_most(bar, limits)
    figure.suptitle(
        f"Policies along the trade-off\n{problem(mdp)}", x=0.01, ha="left", fontsize=10.0
    )
    grids.legend(figure, entries)
    return figure


def _panel_title(mdp: MDP, temperature: float, policy: ndarray) -> str:
    policy = policy / policy.sum(axis=1, keepdims=True)
    reward, nats = policy_return(mdp, policy), discounted_entropy(mdp, policy)
    reward_text = f"{reward:.3g}".replace("-", "\N{MINUS SIGN}")
    return f"{temperature_words(temperature)}\nreturn {reward_text}, entropy {nats:.3g} nats"


def _dot_plot(
    mdp: MDP, entropies: Sequence[ndarray], temperatures: Sequence[float], limits: tuple
) -> Figure:
    listed = mdp.n_states <= dot_plots.NAMED
    figure = new_figure(*((6.0, 1.6 + 0.24 * mdp.n_states) if listed else (7.5, 4.2)))
    ax = figure.add_subplot()
    for series, (values, temperature) in enumerate(zip(entropies, temperatures)):
        dot_plots.draw_dots(
            ax,
            mdp,
            values,
            grids.ENTROPY_LABEL,
            bounds=None,
            limits=limits if series == 0 else None,
            name=temperature_words(temperature),
            series=series,
        )
    ax.set_title(f"Policy entropies along the trade-off\n{problem(mdp)}")
    figure.legend(loc="outside lower center", ncols=2 if listed else 4, markerscale=1.5)
    return figure
