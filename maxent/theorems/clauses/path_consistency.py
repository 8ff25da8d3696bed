"""Path consistency: PATH.

Along any steps of any policy, V* is what is earned, less alpha log pi*, plus what is left.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.instance import Instance

PATH_LENGTHS = (1, 2, 5, 10)


@clause("PATH", "one step")
def one_step(instance: Instance) -> Iterator[Case]:
    """V*(s) = r(s,a) - alpha log(pi*(a|s) / prior(a|s)) + gamma E[V*(s')] for every action."""
    best = instance.optimum
    kept = _surprise(instance)
    reached = instance.difference(instance.backup(np.asarray(best.v, np.float64)), kept)
    expected = np.broadcast_to(best.v[:, None], kept.shape)
    tolerance = 2.0 * instance.sweep_rounding(best.q)
    yield instance.equal(reached, expected, tolerance, 2.0 * best.residual)


@clause("PATH", "many steps")
def many_steps(instance: Instance) -> Iterator[Case]:
    """V*(s_0) = E[ sum_(i<d) gamma^i (r_i - alpha log(pi*(a_i|s_i) / prior)) + gamma^d V*(s_d) ]
    for d steps of *any* policy; along every single path where the dynamics are deterministic."""
    problem, best = instance.problem, instance.optimum
    kept = problem.reward - _surprise(instance)
    for name, policy, _ in instance.policies:
        taken = np.where(problem.support, np.exp(policy.astype(np.longdouble)), 0.0)
        v = best.v
        for d in range(1, PATH_LENGTHS[-1] + 1):
            terms = kept + problem.discount * problem.expect(v)
            with np.errstate(invalid="ignore"):
                v = np.where(taken > 0.0, taken * terms, 0.0).sum(axis=1)
            if d in PATH_LENGTHS:
                tolerance = 2.0 * instance.sweep_rounding(best.q) * d
                yield instance.equal(
                    v, best.v, tolerance, 2.0 * d * best.residual, policy=name, d=d
                )


def _surprise(instance: Instance) -> ndarray:
    """alpha log(pi* / prior), (S, A), by the operator; 0 outside the support."""
    support, prior = instance.problem.support, instance.problem.log_prior
    with np.errstate(all="ignore"):
        found = instance.temperature * (instance.best_policy - np.where(support, prior, 0.0))
    return np.where(support, found, 0.0)
