"""Figures as functions of results: `from maxent import plots; plots.value_map(mdp, solution)`.

=================  ==========================================================================
`value_map`        soft values on the map, with the policy as arrows (`grids.py`)
`entropy_map`      entropy of the policy in each state, in nats (`grids.py`)
`hard_and_soft`    the hard solution beside soft ones at several temperatures (`panels.py`)
`convergence`      error per iteration under its theoretical and certified bounds (`curves.py`)
`newton`           soft policy iteration against soft value iteration (`orders.py`)
`tradeoff`         return against discounted entropy, the Pareto front (`tradeoff.py`); with it
                   `tradeoff_policies`, `tradeoff_by_temperature`, `reaching` (`along.py`)
`gradients`        policy gradients step by step, up to soft policy iteration (`gradients.py`)
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
from maxent.plots.along import reaching, tradeoff_by_temperature, tradeoff_policies
from maxent.plots.animations import animate_iterations, animate_rollouts
from maxent.plots.comparisons import side_by_side, temperature_strip
from maxent.plots.composition import composition
from maxent.plots.counterexamples import counterexample
from maxent.plots.curves import convergence
from maxent.plots.error_budget import error_budget
from maxent.plots.four_goals import Player, four_goals
from maxent.plots.gradients import gradients
from maxent.plots.grids import entropy_map, value_map
from maxent.plots.learning_curves import learning_curves
from maxent.plots.occupancy import occupancy_map
from maxent.plots.orders import newton
from maxent.plots.panels import hard_and_soft
from maxent.plots.rewards import reward_map
from maxent.plots.sampled import error_curves, importance_bias
from maxent.plots.saving import save
from maxent.plots.tradeoff import tradeoff

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
