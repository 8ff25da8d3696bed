"""High-precision answers for small MDPs, independent of the package's own arithmetic.

The MDP as stored (its float64 numbers taken as exact) is solved with 60 digits by Newton's
method, with sums and linear solves of mpmath.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from mpmath import mp, mpf

import maxent

mp.dps = 60
States = list[int]
Actions = dict[int, list[int]]
Table = dict[int, dict[int, mpf]]
"""Numbers by state and available action."""


def _arrays(mdp: maxent.MDP) -> tuple[np.ndarray, States, Actions]:
    transition = mdp.to_dense().transition
    nonterminal = [s for s in range(mdp.n_states) if not mdp.terminal[s]]
    available = {s: [a for a in range(mdp.n_actions) if mdp.action_mask[s, a]] for s in nonterminal}
    return transition, nonterminal, available


def _action_values(
    mdp: maxent.MDP,
    v: Sequence[mpf],
    transition: np.ndarray,
    nonterminal: States,
    available: Actions,
) -> Table:
    discount = mpf(mdp.discount)
    return {
        s: {
            a: mpf(float(mdp.reward[s, a]))
            + discount * mp.fsum(mpf(float(transition[s, a, t])) * v[t] for t in nonterminal)
            for a in available[s]
        }
        for s in nonterminal
    }


def _linear(
    mdp: maxent.MDP,
    policy: Table,
    rewards: dict[int, mpf],
    transition: np.ndarray,
    nonterminal: States,
) -> list[mpf]:
    """Solve (I - gamma P_pi) V = rewards over the non-terminal states."""
    n, discount = len(nonterminal), mpf(mdp.discount)
    system = mp.eye(n)
    for i, s in enumerate(nonterminal):
        for j, t in enumerate(nonterminal):
            flow = mp.fsum(p * mpf(float(transition[s, a, t])) for a, p in policy[s].items())
            system[i, j] -= discount * flow
    solution = mp.lu_solve(system, mp.matrix([rewards[s] for s in nonterminal]))
    v = [mpf(0)] * mdp.n_states
    for i, s in enumerate(nonterminal):
        v[s] = solution[i]
    return v


def optimal_value(
    mdp: maxent.MDP, temperature: float, start: np.ndarray, prior: np.ndarray | None = None
) -> list[mpf]:
    """V* (S,) as mpf, from the float64 values `start` on."""
    transition, nonterminal, available = _arrays(mdp)
    alpha = mpf(float(temperature))
    if prior is not None:
        available = {s: [a for a in acts if prior[s, a] > 0] for s, acts in available.items()}
    v = [mpf(float(x)) for x in start]
    for s in range(mdp.n_states):
        if mdp.terminal[s]:
            v[s] = mpf(0)
    for _ in range(200):
        q = _action_values(mdp, v, transition, nonterminal, available)
        new, policy = {}, {}
        for s in nonterminal:
            top = max(q[s].values())
            if alpha == 0:
                new[s] = top
                policy[s] = {next(a for a in q[s] if q[s][a] == top): mpf(1)}
                continue
            weight = {
                a: mp.exp((q[s][a] - top) / alpha)
                * (1 if prior is None else mpf(float(prior[s, a])))
                for a in q[s]
            }
            total = mp.fsum(weight.values())
            new[s] = top + alpha * mp.log(total)
            policy[s] = {a: w / total for a, w in weight.items()}
        residual = {s: new[s] - v[s] for s in nonterminal}
        size = max((abs(x) for x in v), default=mpf(0)) + alpha + 1
        if max((abs(x) for x in residual.values()), default=mpf(0)) < mpf(10) ** -50 * size:
            return v
        step = _linear(mdp, policy, residual, transition, nonterminal)
        v = [x + d for x, d in zip(v, step, strict=True)]
    raise AssertionError("the high-precision solve did not converge")


def policy_value(
    mdp: maxent.MDP, policy: np.ndarray, temperature: float, prior: np.ndarray | None = None
) -> list[mpf]:
    """V^pi (S,) as mpf of a policy given as float64 probabilities, taken as exact."""
    transition, nonterminal, available = _arrays(mdp)
    alpha = mpf(float(temperature))
    exact, rewards = {}, {}
    for s in nonterminal:
        exact[s] = {a: mpf(float(policy[s, a])) for a in available[s] if policy[s, a] > 0}
        rewards[s] = mp.fsum(
            p
            * (
                mpf(float(mdp.reward[s, a]))
                - alpha * (mp.log(p) - (0 if prior is None else mp.log(mpf(float(prior[s, a])))))
            )
            for a, p in exact[s].items()
        )
    return _linear(mdp, exact, rewards, transition, nonterminal)


def exact_epsilon(q: dict[int, mpf], alpha: mpf, epsilon: float) -> dict[int, mpf]:
    """The projection on an epsilon floor: of all sets of actions above it, the consistent one."""
    order, epsilon = sorted(q, key=lambda a: -q[a]), mpf(epsilon)
    for m in range(len(order), 0, -1):
        if alpha == 0:
            m = 1
        top, share = order[:m], 1 - (len(order) - m) * epsilon
        weights = [1 if alpha == 0 else mp.exp((q[a] - q[order[0]]) / alpha) for a in top]
        policy = dict.fromkeys(order, epsilon)
        policy |= {a: share * w / mp.fsum(weights) for a, w in zip(top, weights, strict=True)}
        if min(policy[a] for a in top) >= epsilon:
            return policy
    raise AssertionError("an epsilon floor always has a consistent set")


def exact_entropy(q: dict[int, mpf], alpha: mpf, floor: float) -> dict[int, mpf]:
    """The projection on an entropy floor, by bisection on the inverse temperature."""
    top, least = max(q.values()), mpf(floor)

    def at(beta: mpf) -> tuple[dict[int, mpf], mpf]:
        weights = {a: mp.exp(beta * (x - top)) for a, x in q.items()}
        total = mp.fsum(weights.values())
        policy = {a: w / total for a, w in weights.items()}
        return policy, -mp.fsum(p * mp.log(p) for p in policy.values() if p > 0)

    low, high = mpf(0), 1 / alpha if alpha else 10**6 / (top - min(q.values()) or 1)
    if at(high)[1] >= least:
        return at(high)[0]
    for _ in range(220):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle)[1] >= least else (low, middle)
    return at(low)[0]


def value_in_set(
    mdp: maxent.MDP,
    temperature: float,
    project: Callable[[dict[int, mpf], mpf], dict[int, mpf]],
    start: np.ndarray,
) -> list[mpf]:
    """V*_Pi (S,) as mpf by policy iteration, from float64 values."""
    transition, nonterminal, available = _arrays(mdp)
    alpha, v = mpf(temperature), [mpf(float(x)) for x in start]
    for _ in range(60):
        q = _action_values(mdp, v, transition, nonterminal, available)
        policy = {s: project(q[s], alpha) for s in nonterminal}
        new = {
            s: mp.fsum(p * (q[s][a] - alpha * mp.log(p)) for a, p in policy[s].items() if p > 0)
            for s in nonterminal
        }
        residual = {s: new[s] - v[s] for s in nonterminal}
        if max(abs(x) for x in residual.values()) < mpf(10) ** -45 * (1 + max(map(abs, v))):
            return v
        step = _linear(mdp, policy, residual, transition, nonterminal)
        v = [x + d for x, d in zip(v, step, strict=True)]
    raise AssertionError("the high-precision solve did not converge")
