r"""Discount 1: what an episode is worth that lasts until it ends (FIRST-EXIT).

Without discount T is no contraction, and the bounds come from two inequalities instead.  If
T L >= L and T U <= U (strictly at temperature 0), then L <= V* <= U, V* is finite, and no policy is
worth more, whether or not it surely ends.  They are made from V, what soft policy iteration (or
sweeps) found, its Boltzmann policy's expected number of steps w = (I - P_pi)^{-1} 1, and the
residual b = T V - V:

    U = V + eps w,  L = V - eps' w,   eps = 2 max(b + e),  eps' = 2 max(e - b),

e a bound on the rounding of T V; both inequalities are then checked with rounding.  max w takes the
place of 1/(1-gamma) in the width.  Where no such U is found it is the gains of the end components
that decide whether the value is finite (`critical.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.solution import Iteration, Status
from maxent.support import progress
from maxent.support.arrays import logs
from maxent.support.shapes import Bool, Float, Int
from maxent.support.traces import Trace
from maxent.tabular.solvers import critical, refusals, steps
from maxent.tabular.solvers.certified import certify
from maxent.tabular.solvers.end_components import reaching
from maxent.tabular.solvers.free_loops import without_free_loops
from maxent.tabular.solvers.kernels import PolicyKernel
from maxent.tabular.solvers.loop import LONG_WAIT, Options
from maxent.tabular.solvers.pairs import Pairs
from maxent.tabular.solvers.undiscounted import longest_time, solve_undiscounted

DOUBLINGS = 20
TINY = 1e-290
NEAR = 1e-9
"""Residual, relative to the values, from which an upper bound is worth a search for near ties."""
LOOK, LOOK_OF_SWEEPS = 12, 300
"""Newton steps, and others, without bounds, after which the gains are looked at."""


@dataclass(frozen=True, eq=False)
class FirstExit:
    """What was found: an interval that holds V*, and how the search ended.

    lower, upper : (S,), 0 at terminal states; -inf and inf where nothing could be certified.
    v : (S,), the last values.  iterations : how many.
    residuals : max |T V - V| at each of them that a `Trace` keeps.
    """

    lower: ndarray
    upper: ndarray
    v: ndarray
    tolerance: float
    status: Status
    iterations: int
    residuals: ndarray

    def midpoint(self) -> tuple[Float[ndarray, " S"], float]:
        """The midpoint of the interval and its largest distance to the ends; the last values, and
        inf, where an end is missing."""
        with np.errstate(invalid="ignore"):
            v = self.lower + 0.5 * (self.upper - self.lower)
        if not np.isfinite(v).all():
            return self.v, math.inf
        error_bound = float(np.maximum(self.upper - v, v - self.lower).max())
        return v, math.nextafter(error_bound, math.inf) if error_bound else 0.0


def first_exit(
    mdp: MDP,
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None,
    step: steps.Step,
    options: Options,
    v0: Float[ndarray, " S"] | None,
) -> FirstExit:
    """V* at discount 1, by `step`; ConfigError, with the states, where it is not finite."""
    refusals.require_whole_rows(mdp)
    nonterminal = ~mdp.terminal
    if not nonterminal.any():
        nothing = np.zeros(mdp.n_states)
        return FirstExit(
            nothing, nothing, nothing, options.tolerance or 1e-9, "converged", 1, nothing[:1]
        )
    search = _Search(mdp, temperature, log_prior)
    bar = progress.bar(options.progress, desc=step.method, unit="it")
    status: Status = "interrupted"
    try:
        for now in search.run(step, options, None if v0 is None else v0[nonterminal]):
            status = now
            if not bar.disable:
                bar.update()
                bar.set_postfix_str(f"error <= {0.5 * search.width:.2g}", refresh=False)
            if options.callback is not None:
                options.callback(search.iteration(nonterminal))
    except KeyboardInterrupt:
        status = "interrupted"
    finally:
        bar.close()
    return FirstExit(
        search.everywhere(search.lower, nonterminal),
        search.everywhere(search.upper, nonterminal),
        search.everywhere(search.v, nonterminal),
        search.tolerance,
        status,
        search.residuals.count,
        search.residuals.array(),
    )


def least_value(
    mdp: MDP,
    policy: Float[ndarray, "S A"],
    temperature: float,
    log_prior: Float[ndarray, "S A"] | None,
    v: Float[ndarray, " S"],
) -> Float[ndarray, " S"]:
    """A certified lower bound (S,) on what a policy is worth at discount 1, from values v near it;
    -inf where it need not end.  Staying for ever at rewards of exactly 0 is worth 0."""
    played = Pairs.of(mdp, 0.0, logs(policy), ~mdp.terminal)
    ended = np.zeros(mdp.n_states, dtype=bool)
    ended[np.flatnonzero(~mdp.terminal)] = ~reaching(played)[0]
    if ended.any():
        if temperature > 0.0 or mdp.reward[ended][policy[ended] > 0.0].any():
            return np.full(mdp.n_states, -np.inf)
        mdp, v = mdp.replace(terminal=mdp.terminal | ended), np.where(ended, 0.0, v)
    kernel = PolicyKernel(mdp, policy, temperature, log_prior)
    if math.isinf(kernel.bounds.gain_high):
        return np.full(mdp.n_states, -np.inf)
    return certify(kernel, v).lower


class _Search:
    """Values, the interval that they certify, and what is known of the problem."""

    def __init__(self, mdp: MDP, temperature: float, log_prior: ndarray | None) -> None:
        self.mdp = mdp
        self.whole = Pairs.of(mdp, temperature, log_prior, ~mdp.terminal)
        self.pairs = without_free_loops(self.whole) if temperature == 0.0 else self.whole
        reached, self.start = reaching(self.pairs)
        if not reached.all():
            raise ConfigError(refusals.without_end(mdp, self.pairs, reached))
        self.v = np.zeros(self.pairs.n_states)
        self.lower = np.full(self.pairs.n_states, -np.inf)
        self.upper = np.full(self.pairs.n_states, np.inf)
        self.residuals = Trace()
        self.residual = math.nan
        self.tolerance = math.nan
        self._longest = math.inf

    @property
    def width(self) -> float:
        with np.errstate(invalid="ignore"):
            return float((self.upper - self.lower).max(initial=0.0))

    def everywhere(
        self, values: Float[ndarray, " M"], nonterminal: Bool[ndarray, " S"]
    ) -> Float[ndarray, " S"]:
        """Values of the problem's states as values of the MDP's, 0 at terminal states."""
        found = np.zeros(len(nonterminal))
        merged = self.pairs.merged
        found[nonterminal] = values if merged is None else values[merged]
        return found

    def iteration(self, nonterminal: Bool[ndarray, " S"]) -> Iteration:
        """The last iteration, for a callback."""
        v = self.everywhere(self.v, nonterminal)
        v.setflags(write=False)
        below = float((self.lower - self.v).min(initial=0.0))
        above = float((self.upper - self.v).max(initial=0.0))
        error = max(above, -below)
        return Iteration(self.residuals.count, v, self.residual, error, below, above)

    def run(
        self, step: steps.Step, options: Options, v0: Float[ndarray, " S"] | None
    ) -> Iterator[Status]:
        """Iterate; yields "interrupted" until the search has ended, then how."""
        pairs, exact = self.pairs, step in (steps.DIRECT, steps.KRYLOV)
        chosen = self.start
        if v0 is not None and pairs.merged is None:
            self.v = v0.copy()
        elif exact:
            self.v = self._evaluated(chosen)
        finite, idle, least = False, 0, math.inf
        patience = 8 + (pairs.n_states if pairs.temperature == 0.0 else 60)
        while True:
            q = pairs.q(self.v)
            tv = pairs.value(q)
            error = pairs.rounding(self.v)
            b = tv - self.v
            residual = self.residual = float(np.abs(b).max(initial=0.0))
            self.residuals.append(residual)
            policy, chosen, gained = self._policy(q, chosen, 4.0 * error)
            idle = 0 if residual < 0.9 * least else idle + 1
            least = min(least, residual)
            worth = exact or self._worth_certifying(residual, error, idle)
            d = steps_ = None
            if np.isfinite(self.v).all() and worth:
                d, steps_ = self._solved(policy, gained - self.v)
                if steps_ is not None:
                    self._certify(q, b, error, steps_, policy, chosen)
            self.tolerance = options.tolerance or self._usual_tolerance(error, steps_)
            if self.width <= 2.0 * self.tolerance:
                yield "converged"
                return
            done = self.residuals.count
            last = options.max_iterations is not None and done >= options.max_iterations
            stuck = d is None if exact else not np.isfinite(self.v).all()
            long = LONG_WAIT + pairs.n_states + 4.0 * min(self._longest, 1e7)
            stuck = stuck or (residual == 0.0 and worth) or idle > (patience if exact else long)
            look = done == (LOOK if exact else LOOK_OF_SWEEPS)
            if (stuck or look or last) and not finite and not self.width < math.inf:
                self._refuse_infinite()
                finite = True
            if last or stuck:
                yield "max_iterations" if last else "stalled"
                return
            yield "interrupted"
            if exact and d is not None:
                self.v = self.v + d
            elif step is steps.SWEEP:
                self.v = tv
            else:
                self.v = self._truncated(policy, gained, step)

    def _worth_certifying(self, residual: float, error: float, idle: int) -> bool:
        """Whether a sweep has come so near that bounds are worth a linear solve."""
        done = self.residuals.count
        rare = done & (done - 1) == 0
        near = residual * max(self._longest, 1.0) <= 0.25e-9 * max(1.0, np.abs(self.v).max())
        return bool(residual == 0.0 or rare or (near and done % 8 == 0) or idle == 50)

    def _policy(
        self, q: Float[ndarray, " N"], chosen: Int[ndarray, " S"], slack: float
    ) -> tuple[ndarray, ndarray, ndarray]:
        """The policy of the next step, the pairs it prefers, and its T^pi V.

        Where the temperature is below rounding, as at 0, an action is kept unless another is better
        beyond rounding: so the policy goes on ending surely.
        """
        pairs = self.pairs
        if pairs.temperature <= slack:
            chosen = pairs.greedy(q, chosen, slack)
            return pairs.one_hot(chosen), chosen, q[chosen]
        return pairs.boltzmann(q), chosen, pairs.value(q)

    def _evaluated(self, chosen: Int[ndarray, " S"]) -> Float[ndarray, " S"]:
        """The value of the policy that takes these pairs."""
        pairs = self.pairs
        v = solve_undiscounted(self.pairs, pairs.one_hot(chosen), pairs.scores[chosen][:, None])
        return np.zeros(pairs.n_states) if v is None else v[:, 0]

    def _solved(
        self, policy: Float[ndarray, " N"], b: Float[ndarray, " S"]
    ) -> tuple[ndarray | None, ndarray | None]:
        """Newton's step, and the expected number of steps; None where there is none."""
        found = solve_undiscounted(self.pairs, policy, np.stack([b, np.ones_like(b)], axis=1))
        if found is None or not np.isfinite(found).all():
            return None, None
        if found[:, 1].min() < 1.0 - 1e-6:
            return None, None
        self._longest = float(found[:, 1].max())
        return found[:, 0], found[:, 1]

    def _truncated(
        self, policy: Float[ndarray, " N"], gained: Float[ndarray, " S"], step: steps.Step
    ) -> Float[ndarray, " S"]:
        """V after sweeps of evaluation."""
        matrix, b = self.pairs.matrix(policy), gained - self.v
        d = b
        for _ in range(steps.usual_sweeps(self.pairs.temperature)):
            d = b + matrix @ d
        return self.v + d

    def _usual_tolerance(self, error: float, w: ndarray | None) -> float:
        """1e-9 of the values, at least 1e-9, or four times what rounding allows."""
        floor = 0.0 if w is None else 2.0 * error * float(w.max())
        return max(1e-9 * max(1.0, float(np.abs(self.v).max(initial=0.0))), 4.0 * floor)

    def _certify(
        self, q: ndarray, b: ndarray, error: float, w: ndarray, policy: ndarray, chosen: ndarray
    ) -> None:
        """Narrow the interval by what these values certify."""
        pairs = self.pairs
        lower = self._below(max(2.0 * float((error - b).max()), TINY), w)
        if lower is not None and lower.min() > -np.inf:
            self.lower = np.maximum(self.lower, lower)
        size = max(2.0 * float((b + error).max()), TINY)
        upper = self._above(size, w)[0] if pairs.temperature > 0.0 else None
        near = size <= NEAR * max(1.0, float(np.abs(self.v).max())) or not self.width < math.inf
        if upper is None and near:
            upper = self._above_near_ties(q, size, chosen)
        if upper is not None:
            self.upper = np.minimum(self.upper, upper)

    def _below(self, size: float, w: Float[ndarray, " S"]) -> ndarray | None:
        """L = V - size w with T L >= L beyond rounding."""
        for _ in range(DOUBLINGS):
            lower = self.v - size * w
            if (self.pairs.value(self.pairs.q(lower)) - self.pairs.rounding(lower) > lower).all():
                return lower
            size *= 2.0
        return None

    def _above(
        self, size: float, w: Float[ndarray, " S"], doublings: int = DOUBLINGS
    ) -> tuple[ndarray | None, ndarray]:
        """U = V + size w with T U < U beyond rounding; else None and where that fails."""
        failing = np.ones(len(w), dtype=bool)
        for _ in range(doublings):
            upper = self.v + size * w
            tu = self.pairs.value(self.pairs.q(upper))
            failing = ~(tu + self.pairs.rounding(upper) < upper)
            if not failing.any():
                return upper, failing
            size *= 2.0
        return None, failing

    def _above_near_ties(
        self, q: Float[ndarray, " N"], size: float, chosen: Int[ndarray, " S"]
    ) -> ndarray | None:
        """U with the longest time w that any choice among nearly tied actions can take; actions are
        added where T U <= U fails for want of them."""
        pairs = self.pairs
        top = np.maximum.reduceat(q, pairs.first)[pairs.owner]
        near = q >= top - 4.0 * size
        near[chosen] = True
        for _ in range(DOUBLINGS):
            w = longest_time(pairs, near, chosen)
            if w is None:
                return None
            upper, failing = self._above(size, w, 3)
            if upper is not None:
                return upper
            high = pairs.q(self.v + size * w)
            worst = high >= np.maximum.reduceat(high, pairs.first)[pairs.owner]
            more = worst & failing[pairs.owner] & ~near
            if not more.any():
                size *= 4.0
            near |= more
        return None

    def _refuse_infinite(self) -> None:
        """ConfigError where an end component's gain is not below 0."""
        found = critical.endless(self.pairs)
        if found:
            raise ConfigError(refusals.infinite(self.mdp, self.pairs, found))
