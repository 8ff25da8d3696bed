"""`check_solver`: does a soft solver solve, and if not, what does it get wrong?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.support.arguments import (
    quoted,
    require_count,
    require_flag,
    require_list,
    require_positive,
    require_temperature,
)
from maxent.testing.cases import TEMPERATURES, default_mdps, shrink, size_of
from maxent.testing.faults import EARLY, UNEXPLAINED, policy_faults, q_faults, value_faults
from maxent.testing.report import SolverFault, SolverReport
from maxent.theorems.reference import ReferenceProblem

TOLERANCE = 1e-6
NOT_FINITE = "not finite (NaN or inf)"
QUICK = 0.9
"""Up to this discount the equations of a fault are solved quickly: tried first."""
IN_FULL = 10
"""After so many failing runs, further ones are explained by the faults seen, if they can be."""


@dataclass(frozen=True)
class _Run:
    """One call of the solver, judged.  faults: each would explain it; none: it was right."""

    mdp: MDP
    temperature: float
    faults: frozenset[str]
    detail: str = ""
    error: float = float("nan")
    tolerance: float = float("nan")


def check_solver(
    solver: Callable[[MDP, float], Any],
    *,
    mdps: Iterable[MDP] | None = None,
    temperatures: Iterable[float] | None = None,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    smaller: bool = True,
) -> SolverReport:
    """Try a soft solver on small MDPs, compare with the truth, and say what it gets wrong.

    solver : f(mdp, temperature) -> (q, v, log_policy), or an object with these attributes.  q (S,
        A): soft action values; v (S,): soft state values, 0 at terminal states; log_policy (S, A):
        logs of the Boltzmann policy, -inf where unavailable.  Rows of q and log_policy at terminal
        states, and entries of q at unavailable actions, are not looked at.
    mdps : what to try it on; left out: 22 small dense MDPs with discounts 0 to 0.999 (terminal
        and absorbing states, masks, stochastic and deterministic transitions, large rewards).
    temperatures : left out: 0.1, 0.5 and 2.  0 is the hard maximum.
    seed : for the random ones among the MDPs.
    tolerance : allowed error of v and q, relative to max(1, |V*|).
    smaller : make each failing MDP smaller, by any simplification that still fails in the same way;
        False where the solver is for some kind of MDP only, as with rewards by state.

    The truth is the independent one of the theorem checks (Newton's method in extended precision).
    Nothing is raised for a wrong solver, whatever it does: see `SolverReport`.
    """
    if not callable(solver):
        raise ConfigError(
            f"solver = {quoted(solver)} cannot be called; give a function f(mdp, temperature) "
            "that returns (q, v, log_policy)"
        )
    require_count("seed", seed, minimum=0)
    require_positive("tolerance", tolerance)
    smaller = require_flag("smaller", smaller)
    chosen = default_mdps(seed)
    if mdps is not None:
        chosen = [require_mdp(mdp) for mdp in require_list("mdps", mdps)]
    asked = TEMPERATURES if temperatures is None else require_list("temperatures", temperatures)
    alphas = [require_temperature(temperature) for temperature in asked]
    if not chosen or not alphas:
        raise ConfigError("mdps or temperatures is empty; give at least one of each, or leave out")
    for number, mdp in enumerate(chosen):
        if mdp.discount == 1.0 or mdp.terminal.all():
            raise ConfigError(
                f"MDP {number} has discount {mdp.discount:g} and {int((~mdp.terminal).sum())} "
                "nonterminal states; give a discount below 1 and a state that is not terminal"
            )
    order = sorted(chosen, key=lambda mdp: (mdp.discount > QUICK, size_of(mdp)))
    runs: list[_Run] = []
    explained_in_full = 0
    for mdp in order:
        for alpha in alphas:
            known = None
            if explained_in_full >= IN_FULL:
                known = frozenset().union(*(run.faults for run in runs))
            runs.append(_judge(solver, mdp, alpha, tolerance, known))
            explained_in_full += bool(runs[-1].faults)
    wrong = [run for run in runs if run.faults]
    findings = []
    for fault, explained in _fewest(wrong):
        witness = _smallest(solver, fault, explained, tolerance, smaller)
        findings.append(
            SolverFault(
                fault,
                witness.detail,
                len(explained),
                witness.error,
                witness.tolerance,
                witness.mdp,
                witness.temperature,
            )
        )
    right = [run.error / run.tolerance for run in runs if not run.faults]
    name = getattr(solver, "__name__", type(solver).__name__)
    return SolverReport(name, tuple(findings), len(runs), len(wrong), max(right, default=np.nan))


def _fewest(wrong: list[_Run]) -> list[tuple[str, list[_Run]]]:
    """The fault that explains most failing runs, then the one that explains most of the rest..."""
    chosen, left = [], list(wrong)
    while left:
        names = sorted({fault for run in left for fault in run.faults})
        counts = {name: sum(name in run.faults for run in left) for name in names}
        best = max(names, key=lambda name: counts[name])
        chosen.append((best, [run for run in left if best in run.faults]))
        left = [run for run in left if best not in run.faults]
    return sorted(chosen, key=lambda each: (_vague(each[0]), -len(each[1])))


def _vague(fault: str) -> bool:
    """Whether a fault may well be the consequence of another one."""
    return UNEXPLAINED in fault or fault in (EARLY, NOT_FINITE)


def _smallest(
    solver: Callable[..., Any],
    fault: str,
    explained: list[_Run],
    tolerance: float,
    smaller: bool,
) -> _Run:
    """The least of the failing runs, preferably one that no other fault explains, made smaller."""
    sole = [run for run in explained if len(run.faults) == 1] or explained
    first = min(sole, key=lambda run: size_of(run.mdp))
    kept = {"run": first}

    def fails(mdp: MDP) -> bool:
        run = _judge(solver, mdp, first.temperature, tolerance)
        still = fault in run.faults and len(run.faults) <= len(first.faults)
        if still:
            kept["run"] = run
        return still

    if smaller:
        shrink(first.mdp, fails)
    return kept["run"]


def _judge(
    solver: Callable[..., Any],
    mdp: MDP,
    temperature: float,
    tolerance: float,
    known: frozenset[str] | None = None,
) -> _Run:
    """Call the solver once and compare what it returns with the truth.

    known: the faults of the values to try; None: all.
    """

    def wrong(fault: str, detail: str) -> _Run:
        return _Run(mdp, temperature, frozenset([fault]), detail)

    before = _fingerprint(mdp)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            returned = solver(mdp, temperature)
    except Exception as error:
        if "read-only" in str(error):
            return wrong("mutates the MDP", f"it tried to write into the MDP: {error}")
        text = " ".join(str(error).split())[:200]
        return wrong(f"raises {type(error).__name__}", f"it raised {type(error).__name__}: {text}")
    if _fingerprint(mdp) != before:
        return wrong("mutates the MDP", "an array of the MDP was changed by the call")
    read = _read(returned, mdp)
    if isinstance(read, tuple) and isinstance(read[0], str):
        return wrong(*read)
    q, v, log_policy = read
    return _compare(mdp, temperature, q, v, log_policy, tolerance, known)


def _compare(
    mdp: MDP,
    temperature: float,
    q: ndarray,
    v: ndarray,
    log_policy: ndarray,
    tolerance: float,
    known: frozenset[str] | None,
) -> _Run:
    truth = ReferenceProblem(mdp, temperature, mdp.log_mask).optimum()
    exact_v, exact_q = truth.v.astype(float), truth.q.astype(float)
    allowed = tolerance * max(1.0, float(np.abs(exact_v).max())) + truth.error
    support = mdp.action_mask & ~mdp.terminal[:, None]

    def close(a: ndarray, b: ndarray) -> bool:
        return bool(np.all(np.abs(a - b) <= allowed))

    v_off, q_off = np.abs(v - exact_v), np.where(support, np.abs(q - exact_q), 0.0)
    place = int(v_off.argmax())
    error = float(v_off[place])
    about = (mdp, temperature)
    if error > allowed:
        faults = value_faults(*about, v, exact_v, close, known)
        detail = f"v[{place}] = {v[place]:.8g}, and V* = {exact_v[place]:.8g} (error {error:.2g})"
        if not any(UNEXPLAINED in fault for fault in faults) or q_off.max() > allowed:
            return _Run(*about, frozenset(faults), detail, error, allowed)
        return _Run(*about, frozenset(faults), detail + "; q is right", error, allowed)
    if q_off.max() > allowed:
        s, a = (int(i) for i in np.unravel_index(int(q_off.argmax()), q.shape))
        detail = f"v is right; q[{s}, {a}] = {q[s, a]:.8g}, and Q* = {exact_q[s, a]:.8g}"
        faults = q_faults(*about, q, exact_v, exact_q, close)
        return _Run(*about, frozenset(faults), detail, float(q_off[s, a]), allowed)
    off, s, a, best = _policy_error(*about, log_policy, exact_v, exact_q, allowed, tolerance)
    if off > 0.0:
        detail = (
            f"q and v are right; the policy of action {a} in state {s} is "
            f"exp({log_policy[s, a]:.6g}), and pi* = {best:.6g}"
        )

        def near(x: ndarray, y: ndarray) -> bool:
            return bool(np.all(np.abs(x - y) <= 1e-4))

        faults = policy_faults(*about, log_policy, exact_q, near)
        return _Run(*about, frozenset(faults), detail, off, tolerance)
    return _Run(*about, frozenset(), "", error, allowed)


def _policy_error(
    mdp: MDP,
    temperature: float,
    log_policy: ndarray,
    v: ndarray,
    q: ndarray,
    allowed: float,
    tolerance: float,
) -> tuple[float, int, int, float]:
    """How far a policy is beyond what an error `allowed` of q explains, where, and pi* there.

    With |q - Q*| <= e each log pi moves by at most 2 e / alpha.  At temperature 0 any policy counts
    that takes optimal actions only.
    """
    support = mdp.action_mask & ~mdp.terminal[:, None]
    with np.errstate(over="ignore"):
        policy = np.exp(log_policy)
    shown = mdp.terminal[:, None] | mdp.action_mask
    sums = (
        np.abs(np.where(support, policy, 0.0).sum(axis=1) - 1.0)[:, None] * ~mdp.terminal[:, None]
    )
    if temperature == 0.0:
        best = np.where(support & (q >= v[:, None] - 2.0 * allowed), 1.0, 0.0)
        off = np.where(support & (best == 0.0), policy, 0.0) - tolerance
    else:
        best = np.where(
            support, np.exp(np.where(support, (q - v[:, None]) / temperature, -np.inf)), 0.0
        )
        room = np.expm1(min(2.0 * allowed / temperature, 1.0))
        off = np.where(support, np.abs(policy - best) - best * room - tolerance, -np.inf)
    off = np.maximum(off, sums - 10.0 * tolerance)
    off = np.maximum(off, np.where(shown, -np.inf, policy - tolerance))
    off = np.where(mdp.terminal[:, None], -np.inf, off)
    s, a = (int(i) for i in np.unravel_index(int(off.argmax()), off.shape))
    return float(off[s, a]), s, a, float(best[s, a])


def _read(returned: Any, mdp: MDP) -> tuple[ndarray, ndarray, ndarray] | tuple[str, str]:
    """(q, v, log_policy) as float64 arrays, or the fault and its detail."""
    names = ("q", "v", "log_policy")
    if all(hasattr(returned, name) for name in names):
        parts: Any = [getattr(returned, name) for name in names]
    elif isinstance(returned, (tuple, list)) and len(returned) == 3:
        parts = returned
    else:
        what = type(returned).__name__
        if isinstance(returned, (tuple, list)):
            what = f"{what} of {len(returned)}"
        return "wrong return value", f"it returned a {what}; return the tuple (q, v, log_policy)"
    n_states, n_actions = mdp.reward.shape
    shapes = {"q": (n_states, n_actions), "v": (n_states,), "log_policy": (n_states, n_actions)}
    arrays = []
    for name, part in zip(names, parts):
        try:
            array = np.asarray(part, dtype=np.float64)
        except Exception as error:
            detail = f"{name} is a {type(part).__name__} that NumPy cannot read as numbers: {error}"
            return "wrong return value", detail
        if array.shape != shapes[name]:
            hint = ""
            if array.shape == shapes[name][::-1] and array.ndim == 2:
                hint = "; it looks transposed: the last axis is actions"
            elif array.size == np.prod(shapes[name]):
                hint = "; it has the right number of entries: reshape it"
            detail = f"{name} has shape {array.shape}; it must be {shapes[name]}{hint}"
            return "wrong shape", f"{detail} ({n_states} states, {n_actions} actions)"
        looked = np.broadcast_to(~mdp.terminal, shapes["v"])
        if name != "v":
            looked = mdp.action_mask & ~mdp.terminal[:, None]
        bad = np.isnan(array) | (np.isinf(array) & ~((array < 0.0) & (name == "log_policy")))
        if (bad & looked).any():
            place = tuple(int(i) for i in np.argwhere(bad & looked)[0])
            large = float(np.abs(mdp.reward).max())
            where = f"{name}{list(place)} is {array[place]!r}"
            return NOT_FINITE, f"{where}, with rewards up to {large:g}"
        arrays.append(np.where(bad, 0.0, array))
    return arrays[0], arrays[1], arrays[2]


def _fingerprint(mdp: MDP) -> tuple[bytes, ...]:
    rows = mdp.transition_rows
    parts = [rows.data, rows.indices, rows.indptr] if mdp.is_sparse else [rows]
    parts += [mdp.reward, mdp.terminal, mdp.action_mask, mdp.initial_distribution]
    return tuple(np.ascontiguousarray(part).tobytes() for part in parts)
