"""All runs whose curves are missing, one after another, one thread each, at the lowest priority.

    python benchmarks/mujoco_returns/run_all.py --sb3-python .venv-sb3/bin/python

Each takes an hour or so on a core of its own.  What is finished stays: start again to go on.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from itertools import product

from protocol import ENVIRONMENTS, HERE, SEEDS, STEPS, curve_path

SCRIPTS = {"stable-baselines3": "run_sb3.py", "maxent": "run_ours.py"}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def main() -> None:
    """Run what is missing; exit 1 where a run failed."""
    parser = argparse.ArgumentParser(description="All runs whose curves are missing.")
    parser.add_argument("--packages", nargs="+", choices=SCRIPTS, default=list(SCRIPTS))
    parser.add_argument("--envs", nargs="+", default=ENVIRONMENTS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--sb3-python", default=".venv-sb3/bin/python")
    told = parser.parse_args()
    os.nice(19)
    pythons = {"stable-baselines3": told.sb3_python, "maxent": sys.executable}
    failed = 0
    for package, env, seed in product(told.packages, told.envs, told.seeds):
        out = curve_path(package, env, seed)
        if out.exists():
            continue
        print(f"{package}, {env}, seed {seed}", flush=True)
        script = str(HERE / SCRIPTS[package])
        asked = {"--env": env, "--seed": seed, "--steps": told.steps, "--out": out}
        command = [
            pythons[package],
            script,
            *(str(word) for pair in asked.items() for word in pair),
        ]
        done = subprocess.run(command, env=os.environ | ONE_THREAD)
        if done.returncode < 0 or done.returncode >= 128:
            raise SystemExit(f"stopped by a signal: {' '.join(command)}")
        failed += done.returncode != 0
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
