"""Which agents solve it?  Agents on problems whose solution is known, one factor at a time.

    python benchmarks/known_answers/study.py                  # what is missing, seed by seed
    python benchmarks/known_answers/study.py --seeds 1 --cells base "modes 4"
    python benchmarks/known_answers/study.py --tables         # run nothing: table and figures

Every cell is the base with one factor changed, most of them with one and with two Q's.  A finished
cell and seed is a small JSON file in `results/` and is not run again.  Measured is what
`maxent.diagnose` finds in the states of 20 episodes (Pendulum: 5) of the agent's own policy.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from problems import pendulum, point
from torch.distributions import Distribution

import maxent
from maxent.neural.runs.record import surroundings

RESULTS = Path(__file__).parent / "results"

PROBLEM: dict[str, Any] = {
    "dimension": 2,
    "modes": 1,
    "temperature": 0.2,
    "discount": 0.95,
    "noise": 0.0,
}
TRAINING: dict[str, Any] = {
    "algorithm": "sac",
    "steps": 3_000,
    "hidden": [64, 64],
    "batch_size": 64,
    "critics": 2,
    "learning_starts": 300,
    "updates_per_step": 1.0,
    "actor_rate": 1e-3,
    "critic_rate": 1e-3,
    "target_rate": 0.02,
}
"""The base; its rates are those of short runs."""

SQL = {"algorithm": "sql", "actor_rate": None, "sampler_rate": 1e-3}
V1 = {"algorithm": "sac_v1", "value_rate": 1e-3}
SIMBA = {"critic_network": "residual", "normalize_observations": True}

FACTORS: dict[str, dict[str, Any]] = {
    "base": {},
    "modes 2": {"modes": 2},
    "modes 4": {"modes": 4},
    "modes 16": {"modes": 16},
    "dimension 1": {"dimension": 1},
    "dimension 6": {"dimension": 6},
    "dimension 17": {"dimension": 17},
    "temperature 0.02": {"temperature": 0.02},
    "temperature 1": {"temperature": 1.0},
    "updates 0.25": {"updates_per_step": 0.25},
    "updates 3": {"updates_per_step": 3.0},
    "noise 1": {"noise": 1.0},
    "discount 0.99": {"discount": 0.99},
    "sac_v1": V1,
    "sql": SQL,
    "pendulum": {"env": "pendulum"},
    "pendulum, modes 2": {"env": "pendulum", "modes": 2},
    "layer norm": {"critic_network": "layer_norm"},
    "SimBa": SIMBA,
    "n-step 3": {"n_steps": 3},
}
"""Each is run with two Q's, of which the smaller counts, and with one."""

ENSEMBLES: dict[str, dict[str, Any]] = {
    "mean of 2 Q's": {"smallest_of": 1},
    "smallest of 5 Q's": {"critics": 5},
    "2 of 5 Q's": {"critics": 5, "smallest_of": 2},
    "noise 1, 2 of 5 Q's": {"noise": 1.0, "critics": 5, "smallest_of": 2},
    "noise 1, mean of 2 Q's": {"noise": 1.0, "smallest_of": 1},
}
"""These have their own number of Q's, and are run once."""


def cells() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every cell's name and what it changes in the base."""
    for name, changes in FACTORS.items():
        yield name, changes
        yield f"{name}, one Q", changes | {"critics": 1}
        if name == "base":
            yield from ENSEMBLES.items()


def run(name: str, changes: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train one agent and hold it against the answer."""
    asked = PROBLEM | {"env": "point"} | TRAINING | changes
    settings = {key: asked[key] for key in PROBLEM}
    training = {k: v for k, v in asked.items() if k not in (*PROBLEM, "env") and v is not None}
    if asked["env"] == "pendulum":
        del settings["dimension"]
        known = pendulum(**settings)
    else:
        known = point(**settings)
    algorithm = training.pop("algorithm")
    started = time.process_time()
    agent = maxent.train(
        algorithm,
        env=lambda: known.env,
        seed=seed,
        temperature=known.temperature,
        discount=known.discount,
        progress=False,
        **training | {"hidden": tuple(training["hidden"])},
    )
    seconds = time.process_time() - started
    known.noise = 0.0  # so that what is measured has none
    episodes = 5 if asked["env"] == "pendulum" else 20
    found = maxent.diagnose(agent, known, episodes=episodes)
    return {
        "cell": name,
        "seed": seed,
        "changes": changes,
        "found": {each.statement: each.error for each in found.findings},
        "states": found.title.split(" in ")[-1],
        "cpu_seconds": round(seconds, 1),
        "versions": surroundings(),
    }


def path_of(name: str, seed: int) -> Path:
    """The file of a finished cell and seed."""
    plain = name.replace(",", "").replace("'s", "").replace(" ", "-").lower()
    return RESULTS / f"{plain}-{seed}.json"


def main() -> None:
    """Run what is missing, then print the table and draw the figures."""
    parser = argparse.ArgumentParser(description="Agents on problems whose solution is known.")
    parser.add_argument("--cells", nargs="+", help="only these")
    parser.add_argument("--seeds", nargs="+", type=int, default=(1, 2, 3))
    parser.add_argument("--tables", action="store_true", help="run nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    Distribution.set_default_validate_args(False)
    RESULTS.mkdir(exist_ok=True)
    for seed in () if options.tables else options.seeds:
        for name, changes in cells():
            path = path_of(name, seed)
            if path.exists() or (options.cells and name not in options.cells):
                continue
            record = run(name, changes, seed)
            path.write_text(json.dumps(record, indent=1) + "\n")
            print(f"{name}, seed {seed}: {record['cpu_seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
