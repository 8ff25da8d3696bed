"""`maxent.prove`: the clauses that ball arithmetic can decide on one MDP, rounding included.

Every value is enclosed (`enclosure.py`), so the slack of a clause is known to lie in an interval:
the clause holds if all of it is at least -tolerance, fails if all of it is below, and is undecided
otherwise.  Unlike `verify`, which tests operators in float64, this is about the MDP alone: its
policies are exact, too.  A policy that is given has its rows divided by their exact sums; the
Boltzmann policy of Q is the real-valued one, enclosed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from tqdm.std import tqdm

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.proofs import balls
from maxent.proofs.clauses import CLAUSES, Margins
from maxent.proofs.enclosure import checked, outward
from maxent.proofs.ground import Ground
from maxent.support.arguments import nearest, require_count, require_positive, require_real
from maxent.theorems.check import Check, Report, Verdict

HYPOTHESES = ("finitely many states and actions, bounded rewards", "discount < 1")


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

    Needs the extra 'rigorous' (ConfigError).
    """
    temperature, prior, _ = checked(mdp, temperature, prior)
    width = _usual_width(mdp) if width is None else require_positive("width", width)
    if policies is not None and not policies:
        raise ConfigError("policies is empty; name at least one, or leave it out")
    if tolerance is None:
        tolerance = width
    elif not require_real("tolerance", tolerance, "[0, inf)") >= 0.0:
        raise ConfigError(f"tolerance = {tolerance!r} must be at least 0")
    known = tuple(dict.fromkeys(key for key, *_ in CLAUSES))
    chosen = known if keys is None else (keys,) if isinstance(keys, str) else tuple(keys)
    for key in chosen:
        if key not in known:
            raise ConfigError(f"no clause of {key!r} is proved; {nearest(key, known)}")
    if not chosen:
        raise ConfigError(
            f"keys is empty; name at least one of {', '.join(known)}, or leave it out"
        )
    rng = np.random.default_rng(require_count("seed", seed, minimum=0))
    ground = Ground(mdp, temperature, prior, policies, width, rng)
    clauses = [clause for clause in CLAUSES if clause[0] in chosen]
    checks = []
    for key, name, statement, source, margins in tqdm(
        clauses, desc="prove", disable=None if progress else True
    ):
        about = (key, name, statement, source, HYPOTHESES)
        checks.append(_judged(ground, about, margins, tolerance))
    return Report(tuple(checks))


def _usual_width(mdp: MDP) -> float:
    """1e-10, or 1e-40 of max|r| / (1-gamma): sums of float64 arrays hold some 90 digits."""
    return max(1e-10, 1e-40 * float(np.abs(mdp.reward).max()) / (1.0 - mdp.discount))


def _judged(
    ground: Ground,
    about: tuple[str, str, str, str, tuple[str, ...]],
    margins: Callable[[Ground], Margins],
    tolerance: float,
) -> Check:
    """The verdict on a clause: by the interval that holds the worst slack."""
    if not ground.states:
        missing = {"missing": "some state is not terminal"}
        return Check(*about, math.nan, math.nan, missing, "not applicable", strength="proved")
    worst, most, witness = math.inf, math.inf, dict[str, Any]()
    with balls.precision(ground.bits):
        for slacks, what in margins(ground):
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
