"""Formulas of maximum-entropy reinforcement learning, each wrong in one way.

A group is a dictionary: the fault in words -> the functions that have it, by the name of the
operator each stands for.  `q` (S, A), `v` (S,), `log_policy` (S, A), `log_prior` (S, A) or None, as
in `maxent.tabular.operators`; `t` is the temperature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import maxent
from maxent.tabular import operators as true
from maxent.tabular.operators import boltzmann_policy as boltzmann
from maxent.tabular.operators import entropy, policy_value
from maxent.tabular.operators import soft_value as soft

Array = np.ndarray
Formula = Callable[..., Array]
Functions = dict[str, Formula]


def _value(function: Formula) -> Functions:
    return {"soft_value": function}


def _policy(function: Formula) -> Functions:
    return {"boltzmann_policy": function}


def _evaluation(function: Formula) -> Functions:
    return {"policy_value": function}


def _expected(q: Array, log_policy: Array) -> Array:
    policy = np.exp(log_policy)
    return np.where(policy > 0, policy * q, 0.0).sum(axis=-1)


def _masked(q: Array, log_prior: Array | None) -> Array:
    return q if log_prior is None else np.where(log_prior > -np.inf, q, -np.inf)


def mask_of(log_prior: Array | None) -> Array | None:
    """0 where the prior allows an action, -inf elsewhere."""
    return None if log_prior is None else np.where(log_prior > -np.inf, 0.0, -np.inf)


def _scores(q: Array, t: float, log_prior: Array | None) -> Array:
    return (q if log_prior is None else q + t * log_prior) / t


def _rounded(function: Formula, position: int) -> Formula:
    """The function with its argument at `position` rounded to float32 and back."""

    def in_float32(*given: Any) -> Array:
        changed = list(given)
        narrow = np.float32(given[position])
        changed[position] = float(narrow) if narrow.ndim == 0 else narrow.astype(np.float64)
        return function(*changed)

    return in_float32


# The soft value, alpha log sum_a prior exp(q / alpha)


def _average(q: Array, t: float, log_prior: Array | None = None) -> Array:
    return _expected(q, boltzmann(q, t, log_prior))


def _sum_without_logarithm(q: Array, t: float, log_prior: Array | None = None) -> Array:
    return t * np.exp(_masked(q, log_prior) / t).sum(axis=-1)


def _shifted(top_of: Formula, *, restored: bool = True, added: float = 0.0) -> Formula:
    """Log-sum-exp with another shift, one that is not undone, or a number within the logarithm."""

    def soft_value(q: Array, t: float, log_prior: Array | None = None) -> Array:
        scores = _scores(q, t, log_prior)
        top = top_of(scores)
        logs = np.log(np.exp(scores - top).sum(axis=-1) + added)
        return t * (logs + (np.squeeze(top, axis=-1) if restored else 0.0))

    return soft_value


def _row(scores: Array) -> Array:
    return scores.max(axis=-1, keepdims=True)


def _table(scores: Array) -> Array:
    return np.full((*scores.shape[:-1], 1), scores.max())


def _none(scores: Array) -> Array:
    return np.zeros((*scores.shape[:-1], 1))


def _masked_counts_zero(q: Array, t: float, log_prior: Array | None = None) -> Array:
    available = 1.0 if log_prior is None else log_prior > -np.inf
    return soft(q * available, t)


OF_THE_SOFT_VALUE = {
    "alpha missing inside log-sum-exp": _value(lambda q, t, p=None: t * soft(q, 1.0, p)),
    "alpha missing outside log-sum-exp": _value(lambda q, t, p=None: soft(q, t, p) / t),
    "alpha inverted": _value(lambda q, t, p=None: soft(q, 1.0 / t if t else 0.0, p)),
    "alpha squared": _value(lambda q, t, p=None: soft(q, t * t, p)),
    "Boltzmann average for log-sum-exp": _value(_average),
    "no logarithm: sum of exp": _value(_sum_without_logarithm),
    "logarithm to base 2": _value(lambda q, t, p=None: soft(q, t, p) / np.log(2.0)),
    "hard maximum for log-sum-exp": _value(lambda q, t, p=None: soft(q, 0.0, p)),
    "soft minimum": _value(lambda q, t, p=None: -soft(-q, t, p)),
    "mean in place of sum": _value(lambda q, t, p=None: true.mellowmax(q, t, mask_of(p))),
    "no shift before exp: overflow": _value(_shifted(_none)),
    "shift by the whole table's maximum": _value(_shifted(_table)),
    "shift not undone": _value(_shifted(_row, restored=False)),
    "1e-8 added within the logarithm": _value(_shifted(_row, added=1e-8)),
    "alpha in float32, soft value only": _value(_rounded(soft, 1)),
    "q in float32": _value(_rounded(soft, 0)),
    "mask ignored by the soft value": _value(lambda q, t, p=None: soft(q, t)),
    "masked actions count as q = 0": _value(_masked_counts_zero),
}


# The Boltzmann policy, log of prior exp((q - v) / alpha)


def _logits(q: Array, t: float, log_prior: Array | None = None) -> Array:
    return _scores(q, t, log_prior)


def _over_states(q: Array, t: float, log_prior: Array | None = None) -> Array:
    scores = _scores(q, t, log_prior)
    scores = np.where(np.isfinite(scores), scores, -np.inf)
    top = scores.max(axis=0, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    return scores - top - np.log(np.exp(scores - top).sum(axis=0, keepdims=True))


def _floored(q: Array, t: float, log_prior: Array | None = None) -> Array:
    return np.log(np.exp(boltzmann(q, t, log_prior)) + 1e-8)


def _clipped(q: Array, t: float, log_prior: Array | None = None) -> Array:
    log_policy = boltzmann(q, t, log_prior)
    return np.where(log_policy > -np.inf, np.maximum(log_policy, -20.0), -np.inf)


def _each_tie_in_full(q: Array, t: float, log_prior: Array | None = None) -> Array:
    if t > 0.0:
        return boltzmann(q, t, log_prior)
    values = _masked(q, log_prior)
    return np.where(values >= values.max(axis=-1, keepdims=True), 0.0, -np.inf)


def _wide_ties(q: Array, t: float, log_prior: Array | None = None) -> Array:
    return boltzmann(q, t, log_prior, tie_tolerance=0.1)


OF_THE_POLICY = {
    "policy not divided by alpha": _policy(lambda q, t, p=None: boltzmann(q, 1.0, p)),
    "policy not normalised": _policy(_logits),
    "policy normalised over states": _policy(_over_states),
    "policy of the wrong sign": _policy(lambda q, t, p=None: boltzmann(-q, t, p)),
    "greedy policy for Boltzmann's": _policy(lambda q, t, p=None: boltzmann(q, 0.0, p)),
    "probabilities for log-probabilities": _policy(lambda q, t, p=None: np.exp(boltzmann(q, t, p))),
    "1e-8 added to probabilities": _policy(_floored),
    "log-probabilities clipped at -20": _policy(_clipped),
    "alpha in float32, policy only": _policy(_rounded(boltzmann, 1)),
    "mask ignored by the policy": _policy(lambda q, t, p=None: boltzmann(q, t)),
    "at 0: each tied action in full": _policy(_each_tie_in_full),
    "at 0: actions within 0.1 count as tied": _policy(_wide_ties),
}


# The value of a policy, E_pi[q] + alpha entropy


def _wrong_sign(q: Array, log_policy: Array, t: float, log_prior: Array | None = None) -> Array:
    return _expected(q, log_policy) - t * entropy(log_policy, log_prior)


def _alpha_on_both(q: Array, log_policy: Array, t: float, log_prior: Array | None = None) -> Array:
    return t * policy_value(q, log_policy, 1.0, log_prior)


def _in_bits(q: Array, log_policy: Array, t: float, log_prior: Array | None = None) -> Array:
    return policy_value(q, log_policy, t / np.log(2.0), log_prior)


def _uniform_mean(q: Array, log_policy: Array, t: float, log_prior: Array | None = None) -> Array:
    available = boltzmann(np.zeros_like(q), 1.0, mask_of(log_prior))
    return _expected(q, available) + t * entropy(log_policy, log_prior)


def _likeliest(q: Array, log_policy: Array, t: float, log_prior: Array | None = None) -> Array:
    chosen = np.take_along_axis(q, log_policy.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    return chosen + t * entropy(log_policy, log_prior)


def _mean_entropy(q: Array, log_policy: Array, t: float, log_prior: Array | None = None) -> Array:
    return _expected(q, log_policy) + t * entropy(log_policy, log_prior) / q.shape[-1]


def _entropy_undiscounted(
    mdp: maxent.MDP, q: Array, log_policy: Array, t: float, log_prior: Array | None = None
) -> Array:
    log_prior = mdp.log_mask if log_prior is None else log_prior
    bonus = np.where(mdp.terminal, 0.0, t * entropy(log_policy, log_prior))
    return true.backup(mdp, _expected(q, log_policy)) + mdp.expect(bonus)


def _entropy_of_this_state(
    mdp: maxent.MDP, q: Array, log_policy: Array, t: float, log_prior: Array | None = None
) -> Array:
    log_prior = mdp.log_mask if log_prior is None else log_prior
    bonus = t * entropy(log_policy, log_prior)
    return true.backup(mdp, _expected(q, log_policy)) + bonus[:, None]


def _entropy_after_the_end(
    mdp: maxent.MDP, q: Array, log_policy: Array, t: float, log_prior: Array | None = None
) -> Array:
    log_prior = mdp.log_mask if log_prior is None else log_prior
    bonus = np.where(mdp.terminal, t * np.log(mdp.n_actions), 0.0)
    right = true.soft_policy_bellman(mdp, q, log_policy, t, log_prior)
    return right + mdp.discount * mdp.expect(bonus)


OF_AN_EVALUATION = {
    "alpha missing in the policy's value": _evaluation(
        lambda q, x, t, p=None: policy_value(q, x, 1.0, p)
    ),
    "alpha on q as well as on the entropy": _evaluation(_alpha_on_both),
    "wrong sign of the entropy": _evaluation(_wrong_sign),
    "entropy left out": _evaluation(lambda q, x, t, p=None: _expected(q, x)),
    "entropy in bits": _evaluation(_in_bits),
    "entropy's mean over actions for its sum": _evaluation(_mean_entropy),
    "q averaged evenly, not by the policy": _evaluation(_uniform_mean),
    "q of the likeliest action only": _evaluation(_likeliest),
    "alpha in float32, evaluation only": _evaluation(_rounded(policy_value, 2)),
    "next state's entropy undiscounted": {"soft_policy_bellman": _entropy_undiscounted},
    "this state's entropy for the next one's": {"soft_policy_bellman": _entropy_of_this_state},
    "entropy earned in terminal states": {"soft_policy_bellman": _entropy_after_the_end},
    "alpha in float32": {
        "soft_value": _rounded(soft, 1),
        "boltzmann_policy": _rounded(boltzmann, 1),
        "policy_value": _rounded(policy_value, 2),
    },
}
