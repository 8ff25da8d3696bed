"""The maps and names of Gymnasium's toy-text environments, which frames and figures show."""

from __future__ import annotations

from typing import Any

import numpy as np

from maxent.mdp.grid import Grid


def layout(env: Any, n_states: int, added: int) -> dict[str, Any]:
    """The grid and the names of an environment of Gymnasium's, as arguments of `MDP`.

    env : unwrapped.  n_states : of its table; `added` states without a cell follow them.
    CliffWalking's cliff cells are no states one can be in, so they have no cell.  Empty for an
    environment that is not FrozenLake, CliffWalking or Taxi.
    """
    from gymnasium.envs.toy_text.cliffwalking import CliffWalkingEnv
    from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv
    from gymnasium.envs.toy_text.taxi import TaxiEnv

    order: tuple[str, ...]
    if isinstance(env, TaxiEnv):
        names = [_taxi_name(*env.decode(state)) for state in range(n_states)]
        order = ("south", "north", "east", "west", "pick up", "drop off")
        return {"state_names": names + ["delivered"] * added, "action_names": order}
    if isinstance(env, FrozenLakeEnv):
        ours = {b"S": "S", b"G": "G", b"H": "X"}
        lines = ["".join(ours.get(c, ".") for c in line) for line in np.asarray(env.desc).tolist()]
        order = ("left", "down", "right", "up")
    elif isinstance(env, CliffWalkingEnv):
        lines = ["." * 12] * 3 + ["S" + "!" * 10 + "G"]
        order = ("up", "right", "down", "left")
    else:
        return {}
    cells = [divmod(state, len(lines[0])) for state in range(n_states)]
    cells = [(-1, -1) if lines[r][c] == "!" else (r, c) for r, c in cells] + [(-1, -1)] * added
    directions = {"left": (0, -1), "down": (1, 0), "right": (0, 1), "up": (-1, 0)}
    moves = np.array([directions[name] for name in order])
    grid = Grid(tuple(lines), np.array(cells), moves, _title(env))
    return {"grid": grid, "action_names": order}


def _title(env: Any) -> str:
    """The id, and the total probability of the two moves beside the one meant."""
    name = type(env).__name__.removesuffix("Env") if env.spec is None else env.spec.id
    row = env.P[0][0]  # the moves beside the one meant stand before and after it
    return f"{name}, slip {1.0 - row[len(row) // 2][0]:.3g}"


def _taxi_name(row: int, column: int, passenger: int, destination: int) -> str:
    where = ("R", "G", "Y", "B", "taxi")[passenger]
    return f"taxi ({row}, {column}), passenger {where}, to {'RGYB'[destination]}"
