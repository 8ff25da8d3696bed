"""Sweeps on several processes: of this machine, and of a Dask cluster; each is real."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import maxent
from maxent.errors import ConfigError
from maxent.neural.runs.checkpoints import load, steps_in
from maxent.neural.runs.log import read_log
from maxent.sweeps import engines

pytest.importorskip("joblib")

STEPS = 300
SETTINGS = {
    "steps": STEPS,
    "log_every": 50,
    "evaluate_every": 150,
    "evaluation_episodes": 1,
    "checkpoint_every": 50,
    "hidden": (16,),
    "batch_size": 16,
    "learning_starts": 50,
}
GRID = {"temperature": [0.1, 0.4]}
TASK = {"algorithm": "sac", "env": "Pendulum-v1", "seeds": [1, 4], "grid": GRID, **SETTINGS}


def require_equal_to_single_runs(found, tmp_path):
    """Every cell is done once, and holds bit for bit what `train` gives alone."""
    assert [cell.status for cell in found.cells] == ["done"] * 4, str(found)
    for cell in found.cells:
        run = found.folder / cell.name
        assert steps_in(run)[-1] == STEPS
        logged = [row["step"] for row in read_log(run)]
        assert logged == list(range(50, STEPS + 1, 50))
        alone = tmp_path / "alone" / cell.name.replace("/", "-")
        alone.parent.mkdir(exist_ok=True)
        settings = SETTINGS | {"temperature": cell.settings["temperature"], "threads": 1}
        maxent.train("sac", "Pendulum-v1", seed=cell.seed, run=alone, **settings)
        ours, single = load(run).tensors, load(alone).tensors
        assert ours.keys() == single.keys()
        assert all(torch.equal(ours[name], single[name]) for name in single), cell.name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_processes_of_this_machine(tmp_path):
    found = maxent.sweep(**TASK, folder=tmp_path / "sweep", jobs=2)
    require_equal_to_single_runs(found, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_process_that_is_killed_is_replaced(tmp_path):
    folder = tmp_path / "sweep"
    killed = kill_one_worker(folder, workers_of_this_process)
    found = maxent.sweep(**TASK, folder=folder, jobs=2)
    killed.join()
    require_equal_to_single_runs(found, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_that_loses_a_worker(tmp_path):
    distributed = pytest.importorskip("distributed")
    folder = tmp_path / "sweep"
    with (
        distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        workers = lambda: list(client.run(os.getpid).values())  # noqa: E731
        before = workers()
        killed = kill_one_worker(folder, lambda: before)
        found = maxent.sweep(**TASK, folder=folder, cluster=f"dask:{cluster.scheduler_address}")
        killed.join()
        assert set(workers()) != set(before)
        require_equal_to_single_runs(found, tmp_path)
        written = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
        again = maxent.sweep(**TASK, folder=folder, cluster=client)
        assert again.done and all(cell.seconds is None for cell in again.cells)  # all were skipped
        after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
        assert after == written
        more = maxent.sweep(**TASK | {"seeds": [1, 4, 5]}, folder=folder, cluster=client)
        assert more.done and sum(cell.seconds is not None for cell in more.cells) == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_ray_cluster_that_loses_a_worker(tmp_path):
    ray = pytest.importorskip("ray")
    folder = tmp_path / "sweep"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        killed = kill_one_worker(folder, lambda: holders(folder))
        found = maxent.sweep(**TASK, folder=folder, cluster="ray")
        killed.join()
        again = maxent.sweep(**TASK, folder=folder, cluster="ray")
    finally:
        ray.shutdown()
    require_equal_to_single_runs(found, tmp_path)
    assert again.done and all(cell.seconds is None for cell in again.cells)  # all were skipped


def test_no_scheduler(tmp_path):
    pytest.importorskip("distributed")
    with pytest.raises(ConfigError, match="no Dask scheduler answers at 'nowhere'"):
        maxent.sweep(**TASK, folder=tmp_path / "sweep", cluster="dask:nowhere")


def test_no_ray_cluster_where_it_is_said_to_be(tmp_path, monkeypatch):
    """Nobody listens at the address: told at once, without Ray's own minutes of waiting."""
    ray = SimpleNamespace(
        is_initialized=lambda: False, exceptions=SimpleNamespace(RayActorError=OSError)
    )
    modules = {"ray": ray, "ray.util.joblib": SimpleNamespace(register_ray=lambda: None)}
    real = engines.optional_module
    monkeypatch.setattr(
        engines, "optional_module", lambda name, *rest: modules.get(name) or real(name, *rest)
    )
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken, and not listening
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"Ray cannot be reached at '{address}'.*refused"):
            maxent.sweep(**TASK, folder=tmp_path / "sweep", cluster=f"ray:{address}")


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_leaves_what_goes_on(tmp_path, jobs):
    """Ctrl-C in a terminal reaches every process of the group."""
    command = [sys.executable, "-m", "maxent", "train", "sac", "--env", "Pendulum-v1"]
    command += ["--steps", "3000", "--seeds", "0:3", "--run", "runs", "--jobs", str(jobs)]
    command += ["--set", "hidden=16", "--set", "learning_starts=50", "--set", "batch_size=16"]
    command += ["--log-every", "100", "--checkpoint-every", "0"]
    begun = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_until(lambda: any((tmp_path / "runs").glob("*/metrics.jsonl")))
    time.sleep(1.0)
    os.killpg(begun.pid, signal.SIGINT)
    _, words = begun.communicate(timeout=120)
    assert begun.returncode == 130, words
    assert "Traceback" not in words and "the same command goes on" in words
    cut = list((tmp_path / "runs").glob("*/checkpoints/step-*"))
    assert cut and not list((tmp_path / "runs").glob(".stop-*"))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "3 cells: 3 done" in done.stdout and (tmp_path / "runs" / "curves.png").exists()


@pytest.mark.slow
def test_a_command_that_is_killed_leaves_no_process_behind(tmp_path):
    """Its processes save, and end; the next command need not wait for them."""
    command = [sys.executable, "-m", "maxent", "train", "sac", "--env", "Pendulum-v1"]
    command += ["--steps", "9000", "--seeds", "0:2", "--run", "runs", "--jobs", "2"]
    command += ["--set", "hidden=16", "--set", "learning_starts=50", "--log-every", "100"]
    begun = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    logs = [tmp_path / "runs" / f"seed-{seed}" / "metrics.jsonl" for seed in range(2)]
    wait_until(lambda: all(log.exists() and log.stat().st_size for log in logs))
    workers = {int(log.with_name("lock").read_text()) for log in logs}
    begun.kill()
    begun.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 60)
    assert all(steps_in(log.parent) for log in logs)


def kill_one_worker(folder, workers):
    """A thread that kills a worker once a cell has a checkpoint."""

    def kill():
        wait_until(lambda: any(folder.glob("*/*/checkpoints/step-*")))
        holding = holders(folder)
        os.kill(next(pid for pid in workers() if pid in holding), signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def holders(folder):
    """The process ids of those that work on a cell."""
    return {int(text) for lock in folder.glob("*/*/lock") if (text := lock.read_text())}


def workers_of_this_process():
    """The process ids of this process's children."""
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [int(pid) for path in found for pid in path.read_text().split()]


def wait_until(true, seconds=120):
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)
