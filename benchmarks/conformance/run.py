"""Hold one adapter of this folder against `maxent.testing.check_agent`; prints the report.

.venv-sb3/bin/python benchmarks/conformance/run.py sb3_agent --out sb3.json
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

import torch

from maxent import testing

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", help="sb3_agent, cleanrl_agent or torchrl_agent")
    parser.add_argument("--steps", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", nargs="*")
    parser.add_argument("--out", type=Path, help="a JSON file for the report")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    module = importlib.import_module(asked.module)
    report = testing.check_agent(
        module.Adapter(), cases=asked.cases or None, steps=asked.steps, seed=asked.seed
    )
    print(report)
    if asked.out:
        written = {"versions": module.VERSIONS, "steps": asked.steps, "seed": asked.seed}
        asked.out.write_text(json.dumps(written | report.to_dict(), indent=1) + "\n")
