"""A corridor with two doors: the smallest continuous task on which soft Q-learning can go wrong.

A point on a line, a door at each end, moved by at most 0.4:

    s' = s + 0.4 a,   |a| <= 1,      reward = -1.5 a^2 - max(0, 1 - s'^2),

and the episode ends where |s'| > 1.  Episodes start uniformly in [-1/2, 1/2]; the discount is 0.95
and the temperature 0.2.  Left and right are equally far from the middle, so there the optimal
policy has two modes, inside the box.  The last step out of a door pays nothing for the place, and
an episode is three or four steps long: how much every step that is *not* the last is worth
matters, so a constant such as alpha log 2 cannot be dropped.

**The exact solution.**  State vertices are the centres of n cells over [-1, 1], n an odd multiple
of 5, actions the nodes of a grid 2n/5 steps wide: a successor of a vertex is a vertex, and a door
lies half way between two nodes, where the Riemann sum over a jump is still of second order.
Trebling n keeps every vertex, and divides the error by nine (`resolution_study`).

An action between two nodes counts as the nearest node.  So the integral over sampled actions and
the sum over nodes are the same number, and what an estimate loses is the estimate's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy import ndarray

from maxent.continuous.discretise import Discretisation, discretise
from maxent.continuous.tasks import Task
from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.solution import Solution
from maxent.support.arguments import require_count
from maxent.support.shapes import Bool, Float, Int
from maxent.tabular import operators
from maxent.tabular.occupancy import occupancy
from maxent.tabular.solvers import soft_policy_evaluation, solve

STRIDE, ACTION_COST, START = 0.4, 1.5, 0.5
TEMPERATURE, DISCOUNT = 0.2, 0.95
CELLS = 135


def step(
    states: Float[ndarray, "N 1"], actions: Float[ndarray, "N 1"]
) -> tuple[Float[ndarray, "N 1"], Float[ndarray, " N"], Bool[ndarray, " N"]]:
    """One step of each point: next states, rewards, terminated; actions are clipped to +-1."""
    actions = np.clip(actions, -1.0, 1.0)
    after = states + STRIDE * actions
    reward = -ACTION_COST * actions[:, 0] ** 2 - np.maximum(0.0, 1.0 - after[:, 0] ** 2)
    return after, reward, np.abs(after[:, 0]) > 1.0


@dataclass(frozen=True)
class Reading:
    """What an approximation costs, against the exact solution.

    value_rms, value_mean, value_max : of V - V*, in units of reward: root mean square and signed
        mean over the discounted visits of the optimal policy, and the largest size.
    loss : J(pi*) - J(pi), in units of reward, discounted, exact.
    kl : mean of KL(pi || pi*) over the same visits, in nats.
    """

    value_rms: float
    value_mean: float
    value_max: float
    loss: float
    kl: float


@dataclass(frozen=True, eq=False)
class Corridor:
    """The corridor on a grid with its exact solution: S vertices (a last, terminal state besides),
    A action nodes."""

    grid: Discretisation
    mdp: MDP
    solution: Solution

    @cached_property
    def visits(self) -> Float[ndarray, " S"]:
        """Share of the optimal policy's discounted visits at each vertex."""
        visits = occupancy(self.mdp, self.solution.policy).sum(axis=1)[:-1]
        found: Float[ndarray, " S"] = visits / visits.sum()
        return found

    @cached_property
    def volume_bonus(self) -> Float[ndarray, " A"]:
        """alpha log volume of each node's cell: Q plus this is the MDP's q."""
        found: Float[ndarray, " A"] = self.solution.temperature * np.log(self.grid.volumes)
        return found

    @cached_property
    def successor(self) -> Int[ndarray, "S A"]:
        """Number of the state that each action leads to; S where the episode ends."""
        rows = self.mdp.transition_rows[: -len(self.grid.actions)]
        return np.asarray(rows.argmax(axis=1)).reshape(-1, len(self.grid.actions))

    @property
    def reward(self) -> Float[ndarray, "S A"]:
        """The continuous task's reward at the nodes, without the cell volumes."""
        found: Float[ndarray, "S A"] = self.mdp.reward[:-1] - self.volume_bonus
        return found

    @property
    def v(self) -> Float[ndarray, " S"]:
        """V* at the vertices."""
        return self.solution.v[:-1]

    @property
    def q(self) -> Float[ndarray, "S A"]:
        """Q* of the continuous task at the nodes, without the cell volumes."""
        found: Float[ndarray, "S A"] = self.solution.q[:-1] - self.volume_bonus
        return found

    def backup(self, v: Float[ndarray, " S"]) -> Float[ndarray, "S A"]:
        """Q(s,a) = r + gamma V(s'), V = 0 behind a door."""
        found: Float[ndarray, "S A"] = (
            self.reward + self.grid.discount * np.append(v, 0.0)[self.successor]
        )
        return found

    def soft_value(self, q: Float[ndarray, "S A"]) -> Float[ndarray, " S"]:
        """V(s) = alpha log integral exp(Q(s,a)/alpha) da, the sum over nodes (SQL Eq. 5)."""
        return operators.soft_value(q + self.volume_bonus, self.solution.temperature)

    def boltzmann_policy(self, q: Float[ndarray, "S A"]) -> Float[ndarray, "S A"]:
        """log probabilities of the nodes' cells under the Boltzmann policy of Q (SQL-T1)."""
        return operators.boltzmann_policy(q + self.volume_bonus, self.solution.temperature)

    def nearest_node(self, actions: Float[ndarray, "*N"]) -> Int[ndarray, "*N"]:
        """Number of the node that each action counts as."""
        return np.rint(0.5 * (actions + 1.0) * (len(self.grid.actions) - 1)).astype(np.int64)

    def read(
        self, v: Float[ndarray, " S"], log_policy: Float[ndarray, "S A"] | None = None
    ) -> Reading:
        """Hold values, and a policy as log probabilities of the cells, against the exact ones;
        without a policy loss and KL are nan."""
        error = v - self.v
        loss, kl = float("nan"), float("nan")
        if log_policy is not None:
            own = self.evaluate(log_policy)
            loss = float(self.mdp.initial_distribution @ (self.solution.v - own.v))
            exact = self.solution.log_policy[:-1]
            kl = float(self.visits @ operators.kl_divergence(log_policy, exact))
        return Reading(
            value_rms=float(np.sqrt(self.visits @ error**2)),
            value_mean=float(self.visits @ error),
            value_max=float(np.abs(error).max()),
            loss=loss,
            kl=kl,
        )

    def evaluate(self, log_policy: Float[ndarray, "S A"]) -> Solution:
        """The exact soft value of a policy (SAC-L1)."""
        policy = np.vstack([np.exp(log_policy), np.full(log_policy.shape[1], 1.0)])
        policy /= policy.sum(axis=1, keepdims=True)
        return soft_policy_evaluation(self.mdp, policy, self.solution.temperature)


def corridor(cells: int = CELLS, *, temperature: float = TEMPERATURE) -> Corridor:
    """The corridor on a grid of `cells` vertices and 2/5 as many steps of action, solved.

    cells: 5 times an odd number, else ConfigError: the doors would not lie between two nodes.
    """
    if require_count("cells", cells, 5) % 10 != 5:
        raise ConfigError(f"cells = {cells} is not 5 times an odd number; give 45, 135 or 405")
    edge = 1.0 - 1.0 / cells
    task = Task(
        step=step,
        state_low=(-edge,),
        state_high=(edge,),
        action_low=(-1.0,),
        action_high=(1.0,),
        periodic=(False,),
        start=lambda count, rng: rng.uniform(-START, START, (count, 1)),
        observe=lambda states: states,
    )
    grid = discretise(task, (cells,), (2 * (cells // 5) + 1,), discount=DISCOUNT)
    mdp = grid.mdp(temperature)
    return Corridor(grid, mdp, solve(mdp, temperature))


def resolution_study(
    cells: Sequence[int] = (15, 45, 135, 405), finest: int = 1215
) -> list[tuple[int, float, float, float]]:
    """What the grid costs: (cells, root-mean-square and largest |V - V_finest|, J - J_finest).

    cells: each a divisor of `finest` by an odd number, so that its vertices are among the finest's.
    """
    best, rows = corridor(finest), []
    for count in cells:
        own, factor = corridor(count), finest // count
        error = own.v - best.v[factor // 2 :: factor]
        objective, exact = (
            float(each.mdp.initial_distribution @ each.solution.v) for each in (own, best)
        )
        rms = float(np.sqrt(own.visits @ error**2))
        rows.append((count, rms, float(np.abs(error).max()), objective - exact))
    return rows
