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
from maxent.plots.maps.panels import Panel, draw_panels
from maxent.plots.style import MAX_PANELS, problem, styled
from maxent.support.arguments import require_list
from maxent.support.arrays import logs
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
    chosen = require_list("temperatures", temperatures)
    if not 0 < len(chosen) <= MAX_PANELS:
        raise ConfigError(f"{len(chosen)} panels; give 1 to {MAX_PANELS} temperatures")
    if curve.mdp is not mdp and curve.mdp.reward.shape != mdp.reward.shape:
        raise ConfigError("the curve is of another MDP; pass the one it was made for")
    policies = [curve.policy(temperature) for temperature in chosen]
    entropies = [np.abs(entropy(logs(policy))) for policy in policies]
    limits = grids.entropy_limits(mdp)
    if mdp.grid is None:
        named = {temperature_words(t): values for t, values in zip(chosen, entropies)}
        what = "Policy entropies along the trade-off"
        return dot_plots.dots_of_several(mdp, named, grids.ENTROPY_LABEL, what, limits)
    names = [_panel_title(mdp, t, policy) for t, policy in zip(chosen, policies)]
    panels = [Panel(*parts) for parts in zip(names, policies, entropies)]
    return draw_panels(
        mdp,
        panels,
        f"Policies along the trade-off\n{problem(mdp)}",
        (grids.ENTROPY_LABEL, "entropy (nats)"),
        limits,
        columns=columns,
        narrowest=2.3,
        letters=8.5,
    )


def _panel_title(mdp: MDP, temperature: float, policy: ndarray) -> str:
    policy = policy / policy.sum(axis=1, keepdims=True)
    reward, nats = policy_return(mdp, policy), discounted_entropy(mdp, policy)
    reward_text = f"{reward:.3g}".replace("-", "\N{MINUS SIGN}")
    return f"{temperature_words(temperature)}\nreturn {reward_text}, entropy {nats:.3g} nats"
