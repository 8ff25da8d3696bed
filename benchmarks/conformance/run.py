"""Hold one adapter of this folder against `maxent.testing.check_agent`; prints the report.

.venv-sb3/bin/python benchmarks/conformance/run.py sb3_agent                    # report only
.venv-sb3/bin/python benchmarks/conformance/run.py sb3_agent --record sb3       # results/sb3.json
.venv-torchrl/bin/python benchmarks/conformance/run.py torchrl_agent:DefaultLoss
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

import torch

from maxent import testing

RESULTS = Path(__file__).parent / "results"

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", help="MODULE, or MODULE:ADAPTER, of this folder")
    parser.add_argument("--steps", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", nargs="*")
    parser.add_argument("--record", help="the name of a file in results/ for the report")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    name, _, adapter = asked.module.partition(":")
    module = importlib.import_module(name)
    report = testing.check_agent(
        getattr(module, adapter or "Adapter")(),
        cases=asked.cases or None,
        steps=asked.steps,
        seed=asked.seed,
    )
    print(report)
    if asked.record:
        RESULTS.mkdir(exist_ok=True)
        written = {"versions": module.VERSIONS, "steps": asked.steps, "seed": asked.seed}
        path = RESULTS / f"{asked.record}.json"
        path.write_text(json.dumps(written | report.to_dict(), indent=1) + "\n")
