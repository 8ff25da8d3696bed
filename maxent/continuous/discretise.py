r"""A small continuous task as a finite MDP, so that the exact half solves it.

- **States** are the vertices of a regular grid.  A successor that lies between vertices is spread
  over the corners of its cell by multilinear interpolation: weights at least 0 that sum to 1, that
  is, a transition probability.  So V(s') is interpolated, and the solution is that of a proper MDP.
- **Actions** are the nodes of a regular grid that includes the ends of the box.  A node stands for
  the volume of the box that is nearest to it, its *cell*: a full step inside, half at an end.
- **Cell volume.**  The soft value of a continuous action space is an integral,
  V(s) = alpha log integral exp(Q(s,a) / alpha) da (SQL Eq. 5), and its Riemann sum is
  alpha log sum_a exp((Q(s,a) + alpha log volume(a)) / alpha): so the reward of the MDP has
  alpha log volume(a) added.  Left out, V is off by a constant; where episodes end, the policy is
  wrong too, for the constant is then a bonus for not ending the episode.  (At temperature 0
  nothing is added: the maximum is over the nodes.)
- An action's probability is density times volume: log density = log policy - log volume, in the
  units of the task's actions.
- The task goes on for ever unless it terminates; a terminated step leads to one terminal state,
  appended as the last, whose observation is 0.

Kushner, Dupuis (2001), *Numerical Methods for Stochastic Control Problems*, Ch. 5, is the textbook;
Munos, Moore (2002) interpolate as is done here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.continuous.tasks import Rollouts, Task, roll_out
from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP
from maxent.solution import Solution
from maxent.support.arguments import require_counts, require_discount, require_temperature
from maxent.support.memory import require_memory
from maxent.support.shapes import Float
from maxent.tabular import operators

__all__ = [
    "Discretisation", "Rollouts", "Task", "cell_volumes", "discretise", "likeliest_action",
    "mean_action", "roll_out", "sampled", "tensor",
]  # fmt: skip

SNAP = 1e-9
"""A successor this near to a grid line, in steps of the grid, lies on it."""

ROWS_AT_ONCE = 400_000
"""State-action pairs stepped in one go: some 100 MB."""

STARTS = 10_000
"""Start states drawn (seed 0) for the initial distribution of the MDP."""


@dataclass(frozen=True, eq=False)
class Discretisation:
    """A task on a grid, at a discount.  `mdp(temperature)` is the MDP to solve.

    shape : number of vertices along each state coordinate.
    states : (S, n), the vertices.  actions : (A, m), the nodes.  volumes : (A,), of their cells.
    """

    task: Task
    discount: float
    shape: tuple[int, ...]
    states: ndarray
    actions: ndarray
    volumes: ndarray

    def mdp(self, temperature: float) -> MDP:
        """The MDP whose soft value is the Riemann sum of the integral; sparse, with `observations`
        and `actions`.  It is meant for this temperature only (0 adds nothing to the reward)."""
        temperature = require_temperature(temperature)
        transition, reward, appended = self._model
        bonus = temperature * np.log(self.volumes)
        seen = self.task.observe(self.states)
        terminal = np.zeros(len(self.states) + appended, dtype=bool)
        if appended:
            seen = np.vstack([seen, np.zeros((1, seen.shape[1]))])
            terminal[-1] = True
        return MDP(
            transition,
            reward + np.where(terminal[:, None], 0.0, bonus),
            discount=self.discount,
            initial_distribution=self._initial_distribution(len(terminal)),
            terminal=terminal,
            observations=seen,
            actions=self.actions,
        )

    def weights(self, states: Float[ndarray, "N n"]) -> sparse.csr_array:
        """Interpolation weights (N, vertices): rows sum to 1, v at the states is `weights @ v`."""
        corner = np.zeros((len(states), 1), dtype=np.int64)
        weight = np.ones((len(states), 1))
        for axis, count in enumerate(self.shape):
            low, high = self.task.state_low[axis], self.task.state_high[axis]
            periodic = self.task.periodic[axis]
            place = (states[:, axis] - low) / (high - low) * (count if periodic else count - 1)
            place = place % count if periodic else np.clip(place, 0.0, count - 1.0)
            nearest = np.rint(place)
            place = np.where(np.abs(place - nearest) < SNAP, nearest, place)
            below = np.floor(place).astype(np.int64)
            above = (below + 1) % count  # at the end of an axis its weight is 0
            pair = np.stack([below % count, above], axis=1)
            share = np.stack([1.0 - (place - below), place - below], axis=1)
            corner = (corner[:, :, None] * count + pair[:, None, :]).reshape(len(states), -1)
            weight = (weight[:, :, None] * share[:, None, :]).reshape(len(states), -1)
        used = weight > 0.0
        starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
        size = (len(states), math.prod(self.shape))
        return sparse.csr_array((weight[used], corner[used], starts), shape=size)

    def q(self, solution: Solution, states: Float[ndarray, "N n"]) -> Float[ndarray, "N A"]:
        """Q(s, a) of any states, (N, n) -> (N, A): one exact step, then the interpolated V.

        Without the cell-volume term: this is the continuous task's Q at the action nodes.
        """
        rows, reward, terminated = self._steps(states)
        v = rows @ solution.v[: rows.shape[1]]
        q = reward + self.discount * np.where(terminated, 0.0, v)
        return q.reshape(len(states), len(self.actions))

    def log_policy(
        self, solution: Solution, states: Float[ndarray, "N n"]
    ) -> Float[ndarray, "N A"]:
        """log probabilities of the action nodes in any states: the Boltzmann policy of `q`."""
        alpha = solution.temperature
        return operators.boltzmann_policy(
            self.q(solution, states) + alpha * np.log(self.volumes), alpha
        )

    def log_density(
        self, solution: Solution, states: Float[ndarray, "N n"]
    ) -> Float[ndarray, "N A"]:
        """log pi(a|s) at the action nodes, a density in the units of the task's actions."""
        found: Float[ndarray, "N A"] = self.log_policy(solution, states) - np.log(self.volumes)
        return found

    def _steps(self, states: ndarray) -> tuple[sparse.csr_array, ndarray, ndarray]:
        """Every action in each state: weights (N*A, S), rewards (N*A,), terminated (N*A,)."""
        after, reward, terminated = self.task.step(
            np.repeat(states, len(self.actions), axis=0), np.tile(self.actions, (len(states), 1))
        )
        return self.weights(after), reward, terminated

    @cached_property
    def _model(self) -> tuple[sparse.csr_array, ndarray, int]:
        """Transition (S*A, S), reward (S, A) without the cell volume; 1 if a state is appended."""
        n_actions = len(self.actions)
        at_once = max(1, ROWS_AT_ONCE // n_actions)
        parts, rewards, ends = [], [], []
        for first in range(0, len(self.states), at_once):
            rows, reward, terminated = self._steps(self.states[first : first + at_once])
            rows.data[np.repeat(terminated, np.diff(rows.indptr))] = 0.0
            rows.eliminate_zeros()
            parts.append(rows)
            rewards.append(reward)
            ends.append(terminated)
        transition = sparse.vstack(parts, format="csr")
        reward = np.concatenate(rewards).reshape(-1, n_actions)
        terminated = np.concatenate(ends)
        if not terminated.any():
            return sparse.csr_array(transition), reward, 0
        last = sparse.csr_array(terminated[:, None].astype(float))
        transition = sparse.hstack([transition, last], format="csr")
        nowhere = sparse.csr_array((n_actions, transition.shape[1]))
        transition = sparse.vstack([transition, nowhere], format="csr")
        return sparse.csr_array(transition), np.vstack([reward, np.zeros((1, n_actions))]), 1

    def _initial_distribution(self, n_states: int) -> Float[ndarray, " S"]:
        starts = self.task.start(STARTS, np.random.default_rng(0))
        mass = np.asarray(self.weights(starts).sum(axis=0)).ravel()
        found: Float[ndarray, " S"] = np.append(mass, np.zeros(n_states - len(mass))) / mass.sum()
        return found


def discretise(
    task: Task, states: Sequence[int], actions: Sequence[int], *, discount: float
) -> Discretisation:
    """The task on a grid of `states` vertices and `actions` nodes along each coordinate.

    A coordinate that is not periodic has vertices at both ends of its range, a periodic one at its
    lower end.  Raises ConfigError for wrong counts, MemoryBudgetError where the MDP would not fit.
    """
    discount = require_discount(discount)
    counts, nodes = require_counts("states", states, 2), require_counts("actions", actions, 2)
    for name, given, low in (
        ("states", counts, task.state_low),
        ("actions", nodes, task.action_low),
    ):
        if len(given) != len(low):
            raise ConfigError(f"{name} = {given} has {len(given)} counts; give {len(low)}")
    pairs, corners = math.prod(counts) * math.prod(nodes), 2 ** len(counts)
    require_memory(
        pairs * (24 * corners + 40),
        f"a grid of {math.prod(counts)} states and {math.prod(nodes)} actions",
        "use fewer vertices or nodes",
    )
    axes = [
        np.linspace(low, high, count, endpoint=not periodic)
        for low, high, count, periodic in zip(
            task.state_low, task.state_high, counts, task.periodic
        )
    ]
    ranges = zip(task.action_low, task.action_high, nodes)
    grid = tensor([np.linspace(low, high, count) for low, high, count in ranges])
    return Discretisation(task, discount, tuple(counts), tensor(axes), grid, cell_volumes(grid))


def tensor(axes: Sequence[Float[ndarray, " k"]]) -> Float[ndarray, "N d"]:
    """All points of a grid with the given coordinates, (N, d), the last coordinate fastest."""
    return np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=1)


def cell_volumes(nodes: Any) -> Float[ndarray, " A"]:
    """The volume that each node of a grid stands for, (A, m) -> (A,), as in `mdp.actions`.

    Along each coordinate the cell of a node reaches half way to its neighbours, and ends at the
    outermost nodes.  So the volumes sum to the box's, and sums weighted by them are the trapezoid
    rule.  Raises ModelError for nodes that are not all points of a grid.
    """
    nodes = np.asarray(nodes, dtype=float)
    parts = []
    for column in nodes.T:
        values, index = np.unique(column, return_inverse=True)
        if len(values) < 2:
            raise ModelError("a grid of actions needs two nodes or more along each coordinate")
        edges = np.concatenate([values[:1], 0.5 * (values[1:] + values[:-1]), values[-1:]])
        parts.append((len(values), np.diff(edges)[index]))
    if math.prod(count for count, _ in parts) != len(np.unique(nodes, axis=0)):
        raise ModelError(f"the {len(nodes)} actions are not all points of a grid")
    return reduce(np.multiply, (width for _, width in parts))


# policies of a solution, for `roll_out`


def sampled(
    grid: Discretisation, solution: Solution, rng: np.random.Generator
) -> Callable[[ndarray], ndarray]:
    """The solution's policy for `roll_out`: an action node drawn in each state."""

    def act(states: ndarray) -> ndarray:
        cumulative = np.cumsum(np.exp(grid.log_policy(solution, states)), axis=1)
        drawn = rng.random((len(states), 1)) * cumulative[:, -1:]
        found: ndarray = grid.actions[(cumulative <= drawn).sum(axis=1)]
        return found

    return act


def mean_action(grid: Discretisation, solution: Solution) -> Callable[[ndarray], ndarray]:
    """The mean of the solution's policy, for `roll_out`."""
    return lambda states: np.exp(grid.log_policy(solution, states)) @ grid.actions


def likeliest_action(grid: Discretisation, solution: Solution) -> Callable[[ndarray], ndarray]:
    """The node of greatest Q, for `roll_out`; among equals the first."""
    return lambda states: grid.actions[grid.q(solution, states).argmax(axis=1)]
