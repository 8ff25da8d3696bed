"""Sweeps in PyTorch on a GPU (or the processor): nanoseconds a state, and certified solves.

    python benchmarks/exact_speed/gpu.py --device cuda --sizes 1e6 1e7 1e8 1e9 --out gpu.json
    python benchmarks/exact_speed/gpu.py --device cpu --sizes 1e4 1e5

Three forms of one sweep, temperature 0 and 0.1, float64, on an open map with slip 0.2 and a
terminal goal in the corner:

- stencil: no transitions, any size that V fits (16 bytes a cell);
- direction table: of each direction, where each cell leads (25 bytes a direction and cell), as
  for a map of walls throughout; up to 1e8 cells;
- stored: the sparse transition (12 bytes an entry, 12 entries a cell); up to 1e7 cells.

Then the stencil is solved at gamma 0.99 to a certified error of 1e-6, as long as `--minutes` are
left.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import maxent
from maxent.tabular.bounds import UNIT, FixedPointBounds
from maxent.tabular.solvers.engines import tensors
from maxent.tabular.solvers.engines.tensors import Patches, Plan, TensorKernel

STEP, GOAL, SLIP, DISCOUNT = -0.04, 1.0, 0.2, 0.99
TURNS = ((0, 1.0 - SLIP), (-1, SLIP / 2), (1, SLIP / 2))


def open_plan(side: int, device: torch.device, table: bool) -> Plan:
    """The plan of an open map of side x side cells, goal last, made on the device.

    table : look every cell's successor up, as where most cells have another step.
    """
    cells = side * side
    every = torch.arange(cells, device=device) if table else None
    edges = {
        -side: torch.arange(side, device=device),
        1: torch.arange(side - 1, cells, side, device=device),
        side: torch.arange(cells - side, cells, device=device),
        -1: torch.arange(0, cells, side, device=device),
    }
    directions = []
    for step, edge in edges.items():
        before = cells - 1 - step  # leads to the goal
        entering = torch.tensor([before] if 0 <= before < cells - 1 else [], device=device)
        states = edge if every is None else every
        states = torch.unique(torch.cat([states, entering.to(states.dtype)]))
        targets = states + step
        bumps = torch.isin(states, edge, assume_unique=True)
        targets = torch.where(bumps, states, targets)
        pays = torch.where((targets == cells - 1) & ~bumps, GOAL, 0.0).double()
        restarts = torch.zeros(len(states), dtype=torch.bool, device=device)
        directions.append(Patches(step, states, targets, restarts, pays))
    terminal = torch.tensor([cells - 1], device=device)
    return Plan(tuple(directions), TURNS, STEP, DISCOUNT, None, terminal)


def open_bounds(temperature: float) -> FixedPointBounds:
    """Of the open map: a move may end, so nothing narrows the interval but the sweeps."""
    spread = 2 * 4 + 5 + 4 * math.log(4)
    beta = DISCOUNT * (1.0 + 8 * UNIT)
    return FixedPointBounds(
        0.0,
        beta / (1.0 - beta) * (1.0 + 8 * UNIT),
        relative=UNIT * (len(TURNS) + 30),
        absolute=UNIT * temperature * spread + 1e-300,
        scale=abs(STEP) + GOAL,
    )


def synchronised(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def nanoseconds(sweep: Any, v: torch.Tensor, repeats: int = 5) -> float:
    """Of one sweep, for each state: the median of `repeats` after one that warms up."""
    sweep(v)
    taken = []
    for _ in range(repeats):
        began = synchronised(v.device)
        sweep(v)
        taken.append(synchronised(v.device) - began)
    return float(np.median(taken)) / len(v) * 1e9


def solved(plan: Plan, cells: int, temperature: float, device: torch.device, until: float) -> Any:
    """Sweeps, seconds and the certified error; as far as it came by the time `until`."""
    bounds, v = open_bounds(temperature), torch.zeros(cells, dtype=torch.float64, device=device)
    began, sweeps, error = synchronised(device), 0, math.inf
    while error > 1e-6 and time.perf_counter() < until:
        for _ in range(19):
            v = tensors.swept(plan, v, temperature)
        tv = tensors.swept(plan, v, temperature)
        b = (tv - v)[:-1]
        norm = max(float(tv.abs().max()), float(v.abs().max()))
        below, above = bounds.interval(float(b.min()), float(b.max()), norm)
        error, sweeps, v = 0.5 * (above - below), sweeps + 20, tv
    return {"sweeps": sweeps, "seconds": synchronised(device) - began, "error_bound": error}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sizes", type=float, nargs="+", default=[1e6, 1e7, 1e8, 1e9])
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    device = tensors.require_device(options.device)
    until = time.perf_counter() + 60 * options.minutes
    name = platform.processor() or platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    rows: list[dict[str, Any]] = []
    for size in options.sizes:
        side = math.isqrt(int(size))
        cells = side * side
        v = torch.randn(cells, dtype=torch.float64, device=device)
        v[-1] = 0.0
        for temperature in (0.0, 0.1):
            row: dict[str, Any] = {"cells": cells, "temperature": temperature}
            plan = open_plan(side, device, table=False)
            row["stencil"] = nanoseconds(lambda v: tensors.swept(plan, v, temperature), v)  # noqa: B023
            if cells <= 1e8:
                full = open_plan(side, device, table=True)
                row["direction table"] = nanoseconds(
                    lambda v: tensors.swept(full, v, temperature),  # noqa: B023
                    v,
                )
                del full
            if cells <= 1e7:
                mdp = maxent.gridworld(
                    f"open-{side}x{side}", slip=SLIP, discount=DISCOUNT, matrix_free=False
                )
                kernel = TensorKernel(mdp, temperature, None, device)
                row["stored"] = nanoseconds(kernel.swept, v)
                del mdp, kernel
            row["solve"] = solved(plan, cells, temperature, device, until)
            rows.append(row)
            print(json.dumps(row), flush=True)
            if time.perf_counter() > until:
                break
    record = {"device": name, "torch": torch.__version__, "rows": rows}
    if options.out:
        options.out.write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps({key: record[key] for key in ("device", "torch")}))


if __name__ == "__main__":
    main()
