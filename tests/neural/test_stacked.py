"""K agents in one graph are the K agents alone, but for roundings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN_DRIVER = Path(__file__).with_name("stacked_run_driver.py")


def test_agents_in_one_graph_are_the_agents_alone(distances):
    (distance,) = distances("stacked_driver.py", "eager", "sac_discrete").values()
    assert distance < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["eager", "inductor"])
def test_agents_of_all_algorithms_in_one_graph(distances, backend):
    found = distances("stacked_driver.py", backend)
    assert max(found.values()) < 1e-5, found


@pytest.mark.slow
def test_many_seeds_to_curves_go_on_bit_for_bit(tmp_path):
    """The script for ten seeds on a GPU, in small on a CPU: killed, stopped, begun again."""
    command = [sys.executable, RUN_DRIVER, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.endswith("OK\n"), done.stderr
