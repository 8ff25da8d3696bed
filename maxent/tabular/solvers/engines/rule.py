"""Which step a compiled kernel takes when.

**At temperature 0** three sweeps tell how fast the MDP mixes.  Where they promise the answer soon
(random graphs) each policy is evaluated with a few sweeps, while the interval narrows quickly.
Everywhere else values are relaxed from below (`gauss_seidel`): rewards that lie far away, walls
and mazes cost it nothing.  Only what goes round and round at a discount near 1 is slow then: it is
factorised where that is cheap, else evaluated with ever more sweeps.

**Above temperature 0** plain sweeps come first, `SOFT_START` of them; if their rate promises the
answer soon they go on, else policies are evaluated with `SOFT` sweeps, ever more up to the horizon
1 / (1 - gamma).  Very slow solves go over to a factorisation where that is cheap: up to `LARGE`
states that couple only nearby ones.  Where values spread one state an iteration, however long each
policy is evaluated, evaluation is in vain: if after `FIRST` iterations the last `TRIAL` have
narrowed the interval by less than the sweeps that they cost would for sure, plain sweeps take over,
and the trial is repeated ever more rarely.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from maxent.mdp import MDP
from maxent.mdp.transitions import is_local
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.loop import History

START, SHORT, PAIRS = 3, 10, 5
"""At temperature 0: sweeps before the rate is judged, sweeps of an evaluation where the interval
narrows quickly, and pairs of sweeps with the best actions in a relaxation."""
QUICK = 0.5
"""Narrowed to less in one iteration is quickly."""
MORE = 15
"""Relaxations after which each has twice as many pairs, and again."""
SOFT_START, SOFT, SOON = 15, 100, 60
"""Above temperature 0: plain sweeps before the rate is judged, sweeps of an evaluation.  Sweeps
left that are called soon."""
DOUBLED = 60
"""Iterations after which evaluation takes twice as many sweeps, and again."""
LARGE = 250_000
"""States up to which a local MDP is factorised."""
PATIENCE, PATIENCE_HARD, FAR = 40, 12, 50
"""Iterations before a factorisation is thought of, above temperature 0 and at it; those that must
be left then."""
FIRST, TRIAL, REST = 40, 10, 20
"""Iterations before evaluation is judged, and those that are looked at; plain sweeps after the
first failure."""


SWEEPS = 20
"""Sweeps between one certified interval and the next, for engines that only sweep."""


SWEEP_ON = steps.Step(
    "iterative",
    "soft value iteration",
    lambda kernel, b: b + kernel.sweep_on(SWEEPS),  # type: ignore[attr-defined]
)
"""Plain sweeps, by a kernel's own `sweep_on`."""


@cache
def evaluation(sweeps: int) -> steps.Step:
    """Modified policy iteration, by a kernel's own `evaluate`."""
    return steps.Step(
        "truncated",
        "modified soft policy iteration",
        lambda kernel, b: kernel.evaluate(b, sweeps),  # type: ignore[attr-defined]
    )


@cache
def relaxation(pairs: int) -> steps.Step:
    """Gauss-Seidel sweeps from below, by a kernel's own `relax`."""
    return steps.Step(
        "relaxed",
        "Gauss-Seidel policy iteration",
        lambda kernel, b: kernel.relax(b, pairs),  # type: ignore[attr-defined]
    )


def rule(mdp: MDP, temperature: float) -> Callable[[History], steps.Step]:
    """The rule of this page for one MDP: a function from the history to the next step."""
    return hard_rule(mdp) if temperature == 0.0 else soft_rule(mdp)


def hard_rule(mdp: MDP) -> Callable[[History], steps.Step]:
    """The rule at temperature 0."""
    horizon = 1.0 / (1.0 - mdp.discount)

    def next_step(history: History) -> steps.Step:
        began, step = history.steps[-1]
        if step is steps.DIRECT:  # for good: its iterations are few
            return step
        if step is steps.SWEEP:
            if history.iterations < START:
                return step
            soon = history.iterations_left(START - 1) <= SOON
            return evaluation(SHORT) if soon else relaxation(PAIRS)
        if step is evaluation(SHORT):
            quick = history.widths[-1] <= QUICK * history.widths[-2]
            return step if quick else relaxation(PAIRS)
        relaxed = history.iterations - began_relaxing(history)
        if relaxed >= PATIENCE_HARD and FAR < history.iterations_left(5) < math.inf:
            if mdp.n_states <= LARGE and is_local(mdp.transition):
                return steps.DIRECT
            return evaluation(int(min(SOFT * 2.0 ** (relaxed // DOUBLED), horizon)))
        return relaxation(PAIRS * 2 ** min(relaxed // MORE, 6))

    return next_step


def began_relaxing(history: History) -> int:
    """Iterations before the first relaxation."""
    return next(at for at, each in history.steps if each.name == "relaxed")


def soft_rule(mdp: MDP) -> Callable[[History], steps.Step]:
    """The rule above temperature 0."""
    horizon = 1.0 / (1.0 - mdp.discount)

    @cache
    def local() -> bool:
        return mdp.n_states <= LARGE and is_local(mdp.transition)

    def next_step(history: History) -> steps.Step:
        began, step = history.steps[-1]
        if step is steps.DIRECT:
            return step
        doublings = (history.iterations - SOFT_START) // DOUBLED
        sweeps = int(max(SOFT, min(SOFT * 2.0**doublings, horizon)))
        rests = sum(each is steps.SWEEP for _, each in history.steps) - 1
        if step is steps.SWEEP:
            rest = REST * 2 ** (rests - 1) if rests else SOFT_START
            if history.iterations - began < rest:
                return step
            return step if history.iterations_left() <= SOON else evaluation(sweeps)
        slow = history.iterations >= PATIENCE and history.iterations % TRIAL == 0
        if slow and local() and history.iterations_left() > FAR:
            return steps.DIRECT
        since = history.iterations - max(at for at, each in history.steps if each is steps.SWEEP)
        if since >= (REST * 2 ** (rests - 1) + TRIAL if rests else FIRST) and since % TRIAL == 0:
            before, now = history.widths[-1 - TRIAL], history.widths[-1]
            if now >= before * mdp.discount ** (TRIAL * (1.5 + 0.3 * sweeps)):
                return steps.SWEEP
        return evaluation(sweeps)

    return next_step
