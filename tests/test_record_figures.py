"""Figures of the documentation are drawn by their commands from the records that there are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "command",
    [["learning/targets.py", "--tables"], ["mujoco_returns/compare.py"]],
    ids=lambda command: command[0],
)
def test_a_figure_is_drawn_from_the_records(tmp_path, command):
    pytest.importorskip("torch")
    script, *options = command
    drawn = tmp_path / "figure.png"
    subprocess.run(
        [sys.executable, ROOT / "benchmarks" / script, *options, "--figure", drawn],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert drawn.stat().st_size > 10_000
