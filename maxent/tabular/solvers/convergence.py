r"""How fast a solver comes near V*: its error at every iteration beside what theory and it promise.

A solver is run with a callback that holds each iterate V_k against a V* that was solved as tightly
as float64 allows.  These curves come of it:

- ``errors``, ||V_k - V*||: what happened, known to within ``reference_error``;
- ``certified``, the solver's own bound on that error (SQL-T3, a posteriori, rounding included);
- ``theoretical``, gamma^k ||V_0 - V*|| (SQL-T3, a priori, in exact arithmetic);
- ``midpoint_errors``, the error of the midpoint of the certified interval.  That is what a solver
  returns, and ``midpoint_certified``, half the width of the interval, is what it stops by.  Where
  all values are off by nearly the same amount the interval is narrow but lies beside V_k, so that
  the midpoint is far better than V_k (MacQueen's bounds).

**When the theoretical bound holds.**  For soft value iteration from every start.  For soft policy
iteration and its modified form from a start with T V_0 >= V_0: each iterate then lies between the
one of value iteration and V*.  From another start exact policy iteration obeys it from its second
iteration on, gamma^(k-2) ||V_2 - V*||, since the value of a policy satisfies T V >= V; the modified
form has no such bound.  Where none is known the array holds nan.

Norms are the largest absolute value over states, in units of reward, discounted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import MaxEntWarning
from maxent.mdp import MDP
from maxent.solution import Iteration, Solution
from maxent.support.arguments import require_temperature
from maxent.support.arrays import ReadOnly
from maxent.support.shapes import Float, Int
from maxent.tabular import operators
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.solvers import (
    modified_soft_policy_iteration,
    soft_policy_iteration,
    soft_value_iteration,
)
from maxent.tabular.solvers.loop import require_start

Solver = Callable[..., Solution]


@dataclass(frozen=True, eq=False)
class Convergence(ReadOnly):
    """The errors of one solver run, iteration by iteration; entry k of each array is iteration k.

    method : name of the solver.
    temperature, discount : of the problem.
    errors : (K+1,), ||V_k - V*||; entry 0 is the start.
    certified : (K+1,), the bound that the solver reports; nan at the start.
    theoretical : (K+1,), the bound of the contraction; nan where none is known.
    midpoint_errors, midpoint_certified : (K+1,), the same for the midpoint of the certified
        interval, which is what the solver returns; nan at the start.
    reference_error : certified bound on the error of V* itself; errors below it say nothing.
    world : what figures call the problem, where its map has a title.
    """

    method: str
    temperature: float
    discount: float
    errors: ndarray
    certified: ndarray
    theoretical: ndarray
    midpoint_errors: ndarray
    midpoint_certified: ndarray
    reference_error: float
    world: str = ""

    @property
    def iterations(self) -> Int[ndarray, " K"]:
        """(K+1,): 0, 1, ..., K."""
        return np.arange(len(self.errors))

    @property
    def meaningful(self) -> Float[ndarray, " M"]:
        """The leading errors that stand clear of rounding (ten times `reference_error`)."""
        clear = self.errors > 10.0 * self.reference_error
        return self.errors[: int(np.argmin(clear)) if not clear.all() else len(clear)]

    @property
    def order(self) -> float:
        """p in e_{k+1} ~ C e_k^p, through the last three meaningful errors: about 1 is linear,
        2 quadratic convergence; nan where there are fewer than three."""
        if len(self.meaningful) < 3:
            return float("nan")
        last = np.diff(np.log(self.meaningful[-3:]))
        return float(last[1] / last[0]) if last[0] < 0.0 else float("nan")

    @property
    def rate(self) -> float:
        """Mean factor from one error to the next over the second half of the meaningful ones; nan
        where there are fewer than two."""
        late = np.log(self.meaningful[len(self.meaningful) // 2 :])
        if len(self.meaningful) == 2:
            late = np.log(self.meaningful)
        return float(np.exp((late[-1] - late[0]) / (len(late) - 1))) if len(late) > 1 else np.nan

    def __repr__(self) -> str:
        return (
            f"Convergence({self.method}, temperature {self.temperature:g}, "
            f"{len(self.errors) - 1} iterations, error {self.errors[0]:.2g} -> "
            f"{self.midpoint_errors[-1]:.2g})"
        )


def convergence(
    mdp: MDP,
    temperature: float,
    *,
    solver: Solver = soft_value_iteration,
    prior: Any = None,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    v0: Any = None,
) -> Convergence:
    """Run `solver` on the MDP and record its error at every iteration (SQL-T3, SAC-T1).

    solver : `soft_value_iteration`, `soft_policy_iteration`, `modified_soft_policy_iteration`, one
        of them with options by `functools.partial`, or any function of their form.
    prior, tolerance, max_iterations, v0 : passed to it; v0 None is 0.

    Policy iteration is run with exact (direct) evaluation, as its theory asks.  Errors are those of
    the solver.
    """
    temperature = require_temperature(temperature)
    optimum, reference_error = reference_value(mdp, temperature, prior)
    given = require_start(mdp, v0)
    start = np.zeros(mdp.n_states) if given is None else given
    rows = [(_distance(start, optimum), np.nan, np.nan, np.nan)]

    def record(iteration: Iteration) -> None:
        half = 0.5 * (iteration.upper - iteration.lower)
        middle = np.where(mdp.terminal, 0.0, iteration.lower + half)
        rows.append(
            (
                _distance(iteration.v, optimum),
                iteration.error_bound,
                _distance(middle, optimum),
                float(half.max()),
            )
        )

    solution = _exact(solver)(
        mdp,
        temperature,
        prior=prior,
        tolerance=tolerance,
        max_iterations=max_iterations,
        v0=None if v0 is None else start,
        callback=record,
    )
    errors, certified, midpoint_errors, midpoint_certified = np.array(rows).T
    first = _bound_starts(mdp, temperature, prior, solver, start)
    return Convergence(
        method=solution.method,
        temperature=temperature,
        discount=mdp.discount,
        errors=errors,
        certified=certified,
        theoretical=_geometric(errors, mdp.discount, first),
        midpoint_errors=midpoint_errors,
        midpoint_certified=midpoint_certified,
        reference_error=reference_error,
        world=mdp.grid.title if mdp.grid is not None else "",
    )


def reference_value(
    mdp: MDP, temperature: float, prior: Any = None
) -> tuple[Float[ndarray, " S"], float]:
    """V* by exact policy iteration to about four times the least error that float64 can certify,
    (S,), and the bound on its error that was certified."""
    rough = soft_policy_iteration(mdp, temperature, prior=prior, evaluation="direct")
    bounds = soft_bounds(mdp, temperature, mdp.log_prior(prior))
    floor = bounds.floor(float(np.abs(rough.v).max()))
    goal = max(4.0 * floor, 1e-300)  # where nothing is ever earned the floor is 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaxEntWarning)  # stalling above the goal is no fault here
        tight = soft_policy_iteration(
            mdp, temperature, prior=prior, tolerance=goal, v0=rough.v, evaluation="direct"
        )
    best = min(rough, tight, key=lambda solution: solution.error_bound)
    return best.v, best.error_bound


def _distance(v: Float[ndarray, " S"], optimum: Float[ndarray, " S"]) -> float:
    return float(np.abs(v - optimum).max())


def _exact(solver: Solver) -> Solver:
    return partial(solver, evaluation="direct") if solver is soft_policy_iteration else solver


def _bound_starts(
    mdp: MDP, temperature: float, prior: Any, solver: Solver, start: ndarray
) -> int | None:
    """The iteration from which gamma^k bounds the error; None where no such bound is known."""
    while isinstance(solver, partial):
        solver = solver.func
    if solver is soft_value_iteration:
        return 0
    if solver not in (soft_policy_iteration, modified_soft_policy_iteration):
        return None
    log_prior = mdp.log_prior(prior)
    rises = operators.soft_value(operators.backup(mdp, start), temperature, log_prior) - start
    if rises[~mdp.terminal].min(initial=0.0) >= 0.0:
        return 0
    return 2 if solver is soft_policy_iteration else None


def _geometric(errors: ndarray, discount: float, first: int | None) -> ndarray:
    """discount^(k - first) errors[first] for k >= first, nan before."""
    bound = np.full(len(errors), np.nan)
    if first is not None and first < len(errors):
        bound[first:] = errors[first] * discount ** np.arange(len(errors) - first)
    return bound
