r"""Average reward: the best long-run gain a step, and the bias (AVERAGE).

Where nothing is discounted and nothing ends, what counts is the gain

    rho = max over pi of lim 1/n E[ sum_{t<n} r(s_t, a_t) + alpha H(pi(.|s_t)) ],

and rho + h(s) = alpha log sum_a exp((r + P h)(s, a) / alpha) for the bias h, where the MDP's states
can all reach each other or every policy has a single recurrent class.  Elsewhere the gain can
differ from state to state, and one interval that holds all of them is what is certified.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import MaxEntWarning, ModelError
from maxent.mdp import MDP, require_mdp
from maxent.solution import Status
from maxent.support.arguments import count, require_temperature
from maxent.support.arrays import HasPolicy, HasStatus, ReadOnly
from maxent.support.other_words import takes_our_words
from maxent.tabular import operators
from maxent.tabular.solvers.gains import gain_bounds
from maxent.tabular.solvers.loop import Options
from maxent.tabular.solvers.pairs import Pairs


@dataclass(frozen=True, eq=False)
class AverageSolution(ReadOnly, HasPolicy, HasStatus):
    """The best average reward, with certified bounds.

    gain : midpoint of the bounds, reward (with the temperature times entropy) a step.
    lower, upper : an interval that holds the best gain of every state, rounding included.
    bias : (S,), h: what it is worth to begin in a state, relative to state 0, in units of reward.
    q : (S, A), r + P h.  log_policy : (S, A), the Boltzmann policy of q: its gain is at least
        `lower`, whatever the start.
    temperature : alpha.
    error_bound : largest distance from `gain` to the ends of the interval.
    status : "converged" (upper - lower <= 2 * tolerance), "stalled" (the interval cannot be
        narrowed: the gain differs from state to state, or float64 can do no more),
        "max_iterations", or "interrupted".  The bounds hold in every case.
    tolerance : asked for, or chosen.  iterations, seconds : of the search.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9, goals="restart")
    >>> found = maxent.average_reward(mdp, temperature=0.0)
    >>> round(found.gain, 9), found.status  # two steps to the goal, and one back to the start
    (0.293333333, 'converged')
    """

    gain: float
    lower: float
    upper: float
    bias: ndarray
    q: ndarray
    log_policy: ndarray
    temperature: float
    error_bound: float
    status: Status
    tolerance: float
    iterations: int
    seconds: float

    def __repr__(self) -> str:
        return (
            f"AverageSolution(gain {self.gain:.10g}, {count(len(self.bias), 'state')}, temperature "
            f"{self.temperature:g}, {self.status}, error <= {self.error_bound:.2g})"
        )


@takes_our_words
def average_reward(
    mdp: MDP,
    temperature: float,
    *,
    prior: Any = None,
    tolerance: float | None = None,
    max_iterations: int | None = None,
) -> AverageSolution:
    """The best average of reward and temperature times entropy a step, and its policy.

    AVERAGE: min(T h - h) <= gain <= max(T h - h) for any h, T without discount; h by Newton's
    method and damped value iteration.

    mdp : the problem; its discount is not used.  An episode that ends earns nothing from then on:
        for episodes that begin anew make goals "restart".
    temperature : alpha >= 0, in units of reward; 0 is the hard maximum.
    prior : action probabilities (S, A) or (A,); the entropy becomes minus the KL divergence to it.
    tolerance : certified bound to reach on the error of the gain; None: 1e-9 of the largest reward
        (at least 1e-9), or what rounding allows.
    max_iterations : stop after so many; None: no limit.

    Returns an `AverageSolution`; short of the tolerance with a MaxEntWarning.  It is never narrower
    than the gains of different states are apart, where they differ.

    Raises ConfigError (an option), ModelError (the MDP, the prior; no state that is not terminal).

    >>> import maxent, numpy as np
    >>> wait, cut = np.zeros((3, 3)), np.zeros((3, 3))  # a forest: it grows unless it burns
    >>> wait[[0, 1, 2], [1, 2, 2]], wait[:, 0], cut[:, 0] = 0.9, 0.1, 1.0
    >>> mdp = maxent.MDP(np.stack([wait, cut], axis=1), [[0, 0], [0, 1], [4, 2]], discount=0.96)
    >>> round(maxent.average_reward(mdp, temperature=0.0).gain, 9)
    3.24
    """
    options = Options(tolerance, max_iterations)
    temperature = require_temperature(temperature)
    log_prior = require_mdp(mdp).log_prior(prior)
    if mdp.terminal.all():
        raise ModelError("every state is terminal: there is no step to average over")
    pairs = _everlasting(mdp, temperature, log_prior)
    least = 1e-9 * max(1.0, pairs.scale)

    def enough(lower: float, upper: float) -> bool:
        return upper - lower <= 2.0 * (options.tolerance or least)

    found = gain_bounds(pairs, enough, max_iterations=max_iterations)
    goal = options.tolerance or least
    gain = found.lower + 0.5 * found.width
    error = float(np.nextafter(max(gain - found.lower, found.upper - gain), np.inf))
    if found.status in ("stalled", "max_iterations"):
        warnings.warn(_short(mdp, found.status, goal, found.lower, found.upper), MaxEntWarning, 3)
    bias = found.h - found.h[0]
    q = mdp.reward + mdp.expect(bias)
    log_policy = operators.boltzmann_policy(q, temperature, log_prior, 4.0 * pairs.rounding(bias))
    return AverageSolution(
        gain, found.lower, found.upper, bias, q, log_policy, temperature, error, found.status,
        goal, len(found.widths), time.perf_counter() - options.started,
    )  # fmt: skip


def _everlasting(mdp: MDP, temperature: float, log_prior: ndarray | None) -> Pairs:
    """All pairs, a terminal state as one that stays and earns nothing."""
    if not mdp.terminal.any():
        return Pairs.of(mdp, temperature, log_prior, ~mdp.terminal)
    ended = np.flatnonzero(mdp.terminal)
    inside = Pairs.of(mdp, temperature, log_prior, ~mdp.terminal)
    stay = sparse.csr_array(
        (np.ones(len(ended)), (np.arange(len(ended)), ended)), (len(ended), mdp.n_states)
    )
    available = mdp.action_mask if log_prior is None else log_prior > -np.inf
    chosen = np.flatnonzero((available & ~mdp.terminal[:, None]).ravel())
    moves = sparse.csr_array(sparse.csr_array(mdp.transition_rows)[chosen])
    owner = np.concatenate([chosen // mdp.n_actions, ended])
    order = np.argsort(owner, kind="stable")
    nothing = np.zeros(len(ended))
    prior = inside.log_prior
    return Pairs(
        sparse.csr_array(sparse.vstack([moves, stay]))[order],
        np.concatenate([inside.paid, nothing])[order],
        None if prior is None else np.concatenate([prior, nothing])[order],
        owner[order],
        mdp.n_states,
        temperature,
        np.zeros(len(owner), dtype=bool),
    )


def _short(mdp: MDP, status: Status, goal: float, lower: float, upper: float) -> str:
    why = "max_iterations reached"
    if status == "stalled":
        why = "the gain differs from state to state, or float64 can do no more"
        if mdp.terminal.any():
            why += " (an episode that ends earns nothing from then on; goals can restart)"
    return (
        f"average_reward did not reach the tolerance {goal:.3g}: {why}; every state's gain lies "
        f"between {lower:.10g} and {upper:.10g}"
    )
