"""Without discount: first exit (FIRST-EXIT) and average reward (AVERAGE).

First-exit problems are made from the MDP at hand.  A discount is a chance to end: with gamma P in
place of P, and a step to a terminal state with the probability that is left, the undiscounted value
is V*, which is known by an independent route.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.mdp import MDP
from maxent.theorems import inputs
from maxent.theorems.case import Case
from maxent.theorems.clause import clause
from maxent.theorems.hypotheses import MODEL, NO_PRIOR, NO_TERMINAL, Hypothesis, at_most_states
from maxent.theorems.instance import Instance, once_for_all

FEW_STATES = at_most_states(500)
SHIFT = 1e-2
"""How far from the gain rewards are moved, relative to their size."""

NEAR_ONE = (0.99, 0.9999)
"""Discounts at which the limit of discounting is looked at."""


def _reasonable(instance: Instance) -> bool:
    size = float(np.abs(instance.problem.reward).max(initial=0.0))
    return instance.temperature == 0.0 or 1e-9 * size <= instance.temperature <= 1e9 * (size or 1.0)


WITHIN_SIGHT = Hypothesis("temperature within 1e-9 and 1e9 of the largest reward", _reasonable)
SWEEPS = 1_000
"""At most, for the average reward: its interval holds after any number of them."""
UNDISCOUNTED = (*MODEL, FEW_STATES, WITHIN_SIGHT)


def answer(instance: Instance, name: str, about: object, *given: Any, **settings: Any) -> Any:
    """A public function of maxent; remembered where it is not one of those under test."""
    if getattr(instance.operators, name, None) is not None:
        return instance.call(name, *given, **settings)
    known, key = instance.problem.known, f"{name}: {about}"
    if key not in known:
        known[key] = instance.call(name, *given, **settings)
    return known[key]


def ending(instance: Instance) -> Instance:
    """The first-exit problem whose undiscounted value is V*: one terminal state more."""
    mdp = instance.mdp
    n_states, n_actions = mdp.reward.shape
    rows = sparse.csr_array(mdp.discount * sparse.csr_array(mdp.transition_rows))
    used = (mdp.action_mask & ~mdp.terminal[:, None]).ravel()
    left = np.where(used, 1.0 - np.asarray(rows.sum(axis=1)).ravel(), 0.0)
    wider = sparse.hstack([rows, sparse.csr_array(np.maximum(left, 0.0)[:, None])], format="csr")
    last = sparse.csr_array((n_actions, n_states + 1))
    everything = sparse.csr_array(sparse.vstack([wider, last], format="csr"))
    settings: dict[str, Any] = {
        "discount": 1.0,
        "terminal": np.append(mdp.terminal, True),
        "action_mask": np.vstack([mdp.action_mask, np.ones((1, n_actions), dtype=bool)]),
    }
    reward = np.vstack([mdp.reward, np.zeros((1, n_actions))])
    prior = instance.prior
    if prior is not None:
        prior = np.vstack([prior, np.full((1, n_actions), 1.0 / n_actions)])
    return instance.variant(mdp=MDP(everything, reward, **settings), prior=prior)


@once_for_all
def _ending(instance: Instance) -> tuple[MDP, ndarray | None]:
    made = ending(instance)
    return made.mdp, made.prior


def _solved(instance: Instance) -> tuple[Instance, Any]:
    mdp, prior = _ending(instance)
    other = instance.variant(mdp=mdp, prior=prior)
    return other, answer(instance, "solve", "ending", mdp, instance.temperature, prior=prior)


@clause("FIRST-EXIT", "a discount is a chance to end")
def chance_to_end(instance: Instance) -> Iterator[Case]:
    """gamma P, and an end with the probability left, at discount 1: the certified interval holds
    V*, and is as narrow as the tolerance."""
    found, best = _solved(instance)[1], instance.optimum
    tolerance = instance.solve_rounding(best.q)
    for name in ("lower", "upper"):
        bound = np.asarray(getattr(found, name, np.nan))
        bound = bound[:-1] if bound.ndim else np.full(len(best.v), np.nan)
        low, high = (bound, best.v) if name == "lower" else (best.v, bound)
        yield instance.at_most(low, high, tolerance, best.error, bound=name)
    width = 2.0 * float(getattr(found, "tolerance", np.nan))
    if getattr(found, "status", "") == "converged":
        yield instance.at_most(np.max(found.upper - found.lower), width, tolerance)


@clause("FIRST-EXIT", "super- and subsolution")
def both_inequalities(instance: Instance) -> Iterator[Case]:
    """T L >= L and T U <= U without discount, for the bounds of the undiscounted solver."""
    other, found = _solved(instance)
    for name in ("lower", "upper"):
        bound = np.asarray(getattr(found, name, np.full(other.mdp.n_states, np.nan)))
        if np.isinf(bound).any():
            continue
        mapped = other.soft_value(other.backup(bound))
        low, high = (bound, mapped) if name == "lower" else (mapped, bound)
        yield other.at_most(low, high, other.sweep_rounding(bound), bound=name)


@clause("FIRST-EXIT", "finite where the gain is below 0", NO_PRIOR, NO_TERMINAL)
def finite_or_not(instance: Instance) -> Iterator[Case]:
    """With a way out of every state, the value is finite if every reward is lowered by more than
    the best gain, and refused if by less than the least one."""
    mdp, alpha = instance.mdp, instance.temperature
    gain = _average(instance)
    size = instance.problem.scale() or 1.0
    for finite in (True, False):
        moved = gain.upper + SHIFT * size if finite else gain.lower - SHIFT * size
        way_out = _with_a_way_out(mdp, moved)
        found = answer(instance, "solve", f"way out at {moved!r}", way_out, alpha)
        upper = np.asarray(getattr(found, "upper", np.nan))
        right = bool(np.isfinite(upper).all()) == finite
        yield instance.at_most(0.0, 1.0 if right else -1.0, 0.0, finite=finite)


def _with_a_way_out(mdp: MDP, lowered: float) -> MDP:
    """One action more in every state, which ends the episode for 0; all other rewards lowered."""
    dense = mdp.to_dense().transition
    n_states, n_actions = mdp.reward.shape
    transition = np.zeros((n_states + 1, n_actions + 1, n_states + 1))
    sums = np.where(mdp.action_mask, dense.sum(axis=2), 1.0)
    transition[:n_states, :n_actions, :n_states] = dense / sums[:, :, None]
    transition[:n_states, n_actions, n_states] = 1.0
    reward = np.zeros((n_states + 1, n_actions + 1))
    reward[:n_states, :n_actions] = mdp.reward - lowered
    mask = np.ones((n_states + 1, n_actions + 1), dtype=bool)
    mask[:n_states, :n_actions] = mdp.action_mask
    end = np.arange(n_states + 1) == n_states
    return MDP(transition, reward, discount=1.0, terminal=end, action_mask=mask)


@clause("AVERAGE", "bounds by any values")
def any_values(instance: Instance) -> Iterator[Case]:
    """min(T h - h) <= rho <= max(T h - h) for any h, T without discount (0 at terminal states):
    these and the interval certified for rho meet."""
    found = _average(instance)
    without = instance.variant(mdp=instance.mdp.replace(discount=1.0))
    starts = inputs.v_functions(instance.problem, instance.optimum, instance.rng(60))
    listed = [*starts, ("its own bias", np.asarray(getattr(found, "bias", np.nan)))]
    for name, start in listed:
        if name == "its own bias" and (~instance.problem.nonterminal).any():
            continue  # 0 at state 0, not at terminal states
        h = np.where(instance.problem.nonterminal, start, 0.0)
        change = _ends(instance, without.difference(without.soft_value(without.backup(h)), h))
        tolerance = without.sweep_rounding(h) + _deficit(instance, h)
        yield instance.at_most(change.min(), found.upper, tolerance, h=name, side="lower")
        yield instance.at_most(found.lower, change.max(), tolerance, h=name, side="upper")
        if name == "its own bias":
            slack = 1e-9 * max(1.0, instance.problem.scale())
            yield instance.at_most(np.ptp(change), found.upper - found.lower, tolerance + slack)


@clause(
    "AVERAGE",
    "the limit of discounting",
    source="T V* - V* = (1 - gamma) P V* up to a mean; the bounds by any values",
)
def limit_of_discounting(instance: Instance) -> Iterator[Case]:
    """(1 - gamma) min V* <= rho <= (1 - gamma) max V* at every gamma, V* known by an independent
    route (0 at terminal states)."""
    found = _average(instance)
    for discount in (instance.mdp.discount, *NEAR_ONE):
        other = instance.variant(mdp=instance.mdp.replace(discount=discount))
        if not other.beta < 1.0:
            continue
        best = other.optimum
        v = (1.0 - discount) * _ends(instance, best.v)
        tolerance = (1.0 - discount) * other.solve_rounding(best.q) + _deficit(instance, best.v)
        doubt = (1.0 - discount) * best.error
        yield other.at_most(v.min(), found.upper, tolerance, doubt, discount=discount)
        yield other.at_most(found.lower, v.max(), tolerance, doubt, discount=discount)


def _average(instance: Instance) -> Any:
    found = answer(
        instance, "average_reward", "itself", instance.mdp, instance.temperature,
        prior=instance.prior, max_iterations=SWEEPS,
    )  # fmt: skip
    return found if hasattr(found, "upper") else _Nothing()


class _Nothing:
    """In place of a result, where a function under test refuses."""

    lower = upper = bias = np.nan


def _ends(instance: Instance, values: ndarray) -> ndarray:
    """The values of non-terminal states, and 0 if there is a terminal one."""
    nonterminal = instance.problem.nonterminal
    kept = values[nonterminal]
    return kept if nonterminal.all() else np.append(kept, 0.0)


def _deficit(instance: Instance, h: ndarray) -> float:
    """What rows that sum to 1 only within the tolerance of a model can change."""
    sums = np.asarray(instance.mdp.transition_rows.sum(axis=1)).reshape(instance.mdp.reward.shape)
    off = float(np.abs(np.where(instance.problem.support, sums - 1.0, 0.0)).max(initial=0.0))
    return off * float(np.abs(h).max(initial=0.0))
