"""One step from every cell: where each move leads and what it pays.

The steps are those that `maxent.gridworlds` describes, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy import ndarray

from maxent.gridworlds.settings import GridworldSettings
from maxent.gridworlds.text import PORTALS
from maxent.mdp.directions import RESTART, Directions
from maxent.support.shapes import Bool, Int

WALL, CLIFF = -1, -2
"""Cells that are no state, where a cell's state number is looked up."""


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
    board: ndarray, rewards: Mapping[str, float], drawn: ndarray, of_drawn: Mapping[str, float]
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


def directions_of(
    cells: Cells,
    settings: GridworldSettings,
    displacements: Int[ndarray, "D 2"],
    terminal: Bool[ndarray, " S"],
    starts: Int[ndarray, " N"],
) -> Directions:
    """One step from every cell: where a move in each direction ends and what it pays."""
    width = cells.number.shape[1]
    number = cells.number.ravel()
    here = (cells.place[:, 0] + 1) * width + cells.place[:, 1] + 1
    wind = settings.wind[cells.place[:, 1]]
    named = cells.reward.ravel()
    instead = np.where(np.isnan(named), 0.0, named - settings.step_reward)  # of the step reward
    portal = np.isin(cells.kind, list(PORTALS))
    worth = np.where(number == CLIFF, instead, np.nan_to_num(named))
    worth[here[portal]] = 0.0  # on arrival
    goals = np.flatnonzero(cells.kind == "G")
    target = np.empty((len(displacements), len(here)), dtype=np.int32)
    paid = []
    for direction, (down, right) in enumerate(displacements):
        there = here + down * width + right
        bump = number[there] == WALL
        there = np.where(bump, here, there)
        for lifted in range(settings.wind.max()):
            there = np.where(
                (wind > lifted) & (number[there - width] != WALL), there - width, there
            )
        end = target[direction]
        end[:] = number[there]
        end[end == CLIFF] = RESTART
        pay = np.where(there == here, 0.0, worth[there]) + settings.bump_reward * bump
        for letter in set(cells.kind[portal].tolist()):
            entrances = np.flatnonzero(cells.kind == letter)
            exit_ = np.flatnonzero(cells.kind == letter.lower())[0]
            end[entrances] = exit_
            pay[entrances] = instead[here[entrances]] + worth[here[exit_]]
        if settings.goals == "absorbing":
            end[goals], pay[goals] = goals, -settings.step_reward
        elif settings.goals == "restart":
            end[goals], pay[goals] = RESTART, 0.0
        pay[terminal] = 0.0
        states = np.flatnonzero(pay)
        paid.append((states, pay[states]))
    turns = ((0, 1.0 - settings.slip), (-1, settings.slip / 2), (1, settings.slip / 2))
    return Directions(
        target,
        tuple(paid),
        tuple((turn, probability) for turn, probability in turns if probability > 0.0),
        settings.step_reward,
        starts,
        terminal,
    )
