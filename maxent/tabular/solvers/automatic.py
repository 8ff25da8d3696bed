"""Which step `solve` takes when: the method that pays, found while solving.

**Above temperature 0** sweeps come first.  They go on as long as their rate promises the answer
within 40 more, as on MDPs that mix fast.  **At temperature 0** truncated evaluation is right from
the first iteration: picking the rows of a greedy policy costs little, and a sweep with them is a
fraction of a full one.

**Then truncated evaluation** (modified policy iteration).  An evaluation ends early once what it
changes is nearly the same everywhere, which the bounds know anyway.

**A linear solver** takes over where the interval shrinks steadily but so slowly that the iterations
promised would cost more (an agent that goes round and round; a policy that is nearly uniform).
While rewards still spread over the states the interval does not shrink, so nothing is promised and
nothing changes.  The solver is LU where factors fill in little (dense MDPs, and those that couple
nearby states), or BiCGSTAB (sparse MDPs above temperature 0), whichever is cheaper: BiCGSTAB grows
with 1 / sqrt(1 - gamma), LU with the size.

What each costs was measured (`benchmarks/exact_speed/regret.py`) and is counted in sweeps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from maxent.mdp import MDP
from maxent.mdp.transitions import is_local
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.loop import History

FIRST, SOON = 6, 40
"""Sweeps before their rate is judged, and how many more are worth waiting for."""
HARD_SWEEPS, SOFT_SWEEPS, ENOUGH = 40, 100, 0.1
"""Sweeps of an evaluation at temperature 0 and above it, and the part of the span at which it ends
early."""
HARD_COST, SOFT_COST = 13, 20
"""What an iteration with such an evaluation costs, in sweeps of the optimality operator."""
HARD_WAIT = 20
"""Iterations at temperature 0 before the rate is judged: ties are settled by then."""
WARM, POLICIES_WARM, POLICIES_COLD = 0.05, 3, 6
"""How many policies a linear solver still goes through: few where the temperature is at least
`WARM` of what rewards differ by."""
LARGE = 250_000
"""States up to which a local MDP is factorised at all."""


def automatic(mdp: MDP, temperature: float) -> Callable[[History], steps.Step]:
    """The rule of this page for one MDP: a function from the history to the next step.

    It keeps no record of its own: the same history gives the same step.
    """
    hard = temperature == 0.0
    truncated = steps.truncated(HARD_SWEEPS if hard else SOFT_SWEEPS, ENOUGH)
    solver, cost = _linear(mdp, hard)
    warm = temperature >= WARM * float(np.ptp(mdp.reward))
    policies = POLICIES_WARM if warm and not hard else POLICIES_COLD
    too_many = policies * cost / (HARD_COST if hard else SOFT_COST)
    wait = HARD_WAIT if hard else max(3, math.ceil(0.6 * min(too_many, 1e3)))

    def next_step(history: History) -> steps.Step:
        step = history.steps[-1][1]
        if step in (steps.DIRECT, steps.KRYLOV):  # for good: their iterations are few
            return step
        if step is steps.SWEEP:
            if hard:
                return truncated
            if history.iterations < FIRST or history.iterations_left(FIRST - 1) <= SOON:
                return step
            return truncated
        began = history.steps[-1][0]
        taken = history.iterations - began
        if taken >= wait and _is_slow(history, min(10, taken - 1), too_many):
            return solver
        return truncated

    return next_step


def _is_slow(history: History, last: int, too_many: float) -> bool:
    """Whether the interval has shrunk in each of the `last` iterations, too slowly."""
    recent = list(history.widths[-1 - last :])
    steady = all(after < before for before, after in pairwise(recent))
    return steady and too_many < history.iterations_left(last) < math.inf


def _linear(mdp: MDP, hard: bool) -> tuple[steps.Step, float]:
    """The linear solver that suits an MDP, and what one policy costs, in sweeps."""
    factors, iterations = math.inf, math.inf
    if not mdp.is_sparse:
        factors = 10.0 + mdp.n_states / 100.0
    elif mdp.n_states <= LARGE and is_local(mdp.transition):
        factors = (2.0 if hard else 1.5) * math.sqrt(mdp.n_states) + 40.0
    if mdp.is_sparse and not hard and mdp.discount < 1.0:
        overhead = 1.0 + 1500.0 / mdp.n_states
        iterations = 20.0 * overhead * max(1.0, 0.1 / math.sqrt(1.0 - mdp.discount))
    return (steps.DIRECT, factors) if factors <= iterations else (steps.KRYLOV, iterations)
