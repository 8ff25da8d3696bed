"""Figures as functions of results: `from maxent import plots; plots.value_map(mdp, solution)`.

==========================  ==================================================================
on a map (`maps/`)
`value_map`, `entropy_map`  soft values or policy entropy, the policy as arrows (`grids`)
`occupancy_map`             discounted visits of each state, arrivals at terminal ones (`occupancy`)
`reward_map`                rewards by state and action, shaping removed (`rewards`)
`hard_and_soft`             the hard solution beside soft ones at several temperatures (`panels`)
`temperature_strip`         one policy a temperature (`comparisons`)
`side_by_side`              any policies of one MDP (`comparisons`)
`tradeoff_policies`         the policies along a trade-off (`tradeoff_policies`)
`composition`               two tasks, their averaged Q and the combined optimum (`composition`)
`four_goals`                paths and drawn actions on the four-goal task (`four_goals`)
`animate_iterations`        GIF of a solver at work (`animations`)
`animate_rollouts`          GIF of agents that follow a policy (`animations`)
numbers against numbers (`curves/`)
`convergence`               error per iteration under its theoretical and certified bounds
                            (`convergence`)
`newton`                    soft policy iteration against soft value iteration (`newton`)
`tradeoff`                  return against discounted entropy, the Pareto front (`tradeoff`)
`tradeoff_by_temperature`   return, entropy, objective by temperature (`by_temperature`)
`reaching`                  probability of reaching the goal by temperature (`by_temperature`)
`gradients`                 policy gradients step by step, up to soft policy iteration (`gradients`)
`error_curves`              learning from samples, error to the exact values by seed (`sampled`)
`importance_bias`           bias of the importance-sampled soft value by proposal (`sampled`)
`error_budget`              what each approximation of soft Q-learning costs (`error_budget`)
`learning_curves`           training runs by step, interquartile mean and interval
                            (`learning_curves`)
`lines`                     any lines, in the style of the others (`lines`)
`counterexample`            what happens without a hypothesis (`counterexamples`)
`use_style`                 fonts and width for a screen, a paper or a projector (`style`)
`alt_text`                  what a figure shows, in words: notebooks give them to screen readers
                            (`describing`)
`save`                      a figure as PNG, SVG or PDF, whole or absent, the same bytes each time
                            (`saving`)
==========================  ==================================================================

What maps share is in `maps/`: `basemap` (walls, cliffs, terminal cells, starts, axes), `arrows`
(policies), `grids` (values, scales, legends), `dot_plots` (for an MDP without a map), `gifs`.

Every function returns a `matplotlib.figure.Figure`; none needs a display, and none touches the
backend or the settings of the caller's matplotlib.  Only this subpackage imports matplotlib.
"""

from maxent.plots.importing import Figure

# isort: split
from maxent.plots.curves.by_temperature import reaching, tradeoff_by_temperature
from maxent.plots.curves.convergence import convergence
from maxent.plots.curves.counterexamples import counterexample
from maxent.plots.curves.error_budget import error_budget
from maxent.plots.curves.gradients import gradients
from maxent.plots.curves.learning_curves import learning_curves
from maxent.plots.curves.lines import lines
from maxent.plots.curves.newton import newton
from maxent.plots.curves.sampled import error_curves, importance_bias
from maxent.plots.curves.tradeoff import tradeoff
from maxent.plots.describing import alt_text
from maxent.plots.maps.animations import animate_iterations, animate_rollouts
from maxent.plots.maps.comparisons import side_by_side, temperature_strip
from maxent.plots.maps.composition import composition
from maxent.plots.maps.four_goals import Player, four_goals
from maxent.plots.maps.grids import entropy_map, value_map
from maxent.plots.maps.occupancy import occupancy_map
from maxent.plots.maps.panels import hard_and_soft
from maxent.plots.maps.rewards import reward_map
from maxent.plots.maps.tradeoff_policies import tradeoff_policies
from maxent.plots.saving import save
from maxent.plots.style import use_style
from maxent.support.arguments import closest

__all__ = [
    "Figure",
    "Player",
    "alt_text",
    "animate_iterations",
    "animate_rollouts",
    "composition",
    "convergence",
    "counterexample",
    "entropy_map",
    "error_budget",
    "error_curves",
    "four_goals",
    "gradients",
    "hard_and_soft",
    "importance_bias",
    "learning_curves",
    "lines",
    "newton",
    "occupancy_map",
    "reaching",
    "reward_map",
    "save",
    "side_by_side",
    "temperature_strip",
    "tradeoff",
    "tradeoff_by_temperature",
    "tradeoff_policies",
    "use_style",
    "value_map",
]


def __getattr__(name: str) -> object:
    known = [] if name.startswith("_") else __all__
    meant = closest(name, known)
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise AttributeError(f"module 'maxent.plots' has no attribute {name!r}{hint}")
