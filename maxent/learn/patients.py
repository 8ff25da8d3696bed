"""Six soft solvers that look healthy, for notebook 8: each has one fault and does not
complain.

A solver is a function (mdp, temperature) -> (q, v, log_policy), as `maxent.testing.check_solver`
takes it.  `PATIENTS` has them by letter, `FAULTS` says what is wrong with each; `HEALTHY` is the
same program without a fault.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy import ndarray
from scipy.special import log_softmax, logsumexp

from maxent.mdp import MDP

Solver = Callable[[MDP, float], tuple[ndarray, ndarray, ndarray]]
Value = Callable[[ndarray, float], ndarray]
SWEEPS = 40_000


def _solver(
    value: Value, *, ends: bool = True, discounts: int = 1, change: float = 1e-13
) -> Solver:
    """Value iteration with `value` in the place of the soft value.

    ends: whether terminal states are worth 0.  discounts: how often gamma is applied.  change: it
    stops when a sweep changes nothing by more.
    """

    def solver(mdp: MDP, temperature: float) -> tuple[ndarray, ndarray, ndarray]:
        transition, v = np.array(mdp.to_dense().transition), np.zeros(mdp.n_states)
        for _ in range(SWEEPS):
            q = mdp.reward + mdp.discount**discounts * transition @ v
            q = np.where(mdp.action_mask, q, -np.inf)
            new = np.where(mdp.terminal & ends, 0.0, value(q, temperature))
            moved, v = float(np.abs(new - v).max()), new
            if moved <= change * max(1.0, float(np.abs(v).max())):
                break
        return q, v, log_softmax(q / temperature, axis=1)

    return solver


def _soft(q: ndarray, temperature: float) -> ndarray:
    found: ndarray = temperature * logsumexp(q / temperature, axis=1)
    return found


def _under_the_policy(q: ndarray, temperature: float, weight: float) -> ndarray:
    """The expectation of q - weight log pi under the Boltzmann policy pi of q."""
    log_policy = np.where(np.isfinite(q), log_softmax(q / temperature, axis=1), -1e300)
    terms = np.exp(log_policy) * (np.where(np.isfinite(q), q, 0.0) - weight * log_policy)
    found: ndarray = terms.sum(axis=1)
    return found


def _mean(q: ndarray, temperature: float) -> ndarray:
    found: ndarray = _soft(q, temperature) - temperature * np.log(np.isfinite(q).sum(axis=1))
    return found


HEALTHY = _solver(_soft)
PATIENTS: dict[str, Solver] = {
    "A": _solver(lambda q, temperature: _under_the_policy(q, temperature, 0.0)),
    "B": _solver(_soft, ends=False),
    "C": _solver(_mean),
    "D": _solver(_soft, discounts=2),
    "E": _solver(_soft, change=1e-3),
    "F": _solver(lambda q, temperature: _under_the_policy(q, temperature, 1.0)),
}
FAULTS = {
    "A": "the entropy is left out: the average of q under its Boltzmann policy",
    "B": "terminal states are worth something: what stands in their row is backed up",
    "C": "the mean of the exponentials in place of their sum",
    "D": "the discount is applied twice",
    "E": "it stops too early: as soon as a sweep changes little",
    "F": "the temperature is missing before log pi: q - log pi for q - alpha log pi",
}
