"""Which step a compiled kernel takes when: evaluation of the policy pays from the start.

At temperature 0 a sweep over P_pi costs a quarter of one over all actions, and policies settle
early: each is evaluated, with `SHORT` sweeps while the interval narrows quickly (the first
iteration, random graphs), else with `LONG`.  Above it plain sweeps come first,
`SOFT_START` of them; if their rate promises the answer soon (random graphs) they go on, else
policies are evaluated with `SOFT` sweeps.  Slow solves evaluate ever longer, up to the horizon
1/(1-gamma); very slow ones (a discount near 1, temperature above 0) go over to a factorisation
where that is cheap: up to `LARGE` states that couple only nearby ones.

Where values spread one state an iteration, however long each policy is evaluated (a maze without
slip, say), evaluation is in vain: if after `FIRST` iterations the last `TRIAL` have narrowed the
interval by less than the sweeps that they cost would for sure, plain sweeps take over, and the
trial is repeated ever more rarely.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from maxent.mdp import MDP
from maxent.mdp.transitions import is_local
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.loop import History

SHORT, LONG, SOFT = 10, 40, 100
"""Sweeps of evaluation at temperature 0, where the interval narrows quickly and where it does
not; above temperature 0."""
QUICK = 0.5
"""Narrowed to less in one iteration is quickly."""
DOUBLED = 60
"""Iterations after which evaluation takes twice as many sweeps, and again."""
SOFT_START, SOON = 15, 60
"""Plain sweeps before the rate of a soft solve is judged; those left that are called soon."""
LARGE = 250_000
"""States up to which a local MDP is factorised."""
PATIENCE, PATIENCE_HARD, FAR = 40, 150, 50
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


def rule(mdp: MDP, temperature: float) -> Callable[[History], steps.Step]:
    """The rule of this page for one MDP: a function from the history to the next step."""
    horizon = 1.0 / (1.0 - mdp.discount)
    start = SOFT_START if temperature > 0.0 else 0
    usual = SOFT if temperature > 0.0 else LONG

    patience = PATIENCE if temperature > 0.0 else PATIENCE_HARD

    @cache
    def local() -> bool:
        return mdp.n_states <= LARGE and is_local(mdp.transition)

    def sweeps_after(history: History) -> int:
        now, before = history.widths[-1], [math.inf, *history.widths][-2]
        if temperature == 0.0 and now < QUICK * before:
            return SHORT
        doublings = (history.iterations - start) // DOUBLED
        return int(max(usual, min(usual * 2.0**doublings, horizon)))

    def next_step(history: History) -> steps.Step:
        began, step = history.steps[-1]
        if step is steps.DIRECT:  # for good: its iterations are few
            return step
        sweeps = sweeps_after(history)
        rests = sum(each is steps.SWEEP for _, each in history.steps) - 1
        if step is steps.SWEEP:
            rest = REST * 2 ** (rests - 1) if rests else start
            if history.iterations - began < rest:
                return step
            soon = temperature > 0.0 and history.iterations_left() <= SOON
            return step if soon else evaluation(sweeps)
        slow = history.iterations >= patience and history.iterations % TRIAL == 0
        if slow and local() and history.iterations_left() > FAR:
            return steps.DIRECT
        since = history.iterations - max(at for at, each in history.steps if each is steps.SWEEP)
        if since >= (REST * 2 ** (rests - 1) + TRIAL if rests else FIRST) and since % TRIAL == 0:
            before, now = history.widths[-1 - TRIAL], history.widths[-1]
            if now >= before * mdp.discount ** (TRIAL * (1.5 + 0.3 * sweeps)):
                return steps.SWEEP
        return evaluation(sweeps)

    return next_step
