"""Several policies of one MDP: by temperature in a strip, or any of them side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.plots.maps import dot_plots, grids
from maxent.plots.maps.occupancy import VISITS_LABEL, clipped, extend, policy_of, visits_scale
from maxent.plots.maps.panels import Panel, draw_panels, one_scale, solved
from maxent.plots.parts import colour_scale
from maxent.plots.style import MAX_PANELS, new_figure, number, problem, styled, value_colours
from maxent.solution import Solution
from maxent.support.arguments import require_kind, require_one_of
from maxent.support.arrays import logs
from maxent.tabular.occupancy import occupancy
from maxent.tabular.operators import entropy

WORDS = {
    "value": ("Soft values", grids.VALUE_LABEL, "V (reward units, discounted)"),
    "entropy": ("Policy entropy", grids.ENTROPY_LABEL, "entropy (nats)"),
    "occupancy": ("Discounted visits", VISITS_LABEL, "visits (discounted)"),
}


@styled
def temperature_strip(
    mdp: MDP,
    temperatures: Sequence[float | Solution],
    what: str = "value",
    *,
    columns: int = 4,
    title: str | None = None,
) -> Figure:
    """A map for each temperature, in rising order, with the policy as arrows.

    temperatures: numbers, which are solved for here, or Solutions of this MDP; 12 at most.
    what: the colours.  "value", on one scale where that leaves each map readable; "entropy" of the
    policy, from 0 to log A; "occupancy", the discounted visits, on one (perhaps logarithmic) scale.
    columns: maps in a row.  Without a map: a table of colours, states by temperatures.

    title: in place of the usual one.
    """
    require_mdp(mdp)
    require_kind("temperatures", temperatures, Sized)
    require_one_of("what", what, WORDS)
    _check_number(len(temperatures))
    solutions = solved(mdp, temperatures)
    named = {f"temperature {solution.temperature:g}": solution for solution in solutions}
    return _compare(mdp, named, what, f"{WORDS[what][0]} by temperature", columns)


@styled
def side_by_side(
    mdp: MDP,
    policies: Mapping[str, Solution | ndarray],
    what: str | None = None,
    *,
    columns: int = 4,
    title: str | None = None,
) -> Figure:
    """Several policies of one MDP side by side, each under its name; 12 at most.

    policies: {name: Solution or probabilities (S, A)}.  what: the colours, as in
    `temperature_strip`; None: "value" where all are Solutions, otherwise "occupancy", which needs
    the policy alone.

    title: in place of the usual one.
    """
    require_mdp(mdp)
    require_kind("policies", policies, Mapping)
    _check_number(len(policies))
    all_solved = all(isinstance(policy, Solution) for policy in policies.values())
    chosen = what or ("value" if all_solved else "occupancy")
    require_one_of("what", chosen, WORDS)
    if chosen == "value" and not all_solved:
        raise ConfigError(
            "what = 'value' needs Solutions: evaluate a policy with maxent.soft_policy_evaluation, "
            "or choose 'entropy' or 'occupancy'"
        )
    return _compare(mdp, policies, chosen, f"{WORDS[chosen][0]} and policies", columns)


def _compare(
    mdp: MDP, policies: Mapping[str, Solution | ndarray], what: str, title: str, columns: int
) -> Figure:
    probabilities = [policy_of(mdp, policy) for policy in policies.values()]
    below = "neither"
    limits: tuple[float, float] | Normalize | None
    if what == "value":
        solutions = [policy for policy in policies.values() if isinstance(policy, Solution)]
        values = [solution.v for solution in solutions]
        shared = mdp.grid is None or one_scale(mdp, solutions)
        limits = grids.value_limits(mdp, *values) if shared else None
    elif what == "entropy":
        values = [np.abs(entropy(logs(policy))) for policy in probabilities]
        limits = grids.entropy_limits(mdp)
    else:
        visits = [occupancy(mdp, policy).sum(axis=1) for policy in probabilities]
        limits = visits_scale(mdp, visits)
        below = extend(limits, *(v[~mdp.terminal] for v in visits))
        values = [clipped(v, limits) for v in visits]
    title = f"{title}\n{problem(mdp)}"
    names = list(policies)
    if what == "occupancy" and mdp.grid is not None and mdp.terminal.any():
        arrived = [number(float(v[mdp.terminal].sum())) for v in visits]
        names = [f"{name}\n{count} arrivals" for name, count in zip(names, arrived)]
    panels = [Panel(*parts) for parts in zip(names, probabilities, values)]
    if mdp.grid is not None:
        return draw_panels(
            mdp, panels, title, WORDS[what][1:], limits, columns=columns, extend=below
        )
    assert limits is not None
    return _table(mdp, panels, title, WORDS[what][1], limits, below)


def _table(
    mdp: MDP,
    panels: Sequence[Panel],
    title: str,
    label: str,
    limits: tuple[float, float] | Normalize,
    below: str,
) -> Figure:
    """Without a map: a column of colours for each panel, a row a state, terminal states blank."""
    listed = mdp.n_states <= dot_plots.NAMED
    height = 1.9 + 0.22 * mdp.n_states if listed else 5.0
    figure = new_figure(max(4.2, 2.2 + 0.85 * len(panels)), height)
    ax = figure.add_subplot()
    values = np.array([np.where(mdp.terminal, np.nan, panel.values) for panel in panels]).T
    norm = limits if isinstance(limits, Normalize) else Normalize(*limits)
    mesh = ax.pcolormesh(
        np.arange(len(panels) + 1) - 0.5,
        np.arange(mdp.n_states + 1) - 0.5,
        np.ma.masked_invalid(values),
        cmap=value_colours(),
        norm=norm,
        gid="values",
        rasterized=not listed,
    )
    ax.set_ylim(mdp.n_states - 0.5, -0.5)
    names = [panel.name.removeprefix("temperature ") for panel in panels]
    temperatures = all(panel.name.startswith("temperature ") for panel in panels)
    ax.set_xticks(np.arange(len(panels)), labels=names, parse_math=False)
    ax.set_xlabel("temperature" if temperatures else "policy")
    ax.set_ylabel("state (blank: terminal)" if mdp.terminal.any() else "state")
    if listed:
        dot_plots.name_states(ax, mdp)
    ax.set_title(title)
    colour_scale(figure, mesh, [ax], label, fraction=0.06, pad=0.03, extend=below)
    return figure


def _check_number(panels: int) -> None:
    if not 1 <= panels <= MAX_PANELS:
        raise ConfigError(f"{panels} panels; give 1 to {MAX_PANELS}, as many as fit a page")
