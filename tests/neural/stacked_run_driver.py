"""Many seeds in one graph, killed and begun again, in a process of its own.

`python tests/neural/stacked_run_driver.py FOLDER` trains two small agents to curves
(`benchmarks/mujoco_returns/run_stacked.py`), once without a break, and once killed twice (-9) and
stopped once; prints OK where agents and curves are the same to the last bit.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path[:0] = [str(BENCHMARKS / "mujoco_returns"), str(BENCHMARKS)]

import run_stacked  # type: ignore[import-not-found]  # noqa: E402
from protocol import Settings  # type: ignore[import-not-found]  # noqa: E402
from stacked_seeds import Agents  # type: ignore[import-not-found]  # noqa: E402

from maxent.neural.parts.networks import named_tensors  # noqa: E402

SMALL = Settings(learning_starts=20, replay_capacity=60, batch_size=8, hidden=(8,))


def asked(folder: Path) -> argparse.Namespace:
    """The options of the command."""
    told = {"env": "Pendulum-v1", "first_seed": 3, "seeds": 2, "steps": 100, "evaluate_every": 25}
    return argparse.Namespace(**told, device="cpu", backend="eager", out=folder)


def cut(folder: Path, updates: int, number: int) -> int:
    """Train in a fork that sends itself a signal before an update; how the fork ended."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    plain: Callable[[Agents], None] = Agents.update
    done = 0

    def update(agents: Agents) -> None:
        nonlocal done
        if done == updates:
            os.kill(os.getpid(), number)
        done += 1
        plain(agents)

    Agents.update = update
    try:
        run_stacked.run(asked(folder), SMALL)
    except SystemExit as ended:
        os._exit(int(ended.code or 0))
    finally:
        os._exit(1)


def curves(folder: Path) -> list[dict]:
    """What was written, but for seconds."""
    read = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return [curve | {"cpu_seconds": len(curve["cpu_seconds"])} for curve in read]


if __name__ == "__main__":
    torch.set_num_threads(1)
    whole, parts = Path(sys.argv[1], "whole"), Path(sys.argv[1], "parts")
    assert os.WTERMSIG(cut(parts, 15, signal.SIGKILL)) == signal.SIGKILL  # before a checkpoint
    assert os.WTERMSIG(cut(parts, 30, signal.SIGKILL)) == signal.SIGKILL  # after that of step 50
    assert os.WEXITSTATUS(cut(parts, 8, signal.SIGINT)) == 130
    assert run_stacked.folder_of(asked(parts)).exists() and not curves(parts)
    one, two = (run_stacked.run(asked(folder), SMALL) for folder in (whole, parts))
    for (name, a), (_, b) in zip(named_tensors(one.state), named_tensors(two.state), strict=True):
        assert torch.equal(a, b), name
    assert curves(whole) == curves(parts) and len(curves(whole)) == 2
    assert curves(whole)[0]["returns"] != curves(whole)[1]["returns"]
    print("OK")
