"""Backups, priors and public functions, each wrong in one way: as `faulty_operators`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from theorems.faulty_operators import Array, Formula, mask_of

import maxent
from maxent.tabular import operators as true
from maxent.tabular.balance import exit_pay
from maxent.tabular.operators import boltzmann_policy as boltzmann
from maxent.tabular.operators import policy_value
from maxent.tabular.operators import soft_value as soft

Functions = dict[str, Callable[..., Any]]


def _value(function: Formula) -> Functions:
    return {"soft_value": function}


def _backup(function: Formula) -> Functions:
    return {"backup": function}


# The backup, r + gamma E[v]


def dense_rows(mdp: maxent.MDP) -> Array:
    """The transition as (S, A, S)."""
    rows = mdp.transition_rows
    rows = np.asarray(rows.toarray() if mdp.is_sparse else rows)
    return rows.reshape(mdp.n_states, mdp.n_actions, mdp.n_states)


def _discounted(mdp: maxent.MDP, v: Array) -> Array:
    return mdp.discount_on_arrival * v


def _transposed(mdp: maxent.MDP, v: Array) -> Array:
    return mdp.reward + np.einsum("tas,t->sa", dense_rows(mdp), _discounted(mdp, v))


def _first_action(mdp: maxent.MDP, v: Array) -> Array:
    first = mdp.action_mask.argmax(axis=1)[:, None]
    return mdp.reward + np.take_along_axis(mdp.expect(_discounted(mdp, v)), first, axis=1)


def _likeliest_successor(mdp: maxent.MDP, v: Array) -> Array:
    return mdp.reward + _discounted(mdp, v)[dense_rows(mdp).argmax(axis=2)]


def _best_successor(mdp: maxent.MDP, v: Array) -> Array:
    reached = np.where(dense_rows(mdp) > 0.0, _discounted(mdp, v), -np.inf)
    return mdp.reward + reached.max(axis=2, initial=-1e30)


def _in_float32(mdp: maxent.MDP, v: Array) -> Array:
    return mdp.reward + dense_rows(mdp).astype(np.float32).astype(float) @ _discounted(mdp, v)


def _last_reward_dropped(mdp: maxent.MDP, v: Array) -> Array:
    going_on = mdp.expect((~mdp.terminal).astype(float))
    return mdp.reward * going_on + mdp.expect(_discounted(mdp, v))


def _reward_by_state(mdp: maxent.MDP, v: Array) -> Array:
    count = mdp.action_mask.sum(axis=1)
    mean = np.where(mdp.action_mask, mdp.reward, 0.0).sum(axis=1) / count
    return mean[:, None] + mdp.expect(_discounted(mdp, v))


OF_THE_BACKUP = {
    "discount applied twice": _backup(
        lambda m, v: m.reward + m.expect(m.discount * _discounted(m, v))
    ),
    "discount not applied": _backup(lambda m, v: m.reward + m.expect(np.where(m.terminal, 0.0, v))),
    "discount applied to the reward too": _backup(
        lambda m, v: m.discount * m.reward + m.expect(_discounted(m, v))
    ),
    "terminal states bootstrapped": _backup(lambda m, v: m.reward + m.expect(m.discount * v)),
    "reward of the last step dropped": _backup(_last_reward_dropped),
    "reward of the wrong sign": _backup(lambda m, v: m.expect(_discounted(m, v)) - m.reward),
    "reward averaged over actions": _backup(_reward_by_state),
    "transition transposed": _backup(_transposed),
    "one action's transition for all": _backup(_first_action),
    "likeliest successor for the expectation": _backup(_likeliest_successor),
    "best successor for the expectation": _backup(_best_successor),
    "transition in float32": _backup(_in_float32),
}


# The prior


def _outside(q: Array, t: float, log_prior: Array | None = None) -> Array:
    """log prior added where alpha log prior belongs."""
    return soft(q if log_prior is None else q + log_prior, t, mask_of(log_prior))


def _as_probabilities(q: Array, t: float, log_prior: Array | None = None) -> Array:
    if log_prior is None:
        return soft(q, t, None)
    return soft(q, t, np.where(log_prior > -np.inf, np.exp(log_prior), -np.inf))


def _twice(function: Formula, position: int) -> Formula:
    def doubled(*given: Any) -> Array:
        changed = list(given)
        changed[position] = None if given[position] is None else 2.0 * given[position]
        return function(*changed)

    return doubled


OF_THE_PRIOR: dict[str, Functions] = {
    "prior ignored by the soft value": _value(lambda q, t, p=None: soft(q, t, mask_of(p))),
    "prior ignored by the policy": {
        "boltzmann_policy": lambda q, t, p=None: boltzmann(q, t, mask_of(p))
    },
    "entropy for minus the divergence": {
        "policy_value": lambda q, x, t, p=None: policy_value(q, x, t, mask_of(p))
    },
    "prior counted twice": _value(_twice(soft, 2)),
    "alpha missing at the log prior": _value(_outside),
    "prior's probabilities for their logarithms": _value(_as_probabilities),
    "divergence the wrong way round": {"kl_divergence": lambda p, q: true.kl_divergence(q, p)},
}


# The public functions


def _start_only(mdp: maxent.MDP, policy: Array) -> Array:
    """The occupancy of the first step."""
    return mdp.initial_distribution[:, None] * policy


def _evenly_started(mdp: maxent.MDP, policy: Array) -> Array:
    nonterminal = ~mdp.terminal
    return maxent.occupancy(
        mdp.replace(initial_distribution=nonterminal / nonterminal.sum()), policy
    )


def _undiscounted_visits(mdp: maxent.MDP, policy: Array) -> Array:
    """The state distribution after many steps, as often as a discounted run is long."""
    states, rows = mdp.initial_distribution, dense_rows(mdp)
    for _ in range(200):
        states = np.einsum("s,sa,sat->t", states, policy, rows)
    return states[:, None] * policy / (1.0 - mdp.discount)


def _against_the_flow(mdp: maxent.MDP, policy: Array) -> Array:
    """(I - gamma P) in place of (I - gamma P)'."""
    matrix = np.einsum("sa,sat->st", policy, dense_rows(mdp)) * ~mdp.terminal
    start = mdp.initial_distribution * ~mdp.terminal
    visits = np.linalg.solve(np.eye(len(start)) - mdp.discount * matrix, start)
    return visits[:, None] * policy


def _entropy_of_a_step(mdp: maxent.MDP, policy: Array, prior: Array | None = None) -> float:
    visits = maxent.occupancy(mdp, policy).sum(axis=1)
    return maxent.discounted_entropy(mdp, policy, prior) / visits[~mdp.terminal].sum()


def _gradient_without_entropy(
    mdp: maxent.MDP, logits: Array, temperature: float, *, prior: Array | None = None
) -> Array:
    q, log_policy, visits = _judged(mdp, logits, temperature, prior)
    policy = np.exp(log_policy)
    v = (policy * q).sum(axis=1, keepdims=True)
    return visits * policy * (q - v)


def _gradient_without_baseline(
    mdp: maxent.MDP, logits: Array, temperature: float, *, prior: Array | None = None
) -> Array:
    q, log_policy, visits = _judged(mdp, logits, temperature, prior)
    surprise = np.where(np.isfinite(log_policy), log_policy, 0.0)
    return visits * np.exp(log_policy) * (q - temperature * surprise)


def _gradient_at_the_start(
    mdp: maxent.MDP, logits: Array, temperature: float, *, prior: Array | None = None
) -> Array:
    true_gradient = maxent.policy_gradient(mdp, logits, temperature, prior=prior)
    _, _, visits = _judged(mdp, logits, temperature, prior)
    start = mdp.initial_distribution[:, None]
    return true_gradient * np.divide(start, visits, out=np.zeros_like(visits), where=visits > 0)


def _judged(
    mdp: maxent.MDP, logits: Array, temperature: float, prior: Array | None
) -> tuple[Array, Array, Array]:
    """Q^pi (S, A), log pi (S, A) and the visits (S, 1) of a soft-max policy."""
    log_prior = mdp.log_prior(prior)
    log_policy = boltzmann(logits, 1.0, mask_of(log_prior))
    policy = np.exp(log_policy)
    judged = maxent.soft_policy_evaluation(mdp, policy, temperature, prior=prior)
    visits = np.where(mdp.terminal, 0.0, maxent.occupancy(mdp, policy).sum(axis=1))
    return judged.q, log_policy, visits[:, None]


def _step_not_divided(mdp: maxent.MDP, temperature: float, *, step: float, **settings: Any) -> Any:
    """eta in place of eta / (1 - gamma)."""
    step = step * (1.0 - mdp.discount)
    return maxent.natural_policy_gradient(mdp, temperature, step=step, **settings)


def _curve(**changes: Callable[[maxent.Tradeoff], Array]) -> Callable[..., SimpleNamespace]:
    """The trade-off with some of its columns changed."""

    def tradeoff(mdp: maxent.MDP, temperatures: Array, **settings: Any) -> SimpleNamespace:
        curve = maxent.tradeoff(mdp, temperatures, **settings)
        columns = {"returns": curve.returns, "entropies": curve.entropies}
        return SimpleNamespace(**columns | {name: f(curve) for name, f in changes.items()})

    return tradeoff


def _per_step(mdp: maxent.MDP, entropy: float, **settings: Any) -> maxent.Solution:
    """The temperature for this entropy a step."""
    return maxent.temperature_for_entropy(mdp, entropy * (1.0 - mdp.discount), **settings)


def _balance(formula: Callable[[float, float, float, int], float]) -> Functions:
    """balance_temperature by another formula of gamma, c, g and n."""
    return {"balance_temperature": lambda mdp: formula(mdp.discount, *exit_pay(mdp))}


def _zero_log_zero(log_policy: Array, log_prior: Array | None = None) -> Array:
    """An action that is never taken counts 1/e, the largest -p log p, in place of 0."""
    allowed = True if log_prior is None else log_prior > -np.inf
    never = (np.exp(log_policy) == 0.0) & allowed
    return true.entropy(log_policy, log_prior) + never.sum(axis=-1) / np.e


def _sum_for_mean(q: Array, t: float, log_mask: Array | None = None) -> Array:
    return soft(q, t, log_mask)


def _nearly_undiscounted(mdp: maxent.MDP, temperature: float, **options: Any) -> Any:
    """A discount just below 1 in place of 1."""
    return maxent.solve(mdp.replace(discount=min(mdp.discount, 0.999)), temperature, **options)


def _without_entropy(mdp: maxent.MDP, temperature: float, **options: Any) -> Any:
    """The hard gain, whatever the temperature."""
    return maxent.average_reward(mdp, 0.0, **options)


def _sum_of_the_discounted(mdp: maxent.MDP, temperature: float, **options: Any) -> Any:
    """V* of the discounted problem, not multiplied by 1 - gamma."""
    found = maxent.average_reward(mdp, temperature, **options)
    worth = maxent.solve(mdp.replace(discount=0.9), temperature, **options).v.mean()
    return replace(found, lower=worth - 1e-9, upper=worth + 1e-9, gain=worth)


def _known_without_discount(mdp: Any, policy: Any, value: Any, temperature: float) -> Any:
    made = maxent.known_answer(mdp.replace(discount=1.0), policy, value, temperature)
    return SimpleNamespace(mdp=made.mdp.replace(discount=mdp.discount))


OF_A_FUNCTION: dict[str, Functions] = {
    "known answer: V(s') not discounted": {"known_answer": _known_without_discount},
    "known answer: log pi without alpha": {
        "known_answer": lambda mdp, policy, value, _: maxent.known_answer(mdp, policy, value, 1.0)
    },
    "occupancy never accumulates": {"occupancy": _start_only},
    "occupancy sums to 1": {
        "occupancy": lambda mdp, policy: (1.0 - mdp.discount) * maxent.occupancy(mdp, policy)
    },
    "occupancy without the first step": {
        "occupancy": lambda m, pi: maxent.occupancy(m, pi) - m.initial_distribution[:, None] * pi
    },
    "occupancy starts evenly": {"occupancy": _evenly_started},
    "occupancy is not discounted": {"occupancy": _undiscounted_visits},
    "occupancy against the flow": {"occupancy": _against_the_flow},
    "entropy: 0 log 0 is not 0": {"entropy": _zero_log_zero},
    "discounted entropy in bits": {
        "discounted_entropy": lambda *a, **k: maxent.discounted_entropy(*a, **k) / np.log(2.0)
    },
    "entropy of a step for the discounted one": {"discounted_entropy": _entropy_of_a_step},
    "return of the initial step only": {
        "policy_return": lambda mdp, policy: float((_start_only(mdp, policy) * mdp.reward).sum())
    },
    "gradient without the entropy": {"policy_gradient": _gradient_without_entropy},
    "gradient without the value subtracted": {"policy_gradient": _gradient_without_baseline},
    "gradient of the initial step only": {"policy_gradient": _gradient_at_the_start},
    "gradient's sign": {"policy_gradient": lambda *a, **k: -maxent.policy_gradient(*a, **k)},
    "natural step not divided by 1 - gamma": {"natural_policy_gradient": _step_not_divided},
    "trade-off: entropies times alpha": {
        "tradeoff": _curve(entropies=lambda curve: curve.temperatures * curve.entropies)
    },
    "trade-off: objective for return": {"tradeoff": _curve(returns=lambda curve: curve.objectives)},
    "temperature for the entropy of a step": {"temperature_for_entropy": _per_step},
    "mellowmax: sum for mean": {"mellowmax": _sum_for_mean},
    "balance: reward on arrival not discounted": _balance(lambda gamma, c, g, n: -c / np.log(n)),
    "balance: entropy in bits": _balance(lambda gamma, c, g, n: (g / gamma - g - c) / np.log2(n)),
    "first exit: discount .999": {"solve": _nearly_undiscounted},
    "average reward without the entropy": {"average_reward": _without_entropy},
    "average reward: discounted value for gain": {"average_reward": _sum_of_the_discounted},
}
