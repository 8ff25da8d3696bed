"""From the characters of a map to the arrays of an MDP."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy import sparse
from scipy.sparse import csgraph

from maxent.errors import ConfigError, MapError, MaxEntWarning
from maxent.gridworlds.maps import MAPS, NamedMap, is_name, maze, named_map
from maxent.gridworlds.settings import Rules, merge_settings, require_rules
from maxent.gridworlds.text import PORTALS, parse_map, read_map, require_portals
from maxent.mdp import MDP
from maxent.mdp.grid import Grid
from maxent.support.memory import require_memory

__all__ = ["MAPS", "NamedMap", "gridworld", "maze", "read_map"]

ACTION_NAMES = ("up", "up-right", "right", "down-right", "down", "down-left", "left", "up-left")
DISPLACEMENTS = np.array([(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)])

WALL, CLIFF = -1, -2
"""Cells that are no state, where a cell's state number is looked up."""

RESTART = -1
"""A successor that stands for "a start, drawn at random"."""

BYTES_PER_ENTRY = 110
"""Peak of building an MDP, per outcome of a state and action; 80 to 125 measured."""


@dataclass(frozen=True)
class Cells:
    """The states of a map: `kind` (S,) their characters, `place` (S, 2) their row and column.

    `number` int (rows + 2, columns + 2), the map within a border of walls: each cell's state, or
    WALL or CLIFF.
    """

    kind: ndarray
    place: ndarray
    number: ndarray


def gridworld(
    map: Any,
    *,
    discount: Any = None,
    slip: Any = None,
    moves: Any = None,
    wind: Any = None,
    step_reward: Any = None,
    rewards: Any = None,
    bump_reward: Any = None,
    goals: Any = None,
) -> MDP:
    """The MDP of a map, with sparse transitions, sampled rewards, action names and a `grid`.

    Parameters (one left out takes the named map's own value, else the default told here)
    ----------
    map : a name from `MAPS`, a generated one (`maze-21x31`, `maze-21x31-seed7`, `open-50x50`),
        the text of a map, or a `pathlib.Path` of a map file.
    discount : gamma in [0, 1]; no default for a text or a file.
    slip : total probability of the two neighbouring directions, in [0, 1]; default 0.
    moves : 4 (default) or 8.
    wind : cells upwards per step, a whole number >= 0 for each column, or one for all; default 0.
    step_reward : paid for each step; default -0.04.
    rewards : reward of a character, merged over {"G": 1.0, "X": -1.0} and the named map's own.
    bump_reward : added when a move meets a wall or an edge; default 0.
    goals : "terminal" (default); "absorbing": a goal is stayed in for ever, at reward 0; or
        "restart": any action in a goal pays the step reward and leads to a start.

    Raises MapError (the map), ConfigError (a setting), MemoryBudgetError (a map too large).
    Warns with MaxEntWarning where a goal cannot be reached; the MDP is built all the same.
    """
    named = named_map(map) if isinstance(map, str) and is_name(map) else None
    text = named.text if named else _text(map)
    given = {
        "discount": discount,
        "slip": slip,
        "moves": moves,
        "wind": wind,
        "step_reward": step_reward,
        "rewards": rewards,
        "bump_reward": bump_reward,
        "goals": goals,
    }
    rewards, settings = merge_settings(given, named.settings if named else {})
    board = parse_map(text, rewards)
    rules = require_rules(settings, rewards, board)
    require_portals(board)
    cells = _cells(board)
    is_goal = cells.kind == "G"
    terminal = cells.kind == "X"
    if rules.goals == "terminal":
        terminal |= is_goal
    if (terminal | is_goal).all():
        raise MapError(
            f"the map has no floor cell: of its {board.size} cells {len(terminal)} are goals or "
            f"pits, {(board == '#').sum()} walls, {(board == '!').sum()} cliffs"
        )
    outcomes = 1 if rules.slip == 0.0 else 3
    require_memory(
        BYTES_PER_ENTRY * len(terminal) * rules.moves * outcomes,
        f"a gridworld of {board.shape[0]}x{board.shape[1]} with {rules.moves} moves",
        "make it smaller",
    )
    displacements = DISPLACEMENTS if rules.moves == 8 else DISPLACEMENTS[::2]
    start = cells.kind == "S" if (cells.kind == "S").any() else ~terminal
    with np.errstate(over="ignore", invalid="ignore"):  # MDP refuses rewards that overflow
        target, pay = _outcomes(cells, rules, displacements)
        rows, reward = _matrices(target, pay, rules, terminal, np.flatnonzero(start))
    _warn_of_unreachable_goals(cells, target, terminal, start)
    del target, pay
    return MDP(
        rows,
        transition_reward=reward,
        discount=rules.discount,
        initial_distribution=start / start.sum(),
        terminal=terminal,
        action_names=ACTION_NAMES if rules.moves == 8 else ACTION_NAMES[::2],
        grid=Grid(
            tuple(board.view(f"U{board.shape[1]}").ravel().tolist()), cells.place, displacements
        ),
    )


def _text(map: Any) -> str:
    if isinstance(map, str):
        return map
    if isinstance(map, os.PathLike):
        return read_map(map)
    raise ConfigError(
        f"map is a {type(map).__name__}; give a map's name, its text, or the pathlib.Path of a file"
    )


def _cells(board: ndarray) -> Cells:
    """The states of a map, numbered row by row."""
    standing = (board != "#") & (board != "!")
    number = np.full(np.add(board.shape, 2), WALL, dtype=np.int32)
    inside = number[1:-1, 1:-1]
    inside[board == "!"] = CLIFF
    inside[standing] = np.arange(standing.sum())
    return Cells(board[standing], np.argwhere(standing), number)


def _outcomes(
    cells: Cells, rules: Rules, displacements: Int[ndarray, "D 2"]
) -> tuple[Int[ndarray, "D S"], Float[ndarray, "D S"]]:
    """Where a move in each direction ends (a state or RESTART) and what it pays on top of the
    step reward, for every state; those of terminal states mean nothing."""
    width = cells.number.shape[1]
    number = cells.number.ravel()
    here = (cells.place[:, 0] + 1) * width + cells.place[:, 1] + 1
    wind = rules.wind[cells.place[:, 1]]
    kinds, kind = np.unique(cells.kind, return_inverse=True)
    arrival = {c: reward for c, reward in rules.rewards.items() if c not in PORTALS}
    worth = np.array([arrival.get(character, 0.0) for character in kinds.tolist()])[kind]
    fall = rules.rewards.get("!", rules.step_reward) - rules.step_reward
    worth = np.append(worth, [fall, 0.0])  # at CLIFF and WALL
    target = np.empty((len(displacements), len(here)), dtype=np.int32)
    pay = np.empty(target.shape)
    for direction, (down, right) in enumerate(displacements):
        there = here + down * width + right
        bump = number[there] == WALL
        there = np.where(bump, here, there)
        for lifted in range(rules.wind.max()):
            there = np.where(
                (wind > lifted) & (number[there - width] != WALL), there - width, there
            )
        end = number[there]
        pay[direction] = np.where(there == here, 0.0, worth[end]) + rules.bump_reward * bump
        target[direction] = np.where(end == CLIFF, RESTART, end)

    for portal in PORTALS & set(kinds.tolist()):
        entrances, exit_ = cells.kind == portal, np.flatnonzero(cells.kind == portal.lower())[0]
        own = rules.rewards.get(portal, rules.step_reward) - rules.step_reward
        target[:, entrances], pay[:, entrances] = exit_, own + worth[exit_]
    goals = np.flatnonzero(cells.kind == "G")
    if rules.goals == "absorbing":
        target[:, goals], pay[:, goals] = goals, -rules.step_reward
    elif rules.goals == "restart":
        target[:, goals], pay[:, goals] = RESTART, 0.0
    return target, pay


def _matrices(
    target: Int[ndarray, "D S"],
    pay: Float[ndarray, "D S"],
    rules: Rules,
    terminal: Bool[ndarray, " S"],
    starts: Int[ndarray, " N"],
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Transition probabilities and rewards, CSR (S*A, S) of one pattern, duplicates merged."""
    moves, n_states = target.shape
    turns = np.array([(0, 1.0 - rules.slip), (-1, rules.slip / 2), (1, rules.slip / 2)])
    turns = turns[turns[:, 1] > 0.0]
    directions = (np.arange(moves)[:, None] + turns[:, 0].astype(int)) % moves
    states = np.flatnonzero(~terminal)
    successor = target[directions, states[:, None, None]].ravel()  # state, action, turn
    probability = np.tile(turns[:, 1], len(states) * moves)
    weighted = pay[directions, states[:, None, None]].ravel() * probability
    lengths = np.repeat(np.where(terminal, 0, len(turns)), moves)

    restarts = successor == RESTART
    if restarts.any():  # one entry for each start
        require_memory(
            BYTES_PER_ENTRY * int(restarts.sum()) * len(starts),
            f"{restarts.sum()} transitions to any of {len(starts)} starts",
            "name a start (S)",
        )
        copies = np.where(restarts, len(starts), 1)
        lengths[lengths > 0] = copies.reshape(-1, len(turns)).sum(axis=1)
        successor = np.repeat(successor, copies)
        successor[successor == RESTART] = np.tile(starts, restarts.sum())
        probability = np.repeat(probability / copies, copies)
        weighted = np.repeat(weighted / copies, copies)

    ends = np.concatenate([[0], np.cumsum(lengths)])
    if ends[-1] <= np.iinfo(np.int32).max:  # one 64-bit array would make all indices 64-bit
        ends = ends.astype(np.int32)
    shape = (n_states * moves, n_states)
    mean = sparse.csr_array((weighted, successor.copy(), ends.copy()), shape)
    rows = sparse.csr_array((probability, successor, ends), shape)  # sorted in place below
    rows.sum_duplicates()
    mean.sum_duplicates()
    mean.data /= rows.data
    mean.data += rules.step_reward
    return rows, mean


def _warn_of_unreachable_goals(
    cells: Cells,
    target: Int[ndarray, "D S"],
    terminal: Bool[ndarray, " S"],
    start: Bool[ndarray, " S"],
) -> None:
    """MaxEntWarning for goals that no start leads to (without S: no other non-terminal cell)."""
    goals = cells.kind == "G"
    if not goals.any():
        return
    n_states = len(goals)
    passing = np.flatnonzero(~(terminal | goals))
    sources = np.flatnonzero(start & ~goals)
    to = np.concatenate([target[:, passing].ravel(), sources])
    at = np.concatenate([np.tile(passing, len(target)), np.full(len(sources), n_states)])
    at, to = at[to != RESTART], to[to != RESTART]  # a restart leads to no new cell
    steps = sparse.csr_array((np.ones(len(at)), (at, to)), shape=(n_states + 1, n_states + 1))
    reached = csgraph.breadth_first_order(steps, n_states, return_predecessors=False)
    goals[reached[reached < n_states]] = False
    if goals.any():
        places = [f"line {row + 1}, column {column + 1}" for row, column in cells.place[goals][:5]]
        more = "; ..." if goals.sum() > 5 else ""
        warnings.warn(
            f"no start leads to {goals.sum()} of the goals: {'; '.join(places)}{more}",
            MaxEntWarning,
            stacklevel=3,
        )
