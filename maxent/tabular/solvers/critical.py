r"""At which temperatures an undiscounted sum is finite (FIRST-EXIT).

The soft-optimal value of a first-exit problem is finite if and only if every maximal end component
has a gain below 0.  The gain is convex in the temperature, with the entropy rate of the best policy
as its slope (with a prior: minus the rate of the divergence), so that Newton's method finds its
zero, and the sign of certified gains on both sides encloses it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP, require_mdp
from maxent.support.other_words import takes_our_words
from maxent.tabular.solvers.end_components import end_components
from maxent.tabular.solvers.gains import Gain, gain_bounds, policy_gain
from maxent.tabular.solvers.pairs import Pairs

STEPS = 100
"""Newton steps in the temperature."""


@dataclass(frozen=True, eq=False)
class Endless:
    """An end component that a play need not leave, since its gain is not below 0.

    states : their numbers among those of the pairs.  gain : certified.  pairs : those inside.
    """

    states: ndarray
    gain: Gain
    pairs: Pairs


def endless(pairs: Pairs) -> list[Endless]:
    """The maximal end components whose gain is not certified to be below 0."""
    found = []
    for component in end_components(pairs):
        inside = pairs.part(component.kept, component.states)
        gain = gain_bounds(inside, lambda lower, upper: upper < 0.0 or lower >= 0.0)
        if not gain.upper < 0.0:
            found.append(Endless(component.states, gain, inside))
    return found


@takes_our_words
def critical_temperature(mdp: MDP, *, prior: Any = None) -> tuple[float, float]:
    """The temperature between finite and infinite undiscounted values, as an interval.

    At discount 1 the soft-optimal value is finite below it; with a prior, above it (FIRST-EXIT).

    mdp : a first-exit problem; its discount is not used.
    prior : action probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.

    Returns (low, high), certified, in units of reward: (inf, inf) if the value is finite at every
    temperature, and (0, 0) if at none above 0; with a prior (0, 0) if at every one above 0, and
    (inf, inf) if at none.

    Raises ModelError for an MDP or a prior that is none.

    >>> import maxent
    >>> low, high = maxent.critical_temperature(maxent.gridworld("four-rooms", slip=0.1))
    >>> round(low, 8), round(high, 8)
    (0.02888577, 0.02888577)
    """
    log_prior = require_mdp(mdp).log_prior(prior)
    pairs = Pairs.of(mdp, 1.0, log_prior, ~mdp.terminal)
    return critical(
        [pairs.part(each.kept, each.states) for each in end_components(pairs)], prior is not None
    )


def critical(components: list[Pairs], with_prior: bool) -> tuple[float, float]:
    """The critical temperature of these end components together."""
    found = [_zero(pairs, with_prior) for pairs in components]
    if with_prior:
        return max((low for low, _ in found), default=0.0), max((h for _, h in found), default=0.0)
    return min((low for low, _ in found), default=math.inf), min(
        (high for _, high in found), default=math.inf
    )


def _zero(pairs: Pairs, with_prior: bool) -> tuple[float, float]:
    """Where the gain of one component is 0, as an interval."""
    scale = float(np.abs(pairs.paid).max(initial=0.0)) or 1.0
    temperature, h = scale, None
    # the side on which the gain is above 0: there tangents lead to the zero without passing it
    for _ in range(200):
        gain, slope, h = _gain_and_slope(pairs.at(temperature), h)
        if gain >= 0.0 or not 1e-30 < temperature / scale < 1e30:
            break
        temperature *= 0.25 if with_prior else 4.0
    if gain < 0.0:
        return (0.0, 0.0) if with_prior else (math.inf, math.inf)
    for _ in range(STEPS):
        if slope == 0.0:
            return (math.inf, math.inf) if with_prior else (0.0, 0.0)
        after = temperature - gain / slope
        if not 1e-12 < after / scale < 1e12:
            return (math.inf, math.inf) if after > scale else (0.0, 0.0)
        moved = abs(after - temperature)
        temperature = after
        if moved <= 1e-14 * temperature:
            break
        gain, slope, h = _gain_and_slope(pairs.at(temperature), h)
    return _enclosed(pairs, temperature, h, with_prior)


def _gain_and_slope(pairs: Pairs, h: ndarray | None) -> tuple[float, float, ndarray]:
    """The gain, as good as float64 has it, and its slope in the temperature."""
    found = gain_bounds(pairs, _to_rounding(pairs), h=h)
    policy = pairs.boltzmann(pairs.q(found.h))
    solved = policy_gain(pairs, policy)
    gain = found.lower + 0.5 * found.width
    if solved is None:
        return gain, 0.0, found.h
    visits = np.maximum(solved[1](), 0.0)
    visits = visits[pairs.owner] * policy
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.where(visits > 0.0, np.log(policy), 0.0)
    if pairs.log_prior is not None:
        cost = cost - np.where(visits > 0.0, pairs.log_prior, 0.0)
    return gain, -float(visits @ cost) / float(visits.sum()), found.h


def _to_rounding(pairs: Pairs) -> Any:
    return lambda lower, upper: upper - lower <= 1e-12 * max(pairs.scale, pairs.temperature)


def _enclosed(
    pairs: Pairs, temperature: float, h: ndarray | None, with_prior: bool
) -> tuple[float, float]:
    """The interval around a zero of the gain between temperatures of certified sign."""

    def sign(at: float) -> int:
        gain = gain_bounds(
            pairs.at(at), lambda lower, upper: upper < 0.0 or lower > 0.0, h=h, max_iterations=2_000
        )
        return -1 if gain.upper < 0.0 else int(gain.lower > 0.0)

    ends = [0.0, math.inf]
    for side in (0, 1):
        wanted = -1 if (side == 0) != with_prior else 1
        width = 1e-12
        while width < 1.0:
            at = temperature * (1.0 + (width if side else -width))
            if sign(at) == wanted:
                ends[side] = at
                break
            width *= 4.0
    return ends[0], ends[1]
