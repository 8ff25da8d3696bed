"""LMDP: linearly solvable MDPs (Todorov 2007), derived from the MDP at hand.

The control chooses the law of the next state, at the cost alpha KL(p || passive).  Passive are the
dynamics under the prior (uniform over the available actions if none is given), the reward of a
state is the mean reward there.  As an MDP: one action for each possible successor, with the passive
probabilities as prior.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray
from scipy import sparse
from scipy.sparse import linalg

from maxent.mdp import MDP
from maxent.support.arrays import closure
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import FACTORISABLE, Hypothesis, at_most_pairs
from maxent.theorems.instance import Instance, once_for_all
from maxent.theorems.reference import EPS_LONG, LONG

HORIZON = 10
ENTRIES = 2_000_000


class Passive:
    """Passive dynamics (S, S), rows summing to 1, and the states' rewards (S,)."""

    def __init__(self, instance: Instance) -> None:
        mdp, problem = instance.mdp, instance.problem
        weights = np.where(problem.support, np.exp(problem.log_prior.astype(np.float64)), 0.0)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
        n_states, n_actions = weights.shape
        columns = np.arange(n_states * n_actions)
        average = sparse.csr_array(
            (weights.ravel(), columns, np.arange(0, columns.size + 1, n_actions)),
            shape=(n_states, n_states * n_actions),
        )
        moves = sparse.csr_array(average @ sparse.csr_array(mdp.transition_rows))
        moves.eliminate_zeros()
        sums = np.asarray(moves.sum(axis=1)).ravel()
        moves.data /= np.repeat(np.where(sums > 0.0, sums, 1.0), np.diff(moves.indptr))
        moves.sort_indices()
        self.moves, self.nonterminal = moves, problem.nonterminal
        self.reward = np.where(problem.support, weights * problem.reward, 0.0).sum(axis=1)
        self.reward = self.reward.astype(np.float64)

    def instance(self, instance: Instance, reward: ndarray) -> Instance:
        """The instance of the MDP whose actions are the successors, without discount."""
        moves = self.moves
        counts = np.diff(moves.indptr)
        n_states, n_actions = len(counts), max(int(counts.max()), 1)
        state = np.repeat(np.arange(n_states), counts)
        action = np.arange(moves.nnz) - moves.indptr[state]
        prior = np.zeros((n_states, n_actions))
        prior[state, action] = moves.data
        mask = prior > 0.0
        mask[~mask.any(axis=1), 0] = True  # terminal states
        prior[:, 0] = np.where(prior.sum(axis=1) > 0.0, prior[:, 0], 1.0)
        ones = np.ones(moves.nnz)
        rows = (ones, (state * n_actions + action, moves.indices))
        mdp = MDP(
            sparse.csr_array(rows, shape=(n_states * n_actions, n_states)),
            np.where(mask, reward[:, None], 0.0),
            discount=1.0,
            initial_distribution=instance.mdp.initial_distribution,
            terminal=instance.mdp.terminal,
            action_mask=mask,
        )
        return instance.variant(mdp=mdp, prior=prior)

    def exits(self) -> bool:
        """Whether a terminal state is within reach of every state."""
        return bool(
            closure(~self.nonterminal, lambda at: self.moves @ at.astype(float) > 0.0).all()
        )


@once_for_all
def passive(instance: Instance) -> Passive:
    """The passive dynamics of an instance."""
    return Passive(instance)


def _in_range(instance: Instance) -> bool:
    most = 0.5 * float(np.log(np.finfo(LONG).max))
    largest = float(np.abs(instance.problem.reward).max(initial=0.0))
    return instance.temperature > 0.0 and HORIZON * largest <= most * instance.temperature


EXPONENTIAL = Hypothesis(
    f"exp({HORIZON} r / alpha) within the range of extended precision", _in_range
)
EXITS = Hypothesis(
    "a terminal state within reach of every state (spectral radius below 1)",
    lambda instance: (
        bool((~instance.problem.nonterminal).any() and instance.problem.nonterminal.any())
        and instance.problem.n_states <= 2_000
        and passive(instance).exits()
    ),
)


@clause("LMDP", "finite horizon", EXPONENTIAL, at_most_pairs(ENTRIES))
def linear_recursion(instance: Instance) -> Iterator[Case]:
    """z_t = exp(r / alpha) P z_(t+1), linear, with z = exp(V / alpha), 1 at the end: it agrees with
    soft value iteration with the passive dynamics as prior, without discount."""
    dynamics = passive(instance)
    other = dynamics.instance(instance, dynamics.reward)
    alpha = other.problem.temperature
    weight = np.exp(dynamics.reward.astype(LONG) / alpha)
    moves = sparse.csr_array(dynamics.moves, dtype=LONG)
    z, v, rounding = np.ones(len(weight), dtype=LONG), np.zeros(len(weight)), 0.0
    for k in range(1, HORIZON + 1):
        z = np.where(dynamics.nonterminal, weight * (moves @ z), LONG(1.0))
        q = other.backup(v)
        v = np.where(dynamics.nonterminal, other.soft_value(q), 0.0)
        rounding += other.sweep_rounding(q)
        terms = other.problem.longest_row + other.problem.n_actions + 8
        own = 4.0 * float(alpha) * EPS_LONG * terms
        yield other.equal(v, alpha * np.log(z), rounding + k * own, steps=k)


@clause("LMDP", "first exit", FACTORISABLE, EXITS)
def first_exit(instance: Instance) -> Iterator[Case]:
    """With rewards at most 0 on states, z = exp(r / alpha) P z, z = 1 at terminal states, is a
    linear system; V = alpha log z solves the soft Bellman equation with the passive dynamics as
    prior (rewards scaled so that z stays in range)."""
    dynamics = passive(instance)
    nonterminal = dynamics.nonterminal
    cost = dynamics.reward - dynamics.reward[nonterminal].max()
    size = float(np.abs(cost[nonterminal]).max())
    reward = cost / size * (instance.temperature / nonterminal.sum()) if size > 0.0 else 0.0 * cost
    reward = np.where(nonterminal, reward, 0.0)
    other = dynamics.instance(instance, reward)
    alpha = other.problem.temperature
    weight = np.where(nonterminal, np.exp(reward.astype(LONG) / alpha), LONG(0.0))
    moves = sparse.csr_array(dynamics.moves, dtype=LONG)
    outside = (~nonterminal).astype(LONG)
    system = (
        sparse.eye_array(len(weight)) - sparse.diags_array(weight.astype(float)) @ dynamics.moves
    )
    factors = linalg.splu(sparse.csc_array(system))
    z = outside.copy()
    for _ in range(8):
        left = weight * (moves @ z) + outside - z
        z = z + factors.solve(left.astype(np.float64))
    left = np.abs(weight * (moves @ z) + outside - z)
    terms = other.problem.longest_row + other.problem.n_actions + 8
    doubt = float(alpha * (left / np.maximum(z, EPS_LONG)).max())
    tolerance = 16.0 * float(alpha) * EPS_LONG * terms
    v = np.where(nonterminal, alpha * np.log(np.maximum(z, EPS_LONG)), 0.0).astype(np.float64)
    q = other.backup(v)
    tolerance += 2.0 * other.sweep_rounding(q)
    yield other.equal(other.soft_value(q), v, tolerance, doubt)
