"""The clauses that ball arithmetic can decide: per input, the slack in each non-terminal state."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import MaxEntWarning
from maxent.proofs import balls
from maxent.proofs.balls import Ball
from maxent.proofs.enclosure import Proof, exact_sum
from maxent.proofs.ground import Ground
from maxent.tabular.solvers import soft_policy_evaluation, solve
from maxent.theorems.clause import in_words
from maxent.theorems.statements import STATEMENTS

ROUNDS = 200
"""Of soft policy iteration, at most."""
Margins = Iterator[tuple[list[Ball], dict[str, Any]]]
"""Per input, the slack in each non-terminal state, and what the input was."""


def _minus_distance(one: list[Ball], two: list[Ball]) -> list[Ball]:
    return [-abs(x - y) for x, y in zip(one, two)]


def _minus(one: list[Ball], two: list[Ball]) -> list[Ball]:
    return [x - y for x, y in zip(one, two)]


def _within(ground: Ground, lower: ndarray, v: list[Ball], upper: ndarray) -> list[Ball]:
    """The smaller of v - lower and upper - v: negative where v lies outside."""
    arb = balls.flint().arb
    ends = [(arb(float(lower[s])), arb(float(upper[s]))) for s in ground.states]
    return [(x - low).min(high - x) for x, (low, high) in zip(v, ends)]


@dataclass(frozen=True)
class ProvableClause:
    """A clause that ball arithmetic can decide.

    key : of the statement in `maxent.theorems.statements`.  name : which part of it.
    statement : what is proved, in one sentence.  margins : its slacks.
    own_source : where it is proved, if not where its statement is.
    """

    key: str
    name: str
    statement: str
    margins: Callable[[Ground], Margins]
    own_source: str = ""

    @property
    def source(self) -> str:
        """Where it is proved."""
        return self.own_source or STATEMENTS[self.key].source


def clause(
    key: str, name: str, source: str = ""
) -> Callable[[Callable[[Ground], Margins]], ProvableClause]:
    """Decorator: a generator of slacks becomes the clause that its docstring states."""

    def made(margins: Callable[[Ground], Margins]) -> ProvableClause:
        return ProvableClause(key, name, in_words(margins), margins, source)

    return made


@clause("GIBBS-1", "variational principle")
def _gibbs_principle(ground: Ground) -> Margins:
    """alpha log sum exp(Q*/alpha) >= <pi, Q*> + alpha H(pi), for each policy."""
    v = ground.optimum.v
    for name in ground.policies:
        reached, _ = ground.evaluated(name)[0].apply(v)
        best, _ = ground.operator.apply(v)
        yield _minus(best, reached), {"policy": name, "q": "Q*"}


@clause("GIBBS-4", "bounds")
def _gibbs_bounds(ground: Ground) -> Margins:
    """max Q* + alpha log prior <= V* <= the same + alpha log |A(s)|."""
    arb = balls.flint().arb
    values, listed = ground.operator.apply(ground.optimum.v)
    tops = [balls.soft_maximum(scores, arb(0)) for scores in listed]
    yield _minus(values, tops), {"q": "Q*", "side": "lower"}
    spread = [ground.operator.temperature * arb(len(scores)).log() for scores in listed]
    yield [t + x - v for t, x, v in zip(tops, spread, values)], {"q": "Q*", "side": "upper"}


@clause("SQL-T1", "value")
def _optimal_value(ground: Ground) -> Margins:
    """pi* = exp((Q* - V*) / alpha) has the value V*."""
    found = ground.boltzmann(ground.optimum.v)
    yield _minus_distance(ground.along(found), ground.along(ground.optimum)), {"policy": "pi*"}


@clause("SQL-T1", "dominance", source="SQL Theorem 1")
def _dominance(ground: Ground) -> Margins:
    """No policy of the list has a larger value than V* in any state."""
    for name in ground.policies:
        value = ground.along(ground.evaluated(name)[1])
        yield _minus(ground.along(ground.optimum), value), {"policy": name}


@clause("SQL-T1", "normalisation", source="SQL Theorem 1, Eq. 6")
def _normalisation(ground: Ground) -> Margins:
    """exp((Q* - V*) / alpha) sums to 1."""
    _, listed = ground.operator.apply(ground.optimum.v)
    values = ground.along(ground.optimum)
    sums = []
    for scores, v in zip(listed, values):
        if ground.temperature == 0.0:
            sums.append(balls.flint().arb(1))
        else:
            sums.append(sum(((x - v) / ground.operator.temperature).exp() for x in scores))
    yield [-abs(total - 1) for total in sums], {"policy": "pi*"}


@clause("SQL-T2", "soft Bellman equation", source="SQL Theorem 2, Eqs. 5 and 7")
def _bellman_equation(ground: Ground) -> Margins:
    """V* = alpha log sum exp(Q* / alpha) with Q* = r + gamma E[V*]."""
    values, _ = ground.operator.apply(ground.optimum.v)
    yield _minus_distance(values, ground.along(ground.optimum)), {"v": "V*"}


@clause("SQL-T3", "contraction")
def _contraction(ground: Ground) -> Margins:
    """max |T V1 - T V2| <= gamma max |V1 - V2|, for two pairs."""
    n = ground.mdp.n_states
    first = ground.rng.normal(size=n)
    for name, second in (("random", ground.rng.normal(size=n)), ("shifted", first + 1.0)):
        both = [exact_sum(np.where(ground.mdp.terminal, 0.0, x)[None]) for x in (first, second)]
        apart = max(abs(x - y).upper() for x, y in zip(*both))
        after = [ground.operator.apply(v)[0] for v in both]
        bound = ground.operator.greatest * apart
        yield [bound - abs(x - y) for x, y in zip(*after)], {"values": name}


@contextmanager
def _however_wide() -> Iterator[None]:
    """No warning: the interval of a solver is on trial here, not how narrow it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaxEntWarning)
        yield


@clause("SQL-T3", "bounds of solve", source="MacQueen (1966), for the operator of SQL Theorem 3")
def _solver_bounds(ground: Ground) -> Margins:
    """The float64 bounds of `solve` hold V*."""
    with _however_wide():
        solved = solve(ground.mdp, ground.temperature, prior=ground.prior)
    values = ground.along(ground.optimum)
    yield _within(ground, solved.lower, values, solved.upper), {"method": solved.method}


@clause("SQL-T4", "improvement")
def _improvement(ground: Ground) -> Margins:
    """pi' proportional to exp(Q^pi / alpha) has V^pi' >= V^pi in every state, so Q^pi' >= Q^pi."""
    for name in ground.policies:
        before = ground.along(ground.evaluated(name)[1])
        yield _minus(ground.along(ground.improved(name)), before), {"policy": name}


@clause(
    "SQL-T4", "size of the step", source="SQL App. A.1: the first step of its chain of inequalities"
)
def _size_of_step(ground: Ground) -> Margins:
    """V^pi' >= alpha log sum exp(Q^pi / alpha) = V^pi + alpha KL(pi || pi')."""
    for name in ground.policies:
        least, _ = ground.operator.apply(ground.evaluated(name)[1].v)
        yield _minus(ground.along(ground.improved(name)), least), {"policy": name}


@clause("SAC-L1", "fixed point", source="SAC Lemma 1, Eqs. 2-3")
def _fixed_point(ground: Ground) -> Margins:
    """T^pi V^pi = V^pi."""
    for name in ground.policies:
        operator, proof = ground.evaluated(name)
        values, _ = operator.apply(proof.v)
        yield _minus_distance(values, ground.along(proof)), {"policy": name}


@clause("SAC-L1", "bounds", source="SAC Lemma 1, with MacQueen's bounds")
def _evaluation_bounds(ground: Ground) -> Margins:
    """The float64 bounds of `soft_policy_evaluation` hold V^pi."""
    for name, policy in ground.policies.items():
        given = ground.mdp, policy, ground.temperature
        with _however_wide():
            solved = soft_policy_evaluation(*given, prior=ground.prior)
        v = ground.along(ground.evaluated(name)[1])
        yield _within(ground, solved.lower, v, solved.upper), {"policy": name}


@clause("SAC-L2", "improvement", source="SAC Lemma 2")
def _minimiser(ground: Ground) -> Margins:
    """Over all policies the minimiser of the KL divergence, pi', has Q^pi' >= Q^pi."""
    return _improvement.margins(ground)


def _rounds(ground: Ground) -> Iterator[tuple[int, Proof]]:
    """Soft policy iteration from the first policy, one step at least; each V^pi_k is replaced by
    its midpoint."""
    proof = ground.evaluated(next(iter(ground.policies)))[1]
    optimum = exact_sum(ground.optimum.parts)
    for k in range(ROUNDS):
        yield k, proof
        v = exact_sum(proof.parts)
        if k > 0 and all(abs(v[s] - optimum[s]) < 0.25 * ground.width for s in ground.states):
            return
        proof = ground.boltzmann(v)


@clause("SAC-T1", "monotone sequence")
def _monotone_sequence(ground: Ground) -> Margins:
    """Along soft policy iteration V^pi_k never falls."""
    before = None
    for k, proof in _rounds(ground):
        value = ground.along(proof)
        if before is not None:
            yield _minus(value, before), {"round": k}
        before = value


@clause("SAC-T1", "limit")
def _limit(ground: Ground) -> Margins:
    """Soft policy iteration reaches V*."""
    *_, (k, proof) = _rounds(ground)
    yield _minus_distance(ground.along(proof), ground.along(ground.optimum)), {"rounds": k}


CLAUSES = tuple(each for each in list(globals().values()) if isinstance(each, ProvableClause))
