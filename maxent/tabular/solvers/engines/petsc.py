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

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.solution import Status
from maxent.tabular.solvers.certified import Certified
from maxent.tabular.solvers.engines.distributed import Rows, libraries, own_share
from maxent.tabular.solvers.loop import EPS, LONG_WAIT, History, Options, Outcome, verdict
from maxent.tabular.solvers.steps import KRYLOV, SWEEP, Step, truncated, usual_sweeps

SWEEPS = 30
"""Sweeps before the rate is judged."""


def iterate(
    mdp: MDP,
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None,
    options: Options,
    start: Float[ndarray, " S"] | None,
) -> Outcome:
    """As the loop of one process: V* of an MDP that every process holds, each doing its share."""
    require_discounted(mdp.discount)
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
    return Outcome(whole, tolerance, status, here.residuals, here.step)


def improve(rows: Rows, options: Options, v: Float[ndarray, " N"]) -> Outcome:
    """Apply, certify and take a step until the interval is narrow enough; all processes alike."""
    bounds = rows.bounds
    if options.tolerance is not None:
        bounds.require_tolerance(options.tolerance)
    patience = 20 + int(min(2000.0, bounds.gain_high))
    evaluation = truncated(usual_sweeps(rows.temperature))
    residuals: list[float] = []
    widths: list[float] = []
    step: Step = SWEEP
    best: Certified | None = None
    best_at, best_tolerance = 0, 0.0
    while True:
        now = rows.certify(v)
        tolerance = options.tolerance or bounds.tolerance(now.value_size)
        residuals.append(now.residual)
        widths.append(now.width)
        if best is None or now.width < best.width:
            best, best_at, best_tolerance = now, len(widths), tolerance
        status: Status | None = None
        if now.width + 4.0 * EPS * now.norm <= 2.0 * tolerance:
            status = "converged"
        elif now.residual == 0.0 or len(widths) - best_at > (
            patience if now.width <= 32.0 * bounds.floor(now.norm) else LONG_WAIT + rows.n_states
        ):
            status = "stalled"
        elif options.max_iterations is not None and len(widths) >= options.max_iterations:
            status = "max_iterations"
        if status is not None:
            return Outcome(best, best_tolerance, status, np.array(residuals), step)
        step = _next_step(step, History(widths, 2.0 * tolerance, [(0, step)]), rows, evaluation)
        if step is SWEEP:
            v = now.tv
        elif step is KRYLOV:
            v = v + rows.newton(now.b)
        else:
            v = v + rows.truncated(now.b, usual_sweeps(rows.temperature))


def _next_step(step: Step, history: History, rows: Rows, evaluation: Step) -> Step:
    """Sweeps first; Newton's method where their rate promises no answer within 100 more, truncated
    evaluation at the hard maximum, where Newton's steps move on by one state each."""
    if step is not SWEEP or history.iterations < SWEEPS:
        return step
    if history.iterations_left() <= 100:
        return SWEEP
    return evaluation if rows.temperature == 0.0 else KRYLOV


def require_discounted(discount: float) -> None:
    if discount == 1.0:
        raise ConfigError(
            'discount = 1 is not for engine="petsc"; use a discount below 1, or leave engine out'
        )
