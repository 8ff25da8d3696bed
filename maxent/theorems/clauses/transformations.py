"""What a change of the problem does to the solution: SCALE, SHAPE, SHIFT, DUPLICATE, PRIOR.

Each says that the optimum of one problem, mapped by a formula, is the optimum of another.  The
mapped Q is put into the other problem's soft Bellman operator, of which it must be the fixed point
(there is only one), and its Boltzmann policy is compared with the policy of the first problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP
from maxent.mdp.validation import MAX_REWARD
from maxent.support.arguments import MAX_TEMPERATURE, MIN_TEMPERATURE
from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import REPRESENTABLE
from maxent.theorems.instance import Instance

LARGEST = 1e-3 * MAX_REWARD


def mapped_cases(
    other: Instance, q: ndarray, rounding: float, doubt: float, **witness: Any
) -> Iterator[Case]:
    """q is the fixed point of the other problem's soft Bellman operator, V its soft value.

    rounding: of the map itself, beside that of the operator.
    """
    given = _in_float(other, q)
    tolerance = other.sweep_rounding(given) + rounding
    found = other.soft_bellman(given)
    yield other.equal(found, q, tolerance, 2.0 * doubt, part="T Q = Q", **witness)
    value = other.problem.soft_value(q)
    yield other.equal(other.soft_value(given), value, tolerance, part="V", **witness)


def _in_float(other: Instance, q: ndarray) -> ndarray:
    """`q_float` that needs no optimum of the other problem."""
    return inputs.hide(other.problem, q, other.problem.scale(q))


def same_policy(
    instance: Instance, other: Instance, q: ndarray, scale: float = 1.0, **witness: Any
) -> Iterator[Case]:
    """alpha log pi of the other problem at q is that of this one at Q*, times `scale`."""
    if instance.temperature == 0.0 or not REPRESENTABLE.is_met(instance):
        return
    with np.errstate(all="ignore"):
        mine = scale * (instance.temperature * instance.best_policy)
        its = other.temperature * other.boltzmann_policy(_in_float(other, q))
    tolerance = scale * instance.sweep_rounding(instance.optimum.q) + other.sweep_rounding(q)
    yield instance.equal(its, mine, tolerance, part="alpha log pi", **witness)


def optimum_q(instance: Instance) -> ndarray:
    """Q* of this problem, 0 where nothing may look."""
    return np.where(instance.problem.support, instance.optimum.q, 0.0)


@clause("SCALE", "rewards and temperature")
def scaling(instance: Instance) -> Iterator[Case]:
    """Q*_(c alpha, c r) = c Q*_(alpha, r), same policy; with c = 1/alpha, the reward scale of
    SAC."""
    alpha, reward = instance.temperature, instance.mdp.reward
    wanted = [8.0, 2.0**-10]
    if alpha > 0.0:
        wanted.append(2.0 ** float(np.clip(np.round(-np.log2(alpha)), -900, 900)))
    for c in wanted:
        legal = alpha == 0.0 or MIN_TEMPERATURE <= c * alpha <= MAX_TEMPERATURE
        sizes = np.abs(reward[reward != 0.0]) * c
        if not legal or sizes.max(initial=0.0) > LARGEST or sizes.min(initial=1.0) < 1e-280:
            continue
        other = instance.variant(mdp=instance.mdp.replace(reward=c * reward), temperature=c * alpha)
        q = c * optimum_q(instance)
        yield from mapped_cases(other, q, 0.0, c * instance.optimum.residual, c=c)
        yield from same_policy(instance, other, q, scale=c, c=c)


@clause("SHAPE", "potentials")
def shaping(instance: Instance) -> Iterator[Case]:
    """With r' = r + gamma P Phi - Phi, Phi = 0 at terminal states: Q*' = Q* - Phi, same policy."""
    problem, rng = instance.problem, instance.rng(30)
    size = min(inputs.size_of(problem, instance.optimum), LARGEST)
    random = size * rng.normal(size=problem.n_states)
    for name, phi in (
        ("normal", random),
        ("V*", instance.optimum.v),
        ("1", np.full_like(random, size)),
    ):
        phi = np.where(problem.nonterminal, phi, 0.0).astype(np.float64)
        added = problem.discount * problem.expect(phi) - phi[:, None]
        reward = np.where(problem.support, problem.reward + added, 0.0)
        other = instance.variant(mdp=instance.mdp.replace(reward=reward.astype(np.float64)))
        q = optimum_q(instance) - np.where(problem.support, phi[:, None], 0.0)
        rounding = instance.sweep_rounding(instance.optimum.q, phi)
        yield from mapped_cases(other, q, rounding, instance.optimum.residual, potential=name)
        tolerance = rounding + other.sweep_rounding(q)
        if instance.temperature > 0.0 and REPRESENTABLE.is_met(instance):
            its = instance.temperature * other.boltzmann_policy(_in_float(other, q))
            mine = instance.temperature * instance.best_policy
            yield instance.equal(its, mine, tolerance, part="alpha log pi", potential=name)


@clause("SHIFT", "constant reward")
def shift(instance: Instance) -> Iterator[Case]:
    """r + c everywhere makes V* + c / (1 - gamma), same policy."""
    problem = instance.problem
    size = min(float(np.abs(problem.reward).max()) or 1.0, LARGEST)
    for c in (size, -3.0 * size):
        reward = np.where(problem.support, instance.mdp.reward + c, 0.0)
        other = instance.variant(mdp=instance.mdp.replace(reward=reward))
        rise = np.longdouble(c) / (1 - problem.discount)
        q = optimum_q(instance) + np.where(problem.support, rise, 0.0)
        rounding = instance.sweep_rounding(instance.optimum.q)
        yield from mapped_cases(other, q, rounding, instance.optimum.residual, c=c)
        yield from same_policy(instance, other, q, c=c)


@clause("DUPLICATE", "every action twice")
def duplicate(instance: Instance) -> Iterator[Case]:
    """With every action in two copies: V* + alpha log 2 / (1 - gamma), each copy half as likely."""
    problem, alpha = instance.problem, instance.temperature
    other = instance.variant(mdp=_doubled(instance.mdp))
    rise = problem.temperature * np.log(np.longdouble(2.0)) / (1 - problem.discount)
    once = optimum_q(instance) + np.where(problem.support, problem.discount * rise, 0.0)
    q = np.concatenate([once, once], axis=1)
    yield from mapped_cases(
        other, q, instance.sweep_rounding(instance.optimum.q), instance.optimum.residual
    )
    value = other.soft_value(_in_float(other, q))
    tolerance = instance.sweep_rounding(instance.optimum.q) + other.sweep_rounding(q)
    yield instance.equal(
        value, instance.optimum.v + rise, tolerance, instance.optimum.residual, part="V"
    )
    if alpha > 0.0 and REPRESENTABLE.is_met(instance):
        policy = other.boltzmann_policy(_in_float(other, q))
        halves = alpha * (instance.best_policy - np.log(2.0))
        for copy in np.split(policy, 2, axis=1):
            yield instance.equal(alpha * copy, halves, tolerance, part="alpha log pi")


def _doubled(mdp: MDP) -> MDP:
    """Actions 0 ... A-1, then the same again."""
    n_states, n_actions = mdp.reward.shape
    rows = np.arange(n_states * n_actions).reshape(n_states, n_actions)
    order = np.concatenate([rows, rows], axis=1).ravel()
    if mdp.is_sparse:
        transition = sparse.csr_array(mdp.transition[order])
    else:
        transition = np.concatenate([mdp.transition, mdp.transition], axis=1)
    return mdp.replace(
        transition=transition,
        reward=np.concatenate([mdp.reward, mdp.reward], axis=1),
        action_mask=np.concatenate([mdp.action_mask, mdp.action_mask], axis=1),
        action_names=None,
    )


@clause("PRIOR", "as a reward")
def prior_as_reward(instance: Instance) -> Iterator[Case]:
    """With KL(pi || prior) for the entropy: the entropy problem with reward r + alpha log prior, Q*
    + alpha log prior, same policy."""
    if instance.prior is None:
        yield from _to_prior(instance, _some_prior(instance), "random")
        return
    problem = instance.problem
    bonus = problem.temperature * problem.bonus
    reward = (problem.reward + bonus).astype(np.float64)
    mask = np.asarray(problem.log_prior > -np.inf)
    mdp = instance.mdp.replace(reward=np.where(mask, reward, 0.0), action_mask=mask)
    other = instance.variant(mdp=mdp, prior=None)
    yield from _prior_cases(instance, other, optimum_q(instance) + bonus, "the one given")


@clause("PRIOR", "uniform prior", source="Asadi, Littman (2017)")
def uniform_prior(instance: Instance) -> Iterator[Case]:
    """The uniform prior over the available actions is entropy with reward r - alpha log |A(s)|."""
    available = instance.mdp.action_mask
    uniform = available / available.sum(axis=1, keepdims=True)
    plain = instance if instance.prior is None else instance.variant(prior=None)
    yield from _to_prior(plain, uniform, "uniform")


def _to_prior(plain: Instance, prior: ndarray, name: str) -> Iterator[Case]:
    """The entropy problem `plain` as one with a prior and the reward r - alpha log prior."""
    problem = plain.problem
    logs = np.log(np.where(problem.support, prior, 1.0).astype(np.longdouble))
    reward = (problem.reward - problem.temperature * logs).astype(np.float64)
    other = plain.variant(mdp=plain.mdp.replace(reward=reward), prior=prior)
    q = optimum_q(plain) - problem.temperature * logs
    yield from _prior_cases(plain, other, q, name)


def _prior_cases(instance: Instance, other: Instance, q: ndarray, name: str) -> Iterator[Case]:
    """q, mapped from Q*, is the optimum of the other problem: same values, same policy."""
    rounding = instance.sweep_rounding(instance.optimum.q)
    yield from mapped_cases(other, q, rounding, instance.optimum.residual, prior=name)
    left = instance.soft_value(instance.q_float(instance.optimum.q))
    right = other.soft_value(_in_float(other, q))
    tolerance = rounding + other.sweep_rounding(q)
    yield instance.equal(left, right, tolerance, part="both V", prior=name)
    yield from same_policy(instance, other, q, prior=name)


def _some_prior(instance: Instance) -> ndarray:
    """A random prior, at least 0.01 / A on every available action."""
    weights = instance.mdp.action_mask * (0.01 + instance.rng(31).random(instance.mdp.reward.shape))
    found: ndarray = weights / weights.sum(axis=1, keepdims=True)
    return found
