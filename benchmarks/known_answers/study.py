"""Which agents solve it?  Agents on problems whose solution is known, one factor at a time.

    python benchmarks/known_answers/study.py                  # what is missing, seed by seed
    python benchmarks/known_answers/study.py --seeds 1 --cells base "modes 4"
    python benchmarks/known_answers/study.py --tables         # run nothing: table and figures

Every cell is the base with one factor changed, most of them with one and with two Q's.  A finished
cell and seed is a small JSON file in `results/` and is not run again.  Measured is what
`maxent.diagnose` finds in the states of 20 episodes (Pendulum, HalfCheetah: 5) of the agent's own
policy.  Hopper's and HalfCheetah's dynamics need MuJoCo (the extra `mujoco`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from problems import pendulum, point, robot
from study_figure import KINDS, study_figure
from torch.distributions import Distribution

import maxent
from maxent import plots
from maxent.neural.known_environment import KnownEnvironment
from maxent.neural.parts.ensembles import cautious
from maxent.neural.parts.networks import action_values
from maxent.neural.parts.normalise import as_seen
from maxent.neural.runs.record import surroundings

SEEDS = (1, 2, 3)
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

SQL = {"algorithm": "sql", "actor_rate": None, "sampler_rate": 1e-3, "policy": "sampler"}
RESAMPLED = SQL | {"policy": "resampled"}
V1 = {"algorithm": "sac_v1", "value_rate": 1e-3}
SIMBA = {"critic_network": "residual", "normalize_observations": True}

LONGER = {"steps": 20_000, "learning_starts": 1_000}
COOLED = {"cooled_from": 2.0, "cooling_share": 0.75}

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
    "sql, resampled": RESAMPLED,
    "pendulum": {"env": "pendulum"},
    "pendulum, modes 2": {"env": "pendulum", "modes": 2},
    "Hopper-v5": {"env": "Hopper-v5"} | LONGER,
    "HalfCheetah-v5": {"env": "HalfCheetah-v5"} | LONGER,
    "HalfCheetah-v5, smooth": {"env": "HalfCheetah-v5", "scale": 10.0} | LONGER,
    "layer norm": {"critic_network": "layer_norm"},
    "SimBa": SIMBA,
    "n-step 3": {"n_steps": 3},
}
"""Each is run with two Q's, of which the smaller counts, and with one."""
GONE = "n_steps"
"""A setting that lost and was taken out: its records are shown, and not made again."""

OTHERS: dict[str, dict[str, Any]] = {
    "mean of 2 Q's": {"smallest_of": 1},
    "smallest of 5 Q's": {"critics": 5},
    "2 of 5 Q's": {"critics": 5, "smallest_of": 2},
    "noise 1, 2 of 5 Q's": {"noise": 1.0, "critics": 5, "smallest_of": 2},
    "noise 1, mean of 2 Q's": {"noise": 1.0, "smallest_of": 1},
    "modes 2, mixture": {"modes": 2, "policy": "mixture"},
    "modes 4, mixture": {"modes": 4, "policy": "mixture"},
    "mixture": {"policy": "mixture"},
    "pendulum, mixture": {"env": "pendulum", "policy": "mixture"},
    "modes 2, mixture, cooled": {"modes": 2, "policy": "mixture"} | COOLED,
    "modes 4, mixture, cooled": {"modes": 4, "policy": "mixture"} | COOLED,
    "modes 4, sql": {"modes": 4} | SQL,
    "modes 4, sql, resampled": {"modes": 4} | RESAMPLED,
    "dimension 6, sql": {"dimension": 6} | SQL,
    "dimension 6, sql, resampled": {"dimension": 6} | RESAMPLED,
    "pendulum, sql": {"env": "pendulum"} | SQL,
    "pendulum, sql, resampled": {"env": "pendulum"} | RESAMPLED,
}
"""These have their own number of Q's, or another policy."""


def cells() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every cell's name and what it changes in the base."""
    for name, changes in FACTORS.items():
        yield name, changes
        yield f"{name}, one Q", changes | {"critics": 1}
        if name == "base":
            yield from OTHERS.items()


def problem(changes: dict[str, Any]) -> KnownEnvironment:
    """The known answer of a cell."""
    settings = {key: (PROBLEM | changes)[key] for key in PROBLEM}
    if "env" not in changes:
        return point(**settings)
    del settings["dimension"]
    if changes["env"] == "pendulum":
        return pendulum(**settings)
    return robot(changes["env"], scale=changes.get("scale", 1.0), **settings)


def trained(known: KnownEnvironment, changes: dict[str, Any], seed: int) -> maxent.Agent:
    """An agent with the base's settings, and a cell's changes."""
    settings = {
        k: v for k, v in (TRAINING | changes).items() if k not in (*PROBLEM, "env", "scale")
    }
    settings = {k: v for k, v in settings.items() if v is not None}
    return maxent.train(
        settings.pop("algorithm"),
        env=lambda: known.env,
        seed=seed,
        temperature=known.temperature,
        discount=known.discount,
        progress=False,
        **settings | {"hidden": tuple(settings["hidden"])},
    )


def run(name: str, changes: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train one agent and hold it against the answer."""
    known = problem(changes)
    started = time.process_time()
    agent = trained(known, changes, seed)
    if agent.stopped_by is not None:
        raise SystemExit(f"{name}, seed {seed}: stopped by signal {agent.stopped_by}, not recorded")
    seconds = time.process_time() - started
    known.noise = 0.0  # so that what is measured has none
    episodes = 5 if changes.get("env") in ("pendulum", "HalfCheetah-v5") else 20
    found = maxent.diagnose(agent, known, episodes=episodes)
    return {
        "cell": name,
        "seed": seed,
        "changes": changes,
        "found": {each.statement: each.error for each in found.findings},
        "caution": caution(agent, known),
        "states": found.title.split(" in ")[-1],
        "cpu_seconds": round(seconds, 1),
        "versions": surroundings(),
    }


def caution(agent: maxent.Agent, known: KnownEnvironment) -> float:
    """By how much the Q that counts is below the mean of the Q's, on 200 steps of the policy.

    Each target is lower by this, and the steps after it too: a shift of caution / (1 - gamma).
    """
    seen, actions = [], []
    observation, _ = known.env.reset(seed=0)
    generator = agent.generator(0)
    for step in range(200):
        seen.append(agent.spaces.flatten(observation))
        actions.append(agent.actions(seen[-1][None], generator)[0])
        taken = agent.spaces.to_environment(actions[-1])
        observation, _, ended, cut, _ = known.env.step(taken)
        if ended or cut:
            observation, _ = known.env.reset(seed=step)
    states = as_seen(agent.state, torch.as_tensor(np.array(seen), dtype=torch.float32))
    taken = torch.as_tensor(np.array(actions))[:, None]
    q = action_values(agent.state["critic"], states, taken)
    return float((q.mean(0) - cautious(agent.state, q)).mean())


def path_of(name: str, seed: int) -> Path:
    """The file of a finished cell and seed."""
    plain = name.replace(",", "").replace("'s", "").replace(" ", "-").lower()
    return RESULTS / f"{plain}-{seed}.json"


def records() -> dict[str, list[dict[str, Any]]]:
    """What is finished: {cell: one record a seed}."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, _ in cells():
        paths = [path_of(name, seed) for seed in SEEDS]
        done = [json.loads(path.read_text()) for path in paths if path.exists()]
        if done:
            found[name] = done
    return found


def measured(record: dict[str, Any]) -> dict[str, float]:
    """The numbers of a record; errors of values in deviations of V* over the states visited."""
    found, discount = record["found"], (PROBLEM | record["changes"])["discount"]
    unit = found["(V* itself, deviation over states)"]
    return {
        "policy": found["policy: KL(pi || pi*)"],
        "unit": unit,
        "shift": found["v - V*, mean"] / unit,
        "spread": found["v - V*, deviation over states"] / unit,
        "q shift": found["q - Q*, mean, actions taken"] / unit,
        "q spread": found["q - Q*, deviation"] / unit,
        "by caution": -record["caution"] / (1.0 - discount) / unit,
        "by the policy": -found["alpha E sum gamma^t KL(pi || pi*)"] / unit,
        "entropy error": found["entropy of the policy"] - found["entropy of pi* there"],
        "loss": found["alpha E sum gamma^t KL(pi || pi*)"],
        "loss by return": found["V*(s_0) - soft return"],
        "seconds": record["cpu_seconds"],
    }


def over_seeds(done: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Each number of each seed."""
    each = [measured(record) for record in done]
    return {name: [found[name] for found in each] for name in each[0]}


def rows() -> dict[str, dict[str, dict[str, list[float]]]]:
    """The figure's rows: a factor with two Q's and with one, then the others."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for name, done in records().items():
        row, _, one = name.partition(", one Q")
        kind = 2 if name in OTHERS else int(bool(one) or name.endswith("one Q"))
        found.setdefault(row, {})[KINDS[kind]] = over_seeds(done)
    return {name: row for name, row in found.items() if name not in OTHERS} | {
        name: row for name, row in found.items() if name in OTHERS
    }


COLUMNS = (
    ("KL", "policy", ".3f"),
    ("entropy - true", "entropy error", "+.2f"),
    ("dev of V*", "unit", ".2f"),
    ("V: shift", "shift", "+.2f"),
    ("by its policy", "by the policy", "+.2f"),
    ("by caution", "by caution", "+.2f"),
    ("V: deviation", "spread", ".2f"),
    ("CPU s", "seconds", ".0f"),
)


def table() -> str:
    """A row a cell, in Markdown: medians over seeds, and of how many."""
    heads = ["cell", "seeds", *(head for head, _, _ in COLUMNS)]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, done in records().items():
        found = over_seeds(done)
        numbers = [format(float(np.median(found[key])), form) for _, key, form in COLUMNS]
        lines.append("| " + " | ".join([name, str(len(done)), *numbers]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, then print the table and draw the figures."""
    parser = argparse.ArgumentParser(description="Agents on problems whose solution is known.")
    parser.add_argument("--cells", nargs="+", help="only these")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--tables", action="store_true", help="run nothing")
    parser.add_argument("--figure", help="a file for the figure")
    options = parser.parse_args()
    torch.set_num_threads(1)
    Distribution.set_default_validate_args(False)
    RESULTS.mkdir(exist_ok=True)
    for seed in () if options.tables else options.seeds:
        for name, changes in cells():
            path = path_of(name, seed)
            asked = not options.cells or name in options.cells
            if path.exists() or GONE in changes or not asked:
                continue
            record = run(name, changes, seed)
            path.write_text(json.dumps(record, indent=1) + "\n")
            print(f"{name}, seed {seed}: {record['cpu_seconds']:.0f} s", flush=True)
    print(table())
    if options.figure is not None:
        plots.save(study_figure(rows()), options.figure, overwrite=True)


if __name__ == "__main__":
    main()
