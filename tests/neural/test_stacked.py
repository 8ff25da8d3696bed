"""K agents in one graph are the K agents alone, but for roundings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("stacked_driver.py")
RUN_DRIVER = Path(__file__).with_name("stacked_run_driver.py")


def distances(*arguments):
    """What the driver prints; nothing was said of an operation taken one by one."""
    done = subprocess.run(
        [sys.executable, DRIVER, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "batching rule" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def test_agents_in_one_graph_are_the_agents_alone():
    (distance,) = distances("eager", "sac_discrete").values()
    assert distance < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["eager", "inductor"])
def test_agents_of_all_algorithms_in_one_graph(backend):
    found = distances(backend)
    assert max(found.values()) < 1e-5, found


@pytest.mark.slow
def test_many_seeds_to_curves_go_on_bit_for_bit(tmp_path):
    """The script for ten seeds on a GPU, in small on a CPU: killed, stopped, begun again."""
    command = [sys.executable, RUN_DRIVER, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.endswith("OK\n"), done.stderr
