"""The loop that all solvers share: apply, certify, stop or take a step.

It knows nothing of how values are improved (`steps.py`) or of what the operator is
(`kernels.py`); it stops on the certified interval (`bounds.py`) alone.  `Options` go in, checked
once; an `Outcome` comes out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP, validation
from maxent.solution import Iteration, Status
from maxent.support import progress
from maxent.support.arguments import quoted, require_count, require_flag, require_positive
from maxent.support.shapes import Float
from maxent.support.traces import Trace
from maxent.tabular.bounds import COARSEST
from maxent.tabular.solvers.certified import Certified, certify
from maxent.tabular.solvers.exits import narrowed
from maxent.tabular.solvers.kernels import Kernel
from maxent.tabular.solvers.steps import Step

Callback = Callable[[Iteration], Any]

EPS = float(np.finfo(np.float64).eps)

LONG_WAIT = 10_000
"""Iterations without a narrower interval after which a solve is given up even far from rounding.
Policy iteration may need one for each step of the longest path before its interval narrows."""

RECENT = 64
"""Widths of the interval that are kept, at least, for whoever chooses the next step."""


@dataclass(frozen=True)
class Options:
    """What a caller may ask of the loop; ConfigError where it is not valid.

    tolerance : error to be certified; None: what `FixedPointBounds.tolerance` says.
    max_iterations : None is no limit.
    callback : called with an `Iteration` after each one.
    progress : show a progress bar where there is a terminal.
    started : when the solve began, which `Solution.seconds` counts from.
    """

    tolerance: float | None = None
    max_iterations: int | None = None
    callback: Callback | None = None
    progress: bool = False
    started: float = field(default_factory=time.perf_counter, compare=False)

    def __post_init__(self) -> None:
        if self.tolerance is not None:
            tolerance = require_positive("tolerance", self.tolerance)
            object.__setattr__(self, "tolerance", tolerance)
        if self.max_iterations is not None:
            most = require_count("max_iterations", self.max_iterations)
            object.__setattr__(self, "max_iterations", most)
        if self.callback is not None and not callable(self.callback):
            raise ConfigError(
                f"callback = {quoted(self.callback)} cannot be called; give a function"
            )
        require_flag("progress", self.progress)


class History(NamedTuple):
    """What the loop has seen so far, for whoever chooses the next step.

    iterations : how many.
    widths : of the certified interval after the last of them: after each, or `RECENT` and more.
    goal : the width to be reached.
    steps : (iterations before it was chosen, step), one entry for each change of the step.
    """

    iterations: int
    widths: Sequence[float]
    goal: float
    steps: Sequence[tuple[int, Step]]

    def iterations_left(self, window: int = 10) -> float:
        """How many more iterations the rate of the last `window` promises; inf where the interval
        has not shrunk in them."""
        first, last = self.widths[-1 - window], self.widths[-1]
        if last <= self.goal:
            return 0.0
        if not (0.0 < last < first):
            return math.inf
        return window * math.log(last / self.goal) / math.log(first / last)


@dataclass(frozen=True, eq=False)
class Outcome:
    """How the loop ended: the interval it answers with, and why it stopped.

    tolerance : the one asked for, or chosen.
    iterations : how many.
    residuals : max |T V - V| at each of them that a `Trace` keeps.
    step : the last one chosen.
    """

    certified: Certified
    tolerance: float
    status: Status
    iterations: int
    residuals: ndarray
    step: Step


def iterate(
    kernel: Kernel,
    step: Step,
    options: Options,
    *,
    start: Float[ndarray, " S"] | None = None,
    choose: Callable[[History], Step] | None = None,
    title: str | None = None,
) -> Outcome:
    """Apply, certify, and take a step until the interval is narrow enough.

    start : V to begin with; None: 0.
    choose : called before each step with the history, to change the step; None: keep it.
    title : of the progress bar.

    Ctrl-C ends the loop with the best interval so far.
    """
    v = np.zeros(kernel.mdp.n_states) if start is None else start
    look = partial(certify, kernel)
    found = until_narrow(kernel, look, v, step, options, choose, title, kernel.mdp.n_states)
    best, tolerance, status = found.certified, found.tolerance, found.status
    too_wide = options.tolerance is None and not _is_informative(best)
    if status != "stalled" and not (status == "converged" and too_wide):
        return found
    best = narrowed(kernel, best)
    tolerance, status = verdict(best, options, tolerance)
    return replace(found, certified=best, tolerance=tolerance, status=status)


def until_narrow(
    kernel: Any,
    look: Callable[[ndarray], Certified],
    v: Float[ndarray, " N"],
    step: Step,
    options: Options,
    choose: Callable[[History], Step] | None,
    title: str | None,
    n_states: int,
) -> Outcome:
    """The loop itself, over V or over the part of it that one process holds.

    kernel : with `bounds`; what the steps take.
    look : v -> one application of the operator, certified for the whole of V.
    n_states : of the whole MDP.
    """
    bounds, limit = kernel.bounds, options.max_iterations
    if options.tolerance is not None:
        bounds.require_tolerance(options.tolerance)
    patience = 20 + int(min(2000.0, bounds.gain_high))
    residuals = Trace()
    widths: list[float] = []
    steps = [(0, step)]
    best: Certified | None = None
    best_at, best_tolerance = 0, 0.0
    status: Status = "interrupted"
    bar = None
    if options.progress:
        bar = progress.bar(True, desc=title or step.method, unit="it")
    try:
        while True:
            now = look(v)
            # without a tolerance asked for, it rises with what is known of the size of the values
            tolerance = options.tolerance or bounds.tolerance(now.value_size)
            residuals.append(now.residual)
            done = residuals.count
            widths.append(now.width)
            if len(widths) == 2 * RECENT:
                del widths[:RECENT]
            if best is None or now.width < best.width:
                best, best_at, best_tolerance = now, done, tolerance
            if bar is not None and not bar.disable:
                bar.update()
                bar.set_postfix_str(f"error <= {0.5 * now.width:.2g}", refresh=False)
            if options.callback is not None:
                options.callback(_iteration(done, now))
            if now.width + 4.0 * EPS * now.norm <= 2.0 * tolerance:
                best, best_tolerance, status = now, tolerance, "converged"
                break
            at_rounding = now.width <= 32.0 * bounds.floor(now.norm)
            idle = done - best_at
            wait = patience if at_rounding else LONG_WAIT + n_states
            if now.residual == 0.0 or idle > wait:
                status = "stalled"
                break
            if limit is not None and done >= limit:
                status = "max_iterations"
                break
            if choose is not None:
                step = choose(History(done, widths, 2.0 * tolerance, steps))
                if step is not steps[-1][1]:
                    steps.append((done, step))
            v = v + step(kernel, now.b)
    except KeyboardInterrupt:
        if best is None:
            best = look(np.zeros_like(v))
            best_tolerance = options.tolerance or bounds.tolerance(best.value_size)
    finally:
        if bar is not None:
            bar.close()
    return Outcome(best, best_tolerance, status, residuals.count, residuals.array(), step)


def verdict(best: Certified, options: Options, tolerance: float) -> tuple[float, Status]:
    """The tolerance that counts and whether it is met, where float64 can do no more."""
    coarsest = COARSEST * max(1.0, best.value_size)
    if options.tolerance is None and not _is_informative(best):
        return min(tolerance, coarsest), "stalled"
    met = best.width + 4.0 * EPS * best.norm <= 2.0 * tolerance
    return tolerance, "converged" if met else "stalled"


def _is_informative(best: Certified) -> bool:
    v, error_bound = best.midpoint()
    return error_bound <= COARSEST * max(1.0, float(np.abs(v).max()))


def require_start(mdp: MDP, v0: Any) -> Float[ndarray, " S"] | None:
    """v0 as an array (S,), 0 at terminal states, or None; ModelError for anything else."""
    if v0 is None:
        return None
    v = validation.array_of_shape("v0", v0, (mdp.n_states,), ", one number a state")
    if not (np.abs(v) <= validation.MAX_REWARD).all():
        state = int(np.argmax(~(np.abs(v) <= validation.MAX_REWARD)))
        raise ModelError(
            f"v0 of state {state} is {float(v[state])!r}; give finite numbers of at most "
            f"{validation.MAX_REWARD:g} in size"
        )
    v[mdp.terminal] = 0.0
    return v


def _iteration(count: int, now: Certified) -> Iteration:
    view = now.tv.view()
    view.setflags(write=False)
    error_bound = max(now.above, -now.below)
    return Iteration(count, view, now.residual, error_bound, now.below, now.above)
