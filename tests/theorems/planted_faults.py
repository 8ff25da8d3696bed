"""Operators with one fault each, for testing that the theorems' checks notice.

`faulty(name)` is a namespace like `maxent.tabular.operators` in which the fault is in one formula
and the operators built on that formula inherit it, as they would in the real module.

Run as a program it prints the tables fault x key of docs/checks.md.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

import maxent
from maxent.tabular import operators as true


def family(
    *,
    soft_value=true.soft_value,
    boltzmann_policy=true.boltzmann_policy,
    policy_value=true.policy_value,
    backup=true.backup,
    soft_policy_bellman=None,
):
    """The seven operators, built on the five formulas given."""

    def soft_bellman(mdp, q, temperature, log_prior=None):
        log_prior = mdp.log_mask if log_prior is None else log_prior
        return backup(mdp, soft_value(q, temperature, log_prior))

    def built_policy_bellman(mdp, q, log_policy, temperature, log_prior=None):
        log_prior = mdp.log_mask if log_prior is None else log_prior
        return backup(mdp, policy_value(q, log_policy, temperature, log_prior))

    return SimpleNamespace(
        soft_value=soft_value,
        boltzmann_policy=boltzmann_policy,
        policy_value=policy_value,
        backup=backup,
        soft_bellman=soft_bellman,
        soft_policy_bellman=soft_policy_bellman or built_policy_bellman,
        soft_policy_improvement=lambda q, temperature, log_prior=None: boltzmann_policy(
            q, temperature, log_prior
        ),
    )


def _expected(q, log_policy):
    policy = np.exp(log_policy)
    return np.where(policy > 0, policy * q, 0.0).sum(axis=-1)


def _masked(q, log_prior):
    return q if log_prior is None else np.where(log_prior > -np.inf, q, -np.inf)


def _alpha_missing_in_policy_value(q, log_policy, temperature, log_prior=None):
    return true.policy_value(q, log_policy, 1.0, log_prior)


def _alpha_missing_inside(q, temperature, log_prior=None):
    return temperature * true.soft_value(q, 1.0, log_prior)


def _alpha_missing_outside(q, temperature, log_prior=None):
    return true.soft_value(q, temperature, log_prior) / temperature


def _boltzmann_average(q, temperature, log_prior=None):
    return _expected(q, true.boltzmann_policy(q, temperature, log_prior))


def _no_logarithm(q, temperature, log_prior=None):
    scores = _masked(q, log_prior) / temperature
    return temperature * np.exp(scores).sum(axis=-1)


def _wrong_sign(q, log_policy, temperature, log_prior=None):
    return _expected(q, log_policy) - temperature * true.entropy(log_policy, log_prior)


def _entropy_undiscounted(mdp, q, log_policy, temperature, log_prior=None):
    log_prior = mdp.log_mask if log_prior is None else log_prior
    bonus = np.where(mdp.terminal, 0.0, temperature * true.entropy(log_policy, log_prior))
    return true.backup(mdp, _expected(q, log_policy)) + mdp.expect(bonus)


def _policy_not_divided(q, temperature, log_prior=None):
    return true.boltzmann_policy(q, 1.0, log_prior)


def _unnormalised(q, temperature, log_prior=None):
    logits = q / temperature
    return logits if log_prior is None else logits + log_prior


def _hard_maximum(q, temperature, log_prior=None):
    return true.soft_value(q, 0.0, log_prior)


def _discount_twice(mdp, v):
    return mdp.reward + mdp.expect(mdp.discount * mdp.discount_on_arrival * v)


def _no_discount(mdp, v):
    return mdp.reward + mdp.expect(np.where(mdp.terminal, 0.0, v))


def _terminal_bootstrapped(mdp, v):
    return mdp.reward + mdp.expect(mdp.discount * v)


def _transposed(mdp, v):
    dense = mdp.transition_rows
    dense = np.asarray(dense.toarray() if mdp.is_sparse else dense)
    dense = dense.reshape(mdp.n_states, mdp.n_actions, mdp.n_states)
    return mdp.reward + np.einsum("tas,t->sa", dense, mdp.discount_on_arrival * v)


def in_float32(function, position):
    """The function with its temperature, the argument at `position`, rounded to float32."""

    def rounded(*given):
        given = list(given)
        given[position] = float(np.float32(given[position]))
        return function(*given)

    return rounded


FAULTS = {
    "alpha missing in the policy's value": {"policy_value": _alpha_missing_in_policy_value},
    "alpha missing inside log-sum-exp": {"soft_value": _alpha_missing_inside},
    "alpha missing outside log-sum-exp": {"soft_value": _alpha_missing_outside},
    "Boltzmann average for log-sum-exp": {"soft_value": _boltzmann_average},
    "no logarithm: sum of exp": {"soft_value": _no_logarithm},
    "wrong sign of the entropy": {"policy_value": _wrong_sign},
    "next state's entropy undiscounted": {"soft_policy_bellman": _entropy_undiscounted},
    "policy not divided by alpha": {"boltzmann_policy": _policy_not_divided},
    "policy not normalised": {"boltzmann_policy": _unnormalised},
    "alpha in float32": {
        "soft_value": in_float32(true.soft_value, 1),
        "boltzmann_policy": in_float32(true.boltzmann_policy, 1),
        "policy_value": in_float32(true.policy_value, 2),
    },
    "alpha in float32, soft value only": {"soft_value": in_float32(true.soft_value, 1)},
    "alpha in float32, policy only": {"boltzmann_policy": in_float32(true.boltzmann_policy, 1)},
    "mask ignored by the soft value": {"soft_value": lambda q, t, p=None: true.soft_value(q, t)},
    "mask ignored by the policy": {
        "boltzmann_policy": lambda q, t, p=None: true.boltzmann_policy(q, t)
    },
    "hard maximum for log-sum-exp": {"soft_value": _hard_maximum},
    "discount applied twice": {"backup": _discount_twice},
    "discount not applied": {"backup": _no_discount},
    "terminal states bootstrapped": {"backup": _terminal_bootstrapped},
    "transition transposed": {"backup": _transposed},
}


def faulty(name: str) -> SimpleNamespace:
    return family(**FAULTS[name])


def ordinary_mdps() -> dict[str, maxent.MDP]:
    """Ordinary, but each fault must be able to matter: some actions masked, one terminal state."""
    return {
        "dense": maxent.garnet(7, 3, discount=0.9, seed=1, terminal=1, masked=0.3),
        "sparse": maxent.garnet(12, 4, discount=0.95, seed=2, branching=3, terminal=1, masked=0.3),
    }


def caught_by(name: str, mdp: maxent.MDP, temperature: float) -> dict[str, list[str]]:
    """Key -> the clauses that fail under this fault."""
    report = maxent.verify(mdp, temperature, operators=faulty(name))
    caught: dict[str, list[str]] = {}
    for check in report:
        if check.verdict == "fails":
            caught.setdefault(check.key, []).append(check.clause)
    return caught


CORE = ("SQL-T1", "SQL-T2", "SQL-T3", "SQL-T4", "SAC-L1", "SAC-L2", "SAC-T1")
"""The theorems of the two papers: the keys of the first table."""


def tables(mdp: maxent.MDP, temperature: float) -> tuple[str, str]:
    """Markdown: how many clauses of the papers' theorems fail under each fault; then which of the
    other keys catch it, with that number."""
    from maxent.theorems.catalogue import CLAUSES

    total = {key: sum(clause.key == key for clause in CLAUSES) for key in CORE}
    first = [["fault", *(f"{key} ({total[key]})" for key in CORE)], ["---", *(":-:" for _ in CORE)]]
    second = [["fault", "also caught by"], ["---", "---"]]
    for name in FAULTS:
        caught = caught_by(name, mdp, temperature)
        first.append([name, *(str(len(caught.get(key, [])) or "·") for key in CORE)])
        others = [f"{key} {len(found)}" for key, found in caught.items() if key not in CORE]
        second.append([name, ", ".join(others) or "·"])
    return _markdown(first), _markdown(second)


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    print("\n\n".join(tables(ordinary_mdps()["dense"], 0.1)))
