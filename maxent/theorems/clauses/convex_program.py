"""DUAL-OCCUPANCY: the soft-optimal value by a convex program over occupancies.

An independent route: an interior-point method for exponential cones (clarabel), to which neither
soft maxima nor Bellman equations are known.  Its own stopping criterion, and not rounding, is
the tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import CLARABEL, CONVEX_PAIRS, MODEL, Hypothesis, at_most_pairs
from maxent.theorems.instance import Instance, once_for_all

STOP = 1e-9
"""Duality gap and infeasibility, relative, at which the solver is asked to stop."""
ALLOWED = 1e-6
"""Of max|r| + alpha (1 + log|A| + max|log prior|), times 1 / (1-gamma): the entropy's terms are
solved to their own accuracy even where, with one action a state, they add up to nothing."""
COLDEST = 1e-4
LARGEST_DISCOUNT = 0.9995


@dataclass(frozen=True)
class ConvexSolution:
    """The program's value, its occupancies x (S, A), and whether the solver reached its goal."""

    value: float
    x: ndarray
    solved: bool


def solve_program(instance: Instance, start: ndarray) -> ConvexSolution:
    """Maximise sum x r + alpha sum_s x(s) H(x(s,.)/x(s)) over the occupancies from `start` (S,).

    Each term -x log(x / (prior X)), X = sum_a x, is a variable bounded by an exponential cone:
    x exp(-t / x) <= prior X.  Rewards are divided by their scale, visits multiplied by 1-gamma.
    """
    import clarabel

    problem = instance.problem
    scale, rate = problem.scale() or 1.0, 1.0 - float(problem.discount)
    states, actions = np.nonzero(problem.support)
    n, nonterminal = len(states), np.flatnonzero(problem.nonterminal)
    of = np.arange(n)
    alpha = instance.temperature / scale
    reward = problem.reward[states, actions].astype(float) / scale
    prior = np.exp(problem.log_prior[states, actions].astype(float))
    leave = sparse.csr_array((np.ones(n), (states, of)), shape=(problem.n_states, n))
    moves = sparse.csr_array(problem.probability, dtype=np.float64)
    arrive = moves[states * problem.n_actions + actions].T
    flow = sparse.csr_array(leave - float(problem.discount) * arrive)[nonterminal]
    together = sparse.csr_array(leave.T @ leave)  # X of each pair's own state
    zero, eye = sparse.csr_array((n, n)), sparse.eye_array(n)
    cones = [clarabel.ZeroConeT(len(nonterminal))]
    if alpha > 0.0:
        weighted = sparse.csr_array(sparse.diags_array(prior) @ together)
        blocks = [
            sparse.hstack([zero, eye]),  # s = (-t, x, prior X), which A z + s = b makes
            sparse.hstack([-eye, zero]),
            sparse.hstack([-weighted, zero]),
        ]
        stacked = sparse.csr_array(sparse.vstack(blocks))
        cone_rows = stacked[np.arange(3 * n).reshape(3, n).T.ravel()]
        flow = sparse.hstack([flow, sparse.csr_array((len(nonterminal), n))])
        cost = np.concatenate([-reward, np.full(n, alpha)])
        cones += [clarabel.ExponentialConeT()] * n
    else:
        cone_rows, cost = -eye, -reward
        cones.append(clarabel.NonnegativeConeT(n))
    matrix = sparse.csc_matrix(sparse.vstack([flow, cone_rows]))
    right = np.concatenate(
        [rate * start[nonterminal], np.zeros(matrix.shape[0] - len(nonterminal))]
    )
    nothing = sparse.csc_matrix((len(cost), len(cost)))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = STOP
    for patient in (False, True):
        if patient:  # the usual settings can give up too early
            settings.min_terminate_step_length, settings.min_switch_step_length = 1e-7, 1e-3
        found = clarabel.DefaultSolver(nothing, cost, matrix, right, cones, settings).solve()
        solved = str(found.status) in ("Solved", "AlmostSolved")
        if solved:
            break
    x = np.zeros(problem.support.shape)
    x[states, actions] = np.maximum(np.array(found.x[:n]), 0.0) / rate
    return ConvexSolution(-found.obj_val * scale / rate, x, solved)


def _moderate(instance: Instance) -> bool:
    scale = instance.problem.scale()
    if not 0.0 < scale < 1e100:
        return False
    warm = instance.temperature == 0.0 or COLDEST <= instance.temperature / scale <= 1.0 / COLDEST
    return warm and instance.mdp.discount <= LARGEST_DISCOUNT


MODERATE = Hypothesis(
    f"discount at most {LARGEST_DISCOUNT}, temperature 0 or within a factor of {1 / COLDEST:g} of "
    "the rewards (the range of the convex solver)",
    _moderate,
)
IN_RANGE = (*MODEL, at_most_pairs(CONVEX_PAIRS), MODERATE, CLARABEL)


@once_for_all
def _solution(instance: Instance) -> tuple[ndarray, ConvexSolution]:
    start = instance.problem.nonterminal / instance.problem.nonterminal.sum()
    return start, solve_program(instance, start)


def _program(instance: Instance) -> tuple[ndarray, ConvexSolution, float]:
    """A start in every state alike, the solution from there, and what its accuracy is worth."""
    start, found = _solution(instance)
    size = instance.problem.scale() + instance.temperature
    return start, found, ALLOWED * size / (1.0 - instance.beta)


CONVEX = (
    *IN_RANGE,
    Hypothesis(
        "a program on which the convex solver meets its stopping criterion",
        lambda instance: (
            not all(hypothesis.is_met(instance) for hypothesis in IN_RANGE)
            or _program(instance)[1].solved
        ),
    ),
)


@clause("DUAL-OCCUPANCY", "value")
def program_value(instance: Instance) -> Iterator[Case]:
    """The program max sum x r + alpha sum_s x(s) H(x(s,.)/x(s)) over x >= 0, sum_a x(s,a) - gamma
    sum P(s|s',a') x(s',a') = mu(s), has the value J*_alpha (mu uniform)."""
    start, found, tolerance = _program(instance)
    value = instance.soft_value(instance.q_float(instance.optimum.q))
    with np.errstate(all="ignore"):
        objective = np.asarray(start @ np.where(instance.problem.nonterminal, value, 0.0))
    yield instance.equal(objective, np.asarray(found.value), tolerance)
