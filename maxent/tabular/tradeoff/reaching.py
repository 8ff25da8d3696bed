"""How likely a policy is to arrive: the probability of reaching a goal, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp, validation
from maxent.support.arguments import quoted, require_count
from maxent.support.arrays import closure
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.tabular.linear_systems import solve_discounted

RARE = 1e-12
"""A state that comes closer to the goal with less than this chance a step counts as never doing."""


def reaching_probability(
    mdp: MDP, policy: Any, horizon: int | None = None, states: Any = None
) -> Float[ndarray, " S"]:
    """Probability that the policy enters one of `states` from each state, (S,), undiscounted.

    horizon: within that many steps, step by step; None: ever, by one linear solve for the
        probability of *not* reaching (the least solution: 1 where no path leads there).  A
        state that comes closer with a chance below 1e-12 a step counts as never doing so.
    states: None is the goal cells of a map (`G`) if there are any, else all terminal states.
    """
    goal = np.zeros(require_mdp(mdp).n_states, dtype=bool)
    goal[goal_states(mdp, states)] = True
    policy = validation.action_distribution("policy", policy, mdp.action_mask, mdp.terminal)
    going = np.where((goal | mdp.terminal)[:, None], 0.0, policy)
    if horizon is not None:
        horizon = require_count("horizon", horizon, minimum=0)
        step = operators.policy_transition(mdp, going)
        last = goal + (going * mdp.expect((goal & mdp.terminal).astype(float))).sum(axis=1)
        reached = goal.astype(float)
        for _ in range(horizon):
            reached = last + step @ reached
        found: Float[ndarray, " S"] = np.clip(reached, 0.0, 1.0)
        return found
    lost = ~closure(goal, lambda can: (going * mdp.expect(can.astype(float))).sum(axis=1) > RARE)
    going[lost] = 0.0
    failing = lost + (going * mdp.expect((lost & mdp.terminal).astype(float))).sum(axis=1)
    missed = solve_discounted(operators.policy_transition(mdp, going), failing)
    return np.where(lost, 0.0, 1.0 - np.clip(missed, 0.0, 1.0))


def goal_states(mdp: MDP, states: Any = None) -> ndarray:
    """The indices of `states`, or by default of the goal cells (`G`) of a map, else of the terminal
    states; ConfigError where there are none."""
    require_mdp(mdp)
    if states is not None:
        chosen = validation.plain_array("states", states)
        if chosen.ndim != 1 or chosen.size == 0 or chosen.dtype.kind not in "iu":
            raise ConfigError(f"states = {quoted(states)} must be a list of state indices")
        if chosen.min() < 0 or chosen.max() >= mdp.n_states:
            raise ConfigError(
                f"states = {quoted(states)} must lie between 0 and {mdp.n_states - 1}"
            )
        return chosen
    if mdp.grid is not None:
        rows, columns = mdp.grid.cells.T
        letters = np.array([list(line) for line in mdp.grid.text])[rows, columns]
        goals = np.flatnonzero((letters == "G") & (rows >= 0))
        if goals.size:
            return goals
    if not mdp.terminal.any():
        raise ConfigError(
            "the MDP has neither goal cells nor terminal states; name the states to reach"
        )
    return np.flatnonzero(mdp.terminal)
