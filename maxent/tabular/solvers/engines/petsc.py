"""Soft policy iteration with the states split over processes: PETSc over MPI.

Soft policy iteration is Newton's method (SPI-NEWTON), so each of its steps is one linear system,
(I - gamma P_pi) d = T V - V, which PETSc solves with the rows spread over processes.
The certified interval of SQL-T3 needs no more than the least and the greatest entry of T V - V and
the sizes of V and T V.  No process decides anything from what it alone knows, so all take the same
steps.

    mpiexec -n 4 python script.py        # where script.py calls maxent.solve(..., engine="petsc")

`blocks.py` is for MDPs that no single process can hold.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.support.shapes import Float
from maxent.tabular.solvers.certified import Certified
from maxent.tabular.solvers.engines.distributed import Rows, libraries, own_share
from maxent.tabular.solvers.loop import History, Options, Outcome, until_narrow, verdict
from maxent.tabular.solvers.steps import SWEEP, Step, usual_sweeps

SWEEPS = 30
"""Sweeps before the rate is judged."""


def _newton(rows: Any, b: ndarray) -> ndarray:
    found: ndarray = rows.newton(b)
    return found


def _truncated(rows: Any, b: ndarray) -> ndarray:
    found: ndarray = rows.truncated(b, usual_sweeps(rows.temperature))
    return found


NEWTON = Step("krylov", "soft policy iteration", _newton)
EVALUATION = Step("truncated", "modified soft policy iteration", _truncated)


def iterate(
    mdp: MDP,
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None,
    options: Options,
    start: Float[ndarray, " S"] | None,
) -> Outcome:
    """As the loop of one process: V* of an MDP that every process holds, each doing its share."""
    if options.callback is not None or options.progress:
        raise ConfigError(
            'callback and progress are not for engine="petsc", where each process sees its part of '
            "the values only; leave them out"
        )
    _, comm = libraries()
    first, stop = own_share(mdp.n_states, comm)
    own, actions = slice(first, stop), mdp.n_actions
    rows = Rows(
        mdp.transition_rows[first * actions : stop * actions],
        mdp.reward[own],
        mdp.terminal[own],
        None if log_prior is None else log_prior[own],
        mdp.discount,
        temperature,
    )
    here = improve(rows, options, np.zeros(stop - first) if start is None else start[own])
    now = here.certified
    whole = Certified(
        rows.whole(now.tv),
        rows.whole(now.b),
        now.below,
        now.above,
        now.residual,
        now.norm,
        now.value_size,
        mdp.terminal,
    )
    tolerance, status = here.tolerance, here.status
    if status in ("converged", "stalled"):
        tolerance, status = verdict(whole, options, tolerance)
    return replace(here, certified=whole, tolerance=tolerance, status=status)


def improve(rows: Rows, options: Options, v: Float[ndarray, " N"]) -> Outcome:
    """The solvers' loop over this process's part of V; all processes take the same steps."""
    return until_narrow(
        rows, rows.certify, v, SWEEP, options, partial(_next_step, rows), None, rows.n_states
    )


def _next_step(rows: Rows, history: History) -> Step:
    """Sweeps first; Newton's method where their rate promises no answer within 100 more, truncated
    evaluation at the hard maximum, where Newton's steps move on by one state each."""
    step = history.steps[-1][1]
    if step is not SWEEP or history.iterations < SWEEPS or history.iterations_left() <= 100:
        return step
    return EVALUATION if rows.temperature == 0.0 else NEWTON


def require_discounted(discount: float) -> None:
    if discount == 1.0:
        raise ConfigError(
            'discount = 1 is not for engine="petsc"; use a discount below 1, or leave engine out'
        )
