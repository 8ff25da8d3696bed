"""`maxent.prove`: the clauses that ball arithmetic can decide on one MDP, rounding included.

Every value is enclosed (`enclosure.py`), so the slack of a clause is known to lie in an interval:
the clause holds if all of it is at least -tolerance, fails if all of it is below, and is undecided
otherwise.  Unlike `verify`, which tests operators in float64, this is about the MDP alone: its
policies are exact, too.  A policy that is given has its rows divided by their exact sums; the
Boltzmann policy of Q is the real-valued one, enclosed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.proofs import balls
from maxent.proofs.clauses import CLAUSES, ProvableClause
from maxent.proofs.enclosure import enclose, outward, require_problem
from maxent.proofs.ground import Ground
from maxent.support.arguments import (
    require_count,
    require_kind,
    require_positive,
    require_real,
)
from maxent.support.other_words import takes_our_words
from maxent.support.progress import bar
from maxent.tabular.solvers import solve
from maxent.theorems.catalogue import chosen_keys, named_keys, verify
from maxent.theorems.check import Check, Verdict
from maxent.theorems.hypotheses import CONTRACTING, FINITE
from maxent.theorems.report import Report

HYPOTHESES = (FINITE.words, CONTRACTING.words)


@takes_our_words
def prove(
    mdp: MDP,
    temperature: float,
    *,
    prior: Any = None,
    policies: Mapping[str, Any] | None = None,
    keys: str | Iterable[str] | None = None,
    width: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Report:
    """Prove clauses of the theorems on one MDP, rounding included: checks of strength "proved".

    mdp, temperature, prior : as for `maxent.enclose`.
    policies : by name, action probabilities (S, A) or (A,), for the clauses on a policy; left out:
        the uniform one, a random one and one greedy for the reward.
    keys : which statements (docs/proofs.md lists those that can be proved); left out: all.
    width : of the enclosures, in units of reward; left out: 1e-10, or 1e-40 of the largest values
        possible where that is more.
    tolerance : how far a clause may be violated and still hold; left out: `width`.  With 0 an
        inequality is decided as it stands, and an exact tie is "undecided".
    seed : for the random policy and values.
    progress : show a progress bar on a terminal.

    Needs the extra 'rigorous' (MissingExtraError).

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> report = maxent.prove(mdp, temperature=0.1, keys="SQL-T4")
    >>> [(check.clause, check.verdict, check.strength) for check in report]
    [('improvement', 'holds', 'proved'), ('size of the step', 'holds', 'proved')]
    """
    temperature, prior, _ = require_problem(mdp, temperature, prior)
    width = _usual_width(mdp) if width is None else require_positive("width", width)
    if policies is not None:
        require_kind("policies", policies, Mapping)
    if policies is not None and not policies:
        raise ConfigError("policies is empty; name at least one, or leave it out")
    if tolerance is None:
        tolerance = width
    elif not (tolerance := require_real("tolerance", tolerance, "[0, inf)")) >= 0.0:
        raise ConfigError(f"tolerance = {tolerance!r} must be at least 0")
    known = tuple(dict.fromkeys(clause.key for clause in CLAUSES))
    chosen = chosen_keys(keys, known, "no clause of {} is proved")
    rng = np.random.default_rng(require_count("seed", seed, minimum=0))
    ground = Ground(mdp, temperature, prior, policies, width, rng)
    clauses = [clause for clause in CLAUSES if clause.key in chosen]
    shown = bar(progress, iterable=clauses, desc="prove")
    return Report(tuple(_judged(ground, clause, tolerance) for clause in shown))


@takes_our_words
def verify_rigorously(
    mdp: MDP,
    temperature: float,
    *,
    prior: Any = None,
    keys: str | Iterable[str] | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Report:
    """The numerical checks of `maxent.verify` and the proofs of `maxent.prove` in one report.

    The proved clauses of a key follow its numerical ones.  Arguments: as for `maxent.verify`.  Keys
    that are checked but cannot be proved have their numerical checks only; ConfigError where
    none of those given can be proved.  Needs the extra 'rigorous' (MissingExtraError).

    >>> import maxent
    >>> mdp = maxent.gridworld("two-goals", discount=0.95)
    >>> print(maxent.verify_rigorously(mdp, temperature=0.1, keys=["SQL-T1", "SUBOPT"]))
    passed: 9 clauses hold
    <BLANKLINE>
    SQL-T1  4 hold (numerical), 3 hold (proved)
    SUBOPT  2 hold (numerical)
    """
    chosen = None if keys is None else named_keys(keys)
    checked = verify(mdp, temperature, prior=prior, keys=chosen, seed=seed, progress=progress)
    if chosen is not None:
        provable = {clause.key for clause in CLAUSES}
        chosen = [key for key in chosen if key in provable] or chosen  # none: `prove` says so
    proved = prove(mdp, temperature, prior=prior, keys=chosen, seed=seed, progress=progress)
    order = list(dict.fromkeys(check.key for check in checked))
    return Report(tuple(sorted((*checked, *proved), key=lambda check: order.index(check.key))))


def certainty(mdp: MDP, temperature: float) -> dict[str, float]:
    """How surely the optimal values are known, in the worst state, in units of reward.

    enclosed_error : the certified error of the float64 values of `maxent.solve`.
    proved_width : of the intervals of `maxent.enclose`.
    """
    solved, proved = solve(mdp, temperature), enclose(mdp, temperature)
    return {"enclosed_error": solved.error_bound, "proved_width": proved.width}


def _usual_width(mdp: MDP) -> float:
    """1e-10, or 1e-40 of max|r| / (1-gamma): sums of float64 arrays hold some 90 digits."""
    return max(1e-10, 1e-40 * float(np.abs(mdp.reward).max()) / (1.0 - mdp.discount))


def _judged(ground: Ground, clause: ProvableClause, tolerance: float) -> Check:
    """The verdict on a clause: by the interval that holds the worst slack."""
    about = (clause.key, clause.name, clause.statement, clause.source, HYPOTHESES)
    if not ground.states:
        missing = {"missing": "some state is not terminal"}
        return Check(*about, math.nan, math.nan, missing, "not applicable", strength="proved")
    worst, most, witness = math.inf, math.inf, dict[str, Any]()
    with balls.precision(ground.bits):
        for slacks, what in clause.margins(ground):
            for state, slack in zip(ground.states, slacks):
                low = outward(slack, -1)
                most = min(most, outward(slack, 1))
                if low < worst:
                    worst, witness = low, what | {"state": state}
    verdict: Verdict = "undecided"
    if worst >= -tolerance:
        verdict = "holds"
    elif most < -tolerance:
        verdict = "fails"
    return Check(*about, worst, tolerance, witness, verdict, strength="proved")
