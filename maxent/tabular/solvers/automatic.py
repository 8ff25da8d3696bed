"""Which step `solve` takes when: the method that pays, found while solving.

**Few states** (`arranged.is_small`) are solved by policy iteration with LU from the first iteration
on: it costs no more than a few sweeps do.

**At temperature 0** each policy is evaluated with a few sweeps from the first iteration on: picking
the rows of a greedy policy costs little, and a sweep with them is a fraction of a full one.  Slow
solves evaluate ever longer.  Compiled sweeps are relaxed instead (`engines.gauss_seidel`), unless
three sweeps promise the answer soon, as on MDPs that mix fast: rewards that lie far away, walls and
mazes cost that nothing.  Where relaxations throw the interval open again and again, they are given
up.

**Above temperature 0** sweeps come first.  They go on as long as their rate promises the answer
within 40 more.  Then policies are evaluated (modified policy iteration).

An evaluation ends early once what it changes is nearly the same everywhere, which the bounds know
anyway.

**A linear solver** takes over where the interval shrinks steadily but so slowly that the iterations
promised would cost more (an agent that goes round and round; a policy that is nearly uniform).
While rewards still spread over the states the interval does not shrink, or shrinks ever faster, so
nothing is promised and nothing changes, until several times what the solver would cost was spent.
The solver is LU where factors fill in little (dense and small MDPs, and those that couple nearby
states), or BiCGSTAB (sparse MDPs above temperature 0), whichever is cheaper: BiCGSTAB grows with
1 / sqrt(1 - gamma), LU with the size.

What each costs was measured (`benchmarks/exact_speed/regret.py`) and is counted in sweeps of the
optimality operator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise

import numpy as np

from maxent.mdp import MDP
from maxent.mdp.transitions import is_local
from maxent.tabular.linear_systems import SMALL
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.arranged import is_small
from maxent.tabular.solvers.loop import RECENT, History

FIRST, SOON = 3, 40
"""Sweeps before their rate is judged above temperature 0, and those left that are waited for."""
COMPILED_FIRST, COMPILED_SOON = 3, 60
"""The same for compiled sweeps at temperature 0."""
HARD_SWEEPS, MORE, MOST = 20, 6, 8
"""Sweeps of an evaluation at temperature 0 at most; iterations after which it is twice as many, and
again, up to so many times as many."""
PAIRS, MORE_PAIRS, RISES_AMONG = 4, 15, 6
"""The same for pairs of sweeps with the best actions in a relaxation; and the intervals looked at
for whether relaxations pay."""
SOFT_SWEEPS, ENOUGH = 100, 0.1
"""Sweeps of an evaluation above temperature 0 at most, and the part of the span at which any ends
early."""
SOFT_COST = 20
"""What an iteration above temperature 0 costs."""
HARD_WAIT, SOFT_WAIT = 20, 3
"""Iterations before the rate is judged: at temperature 0 ties are settled by then."""
STEADY = 1.05
"""Of the last iterations, how much more the second half may narrow the interval than the first
where the rate counts as steady."""
WARM, POLICIES_WARM, POLICIES_COLD = 0.05, 3, 6
"""How many policies a linear solver still goes through: few where the temperature is at least
`WARM` of what rewards differ by."""
LATE = 3
"""How many times what a linear solver would cost is spent at most before it takes over, whatever
the interval does."""
LARGE = 250_000
"""States up to which a local MDP is factorised at all."""


def automatic(
    mdp: MDP, temperature: float, relaxes: bool = False
) -> Callable[[History], steps.Step]:
    """The rule of this page for one MDP: a function from the history to the next step.

    It keeps no record of its own: the same history gives the same step.

    relaxes : whether the kernel has compiled sweeps, and `relax` at temperature 0.
    """
    if not relaxes and is_small(mdp):
        return lambda history: steps.DIRECT
    return _hard(mdp, relaxes) if temperature == 0.0 else _soft(mdp, temperature)


def _hard(mdp: MDP, relaxes: bool) -> Callable[[History], steps.Step]:
    first = COMPILED_FIRST if relaxes else 0
    linear = cache(partial(_linear, mdp, hard=True))

    def next_step(history: History) -> steps.Step:
        step, taken = history.steps[-1][1], history.iterations - first
        if step is steps.DIRECT:  # for good: its iterations are few
            return step
        if taken < 0:
            return steps.SWEEP
        relaxing = relaxes and _is_relaxation_due(history, step)
        sweeps, more = (PAIRS, MORE_PAIRS) if relaxing else (HARD_SWEEPS, MORE)
        sweeps *= min(2 ** (taken // more), MOST)
        if taken >= HARD_WAIT:
            solver, cost = linear()
            too_many = POLICIES_COLD * cost / (3 + sweeps / 4)
            left = _steadily_left(history, min(max(10, taken // 3), RECENT - 1))
            if left > too_many or taken > LATE * too_many:
                return solver
        return steps.relaxed(sweeps) if relaxing else steps.truncated(sweeps, ENOUGH)

    return next_step


def _is_relaxation_due(history: History, step: steps.Step) -> bool:
    """Whether relaxations come next: where nothing promises the answer soon, unless they have been
    given up, or have thrown the interval wide open twice of late.  (They do where goals put agents
    back to a start: all values are then too low by nearly the same, and a sweep lifts some alone.)
    """
    if step.name == "relaxed":
        recent = list(history.widths[-RISES_AMONG:])
        return sum(after > 2.0 * before for before, after in pairwise(recent)) < 2
    return not any(s.name == "relaxed" for _, s in history.steps) and not _is_quick(history, step)


def _is_quick(history: History, step: steps.Step) -> bool:
    """Whether the rate promises the answer soon (sweeps), or the interval halves (evaluations)."""
    if step is steps.SWEEP:
        return history.iterations_left(COMPILED_FIRST - 1) <= COMPILED_SOON
    return history.widths[-1] <= 0.5 * history.widths[-2]


def _soft(mdp: MDP, temperature: float) -> Callable[[History], steps.Step]:
    truncated = steps.truncated(SOFT_SWEEPS, ENOUGH)
    linear = cache(partial(_linear, mdp, hard=False))
    warm = temperature >= WARM * float(np.ptp(mdp.reward))
    policies = POLICIES_WARM if warm else POLICIES_COLD

    def next_step(history: History) -> steps.Step:
        began, step = history.steps[-1]
        if step in (steps.DIRECT, steps.KRYLOV):
            return step
        if step is steps.SWEEP:
            if history.iterations < FIRST or history.iterations_left(FIRST - 1) <= SOON:
                return step
            return truncated
        taken = history.iterations - began
        if taken >= SOFT_WAIT:
            solver, cost = linear()
            too_many = policies * cost / SOFT_COST
            left = _steadily_left(history, min(10, taken - 1))
            if taken > LATE * too_many or (taken >= 0.6 * too_many and left > too_many):
                return solver
        return truncated

    return next_step


def _steadily_left(history: History, last: int) -> float:
    """How many more iterations the last ones promise, where the interval has shrunk in each of
    them and not ever faster, as it does while rewards still spread; else 0."""
    recent = list(history.widths[-1 - last :])
    if not all(0.0 < after < before for before, after in pairwise(recent)):
        return 0.0
    half = last // 2
    first = math.log(recent[0] / recent[half]) / half if half else 0.0
    second = math.log(recent[half] / recent[-1]) / (last - half)
    if half >= 5 and second > STEADY * first:
        return 0.0
    return history.iterations_left(last)


def _linear(mdp: MDP, hard: bool) -> tuple[steps.Step, float]:
    """The linear solver that suits an MDP, and what one policy costs, in sweeps."""
    factors, iterations = math.inf, math.inf
    if not mdp.is_sparse:
        factors = 10.0 + mdp.n_states / 100.0
    elif not mdp.is_matrix_free and mdp.n_states <= LARGE and is_local(mdp.transition):
        factors = (2.0 if hard else 1.5) * math.sqrt(mdp.n_states) + 40.0
    elif not mdp.is_matrix_free and mdp.n_states <= SMALL:  # filled in altogether
        factors = 40.0 + (mdp.n_states / 75.0) ** 3
    if mdp.is_sparse and not hard and mdp.discount < 1.0:
        overhead = 1.0 + 1500.0 / mdp.n_states
        iterations = 20.0 * overhead * max(1.0, 0.1 / math.sqrt(1.0 - mdp.discount))
    return (steps.DIRECT, factors) if factors <= iterations else (steps.KRYLOV, iterations)
