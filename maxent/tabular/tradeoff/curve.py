"""The curve: return, entropy and objective at many temperatures, and what can be asked of it."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, MaxEntWarning
from maxent.mdp import MDP, require_discounted, require_mdp, validation
from maxent.solution import Solution
from maxent.support.arguments import count, quoted, require_positive
from maxent.support.arrays import ReadOnly
from maxent.support.files import write_whole
from maxent.support.frames import data_frame
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Float
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.tradeoff.front import Front, Point, distance, require_extended_temperature
from maxent.tabular.tradeoff.reaching import goal_states, reaching_probability


@dataclass(frozen=True, eq=False, repr=False)
class Tradeoff(ReadOnly):
    """The trade-off of an MDP at several temperatures; entry i of each array is temperature i.

    All are from the initial distribution and discounted.

    temperatures : (T,), as given, in the order given; 0 and inf are the limits.
    returns : (T,), reward units, of the soft-optimal policy.
    entropies : (T,), nats, not multiplied by the temperature; with a prior, minus the KL from it.
    objectives : (T,), return + temperature * entropy, reward units; inf at temperature inf.
    error_bounds : (T,), certified bound on the distance of each objective to J*, the best possible,
        rounding included.
    entropy_range, return_range : at the two ends, (temperature -> 0, temperature -> inf).
    tie_width : gaps in action value up to this count as ties.
    mdp : the MDP.

    >>> import maxent
    >>> curve = maxent.tradeoff(maxent.gridworld("S.G", discount=0.9), [0.0, 0.1])
    >>> curve.slopes.tolist()
    [0.0, -0.1]
    >>> curve.policy(0.1)[1].round(3).tolist()
    [0.231, 0.35, 0.231, 0.188]
    """

    temperatures: ndarray
    returns: ndarray
    entropies: ndarray
    objectives: ndarray
    error_bounds: ndarray
    entropy_range: tuple[float, float]
    return_range: tuple[float, float]
    tie_width: float
    mdp: MDP
    _front: Front = field(repr=False)
    _points: dict[float, Point] = field(repr=False)

    @property
    def prior(self) -> Any:
        """The prior given, or None."""
        return self._front.prior

    @property
    def slopes(self) -> Float[ndarray, " T"]:
        """(T,): d return / d entropy at each point, -temperature (SLOPE)."""
        return 0.0 - self.temperatures

    @property
    def order(self) -> ndarray:
        """(T,): the indices that sort the points by temperature."""
        return np.argsort(self.temperatures, kind="stable")

    @property
    def secants(self) -> Float[ndarray, " N"]:
        """(T-1,): measured slopes, (change of return) / (change of entropy) from each point to the
        next by temperature; each lies between the `slopes` of its two.  nan where the entropies are
        the same to rounding, 1000 eps / (1 - discount) of their size."""
        entropy, reward = np.diff(self.entropies[self.order]), np.diff(self.returns[self.order])
        rounding = 1000.0 * np.finfo(np.float64).eps / (1.0 - self.mdp.discount)
        moved = np.abs(entropy) > rounding * max(1.0, float(np.abs(self.entropies).max()))
        found: Float[ndarray, " N"] = np.divide(
            reward, entropy, out=np.full(len(entropy), np.nan), where=moved
        )
        return found

    def policy(self, temperature: float) -> Float[ndarray, "S A"]:
        """The policy at any temperature in [0, inf], (S, A): at one of the curve's recovered at
        once, at another solved from its neighbour.  (The curve keeps values, not policies.)"""
        found: Float[ndarray, "S A"] = np.exp(self._front.log_policy(self._point(temperature)))
        return found

    def solution(self, temperature: float) -> Solution:
        """The certified `Solution` at any finite temperature; at 0 its policy is the limit."""
        point = self._point(temperature)
        if point.temperature == math.inf:
            raise ConfigError("no value is finite at temperature inf; ask for policy(inf)")
        return self._front.solution(point)

    def reaching(self, horizon: int | None = None, states: Any = None) -> Float[ndarray, " T"]:
        """(T,): probability of reaching a goal, ever or within `horizon` steps, at each
        temperature.  See `reaching_probability`."""
        goals = goal_states(self.mdp, states)
        start = self.mdp.initial_distribution
        return np.array(
            [
                start @ reaching_probability(self.mdp, self.policy(t), horizon, goals)
                for t in self.temperatures
            ]
        )

    def _point(self, temperature: float) -> Point:
        temperature = require_extended_temperature(temperature)
        if temperature in self._points:
            return self._points[temperature]
        nearest = min(self._points, key=lambda known: distance(known, temperature))
        return self._front.solve(temperature, self._points[nearest].w)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; an infinite number becomes None."""
        columns = self._columns()
        return {
            "discount": self.mdp.discount,
            "states": self.mdp.n_states,
            "actions": self.mdp.n_actions,
            "prior": self.prior is not None,
            "tie_width": self.tie_width,
            "entropy_range": list(self.entropy_range),
            "return_range": list(self.return_range),
            "points": [
                {name: x if math.isfinite(x) else None for name, x in zip(columns, row)}
                for row in zip(*(column.tolist() for column in columns.values()))
            ],
        }

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write `to_dict()` as JSON, whole or not at all.

        Raises OutputExistsError (nothing changed) if `path` exists and `overwrite` is false.
        """
        with write_whole(path, overwrite=overwrite) as staged:
            staged.write_text(json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n")

    def to_frame(self) -> Any:
        """A pandas DataFrame, one row a temperature.  Needs pandas: `pip install pandas`."""
        return data_frame(self._columns())

    def _columns(self) -> dict[str, ndarray]:
        return {
            "temperature": self.temperatures,
            "return": self.returns,
            "entropy": self.entropies,
            "objective": self.objectives,
            "error_bound": self.error_bounds,
            "slope": self.slopes,
        }

    def __repr__(self) -> str:
        low, high = self.entropy_range
        return (
            f"Tradeoff({count(len(self.temperatures), 'temperature')}, "
            f"{count(self.mdp.n_states, 'state')}, discount {self.mdp.discount:g}, "
            f"entropy {low:.4g} to {high:.4g} nats, "
            f"return {self.return_range[0]:.4g} to {self.return_range[1]:.4g})"
        )


@takes_our_words
def tradeoff(
    mdp: MDP,
    temperatures: Any,
    *,
    prior: Any = None,
    tolerance: float | None = None,
    progress: bool = False,
) -> Tradeoff:
    """Return, discounted entropy and objective of the soft-optimal policy at each temperature.

    ENVELOPE, SLOPE, MONOTONE; the ends: LIMIT-ZERO, LIMIT-INFINITY.

    mdp : the problem; its discount is below 1.
    temperatures : numbers in any order, valid temperatures or `inf`.  0 is the limit of small
        temperatures (among tied actions the policy of greatest entropy), inf that of large ones.
    prior : action probabilities (S, A) or (A,); the entropy becomes minus the KL from it.
    tolerance : certified bound asked of each objective; None asks for nothing: `error_bounds` says
        what was reached, close to the best in float64.  MaxEntWarning where it was missed.
    progress : show a progress bar on stderr (a terminal only).

    Returns a `Tradeoff`: arrays (T,), returns in units of reward, entropies in nats.

    Raises ConfigError (an option, a discount of 1), ModelError (mdp, prior) and ToleranceError (a
    tolerance below what float64 can certify).

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> curve = maxent.tradeoff(mdp, [0.0, 0.1, 1.0])
    >>> curve.returns.round(2).tolist()  # more entropy costs reward
    [0.82, 0.35, -0.4]
    >>> curve.entropies.round(2).tolist()
    [0.0, 6.96, 12.99]
    """
    listed = validation.plain_array("temperatures", temperatures)
    if listed.ndim != 1 or listed.size == 0 or listed.dtype.kind not in "iuf":
        raise ConfigError(
            f"temperatures = {quoted(temperatures)} must be a list of at least one number"
        )
    read = validation.real_array("temperatures", temperatures)  # refuses masked ones
    require_discounted(require_mdp(mdp), "the trade-off")
    given = [require_extended_temperature(temperature) for temperature in read.tolist()]
    if tolerance is not None:
        tolerance = require_positive("tolerance", tolerance)
        for temperature in given:
            if temperature < math.inf:
                soft_bounds(mdp, temperature, mdp.log_prior(prior)).require_tolerance(tolerance)
    front = Front(mdp, prior)
    ends = front.ends
    points = {0.0: ends[0], math.inf: ends[1]}
    inner = sorted(set(given) - set(points))
    points |= zip(inner, front.solve_all(inner, progress), strict=True)
    chosen = [points[temperature] for temperature in given]
    objectives, bounds = _objectives(front, chosen, tolerance)
    return Tradeoff(
        temperatures=np.array(given),
        returns=np.array([point.reward for point in chosen]),
        entropies=np.array([point.entropy for point in chosen]),
        objectives=objectives,
        error_bounds=bounds,
        entropy_range=(ends[0].entropy, ends[1].entropy),
        return_range=(ends[0].reward, ends[1].reward),
        tie_width=front.tie_width,
        mdp=mdp,
        _front=front,
        _points=points,
    )


def _objectives(
    front: Front, points: Sequence[Point], tolerance: float | None
) -> tuple[ndarray, ndarray]:
    objectives, bounds = np.array(front.objectives(points)).T.copy()
    if tolerance is not None and (bounds > tolerance).any():
        worst = int(np.argmax(bounds))
        warnings.warn(
            f"the objective at temperature {points[worst].temperature:g} is certified to "
            f"{bounds[worst]:.3g} only, not to the tolerance {tolerance:g}",
            MaxEntWarning,
            stacklevel=4,
        )
    return objectives, bounds
