"""Runs: one process at a time, names that can be, the log that a resume cuts, gentle stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import maxent
from maxent.errors import (
    ConfigError,
    CorruptCheckpointError,
    MaxEntError,
    MaxEntWarning,
    OutputExistsError,
    ResumeMismatchError,
    RunLockedError,
    TrainingDivergedError,
)
from maxent.neural.runs import (
    Run,
    record,
    require_finite_tensors,
    require_same_configuration,
    stop_requested,
)
from maxent.neural.runs.locks import Lock

CONFIG = {"algorithm": "sac", "env": "Pendulum-v1", "seed": 3, "hidden": (256, 256)}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, and the disk is not waited for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return tmp_path


def everything() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def start(code: str) -> subprocess.Popen[str]:
    """A process that runs `code` and then waits until it is ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}\nprint('ready', flush=True)\nimport sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


# create and open


def test_the_record_tells_what_made_the_run():
    threads = torch.get_num_threads()
    with Run.create("run", CONFIG) as run:
        assert run.config == CONFIG | {"hidden": [256, 256]}
    told = json.loads(Path("run/config.json").read_text())
    assert told["format"] == "maxent-run-1"
    assert told["seeds"] == {"seed": 3}
    assert told["surroundings"]["torch"] == torch.__version__
    assert told["surroundings"]["numpy"] == np.__version__
    assert told["surroundings"]["maxent"] == maxent.__version__
    assert told["surroundings"]["threads"] == threads
    assert told["surroundings"]["processor"]
    with Run.open("run") as run:
        assert run.config == CONFIG | {"hidden": [256, 256]}
        assert run.steps == []


def test_the_hash_is_of_the_configuration_alone():
    hashes = []
    for config in (CONFIG, dict(reversed(CONFIG.items())), CONFIG | {"seed": 4}):
        with Run.create("run", config, overwrite=True) as run:
            hashes.append(run.record["config_sha256"])
    assert hashes[0] == hashes[1] != hashes[2]


BAD_NAMES = ["", "a\0b", "x" * 256, "é" * 128, "-run", "missing/run"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", BAD_NAMES)
def test_impossible_names_create_nothing(name, overwrite):
    with pytest.raises(ConfigError):
        Run.create(name, CONFIG, overwrite=overwrite)
    assert os.listdir() == []


def test_an_impossible_configuration_creates_nothing():
    with pytest.raises(ConfigError, match="config holds what a JSON file cannot"):
        Run.create("run", {"noise": object()})
    assert os.listdir() == []


@pytest.mark.parametrize("name", [*BAD_NAMES, "file", "empty", "other"])
def test_what_is_no_run_is_not_opened(name):
    Path("file").write_text("text")
    Path("empty").mkdir()
    Path("other").mkdir()
    Path("other/config.json").write_text('{"format": "another tool"}')
    before = everything()
    with pytest.raises((ConfigError, CorruptCheckpointError)):
        Run.open(name)
    assert everything() == before


def test_a_run_of_a_later_version_is_refused():
    Run.create("run", CONFIG).close()
    told = record.read_record(Path("run")) | {"format": "maxent-run-2"}
    record.write_record(Path("run"), told, overwrite=True)
    with pytest.raises(ConfigError, match="'maxent-run-2'; this version reads maxent-run-1"):
        Run.open("run")


def test_an_existing_run_is_left_as_it_is():
    with Run.create("run", CONFIG) as run:
        run.log({"step": 1})
        run.save(1, {"w": torch.zeros(3)}, {})
    before = everything()
    with pytest.raises(OutputExistsError, match="--overwrite"):
        Run.create("run", {"seed": 4})
    assert everything() == before


def test_overwriting_removes_the_old_run():
    with Run.create("run", CONFIG) as run:
        run.log({"step": 1})
        run.save(1, {"w": torch.zeros(3)}, {})
    with Run.create("run", {"seed": 4}, overwrite=True) as run:
        assert run.steps == [] and run.config == {"seed": 4}
    assert sorted(os.listdir("run")) == [
        "checkpoints",
        "config.json",
        "lock",
        "metrics.jsonl",
        "replay",
    ]
    assert Path("run/metrics.jsonl").read_bytes() == b""
    with Run.open("run") as run:
        assert run.resume() is None


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_never_emptied(overwrite):
    Path("project/checkpoints").mkdir(parents=True)
    Path("project/checkpoints/weights.pt").write_text("mine")
    Path("project/config.json").write_text("{}")
    before = everything()
    with pytest.raises(OutputExistsError):
        Run.create("project", CONFIG, overwrite=overwrite)
    assert everything() == before


def test_a_run_that_died_while_it_was_made_is_made_again():
    Path("run").mkdir()
    Path("run/lock").write_text("123\n")
    Path("run/.writing-ab.json").write_text("{")
    with Run.create("run", CONFIG):
        assert not Path("run/.writing-ab.json").exists()


# the lock

HOLD = "from maxent.neural.runs import Run; run = Run.{}"


def test_a_run_in_use_is_refused_with_the_process_id():
    process = start(HOLD.format("create('run', {})"))
    try:
        before = everything()
        for act in (
            lambda: Run.open("run"),
            lambda: Run.create("run", {"seed": 4}, overwrite=True),
        ):
            with pytest.raises(RunLockedError, match=f"in use by process {process.pid};"):
                act()
        assert everything() == before
    finally:
        process.kill()
        process.communicate()
    Run.open("run").close()  # killed, it holds nothing


def test_a_closed_run_is_free():
    run = Run.create("run", CONFIG)
    with pytest.raises(RunLockedError, match=f"process {os.getpid()};"):
        Run.open("run")
    run.close()
    run.close()
    Run.open("run").close()


def test_a_failed_create_or_open_lets_go(monkeypatch):
    def refuse(*_, **__):
        raise OSError("no")

    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr("maxent.neural.runs.write_record", refuse)
        Run.create("run", CONFIG)
    Run.create("run", CONFIG).close()
    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr("maxent.neural.runs.checkpoints.prune", refuse)
        Run.open("run")
    Run.open("run").close()


FORKED = """
import os, time
from maxent.neural.runs import Run
run = Run.create("run", {})
child = os.fork()
if child == 0:
    print(os.getpid(), flush=True)
    time.sleep(0.5)
    CLOSE
    print("done", flush=True)
    time.sleep(60)
    os._exit(0)
"""


@pytest.mark.parametrize("act", ["pass", "run.close()"])
def test_a_forked_worker_does_not_keep_the_lock(act):
    """The workers of a vector environment outlive a parent that is killed, for a while.  One that
    closes its copy of the run takes nothing from the parent."""
    code = FORKED.replace("CLOSE", act) + "time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=-1)
    child = int(process.stdout.readline())  # it tells who it is
    try:
        with pytest.raises(RunLockedError):
            Run.open("run")
        assert process.stdout.readline() == b"done\n"
        with pytest.raises(RunLockedError):
            Run.open("run")
        process.kill()
        process.wait()
        Run.open("run").close()
        os.kill(child, 0)  # is still there
    finally:
        process.kill()
        os.kill(child, signal.SIGKILL)
        process.communicate()


RACE = """
import os, time
from maxent.errors import MaxEntError
from maxent.neural.runs import Run
start = time.monotonic() + 0.2
for _ in range(4):
    if os.fork() == 0:
        while time.monotonic() < start:
            pass
        try:
            run, told = Run.create("run", {}), "won"
        except MaxEntError as error:
            told = type(error).__name__
        os.write(1, f"{told}\\n".encode())
        time.sleep(1)  # the winner stays until all have tried
        os._exit(0)
for _ in range(4):
    os.wait()
"""


def test_of_many_that_create_one_run_at_once_one_wins():
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, timeout=60)
    told = sorted(done.stdout.split())
    assert len(told) == 4 and told[3] == "won", done.stderr
    assert set(told[:3]) <= {"RunLockedError", "OutputExistsError"}


def test_a_run_made_while_the_lock_was_waited_for_is_left(monkeypatch):
    """Another process makes the run, and lets go of it, between the look and the lock."""

    def late(path):
        monkeypatch.undo()
        with Run.create(path.parent, {"seed": 1}) as run:
            run.save(1, {"w": torch.ones(1)}, {})
        return Lock(path)

    here = Path.cwd()
    monkeypatch.setattr("maxent.neural.runs.Lock", late)
    with pytest.raises(OutputExistsError):
        Run.create(here / "run", {"seed": 2})
    with Run.open(here / "run") as run:
        assert run.config == {"seed": 1} and run.steps == [1]


def test_the_lock_file_stays_and_is_rewritten(tmp_path):
    path = tmp_path / "lock"
    path.write_text("123456789\n")
    lock = Lock(path)
    assert path.read_text() == f"{os.getpid()}\n"
    lock.release()
    assert path.exists()


# the log


def test_the_log_is_a_json_object_a_line():
    with Run.create("run", CONFIG) as run:
        run.log({"step": 1, "loss": torch.tensor(0.5), "x": np.float32(0.25), "n": np.int64(3)})
        line = Path("run/metrics.jsonl").read_text()  # flushed
        assert json.loads(line) == {"step": 1, "loss": 0.5, "x": 0.25, "n": 3}
        run.log({"step": 2, "loss": float("nan"), "x": np.inf})
    second = Path("run/metrics.jsonl").read_text().splitlines()[1]
    assert second == '{"step": 2, "loss": null, "x": null}'


@pytest.mark.parametrize("tail", [b"", b'{"step": 4}\n', b'{"step": 4}\n{"st', b"\0" * 4096])
def test_what_was_logged_after_the_checkpoint_is_cut(tail):
    with Run.create("run", CONFIG) as run:
        for step in range(1, 4):
            run.log({"step": step})
        run.save(3, {}, {})
    with open("run/metrics.jsonl", "ab") as file:
        file.write(tail)
    with Run.open("run") as run:
        run.resume()
        run.log({"step": 4, "again": True})
    lines = Path("run/metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]
    assert json.loads(lines[-1])["again"]


def test_nothing_saved_nothing_kept():
    with Run.create("run", CONFIG) as run:
        run.log({"step": 1})
    with Run.open("run") as run:
        assert run.resume() is None
        run.log({"step": 1})
    assert Path("run/metrics.jsonl").read_text() == '{"step": 1}\n'


def test_a_log_that_lost_lines_is_told():
    with Run.create("run", CONFIG) as run:
        run.log({"step": 1})
        run.save(1, {}, {})
    Path("run/metrics.jsonl").write_text("")
    with Run.open("run") as run, pytest.warns(MaxEntWarning, match="0 bytes of the 12"):
        run.resume()


def test_loading_changes_nothing_and_writing_wants_a_resume():
    with Run.create("run", CONFIG) as run:
        for step in (1, 2):
            run.log({"step": step})
            run.save(step, {"w": torch.ones(1)}, {})
        run.log({"step": 3})
    with Run.open("run") as run:
        before = everything()
        assert (run.load(1).step, run.load().step) == (1, 2)
        for act in (lambda: run.log({}), lambda: run.save(4, {}, {})):
            with pytest.raises(ConfigError, match="call resume"):
                act()
        assert everything() == before
    with pytest.raises(ConfigError, match="is closed"):
        run.log({})


def test_resuming_an_earlier_step_forgets_the_later_ones():
    with Run.create("run", CONFIG) as run:
        for step in (1, 2):
            run.log({"step": step})
            run.save(step, {"w": torch.full((1,), float(step))}, {})
    with Run.open("run") as run:
        assert run.resume(1).tensors["w"].item() == 1.0
        assert run.steps == [1]
        run.save(2, {"w": torch.full((1,), 20.0)}, {})
        assert run.load().tensors["w"].item() == 20.0
    assert Path("run/metrics.jsonl").read_text() == '{"step": 1}\n'


# resuming


def test_the_same_configuration_may_go_on():
    with Run.create("run", CONFIG) as run:
        require_same_configuration(run.config, CONFIG)
        require_same_configuration(run.config, dict(reversed(CONFIG.items())))
    require_same_configuration({"steps": 100}, {"steps": 100.0})


def test_a_changed_configuration_is_told_field_by_field():
    saved = {"seed": 3, "sac": {"rate": 0.1, "batch": 256}, "hidden": [2, 2], "old": None}
    new = {"seed": 3, "sac": {"rate": 0.1, "batch": 128}, "hidden": (2, 3), "flag": True}
    with pytest.raises(ResumeMismatchError) as caught:
        require_same_configuration(saved, new)
    message = str(caught.value)
    assert "flag: absent -> True; hidden: [2, 2] -> [2, 3]; old: None -> absent" in message
    assert "sac.batch: 256 -> 128" in message and "rate" not in message and "seed" not in message
    for before, after in (({"a": 1}, {"a": True}), ({"a": "1"}, {"a": 1}), ({"a": {}}, {})):
        with pytest.raises(ResumeMismatchError):
            require_same_configuration(before, after)


def test_other_surroundings_are_told(monkeypatch):
    Run.create("run", CONFIG).close()
    threads = torch.get_num_threads()
    now = record.surroundings() | {"threads": threads + 1}
    monkeypatch.setattr("maxent.neural.runs.surroundings", lambda: now)
    with (
        Run.open("run") as run,
        pytest.warns(MaxEntWarning, match=f"bit for bit: threads: {threads} -> {threads + 1}"),
    ):
        run.resume()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_the_first_tensor_that_is_not_finite_is_named(dtype):
    fine = {"w": torch.zeros(3, dtype=dtype), "n": torch.arange(3), "mask": torch.ones(2) > 0}
    require_finite_tensors(5, fine)
    require_finite_tensors(5, {"rows": np.arange(3), "flags": np.zeros(2, bool)})
    bad = fine | {"q.bias0": torch.tensor([0.0, float("nan"), float("inf")], dtype=dtype)}
    with pytest.raises(TrainingDivergedError, match=r"step 5: q\.bias0 has 2 numbers"):
        require_finite_tensors(5, bad)
    with pytest.raises(TrainingDivergedError, match="step 6: reward has 1 numbers"):
        require_finite_tensors(6, {"reward": np.array([0.0, np.inf])})


def test_every_error_is_one_of_ours_and_public():
    names = ["CheckpointWrite", "CorruptCheckpoint", "TrainingDiverged", "ResumeMismatch"]
    for name in [*names, "RunLocked"]:
        assert issubclass(getattr(maxent, f"{name}Error"), MaxEntError)


# stopping


@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_asks(sent, code):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with stop_requested() as stop:
        assert not stop and stop.exit_code == 0
        signal.raise_signal(sent)
        assert stop and stop.signal == sent and stop.exit_code == code
    assert {number: signal.getsignal(number) for number in before} == before


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("second, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_second_signal_ends(first, second, code):
    process = start(
        "from maxent.support.stopping import stop_requested\n"
        "asking = stop_requested(); stop = asking.__enter__()\n"
        f"import signal; signal.raise_signal({int(first)}); assert stop"
    )
    process.send_signal(second)
    process.communicate()
    assert process.returncode == code


def test_outside_the_main_thread_nothing_is_changed():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with stop_requested() as stop:
            seen.append((bool(stop), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
