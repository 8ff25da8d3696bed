"""Figures as functions of results: `from maxent import plots; plots.value_map(mdp, solution)`.

=================  ==========================================================================
`value_map`        soft values on the map, with the policy as arrows (`grids.py`)
`entropy_map`      entropy of the policy in each state, in nats (`grids.py`)
`hard_and_soft`    the hard solution beside soft ones at several temperatures (`panels.py`)
`convergence`      error per iteration under its theoretical and certified bounds (`iterations.py`)
`newton`           soft policy iteration against soft value iteration (`orders.py`)
`tradeoff`         return against discounted entropy, the Pareto front (`tradeoff.py`); with it
                   `tradeoff_policies`, `tradeoff_by_temperature`, `reaching` (`temperatures.py`)
`gradients`        policy gradients step by step, up to soft policy iteration (`policy_gradient.py`)
`error_curves`     learning from samples, error to the exact values by seed (`sampled.py`)
`importance_bias`  bias of the importance-sampled soft value by proposal (`sampled.py`)
`error_budget`     what each approximation of soft Q-learning costs (`error_budget.py`)
`four_goals`       paths and choices of policies of the four-goal task (`four_goals.py`)
`learning_curves`  training runs by step, interquartile mean and interval (`learning_curves.py`)
`occupancy_map`    discounted visits of each state, arrivals at terminal ones (`occupancy.py`)
`temperature_strip`, `side_by_side`   maps by temperature, any policies (`comparisons.py`)
`reward_map`       rewards by state and action, shaping removed (`rewards.py`)
`animate_iterations`, `animate_rollouts`   GIFs of a solver and of a policy (`animations.py`)
`composition`      two tasks, their averaged Q and the combined optimum (`composition.py`)
`counterexample`   what happens without a hypothesis (`counterexamples.py`)
`save`             a figure as PNG or SVG, whole or absent, the same bytes each time (`saving.py`)
=================  ==========================================================================

Every function returns a `matplotlib.figure.Figure`; none needs a display, and none touches the
backend or the settings of the caller's matplotlib.  Only this subpackage imports matplotlib.
"""

from maxent.plots.importing import Figure

# isort: split
from maxent.plots.curves.by_temperature import reaching, tradeoff_by_temperature, tradeoff_policies
from maxent.plots.curves.counterexamples import counterexample
from maxent.plots.curves.error_budget import error_budget
from maxent.plots.curves.gradients import gradients
from maxent.plots.curves.iterations import convergence
from maxent.plots.curves.learning_curves import learning_curves
from maxent.plots.curves.orders import newton
from maxent.plots.curves.sampled import error_curves, importance_bias
from maxent.plots.curves.tradeoff import tradeoff
from maxent.plots.maps.animations import animate_iterations, animate_rollouts
from maxent.plots.maps.comparisons import side_by_side, temperature_strip
from maxent.plots.maps.composition import composition
from maxent.plots.maps.four_goals import Player, four_goals
from maxent.plots.maps.grids import entropy_map, value_map
from maxent.plots.maps.occupancy import occupancy_map
from maxent.plots.maps.panels import hard_and_soft
from maxent.plots.maps.rewards import reward_map
from maxent.plots.saving import save

__all__ = [
    "Figure",
    "Player",
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
    "value_map",
]
