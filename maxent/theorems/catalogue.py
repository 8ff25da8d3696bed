"""`maxent.verify`: every theorem's clauses on one MDP, a verdict for each.

The statements about linear-quadratic problems (LQR-1 to 3) are asked of such a problem, all others
of an MDP; asked of the wrong kind, by name, a statement is "not applicable".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from numpy import ndarray

from maxent.continuous.lqr import LinearQuadratic
from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP, validation
from maxent.support.arguments import nearest, quoted, require_count, require_temperature
from maxent.support.other_words import takes_our_words
from maxent.support.progress import bar
from maxent.tabular import operators as tabular_operators
from maxent.theorems.clause import Clause
from maxent.theorems.clauses.linear_quadratic_regulator import LINEAR, LinearQuadraticInstance
from maxent.theorems.instance import Instance
from maxent.theorems.report import Report
from maxent.theorems.statements import CLAUSES

KEYS: tuple[str, ...] = tuple(dict.fromkeys(clause.key for clause in CLAUSES))
"""The keys that have clauses, in the order of the theory."""


@takes_our_words
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

    Returns a `Report` with one `Check` for each clause.  Raises ConfigError for a discount of 1, an
    unknown key or a wrong setting, ModelError for a prior or a transition that is none.  Whatever
    the operators do ends up in the report.

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> report = maxent.verify(mdp, temperature=0.1, keys=["SQL-T1", "SQL-T3"])
    >>> print(report)
    passed: 12 clauses hold
    <BLANKLINE>
    SQL-T1  4 hold
    SQL-T3  8 hold
    """
    if not isinstance(mdp, MDP | LinearQuadratic):
        raise ModelError(
            f"mdp = {quoted(mdp)} is not a maxent.MDP; build one, or see maxent.gridworld"
        )
    temperature = require_temperature(temperature)
    seed = require_count("seed", seed, minimum=0)
    chosen = _keys_about(mdp) if keys is None else chosen_keys(keys)
    instance: Instance | LinearQuadraticInstance
    if isinstance(mdp, MDP):
        instance = _instance_of_mdp(mdp, temperature, prior, seed, operators)
    else:
        if prior is not None:
            raise ConfigError("a linear-quadratic problem takes no prior; leave it out")
        instance = LinearQuadraticInstance(mdp, temperature, seed, operators)
    clauses = [clause for clause in CLAUSES if clause.key in chosen]
    return report_on(instance, clauses, progress=progress)


def report_on(
    instance: Instance | LinearQuadraticInstance,
    clauses: Sequence[Clause],
    *,
    progress: bool = False,
) -> Report:
    """The verdict on each clause, on an instance that is made already."""
    checks = []
    about_mdps = isinstance(instance, Instance)
    with bar(progress, total=len(clauses), desc="verify") as shown:
        for clause in clauses:
            shown.set_postfix_str(f"{clause.key} {clause.name}")
            if (LINEAR in clause.hypotheses) == about_mdps:  # about the other kind of problem
                checks.append(clause.not_applicable(clause.hypotheses[0].words))
            else:
                checks.append(clause.check(instance))
            shown.update()
    return Report(tuple(checks))


def _instance_of_mdp(
    mdp: MDP, temperature: float, prior: ndarray | None, seed: int, operators: Any
) -> Instance:
    if mdp.discount == 1.0:
        raise ConfigError(
            "discount = 1 makes no contraction: the theorems checked here need a discount below 1; "
            "set one such as 0.999 (maxent.solve certifies discount 1; FIRST-EXIT is checked on a "
            "problem made from this one)"
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


def statements(keys: str | Iterable[str] | None = None) -> list[dict[str, Any]]:
    """What `verify` checks: of each clause its key, name, statement, hypotheses and source."""
    chosen = chosen_keys(keys)
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


def _keys_about(problem: MDP | LinearQuadratic) -> set[str]:
    """The keys that are about a problem of this kind."""
    linear = isinstance(problem, LinearQuadratic)
    return {clause.key for clause in CLAUSES if (LINEAR in clause.hypotheses) == linear}


def named_keys(keys: str | Iterable[str]) -> list[str]:
    """The keys given, one or several; ConfigError for what is neither."""
    try:
        chosen = [keys] if isinstance(keys, str) else list(keys)
    except TypeError:
        chosen = [keys]  # type: ignore[list-item]  # no iterable
    for key in chosen:
        if not isinstance(key, str):
            raise ConfigError(f"keys = {quoted(keys)} is not valid; give a key or a list of keys")
    return chosen


def chosen_keys(
    keys: str | Iterable[str] | None,
    known: Sequence[str] = KEYS,
    otherwise: str = "no check has the key {}",
) -> set[str]:
    """The keys asked for, each of which must be known; None: all."""
    chosen = list(known) if keys is None else named_keys(keys)
    for key in chosen:
        if key not in known:
            raise ConfigError(f"{otherwise.format(quoted(key))}; {nearest(key, known)}")
    if not chosen:
        named = ", ".join(known)
        raise ConfigError(f"keys is empty; name at least one of {named}, or leave it out")
    return set(chosen)
