"""The theorems' annotations, executed: `verify` with every call of these modules checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
from jaxtyping import install_import_hook

install_import_hook("maxent.theorems", "typechecker.check")

import maxent
from maxent.continuous.lqr import scalar
from maxent.theorems import counterexamples, instance
from theorems import planted_faults

assert instance.Instance.soft_value.__wrapped__  # the checks are there
for setting in planted_faults.settings().values():
    report = maxent.verify(setting.mdp, setting.temperature, prior=setting.prior)
    report.raise_if_failed()
    str(report), report.clause_table(), report.to_dict()
maxent.verify(scalar(), 0.3).raise_if_failed()
assert all(record.shown for record in counterexamples.run_all())
"""


@pytest.mark.slow
def test_every_annotation_of_the_theorems_holds():
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
