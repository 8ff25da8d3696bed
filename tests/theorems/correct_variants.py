"""The same formulas computed in other ways: none of these may be taken for a fault.

Rounding differs, the order of sums, the storage, the method; the mathematics does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse, special
from theorems.faulty_models import dense_rows
from theorems.faulty_operators import Array, Formula

import maxent
from maxent.tabular import operators as true


def _scores(q: Array, t: float | np.floating[Any], log_prior: Array | None) -> Array:
    return q if log_prior is None else q + t * log_prior


def _by_scipy(q: Array, t: float, log_prior: Array | None = None) -> Array:
    if t == 0.0:
        return true.soft_value(q, t, log_prior)
    scores = _scores(q, t, log_prior)
    top = scores.max(axis=-1)
    return top + t * special.logsumexp((scores - top[..., None]) / t, axis=-1)


def _policy_by_scipy(q: Array, t: float, log_prior: Array | None = None) -> Array:
    if t == 0.0:
        return true.boltzmann_policy(q, t, log_prior)
    scores = _scores(q, t, log_prior)
    return special.log_softmax((scores - scores.max(axis=-1, keepdims=True)) / t, axis=-1)


def _pairwise(q: Array, t: float, log_prior: Array | None = None) -> Array:
    if t == 0.0:
        return true.soft_value(q, t, log_prior)
    scores = _scores(q, t, log_prior)
    top = scores.max(axis=-1)
    return top + t * np.logaddexp.reduce((scores - top[..., None]) / t, axis=-1)


def _extended(q: Array, t: float, log_prior: Array | None = None) -> Array:
    if t == 0.0:
        return true.soft_value(q, t, log_prior)
    scores = _scores(q.astype(np.longdouble), np.longdouble(t), log_prior)
    top = scores.max(axis=-1)
    return (top + t * np.log(np.exp((scores - top[..., None]) / t).sum(axis=-1))).astype(float)


def _by_the_policy(q: Array, t: float, log_prior: Array | None = None) -> Array:
    """E_pi[q] + alpha H(pi) for the Boltzmann policy pi: GIBBS-1 at its maximum."""
    return true.policy_value(q, true.boltzmann_policy(q, t, log_prior), t, log_prior)


def _reversed(function: Formula) -> Formula:
    """Actions taken from the last to the first."""

    def backwards(q: Array, *given: Any) -> Array:
        others = [x[..., ::-1] if isinstance(x, np.ndarray) else x for x in given]
        found = function(q[..., ::-1], *others)
        return found[..., ::-1] if found.shape == q.shape else found

    return backwards


def _large_penalty(q: Array, t: float, log_prior: Array | None = None) -> Array:
    """An unavailable action has a very low q rather than -inf."""
    if log_prior is None:
        return true.soft_value(q, t)
    allowed = log_prior > -np.inf
    q = np.where(allowed, q, -1e280)
    return true.soft_value(q, t, np.where(allowed, log_prior, 0.0))


def _first_tied(q: Array, t: float, log_prior: Array | None = None) -> Array:
    """At temperature 0 the first of the best actions: as good as any."""
    if t > 0.0:
        return true.boltzmann_policy(q, t, log_prior)
    values = q if log_prior is None else np.where(log_prior > -np.inf, q, -np.inf)
    first = values.argmax(axis=-1)[..., None]
    return np.where(np.arange(q.shape[-1]) == first, 0.0, -np.inf)


def _term_by_term(q: Array, log_policy: Array, t: float, log_prior: Array | None = None) -> Array:
    """sum pi (q - alpha log(pi / prior))."""
    policy = np.exp(log_policy)
    surprise = log_policy if log_prior is None else log_policy - log_prior
    with np.errstate(invalid="ignore"):
        return np.where(policy > 0.0, policy * (q - t * surprise), 0.0).sum(axis=-1)


def _backup_dense(mdp: maxent.MDP, v: Array) -> Array:
    return mdp.reward + np.einsum("sat,t->sa", dense_rows(mdp), mdp.discount_on_arrival * v)


def _backup_sparse(mdp: maxent.MDP, v: Array) -> Array:
    rows = sparse.csc_array(mdp.transition_rows)
    flow = rows @ np.where(mdp.terminal, 0.0, v)
    return mdp.reward + mdp.discount * flow.reshape(mdp.reward.shape)


def _backup_by_successor(mdp: maxent.MDP, v: Array) -> Array:
    """Sums from the last successor to the first."""
    total = np.zeros(mdp.reward.shape)
    for s in range(mdp.n_states)[::-1]:
        if not mdp.terminal[s]:
            total += dense_rows(mdp)[:, :, s] * v[s]
    return mdp.reward + mdp.discount * total


def _visits_by_iteration(mdp: maxent.MDP, policy: Array) -> Array:
    """Occupancy as the sum over time, until nothing is added."""
    rows = dense_rows(mdp)
    now = mdp.initial_distribution.copy()
    visits = np.zeros_like(now)
    while now.sum() > 1e-18:
        visits += now
        now = np.where(mdp.terminal, 0.0, now)
        now = mdp.discount * np.einsum("s,sa,sat->t", now, policy, rows)
    return visits[:, None] * policy


def _gradient_by_jacobian(
    mdp: maxent.MDP, logits: Array, temperature: float, *, prior: Array | None = None
) -> Array:
    """dJ along each logit in turn, by differentiating the linear system of the value."""
    log_prior = mdp.log_prior(prior)
    log_prior = np.zeros(mdp.reward.shape) if log_prior is None else log_prior
    mask = np.where(log_prior > -np.inf, 0.0, -np.inf)
    log_policy = true.boltzmann_policy(logits, 1.0, mask)
    policy = np.exp(log_policy)
    judged = maxent.soft_policy_evaluation(mdp, policy, temperature, prior=prior)
    allowed = log_prior > -np.inf
    surprise = np.where(allowed, log_policy - np.where(allowed, log_prior, 0.0), 0.0)
    flow = true.policy_transition(mdp, policy)
    flow = flow.toarray() if mdp.is_sparse else flow
    left = np.linalg.inv(np.eye(mdp.n_states) - mdp.discount * flow)
    gradient = np.zeros_like(policy)
    for s, a in np.argwhere(allowed & ~mdp.terminal[:, None]):
        change = policy[s] * ((np.arange(mdp.n_actions) == a) - policy[s, a])
        earned = (change * (judged.q[s] - temperature * surprise[s])).sum()
        gradient[s, a] = mdp.initial_distribution @ left[:, s] * earned
    return gradient


VARIANTS: dict[str, dict[str, Callable[..., Any]]] = {
    "scipy.special": {"soft_value": _by_scipy, "boltzmann_policy": _policy_by_scipy},
    "logaddexp": {"soft_value": _pairwise},
    "80-bit numbers": {"soft_value": _extended},
    "E[q] + alpha H of the Boltzmann policy": {"soft_value": _by_the_policy},
    "actions from last to first": {
        "soft_value": _reversed(true.soft_value),
        "boltzmann_policy": _reversed(true.boltzmann_policy),
        "policy_value": _reversed(true.policy_value),
    },
    "a penalty of 1e280 for the mask": {"soft_value": _large_penalty},
    "at 0: the first of tied actions": {"boltzmann_policy": _first_tied},
    "value of a policy term by term": {"policy_value": _term_by_term},
    "dense backup": {"backup": _backup_dense},
    "sparse backup, columns first": {"backup": _backup_sparse},
    "backup from the last successor": {"backup": _backup_by_successor},
    "occupancy as a sum over time": {"occupancy": _visits_by_iteration},
    "gradient from the differentiated system": {"policy_gradient": _gradient_by_jacobian},
}


def permuted(mdp: maxent.MDP, states: np.ndarray, actions: np.ndarray) -> maxent.MDP:
    """The same MDP with states and actions in another order (new state i was states[i])."""
    rows = dense_rows(mdp)[np.ix_(states, actions, states)]
    return maxent.MDP(
        rows,
        mdp.reward[np.ix_(states, actions)],
        discount=mdp.discount,
        initial_distribution=mdp.initial_distribution[states],
        terminal=mdp.terminal[states],
        action_mask=mdp.action_mask[np.ix_(states, actions)],
    )


def stored_otherwise(mdp: maxent.MDP) -> maxent.MDP:
    """Dense as sparse, sparse as dense."""
    rows = dense_rows(mdp)
    if not mdp.is_sparse:
        rows = sparse.csr_array(rows.reshape(-1, mdp.n_states))
    return mdp.replace(transition=rows)
