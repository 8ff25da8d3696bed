"""Soft policy iteration where states share parameters: what SAC-L2 and SAC-T1 do not promise.

One action distribution serves all states, Pi = {pi : pi(.|s) = (x, 1 - x) for all s}.  The
projection of SAC Eq. 4 with uniform state weights minimises the mean over states of
KL(p || exp(Q(s,.)/alpha)/Z(s)), so p is proportional to exp(mean_s Q(s,.) / alpha).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from scipy.optimize import brentq

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.support.arguments import nearest, quoted
from maxent.support.arrays import logs
from maxent.support.shapes import Float
from maxent.tabular import operators
from maxent.theorems.counterexamples.record import CounterExample

TIED_TEMPERATURE, TIED_DISCOUNT = 0.1, 0.9
_TIED: dict[str, tuple[Any, Any]] = {
    "NOT-TIED-IMPROVED": (
        [
            [[0.3, 0.63, 0.07], [0.03, 0.01, 0.96]],
            [[0.0, 0.48, 0.52], [0.0, 0.99, 0.01]],
            [[0.02, 0.86, 0.12], [0.23, 0.11, 0.66]],
        ],
        [[1.06, -0.18], [-2.75, 1.69], [0.09, 0.14]],
    ),
    "NOT-TIED-BEST": (
        [
            [[1.0, 0.0, 0.0], [0.94, 0.0, 0.06]],
            [[0.0, 0.0, 1.0], [0.22, 0.78, 0.0]],
            [[0.02, 0.01, 0.97], [0.03, 0.95, 0.02]],
        ],
        [[-0.91, 0.86], [-0.03, 0.17], [1.51, -0.48]],
    ),
    "NOT-TIED-CONVERGENT": (
        [
            [[0.03, 0.35, 0.62], [0.59, 0.41, 0.0]],
            [[0.04, 0.17, 0.79], [0.02, 0.91, 0.07]],
            [[0.02, 0.0, 0.98], [0.34, 0.05, 0.61]],
        ],
        [[1.64, -0.03], [-1.3, 0.08], [-0.3, 0.45]],
    ),
}


def tied_mdp(key: str) -> MDP:
    """The stored MDP of a NOT-TIED counter-example: 3 states, 2 actions, discount 0.9."""
    if key not in _TIED:
        raise ConfigError(f"no tied MDP has the key {quoted(key)}; {nearest(key, _TIED)}")
    transition, reward = _TIED[key]
    return MDP(transition, reward, discount=TIED_DISCOUNT)


def tied_value(mdp: MDP, x: float, temperature: float) -> Float[ndarray, " S"]:
    """V^pi of the policy (x, 1 - x) in every state, by the linear system of SAC-L1."""
    log_policy = logs(np.tile([x, 1.0 - x], (mdp.n_states, 1)))
    moves = operators.policy_transition(mdp, np.exp(log_policy))
    earned = operators.policy_reward(mdp, log_policy, temperature)
    return np.linalg.solve(np.eye(mdp.n_states) - mdp.discount * moves, earned)


def tied_step(mdp: MDP, x: float, temperature: float) -> float:
    """One step of soft policy iteration in the tied set: the x of the projection, SAC Eq. 4."""
    q = operators.backup(mdp, tied_value(mdp, x, temperature))
    log_policy = operators.boltzmann_policy(q.mean(axis=0, keepdims=True), temperature)
    return float(np.exp(log_policy[0, 0]))


def _tied_run(mdp: MDP, steps: int) -> ndarray:
    """x_0 = 1/2 and the x after each step."""
    xs = [0.5]
    for _ in range(steps):
        xs.append(tied_step(mdp, xs[-1], TIED_TEMPERATURE))
    return np.array(xs)


def tied_improvement() -> CounterExample:
    """NOT-TIED-IMPROVED, against SAC-L2: a projection step that is worse in every state."""
    mdp = tied_mdp("NOT-TIED-IMPROVED")
    xs = _tied_run(mdp, 12)
    values = np.array([tied_value(mdp, x, TIED_TEMPERATURE) for x in xs])
    change = values[2] - values[1]
    numbers = {
        "x before the step": xs[1],
        "x after the step": xs[2],
        "change in the state that loses least": change.max(),
        "change in the state that loses most": change.min(),
    }
    shown = change.max() < -20.0
    curves = {"x": xs, "v": values}
    return CounterExample.of("NOT-TIED-IMPROVED", mdp, TIED_TEMPERATURE, shown, numbers, curves)


def tied_best() -> CounterExample:
    """NOT-TIED-BEST, against SAC-T1: a set in which no policy is best in every state."""
    mdp = tied_mdp("NOT-TIED-BEST")
    # dense at both ends, where the best policies of single states lie
    ends = np.logspace(-12, -2, 101)
    x = np.concatenate([ends, np.linspace(0.01, 0.99, 801)[1:-1], 1.0 - ends[::-1]])
    values = np.array([tied_value(mdp, each, TIED_TEMPERATURE) for each in x])
    shortfall = values.max(axis=0) - values
    least = shortfall.max(axis=1).argmin()
    numbers = {f"best x for state {s}": x[values[:, s].argmax()] for s in range(mdp.n_states)}
    numbers |= {f"its value there, state {s}": values[:, s].max() for s in range(mdp.n_states)}
    numbers |= {"least worst-state shortfall": shortfall[least].max(), "reached at x": x[least]}
    shown = shortfall[least].max() > 7.0
    curves = {"x": x, "v": values}
    return CounterExample.of("NOT-TIED-BEST", mdp, TIED_TEMPERATURE, shown, numbers, curves)


def tied_oscillation() -> CounterExample:
    """NOT-TIED-CONVERGENT, against SAC-T1: soft policy iteration ends in a cycle of two."""
    mdp = tied_mdp("NOT-TIED-CONVERGENT")
    xs = _tied_run(mdp, 60)
    values = np.array([tied_value(mdp, x, TIED_TEMPERATURE) for x in xs])
    low, high = np.sort(xs[-2:])
    grid = np.linspace(0.0, 1.0, 401)
    after = np.array([tied_step(mdp, x, TIED_TEMPERATURE) for x in grid])
    still = brentq(lambda x: tied_step(mdp, x, TIED_TEMPERATURE) - x, low, high, xtol=1e-14)
    best = max(tied_value(mdp, x, TIED_TEMPERATURE).mean() for x in grid)
    numbers = {
        "x of one policy": low,
        "x of the other": high,
        "change of x over two steps": abs(xs[-1] - xs[-3]),
        "x that the step leaves alone": still,
        "mean value of the one": tied_value(mdp, low, TIED_TEMPERATURE).mean(),
        "mean value of the other": tied_value(mdp, high, TIED_TEMPERATURE).mean(),
        "best mean value in the set": best,
    }
    shown = high - low > 0.5 and abs(xs[-1] - xs[-3]) < 1e-12
    curves = {"x": xs, "v": values, "grid": grid, "after": after}
    return CounterExample.of("NOT-TIED-CONVERGENT", mdp, TIED_TEMPERATURE, shown, numbers, curves)
