"""`maxent.verify`: every theorem's clauses on one MDP, a verdict for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy import ndarray
from tqdm import tqdm

from maxent import validation
from maxent.errors import ConfigError, ModelError, check_count, check_temperature, nearest
from maxent.mdp import MDP
from maxent.tabular import operators as tabular_operators
from maxent.theorems import soft_policy_iteration, soft_q_iteration
from maxent.theorems.bench import Bench
from maxent.theorems.check import Clause, Report

CLAUSES: tuple[Clause, ...] = tuple(
    sorted(
        soft_q_iteration.CLAUSES + soft_policy_iteration.CLAUSES,
        key=lambda clause: ("SQL" not in clause.key, clause.key),
    )
)
"""Every clause, by key: SQL first."""

KEYS: tuple[str, ...] = tuple(dict.fromkeys(clause.key for clause in CLAUSES))


def verify(
    mdp: MDP,
    temperature: float,
    *,
    prior: ndarray | None = None,
    keys: str | Iterable[str] | None = None,
    seed: int = 0,
    operators: Any = tabular_operators,
    progress: bool = False,
) -> Report:
    """Check the theorems of maximum-entropy reinforcement learning on one MDP.

    Each clause of each theorem (SQL-T1 to T4, SAC-L1, SAC-L2, SAC-T1) is tried on random and
    adversarial inputs and compared with a truth computed by an independent route: linear solves
    and Newton's method in extended precision, with their own error bounds.  A check that holds is
    numerical evidence on these inputs, not a proof; docs/checks.md says what each one means.

    mdp : an MDP with discount < 1.
    temperature : alpha >= 0; at 0 the clauses are those of the hard maximum.
    prior : action probabilities (S, A) or (A,); the entropy becomes -KL(pi || prior).
    keys : which statements, as "SQL-T3" or a list of such; left out: all.
    seed : for the random inputs; the same seed gives the same report.
    operators : what is tested: a namespace with the functions of `maxent.tabular.operators`.
    progress : show a progress bar on a terminal.
    """
    if not isinstance(mdp, MDP):
        raise ModelError(f"mdp = {mdp!r} is not a maxent.MDP; build one, or see maxent.gridworld")
    temperature = check_temperature(temperature)
    seed = check_count("seed", seed, minimum=0)
    chosen = _chosen_keys(keys)
    if mdp.discount == 1.0:
        raise ConfigError(
            "discount = 1 makes no contraction: the theorems checked here need a discount below 1; "
            "set one such as 0.999, or see finite_horizon for undiscounted problems"
        )
    if prior is not None:
        prior = validation.action_distribution("prior", prior, mdp.action_mask, mdp.terminal)
    bench = Bench(mdp, temperature, prior, seed, operators)
    if not bench.beta < 1.0:
        raise ModelError(
            f"discount = {mdp.discount!r} times the largest row sum of the transition is not below "
            "1; divide each row by its sum, or lower the discount"
        )
    clauses = [clause for clause in CLAUSES if clause.key in chosen]
    shown = tqdm(clauses, desc="verify", disable=None if progress else True)
    return Report(tuple(clause.check(bench) for clause in shown))


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
