"""Many temperatures at once: one read of the transitions serves them all.

Arrays have one column a problem, (S, K): a sweep is one product of the transitions with K vectors,
which costs far less than K products with one.  Each column has its own certified interval
(`bounds.py`); those that have reached what float64 can certify leave, and so do those whose rate
promises no answer soon: they are better solved one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from maxent.mdp import MDP
from maxent.mdp.transitions import is_local
from maxent.support.shapes import Bool, Float, Int
from maxent.tabular.bounds import FixedPointBounds
from maxent.tabular.solvers.arranged import arranged
from maxent.tabular.solvers.certified import Certified
from maxent.tabular.solvers.loop import History

FIRST, AGAIN, SOON = 20, 100, 100
"""Sweeps before the rate of a column is judged, and between two judgements; the most that may still
be to come."""
ENTRIES = 2**22
"""Most numbers in an array (A, S, K)."""


class Rows:
    """The transition rows of an MDP, ready to be multiplied with many value vectors.

    mix : whether sweeps may arrive soon: not where states are coupled to nearby ones alone.
    """

    def __init__(self, mdp: MDP) -> None:
        self.mdp = mdp
        self._rows = arranged(mdp).rows
        self._is_dense = isinstance(self._rows, ndarray)
        self._discounted = not self._is_dense and not mdp.is_matrix_free
        self._arrival = mdp.discount_on_arrival[:, None]
        self.mix = not mdp.is_sparse or not is_local(mdp.transition)

    @property
    def columns(self) -> int:
        """How many columns at a time keep arrays (A, S, K) small."""
        return max(1, ENTRIES // self.mdp.reward.size)

    def expect(self, v: Float[ndarray, "S K"]) -> Float[ndarray, "A S K"]:
        """gamma E_{s'}[v(s')], without what lies beyond a terminal state."""
        n_states, n_actions = self.mdp.reward.shape
        product = self._rows @ (v if self._discounted else self._arrival * v)
        found: Float[ndarray, "A S K"] = (
            product.reshape(n_states, n_actions, -1).transpose(1, 0, 2)
            if self._is_dense
            else product.reshape(n_actions, n_states, -1)
        )
        return found


@dataclass(eq=False)
class SoftColumns:
    """The soft Bellman optimality operators of K problems that share their transitions.

    temperatures : (K,), above 0.
    scores : (A, S, K), r + alpha log prior of each.
    """

    rows: Rows
    temperatures: Float[ndarray, " K"]
    scores: Float[ndarray, "A S K"]

    def __call__(self, v: Float[ndarray, "S K"]) -> Float[ndarray, "S K"]:
        """T V of each column, 0 at terminal states."""
        weights, top = self._weights(v)
        top += self.temperatures * np.log(weights.sum(axis=0))
        top[self.rows.mdp.terminal] = 0.0
        return top

    def log_policies(self, v: Float[ndarray, "S K"]) -> Float[ndarray, "A S K"]:
        """The Boltzmann policy of each column, as logs."""
        shifted = self._shifted(v)[0]
        with np.errstate(under="ignore"):
            found: ndarray = shifted - np.log(np.exp(shifted).sum(axis=0))
        return found

    def keep(self, columns: Int[ndarray, " M"]) -> SoftColumns:
        """Only these problems."""
        return SoftColumns(
            self.rows, self.temperatures[columns], np.ascontiguousarray(self.scores[..., columns])
        )

    def _shifted(self, v: ndarray) -> tuple[ndarray, ndarray]:
        """(q - max q) / alpha, (A, S, K), and max q, (S, K)."""
        scores = self.rows.expect(v) + self.scores
        top = scores.max(axis=0)
        scores -= top
        if (self.temperatures != 1.0).any():
            with np.errstate(over="ignore"):
                scores /= self.temperatures
        return scores, top

    def _weights(self, v: ndarray) -> tuple[ndarray, ndarray]:
        scores, top = self._shifted(v)
        with np.errstate(under="ignore"):
            return np.exp(scores, out=scores), top


@dataclass(eq=False)
class PolicyColumns:
    """The evaluation operators of K policies, each with M rewards of its own: M K columns.

    policies : (A, S, K).  rewards : (S, M, K), 0 at terminal states.
    """

    rows: Rows
    policies: Float[ndarray, "A S K"]
    rewards: Float[ndarray, "S M K"]

    def __call__(self, v: Float[ndarray, "S MK"]) -> Float[ndarray, "S MK"]:
        """T^pi V of each column, 0 at terminal states."""
        found = self.rewards.copy()
        expected = self.rows.expect(v).reshape(len(self.policies), *found.shape)
        for policy, product in zip(self.policies, expected, strict=True):
            found += policy[:, None, :] * product
        found[self.rows.mdp.terminal] = 0.0
        return found.reshape(len(found), -1)

    def keep(self, columns: Int[ndarray, " N"]) -> PolicyColumns:
        """Only these columns, each with a policy of its own."""
        n_states, _, n_policies = self.rewards.shape
        rewards = self.rewards.reshape(n_states, 1, -1)[..., columns]
        return PolicyColumns(self.rows, self.policies[..., columns % n_policies], rewards)


Columns = SoftColumns | PolicyColumns


def certify_columns(
    operator: Columns, bounds: Sequence[FixedPointBounds], v: Float[ndarray, "S K"]
) -> tuple[Float[ndarray, "S K"], list[Certified]]:
    """T V, and for each column the interval that it certifies (`certified.py`)."""
    tv = operator(v)
    b = tv - v
    terminal = operator.rows.mdp.terminal
    inner = b[~terminal] if terminal.any() else b
    if not len(inner):
        inner = np.zeros((1, v.shape[1]))
    ends = zip(*(x.tolist() for x in (inner.min(0), inner.max(0), tv.min(0), tv.max(0))))
    sizes = np.abs(v).max(axis=0).tolist()
    found = []
    for k, ((least, greatest, low, high), size) in enumerate(zip(ends, sizes, strict=True)):
        norm = max(abs(low), abs(high), size)
        below, above = bounds[k].interval(least, greatest, norm)
        residual = max(abs(least), abs(greatest))
        value_size = max(high + below, -(low + above), 0.0)
        found.append(
            Certified(
                tv[:, k], b[:, k], below, above, residual, norm, value_size, terminal=terminal
            )
        )
    return tv, found


def sweep_columns(
    operator: Columns, bounds: Sequence[FixedPointBounds], start: Float[ndarray, "S K"]
) -> tuple[Float[ndarray, "S K"], Bool[ndarray, " K"]]:
    """The values of each column after sweeps, and whether those have brought them to rounding.

    A column has arrived once its interval is at most three times as wide as rounding alone makes it
    and narrows no more; its values are then the midpoint.
    """
    v, found = start, start.copy()
    arrived = np.zeros(start.shape[1], dtype=bool)
    left = np.arange(start.shape[1])
    widths: list[list[float]] = [[] for _ in left]
    while left.size:
        v, certified = certify_columns(operator, [bounds[k] for k in left.tolist()], v)
        stay = np.ones(len(left), dtype=bool)
        for place, (k, now) in enumerate(zip(left.tolist(), certified, strict=True)):
            widths[k].append(now.width)
            goal = 6.0 * bounds[k].floor(now.norm)
            if now.residual == 0.0 or (now.width <= goal and _narrows_no_more(widths[k])):
                found[:, k], arrived[k], stay[place] = now.midpoint()[0], True, False
            elif _is_slow(widths[k], goal):
                found[:, k], stay[place] = now.tv, False
            elif (
                bounds[k].gain_high < 1.01 * bounds[k].gain_low
            ):  # T (V + c) is nearly T V + gamma c
                v[:, place] += 0.5 * (now.below + now.above)
        if not stay.all():
            operator, left, v = operator.keep(np.flatnonzero(stay)), left[stay], v[:, stay]
    return found, arrived


def _narrows_no_more(widths: list[float]) -> bool:
    return len(widths) > 1 and widths[-1] >= 0.9 * widths[-2]


def _is_slow(widths: list[float], goal: float) -> bool:
    since = len(widths) - FIRST
    if since < 0 or since % AGAIN:
        return False
    return History(len(widths), widths, goal, ()).iterations_left() > SOON
