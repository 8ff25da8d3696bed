"""The front door of the gridworlds: from a map and its settings to an MDP."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
from numpy import ndarray
from scipy import sparse
from scipy.sparse import csgraph

from maxent.errors import ConfigError, MapError, MaxEntWarning
from maxent.gridworlds.dynamics import Cells, cells_of, directions_of
from maxent.gridworlds.legends import named_legend, require_portals, translate
from maxent.gridworlds.maps import MAPS, NamedMap, is_name, named_map, require_no_name
from maxent.gridworlds.settings import (
    GridworldSettings,
    merge_settings,
    require_entered,
    require_settings,
)
from maxent.gridworlds.text import drawn_cells, read_map
from maxent.mdp import MDP
from maxent.mdp.directions import BYTES_PER_ENTRY, RESTART, Directions
from maxent.mdp.grid import Grid
from maxent.mdp.matrix_free import MatrixFreeMDP
from maxent.support.arguments import quoted
from maxent.support.memory import require_memory
from maxent.support.other_words import takes_our_words
from maxent.support.shapes import Bool

ACTION_NAMES = ("up", "up-right", "right", "down-right", "down", "down-left", "left", "up-left")
MATRIX_FREE_FROM = 500_000
"""Cells above which transitions are not stored."""
BYTES_PER_STATE = 250
"""Peak of building a matrix-free MDP."""
DISPLACEMENTS = np.array([(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)])


@takes_our_words
def gridworld(
    map: Any,
    *,
    legend: Any = None,
    discount: Any = None,
    slip: Any = None,
    moves: Any = None,
    wind: Any = None,
    step_reward: Any = None,
    rewards: Any = None,
    bump_reward: Any = None,
    goals: Any = None,
    matrix_free: bool | None = None,
) -> MDP:
    """The MDP of a map: a finite MDP whose states are the cells that can be stood on.

    What the characters of a map mean, and what happens in a step, is in `help(maxent.gridworlds)`;
    in short: `#` wall, `.` floor, `S` start, `G` goal, `X` pit, `!` cliff, a capital letter a
    portal to the cell with the same letter in lower case, anything else floor whose reward is
    named in `rewards`.

    A setting that is left out takes the named map's own value (`maxent.MAPS[name].settings`), or
    else the default given here.

    Parameters
    ----------
    map : a name from `maxent.MAPS`; a generated one (`maze-21x31`, `maze-21x31-seed7`,
        `open-50x50`, in any size); the text of a map; its rows as texts, lists of cells or an
        array; or a `pathlib.Path` of a map file.
    legend : what characters mean that are not ours, {"F": ".", "H": "X", "%": "#"}; or a name from
        `maxent.LEGENDS`: "gymnasium", "pacman", "d4rl", "sokoban", "maze01" or "lines".
    discount : gamma in [0, 1]; a text or a file has none of its own, so it must be given.
    slip : total probability, in [0, 1], of the two directions beside the one meant, half each:
        perpendicular with 4 moves, 45 degrees off with 8; default 0.
    moves : 4 (up, right, down, left; default) or 8 (up, up-right, right, ... clockwise).
    wind : cells upwards per step, a whole number >= 0 for each column, or one for all; default 0.
    step_reward : paid for each step; default -0.04.
    rewards : {character: reward}, merged over {"G": 1.0, "X": -1.0} and the named map's own.  A
        cell's reward is added to the step reward on arrival; that of a portal or a cliff is paid
        instead of the step reward.  With a legend: of a character as the map has it, or of what
        it means.
    bump_reward : added when a move meets a wall or an edge and the agent stays; default 0.
    goals : "terminal" (default): the episode ends; "absorbing": a goal is stayed in for ever, at
        reward 0, and goes on earning entropy; or "restart": any action in a goal pays the step
        reward and leads to a start.
    matrix_free : True stores no transitions: sweeps compute where each move leads.  It takes a
        tenth of the memory, up to ten million cells and more; `transition` and what needs it
        (files, simulation, occupancies) are made on demand, or refused where they would not fit.
        None (default): from half a million cells on.

    Returns
    -------
    MDP
        With a sparse transition (S*A, S), the sampled `transition_reward`, `action_names`, and a
        `grid` (`maxent.Grid`: the cell of each state).  States are numbered row by row, walls and
        cliffs left out.  It starts in the `S` cells, or, without any, in every nonterminal cell
        with the same probability.

    Raises
    ------
    MapError
        The map cannot be read: line and column of an unknown character (with the legend that
        knows it), rows of different lengths, a portal without exactly one exit, an unknown
        name with the nearest one.
    ConfigError
        A setting is outside its range, or no discount is given.
    MemoryBudgetError
        The MDP would need more than half of the memory available; nothing has been allocated.

    A `MaxEntWarning` names the goals that no start leads to; the MDP is built all the same.

    Examples
    --------
    >>> import maxent
    >>> maxent.gridworld("four-rooms", slip=0.1)  # a named map, one setting changed
    MDP(104 states, 4 actions, discount 0.95, sparse, 1 terminal)
    >>> mdp = maxent.gridworld("S.$\\n.#G", discount=0.9, rewards={"$": 0.5})
    >>> mdp.action_names
    ('up', 'right', 'down', 'left')
    >>> mdp.grid.state_at(0, 2)  # row, column, both from 0
    2
    >>> mdp.reward[1, 1].round(2)  # right, to "$": -0.04 + 0.5
    np.float64(0.46)
    >>> lake = ["SFFF", "FHFH", "FFFH", "HFFG"]
    >>> maxent.gridworld(lake, legend="gymnasium", discount=0.9).grid.text
    ('S...', '.X.X', '...X', 'X..G')
    """
    if not (matrix_free is None or isinstance(matrix_free, bool)):
        raise ConfigError(f"matrix_free = {quoted(matrix_free)} must be True, False or None")
    named = _named(map, legend)
    drawn = _drawn(named.text if named else map, legend)
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
    rewards, named_rewards, merged = merge_settings(given, named.settings if named else {})
    board = translate(drawn, legend, rewards)
    board = drawn if (drawn == board).all() else board
    of_drawn = {character: rewards[character] for character in named_rewards}
    settings = require_settings(merged, rewards, drawn, board)
    require_entered(of_drawn, drawn, board)
    require_portals(board, drawn)
    cells = cells_of(board, rewards, drawn, of_drawn)
    is_goal = cells.kind == "G"
    terminal = cells.kind == "X"
    if settings.goals == "terminal":
        terminal |= is_goal
    if (terminal | is_goal).all():
        raise MapError(
            f"the map has no floor cell: of its {board.size} cells {len(terminal)} are goals or "
            f"pits, {(board == '#').sum()} walls, {(board == '!').sum()} cliffs"
        )
    without = len(terminal) > MATRIX_FREE_FROM if matrix_free is None else matrix_free
    outcomes = settings.moves * (1 if settings.slip == 0.0 else 3)
    require_memory(
        len(terminal) * (BYTES_PER_STATE if without else BYTES_PER_ENTRY * outcomes),
        f"a gridworld of {board.shape[0]}x{board.shape[1]} with {settings.moves} moves",
        "make it smaller" if without else "make it smaller, or give matrix_free=True",
    )
    displacements = DISPLACEMENTS if settings.moves == 8 else DISPLACEMENTS[::2]
    start = cells.kind == "S" if (cells.kind == "S").any() else ~terminal
    with np.errstate(over="ignore", invalid="ignore"):  # MDP refuses rewards that overflow
        directions = directions_of(cells, settings, displacements, terminal, np.flatnonzero(start))
    _warn_of_unreachable_goals(cells, directions, start)
    common: dict[str, Any] = {
        "discount": settings.discount,
        "initial_distribution": start / start.sum(),
        "action_names": ACTION_NAMES if settings.moves == 8 else ACTION_NAMES[::2],
        "grid": Grid(
            tuple(board.view(f"U{board.shape[1]}").ravel().tolist()),
            cells.place,
            displacements,
            _title(map if named else "", settings.slip),
            _rules(settings, cells),
        ),
    }
    if without:
        return MatrixFreeMDP(directions, **common)
    with np.errstate(over="ignore", invalid="ignore"):
        rows, reward = directions.matrices()
    del directions
    return MDP(rows, transition_reward=reward, terminal=terminal, **common)


def _rules(settings: GridworldSettings, cells: Cells) -> dict[str, Any]:
    """All that the steps are made of besides the map; `cell_reward` (rows, columns): what is named
    for each cell, nan where nothing is."""
    return {
        "slip": settings.slip,
        "moves": settings.moves,
        "wind": settings.wind.tolist(),
        "step_reward": settings.step_reward,
        "bump_reward": settings.bump_reward,
        "goals": settings.goals,
        "cell_reward": cells.reward[1:-1, 1:-1],
    }


def _named(map: Any, legend: Any) -> NamedMap | None:
    """The map of that name; None for a map itself."""
    if not (isinstance(map, str) and is_name(map)):
        if isinstance(map, str) and "\n" not in map:
            require_no_name(map)
        return None
    if legend is None:
        return named_map(map)
    if map in MAPS:
        raise ConfigError(
            f"legend = {quoted(legend)}: the named map {map!r} needs none; leave it out"
        )
    return None


def _title(name: str, slip: float) -> str:
    """What figures call the world: its name, where it has one, and its slip."""
    return f"{name}, slip {slip:.3g}" if name else f"slip {slip:.3g}" if slip else ""


def _drawn(map: Any, legend: Any) -> ndarray:
    """The characters of a map that is given as text, rows or a file."""
    named = named_legend(legend)
    if isinstance(map, os.PathLike):
        map = read_map(map)
    elif not (isinstance(map, str | list | tuple) or np.ndim(map) > 0):
        raise ConfigError(
            f"map is a {type(map).__name__}; give a map's name, its text, its rows as a list or "
            "an array, or the pathlib.Path of a file"
        )
    return drawn_cells(map, named.rows, named.skipped, named.ragged) if named else drawn_cells(map)


def _warn_of_unreachable_goals(
    cells: Cells, directions: Directions, start: Bool[ndarray, " S"]
) -> None:
    """MaxEntWarning for goals that no start leads to (without S: no other non-terminal cell)."""
    goals = cells.kind == "G"
    if not goals.any():
        return
    n_actions, n_states = directions.target.shape
    leads = np.array(directions.target.T, order="C")
    staying = directions.terminal | goals
    leads[staying] = np.flatnonzero(staying)[:, None]
    own = np.arange(n_states, dtype=leads.dtype)[:, None]
    leads = np.where(leads == RESTART, own, leads)  # a restart leads to no new cell
    sources = np.flatnonzero(start & ~goals).astype(leads.dtype)
    to = np.concatenate([leads.ravel(), sources])
    ends = np.append(np.arange(n_states + 1) * n_actions, len(to)).astype(np.int32)
    steps = sparse.csr_array((np.ones(len(to)), to, ends), shape=(n_states + 1, n_states + 1))
    reached = csgraph.breadth_first_order(steps, n_states, return_predecessors=False)
    goals[reached[reached < n_states]] = False
    if goals.any():
        places = [f"line {row + 1}, column {column + 1}" for row, column in cells.place[goals][:5]]
        more = "; ..." if goals.sum() > 5 else ""
        warnings.warn(
            f"no start leads to {goals.sum()} of the goals: {'; '.join(places)}{more}",
            MaxEntWarning,
            stacklevel=4,
        )
