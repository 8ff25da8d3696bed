"""Where leaving and staying are worth the same: BALANCE."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.tabular.balance import ExitPay, exit_pay
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import NO_PRIOR, Hypothesis
from maxent.theorems.instance import Instance


def _pay(instance: Instance) -> ExitPay | None:
    try:
        return exit_pay(instance.mdp)
    except ConfigError:
        return None


def _is_paid_by_the_step(instance: Instance) -> bool:
    pay = _pay(instance)
    return pay is not None and pay.n_actions > 1 and _balance(instance, pay) > 0.0


PAID_BY_THE_STEP = Hypothesis(
    "each transition pays c, and g more on arrival in a terminal state; n > 1 actions in every "
    "other state; g / gamma - g - c > 0",
    _is_paid_by_the_step,
    "maxent.tabular.balance.exit_pay",
)
BALANCED = (NO_PRIOR, PAID_BY_THE_STEP)


def _balance(instance: Instance, pay: ExitPay) -> float:
    """alpha_c, written out."""
    gamma = instance.mdp.discount
    return (pay.arrival / gamma - pay.arrival - pay.step) / math.log(pay.n_actions)


def _even(instance: Instance, pay: ExitPay) -> tuple[ndarray, ndarray]:
    """V = g / gamma (S,), and the log of the uniform policy (S, A)."""
    problem = instance.problem
    value = np.where(problem.nonterminal, pay.arrival / instance.mdp.discount, 0.0)
    uniform = np.where(problem.support, -math.log(pay.n_actions), -np.inf)
    placeholder = np.full(uniform.shape, -math.log(problem.n_actions))
    return value, np.where(problem.nonterminal[:, None], uniform, placeholder)


@clause("BALANCE", "even")
def even(instance: Instance) -> Iterator[Case]:
    """At alpha_c = (g/gamma - g - c) / log n, the public `balance_temperature`, V = g/gamma solves
    the soft Bellman equation with the uniform policy."""
    pay = exit_pay(instance.mdp)
    alpha = instance.call("balance_temperature", instance.mdp)
    exact = _balance(instance, pay)
    value, uniform = _even(instance, pay)
    balanced = instance.at(exact)
    q = balanced.backup(value)
    # the pay per step is read off rewards that are given to a billionth of the largest
    tolerance = balanced.sweep_rounding(value) + 1e-9 * balanced.problem.scale(value)
    yield instance.equal(np.asarray(alpha), exact, 1e-12 * exact)
    yield instance.equal(balanced.soft_value(q), value, tolerance, part="V")
    found = balanced.boltzmann_policy(balanced.q_float(q))
    yield instance.equal(exact * found, exact * uniform, tolerance, part="policy")


@clause(
    "BALANCE", "identity", source="T^pi V - V at V = g/gamma, carried through (I - gamma P_pi)^-1"
)
def balance_identity(instance: Instance) -> Iterator[Case]:
    """V*(s) - g/gamma = delta N(s) - alpha E sum gamma^t KL(pi*(.|s_t) || uniform), delta = alpha
    log n - (g/gamma - g - c), N(s) the discounted time of pi* to a terminal state."""
    pay, best = exit_pay(instance.mdp), instance.optimum
    value, uniform = _even(instance, pay)
    delta = (instance.temperature - _balance(instance, pay)) * math.log(pay.n_actions)
    lost = instance.temperature * instance.kl_divergence(instance.best_policy, uniform)
    found, error = instance.problem.solve(instance.best_policy, delta - lost)
    size = 1e-9 * instance.problem.scale(value, best.v) / (1.0 - instance.beta)
    tolerance = instance.solve_rounding(best.q, value) + size
    expected = instance.difference(best.v, value)
    yield instance.equal(found, expected, tolerance, error + best.error)


@clause(
    "BALANCE",
    "sooner or later",
    source="the identity, against the uniform policy, which attains delta N_uniform",
)
def sooner_or_later(instance: Instance) -> Iterator[Case]:
    """Below alpha_c pi* reaches a terminal state no later, in discounted time, than the uniform
    policy from any state; above alpha_c no sooner."""
    pay = exit_pay(instance.mdp)
    exact = _balance(instance, pay)
    _, uniform = _even(instance, pay)
    problem = instance.problem
    steps = problem.nonterminal.astype(float)
    usual, usual_error = problem.solve(uniform, steps)
    for alpha in (instance.temperature, 0.7 * exact, 1.5 * exact):
        each = instance.at(alpha)
        taken, error = problem.solve(each.best_policy, steps)
        below = alpha < exact
        first, last = (taken, usual) if below else (usual, taken)
        gap = abs(alpha - exact) * math.log(pay.n_actions)
        # delta (N_pi - N_uniform) >= -2 errors of V, so N may be off by that over delta
        size = each.solve_rounding(each.optimum.q) + 1e-9 * problem.scale(each.optimum.v)
        tolerance = 2.0 * size / (1.0 - instance.beta) / gap if gap > 0.0 else math.inf
        if tolerance < math.inf:
            yield each.at_most(first, last, tolerance, error + usual_error, alpha=alpha)
