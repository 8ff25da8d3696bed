"""The rounding of sweeps that compute where each direction leads.

y = gamma V(s') + pay, averaged by the turns' probabilities, plus the step reward: two roundings of
y, one a product and one an addition a turn, and the last addition, together at most 11 u N with
N = max(||V||, |step reward| + max |pay|).  The MDP with stored transitions differs by roundings of
its own, of probabilities and rewards: 8 u N.  With what follows (2 u N each for the logarithm, b
and the ends of the interval) that is below u (k + 27) N: both MDPs' values lie in the interval.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.tabular.bounds import UNIT, FixedPointBounds, soft_bounds


def directions_bounds(mdp: MatrixFreeMDP, temperature: float) -> FixedPointBounds:
    """Bounds for the soft Bellman operator of a matrix-free MDP as its engines compute it."""
    directions = mdp.directions
    largest = max(float(np.abs(pay).max(initial=0.0)) for _, pay in directions.paid)
    return replace(
        soft_bounds(mdp, temperature, None),
        relative=UNIT * (directions.longest_row + 27),
        scale=abs(directions.step_reward) + largest,
    )
