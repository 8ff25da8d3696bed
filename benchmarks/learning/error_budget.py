"""What each approximation in soft Q-learning costs, on a task with a known solution.

    python benchmarks/learning/error_budget.py                     # what is missing, then the table
    python benchmarks/learning/error_budget.py --seeds 1 2
    python benchmarks/learning/error_budget.py --figure docs/images/error-budget.png
    python benchmarks/learning/error_budget.py --table             # only the table, from results/

The rungs are functions of `rungs.py`, the task is `maxent.continuous.corridor`.  A
finished seed is a small JSON file in `results/`, and is not run again; one takes about two and a
half minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import rungs
import torch

import maxent
from maxent import plots
from maxent.continuous.corridor import (
    DISCOUNT,
    TEMPERATURE,
    Corridor,
    Reading,
    corridor,
    resolution_study,
)
from maxent.continuous.environments import CorridorEnv
from maxent.neural.algorithms.sql import Config
from maxent.neural.parts.networks import Parameters
from maxent.plots.curves.error_budget import error_budget

RESULTS = Path(__file__).parent / "results"
SEEDS = (1, 2, 3)
STEPS = 4_000  # gradient steps of every network
ESTIMATES, NETWORK_ESTIMATES = 1_000, 300
FIT_CELLS = 45  # full batches: 855 transitions; its own error is in the second row
LIMIT = 50  # steps before an episode in the corridor is cut
SETTINGS: dict[str, Any] = {
    "policy": "sampler",
    "temperature": TEMPERATURE,
    "discount": DISCOUNT,
    "hidden": (64, 64),
    "batch_size": 64,
    "critics": 1,
    "critic_rate": 1e-3,
    "sampler_rate": 1e-3,
    "target_rate": 0.01,
    "learning_starts": 500,
}
COLUMNS = ("value_rms", "value_mean", "value_max", "loss", "kl")


def grid_rows() -> dict[str, Reading]:
    """Rung 0: the grid against the finest one; |J - J_finest| stands in the place of the loss."""
    return {
        f"0 grid of {cells} states": Reading(rms, math.nan, largest, abs(objective), math.nan)
        for cells, rms, largest, objective in resolution_study((FIT_CELLS, 135))
    }


def sampled_rows(exact: Corridor, sampler: Parameters, seed: int) -> dict[str, Reading]:
    """Rung 1: the fixed point with N sampled actions, and the Boltzmann policy of its Q."""

    def read(weights: np.ndarray, unbiased: bool = True) -> Reading:
        v = rungs.sampled_fixed_point(exact, weights, unbiased=unbiased)
        return exact.read(v, exact.boltzmann_policy(exact.backup(v)))

    def drawn(draw: rungs.Draw, count: int) -> np.ndarray:
        return rungs.proposal_weights(exact, draw, count, NETWORK_ESTIMATES, seed)

    uniform = {n: rungs.uniform_weights(exact, n, ESTIMATES, seed) for n in (4, 16, 64)}
    rows = {f"1 uniform actions, N = {n}": read(weights) for n, weights in uniform.items()}
    rows["1 N = 64, log 2 forgotten"] = read(0.5 * uniform[64], unbiased=False)
    for n in (4, 16, 64):
        rows[f"1 mixture, N = {n}"] = read(drawn(rungs.uniform_and_network(sampler), n))
    for n in (4, 16, 64):
        weights = drawn(rungs.network_alone(sampler), n)
        rows[f"1 sampling network's density, N = {n}"] = read(weights, unbiased=False)
    return rows


def fitted_rows(exact: Corridor, seed: int) -> dict[str, Reading]:
    """Rungs 3 and 4: a network for Q, and a target that lags."""
    kinds: dict[str, dict[str, Any]] = {
        "3 network told Q*": {"targets": "exact"},
        "3 network, target never lags": {},
        "4 target averaged, 0.01 a step": {"target_rate": 0.01},
        "4 target copied every 400 steps": {"target_interval": 400},
        "4 target copied every 1000 steps": {"target_interval": 1000},
    }
    coarse, rows = corridor(FIT_CELLS), {}
    for name, kind in kinds.items():
        critic = rungs.fitted(coarse, seed=seed, steps=STEPS, **kind)
        q = rungs.network_q(exact, critic)
        rows[name] = exact.read(exact.soft_value(q), exact.boltzmann_policy(q))
    return rows


def agent_rows(exact: Corridor, seed: int) -> dict[str, Reading]:
    """Rung 5: soft Q-learning as it is, from all transitions and from its own."""
    one, two = Config(**SETTINGS), Config(**SETTINGS | {"critics": 2})
    agents = {
        "5 all": rungs.all_together(exact, one, seed=seed, steps=STEPS),
        "5 all, smaller of two Q's": rungs.all_together(exact, two, seed=seed, steps=STEPS),
        "5 all, own experience": maxent.train(
            "sql",
            lambda: gymnasium.wrappers.TimeLimit(CorridorEnv(), LIMIT),
            steps=STEPS + SETTINGS["learning_starts"],
            seed=seed,
            **SETTINGS,
        ),
    }
    rows = {}
    for name, agent in agents.items():
        rows[name], rows[f"{name}; Boltzmann of its Q"] = rungs.read_agent(exact, agent)
    return rows


def run(seed: int) -> dict[str, dict[str, float | None]]:
    """All rungs of one seed, in order."""
    exact = corridor()
    rows = grid_rows()
    sampler = rungs.stein_sampler(exact, seed=seed, steps=STEPS)
    rows |= sampled_rows(exact, sampler, seed)
    policy = rungs.sampler_policy(exact, sampler)
    rows["2 Stein sampler on the exact Q"] = exact.read(rungs.sampler_value(exact, sampler), policy)
    rows |= fitted_rows(exact, seed)
    rows |= agent_rows(exact, seed)
    return {
        name: {key: None if math.isnan(x) else x for key, x in vars(reading).items()}
        for name, reading in rows.items()
    }


def budget() -> dict[str, dict[str, list[float]]]:
    """What is in `results/`: {row: {quantity: one number a seed}}."""
    found = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("error-budget-*.json"))]
    return {
        name: {
            column: [
                math.nan if row is None else row for row in (s["rows"][name][column] for s in found)
            ]
            for column in COLUMNS
        }
        for name in (found[0]["rows"] if found else ())
    }


def table(rows: dict[str, dict[str, list[float]]]) -> str:
    """Mean over seeds, with the standard deviation, in markdown."""
    heads = ("V, rms", "V, mean", "V, largest", "J* - J", "KL, nats")
    lines = [f"| | {' | '.join(heads)} |", "|---" * 6 + "|"]
    lines += [
        f"| {name} | {' | '.join(_cell(row[column]) for column in COLUMNS)} |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def _cell(seeds: list[float]) -> str:
    if not np.isfinite(seeds).all():
        return ""
    mean, spread = float(np.mean(seeds)), float(np.std(seeds, ddof=1)) if len(seeds) > 1 else 0.0
    return f"{mean:.2g}" if spread <= 1e-3 * abs(mean) else f"{mean:.2g} ± {spread:.1g}"


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description="The error budget of soft Q-learning.")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--figure", type=Path, help="write the figure here, PNG or SVG")
    parser.add_argument("--table", action="store_true", help="run nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    RESULTS.mkdir(exist_ok=True)
    for seed in () if options.table else options.seeds:
        path = RESULTS / f"error-budget-{seed}.json"
        if not path.exists():
            began = time.process_time()
            record = {"rows": run(seed), "steps": STEPS, "settings": SETTINGS}
            record["versions"] = {"maxent": maxent.__version__, "torch": torch.__version__}
            path.write_text(json.dumps(record, indent=1) + "\n")
            print(f"seed {seed}: {time.process_time() - began:.0f} s of one core", flush=True)
    rows = budget()
    print(table(rows))
    if options.figure:
        title = (
            "What each approximation in soft Q-learning costs: the corridor with two doors\n"
            f"temperature {TEMPERATURE:g}, discount {DISCOUNT:g}"
        )
        plots.save(error_budget(rows, title=title), options.figure, overwrite=True)


if __name__ == "__main__":
    main()
