"""A table from what can only be run: every state is visited, breadth first, and every action tried.

Two kinds of simulators: a successor function, and an environment that can be copied and is
deterministic.  What an environment does may depend on nothing but what tells its states apart; that
is checked by stepping twice, with other random numbers, and again from a second way into a state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np

from maxent.environments.copies import Copies, Outcomes
from maxent.environments.tables import OUTCOME, mdp_of_outcomes
from maxent.environments.written_tables import require_outcome
from maxent.errors import ConfigError, ModelError
from maxent.mdp import MDP
from maxent.support.arguments import quoted, require_count, require_discount
from maxent.support.other_words import takes_our_words


@takes_our_words
def from_simulator(
    simulator: Any,
    *,
    discount: float,
    start: Any = None,
    actions: Any = None,
    key: Callable[[Any], Hashable] | None = None,
    seed: int = 0,
    max_states: int = 100_000,
) -> MDP:
    """The MDP of everything that can be reached in a simulator.

    simulator : a function `successors(state, action)` that returns (next_state, reward,
        terminated), a list of (probability, next_state, reward, terminated), or None where the
        action is unavailable; states are hashable.  Or a Gymnasium environment with a Discrete
        action space that is deterministic and can be copied.
    discount : gamma.
    start : of a function: the state to start in, a list of states (one of them at random), or
        {state: probability}.  An environment starts as `reset(seed=seed)` leaves it.
    actions : of a function: the list of actions, or a function of the state that returns it.
    key : of an environment: a function of it whose hashable result tells its states apart; None:
        its `hash()` where it has one (MiniGrid), else its observation.
    max_states : the most that is visited.

    States are numbered as they are met, the start first; the states and actions of a function are
    named by what they are.  Terminal states are found as by `from_gymnasium`.  Time limits are no
    part of the MDP.

    Raises ConfigError for an environment that is random, cannot be copied, or does in one state
    other things at another time (MiniGrid's reward depends on the number of steps: give a
    function), and for more states than `max_states`; ModelError for what a function may not return.

    >>> import maxent
    >>> def walk(place, move):
    ...     to = min(max(place + move, 0), 4)
    ...     return to, float(to == 4), to == 4
    >>> mdp = maxent.from_simulator(walk, start=2, actions=[-1, 1], discount=0.9)
    >>> mdp.state_names, mdp.action_names
    (('2', '1', '3', '0', '4'), ('-1', '1'))
    >>> maxent.solve(mdp, temperature=0.0).v.round(2).tolist()
    [0.9, 0.81, 1.0, 0.73, 0.0]
    """
    discount = require_discount(discount)
    max_states = require_count("max_states", max_states)
    if isinstance(simulator, gymnasium.Env):
        if start is not None or actions is not None:
            raise ConfigError("start and actions go with a function; an environment has its own")
        world: Copies | _Function = Copies(simulator, key, seed)
    elif callable(simulator):
        if key is not None:
            raise ConfigError("key goes with an environment; the states of a function are hashable")
        world = _Function(simulator, start, actions)
    else:
        raise ConfigError(
            f"simulator is a {type(simulator).__name__}; give a successor function or a Gymnasium "
            "environment"
        )
    states = {state: number for number, state in enumerate(world.starts)}
    numbers: dict[Hashable, int] = {}
    records = []
    waiting = deque(states)
    seen = set(states)
    while waiting:
        state = waiting.popleft()
        for action, outcomes in world.row(state):
            number = numbers.setdefault(action, len(numbers))
            for probability, successor, reward, terminated in outcomes:
                to = states.setdefault(successor, len(states))
                if len(states) > max_states:
                    raise ConfigError(
                        f"more than max_states = {max_states} states can be reached; raise it, or "
                        "leave out of the state what does not matter"
                    )
                records.append((states[state], number, probability, to, reward, terminated))
                if not terminated and successor not in seen:
                    seen.add(successor)
                    waiting.append(successor)
    if isinstance(world, Copies):
        world.check()
    if not records:
        raise ModelError("no action is available in any start state")
    distribution = np.zeros(len(states))
    for state, probability in world.starts.items():
        distribution[states[state]] = probability
    named = isinstance(world, _Function)
    return mdp_of_outcomes(
        np.array(records, dtype=OUTCOME),
        (len(states), len(numbers)),
        distribution,
        discount=discount,
        settings=lambda added: {
            "state_names": [*map(str, states), *["the end"] * added] if named else None,
            "action_names": [*map(str, numbers)] if named else None,
        },
    )


def _require_hashable(name: str, value: Any) -> None:
    """ConfigError for a state or an action that no table can have as its key."""
    try:
        hash(value)
    except TypeError:
        raise ConfigError(
            f"{name} = {quoted(value)} is a {type(value).__name__}, which changes; give a number, "
            "a text or a tuple of them"
        ) from None


class _Function:
    """A successor function, its start states with their probabilities, and its actions."""

    def __init__(self, successors: Callable[..., Any], start: Any, actions: Any) -> None:
        if start is None or actions is None:
            raise ConfigError(
                "a successor function needs start= (a state, a list of states or {state: "
                "probability}) and actions= (a list, or a function of the state)"
            )
        if isinstance(start, Mapping):
            self.starts: dict[Hashable, float] = dict(start)
        else:
            listed = start if isinstance(start, list) else [start]
            for state in listed:
                _require_hashable("start", state)
            self.starts = dict.fromkeys(listed, 1.0 / max(1, len(set(listed))))
        if not self.starts or not np.isclose(sum(self.starts.values()), 1.0, rtol=0.0, atol=1e-9):
            raise ConfigError(f"start = {quoted(start)} must be states with probability 1 in all")
        if not callable(actions) and (
            isinstance(actions, str) or not isinstance(actions, Iterable)
        ):
            raise ConfigError(
                f"actions = {quoted(actions)} must be a list such as [0, 1, 2], or a function of "
                "the state that gives one"
            )
        self.successors, self.actions = successors, actions

    def row(self, state: Hashable) -> Iterator[tuple[Hashable, Outcomes]]:
        """Each available action of a state with its outcomes."""
        available: Iterable[Hashable] = self.actions
        if callable(self.actions):
            available = self.actions(state)
        for action in available:
            _require_hashable("action", action)
            found = self.successors(state, action)
            if found is None:
                continue
            if isinstance(found, tuple) and len(found) == 3:
                found = [(1.0, *found)]
            if not isinstance(found, list):
                raise ModelError(
                    f"state {state!r}, action {action!r}: {quoted(found)} is no (next_state, "
                    "reward, terminated), no list of (probability, next_state, reward, terminated) "
                    "and not None"
                )
            yield action, [require_outcome(state, action, outcome) for outcome in found]
