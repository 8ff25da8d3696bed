"""Sweeps in PyTorch, on the processor or on a GPU: stored transitions or a gridworld's directions.

V stays on the device for `SWEEPS` sweeps between one certified interval and the next.  Everything
is float64; the bounds assume exp and log within 4 u, which PyTorch's libraries keep (CUDA's are
within 1 unit in the last place, Sleef's too).  A device that has no float64 is refused.

A gridworld is swept in chunks of states: each direction is V some steps further on, patched where
it is not (walls, edges, rewards), as in `stencil`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy import ndarray

from maxent.errors import ConfigError
from maxent.mdp import MDP
from maxent.mdp.directions import RESTART, Directions, usual_steps
from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.support.arguments import quoted
from maxent.support.devices import require_memory_on
from maxent.tabular import operators
from maxent.tabular.bounds import soft_bounds
from maxent.tabular.solvers.engines.rounding import directions_bounds
from maxent.tabular.solvers.kernels import prior_bonus

CHUNK = 2**24
"""States of a gridworld that are swept together."""


def require_device(name: Any) -> torch.device:
    """The device of that name; ConfigError where it is not there, or knows no float64."""
    try:
        device = torch.device("cpu" if name is None else name)
        torch.ones(1, dtype=torch.float64, device=device)
    except (RuntimeError, TypeError, AssertionError, ValueError) as error:
        reason = str(error).partition("\n")[0][:150]
        raise ConfigError(
            f"device = {quoted(name)} cannot be used: {reason}; give 'cpu', or 'cuda' where "
            "PyTorch finds such a card (torch.cuda.is_available())"
        ) from error
    return device


@dataclass(frozen=True)
class Patches:
    """A direction on a device: its usual step, and the states (N,) where it is another (ascending),
    with what they lead to (N,), whether that is a restart, and what they pay there (N,)."""

    step: int
    states: torch.Tensor
    targets: torch.Tensor
    restarts: torch.Tensor
    pays: torch.Tensor


@dataclass(frozen=True)
class Plan:
    """All that a sweep over directions reads.

    turns : (offset, probability).  starts, terminal : states.  reach : the longest usual step.
    """

    directions: tuple[Patches, ...]
    turns: tuple[tuple[int, float], ...]
    step_reward: float
    discount: float
    starts: torch.Tensor | None
    terminal: torch.Tensor

    @property
    def reach(self) -> int:
        return max(abs(each.step) for each in self.directions)


def plan_of(directions: Directions, discount: float, device: torch.device) -> Plan:
    """The plan of a gridworld, on the device."""
    found = []
    n_states = len(directions.terminal)
    for target, (paid_at, amounts) in zip(directions.target, directions.paid):
        pays_here = np.zeros(n_states, dtype=bool)
        pays_here[paid_at] = True
        steps, states = usual_steps(target, n_states, pays_here)
        pays = np.zeros(len(states))
        pays[np.searchsorted(states, paid_at)] = amounts
        targets = target[states].astype(np.int64)
        found.append(
            Patches(
                int(steps[0]),
                *(
                    torch.as_tensor(each, device=device)
                    for each in (states, np.maximum(targets, 0), targets == RESTART, pays)
                ),
            )
        )
    starts = torch.tensor(directions.starts, device=device) if directions.restarts else None
    terminal = torch.as_tensor(np.flatnonzero(directions.terminal), device=device)
    return Plan(tuple(found), directions.turns, directions.step_reward, discount, starts, terminal)


def swept(plan: Plan, v: torch.Tensor, temperature: float) -> torch.Tensor:
    """T V of all states, (S,)."""
    found = torch.empty_like(v)
    start = float(v[plan.starts].mean()) if plan.starts is not None else 0.0
    for first in range(0, len(v), CHUNK):
        last = min(first + CHUNK, len(v))
        arrived = [_arrived(each, plan, v, start, first, last) for each in plan.directions]
        scores = []
        for action in range(len(arrived)):
            (turn, probability), *others = plan.turns
            score = arrived[(action + turn) % len(arrived)] * probability
            for turn, probability in others:
                score.add_(arrived[(action + turn) % len(arrived)] * probability)
            scores.append(score.add_(plan.step_reward))
        found[first:last] = soft_maximum(torch.stack(scores), temperature)
    found[plan.terminal] = 0.0
    return found


def _arrived(
    each: Patches, plan: Plan, v: torch.Tensor, start: float, first: int, last: int
) -> torch.Tensor:
    """gamma V(s') + pay of one direction, for the states from `first` to `last`."""
    found = torch.zeros(last - first, dtype=v.dtype, device=v.device)
    begin, end = max(first + each.step, 0), min(last + each.step, len(v))
    inside = v[begin:end]
    torch.mul(inside, plan.discount, out=found[begin - each.step - first :][: len(inside)])
    bounds = torch.tensor([first, last], device=v.device)
    low, high = torch.searchsorted(each.states, bounds).tolist()
    at = v[each.targets[low:high]]
    at = torch.where(each.restarts[low:high], start, at)
    found[each.states[low:high] - first] = plan.discount * at + each.pays[low:high]
    return found


def soft_maximum(scores: torch.Tensor, temperature: float) -> torch.Tensor:
    """alpha log sum exp(scores / alpha) over the first axis; the maximum at alpha = 0."""
    top = scores.max(dim=0).values
    if temperature == 0.0:
        return top
    weights = ((scores - top) / temperature).exp_()
    return top + temperature * weights.sum(dim=0).log_()


class TensorKernel:
    """The soft Bellman operator, as `kernels.SoftKernel`, in PyTorch."""

    def __init__(
        self, mdp: MDP, temperature: float, log_prior: ndarray | None, device: Any
    ) -> None:
        self.mdp, self.temperature, self.log_prior = mdp, temperature, log_prior
        self.device = require_device(device)
        self._plan: Plan | None = None
        if isinstance(mdp, MatrixFreeMDP) and log_prior is None:
            self.bounds = directions_bounds(mdp, temperature)
            self._require_memory(16 * mdp.n_states + 100 * min(CHUNK, mdp.n_states))
            self._plan = plan_of(mdp.directions, mdp.discount, self.device)
        else:
            self.bounds = soft_bounds(mdp, temperature, log_prior)
            self._store(mdp)
        self._last = torch.zeros(mdp.n_states, dtype=torch.float64, device=self.device)

    def _store(self, mdp: MDP) -> None:
        """The transition and the rewards on the device."""
        rows = mdp.transition_rows
        entries = rows.nnz if mdp.is_sparse else rows.size
        self._require_memory((16 if mdp.is_sparse else 8) * entries + 40 * mdp.reward.size)
        if mdp.is_sparse:
            with warnings.catch_warnings():  # sparse tensors are in beta
                warnings.simplefilter("ignore", UserWarning)
                parts = (rows.indptr, rows.indices, rows.data)
                ends, to, values = (torch.from_numpy(np.array(part)) for part in parts)
                made = torch.sparse_csr_tensor(ends, to, values, size=rows.shape)
        else:
            made = torch.from_numpy(np.array(rows))
        self._rows = made.to(self.device)
        bonus = prior_bonus(self.temperature, self.log_prior)
        reward = mdp.reward if bonus is None else mdp.reward + bonus
        self._reward = torch.from_numpy(np.array(reward)).to(self.device)
        self._arrival = torch.from_numpy(mdp.discount_on_arrival).to(self.device)
        self._terminal = torch.from_numpy(np.array(mdp.terminal)).to(self.device)

    def _require_memory(self, needed: int) -> None:
        what, advice = f"solving {self.mdp.n_states} states", "use device='cpu'"
        if self.device.type == "cpu":
            advice = "use engine='numpy'"
        require_memory_on(self.device, needed, what, advice)

    def improve(self, q: ndarray, tie_tolerance: float = 0.0) -> ndarray:
        """The Boltzmann policy of q, as logs; at temperature 0 q within `tie_tolerance` ties."""
        return operators.boltzmann_policy(q, self.temperature, self.log_prior, tie_tolerance)

    def apply(self, v: ndarray) -> ndarray:
        """T V, 0 at terminal states."""
        self._last = self.swept(torch.from_numpy(np.array(v)).to(self.device))
        return self._last.cpu().numpy().copy()

    def sweep_on(self, sweeps: int) -> ndarray:
        """What so many sweeps more add to the last `apply`."""
        v = self._last
        for _ in range(sweeps):
            v = self.swept(v)
        return (v - self._last).cpu().numpy()

    def swept(self, v: torch.Tensor) -> torch.Tensor:
        if self._plan is not None:
            return swept(self._plan, v, self.temperature)
        scores = (self._rows @ (self._arrival * v)).reshape(self._reward.shape) + self._reward
        return soft_maximum(scores.T, self.temperature).masked_fill_(self._terminal, 0.0)
