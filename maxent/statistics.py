r"""What a handful of training runs can tell: robust means, and how sure one may be of them.

A learning algorithm is a random variable: one seed, one draw.  With R runs (seeds) of T tasks its
scores are a matrix x of shape (R, T), in any unit of score (here mostly undiscounted returns).
After Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice"
(NeurIPS), and their program rliable:

**Interquartile mean** (Sec. 4.3): of the n = R T scores together, sorted, without the lowest and
the highest quarter,

    IQM(x) = 1 / (n - 2k) sum_{i=k+1}^{n-k} x_(i),   k = floor(n / 4).

Less at the mercy of single runs than the mean, less wasteful than the median.

**Stratified bootstrap** (Sec. 4.1): draw R runs with replacement, for each task by itself, and
take the statistic again; the percentile interval runs between the (1 - level)/2 and (1 + level)/2
quantiles of many such draws.  It is about the algorithm's own randomness, nothing else.  With few
runs it is too narrow: five runs cover nearer 85 % than the 95 % asked for.

**Probability of improvement** (Sec. 4.3): over tasks t, the mean of

    P(X_t > Y_t) = 1 / (R_x R_y) sum_{i,j} ( [x_it > y_jt] + [x_it = y_jt] / 2 ),

the Mann-Whitney statistic.

Torch is not needed here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy.stats import trim_mean

from maxent.errors import ConfigError
from maxent.support.arguments import require_count, require_real
from maxent.support.shapes import Float

RESAMPLES = 2_000
"""Draws of a bootstrap: the ends of a 95 % interval are then known to about its 20th part."""

QUARTER = 0.25
"""What `trim_mean` leaves out at each end: of n scores, floor(n / 4)."""


def interquartile_mean(scores: Any) -> float:
    """The mean of all scores without their lowest and their highest quarter; any shape -> a number.

    A quarter is floor(n / 4) scores, so that fewer than four are all kept.  ConfigError for none,
    or for one that is not finite.
    """
    return float(trim_mean(_finite(scores), QUARTER, axis=None))


def is_range(runs: ndarray, low: Any, high: Any) -> bool:
    """Whether an interval is no more than the range of the runs, (R, ...), as that of four or
    fewer is: all draws are of the lowest often enough."""
    ends = np.allclose(low, np.min(runs, axis=0)) and np.allclose(high, np.max(runs, axis=0))
    return len(runs) > 1 and bool(ends)


def bootstrap_interval(
    statistic: Callable[..., float],
    *scores: Any,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """The stratified bootstrap's percentile interval of a statistic of one or more score matrices.

    statistic : takes as many matrices (R, T) as are given, and returns a number.
    scores : (R, T) each, or (R,) for one task; R may differ from matrix to matrix.
    level : of the interval, in (0, 1).  seed : same seed, same interval.

    Raises ConfigError where a matrix has fewer than two runs: there is no spread to be seen.
    """
    low, high = _levels(level)
    matrices = [_matrix(each) for each in scores]
    if any(len(each) < 2 for each in matrices):
        raise ConfigError("an interval needs two runs at least, of different seeds")
    source = np.random.default_rng(require_count("seed", seed, 0))
    drawn = [
        statistic(*(_resampled(each, source) for each in matrices))
        for _ in range(require_count("resamples", resamples))
    ]
    ends = np.quantile(np.array(drawn), [low, high])
    return float(ends[0]), float(ends[1])


def probability_of_improvement(x: Any, y: Any) -> float:
    """How likely a run of x scores higher than one of y on a task, a tie counting half.

    x, y : scores (R_x, T) and (R_y, T) of the same tasks, or (R_x,) and (R_y,) of one.
    """
    first, second = _matrix(x), _matrix(y)
    if first.shape[1] != second.shape[1]:
        raise ConfigError(
            f"scores of {first.shape[1]} and of {second.shape[1]} tasks; give those of the same"
        )
    above = first[:, None] > second[None]
    tied = first[:, None] == second[None]
    return float((above + 0.5 * tied).mean())


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Several runs of one algorithm on one task, by environment step.

    steps : (K,), the grid.  runs : (R, K), each run's score there.
    mean : (K,), interquartile mean over the runs.  low, high : (K,), its bootstrap interval at
    each step by itself; NaN where there is but one run.  level : of the interval.
    """

    steps: Float[ndarray, " K"]
    runs: Float[ndarray, "R K"]
    mean: Float[ndarray, " K"]
    low: Float[ndarray, " K"]
    high: Float[ndarray, " K"]
    level: float


def learning_curve(
    runs: Sequence[tuple[Any, Any]],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> LearningCurve:
    """The interquartile mean over runs, step by step.

    runs : (steps (K_i,), scores (K_i,)) of each run, the steps rising.

    The common grid is every step that some run was scored at, within the range that all of them
    cover: each is interpolated linearly between its own scores and never beyond them.  A bootstrap
    draw takes whole runs.  Raises ConfigError where the runs have no step in common.
    """
    low, high = _levels(level)
    if not runs:
        raise ConfigError("a learning curve needs at least one run")
    scored = [_scored(steps, scores) for steps, scores in runs]
    first, last = max(steps[0] for steps, _ in scored), min(steps[-1] for steps, _ in scored)
    if first > last:
        raise ConfigError(
            f"the runs have no step in common: one ends at step {last:g}, another begins at "
            f"{first:g}; leave one out"
        )
    every = np.unique(np.concatenate([steps for steps, _ in scored]))
    grid = every[(every >= first) & (every <= last)]
    values = np.stack([np.interp(grid, steps, scores) for steps, scores in scored])
    ends = np.full((2, len(grid)), np.nan)
    if len(values) > 1:
        source = np.random.default_rng(require_count("seed", seed, 0))
        drawn = np.empty((require_count("resamples", resamples), len(grid)))
        for row in drawn:
            row[:] = trim_mean(values[source.integers(len(values), size=len(values))], QUARTER)
        ends = np.quantile(drawn, [low, high], axis=0)
    return LearningCurve(grid, values, trim_mean(values, QUARTER), ends[0], ends[1], level)


def _resampled(scores: Float[ndarray, "R T"], source: np.random.Generator) -> ndarray:
    """As many runs drawn with replacement, for each task by itself."""
    return scores[source.integers(len(scores), size=scores.shape), np.arange(scores.shape[1])]


def _levels(level: float) -> tuple[float, float]:
    """The two quantiles between which an interval of this level lies."""
    number = require_real("level", level, "(0, 1)")
    if not 0.0 < number < 1.0:
        raise ConfigError(f"level = {level!r} is outside (0, 1); 0.95 is usual")
    return 0.5 * (1.0 - number), 0.5 * (1.0 + number)


def _finite(scores: Any) -> ndarray:
    values = np.asarray(scores, dtype=float)
    if values.size == 0 or not np.isfinite(values).all():
        raise ConfigError("scores must be finite numbers, at least one; leave out failed runs")
    return values


def _matrix(scores: Any) -> Float[ndarray, "R T"]:
    values = _finite(scores)
    if values.ndim not in (1, 2):
        raise ConfigError(f"scores have the shape {values.shape}; give (runs, tasks) or (runs,)")
    return values.reshape(len(values), -1)


def _scored(steps: Any, scores: Any) -> tuple[ndarray, ndarray]:
    """The steps and scores of a run, checked."""
    at, values = _finite(steps), _finite(scores)
    if at.ndim != 1 or at.shape != values.shape or (np.diff(at) <= 0).any():
        raise ConfigError("a run's steps must rise, with one score each")
    return at, values
