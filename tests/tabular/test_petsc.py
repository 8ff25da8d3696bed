"""States split over processes: shares, blocks, refusals; with MPI at hand the answers too."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import maxent
from maxent.errors import ConfigError, MissingExtraError, ModelError
from maxent.tabular.solvers.engines.blocks import Block, checked
from maxent.tabular.solvers.engines.distributed import share

PETSC = importlib.util.find_spec("petsc4py") is not None


def test_shares_are_even_and_cover_every_state():
    for n_states in (1, 7, 100):
        for size in range(1, n_states + 1):
            parts = [share(n_states, rank, size) for rank in range(size)]
            assert [first for first, _ in parts[1:]] == [stop for _, stop in parts[:-1]]
            assert parts[0][0] == 0 and parts[-1][1] == n_states
            counts = [stop - first for first, stop in parts]
            assert max(counts) - min(counts) <= 1


def test_engines_that_are_refused():
    mdp = maxent.gridworld("S.G", discount=0.9)
    with pytest.raises(ConfigError, match="engine = 'petcs' is not known; did you mean 'petsc'"):
        maxent.solve(mdp, 0.1, engine="petcs")
    with pytest.raises(ConfigError, match="discount = 1: engine = 'petsc'"):
        maxent.solve(mdp.replace(discount=1.0), 0.1, engine="petsc")
    with pytest.raises(ConfigError, match="callback and progress are not for"):
        maxent.solve(mdp, 0.1, engine="petsc", callback=print)
    if not PETSC:
        with pytest.raises(MissingExtraError, match="petsc4py and mpi4py"):
            maxent.solve(mdp, 0.1, engine="petsc")


def test_blocks_are_checked_as_models_are():
    good = Block(sparse.csr_array(np.eye(4)[[1, 2]]), [[0.0], [1.0]])
    rows, reward, terminal, log_prior = checked(good, 2, 4, 4)
    assert rows.shape == (2, 4) and reward.shape == (2, 1) and log_prior is None
    assert not terminal.any()
    masked = Block(sparse.csr_array(np.eye(4)), np.zeros((2, 2)), None, [[True, False]] * 2)
    assert checked(masked, 0, 2, 4)[3].tolist() == [[0.0, -np.inf]] * 2
    bad = {
        "shape": Block(np.eye(3), np.zeros((2, 1))),
        "reward of block": Block(good.transition, np.zeros((3, 1))),
        "not finite": Block(good.transition, [[np.nan], [0.0]]),
        "state 2, action 0 sum to 0.5": Block(good.transition * 0.5, good.reward),
        "state 3 has no available": Block(good.transition, good.reward, None, [[True], [False]]),
        "terminal": Block(good.transition, good.reward, [True]),
    }
    for said, block in bad.items():
        with pytest.raises(ModelError, match=said):
            checked(block, 2, 4, 4)
    with pytest.raises(ConfigError, match=r"block\(2, 4\) is a tuple; return a Block"):
        checked((1, 2), 2, 4, 4)


@pytest.mark.slow
@pytest.mark.skipif(
    not (PETSC and shutil.which("mpiexec")), reason="needs petsc4py, mpi4py and mpiexec"
)
@pytest.mark.parametrize("processes", [1, 2, 4])
def test_processes_together_find_what_one_finds(processes):
    script = Path(__file__).with_name("many_processes.py")
    run = ["mpiexec", "-n", str(processes), sys.executable, str(script)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["agreed"]
