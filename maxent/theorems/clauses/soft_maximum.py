"""Why soft-max appears at all: GIBBS-1 to GIBBS-4, MELLOWMAX.

For each state on its own: q over the available actions, p any distribution over them.  With a prior
the entropy H(p) is -KL(p || prior) and every sum is weighted by the prior.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import POSITIVE
from maxent.theorems.instance import Instance, once
from maxent.theorems.reference import ReferenceProblem


def _listed(instance: Instance) -> list[tuple[str, ndarray]]:
    return list(inputs.q_functions(instance.problem, instance.optimum, instance.rng(20)))


def _pairs(instance: Instance) -> Iterator[tuple[str, ndarray, str, ndarray]]:
    """Each q with each policy."""
    for (q_name, q), (name, policy, _) in itertools.product(_listed(instance), instance.policies):
        yield q_name, q, name, policy


@clause("GIBBS-1", "variational principle")
def variational(instance: Instance) -> Iterator[Case]:
    """alpha log sum exp(q / alpha) >= <p,q> + alpha H(p) for every p, with equality at p*(a) =
    exp(q_a / alpha) / sum exp(q / alpha)."""
    for name, q in _listed(instance):
        value, policy = instance.soft_value(q), instance.boltzmann_policy(q)
        reached = instance.policy_value(q, policy)
        yield instance.equal(reached, value, instance.sweep_rounding(q), q=name, policy="p*")
    for q_name, q, name, policy in _pairs(instance):
        least = instance.problem.policy_value(q, policy)
        tolerance = instance.sweep_rounding(q)
        yield instance.at_most(least, instance.soft_value(q), tolerance, q=q_name, policy=name)


@clause("GIBBS-1", "only maximiser", POSITIVE, source="SQL Eq. 6; strict concavity of the entropy")
def only_maximiser(instance: Instance) -> Iterator[Case]:
    """The maximum is attained at p* only: alpha log(p*(a) / prior(a)) = q_a - alpha log sum exp."""
    return instance.boltzmann_cases(instance.boltzmann_policy)


@clause("GIBBS-2", "the gap is a KL")
def gap_is_kl(instance: Instance) -> Iterator[Case]:
    """alpha log sum exp(q / alpha) - (<p,q> + alpha H(p)) = alpha KL(p || p*) for every p."""
    for q_name, q, name, policy in _pairs(instance):
        problem, tolerance = instance.problem, instance.sweep_rounding(q)
        gap = problem.soft_value(q) - problem.policy_value(q, policy)
        found = instance.temperature * instance.kl_divergence(policy, instance.boltzmann_policy(q))
        yield instance.equal(found, gap, tolerance, q=q_name, policy=name)
        measured = instance.difference(instance.soft_value(q), instance.policy_value(q, policy))
        yield instance.equal(measured, gap, tolerance, q=q_name, policy=name)


@clause("GIBBS-3", "maximum entropy")
def maximum_entropy(instance: Instance) -> Iterator[Case]:
    """Among all p with the mean <p,q> of p*, p* has the greatest entropy (in units of reward: times
    alpha)."""
    problem, alpha = instance.problem, instance.temperature
    for q_name, q in _listed(instance):
        true = problem.boltzmann(q)
        mean = _mean(problem, q, true)
        greatest = alpha * instance.entropy(instance.boltzmann_policy(q))
        for (one, first, _), (two, second, _) in itertools.pairwise(instance.policies):
            left, right = (_mean(problem, q, each) for each in (first, second))
            with np.errstate(all="ignore"):
                t = np.where(left == right, np.nan, (mean - right) / (left - right))
                mixed = t[:, None] * np.exp(first) + (1.0 - t)[:, None] * np.exp(second)
                between = (t >= 0.0) & (t <= 1.0)
                log_p = np.where(between[:, None], np.log(mixed), true)
            entropy = problem.policy_value(np.zeros_like(q), log_p)
            tolerance = instance.sweep_rounding(q)
            yield instance.at_most(entropy, greatest, tolerance, q=q_name, mixture=(one, two))


def _mean(problem: ReferenceProblem, q: ndarray, log_policy: ndarray) -> ndarray:
    policy = np.exp(log_policy.astype(np.longdouble))
    found: ndarray = np.where(problem.support & (policy > 0.0), policy * q, 0.0).sum(axis=1)
    return found


@clause("GIBBS-4", "bounds")
def bounds(instance: Instance) -> Iterator[Case]:
    """max (q + alpha log prior) <= alpha log sum prior exp(q / alpha) <= the same + alpha log
    |A(s)| (max q and max q + alpha log |A(s)| without a prior)."""
    problem = instance.problem
    count = np.maximum(problem.support.sum(axis=1), 1)
    for name, q in _listed(instance):
        scores = np.where(problem.support, q + problem.temperature * problem.bonus, -np.inf)
        least = np.where(problem.nonterminal, scores.max(axis=1), 0.0)
        found, tolerance = instance.soft_value(q), instance.sweep_rounding(q)
        yield instance.at_most(least, found, tolerance, q=name, side="lower")
        most = least + problem.temperature * np.log(count.astype(np.longdouble))
        yield instance.at_most(found, most, tolerance, q=name, side="upper")


@clause("MELLOWMAX", "formula", source="Asadi, Littman (2017), with omega = 1/alpha")
def mellowmax_formula(instance: Instance) -> Iterator[Case]:
    """mellowmax(q) = alpha log mean exp(q / alpha), the soft value with the uniform prior:
    soft_value - alpha log |A(s)|."""
    plain = _without_prior(instance)
    count = np.maximum(plain.problem.support.sum(axis=1), 1).astype(np.longdouble)
    for name, q in _listed(instance):
        expected = plain.problem.soft_value(q) - plain.problem.temperature * np.log(count)
        yield plain.equal(plain.mellowmax(q), expected, plain.sweep_rounding(q), q=name)


@clause("MELLOWMAX", "between mean and maximum")
def mellowmax_bounds(instance: Instance) -> Iterator[Case]:
    """mean q <= mellowmax(q) <= max q over the available actions."""
    plain = _without_prior(instance)
    support = plain.problem.support
    count = np.maximum(support.sum(axis=1), 1)
    for name, q in _listed(instance):
        found, tolerance = plain.mellowmax(q), plain.sweep_rounding(q)
        most = np.where(support, q, -np.inf).max(axis=1)
        mean = np.where(support, q, 0.0).astype(np.longdouble).sum(axis=1) / count
        yield plain.at_most(found, most, tolerance, q=name, side="upper")
        yield plain.at_most(mean, found, tolerance, q=name, side="lower")


def _without_prior(instance: Instance) -> Instance:
    """The instance with every action of the mask, all alike."""
    if instance.log_prior is None:
        return instance
    return _plain(instance)


@once
def _plain(instance: Instance) -> Instance:
    return instance.variant(prior=None)
