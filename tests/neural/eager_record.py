"""Short trainings of fixed seeds, and what they left: `eager_record.json` holds it as it was before
updates could be compiled.  `python tests/neural/eager_record.py --write` renews the file, which is
for a change of the numbers that was wanted."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import torch

import maxent
from maxent.neural.parts.networks import named_tensors
from maxent.neural.runs.record import surroundings

FILE = Path(__file__).with_name("eager_record.json")
SMALL: dict[str, Any] = {
    "hidden": (16, 16),
    "batch_size": 32,
    "learning_starts": 40,
    "seed": 3,
    "steps": 100,
}
FEW = {"policy": "sampler", "particles": 5, "value_particles": 6}
GRID = {"env_settings": {"map": "S..\n.#.\n..G", "discount": 0.9}, "steps": 140}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sac": ("sac", "Pendulum-v1", {}),
    "sac, falling rates": ("sac", "Pendulum-v1", {"final_rate_share": 0.1, "num_envs": 2}),
    "sac, fixed temperature": (
        *("sac", "Pendulum-v1"),
        {"temperature": 0.2, "critics": 1, "normalize_observations": True},
    ),
    "sac_v1": ("sac_v1", "Pendulum-v1", {}),
    "sac_discrete": ("sac_discrete", "CartPole-v1", {}),
    "sac_discrete, masked": ("sac_discrete", "maxent/Gridworld-v0", GRID),
    "sql": ("sql", "Pendulum-v1", FEW),
    "sql, interval": ("sql", "Pendulum-v1", FEW | {"target_interval": 7, "target_rate": 1.0}),
    "sql, network": ("sql", "Pendulum-v1", FEW | {"proposal": "network"}),
    "sql, uniform": ("sql", "Pendulum-v1", FEW | {"proposal": "uniform", "form": "original"}),
    "sql_discrete": ("sql_discrete", "maxent/Gridworld-v0", GRID),
    "sql_discrete, interval": (
        *("sql_discrete", "CartPole-v1"),
        {"target_interval": 7, "target_rate": 1.0, "updates_per_step": 0.5},
    ),
}


def left(name: str) -> dict[str, Any]:
    """Of the agent of a case: a digest of all its numbers, and the sum of their absolute values in
    each part of its state."""
    algorithm, env, settings = CASES[name]
    agent = maxent.train(algorithm, env, **(SMALL | settings), threads=1)
    digest = hashlib.sha256()
    sums: dict[str, float] = {}
    for path, tensor in named_tensors(agent.state):
        digest.update(tensor.contiguous().numpy().tobytes())
        part = path.partition("/")[0]
        sums[part] = sums.get(part, 0.0) + float(tensor.double().abs().sum())
    return {"sha256": digest.hexdigest(), "sums": sums}


def machine() -> dict[str, str]:
    """What the last bits depend on."""
    found = surroundings()
    return {name: found[name] for name in ("torch", "numpy", "gymnasium", "processor")} | {
        "instructions": torch.backends.cpu.get_cpu_capability()
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="Renew the file.")
    if parser.parse_args().write:
        record = {"machine": machine(), "left": {name: left(name) for name in CASES}}
        FILE.write_text(json.dumps(record, indent=1) + "\n")
