"""An answer together with how far it can be from the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from maxent.errors import ModelError
from maxent.support.arguments import count
from maxent.support.arrays import HasPolicy, HasStatus, ReadOnly
from maxent.support.frames import data_frame
from maxent.support.other_words import AnswersOurWords
from maxent.support.shapes import Float, Int
from maxent.support.traces import kept_iterations

Status = Literal["converged", "stalled", "max_iterations", "interrupted"]


@dataclass(frozen=True, eq=False)
class Iteration:
    """What a solver knows after one iteration; passed to `callback(iteration)`.

    iteration : 1, 2, ...
    v : (S,), the new iterate, in units of reward (read-only; copy it to keep it).
    residual : max |T V - V| of the iterate before.
    error_bound : certified bound on the largest error of v, rounding included.
    lower, upper : (S,), the interval that holds the true value (its midpoint can be much closer
        than v).

    >>> import maxent
    >>> mdp, seen = maxent.gridworld("S.G", discount=0.9), []
    >>> solution = maxent.soft_value_iteration(mdp, temperature=0.1, callback=seen.append)
    >>> seen[0].iteration, len(seen) == solution.iterations
    (1, True)
    >>> seen[-1].error_bound < seen[0].error_bound
    True
    """

    iteration: int
    v: ndarray
    residual: float
    error_bound: float
    _below: float = field(repr=False)
    _above: float = field(repr=False)

    @property
    def lower(self) -> Float[ndarray, " S"]:
        """Certified lower bound on the true value."""
        return self.v + self._below

    @property
    def upper(self) -> Float[ndarray, " S"]:
        """Certified upper bound on the true value."""
        return self.v + self._above


@dataclass(frozen=True, eq=False)
class Solution(ReadOnly, HasPolicy, HasStatus, AnswersOurWords):
    """A soft-optimal solution, or the evaluation of a policy, with certified bounds.

    All values are discounted and in units of reward; entropies inside them in nats times the
    temperature.  For a policy's evaluation the bounds are on V^pi and the policy is the input.

    v : (S,), midpoint of the bounds; 0 at terminal states.
    q : (S, A), `backup(mdp, v)`.
    log_policy : (S, A), the Boltzmann policy of q, -inf for an action never taken.
    temperature : alpha.
    lower, upper : (S,), an interval that holds the exact value of the MDP as stored, rounding
        included.
    error_bound : largest distance from v to the ends of its interval.
    policy_bound : upper bound on max_s (V*(s) - V^policy(s)), ties included; nan for an
        evaluated policy.
    residuals : (iterations,), max |T V - V| at each iteration; of more than 2^20 iterations only
        every second, fourth, ..., so that a solve without end needs no memory without end
        (`residual_iterations` says which).
    iterations : how many.
    status : "converged" (upper - lower <= 2 * tolerance in every state), "stalled" (float64 can
        do no more: the tolerance asked for was not reached or, where none was asked for, the error
        is above 1e-6 max(1, max|v|)), "max_iterations", or "interrupted" (Ctrl-C).  The bounds
        hold in every case.
    method : name of the solver.
    tolerance : the bound on the error that was asked for, or chosen.
    seconds : wall-clock time of the solve.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> solution = maxent.solve(mdp, temperature=0.1)
    >>> solution.v.round(3).tolist()
    [1.042, 1.065, 0.0]
    >>> solution.policy[1].round(3).tolist()
    [0.231, 0.35, 0.231, 0.188]
    >>> solution.converged, solution.error_bound <= solution.tolerance
    (True, True)
    """

    v: ndarray
    q: ndarray
    log_policy: ndarray
    temperature: float
    lower: ndarray
    upper: ndarray
    error_bound: float
    policy_bound: float
    residuals: ndarray
    iterations: int
    status: Status
    method: str
    tolerance: float
    seconds: float

    @property
    def residual_iterations(self) -> Int[ndarray, " N"]:
        """Which iteration each of `residuals` is of; up to 2^20 iterations 1, 2, 3, ..."""
        return kept_iterations(self.iterations)

    def to_frame(self, mdp: Any = None) -> Any:
        """A pandas DataFrame with a row a state: value, bounds, policy and q of each action.

        mdp : where given, its names of states and actions, and the cells of its map, are used.

        Columns: `state`, with an MDP that has them `name`, `row` and `column`; `v`, `lower`,
        `upper`; `policy ACTION` and `q ACTION` of each action, by name or number.  Values and q in
        units of reward.

        Needs pandas: `pip install pandas` (MissingExtraError).  Raises ModelError for an MDP of
        other sizes.
        """
        n_states, n_actions = self.log_policy.shape
        columns: dict[str, Any] = {"state": np.arange(n_states)}
        names: Any = None
        if mdp is not None:
            if getattr(mdp, "reward", self.v).shape != self.log_policy.shape:
                raise ModelError(
                    f"the solution has {self.log_policy.shape} states and actions, not "
                    f"those of {mdp!r:.60}; pass the MDP that was solved"
                )
            names = mdp.action_names
            if mdp.state_names is not None:
                columns["name"] = list(mdp.state_names)
            if mdp.grid is not None:
                columns["row"], columns["column"] = mdp.grid.cells.T
        columns |= {"v": self.v, "lower": self.lower, "upper": self.upper}
        actions = names or range(n_actions)
        columns |= {f"policy {a}": column for a, column in zip(actions, self.policy.T)}
        columns |= {f"q {a}": column for a, column in zip(actions, self.q.T)}
        return data_frame(columns)

    def __repr__(self) -> str:
        return (
            f"Solution({self.method}, {count(len(self.v), 'state')}, "
            f"temperature {self.temperature:g}, {self.status} after "
            f"{count(self.iterations, 'iteration')}, error <= {self.error_bound:.2g})"
        )
