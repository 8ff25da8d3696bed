"""A transition table without an environment: the dictionary that courses and books write."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from maxent.environments.tables import OUTCOME, mdp_of_outcomes
from maxent.errors import ModelError
from maxent.mdp import MDP, validation
from maxent.mdp.states import by_state, start_of
from maxent.support.arguments import quoted, require_discount
from maxent.support.other_words import takes_our_words

FORM = "(probability, next_state, reward, terminated)"
COLUMNS = ("state", "action", "probability", "next_state", "reward")


@takes_our_words
def from_table(P: Any, *, discount: float, initial_distribution: Any = None) -> MDP:
    """The MDP of a table `P[state][action] = [(probability, next_state, reward, terminated), ...]`.

    P : dictionaries, lists, or both; also `P[state, action] = [...]`; or a data frame with a row an
        outcome and the columns state, action, probability, next_state, reward and, where some
        transitions terminate, terminated.  States and actions are
        numbers from 0, which they keep, or anything that a dictionary takes as a key: then they are
        numbered in the order in which the table names them, and it is their names.
    discount : gamma, which no table contains.
    initial_distribution : (S,), or {state: probability}, or the one state in which all begins;
        None: uniform over nonterminal states.

    States are terminal as for `from_gymnasium`: those entered, and only by transitions that
    terminate; one more state takes the terminated transitions into others.  An action that is
    absent is unavailable.  ModelError names the state and action of what is malformed.

    >>> import maxent
    >>> mdp = maxent.from_table(
    ...     {
    ...         "cool": {"slow": [(1.0, "cool", 1.0, False)],
    ...                  "fast": [(0.5, "cool", 2.0, False), (0.5, "warm", 2.0, False)]},
    ...         "warm": {"slow": [(0.5, "cool", 1.0, False), (0.5, "warm", 1.0, False)],
    ...                  "fast": [(1.0, "overheated", -10.0, True)]},
    ...     },
    ...     discount=0.9,
    ... )
    >>> mdp.state_names, mdp.action_names
    (('cool', 'warm', 'overheated'), ('slow', 'fast'))
    >>> maxent.solve(mdp, temperature=0.0).v.round(2).tolist()
    [15.5, 14.5, 0.0]
    """
    discount = require_discount(discount)
    listed = list(_outcomes(P))
    if not listed:
        raise ModelError(
            f"P is {str(P)[:60]!r}, without any outcome; an action has a list of {FORM}"
        )
    states = _numbered([s for s, *_ in listed] + [outcome[1] for *_, outcome in listed])
    actions = _numbered([action for _, action, _ in listed])
    records = [
        (states[s], actions[a], probability, states[successor], reward, terminated)
        for s, a, (probability, successor, reward, terminated) in listed
    ]
    start = _start(initial_distribution, states)
    return mdp_of_outcomes(
        np.array(records, dtype=OUTCOME),
        (len(states), len(actions)),
        start,
        discount=discount,
        settings=lambda added: {
            "state_names": _names(states, ["the end"] * added),
            "action_names": _names(actions),
        },
    )


def _outcomes(P: Any) -> Iterator[tuple[Hashable, Hashable, tuple[float, Hashable, float, bool]]]:
    """State, action and outcome, as the table has them."""
    if hasattr(P, "columns"):
        yield from _of_frame(P)
        return
    if not (isinstance(P, Mapping | Sequence) and len(P)) or isinstance(P, str):
        raise ModelError(f"P is {str(P)[:60]!r}; give a table P[state][action] = [{FORM}, ...]")
    for key, value in _entries(P):
        if isinstance(key, tuple) and len(key) == 2 and _is_list_of_outcomes(value):
            rows: Any = [(key[0], [(key[1], value)])]
        elif isinstance(value, Mapping | list | tuple):
            rows = [(key, _entries(value))]
        else:
            raise ModelError(
                f"P[{key!r}] is {quoted(value)}; it must map actions to lists of {FORM}"
            )
        for state, row in rows:
            for action, outcomes in row:
                for outcome in outcomes if isinstance(outcomes, list | tuple) else [outcomes]:
                    yield state, action, require_outcome(state, action, outcome)


def _of_frame(
    frame: Any,
) -> Iterator[tuple[Hashable, Hashable, tuple[float, Hashable, float, bool]]]:
    absent = [name for name in COLUMNS if name not in frame.columns]
    if absent:
        raise ModelError(
            f"the data frame P has no column {absent[0]!r}; give {', '.join(COLUMNS)} and, where "
            "some transitions terminate, terminated"
        )
    columns = [list(frame[name]) for name in COLUMNS]
    ended = list(frame["terminated"]) if "terminated" in frame.columns else [False] * len(frame)
    for state, action, *outcome in zip(*columns, ended):
        yield state, action, require_outcome(state, action, tuple(outcome))


def _entries(level: Any) -> list[tuple[Any, Any]]:
    return list(level.items()) if isinstance(level, Mapping) else list(enumerate(level))


def _is_list_of_outcomes(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) > 0
        and all(isinstance(each, tuple | list) and len(each) == 4 for each in value)
        and all(isinstance(each[0], int | float | np.number) for each in value)
    )


def require_outcome(state: Any, action: Any, outcome: Any) -> tuple[float, Hashable, float, bool]:
    """An outcome as (probability, next state, reward, terminated); ModelError for what is none."""
    try:
        probability, successor, reward, terminated = outcome
        hash(successor)
        numbers = float(probability), float(reward)
        sound = 0.0 <= numbers[0] < np.inf and np.isfinite(numbers[1]) and terminated in (0, 1)
        sound = sound and all(label == label for label in (state, action, successor))  # nan, NA
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise ModelError(
            f"state {state!r}, action {action!r} has the outcome {quoted(outcome)}; it must be "
            f"{FORM}, finite, with a probability of at least 0, and terminated True or False; "
            "none is missing"
        )
    return numbers[0], successor, numbers[1], bool(terminated)


def _numbered(labels: list[Hashable]) -> dict[Hashable, int]:
    """The number of each label: whole numbers from 0 keep theirs, others count as they come."""
    found = dict.fromkeys(labels)
    try:
        numbers = {label: operator.index(label) for label in found}  # type: ignore[arg-type]
        if min(numbers.values(), default=0) == 0 and max(numbers.values()) < 2 * len(numbers) + 8:
            return {number: number for number in range(max(numbers.values()) + 1)}
    except (TypeError, ValueError):
        pass
    return {label: number for number, label in enumerate(found)}


def _names(labels: dict[Hashable, int], more: Sequence[str] = ()) -> list[str] | None:
    """Labels as names; None where they are their numbers."""
    if all(label == number for label, number in labels.items()):
        return None
    return [str(label) for label in labels] + list(more)


def _start(given: Any, states: dict[Hashable, int]) -> ndarray | None:
    if isinstance(given, str) or (isinstance(given, Hashable) and given in states):
        given = {given: 1.0}
    if (chosen := by_state(given)) is not None:
        for state in chosen:
            if state not in states:
                raise ModelError(f"initial_distribution names {state!r}, which is not in the table")
        given = start_of(chosen, states, len(states))
    if given is None:
        return None
    return validation.distribution("initial_distribution", given, len(states))
