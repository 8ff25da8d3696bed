"""High-precision answers for small MDPs, independent of the package's own arithmetic.

The MDP as stored (its float64 numbers taken as exact) is solved with 60 digits by Newton's
method, with sums and linear solves of mpmath.
"""

from __future__ import annotations

from collections.abc import Sequence

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
