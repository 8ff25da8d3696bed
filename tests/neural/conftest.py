"""Small networks are fastest on one thread, and their sums are the same on every machine."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import maxent

torch.set_num_threads(1)


@pytest.fixture
def distances() -> Callable[..., dict[str, float]]:
    """What a driver prints of itself, by name, in a process without the checks of shapes."""

    def run(driver: str, *arguments: str) -> dict[str, float]:
        command = [sys.executable, str(Path(__file__).with_name(driver)), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        # vmap warns of an operation that it takes one by one
        assert done.returncode == 0 and "batching rule" not in done.stderr, done.stderr
        found: dict[str, float] = json.loads(done.stdout)
        return found

    return run


@pytest.fixture
def agent_through_a_run(tmp_path: Path) -> Callable[..., None]:
    """A soft actor-critic trained whole; and cut after half, resumed, saved and read: the same
    bits, and an agent that can be asked."""

    def train(policy: str, steps: int, **settings: Any) -> None:
        settings |= {"hidden": (8,), "batch_size": 4, "learning_starts": 10, "policy": policy}
        settings |= {"algorithm": "sac", "env": "Pendulum-v1", "steps": steps, "seed": 3}
        whole = maxent.train(**settings)
        cut: dict[str, Any] = {"log_every": steps // 2}
        cut["report"] = lambda row: row["step"] < steps // 2
        maxent.train(run=tmp_path / "run", **cut, **settings)
        again = maxent.resume(tmp_path / "run")
        back = maxent.load_agent(again.save(tmp_path / "agent.safetensors"))
        for name, x in whole.state["actor"].items():
            assert torch.equal(x, again.state["actor"][name])
            assert torch.equal(x, back.state["actor"][name])
        seen = np.zeros((3, 3), np.float32)
        actions = back.actions(seen, back.generator(1))
        assert np.array_equal(actions, whole.actions(seen, whole.generator(1)))
        assert np.isfinite(back.entropy(np.zeros(3)))
        assert np.isfinite(back.evaluate(episodes=1, longest=5).returns).all()
        assert np.isfinite(maxent.diagnose(back, episodes=1)["GIBBS-3"].error)

    return train
