"""Figures as functions of results: `from maxent import plots; plots.value_map(mdp, solution)`.

=================  ==========================================================================
`value_map`        soft values on the map, with the policy as arrows (`grids.py`)
`entropy_map`      entropy of the policy in each state, in nats (`grids.py`)
`hard_and_soft`    the hard solution beside soft ones at several temperatures (`panels.py`)
`convergence`      error per iteration under its theoretical and certified bounds (`curves.py`)
`newton`           soft policy iteration against soft value iteration (`orders.py`)
`save`             a figure as PNG or SVG, whole or absent, the same bytes each time (`saving.py`)
=================  ==========================================================================

Every function returns a `matplotlib.figure.Figure`; none needs a display, and none touches the
backend or the settings of the caller's matplotlib.  Only this subpackage imports matplotlib.
"""

from matplotlib.figure import Figure

from maxent.plots.curves import convergence
from maxent.plots.grids import entropy_map, value_map
from maxent.plots.orders import newton
from maxent.plots.panels import hard_and_soft
from maxent.plots.saving import save

__all__ = ["Figure", "convergence", "entropy_map", "hard_and_soft", "newton", "save", "value_map"]
