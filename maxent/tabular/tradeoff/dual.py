"""The temperature at which the soft-optimal policy has a given entropy (DUAL-TEMPERATURE)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import optimize

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_discounted, require_mdp
from maxent.solution import Solution
from maxent.support.arguments import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    quoted,
    require_finite,
    require_positive,
)
from maxent.support.other_words import takes_our_words
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.tradeoff.front import Front, Point, distance


@takes_our_words
def temperature_for_entropy(
    mdp: MDP, entropy: float, *, prior: Any = None, tolerance: float | None = None
) -> Solution:
    """The soft-optimal solution whose policy has the discounted entropy asked for.

    DUAL-TEMPERATURE: maximise return subject to discounted entropy >= h.  The dual
    g(alpha) = J*_alpha - alpha h is convex, its slope is entropy(pi*_alpha) - h, and its minimum is
    found by Brent's method on log alpha, bracketed by the temperatures at which float64 cannot tell
    the policy from either limit.

    mdp : the problem; its discount is below 1.
    entropy : h, in nats, discounted, from the initial distribution; with a prior, minus the KL.
    prior : action probabilities (S, A) or (A,).
    tolerance : as in the solvers, for the certified values of the solution.

    Returns the `Solution` at that temperature.  Its entropy is h to 1e-9 max(1, |h|) wherever a
    step of float64 in the temperature moves the entropy by less.  For h at or below the entropy of
    the limit alpha -> 0, that limit (temperature 0).

    Raises ConfigError for a discount of 1, for h above the range that temperatures up to 1e15
    attain, which the message names, for NaN, for a bool, for a text; ModelError (mdp, prior);
    ToleranceError (a tolerance below what float64 can certify).

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> solution = maxent.temperature_for_entropy(mdp, entropy=1.0)
    >>> round(solution.temperature, 4)
    0.0413
    >>> round(maxent.discounted_entropy(mdp, solution.policy), 6)
    1.0
    """
    require_discounted(require_mdp(mdp), "temperature_for_entropy")
    target = require_finite("entropy", entropy)
    if tolerance is not None:
        tolerance = require_positive("tolerance", tolerance)
        soft_bounds(mdp, 0.0, mdp.log_prior(prior)).require_tolerance(tolerance)
    front = Front(mdp, prior)
    zero, infinite = front.ends
    if target <= zero.entropy:
        return front.solution(zero)
    known = {0.0: zero, math.inf: infinite}
    gaps = front.gaps[(front.base > -np.inf) & (front.gaps > 0.0)]
    if not gaps.size or target >= known[math.inf].entropy:
        raise _unattainable(target, known)

    def excess(log_temperature: float) -> float:
        temperature = float(np.clip(math.exp(log_temperature), MIN_TEMPERATURE, MAX_TEMPERATURE))
        nearest = min(known, key=lambda t: distance(t, temperature))
        known[temperature] = front.solve(temperature, known[nearest].w)
        return known[temperature].entropy - target

    low = math.log(max(float(gaps.min()) / front.never, MIN_TEMPERATURE))
    high = math.log(min(max(1e17 * float(gaps.max()), MIN_TEMPERATURE), MAX_TEMPERATURE))
    if excess(high) < 0.0:
        raise _unattainable(target, known)
    if excess(low) < 0.0:
        optimize.brentq(excess, low, high, xtol=1e-15, rtol=1e-15)
    finite = [point for t, point in known.items() if 0.0 < t < math.inf]
    best = min(finite, key=lambda point: abs(point.entropy - target))
    return front.solution(best, tolerance)


def _unattainable(target: float, known: dict[float, Point]) -> ConfigError:
    low, high = known[0.0].entropy, known[math.inf].entropy
    return ConfigError(
        f"entropy = {quoted(target)} nats is not attained at any temperature: the attainable "
        "range is "
        f"[{low!r}, {high!r}), from the limit of temperature 0 to that of infinite temperature; "
        "give a discounted entropy from the initial distribution in that range"
    )
