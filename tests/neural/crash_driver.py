"""Kills a training of checkpoints again and again and looks at what is left.

    python crash_driver.py FOLDER boundaries STEPS EVERY   kill -9 before and after every call (or
                                                           every third) that changes the disk, and
                                                           in the middle of writes
    python crash_driver.py FOLDER random KILLS             kill -9 at random times

Each trial is a fork, so that torch is imported once.  Prints {"kills": n, "lost": 0}; an assertion
fails where an acknowledged checkpoint is lost, one that is there does not load, or the training
does not come out as the uninterrupted one.
"""

from __future__ import annotations

import builtins
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
from test_checkpoints import CONFIG, check, save

from maxent.neural.runs import Run
from maxent.neural.runs.record import surroundings

torch.set_num_threads(1)
os.fsync = lambda fd: None  # what the kernel has outlives a process that is killed
EVERY = 10


def train(folder: Path, last: int, told: int) -> None:
    """Log every step, save every tenth, from wherever the run is; write down what was saved."""
    if (folder / "config.json").exists():
        run = Run.open(folder)
        checkpoint = run.resume()
        step = checkpoint.step if checkpoint else 0
    else:
        run, step = Run.create(folder, CONFIG), 0
    while step < last:
        step += 1
        run.log({"step": step, "loss": 1.0 / step})
        if step % EVERY == 0:
            name = save(run, step, score=2.0 if step == 20 else 1.0)
            os.write(told, f"{name}\n".encode())
    run.close()


def spawn(folder: Path, last: int, at: int) -> tuple[int, int]:
    """A child that trains and kills itself at the given boundary (0: never); its id, and the end
    of the pipe where it tells what was saved."""
    end, told = os.pipe()
    child = os.fork()
    if child:
        os.close(told)
        return child, end
    os.close(end)
    code = 1
    try:
        arm(at)
        train(folder, last, told)
        code = 0
    finally:
        os._exit(code)


def arm(at: int) -> None:
    """Make every call that changes the disk a place to die, before it and after it."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def mortal(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **settings: Any) -> Any:
            tick()
            result = call(*arguments, **settings)
            tick()
            return result

        return wrapped

    class Halved:
        """A file whose writes can be cut in the middle."""

        def __init__(self, file: IO[Any]) -> None:
            self.file = file

        def __enter__(self) -> Halved:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> None:
            self.file.write(data[: len(data) // 2])
            self.file.flush()
            tick()
            self.file.write(data[len(data) // 2 :])

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    opened = builtins.open

    def opening(path: Any, mode: str = "r", *rest: Any, **settings: Any) -> Any:
        file = opened(path, mode, *rest, **settings)
        return Halved(file) if mode in ("xb", "wb") else file

    write = os.write

    def half_write(handle: int, data: bytes) -> int:
        if b"loss" in data and json.loads(data)["step"] % EVERY == 1:
            written = write(handle, data[: len(data) // 2])
            tick()
            return written + write(handle, data[len(data) // 2 :])
        return write(handle, data)

    if at:
        builtins.open = opening  # type: ignore[assignment]
        os.write = half_write  # type: ignore[assignment]
        for name in ("fsync", "rename", "replace", "link", "unlink", "rmdir", "mkdir", "ftruncate"):
            setattr(os, name, mortal(getattr(os, name)))


def acknowledged(end: int) -> list[int]:
    with os.fdopen(end) as pipe:
        return [int(line.removeprefix("step-")) for line in pipe.read().split()]


def examine(folder: Path, saved: list[int]) -> None:
    """Nothing acknowledged is lost, and all that is there loads and is right."""
    if not (folder / "config.json").exists():
        assert saved == []
        return
    with Run.open(folder) as run:
        assert not saved or (run.steps and run.steps[-1] >= saved[-1]), (saved, run.steps)
        assert len(run.steps) <= 3
        kept = {step for step in (20,) if step in saved} | set(saved[-1:])
        assert kept <= set(run.steps), (saved, run.steps)
        for step in run.steps:
            check(run.load(step), step)
        names = {path.name for path in run.folder.iterdir()}
        assert names <= {"checkpoints", "config.json", "lock", "metrics.jsonl", "replay"}, names
        inside = [path.name for path in run.folder.glob("*/*")]
        assert all(name.startswith(("step-", "rows-")) for name in inside), inside


def outcome(folder: Path) -> tuple:
    """What a training leaves, apart from the random names of segments."""
    with Run.open(folder) as run:
        for step in run.steps:
            check(run.load(step), step)
        rows = sorted(path.name[:-22] for path in (folder / "replay").iterdir())
        return run.steps, rows, (folder / "metrics.jsonl").read_bytes()


def boundaries(folder: Path, last: int, stride: int) -> int:
    expected = uninterrupted(folder, last)
    trial = folder / "trial"
    kills = 0
    while True:
        at = 1 + kills * stride
        child, end = spawn(trial, last, at)
        saved = acknowledged(end)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            return kills
        examine(trial, saved)
        child, end = spawn(trial, last, 0)
        acknowledged(end)
        assert os.waitpid(child, 0)[1] == 0
        assert outcome(trial) == expected, at
        shutil.rmtree(trial)
        kills += 1


def at_random(folder: Path, kills: int) -> int:
    expected, trial, done = uninterrupted(folder, 200), folder / "trial", 0
    seconds, source = timed(folder), random.Random(0)
    while done < kills:
        child, end = spawn(trial, 200, 0)
        time.sleep(source.uniform(0.0, 0.5 * seconds))
        os.kill(child, signal.SIGKILL)
        saved = acknowledged(end)
        _, status = os.waitpid(child, 0)
        done += os.WIFSIGNALED(status)
        examine(trial, saved)
        if not os.WIFSIGNALED(status):
            assert outcome(trial) == expected
            shutil.rmtree(trial)
    return done


def timed(folder: Path) -> float:
    start = time.perf_counter()
    uninterrupted(folder, 200)
    return time.perf_counter() - start


def uninterrupted(folder: Path, last: int) -> tuple:
    whole = folder / "whole"
    child, end = spawn(whole, last, 0)
    acknowledged(end)
    assert os.waitpid(child, 0)[1] == 0
    told = outcome(whole)
    shutil.rmtree(whole)
    return told


if __name__ == "__main__":
    surroundings()  # asks git, once for all forks
    acts: dict[str, Callable[..., int]] = {"boundaries": boundaries, "random": at_random}
    kills = acts[sys.argv[2]](Path(sys.argv[1]), *map(int, sys.argv[3:]))
    print(json.dumps({"kills": kills, "lost": 0}))
