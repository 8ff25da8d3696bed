"""`maxent.verify`: every theorem's clauses on one MDP, a verdict for each.

The statements about linear-quadratic problems (LQR-1 to 3) are asked of such a problem, all others
of an MDP; asked of the wrong kind, by name, a statement is "not applicable".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from numpy import ndarray
from tqdm import tqdm

from maxent.continuous.lqr import LinearQuadratic
from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP, validation
from maxent.support.arguments import nearest, require_count, require_temperature
from maxent.tabular import operators as tabular_operators
from maxent.theorems.check import Check, Clause, Report
from maxent.theorems.clauses import (
    convex_dual,
    duality,
    gibbs,
    identities,
    inference,
    limits,
    linear_quadratic,
    linearly_solvable,
    policy_gradient,
    soft_policy_iteration,
    soft_q_iteration,
    transformations,
)
from maxent.theorems.clauses.linear_quadratic import LinearQuadraticInstance
from maxent.theorems.instance import Instance

ORDER = (
    *("SQL-T1", "SQL-T2", "SQL-T3", "SQL-T4", "SAC-L1", "SAC-L2", "SAC-T1"),
    *("GIBBS-1", "GIBBS-2", "GIBBS-3", "GIBBS-4", "SPI-NEWTON", "NPG", "LIMIT-ZERO"),
    *("LIMIT-INFINITY", "MONOTONE", "SCALE", "SHAPE", "SHIFT", "DUPLICATE", "PG", "SUBOPT"),
    *("ENVELOPE", "SENSITIVITY", "SLOPE", "DUAL-TEMPERATURE", "DUAL-OCCUPANCY", "PATH"),
    *("INFERENCE", "PG-EQUIVALENCE", "LMDP", "PRIOR", "MELLOWMAX", "LQR-1", "LQR-2", "LQR-3"),
)
"""The keys in the order of the theory: SQL and SAC first."""

FAMILIES = (
    *(soft_q_iteration, soft_policy_iteration, gibbs, policy_gradient, limits, transformations),
    *(identities, duality, convex_dual, inference, linearly_solvable, linear_quadratic),
)
CLAUSES: tuple[Clause, ...] = tuple(
    sorted(
        (each for family in FAMILIES for each in family.CLAUSES),
        key=lambda clause: ORDER.index(clause.key),
    )
)
"""Every clause, by key."""

KEYS: tuple[str, ...] = tuple(dict.fromkeys(clause.key for clause in CLAUSES))


def verify(
    mdp: MDP | LinearQuadratic,
    temperature: float,
    *,
    prior: ndarray | None = None,
    keys: str | Iterable[str] | None = None,
    seed: int = 0,
    operators: Any = tabular_operators,
    progress: bool = False,
) -> Report:
    """Check the theorems of maximum-entropy reinforcement learning on one MDP.

    Each clause of each theorem (`statements()` lists them) is tried on random and adversarial
    inputs and compared with a truth computed by an independent route: linear solves and Newton's
    method in extended precision with their own error bounds, enumeration, a convex program.  A
    check that holds is numerical evidence on these inputs, not a proof; docs/checks.md says what
    each one means.

    mdp : an MDP with discount < 1, or a `maxent.continuous.lqr.LinearQuadratic`.
    temperature : alpha >= 0; at 0 the clauses are those of the hard maximum.
    prior : action probabilities (S, A) or (A,); the entropy becomes -KL(pi || prior).
    keys : which statements, as "SQL-T3" or a list of such; left out: all about such a problem.
    seed : for the random inputs; the same seed gives the same report.
    operators : what is tested: a namespace with the functions of `maxent.tabular.operators`, and,
        if you like, public functions (`occupancy`, `policy_gradient`, `tradeoff`, `solve_lqr` ...);
        a function it lacks is maxent's own.
    progress : show a progress bar on a terminal.
    """
    if not isinstance(mdp, MDP | LinearQuadratic):
        raise ModelError(f"mdp = {mdp!r} is not a maxent.MDP; build one, or see maxent.gridworld")
    temperature = require_temperature(temperature)
    seed = require_count("seed", seed, minimum=0)
    concerning = {clause.key for clause in CLAUSES if _concerns(clause, mdp)}
    chosen = concerning if keys is None else _chosen_keys(keys)
    instance: Instance | LinearQuadraticInstance
    if isinstance(mdp, MDP):
        instance = _instance_of_mdp(mdp, temperature, prior, seed, operators)
    else:
        if prior is not None:
            raise ConfigError("a linear-quadratic problem takes no prior; leave it out")
        instance = LinearQuadraticInstance(mdp, temperature, seed, operators)
    clauses = [clause for clause in CLAUSES if clause.key in chosen]
    checks = []
    with tqdm(total=len(clauses), desc="verify", disable=None if progress else True) as bar:
        for clause in clauses:
            bar.set_postfix_str(f"{clause.key} {clause.name}")
            checks.append(clause.check(instance) if _concerns(clause, mdp) else _foreign(clause))
            bar.update()
    return Report(tuple(checks))


def _instance_of_mdp(
    mdp: MDP, temperature: float, prior: ndarray | None, seed: int, operators: Any
) -> Instance:
    if mdp.discount == 1.0:
        raise ConfigError(
            "discount = 1 makes no contraction: the theorems checked here need a discount below 1; "
            "set one such as 0.999, or see finite_horizon for undiscounted problems"
        )
    if prior is not None:
        prior = validation.action_distribution("prior", prior, mdp.action_mask, mdp.terminal)
    instance = Instance(mdp, temperature, prior, seed, operators)
    if not instance.beta < 1.0:
        raise ModelError(
            f"discount = {mdp.discount!r} times the largest row sum of the transition is not below "
            "1; divide each row by its sum, or lower the discount"
        )
    return instance


def _concerns(clause: Clause, problem: MDP | LinearQuadratic) -> bool:
    """Whether the clause is about a problem of this kind."""
    return (clause in linear_quadratic.CLAUSES) == isinstance(problem, LinearQuadratic)


def _foreign(clause: Clause) -> Check:
    """The verdict on a clause that is about the other kind of problem: its first hypothesis."""
    words = tuple(hypothesis.words for hypothesis in clause.hypotheses)
    about = (clause.key, clause.name, clause.statement, clause.source, words)
    return Check(*about, math.nan, math.nan, {"missing": words[0]}, "not applicable")


def statements(keys: str | Iterable[str] | None = None) -> list[dict[str, Any]]:
    """What `verify` checks: of each clause its key, name, statement, hypotheses and source."""
    chosen = _chosen_keys(keys)
    return [
        {
            "key": clause.key,
            "clause": clause.name,
            "statement": clause.statement,
            "hypotheses": tuple(hypothesis.words for hypothesis in clause.hypotheses),
            "source": clause.source,
        }
        for clause in CLAUSES
        if clause.key in chosen
    ]


def _chosen_keys(keys: str | Iterable[str] | None) -> set[str]:
    if keys is None:
        return set(KEYS)
    chosen = [keys] if isinstance(keys, str) else list(keys)
    for key in chosen:
        if key not in KEYS:
            raise ConfigError(f"no check has the key {key!r}; {nearest(key, KEYS)}")
    if not chosen:
        raise ConfigError(f"keys is empty; name at least one of {', '.join(KEYS)}, or leave it out")
    return set(chosen)
