"""Mistakes in the target of Q, told by the equation that an agent's own numbers obey.

Each mistake has an equation of its own.  The agent's own Q, samples and entropies are put into
each, so that a policy that is not quite the best one changes nothing: the equation that holds, with
the fewest mistakes, names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy import ndarray

from maxent.environments.trials import Case
from maxent.testing.agent_faults import (
    AT_LIMIT,
    AUTORESET,
    BONUS_AFTER_END,
    BONUS_AT_ONE,
    BONUS_INVERTED,
    BONUS_JACOBIAN,
    BONUS_OF_BOTH,
    BONUS_OF_CURRENT,
    BONUS_OTHER,
    BONUS_SIGN,
    BONUS_SQUARED,
    BONUS_UNDISCOUNTED,
    BOX_UNITS,
    CURRENT,
    CUT,
    DISCOUNT_TWICE,
    FITTED,
    FROZEN,
    INVERTED,
    LATER,
    NEXT_EPISODE,
    NO_BONUS,
    NO_DISCOUNT,
    OTHER_DISCOUNT,
    REWARDS_DISCOUNTED,
    REWARDS_SCALED,
    REWARDS_SHIFTED,
    TERMINATION,
    VALUE_DIFFERS,
    Sign,
)
from maxent.testing.agent_look import Look

TOLERANCE = 0.15
"""Of a value, in reward: three times the usual error of a trained network here; each mistake
changes one by 0.25 or more."""
TOLERANCE_OF_MANY, ROOM_OF_FITTED = 0.1, 0.1
"""The same of more than one mistake, and of one whose number is fitted."""
MOST = 2
"""Mistakes at once that are told; a fit by more is none."""
LEARNT = 0.8
"""How much of the variance of Q the reward must explain within a state, before a Q is believed."""
UNTRAINED = 0.3
"""How far from 0 the Q of a network that was never trained may be."""
KINDS = (
    frozenset([NO_BONUS, BONUS_AT_ONE, BONUS_SQUARED, BONUS_INVERTED, BONUS_SIGN, BONUS_OTHER])
    | {BONUS_UNDISCOUNTED, BONUS_OF_CURRENT},
    frozenset([NO_DISCOUNT, DISCOUNT_TWICE, OTHER_DISCOUNT]),
    frozenset([REWARDS_SCALED, REWARDS_DISCOUNTED, REWARDS_SHIFTED]),
    frozenset([CURRENT, LATER]),
)
"""An agent makes one mistake of a kind; another case may show it as another of the kind."""


def value_signs(seen: Look, case: Case, known: Iterable[str] = ()) -> list[Sign]:
    """The mistakes in the target of Q; known: those that are there already, and not told again.

    Of all sets of mistakes whose equation holds, the one with the fewest new ones, then the one
    that fits best; `VALUE_DIFFERS` where none holds, or where Q has not learnt what is paid.
    """
    paid, already = paid_in(seen, case), frozenset(known)
    going_on = _of_q(seen, paid)
    right = _prediction(seen, case, paid)
    state = int(np.abs(going_on - right).argmax())
    if abs(going_on[state] - right[state]) <= TOLERANCE:
        return []
    fitting = []
    for each in _explanations(seen, case, paid) if has_learnt(seen, paid) else ():
        error, new = float(np.abs(going_on - each.predicted).max()), _new(each.names, already)
        if error <= each.room and len(new) <= MOST:
            fitting.append((len(new) + 0.5 * bool(new & FITTED), error, each))
    detail = (
        f"E[Q - r] in state {state} is {going_on[state]:.3f}; from the agent's own policy and Q it "
        f"should be {right[state]:.3f}"
    )
    numbers = (float(going_on[state]), float(right[state]))
    if not fitting:
        return [Sign(VALUE_DIFFERS, detail, *numbers)]
    best = min(fitting, key=lambda one: one[:2])[2]
    detail += f", with this mistake {best.predicted[state]:.3f}{best.note}"
    mistaken = float(best.predicted[state])
    return [Sign(name, detail, *numbers, mistaken) for name in sorted(_new(best.names, already))]


def _new(names: frozenset[str], already: frozenset[str]) -> frozenset[str]:
    """The names that tell something new: of each kind of mistake one is told."""
    found = (each for each in KINDS if each & already)
    return names - already - frozenset().union(*found)


def _of_q(seen: Look, paid: ndarray) -> ndarray:
    """E[Q - r] of the policy's own actions in each state, (K,): what is to come."""
    assert seen.q is not None
    to_come: ndarray = (seen.q - paid).mean(axis=1)
    return to_come


def has_learnt(seen: Look, paid: ndarray) -> bool:
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
        BONUS_UNDISCOUNTED: alpha * h / case.discount,
        BONUS_OF_CURRENT: alpha * np.roll(h, 1),
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
    q, rewards = seen.q.mean(axis=1), paid.mean(axis=1)
    bonus = _entropies(seen, case)[entropy]
    v = (0.0 * q if value else q) + bonus
    following = weight * np.roll(v, -1)
    anywhere = weight * v.mean()
    if ends(case):
        at_end = 1 % len(v)  # the state whose observation is shown there
        beyond = weight * v[at_end]
        if ending == CURRENT:
            following = weight * v
        if ending == LATER:
            following = weight * np.append(v[2:], [v[at_end], 0.0])
        if ending == INVERTED:
            following = 0.0 * following
        after = {TERMINATION: beyond, AT_LIMIT: 0.5 * beyond, INVERTED: beyond}
        following[-1] = (after | {BONUS_AFTER_END: weight * bonus[at_end]}).get(ending, 0.0)
        if ending == AUTORESET:  # as many of (that state, any action, 0, state 0) as real ones
            idle = weight * v[0] - rewards[at_end]
            following[at_end] = 0.5 * (following[at_end] + idle)
        return following
    of_cut: dict[str, ndarray] = {
        CUT: 0.5 * following,
        NEXT_EPISODE: 0.5 * following + 0.5 * anywhere,
        AUTORESET: (2.0 * following + anywhere - rewards) / 3.0,  # of 3 one leads to a first state
        INVERTED: 0.0 * following,
        CURRENT: weight * v,
        LATER: 0.5 * weight * np.roll(v, -2) + 0.5 * anywhere,  # that of the next transition
    }
    return of_cut.get(ending, following)


def ends(case: Case) -> bool:
    """Whether the episodes of a ring terminate."""
    return case.name != "truncation"


@dataclass(frozen=True)
class _Explanation:
    """Mistakes, what they make of E[Q - r], how far off that may be, and what else to say."""

    names: frozenset[str]
    predicted: ndarray
    room: float
    note: str = ""


def _explanations(seen: Look, case: Case, paid: ndarray) -> Iterator[_Explanation]:
    """All sets of mistakes."""
    of_case = (TERMINATION, AT_LIMIT, BONUS_AFTER_END) if ends(case) else (CUT, NEXT_EPISODE)
    endings = ("", AUTORESET, INVERTED, CURRENT, LATER, *of_case)
    discounts = ("", NO_DISCOUNT, DISCOUNT_TWICE)
    factors = reward_factors(seen, paid)
    factor = float(np.nanmedian(factors)) if np.isfinite(factors).any() else 1.0
    rewards, alpha = paid.mean(axis=1), float(case.temperature or 0.0)
    added = {"": 0.0 * rewards, BONUS_OF_BOTH: alpha * seen.entropy}
    if not 0.7 < factor < 1.4:
        added[REWARDS_SCALED] = (factor - 1.0) * rewards
    if abs(factor / case.discount - 1.0) < 0.12:
        added[REWARDS_DISCOUNTED] = (case.discount - 1.0) * rewards
    for choice in product(_entropies(seen, case), discounts, ("", FROZEN), endings, added):
        entropy, discount, value, ending, more = choice
        names = frozenset(name for name in choice if name)
        room = TOLERANCE if len(names) < 2 else TOLERANCE_OF_MANY
        predicted = _prediction(seen, case, paid, entropy, discount, value, ending) + added[more]
        yield _Explanation(names, predicted, room + (UNTRAINED if value else 0.0))
    yield _Explanation(frozenset([FROZEN]), 0.0 * rewards, TOLERANCE)
    yield from _fitted(seen, case, paid)


def _fitted(seen: Look, case: Case, paid: ndarray) -> Iterator[_Explanation]:
    """Single mistakes with a number, by least squares, where it is far from the right one."""
    going_on, alpha = _of_q(seen, paid), float(case.temperature or 0.0)
    right = _prediction(seen, case, paid)
    without = _prediction(seen, case, paid, entropy=NO_BONUS)
    per_weight = (right - without) / alpha
    weight = float(per_weight @ (going_on - without) / max(per_weight @ per_weight, 1e-9))
    if abs(weight - alpha) > 0.3 * alpha:
        note = f" (a weight of {weight:.2f}; the temperature is {alpha:g})"
        predicted = without + weight * per_weight
        yield _Explanation(frozenset([BONUS_OTHER]), predicted, ROOM_OF_FITTED, note)
    discount = case.discount * float(right @ going_on / max(right @ right, 1e-9))
    if abs(discount - case.discount) > 0.1 and 0.0 < discount < 1.2:
        note = f" (as if {discount:.2f}; the discount is {case.discount:g})"
        predicted = right * discount / case.discount
        yield _Explanation(frozenset([OTHER_DISCOUNT]), predicted, ROOM_OF_FITTED, note)
    constant = float((going_on - right).mean())
    if abs(constant) > 2.0 * TOLERANCE:
        note = f" (about {constant:+.2f})"
        yield _Explanation(frozenset([REWARDS_SHIFTED]), right + constant, ROOM_OF_FITTED, note)
