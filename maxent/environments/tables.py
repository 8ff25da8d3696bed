"""The transition table `P` of a Gymnasium environment, read as an MDP.

How a table is read:

- Outcomes of one action with the same next state are merged: probabilities are summed, the
  reward is their probability-weighted mean.  Outcomes of probability 0 are left out.
- Only *arrivals* say which states are terminal.  A state that is entered at least once, and only
  by transitions that terminate, is terminal, and what its own row says is dropped (a row that
  only stays and terminates counts as an entry).  A state that is entered also by a transition
  from another state that does not terminate, or in which an episode can start, is nonterminal:
  its terminated transitions lead to one terminal state appended as the last.
- An action that is absent, or has no outcome, is unavailable in that state.  A state without
  any outcome is terminal, unless it is entered by a transition that does not terminate (an error).
- Without an initial distribution (`initial_state_distrib`, or the older `isd`), the MDP starts
  uniformly in its non-terminal states.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy import ndarray
from scipy import sparse

from maxent.environments.guard import close
from maxent.environments.mdp_env import MDPEnv
from maxent.environments.toy_text import layout
from maxent.errors import ConfigError, MaxEntWarning, ModelError
from maxent.mdp import MDP, validation
from maxent.support.arguments import nearest, quoted, require_discount
from maxent.support.other_words import takes_our_words

OUTCOME = [
    *(("state", int), ("action", int), ("probability", float)),
    *(("successor", int), ("reward", float), ("terminated", bool)),
]
"""The record of an outcome: state, action, and what follows with which probability."""


@takes_our_words
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
    Warns with MaxEntWarning of a wrapper that alters observations, actions or rewards.

    >>> import maxent
    >>> maxent.from_gymnasium("FrozenLake-v1", discount=0.99, is_slippery=False)
    MDP(16 states, 4 actions, discount 0.99, sparse, 5 terminal)
    """
    discount = require_discount(discount)
    if isinstance(env, str):
        made = _make(env, make_kwargs)
        try:
            return _read(made, discount)
        finally:
            close(made)
    if not isinstance(env, gymnasium.Env):
        raise ConfigError(
            f"env is {type(env).__name__}; give a Gymnasium id or environment, {_what_is_needed()}"
        )
    if make_kwargs:
        raise ConfigError(f"{', '.join(make_kwargs)}: settings go with an id, not an environment")
    return _read(env, discount)


def _make(name: str, settings: dict[str, Any]) -> gymnasium.Env:
    try:
        return gymnasium.make(name, **settings)
    except gymnasium.error.UnregisteredEnv as error:
        raise ConfigError(f"{error} With a table P: {nearest(name, _with_table())}") from error
    except Exception as error:  # whatever the environment's constructor makes of the settings
        failure = f"{type(error).__name__}: {error}"
        given = f" with {settings}" if settings else ""
        raise ConfigError(f"Gymnasium cannot make {name!r}{given}: {failure}") from error


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
    return _mdp_of_env(base, discount)


def _warn_of_wrappers(env: gymnasium.Env) -> None:
    altering = (gymnasium.ObservationWrapper, gymnasium.ActionWrapper, gymnasium.RewardWrapper)
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, altering):
            name = type(env).__name__
            message = f"the table P knows nothing of {name}; pass env.unwrapped to say you know"
            warnings.warn(message, MaxEntWarning, stacklevel=5)
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


def _mdp_of_env(env: Any, discount: float) -> MDP:
    n_states, n_actions = int(env.observation_space.n), int(env.action_space.n)
    start = getattr(env, "initial_state_distrib", getattr(env, "isd", None))
    if start is not None:
        start = validation.distribution("initial_state_distrib", start, n_states)
    table = _outcomes(env.P, n_states, n_actions)
    return mdp_of_outcomes(
        table,
        (n_states, n_actions),
        start,
        discount=discount,
        settings=lambda added: layout(env, n_states, added),
    )


def mdp_of_outcomes(
    table: ndarray,
    shape: tuple[int, int],
    start: ndarray | None,
    *,
    discount: float,
    settings: Callable[[int], dict[str, Any]],
) -> MDP:
    """The MDP of a table of outcomes, read as the module's docstring says.

    table : records as `OUTCOME`.  shape : states and actions.  start : (S,) or None.
    settings : what else the MDP is made with, given the number of states that are appended.
    """
    n_states, n_actions = shape
    available = np.zeros((n_states, n_actions), dtype=bool)
    available[table["state"], table["action"]] = True

    table = table[table["probability"] > 0.0]
    nonterminal, ends = _entered(table, n_states, start)
    lost = nonterminal & ~available.any(axis=1)
    if lost.any():
        number = int(np.argmax(lost))
        names = settings(0).get("state_names")
        raise ModelError(
            f"state {repr(names[number]) if names else number} is entered by a transition that "
            "does not terminate, or is a start, but P has no row for it; give it one, or mark the "
            "transitions that enter it as terminated"
        )
    terminal = ~nonterminal & (ends | ~available.any(axis=1))

    table = table[~terminal[table["state"]]]
    moved = table["terminated"] & ~terminal[table["successor"]]
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
        **settings(added),
    )


def _outcomes(table: Any, n_states: int, n_actions: int) -> ndarray:
    """The table as an array of records, one an outcome; ModelError names what is malformed."""
    outcomes = []
    for state, row in _items("P", table, n_states):
        for action, listed in _items(f"P[{state}]", row, n_actions):
            for _, outcome in _items(f"P[{state}][{action}]", listed):
                try:
                    probability, successor, reward, terminated = outcome
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
                outcomes.append((state, action, *numbers, bool(terminated)))
    return np.array(outcomes, dtype=OUTCOME)


def _items(name: str, level: Any, count: int | None = None) -> Iterable[tuple[int, Any]]:
    """The numbered entries of one level of a table, a mapping or a list; keys are checked."""
    if not isinstance(level, Mapping | list | tuple):
        raise ModelError(f"{name} is {type(level).__name__}; it must be a dictionary or a list")
    for key, value in level.items() if isinstance(level, Mapping) else enumerate(level):
        if count and not (isinstance(key, int | np.integer) and 0 <= key < count):
            raise ModelError(f"{name} has the key {quoted(key)}; keys are 0 to {count - 1}")
        yield int(key), value


def _entered(table: ndarray, n_states: int, start: ndarray | None) -> tuple[ndarray, ndarray]:
    """Which states (S,) are entered by a start or a transition that does not terminate, and which
    by one that does."""
    away = table["state"] != table["successor"]
    nonterminal = np.zeros(n_states, dtype=bool) if start is None else start > 0.0
    nonterminal[table["successor"][away & ~table["terminated"]]] = True
    leaves, ends = np.zeros((2, n_states), dtype=bool)
    leaves[table["state"][away]] = True
    ends[table["successor"][table["terminated"] & (away | ~leaves[table["state"]])]] = True
    return nonterminal, ends


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
