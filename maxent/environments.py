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

Gymnasium finds the ids `maxent/MDP-v0` and `maxent/Gridworld-v0` once this module has been
imported; `gymnasium.make("maxent.environments:maxent/MDP-v0", mdp=mdp)` imports it by itself.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from jaxtyping import Float, Int8
from numpy import ndarray
from scipy import sparse

from maxent import rendering, validation
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
        raise ConfigError(
            f"{', '.join(make_kwargs)}: settings go with an id; this environment is made already"
        )
    return _read(env, discount)


class MDPEnv(gymnasium.Env[int, Any]):
    """Any MDP as a Gymnasium environment with `Discrete` observations and actions.

    Observations are state numbers.  A step pays the sampled `transition_reward` where the MDP
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
            raise ConfigError(
                f"render_mode = {render_mode!r} is unknown; "
                f"{nearest(render_mode, self.metadata['render_modes'])}"
            )
        self.mdp = mdp
        self.render_mode = render_mode
        self.observation_space = spaces.Discrete(mdp.n_states)
        self.action_space = spaces.Discrete(mdp.n_actions)
        self.spec = EnvSpec(
            "maxent/MDP-v0", entry_point=MDPEnv, kwargs={"mdp": mdp, "render_mode": render_mode}
        )
        self.state: int | None = None
        self._start = np.cumsum(mdp.initial_distribution)
        self._board: rendering.Board | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Start an episode from the initial distribution, or from `options={"state": s}`."""
        super().reset(seed=seed)
        options = options or {}
        for key in options.keys() - {"state"}:
            raise ConfigError(f"reset option {key!r} is unknown; {nearest(key, ['state'])}")
        if "state" in options:
            self.state = _member(self.observation_space, "state", options["state"])
        else:
            self.state = draw(self._start, self.np_random.random())
        return self.state, self._info(self.state)

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Take an action: (next state, reward, terminated, False, info)."""
        action = _member(self.action_space, "action", action)
        if self.state is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        self.state, reward = self._outcome(self.state, action)
        ended = bool(self.mdp.terminal[self.state])
        return self.state, reward, ended, False, self._info(self.state)

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
        draws = self.np_random.random()
        if not mdp.is_sparse:
            successor = draw(np.cumsum(mdp.transition[state, action]), draws)
            if mdp.transition_reward is None:
                return successor, float(mdp.reward[state, action])
            return successor, float(mdp.transition_reward[state, action, successor])
        row = state * mdp.n_actions + action
        entries = slice(mdp.transition.indptr[row], mdp.transition.indptr[row + 1])
        chosen = entries.start + draw(np.cumsum(mdp.transition.data[entries]), draws)
        successor = int(mdp.transition.indices[chosen])
        if mdp.transition_reward is None:
            return successor, float(mdp.reward[state, action])
        return successor, float(mdp.transition_reward.data[chosen])

    def _info(self, state: int) -> dict[str, Int8[ndarray, " A"]]:
        return {"action_mask": self.mdp.action_mask[state].astype(np.int8)}


class GridworldEnv(MDPEnv):
    """`MDPEnv` of `maxent.gridworld(map, **settings)`; the discount concerns solvers only."""

    def __init__(
        self, map: str, *, discount: float = 1.0, render_mode: str | None = None, **settings: Any
    ) -> None:
        from maxent.gridworlds import gridworld

        super().__init__(gridworld(map, discount=discount, **settings), render_mode=render_mode)


def register() -> None:
    """Make the ids `maxent/MDP-v0` and `maxent/Gridworld-v0` known to Gymnasium, once."""
    for name, env in (("maxent/MDP-v0", "MDPEnv"), ("maxent/Gridworld-v0", "GridworldEnv")):
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=f"maxent.environments:{env}")


def draw(cumulative: Float[ndarray, " n"], uniform: float) -> int:
    """The index drawn from unnormalised cumulative probabilities by a number in [0, 1).

    An entry of probability 0 is never drawn, whatever the rounding of the sum.
    """
    return int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"))


def _member(space: spaces.Discrete, name: str, value: Any) -> int:
    if not space.contains(value):
        raise ConfigError(f"{name} = {value!r} is not a whole number from 0 to {space.n - 1}")
    return int(value)


def _make(name: str, settings: dict[str, Any]) -> gymnasium.Env:
    try:
        return gymnasium.make(name, **settings)
    except gymnasium.error.UnregisteredEnv as error:
        raise ConfigError(f"{error} For a table P, {nearest(name, _with_table())}") from error
    except Exception as error:  # whatever the environment's constructor makes of the settings
        given = ", ".join(f"{key}={value!r}" for key, value in settings.items())
        raise ConfigError(
            f"Gymnasium cannot make {name!r}{' with ' if given else ''}{given}: "
            f"{type(error).__name__}: {error}"
        ) from error


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
            warnings.warn(
                f"{type(env).__name__} is left out: the table P is that of the unwrapped "
                "environment; pass env.unwrapped to silence this",
                MaxEntWarning,
                stacklevel=4,
            )
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
    state, action, probability, successor, reward, ended = _outcomes(env.P, n_states, n_actions)

    available = np.zeros((n_states, n_actions), dtype=bool)
    available[state, action] = True
    possible = probability > 0.0
    alive, terminal = _entered(state, successor, ended, possible, available.any(axis=1), start)
    lost = alive & ~available.any(axis=1)
    if lost.any():
        raise ModelError(
            f"state {int(np.argmax(lost))} is entered, or a start, but has no action in the table P"
        )

    kept = possible & ~terminal[state]
    state, action, probability, successor, reward, ended = (
        column[kept] for column in (state, action, probability, successor, reward, ended)
    )
    moved = ended & ~terminal[successor]
    successor = np.where(moved, n_states, successor)
    added = int(moved.any())
    terminal = np.append(terminal, np.ones(added, dtype=bool))
    available = np.vstack([available, np.ones((added, n_actions), dtype=bool)])
    transition, paid = _merged(
        state * n_actions + action, successor, probability, reward, available.shape
    )
    return MDP(
        transition,
        transition_reward=paid,
        discount=discount,
        initial_distribution=None if start is None else np.append(start, np.zeros(added)),
        terminal=terminal,
        action_mask=available | terminal[:, None],
        **rendering.layout(env, n_states, added),
    )


def _outcomes(table: Any, n_states: int, n_actions: int) -> tuple[ndarray, ...]:
    """The table as columns (n,): state, action, probability, next state, reward, terminated."""
    outcomes = []
    for state, row in _items("P", table, n_states):
        for action, listed in _items(f"P[{state}]", row, n_actions):
            for outcome in listed:
                try:
                    probability, successor, reward, ended = outcome
                    numbers = float(probability), operator.index(successor), float(reward)
                except (TypeError, ValueError):
                    numbers = (np.nan, -1, np.nan)
                probability, successor, reward = numbers
                possible = 0.0 <= probability < np.inf and 0 <= successor < n_states
                if not (possible and np.isfinite(reward)):
                    raise ModelError(
                        f"state {state}, action {action} of the table P has the outcome "
                        f"{outcome!r}; it must be (probability, next_state, reward, terminated), "
                        f"finite, with a probability of at least 0 and a state 0 to {n_states - 1}"
                    )
                outcomes.append((state, action, *numbers, bool(ended)))
    if not outcomes:
        raise ModelError("the table P has no outcomes")
    return tuple(np.array(column) for column in zip(*outcomes))


def _items(name: str, level: Any, count: int) -> Iterable[tuple[int, Any]]:
    """The numbered entries of one level of a table, a mapping or a list; keys are checked."""
    if not isinstance(level, Mapping | list | tuple):
        raise ModelError(f"{name} is {type(level).__name__}; it must be a dictionary or a list")
    for key, value in level.items() if isinstance(level, Mapping) else enumerate(level):
        if not (isinstance(key, Integral) and 0 <= key < count):
            raise ModelError(f"{name} has the key {key!r}; keys are 0 to {count - 1}")
        yield int(key), value


def _entered(
    state: ndarray,
    successor: ndarray,
    ended: ndarray,
    possible: ndarray,
    has_row: ndarray,
    start: ndarray | None,
) -> tuple[ndarray, ndarray]:
    """Which states (S,) are entered alive, and which are terminal."""
    n_states = len(has_row)
    away = possible & (state != successor)
    alive = np.zeros(n_states, dtype=bool) if start is None else start > 0.0
    alive[successor[away & ~ended]] = True
    leaves = np.zeros(n_states, dtype=bool)
    leaves[state[away]] = True
    over = ~has_row
    over[successor[possible & ended & (away | ~leaves[state])]] = True
    return alive, over & ~alive


def _merged(
    row: ndarray, column: ndarray, probability: ndarray, reward: ndarray, shape: tuple[int, int]
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Transition and transition reward, CSR (S*A, S) of one pattern; shape is (S, A).

    The mean is taken as a correction to one of the rewards, so that equal rewards stay exact.
    """
    n_states, n_actions = shape
    keys, first, group = np.unique(row * n_states + column, return_index=True, return_inverse=True)
    total = np.bincount(group, probability, len(keys))
    base = reward[first]
    mean = base + np.bincount(group, probability * (reward - base[group]), len(keys)) / total
    rows, columns = np.divmod(keys, n_states)
    pattern = columns, np.searchsorted(rows, np.arange(n_states * n_actions + 1))
    size = (n_states * n_actions, n_states)
    return sparse.csr_array((total, *pattern), size), sparse.csr_array((mean, *pattern), size)


register()
