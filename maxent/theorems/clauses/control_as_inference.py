"""INFERENCE: control as inference, by enumerating every trajectory.

A small instance is made of the MDP: no discount, a short horizon, one start state; and for the
first clause deterministic dynamics (the likeliest successor of each state and action).  The
time-indexed policy pi*_t comes from backward induction with the operators.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP
from maxent.tabular.bounds import longest_row
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import EXACT_ROWS, Hypothesis
from maxent.theorems.instance import Instance

MOST = 3_000
"""Trajectories enumerated at most."""
LONGEST = 6
LONG = np.longdouble


@dataclass(frozen=True)
class Trajectories:
    """All trajectories from `start` of `horizon` steps, fewer where they end; N of them.

    actions: (N, horizon), -1 after the end.  reward, log_prior, log_policy, log_dynamics: (N,),
    sums along the trajectory.
    """

    actions: ndarray
    reward: ndarray
    log_prior: ndarray
    log_policy: ndarray
    log_dynamics: ndarray
    start: int
    horizon: int


def horizon_for(branches: int) -> int:
    """The longest horizon, at most 6, with at most 3,000 trajectories; 0 if none."""
    if branches <= 1:
        return LONGEST
    return min(LONGEST, int(math.log(MOST) / math.log(branches) + 1e-9))


def enumerate_all(instance: Instance, policies: list[ndarray]) -> Trajectories:
    """Every trajectory of positive prior and probability, from the likeliest start."""
    problem, mdp = instance.problem, instance.mdp
    start = int(np.argmax(np.where(problem.nonterminal, 1.0 + mdp.initial_distribution, -1.0)))
    rows = mdp.transition_rows
    found: list[Any] = [((), start, LONG(0.0), LONG(0.0), LONG(0.0), LONG(0.0))]
    for log_policy in policies:
        longer = []
        for path in found:
            actions, state, *sums = path
            if not problem.nonterminal[state]:
                longer.append(((*actions, -1), state, *sums))
                continue
            for action in np.flatnonzero(problem.support[state]):
                gained = (
                    problem.reward[state, action],
                    problem.log_prior[state, action],
                    LONG(log_policy[state, action]),
                )
                now = [old + new for old, new in zip(sums, gained)]
                row = int(state * problem.n_actions + action)
                for successor, probability in _successors(rows, row):
                    taken = (*actions, int(action))
                    longer.append((taken, successor, *now, sums[3] + np.log(LONG(probability))))
        found = longer
    reward, prior, policy, dynamics = (
        np.array([path[i] for path in found], dtype=LONG) for i in range(2, 6)
    )
    actions = np.array([path[0] for path in found])
    return Trajectories(actions, reward, prior, policy, dynamics, start, len(policies))


def _successors(rows: Any, row: int) -> list[tuple[int, float]]:
    if sparse.issparse(rows):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        states, probabilities = rows.indices[part], rows.data[part]
    else:
        states = np.flatnonzero(rows[row])
        probabilities = rows[row, states]
    return [(int(state), float(p)) for state, p in zip(states, probabilities) if p > 0.0]


def induction(instance: Instance, horizon: int) -> tuple[list[ndarray], ndarray, float]:
    """log pi*_t for t = 0 ... horizon-1, V_0, and the rounding of V_0, by the operators."""
    v, rounding = np.zeros(instance.mdp.n_states), 0.0
    policies = []
    for _ in range(horizon):
        q = instance.backup(v)
        policies.append(instance.boltzmann_policy(q))
        v = np.where(instance.problem.nonterminal, instance.soft_value(q), 0.0)
        rounding += instance.sweep_rounding(q)
    return policies[::-1], v, rounding


def deterministic(mdp: MDP) -> MDP:
    """Each state and action to its likeliest successor, without discount."""
    rows = sparse.csr_array(mdp.transition_rows)
    filled = np.flatnonzero(np.diff(rows.indptr))
    order = np.lexsort((-rows.data, np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))))
    successor = rows.indices[order][rows.indptr[filled]]
    shape = rows.shape
    sure = sparse.csr_array((np.ones(len(filled)), (filled, successor)), shape=shape)
    if not mdp.is_sparse:
        return mdp.replace(
            transition=sure.toarray().reshape(mdp.transition.shape), reward=mdp.reward, discount=1.0
        )
    return mdp.replace(transition=sure, reward=mdp.reward, discount=1.0)


def _most_actions(instance: Instance) -> int:
    return int(instance.problem.support.sum(axis=1).max(initial=0))


def _branches(instance: Instance) -> int:
    rows = instance.mdp.transition_rows
    counts = np.diff(rows.indptr) if sparse.issparse(rows) else (rows != 0.0).sum(axis=1)
    return _most_actions(instance) * int(counts.max(initial=0))


FEW_ACTIONS = Hypothesis(
    f"at most {MOST:,} trajectories of 2 steps in the deterministic instance",
    lambda instance: horizon_for(_most_actions(instance)) >= 2,
)
FEW_BRANCHES = Hypothesis(
    f"at most {MOST:,} trajectories of 2 steps",
    lambda instance: horizon_for(_branches(instance)) >= 2,
)


@clause("INFERENCE", "deterministic dynamics", FEW_ACTIONS)
def deterministic_law(instance: Instance) -> Iterator[Case]:
    """Deterministic dynamics, fixed start, finite horizon, no discount: the law of the trajectory
    under pi*_t is prior exp(R / alpha) / Z, and alpha log Z = V_0 (every trajectory, in reward)."""
    sure = instance.variant(mdp=deterministic(instance.mdp))
    policies, v, rounding = induction(sure, horizon_for(_most_actions(instance)))
    paths = enumerate_all(sure, policies)
    alpha = sure.problem.temperature
    partition = alpha * np.logaddexp.reduce(paths.reward / alpha + paths.log_prior)
    law, posterior = alpha * paths.log_policy, paths.reward + alpha * paths.log_prior - partition
    worst = int(np.argmax(np.abs(instance.difference(law, posterior))))
    names: dict[str, Any] = {"start": paths.start}
    names["trajectory"] = tuple(paths.actions[worst].tolist())
    tolerance = 2.0 * paths.horizon * rounding
    yield instance.equal(law[worst], posterior[worst], tolerance, part="law", **names)
    yield instance.equal(v[paths.start], partition, tolerance, part="V_0", start=paths.start)


@clause(
    "INFERENCE",
    "stochastic dynamics",
    EXACT_ROWS,
    FEW_BRANCHES,
    source="Levine (2018), Sec. 2.4: the policy is causal, the posterior also bends the dynamics",
)
def stochastic_law(instance: Instance) -> Iterator[Case]:
    """The posterior prod P prior exp(R / alpha) / Z is not the law under pi*: alpha log Z - V_0 =
    alpha KL(law under pi* || posterior) >= 0."""
    undiscounted = instance.variant(mdp=instance.mdp.replace(discount=1.0))
    policies, v, rounding = induction(undiscounted, horizon_for(_branches(instance)))
    paths = enumerate_all(undiscounted, policies)
    alpha = undiscounted.problem.temperature
    scores = paths.reward / alpha + paths.log_prior + paths.log_dynamics
    partition = alpha * np.logaddexp.reduce(scores)
    value = v[paths.start]
    with np.errstate(all="ignore"):
        law = np.exp(paths.log_policy + paths.log_dynamics)
        terms = alpha * (paths.log_policy - paths.log_prior) - paths.reward + partition
        divergence = np.where(law > 0.0, law * terms, 0.0).sum()
    spread = np.finfo(np.float64).eps * (longest_row(instance.mdp.transition_rows) + 2)
    tolerance = paths.horizon * (2.0 * rounding + 8.0 * instance.temperature * spread)
    names: dict[str, Any] = {"start": paths.start, "horizon": paths.horizon}
    gap = instance.difference(partition, value)
    yield instance.at_most(
        np.asarray(value), partition, tolerance, part="V_0 <= alpha log Z", **names
    )
    yield instance.equal(gap, divergence, tolerance, part="the gap is a KL", **names)
