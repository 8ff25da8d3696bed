"""Why an undiscounted problem is refused: in which states, and what would help."""

from __future__ import annotations

import math

import numpy as np
from numpy import ndarray

from maxent.errors import ModelError
from maxent.mdp import MDP
from maxent.support.shapes import Bool, Int
from maxent.tabular.bounds import UNIT
from maxent.tabular.solvers import critical
from maxent.tabular.solvers.pairs import Pairs


def without_end(mdp: MDP, pairs: Pairs, reached: Bool[ndarray, " S"]) -> str:
    """The states from which no terminal state is within reach."""
    merged = pairs.merged
    lost = ~reached if merged is None else ~reached[merged]
    states = np.flatnonzero(~mdp.terminal)[lost]
    return (
        f"discount = 1: from {_named(mdp, states)} no terminal state is within reach by "
        "available actions, so that what is earned need not add up to a number; name terminal "
        "states, use a discount below 1, maxent.average_reward or maxent.finite_horizon"
    )


def require_whole_rows(mdp: MDP) -> None:
    """ModelError for rows that sum to 1 within the tolerance of a model, but not within rounding:
    at discount 1 what is missing would count as an end."""
    used = mdp.action_mask & ~mdp.terminal[:, None]
    sums = np.asarray(mdp.transition_rows.sum(axis=1)).reshape(used.shape)
    lengths = (
        np.diff(mdp.transition_rows.indptr).reshape(used.shape)
        if mdp.is_sparse
        else (mdp.transition > 0.0).sum(axis=2)
    )
    off = np.where(used, np.abs(sums - 1.0) - 2.0 * UNIT * (lengths + 2), 0.0)
    if (off > 0.0).any():
        state, action = (int(i) for i in np.unravel_index(int(off.argmax()), off.shape))
        raise ModelError(
            f"discount = 1: the transition row of state {state}, action {action} sums to "
            f"{float(sums[state, action])!r}; without discount it must be 1 within rounding: "
            "divide each row by its sum (in float64)"
        )


def _named(mdp: MDP, states: Int[ndarray, " M"]) -> str:
    """States in words: the first five."""
    names = mdp.state_names
    listed = [f"{names[s]} ({s})" if names else str(s) for s in map(int, states[:5])]
    more = f" and {len(states) - 5} more" if len(states) > 5 else ""
    return f"state{'s' * (len(states) > 1)} {', '.join(listed)}{more}"


def infinite(mdp: MDP, pairs: Pairs, found: list[critical.Endless]) -> str:
    """Why the value is not finite, and at which temperatures it is."""
    inside = np.concatenate([each.states for each in found])
    if pairs.merged is not None:
        inside = np.flatnonzero(np.isin(pairs.merged, inside))
    states = np.sort(np.flatnonzero(~mdp.terminal)[inside])
    worst = max(found, key=lambda each: each.gain.upper).gain
    soft = "soft " if pairs.temperature > 0.0 else ""
    start = f"discount = 1, temperature = {pairs.temperature:g}: "
    stay = f"{_named(mdp, states)} can be stayed in for ever at a {soft}gain a step"
    interval = f"certified between {worst.lower:.9g} and {worst.upper:.9g}"
    certain = worst.lower > 0.0 or (worst.lower == 0.0 and pairs.temperature > 0.0)
    verdict = "the value is infinite" if certain else "no value can be certified"
    return (
        f"{start}{verdict}, since {stay} of at least 0 ({interval}); {_remedy(pairs, found)}use a "
        "discount below 1, maxent.average_reward or maxent.finite_horizon"
    )


def _remedy(pairs: Pairs, found: list[critical.Endless]) -> str:
    """The temperatures at which the value is finite."""
    if pairs.temperature == 0.0:
        return ""
    with_prior = pairs.log_prior is not None and bool(pairs.log_prior.any())  # 0: a mask alone
    low, high = critical.critical([each.pairs for each in found], with_prior)
    side = "above" if with_prior else "below"
    if (high == math.inf and low == math.inf) if with_prior else high == 0.0:
        return "it is so at every temperature above 0; "
    return f"it is finite {side} the critical temperature, between {low:.14g} and {high:.14g}; "
