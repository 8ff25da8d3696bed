"""Where samples come from: an MDP, many runs side by side, or a Gymnasium environment, one run.

`Sampler` draws from an MDP for many states at once; simulation and learning both rest on it.

Episodes, for learners, have `states`, the state each of its K runs is in, and

    step(actions, uniform) -> (successors, rewards, terminated)

after which `states` are those to act in next: the successors, or new starts where an episode has
ended.  An episode ends by *termination*, in which case nothing follows and nothing may be
bootstrapped, or by *truncation*, in which case only the sampling stops: the successor has the value
it always has.  That is why a learner sees `terminated` alone.

`log_mask` (S, A) is 0 for an available action, -inf for another, None where all are.  An
environment says it by `info["action_mask"]`, state by state; until it has, all count as available.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse

from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP, validation
from maxent.mdp.transitions import Transition
from maxent.support.arguments import quoted
from maxent.support.shapes import Bool, Float, Int

BLOCK = 1024


class Draws:
    """Categorical distributions, one a row of a CSR matrix, from which many are drawn at once."""

    def __init__(self, rows: Transition) -> None:
        matrix = sparse.csr_array(rows)  # of a dense array: the entries that are not 0
        self.first, self.outcomes, self.weights = matrix.indptr[:-1], matrix.indices, matrix.data
        self.last = matrix.indptr[1:] - 1
        before = np.concatenate([[0.0], np.cumsum(self.weights)])
        self.cumulative = before[1:] - np.repeat(before[self.first], np.diff(matrix.indptr))
        longest = int(np.diff(matrix.indptr).max(initial=1))
        self.halvings = (longest - 1).bit_length()

    def entries(
        self, rows: Int[ndarray, " n"], uniform: Float[ndarray, " n"]
    ) -> Int[ndarray, " n"]:
        """The entry of the CSR matrix drawn in each of `rows` by numbers in [0, 1): the first whose
        cumulative probability exceeds the number.  `outcomes[entry]` is its column."""
        low, high = self.first[rows], self.last[rows]
        target = uniform * self.cumulative[high]
        for _ in range(self.halvings):
            middle = (low + high) >> 1
            beyond = self.cumulative[middle] <= target
            low, high = np.where(beyond, middle + 1, low), np.where(beyond, high, middle)
            np.minimum(low, high, out=low)
        found: Int[ndarray, " n"] = high
        return found


class Sampler:
    """An MDP as a source of samples, for many states at once: `start` and `step`."""

    def __init__(self, mdp: MDP) -> None:
        rows = sparse.csr_array(mdp.transition_rows)
        self.n_actions, self.next = mdp.n_actions, Draws(rows)
        self.initial = Draws(mdp.initial_distribution[None, :])
        self.by_transition = mdp.transition_reward is not None
        self.paid = mdp.reward.ravel()
        samples: Any = mdp.transition_reward
        if self.by_transition and mdp.is_sparse:
            self.paid = samples.data  # in the transition's pattern
        elif self.by_transition:
            row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
            self.paid = samples.reshape(rows.shape)[row, rows.indices]

    def start(self, uniform: Float[ndarray, " n"]) -> Int[ndarray, " n"]:
        """Initial states drawn by numbers in [0, 1)."""
        entries = self.initial.entries(np.zeros(len(uniform), dtype=int), uniform)
        found: Int[ndarray, " n"] = self.initial.outcomes[entries]
        return found

    def step(
        self, states: Int[ndarray, " n"], actions: Int[ndarray, " n"], uniform: Float[ndarray, " n"]
    ) -> tuple[Int[ndarray, " n"], Float[ndarray, " n"]]:
        """Next states and rewards (the transition's where the MDP has them, else r(s,a)) of
        available actions in non-terminal states."""
        rows = states * self.n_actions + actions
        entries = self.next.entries(rows, uniform)
        return self.next.outcomes[entries], self.paid[entries if self.by_transition else rows]


class Uniforms:
    """Numbers in [0, 1) for K runs, each from a generator of its own: what a run draws does not
    depend on the runs beside it."""

    def __init__(self, seeds: Sequence[int], width: int) -> None:
        self.generators = [np.random.default_rng(seed) for seed in seeds]
        self.width, self.at = width, BLOCK
        self.block = np.empty((BLOCK, width, len(seeds)))

    def next(self) -> Float[ndarray, "W K"]:
        """The next `width` numbers of each run."""
        if self.at == BLOCK:
            for run, generator in enumerate(self.generators):
                self.block[:, :, run] = generator.random((BLOCK, self.width))
            self.at = 0
        self.at += 1
        found: Float[ndarray, "W K"] = self.block[self.at - 1]
        return found


class MDPEpisodes:
    """K independent runs of one MDP.  Starts are drawn from the non-terminal states alone."""

    def __init__(self, mdp: MDP, runs: int, episode_steps: int | None, seed: int) -> None:
        start = np.where(mdp.terminal, 0.0, mdp.initial_distribution)
        self.mdp, self.sampler, self.log_mask = mdp, Sampler(mdp), mdp.log_mask
        self.sampler.initial = Draws(start[None, :])
        self.n_states, self.n_actions = mdp.reward.shape
        self.episode_steps = math.inf if episode_steps is None else episode_steps
        self.taken = np.zeros(runs, dtype=int)
        self.states: Int[ndarray, " K"] = np.zeros(runs, dtype=int)

    def start(self, uniform: Float[ndarray, " K"]) -> None:
        """Begin an episode in every run."""
        self.states = self.sampler.start(uniform)

    def step(
        self, actions: Int[ndarray, " K"], uniform: Float[ndarray, "2 K"]
    ) -> tuple[Int[ndarray, " K"], Float[ndarray, " K"], Bool[ndarray, " K"]]:
        successors, rewards = self.sampler.step(self.states, actions, uniform[0])
        terminated = self.mdp.terminal[successors]
        self.taken += 1
        over = terminated | (self.taken >= self.episode_steps)
        self.states = successors
        if over.any():
            self.states = np.where(over, self.sampler.start(uniform[1]), successors)
            self.taken[over] = 0
        return successors, rewards, terminated


class EnvEpisodes:
    """One run of a Gymnasium environment with `Discrete` spaces; it needs no table."""

    def __init__(self, env: Any, runs: int, episode_steps: int | None, seed: int) -> None:
        assert runs == 1
        self.n_states, self.n_actions = table_shape(env)
        self.first_state = _discrete(env, "observation_space")[1]
        self.first_action = _discrete(env, "action_space")[1]
        self.env, self.seed = env, seed
        self.episode_steps = math.inf if episode_steps is None else episode_steps
        self.taken = self.sampled = 0
        self.log_mask: ndarray | None = None
        self.states = np.zeros(1, dtype=int)

    def start(self, uniform: Float[ndarray, " 1"]) -> None:
        """Begin the first episode, with the seed."""
        self._reset(seed=self.seed)

    def step(
        self, actions: Int[ndarray, " 1"], uniform: Float[ndarray, "2 1"]
    ) -> tuple[Int[ndarray, " 1"], Float[ndarray, " 1"], Bool[ndarray, " 1"]]:
        action = int(actions[0]) + self.first_action
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.sampled += 1
        if not _is_reward(reward):
            raise ModelError(
                f"step {self.sampled}, state {int(self.states[0]) + self.first_state}, action "
                f"{action}: the environment paid {quoted(reward)}; rewards must be finite "
                f"numbers of at most {validation.MAX_REWARD:g} in size"
            )
        successor = self._state(observation, {} if terminated else info)
        self.states = np.array([successor])
        self.taken += 1
        if terminated or truncated or self.taken >= self.episode_steps:
            self._reset()
        return np.array([successor]), np.array([float(reward)]), np.array([bool(terminated)])

    def _reset(self, **seed: int) -> None:
        observation, info = self.env.reset(**seed)
        self.states, self.taken = np.array([self._state(observation, info)]), 0

    def _state(self, observation: Any, info: dict[str, Any]) -> int:
        try:
            state = operator.index(observation) - self.first_state
        except TypeError:
            state = -1
        if not 0 <= state < self.n_states:
            raise ModelError(
                f"step {self.sampled}: observation {quoted(observation)} "
                f"({type(observation).__name__}) is outside the environment's own observation "
                f"space: whole numbers from {self.first_state} to "
                f"{self.first_state + self.n_states - 1}"
            )
        if "action_mask" in info:
            mask = np.asarray(info["action_mask"]).astype(bool)
            if mask.shape != (self.n_actions,) or not mask.any():
                raise ModelError(
                    f"state {state}: info['action_mask'] has shape {mask.shape} and {mask.sum()} "
                    f"available actions; it must be ({self.n_actions},) with at least one"
                )
            if self.log_mask is None and not mask.all():
                self.log_mask = np.zeros((self.n_states, self.n_actions))
            if self.log_mask is not None:
                self.log_mask[state] = np.where(mask, 0.0, -np.inf)
        return state


Episodes = MDPEpisodes | EnvEpisodes


def table_shape(problem: Any) -> tuple[int, int]:
    """Numbers of states and actions of an MDP or an environment; ConfigError for anything else."""
    if isinstance(problem, MDP):
        return problem.n_states, problem.n_actions
    return _discrete(problem, "observation_space")[0], _discrete(problem, "action_space")[0]


def _is_reward(value: Any) -> bool:
    try:
        return math.isfinite(value) and abs(value) <= validation.MAX_REWARD
    except (TypeError, OverflowError):
        return False


def _discrete(env: Any, name: str) -> tuple[int, int]:
    """Size and first member of a Discrete space; ConfigError for another."""
    space = getattr(env, name, None)
    try:
        return int(space.n), int(space.start)  # type: ignore[union-attr]
    except (AttributeError, TypeError):
        kind = type(env).__name__
        raise ConfigError(
            f"{kind} has the {name} {space}; learning from samples needs an MDP, or a Gymnasium "
            "environment whose observation_space and action_space are Discrete"
        ) from None
