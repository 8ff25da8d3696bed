"""Proved enclosures of V*, Q*, V^pi, Q^pi and the Boltzmann policy, rounding included.

A float64 solution is the candidate V.  One application of the operator in ball arithmetic proves
how far the fixed point can be from it (`balls.certify`).  While that is too far, V is corrected:
the residual b = T V - V, known to many digits, gives d with (I - gamma P_pi) d = b by a float64
solve, one step of Newton's method, and V + d is kept as an unevaluated sum of float64 arrays.
Neither the solver nor the correction is trusted: the last application alone is the proof.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, MaxEntWarning
from maxent.mdp import MDP, require_mdp, validation
from maxent.proofs import balls
from maxent.proofs.balls import Ball, Operator
from maxent.support.arguments import count, require_positive, require_temperature
from maxent.support.arrays import ReadOnly
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float
from maxent.tabular.solvers import soft_policy_evaluation, solve, steps
from maxent.tabular.solvers.kernels import PolicyKernel

MOST_PARTS = 6
"""Float64 arrays whose sum is V: 53 bits each."""
PATIENCE = 4
"""Corrections without half the radius before more bits are tried."""
HEADROOM = 1.0 + 2.0**-30
"""Room in the radius for whoever checks it with another order of the operations."""
LONGEST = 500
"""Corrections altogether; policy iteration at a small temperature takes a few dozen."""


@dataclass(frozen=True, eq=False)
class Enclosure(ReadOnly):
    """A proof that |V(s) - sum_k midpoint[k, s]| <= radius in every state, V being V* or V^pi.

    Values are discounted and in units of reward.  All bounds hold for the MDP as stored, rounding
    included; float64 bounds are rounded outwards, so where values are large they can be wider than
    2 * radius, which midpoint and radius state exactly.

    mdp, temperature, prior : the problem.  policy : (S, A), or None for the optimum.
    midpoint : (K, S), an unevaluated sum of float64 arrays; 0 at terminal states.
    radius : float64.
    lower, upper : (S,).
    q_lower, q_upper : (S, A) bounds on Q* or Q^pi; 0 and 0 where an action is never taken.
    policy_lower, policy_upper : (S, A) bounds on the probabilities of the Boltzmann policy of Q:
        pi* for the optimum, the improved policy for a policy.  At temperature 0: 1 and 1 for the
        only best action, 0 and 1 for actions that may be best.  0 and 0 at terminal states.
    bits : of the ball arithmetic.  applications : how many of the operator.  seconds : wall-clock.

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> proved, solution = maxent.enclose(mdp, temperature=0.1), maxent.solve(mdp, temperature=0.1)
    >>> bool((proved.lower <= solution.upper).all() and (solution.lower <= proved.upper).all())
    True
    """

    mdp: MDP
    temperature: float
    prior: ndarray | None
    policy: ndarray | None
    midpoint: ndarray
    radius: float
    lower: ndarray
    upper: ndarray
    q_lower: ndarray
    q_upper: ndarray
    policy_lower: ndarray
    policy_upper: ndarray
    bits: int
    applications: int
    seconds: float

    @property
    def width(self) -> float:
        """2 * radius: the length of the interval around the exact midpoint."""
        return 2.0 * self.radius

    def __repr__(self) -> str:
        kind = "V*" if self.policy is None else "V^pi"
        return (
            f"Enclosure({kind}, {count(self.mdp.n_states, 'state')}, "
            f"temperature {self.temperature:g}, width {self.width:.2g}, {self.bits} bits)"
        )


@dataclass
class Proof:
    """A fixed point within `radius` of the sum of `parts`, and where that was found."""

    operator: Operator
    parts: ndarray
    radius: float
    bits: int
    applications: int = 0

    @property
    def v(self) -> list[Ball]:
        """The fixed point, by state."""
        arb = balls.flint().arb
        spread = arb(0, self.radius)
        found = exact_sum(self.parts)
        for state in self.operator.states:
            found[state] += spread
        return found


@takes_our_words
def enclose(
    mdp: MDP, temperature: float, *, policy: Any = None, prior: Any = None, width: float = 1e-10
) -> Enclosure:
    """Prove an interval of at most `width` around V* (or, given a policy, around V^pi).

    mdp : an MDP with discount < 1, its numbers taken as exact.
    temperature : alpha >= 0; 0 is the hard maximum.
    policy : action probabilities (S, A) or (A,), taken as they are stored; left out: the optimum.
    prior : action probabilities (S, A) or (A,); the entropy becomes -KL(pi || prior).
    width : of the interval, in units of reward.  One that cannot be reached gives a MaxEntWarning,
        and the narrowest interval found.

    Needs the extra 'rigorous' (MissingExtraError).  SQL-T2, SQL-T3 and SAC-L1; docs/proofs.md.

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> proved = maxent.enclose(mdp, temperature=0.1, width=1e-12)
    >>> proved.width <= 1e-12, bool((proved.lower <= proved.upper).all())
    (True, True)
    """
    started = time.perf_counter()
    temperature, prior, policy = require_problem(mdp, temperature, prior, policy)
    width = require_positive("width", width)
    with balls.precision(128):
        if policy is None:
            operator = balls.optimality_operator(mdp, temperature, prior)
        else:
            operator = balls.evaluation_operator(
                mdp, temperature, prior, lambda state: _stored(policy[state])
            )
    proof = refine(operator, mdp, temperature, prior, policy, 0.5 * width)
    if not 2.0 * proof.radius <= width:
        warnings.warn(
            f"width = {width:g} could not be reached: the proved interval is "
            f"{2.0 * proof.radius:.3g} wide",
            MaxEntWarning,
            stacklevel=2,
        )
    with balls.precision(proof.bits):
        q, chosen = _action_values(proof, mdp, temperature, prior, policy)
        v = proof.v
        return Enclosure(
            mdp,
            temperature,
            prior,
            policy,
            midpoint=proof.parts,
            radius=proof.radius,
            lower=np.array([outward(ball, -1) for ball in v]),
            upper=np.array([outward(ball, 1) for ball in v]),
            q_lower=_table(mdp, q, -1),
            q_upper=_table(mdp, q, 1),
            policy_lower=np.clip(_table(mdp, chosen, -1), 0.0, 1.0),
            policy_upper=np.clip(_table(mdp, chosen, 1), 0.0, 1.0),
            bits=proof.bits,
            applications=proof.applications,
            seconds=time.perf_counter() - started,
        )


def require_problem(
    mdp: MDP, temperature: Any, prior: Any, policy: Any = None
) -> tuple[float, ndarray | None, ndarray | None]:
    """The settings of a proof, validated: temperature, prior and policy."""
    balls.flint()
    temperature = require_temperature(temperature)
    if require_mdp(mdp).discount == 1.0:
        raise ConfigError(
            "discount = 1 makes no contraction, on which the proof rests; use a discount below 1"
        )
    allowed = mdp.action_mask
    if prior is not None:
        prior = validation.action_distribution("prior", prior, allowed, mdp.terminal)
        allowed = prior > 0.0
    if policy is not None:
        policy = validation.action_distribution("policy", policy, allowed, mdp.terminal)
    return temperature, prior, policy


def refine(
    operator: Operator,
    mdp: MDP,
    temperature: float,
    prior: ndarray | None,
    policy: ndarray | None,
    radius: float,
) -> Proof:
    """Correct a float64 solution until its fixed point is proved to lie within `radius`, or no
    more can be done.  policy: of an evaluation operator (float64 will do)."""
    parts = np.zeros((2, mdp.n_states))
    parts[0] = _candidate(mdp, temperature, prior, policy)
    best: Proof | None = None
    idle = 0
    for applications in range(1, LONGEST + 1):
        bits = 64 * len(parts)
        with balls.precision(bits):
            v = exact_sum(parts)
            found, residual, scores = balls.certify(operator, v)
            reached = outward(found * HEADROOM, 1)
            idle = 0 if best is None or reached < 0.5 * best.radius else idle + 1
            if best is None or not reached >= best.radius:
                best = Proof(operator, parts, reached, bits)
            best.applications = applications
            if best.radius <= radius:
                break
            if idle > PATIENCE:
                if len(parts) == MOST_PARTS:
                    break
                parts = np.vstack([best.parts, np.zeros(mdp.n_states)])
                idle = 0
                continue
            chosen = operator.policy(scores, mdp.n_actions) if policy is None else policy
            try:
                step = _newton_step(mdp, chosen, residual)
            except (RuntimeError, np.linalg.LinAlgError):
                step = residual
            parts = _split([x + d for x, d in zip(v, step.tolist())], len(parts))
    assert best is not None
    return best


def exact_sum(parts: Float[ndarray, "K S"]) -> list[Ball]:
    """The columns' sums as balls."""
    arb = balls.flint().arb
    total = [arb(x) for x in parts[0].tolist()]
    for part in parts[1:]:
        if part.any():
            total = [x + y for x, y in zip(total, part.tolist())]
    return total


def outward(ball: Ball, sign: int) -> float:
    """A float64 at most (sign -1) or at least (sign 1) every number in the ball."""
    end = ball.lower() if sign < 0 else ball.upper()
    found = float(end)
    if math.isnan(found):
        return sign * math.inf
    if (found > end) if sign < 0 else (found < end):
        found = math.nextafter(found, sign * math.inf)
    return found


def _stored(row: ndarray) -> dict[int, Ball]:
    arb = balls.flint().arb
    return {action: arb(float(row[action])) for action in np.flatnonzero(row > 0.0).tolist()}


def _candidate(
    mdp: MDP, temperature: float, prior: ndarray | None, policy: ndarray | None
) -> ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaxEntWarning)
        if policy is None:
            return solve(mdp, temperature, prior=prior).v
        return soft_policy_evaluation(mdp, policy, temperature, prior=prior).v


def _newton_step(mdp: MDP, policy: ndarray, residual: ndarray) -> ndarray:
    """d with (I - gamma P_pi) d = b, in float64."""
    kernel = PolicyKernel(mdp, policy, 0.0, None)  # only its matrix gamma P_pi is used
    size = float(np.abs(residual).max(initial=0.0)) or 1.0
    step = steps.exact(mdp.transition)(kernel, residual / size) * size
    return step if np.isfinite(step).all() else residual


def _split(v: Sequence[Ball], count: int) -> Float[ndarray, "K S"]:
    """`count` float64 arrays whose sum is nearly the midpoints of v."""
    parts = np.zeros((count, len(v)))
    left = [x.mid() for x in v]
    for k in range(count):
        part = [float(x) for x in left]
        parts[k] = part
        left = [(x - y).mid() for x, y in zip(left, part)]
    return parts


def _action_values(
    proof: Proof, mdp: MDP, temperature: float, prior: ndarray | None, policy: ndarray | None
) -> tuple[list[dict[int, Ball]], list[dict[int, Ball]]]:
    """Q and the probabilities of its Boltzmann policy, by state and action, from V as enclosed."""
    operator = proof.operator
    if policy is not None:
        operator = balls.optimality_operator(mdp, temperature, prior)
    v = proof.v
    q: list[dict[int, Ball]] = [{} for _ in v]
    chosen: list[dict[int, Ball]] = [{} for _ in v]
    for state, summands, actions in zip(operator.states, operator.summands, operator.actions):
        scores = operator.scores(summands, v)
        chosen[state] = dict(zip(actions, operator.boltzmann(scores)))
        q[state] = {
            action: score if summand.bonus is None else score - summand.bonus
            for action, score, summand in zip(actions, scores, summands)
        }
    return q, chosen


def _table(mdp: MDP, entries: list[dict[int, Ball]], sign: int) -> Float[ndarray, "S A"]:
    table = np.zeros((mdp.n_states, mdp.n_actions))
    for state, row in enumerate(entries):
        for action, ball in row.items():
            table[state, action] = outward(ball, sign)
    return table
