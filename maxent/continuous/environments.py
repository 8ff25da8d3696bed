"""The linear-quadratic problem and the four-goal point mass as Gymnasium environments.

The ids are `maxent/LQR-v0` and `maxent/Multigoal-v0`, known to Gymnasium once `maxent` is in use.
Neither truncates an episode by itself: `gymnasium.make` does, after 100 and 30 steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy import ndarray

from maxent.continuous import corridor, multigoal
from maxent.continuous.lqr import LinearQuadratic, coupled_masses
from maxent.continuous.matrices import square_root
from maxent.environments import registration  # noqa: F401 (registers the ids)
from maxent.errors import ConfigError, ModelError
from maxent.support.arguments import quoted
from maxent.support.shapes import Float

Observation = Float[ndarray, " n"]


class _StatefulEnv(gymnasium.Env[ndarray, ndarray], ABC):
    """What these environments share: the state is the observation, drawn at a reset or given."""

    metadata = {"render_modes": []}  # noqa: RUF012
    state: ndarray | None = None

    @abstractmethod
    def _drawn(self) -> Observation:
        """A start, drawn by `np_random`."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a start, or take it from `options={"state": s}`."""
        super().reset(seed=seed)
        drawn, options = self._drawn(), options or {}
        for key in options.keys() - {"state"}:
            raise ConfigError(f"reset option {key!r} is unknown; Known: state")
        state = np.array(options.get("state", drawn), dtype=float)
        if state.shape != drawn.shape or not np.isfinite(state).all():
            raise ConfigError(f"state = {options['state']!r}; give {len(drawn)} finite numbers")
        self.state = state
        return state.copy(), {}

    def _ready(self, action: Any) -> tuple[Observation, Float[ndarray, " m"]]:
        """The state, once there is one, and the action as numbers."""
        if self.state is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        array, shape = np.asarray(action, dtype=float), self.action_space.shape or (0,)
        if array.shape != shape or not np.isfinite(array).all():
            raise ConfigError(f"action = {action!r}; give {shape[0]} finite numbers")
        return self.state, array


class LQREnv(_StatefulEnv):
    """s' = A s + B a + w with reward -(s'Q s + a'R a), float64, unbounded, never terminating.

    problem : left out: `maxent.continuous.lqr.coupled_masses()`.  `reset(options={"state": s})`
    starts in a state of your choice.  One seed fixes the start and the noise.
    """

    def __init__(self, problem: LinearQuadratic | None = None) -> None:
        if problem is not None and not isinstance(problem, LinearQuadratic):
            raise ModelError(f"problem = {quoted(problem)} is not a LinearQuadratic")
        self.problem = coupled_masses() if problem is None else problem
        n, m = self.problem.n_states, self.problem.n_actions
        self.observation_space = spaces.Box(-np.inf, np.inf, (n,), np.float64)
        self.action_space = spaces.Box(-np.inf, np.inf, (m,), np.float64)
        self._start = square_root(self.problem.initial_covariance)
        self._noise = square_root(self.problem.W)

    def _drawn(self) -> Observation:
        start = self._start @ self.np_random.standard_normal(self.problem.n_states)
        return self.problem.initial_mean + start

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take an action: (next state, reward, False, False, {})."""
        state, chosen = self._ready(action)
        reward = float(self.problem.reward(state, chosen))
        noise = self._noise @ self.np_random.standard_normal(self.problem.n_states)
        self.state = self.problem.expected_next(state, chosen) + noise
        return self.state.copy(), reward, False, False, {}


class MultigoalEnv(_StatefulEnv):
    """The point mass of `maxent.continuous.multigoal`; the state is the observation, float64.

    Actions outside [-1, 1] are clipped.  `reset(options={"state": s})` starts in a state of your
    choice.  `info["goal"]` after a step is the number of the goal that was reached, or -1.
    """

    def __init__(self) -> None:
        border = multigoal.BORDER
        self.observation_space = spaces.Box(-border, border, (2,), np.float64)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float64)

    def _drawn(self) -> Observation:
        found: Observation = multigoal.start(1, self.np_random)[0]
        return found

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take an action: (next state, reward, terminated, False, {"goal": number})."""
        state, chosen = self._ready(action)
        after, reward, terminated = multigoal.step(state[None, :], chosen[None, :])
        self.state = after[0]
        goal = int(multigoal.goal_reached(after)[0])
        return self.state.copy(), float(reward[0]), bool(terminated[0]), False, {"goal": goal}


class CorridorEnv(_StatefulEnv):
    """The corridor as a Gymnasium environment; it does not truncate episodes by itself."""

    def __init__(self) -> None:
        reach = 1.0 + corridor.STRIDE
        self.observation_space = spaces.Box(-reach, reach, (1,), np.float64)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float64)

    def _drawn(self) -> Observation:
        return self.np_random.uniform(-corridor.START, corridor.START, 1)

    def step(self, action: Any) -> tuple[ndarray, float, bool, bool, dict[str, Any]]:
        """Take an action: (next state, reward, terminated, False, {})."""
        state, chosen = self._ready(action)
        after, reward, terminated = corridor.step(state[None], chosen[None])
        self.state = after[0]
        return self.state.copy(), float(reward[0]), bool(terminated[0]), False, {}
