"""Mistakes in the target of Q, told by the equation that an agent's own numbers obey.

Each mistake has an equation of its own.  The agent's own Q, samples and entropies are put into
each, so that a policy that is not quite the best one changes nothing: the equation that holds, with
the fewest mistakes, names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

import numpy as np
from numpy import ndarray

from maxent.environments.trials import Case
from maxent.testing.agent_faults import (
    AT_LIMIT,
    AUTORESET,
    BONUS_AT_ONE,
    BONUS_INVERTED,
    BONUS_JACOBIAN,
    BONUS_SIGN,
    BONUS_SQUARED,
    BOX_UNITS,
    CUT,
    DISCOUNT_TWICE,
    FROZEN,
    NEXT_EPISODE,
    NO_BONUS,
    NO_DISCOUNT,
    REWARDS_SCALED,
    TERMINATION,
    VALUE_DIFFERS,
    Sign,
)
from maxent.testing.agent_look import Look

TOLERANCE = 0.15
"""Of a value, in reward: three times the usual error of a trained network here; each mistake
changes one by 0.25 or more."""
MOST = 2
"""Mistakes at once that are told; a fit by more is none."""
LEARNT = 0.8
"""How much of the variance of Q the reward must explain within a state, before a Q is believed."""
UNTRAINED = 0.3
"""How far from 0 the Q of a network that was never trained may be."""


def value_signs(seen: Look, case: Case, known: Iterable[str] = ()) -> list[Sign]:
    """The mistakes in the target of Q; known: those that are there already, and not told again.

    Of all sets of mistakes whose equation holds, the one with the fewest new ones, then the one
    that fits best; `VALUE_DIFFERS` where none holds, or where Q has not learnt what is paid.
    """
    paid, already = paid_in(seen, case), frozenset(known)
    going_on = _of_q(seen, paid)
    right = _prediction(seen, case, paid)

    def error(predicted: ndarray) -> float:
        return float(np.abs(going_on - predicted).max())

    if error(right) <= TOLERANCE:
        return []
    fitting = [
        (len(names - already), error(predicted), sorted(names - already), predicted)
        for names, predicted, room in _explanations(seen, case, paid)
        if error(predicted) <= room and len(names - already) <= MOST and _learnt(seen, paid)
    ]
    unexplained = (0, 0.0, [VALUE_DIFFERS], np.full(len(right), np.nan))
    *_, names, predicted = min(fitting, key=lambda each: each[:2], default=unexplained)
    state = int(np.abs(going_on - right).argmax())
    detail = (
        f"E[Q - r] in state {state} is {going_on[state]:.3f}; from the agent's own policy and Q it "
        f"should be {right[state]:.3f}"
    )
    if fitting:
        detail += f", with this mistake {predicted[state]:.3f}"
    numbers = (float(going_on[state]), float(right[state]), float(predicted[state]))
    return [Sign(name, detail, *numbers) for name in names]


def _of_q(seen: Look, paid: ndarray) -> ndarray:
    """E[Q - r] of the policy's own actions in each state, (K,): what is to come."""
    assert seen.q is not None
    to_come: ndarray = (seen.q - paid).mean(axis=1)
    return to_come


def _learnt(seen: Look, paid: ndarray) -> bool:
    """Whether Q follows the rewards of a state's actions, up to a factor, where they vary."""
    assert seen.q is not None
    varied = [state for state in range(len(paid)) if paid[state].std() > 0.03]
    shares = [np.corrcoef(paid[state], seen.q[state])[0, 1] for state in varied]
    return bool(np.all(np.nan_to_num(shares) ** 2 > LEARNT))


def paid_in(seen: Look, case: Case) -> ndarray:
    """The rewards of the samples, (K, N)."""
    return np.stack([curve(unit) for curve, unit in zip(case.curves, seen.unit)])


def reward_factors(seen: Look, paid: ndarray) -> ndarray:
    """By what factor rewards went into Q, in each state (nan where they do not vary)."""
    assert seen.q is not None
    away = paid - paid.mean(axis=1, keepdims=True)
    spread = (away**2).mean(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor: ndarray = np.where(spread > 1e-3, (away * seen.q).mean(axis=1) / spread, np.nan)
    return factor


def _entropies(seen: Look, case: Case) -> dict[str, ndarray]:
    """What stands for alpha H in the value of a state, with and without mistake."""
    alpha, h = float(case.temperature or 0.0), seen.entropy
    rules = {
        "": alpha * h,
        NO_BONUS: 0.0 * h,
        BONUS_AT_ONE: h,
        BONUS_SQUARED: alpha**2 * h,
        BONUS_INVERTED: h / alpha,
        BONUS_SIGN: -alpha * h,
    }
    if case.bounded:
        rules[BOX_UNITS] = alpha * (h + case.log_half)
        with np.errstate(divide="ignore"):
            slope = np.log(np.maximum(1.0 - seen.unit**2, 1e-7)).sum(axis=-1).mean(axis=1)
        rules[BONUS_JACOBIAN] = alpha * (h - slope)
    return rules


def _prediction(
    seen: Look,
    case: Case,
    paid: ndarray,
    entropy: str = "",
    discount: str = "",
    value: str = "",
    ending: str = "",
) -> ndarray:
    """E[Q - r] in each state, were the target of Q made so."""
    assert seen.q is not None
    gamma = {"": case.discount, NO_DISCOUNT: 1.0, DISCOUNT_TWICE: case.discount**2}
    weight = gamma[discount]
    q = seen.q.mean(axis=1)
    v = (0.0 * q if value else q) + _entropies(seen, case)[entropy]
    following = weight * np.roll(v, -1)
    rewards = paid.mean(axis=1)
    if ends(case):
        first = following[-1]  # what follows the end, were the observation there believed
        following[-1] = {TERMINATION: first, AT_LIMIT: 0.5 * first}.get(ending, 0.0)
        if ending == AUTORESET:  # as many of (state 0, any action, 0, state 0) as real ones
            following[0] = 0.5 * (following[0] + weight * v[0] - rewards[0])
        return following
    anywhere = weight * v.mean()
    if ending == CUT:
        return 0.5 * following
    if ending == NEXT_EPISODE:
        return 0.5 * following + 0.5 * anywhere
    if ending == AUTORESET:  # of three transitions out of a state one leads to a first state
        return (2.0 * following + anywhere - rewards) / 3.0
    return following


def ends(case: Case) -> bool:
    """Whether the episodes of a ring terminate."""
    return case.name != "truncation"


def _explanations(
    seen: Look, case: Case, paid: ndarray
) -> Iterator[tuple[frozenset[str], ndarray, float]]:
    """Sets of mistakes, what they make of E[Q - r], and how far that may be off."""
    endings = ["", AUTORESET, *((TERMINATION, AT_LIMIT) if ends(case) else (CUT, NEXT_EPISODE))]
    discounts = ("", NO_DISCOUNT, DISCOUNT_TWICE)
    factors = reward_factors(seen, paid)
    factor = float(np.nanmedian(factors)) if np.isfinite(factors).any() else 1.0
    rewards = paid.mean(axis=1)
    scaled = [""] if 0.7 < factor < 1.4 else ["", REWARDS_SCALED]
    for choice in product(_entropies(seen, case), discounts, ("", FROZEN), endings, scaled):
        entropy, discount, value, ending, scale = choice
        predicted = _prediction(seen, case, paid, entropy, discount, value, ending)
        if scale:
            predicted = predicted + (factor - 1.0) * rewards
        room = TOLERANCE + (UNTRAINED if value else 0.0)
        yield frozenset(name for name in choice if name), predicted, room
