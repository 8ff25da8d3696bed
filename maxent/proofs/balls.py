r"""Bellman operators in ball arithmetic: every number a midpoint with a radius, rounding included.

The numbers of an MDP are taken as they are stored, float64 being exact.  An operator is a list of
*summands* per state, (constant, bonus, successors, probabilities) each, and

    (T V)(s) = alpha log sum_i exp((constant_i + bonus_i + gamma sum_t p_i(t) V(t)) / alpha),

the maximum at alpha = 0.  The optimality operator (SQL-T3) has a summand for each action, with the
reward as constant and alpha log prior as bonus; the evaluation of a policy (SAC-L1) has one summand
per state, of which the soft maximum is the identity.  Terminal states have V = 0 and are left out.

`certify` turns one application into bounds on the fixed point, as `maxent.tabular.bounds` does,
but nothing is assumed of floating-point arithmetic: sums of rows are those of the stored numbers,
and each operation encloses its exact result.  python-flint does the arithmetic; it is imported
here, when first used, and in the checker of certificates, nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ModelError
from maxent.mdp import MDP
from maxent.support.extras import optional_module
from maxent.support.memory import require_memory

Ball = Any
"""A `flint.arb`."""


def flint() -> Any:
    """The module python-flint; MissingExtraError where it is not installed."""
    return optional_module("flint", "proofs need the ball arithmetic of")


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Midpoints of `bits` bits inside."""
    with flint().ctx.workprec(bits):
        yield


@dataclass(frozen=True)
class Summand:
    """One summand of the soft maximum: what it pays, and where it leads."""

    constant: Ball
    bonus: Ball | None
    successors: list[int]
    probabilities: list[Ball]


@dataclass(frozen=True)
class Operator:
    """A Bellman operator on the values of the states that are not terminal.

    states: their indices.  summands, actions: for each of them its summands, and which actions
    these are.  least, greatest: bounds (balls) on gamma times a row sum, over all summands.
    """

    states: list[int]
    summands: list[list[Summand]]
    actions: list[list[int]]
    discount: Ball
    temperature: Ball
    n_states: int
    least: Ball
    greatest: Ball

    def scores(self, summands: Sequence[Summand], v: Sequence[Ball]) -> list[Ball]:
        """constant + bonus + gamma sum p V of each summand; v by state, 0 at terminal states."""
        found = []
        for summand in summands:
            total: Ball = 0
            for state, probability in zip(summand.successors, summand.probabilities):
                total += probability * v[state]
            score = total * self.discount + summand.constant
            found.append(score if summand.bonus is None else score + summand.bonus)
        return found

    def apply(self, v: Sequence[Ball]) -> tuple[list[Ball], list[list[Ball]]]:
        """T V at each state of `states`, and the scores behind it."""
        values, listed = [], []
        for summands in self.summands:
            scores = self.scores(summands, v)
            values.append(soft_maximum(scores, self.temperature))
            listed.append(scores)
        return values, listed

    def policy(self, scores: Sequence[Sequence[Ball]], n_actions: int) -> ndarray:
        """The float64 Boltzmann policy (S, A) of the scores, one greedy action at temperature 0;
        of an evaluation operator: 1 for its summand.  Not certified; zero at terminal states."""
        policy = np.zeros((self.n_states, n_actions))
        for state, own, actions in zip(self.states, scores, self.actions):
            top = largest(own)
            for action, score in zip(actions, own):
                if self.temperature == 0:
                    policy[state, action] = float(score is top)
                else:
                    policy[state, action] = math.exp(
                        max(-745.0, min(0.0, float((score - top) / self.temperature)))
                    )
            policy[state] /= policy[state].sum()
        return policy

    def boltzmann(self, scores: Sequence[Ball]) -> list[Ball]:
        """The probabilities of one state's summands, enclosed: exp(score / alpha) normalised.  At
        temperature 0: 1 for the only maximum, [0, 1] for those that may be it, 0 for the others."""
        arb = flint().arb
        either = arb(0.5, 0.5)
        top = largest(scores)
        if self.temperature == 0:
            tied = [not (score < top) for score in scores]
            alone = sum(tied) == 1
            return [(arb(1) if alone else either) if tie else arb(0) for tie in tied]
        weights = [
            arb(1) if score is top else ((score - top) / self.temperature).exp() for score in scores
        ]
        total = sum(weights)
        found = [weight / total for weight in weights]
        return [p if p.is_finite() and p.rad() < 0.5 else either for p in found]


def soft_maximum(scores: Sequence[Ball], temperature: Ball) -> Ball:
    """alpha log sum exp(score / alpha), the maximum at alpha = 0.

    Where the scores are less certain than alpha, it is enclosed between the maximum and the
    maximum + alpha log n (GIBBS-4), which is then the sharper way.
    """
    top = largest(scores)
    if len(scores) == 1:
        return top
    if temperature != 0:
        total: Ball = 1
        for score in scores:
            if score is not top:
                exponent = (score - top) / temperature
                if not exponent.rad() < 1:
                    break
                total += exponent.exp()
        else:
            return top + temperature * total.log()
    arb = flint().arb
    best = scores[0]
    for score in scores[1:]:
        best = best.max(score)
    return best + temperature * arb(len(scores)).log() * arb(0.5, 0.5)


def largest(scores: Sequence[Ball]) -> Ball:
    """A score that no other certainly exceeds."""
    top = scores[0]
    for score in scores:
        if score > top:
            top = score
    return top


def optimality_operator(mdp: MDP, temperature: float, prior: ndarray | None) -> Operator:
    """T of SQL-T3.  prior: float64 probabilities (S, A), or None."""
    arb = flint().arb
    alpha = arb(temperature)
    allowed = mdp.action_mask if prior is None else prior > 0.0
    rows = _Rows(mdp)
    summands, actions, states = [], [], np.flatnonzero(~mdp.terminal).tolist()
    for state in states:
        own = np.flatnonzero(allowed[state]).tolist()
        actions.append(own)
        summands.append(
            [
                Summand(
                    arb(float(mdp.reward[state, action])),
                    None if prior is None else alpha * arb(float(prior[state, action])).log(),
                    *rows.of(state, action),
                )
                for action in own
            ]
        )
    return _operator(mdp, alpha, states, summands, actions)


def evaluation_operator(
    mdp: MDP,
    temperature: float,
    prior: ndarray | None,
    probabilities: Callable[[int], dict[int, Ball]],
    normalised: bool = False,
) -> Operator:
    """T^pi of SAC-L1.  probabilities(state): pi(a|s) > 0 by action, as balls.

    normalised: the exact probabilities, of which the balls are enclosures, sum to 1, so that a row
    sum of P_pi lies between those of the actions.
    """
    arb = flint().arb
    alpha = arb(temperature)
    rows = _Rows(mdp)
    summands, states = [], np.flatnonzero(~mdp.terminal).tolist()
    masses: list[Ball] = []
    for state in states:
        earned, moves = arb(0), dict[int, Ball]()
        for action, p in probabilities(state).items():
            earned += p * arb(float(mdp.reward[state, action]))
            if alpha != 0:
                earned -= alpha * times_log(p)
                if prior is not None:
                    earned += alpha * p * arb(float(prior[state, action])).log()
            successors, arrivals = rows.of(state, action)
            if normalised:
                masses.append(sum(arrivals, arb(0)))
            for successor, probability in zip(successors, arrivals):
                step = p * probability
                moves[successor] = moves[successor] + step if successor in moves else step
        summands.append([Summand(earned, None, list(moves), list(moves.values()))])
    return _operator(mdp, alpha, states, summands, [[0] for _ in states], masses)


def times_log(p: Ball) -> Ball:
    """p log p for a probability, with 0 log 0 = 0."""
    arb = flint().arb
    if p > 0:
        return p * p.log()
    high = p.upper()
    if not high > 0:
        return arb(0)
    least = high * high.log() if high < arb("0.36") else arb(-1)  # it falls until 1/e
    return least * arb(0.5, 0.5)


def certify(operator: Operator, v: Sequence[Ball]) -> tuple[Ball, ndarray, list[list[Ball]]]:
    """(radius, b, scores) with |V*(s) - V(s)| <= radius in every state, b = T V - V in float64.

    T V <= V + max b gives V* <= V + max b / (1 - beta), with beta the greatest gamma times a row
    sum where that widens the interval (max b > 0) and the least where it narrows it; the same below
    (MacQueen's bounds, `maxent.tabular.bounds`).  v: by state, 0 at terminal states.
    """
    arb = flint().arb
    residual = np.zeros(operator.n_states)
    values, scores = operator.apply(v)
    if not operator.states:
        return arb(0), residual, scores
    gaps = [value - v[state] for state, value in zip(operator.states, values)]
    if not all(gap.is_finite() for gap in gaps):  # a comparison with no number proves nothing
        return arb("+inf"), residual, scores
    residual[operator.states] = [float(gap) for gap in gaps]
    low, high = _least(gaps), _greatest(gaps)
    radius = arb(0)
    for end, sign in ((low, -1), (high, 1)):
        beta = operator.greatest if end * sign > 0 else operator.least
        radius = radius.max((sign * end / (1 - beta)).upper())
    return radius.upper(), residual, scores


def _least(balls: Sequence[Ball]) -> Ball:
    """The least lower end."""
    ends = [ball.lower() for ball in balls]
    return min(ends)


def _greatest(balls: Sequence[Ball]) -> Ball:
    ends = [ball.upper() for ball in balls]
    return max(ends)


def _operator(
    mdp: MDP,
    alpha: Ball,
    states: list[int],
    summands: list[list[Summand]],
    actions: list[list[int]],
    masses: Sequence[Ball] = (),
) -> Operator:
    """masses: row sums, where they are known more sharply than from the summands."""
    arb = flint().arb
    discount = arb(mdp.discount)
    sums = list(masses) or [sum(each.probabilities, arb(0)) for own in summands for each in own]
    least = (discount * _least(sums)).lower() if sums else arb(0)
    greatest = (discount * _greatest(sums)).upper() if sums else arb(0)
    if not greatest < 1:
        raise ModelError(
            f"discount = {mdp.discount!r} times the largest row sum of the transition as stored is "
            "not below 1: values need not be bounded; lower the discount, or divide each row by "
            "its sum"
        )
    return Operator(states, summands, actions, discount, alpha, mdp.n_states, least, greatest)


class _Rows:
    """The transition rows without terminal successors; equal probabilities share one ball."""

    def __init__(self, mdp: MDP) -> None:
        arb = flint().arb
        rows = mdp.transition_rows
        require_memory(
            200 * (rows.nnz if mdp.is_sparse else rows.size) + 1000 * mdp.reward.size,
            "a proof in ball arithmetic",
            "use a smaller MDP",
        )
        rows = sparse.csr_array(rows)
        kept = (rows.data != 0.0) & ~mdp.terminal[rows.indices]
        self._start = np.concatenate([[0], np.cumsum(kept)])[rows.indptr].tolist()
        self._successors = rows.indices[kept].tolist()
        values, which = np.unique(rows.data[kept], return_inverse=True)
        shared = [arb(value) for value in values.tolist()]
        self._probabilities = [shared[i] for i in which.tolist()]
        self._n_actions = mdp.n_actions

    def of(self, state: int, action: int) -> tuple[list[int], list[Ball]]:
        """The successors of a state and action, and their probabilities."""
        row = state * self._n_actions + action
        place = slice(self._start[row], self._start[row + 1])
        return self._successors[place], self._probabilities[place]
