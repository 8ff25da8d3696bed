"""Soft policy iteration, the exact part: SAC-L1, SAC-L2, SAC-T1 (SAC Lemmas 1-2 and Theorem 1).

T^pi is `soft_policy_bellman`, (T^pi Q)(s,a) = r + gamma E[ E_pi[ Q - alpha log pi ] ]; the value
of a policy, where one is needed as the truth, comes from the linear system
(I - gamma P_pi) V = r_pi + alpha H_pi.  At temperature 0 the entropy is gone and the clauses are
those of ordinary policy iteration.  gamma is the discount times the largest row sum of the
transition as stored.  The policy set Pi is all policies.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy import ndarray

from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.clauses.soft_q_learning import improvements
from maxent.theorems.hypotheses import POSITIVE
from maxent.theorems.instance import SWEEPS_CHECKED, Instance, once
from maxent.theorems.reference import ReferenceValue

ROUNDS = 100


@clause("SAC-L1", "fixed point", source="SAC Lemma 1, Eqs. 2-3")
def evaluation_fixed_point(instance: Instance) -> Iterator[Case]:
    """T^pi Q^pi = Q^pi, with V^pi the solution of (I - gamma P_pi) V = r_pi + alpha H_pi."""
    for name, policy, truth in instance.policies:
        found = instance.soft_policy_bellman(instance.q_float(truth.q), policy)
        tolerance = instance.sweep_rounding(truth.q)
        yield instance.equal(found, truth.q, tolerance, 2.0 * truth.residual, policy=name)


@clause("SAC-L1", "value", source="SAC Eq. 3 (with the alpha of SAC2)")
def value_of_policy(instance: Instance) -> Iterator[Case]:
    """V^pi(s) = E_pi[ Q^pi(s,a) - alpha log pi(a|s) ]."""
    for name, policy, truth in instance.policies:
        found = instance.policy_value(instance.q_float(truth.q), policy)
        tolerance = instance.sweep_rounding(truth.q)
        yield instance.equal(found, truth.v, tolerance, truth.residual, policy=name)


@clause("SAC-L1", "operator", source="SAC Eqs. 2-3")
def evaluation_operator(instance: Instance) -> Iterator[Case]:
    """T^pi Q is V <- E_pi[ Q - alpha log pi ] followed by Q <- r + gamma E[V], for every Q."""
    for name, policy, q_name, q in _policies_with_q(instance):
        v = instance.problem.policy_value(q, policy)
        found = instance.soft_policy_bellman(q, policy)
        tolerance = instance.sweep_rounding(q)
        yield instance.equal(found, instance.problem.q_of(v), tolerance, policy=name, q=q_name)


@clause("SAC-L1", "iteration")
def evaluation_iteration(instance: Instance) -> Iterator[Case]:
    """Q_k = T^pi Q_(k-1) has max |Q_k - Q^pi| <= gamma^k max |Q_0 - Q^pi|: the limit is the linear
    system's solution."""
    exact = {name: truth for name, _, truth in instance.policies}
    for name, policy, start_name, other in _policies_with_q(instance):
        truth = exact[name]
        for q_name, q in (("Q^pi", instance.q_float(truth.q)), (start_name, other)):
            start = instance.distance(q, truth.q)
            rounding = instance.sweep_rounding(truth.q, q)
            for k in range(1, (SWEEPS_CHECKED[-1] if instance.is_small else 5) + 1):
                q = instance.soft_policy_bellman(q, policy)
                if k not in SWEEPS_CHECKED:
                    continue
                sweeps = min(k, 1.0 / (1.0 - instance.beta))
                errors = rounding * sweeps, truth.residual * sweeps
                bound = instance.beta**k * start
                error = np.abs(instance.difference(q, truth.q))
                yield instance.at_most(error, bound, *errors, policy=name, start=q_name, sweep=k)


@clause("SAC-L1", "affine", source="SAC Lemma 1: the expectation is linear")
def affine(instance: Instance) -> Iterator[Case]:
    """T^pi((1-t) Q1 + t Q2) = (1-t) T^pi Q1 + t T^pi Q2."""
    for name, policy, q_name, q in _policies_with_q(instance):
        p = instance.q_float(instance.optimum.q)
        for t in (0.5, -1.0, 3.0):
            mixed = (1.0 - t) * q + t * p
            left = instance.soft_policy_bellman(mixed, policy)
            first, second = (instance.soft_policy_bellman(x, policy) for x in (q, p))
            tolerance = instance.sweep_rounding(mixed, (1.0 - t) * q, t * p) + (
                (abs(1.0 - t) + abs(t)) * instance.sweep_rounding(q, p)
            )
            right = (1.0 - t) * first + t * second
            yield instance.equal(left, right, tolerance, policy=name, q=q_name, t=t)


@clause("SAC-L1", "contraction")
def evaluation_contraction(instance: Instance) -> Iterator[Case]:
    """max |T^pi Q1 - T^pi Q2| <= gamma max |Q1 - Q2|."""
    pairs = list(inputs.q_pairs(instance.problem, instance.optimum, instance.rng(8)))
    for i, (name, policy, _) in enumerate(instance.policies):
        for q_name, q, p in pairs[i % 3 :: 3]:
            after = (instance.soft_policy_bellman(x, policy) for x in (q, p))
            change = np.abs(instance.difference(*after))
            bound = instance.beta * instance.distance(q, p)
            tolerance = instance.sweep_rounding(q, p)
            yield instance.at_most(change, bound, tolerance, policy=name, q=q_name)


@clause("SAC-L2", "projection")
def projection(instance: Instance) -> Iterator[Case]:
    """pi_new minimises KL(pi' || exp(Q / alpha) / Z) in each state: E_pi_new[ Q - alpha log pi_new
    ] reaches alpha log sum exp(Q / alpha), which no policy exceeds."""
    listed = list(inputs.q_functions(instance.problem, instance.optimum, instance.rng(10)))
    listed += [(f"Q of {name}", instance.q_float(truth.q)) for name, _, truth in instance.policies]
    for name, q in listed:
        reached = instance.problem.policy_value(q, instance.soft_policy_improvement(q))
        yield instance.equal(
            reached, instance.problem.soft_value(q), instance.sweep_rounding(q), q=name
        )


@clause("SAC-L2", "minimiser", POSITIVE, source="SAC Eq. 4 with Pi all policies")
def minimiser(instance: Instance) -> Iterator[Case]:
    """Over all policies the projection is exp(Q / alpha) / Z: alpha log(pi_new(a|s) / prior(a|s)) =
    Q(s,a) - V(s)."""
    return instance.boltzmann_cases(instance.soft_policy_improvement)


@clause("SAC-L2", "improvement", source="SAC Lemma 2")
def projection_improves(instance: Instance) -> Iterator[Case]:
    """Q^pi_new >= Q^pi_old everywhere, from random and adversarial pi_old."""
    for name, before, after, tolerance in improvements(instance, instance.soft_policy_improvement):
        yield instance.at_most(
            before.q, after.q, tolerance, before.error + after.error, policy=name
        )


@clause("SAC-T1", "monotone sequence")
def never_falls(instance: Instance) -> Iterator[Case]:
    """Repeating evaluation and improvement, V^pi_k never falls in any state."""
    for name, values in soft_policy_iterations(instance):
        for k, (before, after) in enumerate(itertools.pairwise(values), start=1):
            tolerance = instance.solve_rounding(before.q, after.q)
            doubt = before.error + after.error
            yield instance.at_most(before.v, after.v, tolerance, doubt, start=name, round=k)


@clause(
    "SAC-T1", "rate", source="SAC Theorem 1; policy iteration is no slower than value iteration"
)
def rate(instance: Instance) -> Iterator[Case]:
    """max |V* - V^pi_k| <= gamma max |V* - V^pi_(k-1)|."""
    best = instance.optimum
    for name, values in soft_policy_iterations(instance):
        for k, (before, after) in enumerate(itertools.pairwise(values), start=1):
            tolerance = instance.solve_rounding(best.q, before.q)
            bound = instance.beta * instance.distance(best.v, before.v)
            doubt = 2.0 * best.error + before.error + after.error
            error = np.abs(instance.difference(best.v, after.v))
            yield instance.at_most(error, bound, tolerance, doubt, start=name, round=k)


@clause("SAC-T1", "limit")
def limit(instance: Instance) -> Iterator[Case]:
    """Repeating evaluation and improvement reaches V*, the solution of the soft Bellman
    equation."""
    best = instance.optimum
    for name, values in soft_policy_iterations(instance):
        tolerance = instance.solve_rounding(best.q)
        doubt = best.error + values[-1].error
        yield instance.equal(
            values[-1].v, best.v, tolerance, doubt, start=name, rounds=len(values) - 1
        )


@clause("SAC-T1", "dominance")
def limit_dominates(instance: Instance) -> Iterator[Case]:
    """The limit policy has Q^pi* >= Q^pi for every policy pi."""
    for start, values in soft_policy_iterations(instance):
        for name, _, other in instance.policies:
            tolerance = instance.solve_rounding(values[-1].q, other.q)
            doubt = values[-1].error + other.error
            witness = {"policy": name, "start": start}
            yield instance.at_most(other.q, values[-1].q, tolerance, doubt, **witness)


@once
def soft_policy_iterations(instance: Instance) -> list[tuple[str, list[ReferenceValue]]]:
    """Runs of soft policy iteration: improvement by the operator under test, exact evaluation.

    A run ends when V* is reached within rounding, or when no state's value rises any more.
    """
    runs = []
    for name, _, truth in instance.policies[: 3 if instance.is_small else 1]:
        values = [truth]
        enough = 0.25 * instance.solve_rounding(instance.optimum.q)
        for _ in range(ROUNDS):
            improved = instance.soft_policy_improvement(instance.q_float(values[-1].q))
            values.append(instance.evaluate(improved))
            rise = (values[-1].v - values[-2].v)[instance.problem.nonterminal].max()
            if instance.distance(values[-1].v, instance.optimum.v) <= enough or not rise > 0.0:
                break
        runs.append((name, values))
    return runs


def _policies_with_q(instance: Instance) -> Iterator[tuple[str, ndarray, str, ndarray]]:
    """Every policy with a q-function of its own, going round the list."""
    listed = list(inputs.q_functions(instance.problem, instance.optimum, instance.rng(11)))
    for i, (name, policy, _) in enumerate(instance.policies):
        yield name, policy, *listed[i % len(listed)]
