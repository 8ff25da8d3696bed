"""The four-goal point mass of the soft Q-learning paper, and its exact solution on a grid.

A point in the plane, moved by at most 1 along each coordinate:

    s' = clip(s + a, +-7),  |a_i| <= 1,
    reward = -30 |a|^2 - min over goals |s' - goal|^2,  and +10 where s' is within 1 of a goal,

which ends the episode.  The goals are (+-5, 0) and (0, +-5), episodes start at N(0, 0.1^2) and last
at most 30 steps.  From the middle all four goals are equally good: a policy of one Gaussian can
reach one of them, a maximum-entropy policy reaches each in a quarter of the episodes.
SQL Sec. 6.1 and its published code; the discount is 0.99.

The grid of the states has the step of the grid of the actions, so a successor of a vertex is a
vertex: nothing is interpolated, and the only errors are those of the Riemann sum over actions.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from maxent.continuous.discretise import Discretisation, discretise
from maxent.continuous.tasks import Task
from maxent.support.arguments import require_count
from maxent.support.shapes import Bool, Float, Int

GOALS = np.array([[5.0, 0.0], [-5.0, 0.0], [0.0, 5.0], [0.0, -5.0]])
GOALS.setflags(write=False)
BORDER, REACH, ACTION_COST, PRIZE = 7.0, 1.0, 30.0, 10.0
ROUNDING = 1e-9
START_DEVIATION = 0.1
HORIZON = 30
FIGURE_STATES = np.array([[-2.5, 0.0], [0.0, 0.0], [2.5, 2.5]])
"""The states at which the paper draws Q over the actions."""
FIGURE_STATES.setflags(write=False)


def step(
    states: Float[ndarray, "N 2"], actions: Float[ndarray, "N 2"]
) -> tuple[Float[ndarray, "N 2"], Float[ndarray, " N"], Bool[ndarray, " N"]]:
    """One step of each point: next states, rewards, terminated; actions are clipped to +-1."""
    actions = np.clip(actions, -1.0, 1.0)
    after = np.clip(states + actions, -BORDER, BORDER)
    distance = squared_distances(after).min(axis=1)
    terminated = _within_reach(distance)
    reward = -ACTION_COST * (actions**2).sum(axis=1) - distance + PRIZE * terminated
    return after, reward, terminated


def squared_distances(states: Float[ndarray, "N 2"]) -> Float[ndarray, "N 4"]:
    """|s - goal|^2 for each of the four goals."""
    found: Float[ndarray, "N 4"] = ((states[:, None, :] - GOALS) ** 2).sum(axis=2)
    return found


def goal_reached(states: Float[ndarray, "N 2"]) -> Int[ndarray, " N"]:
    """The number of the goal that each state is within 1 of, in the order of `GOALS`; -1: none."""
    distance = squared_distances(states)
    return np.where(_within_reach(distance.min(axis=1)), distance.argmin(axis=1), -1)


def _within_reach(squared_distance: Float[ndarray, " N"]) -> Bool[ndarray, " N"]:
    """Less than 1 from a goal; what is 1 but for rounding is not, so that symmetry is kept."""
    return squared_distance < REACH**2 - ROUNDING


def start(count: int, rng: np.random.Generator) -> Float[ndarray, "N 2"]:
    """Start states N(0, 0.1^2), (count, 2)."""
    return START_DEVIATION * rng.standard_normal((count, 2))


TASK = Task(
    step=step,
    state_low=(-BORDER, -BORDER),
    state_high=(BORDER, BORDER),
    action_low=(-1.0, -1.0),
    action_high=(1.0, 1.0),
    periodic=(False, False),
    start=start,
    observe=lambda states: states,
)


def multigoal(divisions: int = 10, *, discount: float = 0.99) -> Discretisation:
    """The task on grids of step 1 / divisions, for states and actions alike.

    10 (step 0.1) is 19,881 states and 441 actions; docs/continuous.md says what it costs.
    """
    n = require_count("divisions", divisions)
    vertices = round(2 * BORDER) * n + 1
    nodes = 2 * n + 1
    return discretise(TASK, (vertices, vertices), (nodes, nodes), discount=discount)
