"""One step from every cell: where each move leads and what it pays, as matrices.

The steps are those that `maxent.gridworlds` describes, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy import sparse

from maxent.gridworlds.settings import GridworldSettings
from maxent.gridworlds.text import PORTALS
from maxent.support.memory import require_memory

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
    WALL or CLIFF; `reward`, of the same shape, what is named for each cell, nan where nothing is.
    """

    kind: ndarray
    place: ndarray
    number: ndarray
    reward: ndarray


def cells_of(
    board: ndarray,
    rewards: Mapping[str, float],
    drawn: ndarray,
    of_drawn: Mapping[str, float],
) -> Cells:
    """The states of a map, numbered row by row.

    A cell's reward is that `of_drawn`, of the character that is `drawn` there, or else that of its
    meaning on the `board`.
    """
    standing = (board != "#") & (board != "!")
    number = np.full(np.add(board.shape, 2), WALL, dtype=np.int32)
    inside = number[1:-1, 1:-1]
    inside[board == "!"] = CLIFF
    inside[standing] = np.arange(standing.sum())
    reward = np.full(number.shape, np.nan)
    layers = [(board, rewards)] if drawn is board else [(board, rewards), (drawn, of_drawn)]
    for characters, named in layers:
        found, index = np.unique(characters, return_inverse=True)
        own = np.array([named.get(character, np.nan) for character in found.tolist()])
        layer = own[index].reshape(board.shape)
        reward[1:-1, 1:-1] = np.where(np.isnan(layer), reward[1:-1, 1:-1], layer)
    return Cells(board[standing], np.argwhere(standing), number, reward)


def outcomes(
    cells: Cells, settings: GridworldSettings, displacements: Int[ndarray, "D 2"]
) -> tuple[Int[ndarray, "D S"], Float[ndarray, "D S"]]:
    """Where a move in each direction ends (a state or RESTART) and what it pays on top of the
    step reward, for every state; those of terminal states mean nothing."""
    width = cells.number.shape[1]
    number = cells.number.ravel()
    here = (cells.place[:, 0] + 1) * width + cells.place[:, 1] + 1
    wind = settings.wind[cells.place[:, 1]]
    named = cells.reward.ravel()
    instead = np.where(np.isnan(named), 0.0, named - settings.step_reward)  # of the step reward
    portal = np.isin(cells.kind, list(PORTALS))
    worth = np.where(cells.number.ravel() == CLIFF, instead, np.nan_to_num(named))
    worth[here[portal]] = 0.0  # on arrival
    target = np.empty((len(displacements), len(here)), dtype=np.int32)
    pay = np.empty(target.shape)
    for direction, (down, right) in enumerate(displacements):
        there = here + down * width + right
        bump = number[there] == WALL
        there = np.where(bump, here, there)
        for lifted in range(settings.wind.max()):
            there = np.where(
                (wind > lifted) & (number[there - width] != WALL), there - width, there
            )
        end = number[there]
        pay[direction] = np.where(there == here, 0.0, worth[there]) + settings.bump_reward * bump
        target[direction] = np.where(end == CLIFF, RESTART, end)

    for letter in set(cells.kind[portal].tolist()):
        entrances = np.flatnonzero(cells.kind == letter)
        exit_ = np.flatnonzero(cells.kind == letter.lower())[0]
        target[:, entrances] = exit_
        pay[:, entrances] = instead[here[entrances]] + worth[here[exit_]]
    goals = np.flatnonzero(cells.kind == "G")
    if settings.goals == "absorbing":
        target[:, goals], pay[:, goals] = goals, -settings.step_reward
    elif settings.goals == "restart":
        target[:, goals], pay[:, goals] = RESTART, 0.0
    return target, pay


def matrices(
    target: Int[ndarray, "D S"],
    pay: Float[ndarray, "D S"],
    settings: GridworldSettings,
    terminal: Bool[ndarray, " S"],
    starts: Int[ndarray, " N"],
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Transition probabilities and rewards, CSR (S*A, S) of one pattern, duplicates merged."""
    moves, n_states = target.shape
    turns = np.array([(0, 1.0 - settings.slip), (-1, settings.slip / 2), (1, settings.slip / 2)])
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
        entries = np.where(restarts, len(starts), 1)
        lengths[lengths > 0] = entries.reshape(-1, len(turns)).sum(axis=1)
        successor = np.repeat(successor, entries)
        successor[successor == RESTART] = np.tile(starts, restarts.sum())
        probability = np.repeat(probability / entries, entries)
        weighted = np.repeat(weighted / entries, entries)

    ends = np.concatenate([[0], np.cumsum(lengths)])
    if ends[-1] <= np.iinfo(np.int32).max:  # one 64-bit array would make all indices 64-bit
        ends = ends.astype(np.int32)
    shape = (n_states * moves, n_states)
    mean = sparse.csr_array((weighted, successor.copy(), ends.copy()), shape)
    rows = sparse.csr_array((probability, successor, ends), shape)  # sorted in place below
    rows.sum_duplicates()
    mean.sum_duplicates()
    mean.data /= rows.data
    mean.data += settings.step_reward
    return rows, mean
