"""Any MDP as a Gymnasium environment, whose observations and actions are numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from numpy import ndarray

from maxent.environments import rendering
from maxent.errors import ConfigError
from maxent.mdp import MDP, require_mdp
from maxent.support.arguments import nearest, quoted, require_kind, require_one_of
from maxent.support.shapes import Float, Int8


class MDPEnv(gymnasium.Env[Any, Any]):
    """Any MDP as a Gymnasium environment with `Discrete` actions.

    Observations are state numbers, or in a `Box` the MDP's `observations` if it has them (`state`
    is then the number).  A step pays the sampled `transition_reward` where the MDP
    has one, else the expected reward; it is not discounted.  Arrival at a terminal state sets
    `terminated`; nothing is ever truncated (use `max_episode_steps` of `gymnasium.make`).  An
    unavailable action leaves the state as it is and pays the lowest expected reward of the
    state's available actions.  An episode that starts in a terminal state ends, with reward 0,
    at its first step, and so does every step taken after the end.

    `info["action_mask"]` is an int8 array (A,), 1 where an action is available.
    `reset(options={"state": s})` starts in state s.  `render_mode` is None, "ansi" (text) or
    "rgb_array" (uint8, (height, width, 3)).  One random number is drawn at a reset and at each
    ordinary step, so a seed fixes the trajectory.

    Raises ConfigError for an unknown render mode, a state or an action that is none.

    >>> import maxent
    >>> env = maxent.MDPEnv(maxent.gridworld("S.G", discount=0.9), render_mode="ansi")
    >>> env.reset(seed=0)[0]
    0
    >>> state, reward, terminated, truncated, info = env.step(1)  # right
    >>> print(env.render())
    S@G
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, mdp: MDP, *, render_mode: str | None = None) -> None:
        if render_mode is not None:
            require_one_of("render_mode", render_mode, self.metadata["render_modes"])
        self.mdp = require_mdp(mdp)
        self.render_mode = render_mode
        self._states = spaces.Discrete(mdp.n_states)
        self.observation_space: spaces.Space = self._states
        if (seen := mdp.observations) is not None:
            self.observation_space = spaces.Box(
                seen.min(axis=0), seen.max(axis=0), dtype=seen.dtype
            )
        self.action_space = spaces.Discrete(mdp.n_actions)
        settings = {"mdp": mdp, "render_mode": render_mode}
        self.spec = EnvSpec("maxent/MDP-v0", "maxent.environments:MDPEnv", kwargs=settings)
        self.state: int | None = None
        self._start = np.cumsum(mdp.initial_distribution)
        self._board: rendering.Board | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode from the initial distribution, or from `options={"state": s}`."""
        super().reset(seed=seed)
        options = {} if options is None else options
        require_kind("options", options, Mapping)
        for key in options.keys() - {"state"}:
            raise ConfigError(f"reset option {key!r} is unknown; {nearest(key, ['state'])}")
        if "state" in options:
            self.state = _member(self._states, "state", options["state"])
        else:
            self.state = draw(self._start, self.np_random.random())
        return self._seen(self.state), self._info(self.state)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action: (next observation, reward, terminated, False, info)."""
        action = _member(self.action_space, "action", action)
        if self.state is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        self.state, reward = self._outcome(self.state, action)
        terminated = bool(self.mdp.terminal[self.state])
        return self._seen(self.state), reward, terminated, False, self._info(self.state)

    def render(self) -> Any:
        """The current state as text, as an image, or None (with a warning) without a mode."""
        if self.render_mode is None:
            gymnasium.logger.warn('no render_mode was given; make it with "ansi" or "rgb_array"')
            return None
        if self.state is None:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        if self.render_mode == "ansi":
            return rendering.text(self.mdp, self.state)
        if self._board is None:
            self._board = rendering.Board(self.mdp)
        return self._board.frame(self.state)

    def _outcome(self, state: int, action: int) -> tuple[int, float]:
        mdp = self.mdp
        if mdp.terminal[state]:
            return state, 0.0
        if not mdp.action_mask[state, action]:
            return state, float(mdp.reward[state, mdp.action_mask[state]].min())
        uniform, samples = self.np_random.random(), mdp.transition_reward
        if mdp.is_sparse:
            row = state * mdp.n_actions + action
            first, last = mdp.transition.indptr[row : row + 2]
            entry = first + draw(np.cumsum(mdp.transition.data[first:last]), uniform)
            successor = int(mdp.transition.indices[entry])
            paid = mdp.reward[state, action] if samples is None else samples.data[entry]
        else:
            successor = draw(np.cumsum(mdp.transition[state, action]), uniform)
            paid = (mdp.reward if samples is None else samples[:, :, successor])[state, action]
        return successor, float(paid)

    def _seen(self, state: int) -> Any:
        seen = self.mdp.observations
        return state if seen is None else seen[state].copy()

    def _info(self, state: int) -> dict[str, Int8[ndarray, " A"]]:
        available = self.mdp.action_mask[state]
        if not available.any():  # a terminal state, where nothing is chosen any more
            available = ~available
        return {"action_mask": available.astype(np.int8)}


class GridworldEnv(MDPEnv):
    """`MDPEnv` of `maxent.gridworld(map, **settings)`."""

    def __init__(self, map: Any, *, render_mode: str | None = None, **settings: Any) -> None:
        from maxent.gridworlds import gridworld

        super().__init__(gridworld(map, **settings), render_mode=render_mode)


def draw(cumulative: Float[ndarray, " n"], uniform: float) -> int:
    """The index that a number in [0, 1) draws from cumulative probabilities, whatever their sum.

    An entry of probability 0 is never drawn.
    """
    return int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"))


def _member(space: Any, name: str, value: Any) -> int:
    if not space.contains(value):
        raise ConfigError(f"{name} = {quoted(value)} is not a whole number from 0 to {space.n - 1}")
    return int(value)
