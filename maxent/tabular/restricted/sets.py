"""The sets of policies and their exact projections; what they are for is said in the package."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy import ndarray

from maxent.errors import ConfigError, ModelError
from maxent.mdp import validation
from maxent.support.arguments import require_fraction, require_real
from maxent.support.arrays import ReadOnly, logs
from maxent.support.shapes import Bool, Float
from maxent.tabular import operators
from maxent.tabular.arrays import of_arrays
from maxent.tabular.bounds import UNIT
from maxent.tabular.restricted.heating import entropy_accuracy, from_uniform, heated, log_remainders

Table: TypeAlias = Float[ndarray, "S A"]
"""A number for each state and action."""


@runtime_checkable
class PolicySet(Protocol):
    """A set of policies: anything that can project on itself, as exactly as float64 allows."""

    def improve(self, q: Table, temperature: float, log_prior: Table | None = None) -> Table:
        """log of the policy in the set that maximises <p, q> + alpha H(p) in every state (SAC
        Eq. 4).  A state without any available action (a terminal one) gets the uniform row."""
        ...


@dataclass(frozen=True)
class EpsilonFloor:
    """Policies that take every available action with probability at least `epsilon` (SAC-L2).

    Give it to `soft_policy_iteration(..., policies=)`.

    epsilon : a probability in [0, 1/|A(s)|]; a larger one is a ConfigError once the actions are
        known.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> careful = maxent.EpsilonFloor(0.05)
    >>> solution = maxent.soft_policy_iteration(mdp, temperature=0.0, policies=careful)
    >>> solution.policy[0].round(6).tolist()
    [0.05, 0.85, 0.05, 0.05]
    """

    epsilon: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", require_fraction("epsilon", self.epsilon))

    @of_arrays
    def improve(self, q: Table, temperature: float, log_prior: Table | None = None) -> Table:
        """p = max(epsilon, c exp(q/alpha)) by water-filling, as logs, (S, A) -> (S, A).  At alpha =
        0 what the floor leaves is split evenly among the best actions."""
        scores, available, live = _scores(q, temperature, log_prior)
        count = available.sum(axis=1)
        crowded = live & (self.epsilon * count > 1.0 + 8 * UNIT)
        if crowded.any():
            state = int(np.argmax(crowded))
            raise ConfigError(
                f"epsilon = {self.epsilon!r} is more than state {state} allows with its "
                f"{int(count[state])} available actions; give at most {1 / count[state]:.6g}"
            )
        with np.errstate(divide="ignore"):
            if temperature == 0.0:
                best = scores == scores.max(axis=1, keepdims=True)
                left = np.maximum(1.0 - self.epsilon * count, 0.0) / best.sum(axis=1)
                log_p = np.log(self.epsilon + best * left[:, None])
            else:
                log_p = np.maximum(self._fill(scores, temperature, count), np.log(self.epsilon))
        return _finish(log_p, available, live)

    def _fill(self, scores: ndarray, temperature: float, count: ndarray) -> Float[ndarray, "S A"]:
        """log(c exp(q/alpha)): the m best actions lie above the floor for the largest m that is
        consistent, and share what the floor leaves to them."""
        with np.errstate(over="ignore"):
            exponents = (scores - scores.max(axis=1, keepdims=True)) / temperature
        weights = -np.sort(-np.exp(exponents), axis=1)
        totals = np.cumsum(weights, axis=1)
        above = np.arange(1, scores.shape[1] + 1)
        shares = 1.0 - (count[:, None] - above) * self.epsilon
        consistent = (above <= count[:, None]) & (shares * weights >= self.epsilon * totals)
        last = np.maximum(consistent.sum(axis=1, keepdims=True), 1) - 1
        share = np.take_along_axis(np.maximum(shares, self.epsilon * above), last, axis=1)
        total = np.take_along_axis(totals, last, axis=1)
        found: Float[ndarray, "S A"] = exponents + np.log(share / total)
        return found


@dataclass(frozen=True, eq=False)
class EntropyFloor(ReadOnly):
    """Policies whose entropy is at least `minimum` nats in every state (SAC-L2).

    A convex set.  SAC2 Sec. 5 bounds the expected entropy at each time step instead.  Give it to
    `soft_policy_iteration(..., policies=)`.

    minimum : a number or (S,), in nats, in [0, log|A(s)|].  log|A(s)| leaves the uniform policy;
        as a float64 it may be below log|A(s)| by 1e-17, which leaves policies 1e-8 off uniform.
        More is a ConfigError once the actions are known; an array of another shape is a ModelError.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> spread = maxent.EntropyFloor(1.0)
    >>> solution = maxent.soft_policy_iteration(mdp, temperature=0.01, policies=spread)
    >>> maxent.entropy(solution.log_policy)[:2].round(6).tolist()
    [1.0, 1.0]
    """

    minimum: Any

    def __post_init__(self) -> None:
        floor = validation.plain_array("minimum", self.minimum)
        if floor.ndim == 0:
            floor = np.array(require_real("minimum", self.minimum, "[0, log|A(s)|] nats"))
        else:
            floor = validation.real_array("minimum", self.minimum)
        if floor.ndim > 1:
            raise ModelError(f"minimum has shape {floor.shape}; give a number or one a state")
        bad = ~((floor >= 0.0) & (floor < np.inf))
        if bad.any():
            where = f" of state {int(np.argmax(bad))}" if floor.ndim else ""
            value = float(floor[bad].ravel()[0]) if floor.ndim else float(floor)
            raise ConfigError(
                f"minimum{where} = {value!r} must be an entropy in nats, in [0, log|A(s)|]"
            )
        object.__setattr__(self, "minimum", floor if floor.ndim else float(floor))
        super().__post_init__()

    @of_arrays
    def improve(self, q: Table, temperature: float, log_prior: Table | None = None) -> Table:
        """The Boltzmann policy where its entropy suffices, elsewhere the soft-max at the higher
        temperature that attains the floor, as logs, (S, A) -> (S, A)."""
        scores, available, live = _scores(q, temperature, log_prior)
        room = self.room(available, live)
        log_p = operators.boltzmann_policy(scores, temperature)
        uniform = -np.log(available.sum(axis=1, keepdims=True))
        log_p = np.where((room <= 0.0)[:, None] & available, uniform, log_p)
        exponents = log_p - log_p.max(axis=1, keepdims=True)
        short = live & (room > 0.0) & (from_uniform(exponents, available)[0] > room)
        if short.any():
            log_p[short] = heated(scores[short], temperature, room[short], available[short])
        return _finish(log_p, available, live)

    def room(self, available: ndarray, live: ndarray) -> Float[ndarray, " S"]:
        """log|A(s)| - minimum, (S,), in nats, with all its digits however small it is: how far from
        uniform a policy may be.  ConfigError where it is certainly negative."""
        count = available.sum(axis=1)
        ceiling = np.log(count)
        if np.ndim(self.minimum) and np.shape(self.minimum) != ceiling.shape:
            raise ModelError(
                f"minimum has shape {np.shape(self.minimum)}; it must be {ceiling.shape}, one "
                "entropy a state, or a number"
            )
        floor = np.broadcast_to(np.asarray(self.minimum, dtype=float), ceiling.shape)
        high = live & (floor > ceiling + 2 * entropy_accuracy(available.shape[1]))
        if high.any():
            state = int(np.argmax(high))
            raise ConfigError(
                f"minimum entropy {float(floor[state])!r} of state {state} is more than "
                f"{float(ceiling[state]):.6g} nats, the largest with its "
                f"{int(available[state].sum())} available actions; lower it"
            )
        found: ndarray = (ceiling - floor) + log_remainders(count)  # the difference is exact
        return np.where(live, found, ceiling)


@dataclass(frozen=True, eq=False)
class Choices(ReadOnly):
    """In every state one of K given distributions (SAC-L2).

    Not a convex set: no mixtures.  Of equally good ones the first is taken, as far as rounding can
    tell.  Give it to `soft_policy_iteration(..., policies=)`.

    policies : probabilities (K, A), the same in every state, or (S, K, A).  Rows may sum to 1
        within 1e-9 and are divided by their sums; a row that is no distribution is a ModelError.

    >>> import maxent
    >>> mdp = maxent.gridworld("S.G", discount=0.9)
    >>> mostly_right, mostly_left = [0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]
    >>> choices = maxent.Choices([mostly_right, mostly_left])
    >>> solution = maxent.soft_policy_iteration(mdp, temperature=0.1, policies=choices)
    >>> solution.policy[0].round(6).tolist()
    [0.1, 0.7, 0.1, 0.1]
    """

    policies: Any

    def __post_init__(self) -> None:
        array = validation.real_array("policies", self.policies)
        if array.ndim not in (2, 3) or 0 in array.shape:
            raise ModelError(
                f"policies has shape {array.shape}; it must be (K, A) or (S, K, A), none of them 0"
            )
        stack = array if array.ndim == 3 else array[None]
        everything = np.ones((stack.shape[0], stack.shape[2]), dtype=bool)
        for k in range(stack.shape[1]):
            validation.action_distribution(
                f"choice {k}", stack[:, k], everything, np.zeros(len(stack), dtype=bool)
            )
        array /= array.sum(axis=-1, keepdims=True)
        object.__setattr__(self, "policies", array)
        super().__post_init__()

    @of_arrays
    def improve(self, q: Table, temperature: float, log_prior: Table | None = None) -> Table:
        """The choice of greatest <p, q> + alpha H(p) in every state, as logs, (S, A) -> (S, A)."""
        _, available, live = _scores(q, temperature, log_prior)
        stack = self.policies if self.policies.ndim == 3 else self.policies[None]
        if stack.shape[2] != q.shape[1] or stack.shape[0] not in (1, q.shape[0]):
            raise ModelError(
                f"policies has shape {self.policies.shape}; with {q.shape[0]} states and "
                f"{q.shape[1]} actions it must be (K, {q.shape[1]}) or ({q.shape[0]}, K, "
                f"{q.shape[1]})"
            )
        outside = live[:, None, None] & (stack > 0.0) & ~available[:, None, :]
        if outside.any():
            state, k, action = (int(i) for i in np.argwhere(outside)[0])
            raise ModelError(
                f"choice {k} takes action {action} in state {state}, which the action mask or the "
                "prior makes unavailable; give choices by state, (S, K, A)"
            )
        log_choices = logs(np.broadcast_to(stack, (len(q), *stack.shape[1:])))
        if log_prior is not None:
            log_prior = np.where(live[:, None], log_prior, 0.0)
            log_prior = np.broadcast_to(log_prior[:, None, :], log_choices.shape)
        repeated = np.broadcast_to(q[:, None, :], log_choices.shape)
        values = operators.policy_value(repeated, log_choices, temperature, log_prior)
        chosen = values.argmax(axis=1)[:, None, None]
        return _finish(np.take_along_axis(log_choices, chosen, axis=1)[:, 0], available, live)


def _scores(
    q: Table, temperature: float, log_prior: Table | None
) -> tuple[Table, Bool[ndarray, "S A"], Bool[ndarray, " S"]]:
    """q + alpha log prior (-inf where unavailable), the available actions, and the states that have
    one; in the others, which are left out, all count as available."""
    if q.ndim != 2:
        raise ModelError(f"q has shape {q.shape}; it must be (S, A)")
    if log_prior is None:
        return q, np.ones(q.shape, dtype=bool), np.ones(len(q), dtype=bool)
    available = log_prior > -np.inf
    live = np.asarray(available.any(axis=1))
    scores = q + temperature * np.where(available, log_prior, 0.0)
    available = available | ~live[:, None]
    return np.where(available, scores, -np.inf), available, live


def _finish(log_p: ndarray, available: ndarray, live: ndarray) -> Float[ndarray, "S A"]:
    """-inf for unavailable actions, the uniform row for a state that has none available."""
    log_p = np.where(available, log_p, -np.inf)
    return np.where(live[:, None], log_p, -math.log(log_p.shape[1]))
