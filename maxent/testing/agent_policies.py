"""Mistakes of the policy, of its temperature and of its density, told by the law of its actions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy import ndarray
from scipy.stats import ks_2samp

from maxent.environments.small_worlds import Curve, Drifting, unit_of
from maxent.environments.trials import Case
from maxent.testing.agent_faults import (
    CLAMPED,
    CUT_OFF,
    ENTROPY_SIGN,
    IGNORES,
    JACOBIAN,
    LOSS_AT_ONE,
    LOSS_INVERTED,
    LOSS_SQUARED,
    MIXED_UNITS,
    NO_ENTROPY,
    NO_NOISE,
    NOT_TUNED,
    OTHER_DENSITY,
    OTHER_TEMPERATURE,
    OUTSIDE,
    POLICY_DIFFERS,
    REPORTED_IN_BOX,
    REPORTED_JACOBIAN,
    SCALED,
    STALE,
    SYMMETRIC,
    TARGET_DOUBLED,
    TARGET_IN_BOX,
    TARGET_OF_ONE,
    TARGET_SIGN,
    UNBOUNDED,
    UNREACHED,
    Sign,
)
from maxent.testing.agent_look import SAMPLES, Look, grid
from maxent.testing.agent_targets import has_learnt, paid_in, reward_factors

TEMPERATURE_FACTOR = 1.6
NAMED_WITHIN = 1.18
"""The factor within which a law's temperature is one that a mistake explains."""
PRESSED = -8.0
"""Nats of actions that nothing keeps off the border: without Jacobian they have about -20."""
STRAYS = 1e-3
"""How far apart actions on the border lie that are driven there for ever, by an entropy with the
wrong sign, at most.  Without Jacobian the entropy of u = atanh(a) is what counts: it spreads u as
far as it can and drives it nowhere, so that some of thousands of samples are well inside."""
WELL_FITTED = 0.06
"""KL to the nearest such law that a trained policy stays below; it is about 0.02."""
UNIFORM = 30.0
"""Times the temperature: from there on a policy is uniform, as one that has not learnt."""
SAME = 0.1
"""The distance of two laws below which they are one; of 4000 samples of one it is below 0.04."""
LEAST_DIVERGENCE = 0.3
"""KL(policy || exp(Q/alpha)) in nats from which on a policy is another one."""
NEXT_TO_0 = 0.05
"""The share of the temperature below which a policy is as good as without entropy."""
COLLAPSED = -0.5 * float(np.log(NEXT_TO_0))
"""Nats that a Gaussian law loses by that.  Where all actions are alike no temperature loses any."""


def law_signs(seen: Look, case: Case) -> list[Sign]:
    """Whether a policy is exp(reward / temperature), and if not, what it is."""
    assert case.temperature is not None
    alpha, curves = case.temperature, _as_learnt(seen, case)
    sign = _reach(seen, case)
    if sign:
        return [sign]
    piled = _piled(seen, case)
    if piled is not None:
        size = float(np.median(np.abs(seen.unit[piled])))
        detail = (
            f"in state {piled}, where all actions are alike, they pile up at the border of the box "
            f"(median |a| {size:.4f})"
        )
        if np.ptp(seen.unit[piled]) > STRAYS:
            return [Sign(JACOBIAN, detail, size, 0.5)]
        return [Sign(ENTROPY_SIGN, f"{detail}, and none of {SAMPLES} is elsewhere", size, 0.5)]
    if not (case.discrete or np.ptp(seen.unit, axis=1).any()):
        where = f"each of {SAMPLES} samples is the same action, in every state"
        return [Sign(NO_NOISE, where, 0.0, float(_entropies(case, curves, alpha)[0]))]
    around = np.geomspace(1e-3, 1e3, 121) * alpha
    divergences = np.array([_divergence(seen, case, curves, t).mean() for t in around])
    best = float(around[divergences.argmin()])
    at_best, at_right = (
        float(divergences.min()),
        float(_divergence(seen, case, curves, alpha).mean()),
    )
    if (
        at_right <= LEAST_DIVERGENCE
        and 1.0 / TEMPERATURE_FACTOR < best / alpha < TEMPERATURE_FACTOR
    ):
        return []
    detail = (
        f"the policy's law is nearest to that of temperature {best:.3g} (KL {at_best:.2f} nats; "
        f"{at_right:.2f} to that of {alpha:g})"
    )
    if best > UNIFORM * alpha:
        even = "in every state the policy is nearly uniform; " * (at_best < WELL_FITTED)
        return [Sign(POLICY_DIFFERS, even + detail, best, alpha)]
    lost = _entropies(case, curves, alpha) - seen.entropy
    collapsed = bool(((seen.entropy < 0.1) if case.discrete else (lost > COLLAPSED)).all())
    if len(curves) > 1 and not collapsed and (apart := _same_everywhere(seen)) < SAME:
        detail = f"actions are the same in every state (up to {apart:.2f} of their probability)"
        return [Sign(IGNORES, detail, at_right, 0.0)]
    fault = _temperature_fault(best, alpha, at_best)
    if case.bounded and at_best > 0.1:
        raw = tuple(_in_box_units(curve, case) for curve in curves)
        unscaled = float(_divergence(seen, case, raw, alpha).mean())
        if unscaled < 0.15 and unscaled < 0.7 * at_best:
            detail = (
                f"the policy is near to the best for unscaled actions (KL {unscaled:.2f} "
                f"nats), and not to the best ({at_right:.2f})"
            )
            return [Sign(MIXED_UNITS, detail, at_right, 0.0)]
    missed = np.array([curve(grid(case.discrete)[0][:, None]).max() for curve in curves])
    missed -= np.array([curve(unit).mean() for curve, unit in zip(curves, seen.unit)])
    if collapsed and not case.discrete and (missed < alpha).all():
        fault = NO_ENTROPY
        detail = f"in each state its entropy is {lost.min():.1f} nats or more too low; {detail}"
    elif at_best > 1.0 or (fault == OTHER_TEMPERATURE and at_best > LEAST_DIVERGENCE):
        fault = POLICY_DIFFERS
    return [Sign(fault, detail, best, alpha, best)]


def _piled(seen: Look, case: Case) -> int | None:
    """The state where all actions are alike, if they pile up at the border there.

    At both ends; or at one, but then in every state, and so near that the Jacobian would cost more
    than any reward here: what is merely stuck at the border has a spread there.
    """
    flat = [k for k, curve in enumerate(case.curves) if curve.slope == curve.curvature == 0.0]
    if not case.bounded or not flat:
        return None
    shares = (np.abs(seen.unit) > 0.98).mean(axis=(1, 2))
    least = min(float((sign * seen.unit[flat[0]] > 0.98).mean()) for sign in (-1.0, 1.0))
    at_both = least > 0.15 and shares[flat[0]] > 0.5
    at_one = bool((shares > 0.8).all()) and seen.entropy[flat[0]] < PRESSED
    return flat[0] if at_both or at_one else None


def _same_everywhere(seen: Look) -> float:
    """The largest Kolmogorov-Smirnov distance between the actions of two states."""
    count = len(seen.unit)
    pairs = combinations(range(count), 2)
    return max(float(ks_2samp(seen.unit[i, :, 0], seen.unit[j, :, 0]).statistic) for i, j in pairs)


def _reach(seen: Look, case: Case) -> Sign | None:
    """Actions that no policy on this box would take, or only such as lie in [-1, 1]."""
    most, space = float(np.abs(seen.taken).max()), case.space
    if case.bounded:
        low, high = (float(side.ravel()[0]) for side in (space.low, space.high))  # type: ignore
        if np.abs(seen.unit).max() > 1.0 + 1e-4:
            fault = OUTSIDE
            if abs(most - high) < 0.2 * high and seen.taken.min() < 0.5 * (low - high):
                fault = SYMMETRIC
            worst = float(seen.taken.ravel()[np.abs(seen.unit).argmax()])
            return Sign(
                fault, f"an action is {worst:.3g}, the box [{low:g}, {high:g}]", worst, high
            )
        if high > 1.5 and most <= 1.0 + 1e-6:
            detail = (
                f"no action of {seen.taken.size} leaves [-1, 1], the box is [{low:g}, {high:g}]"
            )
            return Sign(SCALED, detail, most, high)
    elif not case.discrete and most <= 1.0 + 1e-6:
        detail = f"no action of {seen.taken.size} leaves [-1, 1], and the box has no sides"
        return Sign(UNBOUNDED, detail, most, case.curves[0].centre)
    return None


def _temperature_fault(found: float, alpha: float, away: float) -> str:
    if found < NEXT_TO_0 * alpha:
        return NO_ENTROPY
    named = {
        LOSS_AT_ONE: 1.0,
        LOSS_SQUARED: alpha**2,
        LOSS_INVERTED: 1.0 / alpha,
    }
    for fault, value in named.items():
        if 1.0 / NAMED_WITHIN < found / value < NAMED_WITHIN and away < WELL_FITTED:
            return fault
    return OTHER_TEMPERATURE


def _as_learnt(seen: Look, case: Case) -> tuple[Curve, ...]:
    """The rewards as they went into Q, scaled where a fault of the values has scaled them."""
    if seen.q is None or not has_learnt(seen, paid_in(seen, case)):
        return case.curves
    factors = reward_factors(seen, paid_in(seen, case))
    factors = np.where((factors > 0.02) & (factors < 50.0), factors, 1.0)
    return tuple(
        Curve(c.base, f * c.slope, f * c.curvature, c.centre) for c, f in zip(case.curves, factors)
    )


def _in_box_units(curve: Curve, case: Case) -> Curve:
    """The reward of an action in [-1, 1] that is taken as it is."""
    shift, scale = (float(x) for x in unit_of(case.space, np.array([[0.0], [1.0]])).ravel())
    per = scale - shift
    centre = (curve.centre - shift) / per
    return Curve(curve.base, curve.slope * per, curve.curvature * per**2, centre)


def _divergence(seen: Look, case: Case, curves: tuple[Curve, ...], t: float) -> ndarray:
    """KL(policy || exp(reward / t)) in each state, (K,), from the samples and their entropy."""
    points, weight = _grid(case)
    m = case.dimension
    found = []
    for curve, unit, entropy in zip(curves, seen.unit, seen.entropy):
        one = Curve(0.0, curve.slope, curve.curvature, curve.centre)
        scores = one(points[:, None]) / t
        largest = scores.max()
        log_sum = m * (largest + np.log(np.exp(scores - largest) @ weight))
        found.append(log_sum - entropy - float(one(unit).mean()) / t)
    return np.array(found)


def _entropies(case: Case, curves: tuple[Curve, ...], t: float) -> ndarray:
    """Of exp(reward / t) in each state, (K,)."""
    points, weight = _grid(case)
    scores = np.array([curve(points[:, None]) for curve in curves]) / t
    scores -= scores.max(axis=1, keepdims=True)
    total = np.exp(scores) @ weight
    found: ndarray = np.log(total) - (np.exp(scores) * scores) @ weight / total
    return case.dimension * found


def _grid(case: Case) -> tuple[ndarray, ndarray]:
    """Actions of one dimension and their weights in a sum over them."""
    points, weight = grid(case.discrete)
    wide = 1.0 if case.discrete or case.bounded else 30.0
    return wide * points, wide * weight


def border_signs(seen: Look, case: Case) -> list[Sign]:
    """Whether actions near the border stay where the temperature holds them."""
    assert case.temperature is not None
    away = case.temperature / case.curves[0].slope * np.log(2.0)
    found = float(np.median(1.0 - seen.unit))
    if found > 0.2 * away:
        return []
    detail = f"median distance to the border {found:.2g}, where entropy keeps it at {away:.2g}"
    return [Sign(CLAMPED, detail, found, away, 0.0)]


def entropy_signs(seen: Look, case: Case) -> list[Sign]:
    """Whether a tuned temperature holds the entropy that it was told to."""
    assert case.target_entropy is not None
    wanted, m, found = case.target_entropy, case.dimension, float(seen.entropy[0])
    room = 0.12 * m
    if abs(found - wanted) <= room:
        return []
    most = np.log(len(grid(True)[0])) if case.discrete else m * np.log(2.0)
    predictions = {
        TARGET_OF_ONE: wanted / m,
        TARGET_DOUBLED: 2.0 * wanted,
        TARGET_IN_BOX: wanted - case.log_half,
        NOT_TUNED: _entropy_at_one(case),
    }
    fault, mistaken = UNREACHED, float("nan")
    nearest = min(predictions, key=lambda name: abs(found - predictions[name]))
    if not case.discrete and abs(found - predictions[nearest]) <= room:
        fault, mistaken = nearest, predictions[nearest]
    elif found > most - 0.4 * m or (case.discrete and found < 0.2):
        fault, mistaken = TARGET_SIGN, -wanted
    detail = f"the policy's entropy is {found:.2f} nats in [-1, 1]^{m}, its target {wanted:g}"
    return [Sign(fault, detail, found, wanted, mistaken)]


def density_signs(seen: Look, case: Case) -> list[Sign]:
    """Whether `log_density` is that of the samples, in the units of [-1, 1]^m."""
    if seen.log_density is None:
        return []
    off = -seen.log_density.mean(axis=1) - seen.entropy
    mass = np.ones(len(off)) if seen.mass is None else seen.mass
    bad = (np.abs(off) > 0.25) & (seen.entropy > -4.0)
    if not bad.any():
        return []
    state = int(np.where(bad, np.abs(off), -1.0).argmax())
    fault = OTHER_DENSITY
    units = np.abs(off - case.log_half)[bad].max() < 0.25
    if case.bounded and units and abs(case.log_half) > 0.5:
        fault = REPORTED_IN_BOX
    elif case.bounded:
        slope = np.log(np.maximum(1.0 - seen.unit**2, 1e-7)).sum(axis=-1).mean(axis=1)
        if np.abs(off + slope)[bad].max() < 0.25:
            fault = REPORTED_JACOBIAN
    detail = (
        f"in state {state} its mean says an entropy of {-seen.log_density[state].mean():.2f} nats, "
        f"{SAMPLES} samples say {seen.entropy[state]:.2f}; it sums to {mass[state]:.2f}"
    )
    return [Sign(fault, detail, float(off[state]), 0.0)]


def _entropy_at_one(case: Case) -> float:
    """The entropy of the Gaussian exp(-curvature |a - centre|^2), m-dimensional."""
    return 0.5 * case.dimension * float(np.log(np.pi * np.e / case.curves[0].curvature))


DRIFT_POINTS = np.array([[0.2], [0.8], [1.5], [2.2], [2.8]])


def drift_signs(seen: Look, case: Case) -> list[Sign]:
    """Whether observations mean the same to the policy as they did in training."""
    found, best = seen.unit[..., 0].mean(axis=1), Drifting.best(DRIFT_POINTS[:, 0])
    off = np.abs(found - best)
    worst = int(off.argmax())
    if off[worst] <= 0.2 or np.sqrt((off**2).mean()) <= 0.12:
        return []
    rises = np.diff(found)
    flat = int((np.abs(rises) < 0.05).sum())
    fault, why = POLICY_DIFFERS, ""
    if np.ptp(found) < 0.15:
        fault = IGNORES
    elif (rises > 0.06).all():
        fault, why = STALE, ": as if other statistics had scaled what is seen than in training"
    elif flat >= 2 and (rises > -0.05).all() and off.min() < 0.1:
        fault, why = CUT_OFF, ": the same from there on"
    detail = (
        f"at x = {DRIFT_POINTS[worst, 0]:g} the mean action is {found[worst]:.2f}, the best one "
        f"{best[worst]:.2f}{why}"
    )
    return [Sign(fault, detail, float(found[worst]), float(best[worst]))]
