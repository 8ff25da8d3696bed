"""Between Gymnasium and MDPs: read a table `P` as an MDP, run any MDP as an environment.

`from_gymnasium` reads the transition table that Gymnasium's toy-text environments carry,
`P[state][action] = [(probability, next_state, reward, terminated), ...]`.  `MDPEnv` is the way
back: an environment whose observations and actions are the state and action numbers of an MDP.

How a table is read:

- Outcomes of one action with the same next state are merged: probabilities are summed, the
  reward is their probability-weighted mean.  Outcomes of probability 0 are left out.
- Only *arrivals* say which states are terminal.  A state is *entered alive* where an episode
  starts in it or a transition from another state leads there without `terminated`.  A state
  entered at least once, and never alive, is terminal, and what its own row says is dropped (a
  row that only stays and terminates counts as an entry).  Where a state is entered alive too,
  its terminated transitions lead to one terminal state appended as the last.
- An action that is absent, or has no outcome, is unavailable in that state.  A state without
  any outcome that is never entered alive is terminal.
- Without an initial distribution (`initial_state_distrib`, or the older `isd`), the MDP starts
  uniformly in its non-terminal states.

Gymnasium finds the ids `maxent/MDP-v0` and `maxent/Gridworld-v0` once `maxent` is in use;
`gymnasium.make("maxent.environments:maxent/MDP-v0", mdp=mdp)` imports it by itself.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from jaxtyping import Float, Int8
from numpy import ndarray
from scipy import sparse

from maxent import registration, rendering, validation  # noqa: F401 (registers the ids)
from maxent.errors import ConfigError, MaxEntWarning, ModelError, check_discount, nearest
from maxent.mdp import MDP


def from_gymnasium(env: Any, *, discount: float, **make_kwargs: Any) -> MDP:
    """The MDP of a Gymnasium environment that has a transition table `P`.

    env : an id such as "FrozenLake-v1", made with `make_kwargs` and closed again, or an
        environment (left open).  Its table is read from `env.unwrapped.P`; states and actions
        keep their numbers.  For an `MDPEnv`, its MDP with the discount changed.
    discount : gamma, which no environment contains.

    The transition is sparse, with `transition_reward` holding what each transition pays.
    Wrappers and time limits are no part of the table (the module's page says how it is read).
    FrozenLake and CliffWalking get a `grid` for figures, Taxi names for its states.

    Raises ConfigError for an environment that cannot be made, has no table, or does in `step`
    what its table does not say; ModelError, naming state and action, for a table that is no MDP.
    """
    discount = check_discount(discount)
    if isinstance(env, str):
        made = _make(env, make_kwargs)
        try:
            return _read(made, discount)
        finally:
            made.close()
    if not isinstance(env, gymnasium.Env):
        raise ConfigError(
            f"env is {type(env).__name__}; give a Gymnasium id or environment, {_what_is_needed()}"
        )
    if make_kwargs:
        raise ConfigError(f"{', '.join(make_kwargs)}: settings go with an id, not an environment")
    return _read(env, discount)


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
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, mdp: MDP, *, render_mode: str | None = None) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            hint = nearest(render_mode, self.metadata["render_modes"])
            raise ConfigError(f"render_mode = {render_mode!r} is unknown; {hint}")
        self.mdp = mdp
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
        options = options or {}
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
        ended = bool(self.mdp.terminal[self.state])
        return self._seen(self.state), reward, ended, False, self._info(self.state)

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
        return {"action_mask": self.mdp.action_mask[state].astype(np.int8)}


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
        raise ConfigError(f"{name} = {value!r} is not a whole number from 0 to {space.n - 1}")
    return int(value)


def _make(name: str, settings: dict[str, Any]) -> gymnasium.Env:
    try:
        return gymnasium.make(name, **settings)
    except gymnasium.error.UnregisteredEnv as error:
        raise ConfigError(f"{error} With a table P: {nearest(name, _with_table())}") from error
    except Exception as error:  # whatever the environment's constructor makes of the settings
        failure = f"{type(error).__name__}: {error}"
        raise ConfigError(f"Gymnasium cannot make {name!r} with {settings}: {failure}") from error


def _read(env: gymnasium.Env, discount: float) -> MDP:
    _warn_of_wrappers(env)
    base: Any = env.unwrapped
    if isinstance(base, MDPEnv):
        return base.mdp.replace(discount=discount)
    name = env.spec.id if env.spec is not None else type(base).__name__
    for role in ("observation_space", "action_space"):
        space = getattr(base, role, None)
        if not isinstance(space, spaces.Discrete) or space.start != 0:
            raise ConfigError(f"{name} has the {role} {space}; {_what_is_needed()}")
    if not hasattr(base, "P"):
        raise ConfigError(f"{name} has no transition table; {_what_is_needed()}")
    if getattr(base, "fickle_passenger", False):
        raise ConfigError(
            f"{name}: fickle_passenger=True changes the destination in step(), which the table P "
            "does not contain; use fickle_passenger=False"
        )
    return _mdp_of_table(base, discount)


def _warn_of_wrappers(env: gymnasium.Env) -> None:
    altering = (gymnasium.ObservationWrapper, gymnasium.ActionWrapper, gymnasium.RewardWrapper)
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, altering):
            name = type(env).__name__
            message = f"the table P knows nothing of {name}; pass env.unwrapped to say you know"
            warnings.warn(message, MaxEntWarning, stacklevel=4)
        env = env.env


def _with_table() -> list[str]:
    """The registered ids of Gymnasium's own environments with a table."""
    families = ("FrozenLake", "CliffWalking", "Taxi")
    return [name for name in gymnasium.registry if name.startswith(families)]


def _what_is_needed() -> str:
    return (
        "from_gymnasium needs Discrete spaces that start at 0 and a table env.unwrapped.P[state]"
        "[action] = [(probability, next_state, reward, terminated), ...], as "
        f"{', '.join(_with_table())} have; give any other model to maxent.MDP"
    )


def _mdp_of_table(env: Any, discount: float) -> MDP:
    """The MDP of the table `env.P`, as the module's docstring says."""
    n_states, n_actions = int(env.observation_space.n), int(env.action_space.n)
    start = getattr(env, "initial_state_distrib", getattr(env, "isd", None))
    if start is not None:
        start = validation.distribution("initial_state_distrib", start, n_states)
    table = _outcomes(env.P, n_states, n_actions)
    available = np.zeros((n_states, n_actions), dtype=bool)
    available[table["state"], table["action"]] = True

    table = table[table["probability"] > 0.0]
    alive, over = _entered(table, n_states, start)
    lost = alive & ~available.any(axis=1)
    if lost.any():
        raise ModelError(f"state {np.argmax(lost)} is entered, or a start, but P has no row for it")
    terminal = ~alive & (over | ~available.any(axis=1))

    table = table[~terminal[table["state"]]]
    moved = table["ended"] & ~terminal[table["successor"]]
    table["successor"][moved] = n_states
    added = int(moved.any())
    terminal = np.append(terminal, np.ones(added, dtype=bool))
    available = np.vstack([available, np.ones((added, n_actions), dtype=bool)])
    transition, paid = _merged(table, *available.shape)
    return MDP(
        transition,
        transition_reward=paid,
        discount=discount,
        initial_distribution=None if start is None else np.append(start, np.zeros(added)),
        terminal=terminal,
        action_mask=available | terminal[:, None],
        **rendering.layout(env, n_states, added),
    )


def _outcomes(table: Any, n_states: int, n_actions: int) -> ndarray:
    """The table as an array of records, one an outcome; ModelError names what is malformed."""
    outcomes = []
    for state, row in _items("P", table, n_states):
        for action, listed in _items(f"P[{state}]", row, n_actions):
            for _, outcome in _items(f"P[{state}][{action}]", listed):
                try:
                    probability, successor, reward, ended = outcome
                    numbers = float(probability), operator.index(successor), float(reward)
                except (TypeError, ValueError):
                    numbers = (np.nan, -1, np.nan)
                sound = 0.0 <= numbers[0] < np.inf and np.isfinite(numbers[2])
                if not (sound and 0 <= numbers[1] < n_states):
                    raise ModelError(
                        f"state {state}, action {action} of the table P has the outcome "
                        f"{outcome!r}; it must be (probability, next_state, reward, terminated), "
                        f"finite, with a probability of at least 0 and a state 0 to {n_states - 1}"
                    )
                outcomes.append((state, action, *numbers, bool(ended)))
    kinds = (int, int, float, int, float, bool)
    names = ("state", "action", "probability", "successor", "reward", "ended")
    return np.array(outcomes, dtype=list(zip(names, kinds)))


def _items(name: str, level: Any, count: int | None = None) -> Iterable[tuple[int, Any]]:
    """The numbered entries of one level of a table, a mapping or a list; keys are checked."""
    if not isinstance(level, Mapping | list | tuple):
        raise ModelError(f"{name} is {type(level).__name__}; it must be a dictionary or a list")
    for key, value in level.items() if isinstance(level, Mapping) else enumerate(level):
        if count and not (isinstance(key, int | np.integer) and 0 <= key < count):
            raise ModelError(f"{name} has the key {key!r}; keys are 0 to {count - 1}")
        yield int(key), value


def _entered(table: ndarray, n_states: int, start: ndarray | None) -> tuple[ndarray, ndarray]:
    """Which states (S,) are entered alive, and which by a terminated transition."""
    away = table["state"] != table["successor"]
    alive = np.zeros(n_states, dtype=bool) if start is None else start > 0.0
    alive[table["successor"][away & ~table["ended"]]] = True
    leaves, over = np.zeros((2, n_states), dtype=bool)
    leaves[table["state"][away]] = True
    over[table["successor"][table["ended"] & (away | ~leaves[table["state"]])]] = True
    return alive, over


def _merged(
    table: ndarray, n_states: int, n_actions: int
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Transition and transition reward, CSR (S*A, S) of one pattern.

    The mean is taken as a correction to one of the rewards, so that equal rewards stay exact.
    """
    probability, reward = table["probability"], table["reward"]
    key = (table["state"] * n_actions + table["action"]) * n_states + table["successor"]
    keys, first, group = np.unique(key, return_index=True, return_inverse=True)
    total = np.bincount(group, probability, len(keys))
    base = reward[first]
    mean = base + np.bincount(group, probability * (reward - base[group]), len(keys)) / total
    rows, columns = np.divmod(keys, n_states)
    pattern = columns, np.searchsorted(rows, np.arange(n_states * n_actions + 1))
    size = (n_states * n_actions, n_states)
    return sparse.csr_array((total, *pattern), size), sparse.csr_array((mean, *pattern), size)
