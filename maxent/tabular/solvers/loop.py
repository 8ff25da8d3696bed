"""The loop that all solvers share: apply, certify, stop or correct.

It knows nothing of how values are improved (`steps.py`) or of what the operator is
(`kernels.py`); it stops on the certified interval (`bounds.py`) alone.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from tqdm.std import tqdm

from maxent.errors import ConfigError, MaxEntWarning, ModelError
from maxent.mdp import MDP, validation
from maxent.solution import Iteration, Solution, Status
from maxent.support.arguments import require_count, require_positive
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.kernels import Kernel

Callback = Callable[[Iteration], Any]

LONG_WAIT = 10_000
"""Iterations without a narrower interval after which a solve is given up even far from rounding.
Policy iteration may need one for each step of the longest path before its interval narrows."""


@dataclass(frozen=True)
class Certified:
    """T V with the interval around it that holds the fixed point."""

    tv: ndarray
    below: float
    above: float
    tolerance: float
    terminal: ndarray

    @property
    def width(self) -> float:
        return self.above - self.below

    @property
    def lower(self) -> Float[ndarray, " S"]:
        return np.where(self.terminal, 0.0, self.tv + self.below)

    @property
    def upper(self) -> Float[ndarray, " S"]:
        return np.where(self.terminal, 0.0, self.tv + self.above)

    def midpoint(self) -> tuple[ndarray, float]:
        """The midpoint of the interval and its largest distance to the ends."""
        lower, upper = self.lower, self.upper
        v = lower + 0.5 * (upper - lower)
        error_bound = float(np.maximum(upper - v, v - lower).max())
        return v, math.nextafter(error_bound, math.inf) if error_bound else 0.0


@dataclass
class Run:
    """One run of the loop: what was asked for, how it goes, how it ended."""

    method: str
    tolerance: float | None
    max_iterations: int | None
    v0: Any
    callback: Callback | None
    progress: bool
    correct: steps.Correction = steps.sweep
    status: Status = "stalled"
    residuals: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    goal: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.tolerance is not None:
            self.tolerance = require_positive("tolerance", self.tolerance)
        if self.max_iterations is not None:
            require_count("max_iterations", self.max_iterations)
        if self.callback is not None and not callable(self.callback):
            raise ConfigError(f"callback = {self.callback!r} cannot be called; give a function")

    @property
    def iterations(self) -> int:
        return len(self.residuals)

    def sweeps_left(self) -> float:
        """How many more iterations the rate of the last ten promises."""
        first, last = self.widths[-11], self.widths[-1]
        if last <= self.goal:
            return 0.0
        if not (0.0 < last < first):
            return math.inf
        return 10.0 * math.log(last / self.goal) / math.log(first / last)

    def solution(self, best: Certified, **fields: Any) -> Solution:
        """The Solution for the interval `best`; a MaxEntWarning where it is too wide."""
        reasons = {
            "max_iterations": f"max_iterations = {self.max_iterations} reached",
            "stalled": "float64 can do no more; ask for a larger tolerance",
        }
        if self.status in reasons:
            warnings.warn(
                f"{self.method} did not reach the tolerance {best.tolerance:.3g}: "
                f"{reasons[self.status]}; the error is certified to be at most "
                f"{fields['error_bound']:.3g}",
                MaxEntWarning,
                stacklevel=4,
            )
        return Solution(
            lower=best.lower,
            upper=best.upper,
            residuals=np.array(self.residuals),
            iterations=self.iterations,
            status=self.status,
            method=self.method,
            tolerance=best.tolerance,
            seconds=time.perf_counter() - self.started,
            **fields,
        )


def iterate(kernel: Kernel, run: Run, choose: Callable[[], steps.Correction]) -> Certified:
    """Apply, certify, and correct with `choose()` until the interval is narrow enough.

    Returns the best interval; `run` then says how it ended.  Ctrl-C ends the loop with the best
    interval so far.
    """
    mdp, enclosure = kernel.mdp, kernel.enclosure
    if run.tolerance is not None:
        enclosure.require_tolerance(run.tolerance)
    v = _start(mdp, run.v0)
    patience = 20 + int(min(2000.0, enclosure.gain_high))
    best: Certified | None = None
    best_at = 0
    bar = _bar(run)
    try:
        while True:
            now, b, residual, norm = certify(kernel, v, run.tolerance)
            run.residuals.append(residual)
            run.widths.append(now.width)
            run.goal = 2.0 * now.tolerance
            if best is None or now.width < best.width:
                best, best_at = now, run.iterations
            bar.update()
            bar.set_postfix_str(f"error <= {0.5 * now.width:.2g}", refresh=False)
            if run.callback is not None:
                run.callback(_iteration(run.iterations, now, residual))
            if now.width + 4.0 * np.finfo(np.float64).eps * norm <= run.goal:
                run.status = "converged"
                return now
            idle = run.iterations - best_at
            at_rounding = now.width <= 32.0 * enclosure.floor(norm)
            if residual == 0.0 or idle > (patience if at_rounding else LONG_WAIT + mdp.n_states):
                run.status = "stalled"
                return best
            if run.max_iterations is not None and run.iterations >= run.max_iterations:
                run.status = "max_iterations"
                return best
            v = v + choose()(kernel, b)
    except KeyboardInterrupt:
        run.status = "interrupted"
        return certify(kernel, _start(mdp, None), run.tolerance)[0] if best is None else best
    finally:
        bar.close()


def certify(
    kernel: Kernel, v: Float[ndarray, " S"], tolerance: float | None
) -> tuple[Certified, ndarray, float, float]:
    """The certified interval at v, with b = T V - V, its largest size, and the larger of ||V||
    and ||T V||."""
    tv = kernel.apply(v)
    b = tv - v
    nonterminal = b[~kernel.mdp.terminal] if kernel.mdp.terminal.any() else b
    least, greatest = (
        (float(nonterminal.min()), float(nonterminal.max())) if nonterminal.size else (0.0, 0.0)
    )
    norm = max(float(np.abs(tv).max()), float(np.abs(v).max()))
    below, above = kernel.enclosure.interval(least, greatest, norm)
    if tolerance is None:
        surely = max(float(tv.max()) + below, -(float(tv.min()) + above), 0.0)  # <= ||V*||
        tolerance = kernel.enclosure.tolerance(surely)
    now = Certified(tv, below, above, tolerance, kernel.mdp.terminal)
    return now, b, max(abs(least), abs(greatest)), norm


def _bar(run: Run) -> tqdm:
    """A progress bar where one was asked for and there is a terminal to show it, else none."""
    if not run.progress:
        return tqdm(disable=True)
    from tqdm.auto import tqdm as automatic  # looks for notebook widgets: only when needed

    return automatic(desc=run.method, unit="it", disable=None)


def _iteration(count: int, now: Certified, residual: float) -> Iteration:
    view = now.tv.view()
    view.setflags(write=False)
    return Iteration(count, view, residual, max(now.above, -now.below), now.below, now.above)


def _start(mdp: MDP, v0: Any) -> Float[ndarray, " S"]:
    if v0 is None:
        return np.zeros(mdp.n_states)
    v = validation.real_array("v0", v0)
    if v.shape != (mdp.n_states,) or not (np.abs(v) <= validation.MAX_REWARD).all():
        raise ModelError(
            f"v0 has shape {v.shape}; it must be of shape ({mdp.n_states},), with finite numbers "
            f"of at most {validation.MAX_REWARD:g} in size"
        )
    v[mdp.terminal] = 0.0
    return v
