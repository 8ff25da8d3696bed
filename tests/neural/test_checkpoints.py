"""Checkpoints: what comes back is what was saved, to the bit, or an error that says what is wrong;
whatever kills the process, nothing that was acknowledged is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

from maxent.errors import (
    CheckpointWriteError,
    ConfigError,
    CorruptCheckpointError,
    OutputExistsError,
    TrainingDivergedError,
)
from maxent.neural.runs import Rows, Run, checkpoints
from maxent.neural.runs.durable import seal, sha256

CONFIG = {"algorithm": "sac", "seed": 3}
CAPACITY = 25


def row_numbers(first: int, stop: int) -> dict[str, np.ndarray]:
    """The replay rows of these numbers: row i is a function of i, so what should come back is
    known without any buffer."""
    index = np.arange(first, stop)
    return {
        "observation": np.sin(index[:, None] + np.arange(3)).astype(np.float32),
        "action": index % 4,
        "terminated": index % 7 == 0,
    }


def tensors_at(step: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    weight = torch.randn((4, 5), generator=generator)
    return {
        "actor.weight0": weight,
        "target.weight0": weight,  # one tensor, two names
        "moments.step": torch.tensor(step),
        "log_temperature": torch.tensor(-0.0, dtype=torch.float64),
        "transposed": weight.t(),
        "none": torch.zeros(0, 3),
        "generator": generator.get_state(),
    }


def values_at(step: int) -> dict:
    bits = np.random.default_rng(step).bit_generator.state
    return {"step": step, "numpy": bits, "best": -1e300, "text": "ä\n", "big": 2**127 + step}


def save(run: Run, step: int, rows_to: int | None = None, score: float | None = None) -> str:
    stop = step if rows_to is None else rows_to
    rows = Rows(row_numbers(run.inserted, stop), stop, CAPACITY)
    return run.save(step, tensors_at(step), values_at(step), rows, score)


def same(got: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert got.keys() == expected.keys()
    for name, array in expected.items():
        assert got[name].dtype == array.dtype and got[name].shape == array.shape, name
        assert got[name].tobytes() == array.tobytes(), name


def check(checkpoint: checkpoints.Checkpoint, step: int) -> None:
    """A checkpoint of `save(run, step)` against what was handed over, bit for bit."""
    assert checkpoint.step == step
    same(
        {name: tensor.numpy() for name, tensor in checkpoint.tensors.items()},
        {name: tensor.contiguous().numpy() for name, tensor in tensors_at(step).items()},
    )
    assert checkpoint.values == values_at(step)
    assert checkpoint.rows is not None
    assert (checkpoint.rows.inserted, checkpoint.rows.capacity) == (step, CAPACITY)
    same(checkpoint.rows.arrays, row_numbers(max(step - CAPACITY, 0), step))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """The disk is not waited for: a process that is killed loses nothing the kernel has."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", CONFIG) as run:
        yield run


def files(run: Run) -> list[Path]:
    return sorted(path for path in run.folder.rglob("*") if path.is_file())


# round trip


@pytest.mark.parametrize("step", [0, 10, 24, 25, 26, 50, 1000])
def test_a_checkpoint_comes_back_bit_for_bit(run, step):
    assert save(run, step) == f"step-{step:06d}"
    check(run.load(), step)
    assert run.load().tensors["log_temperature"].signbit()


def test_generators_go_on_where_they_were(run):
    generator = torch.Generator().manual_seed(1)
    kinds = [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64]
    sources = [np.random.Generator(kind(5)) for kind in kinds]
    for source in sources:  # in the middle of a stream, half of a 64-bit word used
        source.integers(0, 9, size=3, dtype=np.uint32)
        source.normal(size=3)
    states = {str(i): source.bit_generator.state for i, source in enumerate(sources)}
    run.save(1, {"generator": generator.get_state()}, states)
    loaded = run.load()
    other = torch.Generator()
    other.set_state(loaded.tensors["generator"])
    assert torch.equal(torch.randn(9, generator=generator), torch.randn(9, generator=other))
    for i, (kind, source) in enumerate(zip(kinds, sources, strict=True)):
        again = np.random.Generator(kind(0))
        again.bit_generator.state = loaded.values[str(i)]
        assert again.normal(size=9).tolist() == source.normal(size=9).tolist()
        assert (
            again.integers(0, 9, 3, np.uint32).tolist()
            == source.integers(0, 9, 3, np.uint32).tolist()
        )


def test_loaded_tensors_are_the_callers_own(run):
    save(run, 10)
    first = run.load()
    for tensor in first.tensors.values():
        assert tensor.data_ptr() % 64 == 0  # aligned as torch does it: sums can depend on that
        tensor.zero_()
    for array in first.rows.arrays.values():
        array[:] = 0
    check(run.load(), 10)


def test_views_and_strided_rows_are_written_as_they_read(run):
    rows = np.arange(20.0).reshape(10, 2)[::-1, ::-1]
    run.save(1, {"a": torch.arange(12.0).reshape(3, 4).t()[1:, ::2]}, {}, Rows({"r": rows}, 10, 50))
    loaded = run.load()
    assert loaded.tensors["a"].tolist() == [[1.0, 9.0], [2.0, 10.0], [3.0, 11.0]]
    assert loaded.rows.arrays["r"].tolist() == rows.tolist()


def test_a_save_is_of_its_moment(run):
    weight = torch.zeros(3)
    run.save(1, {"w": weight}, {})
    weight += 1
    assert run.load().tensors["w"].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("values", [{"x": object()}, {"x": {1, 2}}, {"x": b"bytes"}])
def test_values_that_json_cannot_hold_are_refused(run, values):
    save(run, 10)
    with pytest.raises(ConfigError, match="values holds what a JSON file cannot"):
        run.save(20, {}, values)
    assert run.steps == [10]
    check(run.load(), 10)


def test_numbers_as_keys_do_not_break_the_seal(tmp_path):
    """Sorted as numbers they come in another order than as text."""
    with Run.create(tmp_path / "run", {"layers": {10: "a", 9: "b"}}) as run:
        run.save(1, {}, {10: 1, 9: 2})
        assert run.load().values == {"10": 1, "9": 2}
    with Run.open(tmp_path / "run") as run:
        assert run.config == {"layers": {"10": "a", "9": "b"}}


# replay


def test_replay_wraps_around_and_writes_new_rows_only(run):
    sizes = {}
    for step in range(7, 120, 7):
        save(run, step)
        check(run.load(), step)
        for path in (run.folder / "replay").iterdir():
            sizes.setdefault(path.name, path.stat().st_size)
    header = 300
    assert len(sizes) == len(range(7, 120, 7))
    assert max(sizes.values()) < header + 7 * (12 + 8 + 1)


@pytest.mark.parametrize("stops", [[25, 50, 75], [30, 31, 200], [10, 10, 10, 40], [0, 0, 3]])
def test_any_rhythm_of_saves(run, stops):
    for step, stop in enumerate(stops):
        start = max(run.inserted, stop - CAPACITY)  # what a buffer can still hand over
        run.save(step, {}, {}, Rows(row_numbers(start, stop), stop, CAPACITY))
        same(run.load().rows.arrays, row_numbers(max(stop - CAPACITY, 0), stop))


@pytest.mark.parametrize("stops", [[10, 20], [30, 40, 52, 90]])
def test_the_whole_buffer_may_be_handed_over(run, stops):
    for step, stop in enumerate(stops):
        whole = row_numbers(max(stop - CAPACITY, 0), stop)
        run.save(step, {}, {}, Rows(whole, stop, CAPACITY))
        same(run.load().rows.arrays, whole)
        assert len(os.listdir(run.folder / "replay")) == min(step + 1, 2)


def test_resumed_rows_continue(run):
    for step in (10, 20, 30):
        save(run, step)
    for step in (20, 47):
        with_older = run.resume(20)
        assert run.inserted == 20 and run.steps[-1] == 20
        check(with_older, 20)
        save(run, step + 7)
        check(run.load(), step + 7)


def test_rows_with_a_gap_or_of_another_kind_are_refused(run):
    save(run, 10)
    rows = row_numbers(12, 20)
    with pytest.raises(ConfigError, match="12 to 20 do not continue the 10 rows"):
        run.save(20, {}, {}, Rows(rows, 20, CAPACITY))
    with pytest.raises(ConfigError, match="columns"):
        run.save(20, {}, {}, Rows({"a": np.zeros(10)}, 20, CAPACITY))
    with pytest.raises(ConfigError, match="first axis"):
        run.save(20, {}, {}, Rows({"a": np.zeros(10), "b": np.zeros(9)}, 20, CAPACITY))
    with pytest.raises(ConfigError, match="only 5 ever"):
        run.save(20, {}, {}, Rows(row_numbers(0, 10), 5, CAPACITY))
    assert run.steps == [10]
    save(run, 20)
    check(run.load(), 20)


# pruning


def test_the_last_two_and_the_best_are_kept(run):
    for step, score in zip(range(10, 80, 10), [1.0, 5.0, 2.0, None, 4.0, -1.0, 3.0], strict=True):
        save(run, step, score=score)
    assert run.steps == [20, 60, 70]
    for step in run.steps:
        check(run.load(step), step)
    names = {path.name.split("-")[1:3][1] for path in (run.folder / "replay").iterdir()}
    assert names == {f"{stop:09d}" for stop in (10, 20, 40, 50, 60, 70)}  # 30 is needed by none
    assert sorted(os.listdir(run.folder)) == [
        "checkpoints",
        "config.json",
        "lock",
        "metrics.jsonl",
        "replay",
    ]


def test_a_damaged_manifest_keeps_every_segment(run):
    for step in (10, 20):
        save(run, step)
    manifest = run.folder / "checkpoints/step-000020/manifest.json"
    before = manifest.read_bytes()
    manifest.write_bytes(before[:-9])
    save(run, 70, rows_to=70)
    assert len(os.listdir(run.folder / "replay")) == 3
    manifest.write_bytes(before)
    check(run.load(20), 20)


def test_a_step_is_never_written_twice(run):
    save(run, 20)
    before = {path: path.read_bytes() for path in files(run)}
    for step in (20, 19):
        with pytest.raises(OutputExistsError, match=f"step {step} is not after step-000020"):
            save(run, step, rows_to=30)
    assert {path: path.read_bytes() for path in files(run)} == before


# damage


def damages(data: bytes):
    """Every kind of harm to a file, every byte of the short ones."""
    yield "missing", None
    yield "empty", b""
    yield "truncated", data[:-1]
    yield "longer", data + b"\0"
    for place in {*range(0, len(data), 1 + len(data) // 150), len(data) - 1}:
        flipped = bytearray(data)
        flipped[place] ^= 1 << (place % 8)
        yield f"bit {place % 8} of byte {place}", bytes(flipped)


def needed_files(run: Run, step: int) -> list[Path]:
    folder = run.folder / "checkpoints" / checkpoints.name_of(step)
    segments = checkpoints.read_manifest(run.folder, step)["stored"]["segments"]
    return [*folder.iterdir(), *(run.folder / "replay" / each["name"] for each in segments)]


def test_any_damage_to_any_file_is_told(run):
    save(run, 30)
    save(run, 60, rows_to=60)
    save(run, 70, rows_to=70)
    harmed = 0
    for path in needed_files(run, 70):
        data = path.read_bytes()
        for harm, bytes_left in damages(data):
            path.unlink(missing_ok=True)
            if bytes_left is not None:
                path.write_bytes(bytes_left)
            with pytest.raises(CorruptCheckpointError) as caught:
                run.load()
            message = str(caught.value)
            assert str(path) in message, harm
            assert "expected" in message and "actual" in message, harm
            shared = path.name.startswith("rows-000000030")  # step 60 needs it as well
            left = "no other is good" if shared else "the newest good one is step 60"
            assert message.endswith(left), (harm, message)
            harmed += 1
        path.write_bytes(data)
    assert harmed > 500
    check(run.load(), 70)


def test_the_message_has_both_hashes(run):
    save(run, 10)
    path = run.folder / "checkpoints/step-000010/tensors.safetensors"
    right = path.read_bytes()
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    path.write_bytes(wrong)
    with pytest.raises(CorruptCheckpointError) as caught:
        run.load()
    assert sha256(right) in str(caught.value) and sha256(wrong) in str(caught.value)


def test_config_json_is_sealed_too(tmp_path):
    Run.create(tmp_path / "run", CONFIG).close()
    path = tmp_path / "run/config.json"
    data = path.read_bytes()
    for harm, bytes_left in damages(data):
        if bytes_left is not None:
            path.write_bytes(bytes_left)
            with pytest.raises(CorruptCheckpointError, match=r"config\.json"):
                Run.open(tmp_path / "run")
                pytest.fail(harm)
    path.write_bytes(data)
    Run.open(tmp_path / "run").close()


def test_a_checkpoint_that_is_not_there(run):
    with pytest.raises(ConfigError, match="no checkpoint yet"):
        run.load()
    save(run, 10)
    with pytest.raises(ConfigError, match="no checkpoint of step 11; there are 10"):
        run.load(11)


def test_another_checkpoint_under_its_name_is_told(run):
    save(run, 10)
    save(run, 20)
    folder = run.folder / "checkpoints"
    shutil.rmtree(folder / "step-000020")
    shutil.copytree(folder / "step-000010", folder / "step-000020")
    with pytest.raises(CorruptCheckpointError, match=r"belongs to step 10.*good one is step 10"):
        run.load()


PICKLE = b"cbuiltins\nopen\n(S'%s'\nS'w'\ntR."
"""Unpickled, it makes a file."""


@pytest.mark.parametrize("place", ["tensors", "rows"])
@pytest.mark.parametrize("forged", [False, True])
def test_a_pickle_is_refused_and_not_run(run, tmp_path, forged, place):
    """Forged: by somebody who also put its hash into a manifest that is sealed anew."""
    save(run, 10)
    payload = PICKLE % str(tmp_path / "ran").encode()
    folder = run.folder / "checkpoints/step-000010"
    manifest = checkpoints.read_manifest(run.folder, 10)
    if place == "tensors":
        path, entry = folder / "tensors.safetensors", manifest["files"][0]
    else:
        entry = manifest["stored"]["segments"][0]
        path = run.folder / "replay" / entry["name"]
    path.write_bytes(payload)
    if forged:
        entry |= {"size": len(payload), "sha256": sha256(payload)}
        (folder / "manifest.json").write_bytes(seal(manifest))
    with pytest.raises(CorruptCheckpointError):
        run.load()
    assert not (tmp_path / "ran").exists()
    subprocess.run([sys.executable, "-c", f"import pickle; pickle.loads({payload!r})"], check=True)
    assert (tmp_path / "ran").exists()  # the payload would have run


@pytest.mark.parametrize(
    "arrays",
    [
        row_numbers(0, 9),
        row_numbers(0, 10) | {"more": np.zeros(10)},
        row_numbers(0, 10) | {"action": np.zeros(10)},
        row_numbers(0, 10) | {"observation": np.zeros((10, 2), np.float32)},
    ],
)
def test_a_segment_with_other_rows_than_the_manifest_says(run, arrays):
    save(run, 10)
    folder = run.folder / "checkpoints/step-000010"
    manifest = checkpoints.read_manifest(run.folder, 10)
    entry = manifest["stored"]["segments"][0]
    data = safetensors.numpy.save({name: np.ascontiguousarray(x) for name, x in arrays.items()})
    (run.folder / "replay" / entry["name"]).write_bytes(data)
    entry |= {"size": len(data), "sha256": sha256(data)}
    (folder / "manifest.json").write_bytes(seal(manifest))
    with pytest.raises(CorruptCheckpointError, match="rows-"):
        run.load()


# divergence


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_no_checkpoint_of_a_diverged_training(run, bad):
    save(run, 10)
    tensors = tensors_at(20)
    tensors["actor.weight0"][1, 2] = bad
    with pytest.raises(TrainingDivergedError, match=r"step 20: actor\.weight0 has 1 numbers"):
        run.save(20, tensors, {})
    rows = row_numbers(10, 20)
    rows["observation"][3, 0] = bad
    with pytest.raises(TrainingDivergedError, match=r"step 20: replay\.observation has 1"):
        run.save(20, tensors_at(20), {}, Rows(rows, 20, CAPACITY))
    with pytest.raises(ConfigError, match="score"):
        save(run, 20, score=bad)
    assert run.steps == [10] and len(os.listdir(run.folder / "replay")) == 1
    check(run.load(), 10)


# a disk that refuses


CALLS = ["fsync", "rename", "link", "unlink", "mkdir", "open"]


class Boundary:
    """Counts the calls that change the disk and calls `act` at the n-th."""

    def __init__(self, monkeypatch, at: int, act) -> None:
        self.count, self.at, self.act = 0, at, act
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrapped(getattr(os, name)))

    def wrapped(self, call):
        def counted(*arguments, **settings):
            self.tick()
            return call(*arguments, **settings)

        return counted

    def tick(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.act()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_an_error_at_any_call_leaves_the_checkpoints_before(tmp_path, monkeypatch, number):
    def refuse():
        raise OSError(number, os.strerror(number))

    failures, at = 0, 0
    while True:
        at += 1
        with Run.create(tmp_path / f"run-{at}", CONFIG) as run:
            save(run, 10)
            save(run, 20)
            with monkeypatch.context() as patch:
                boundary = Boundary(patch, at, refuse)
                try:
                    save(run, 30)
                    last = 30
                except CheckpointWriteError as error:
                    failures, last = failures + 1, 20
                    assert os.strerror(number) in str(error) and "step-000020" in str(error)
            assert run.steps[-1] == last
            if last == 20:  # the room it took is given back
                assert sorted(os.listdir(run.folder / "checkpoints")) == [
                    "step-000010",
                    "step-000020",
                ]
                assert len(os.listdir(run.folder / "replay")) == 2
            for step in run.steps:
                check(run.load(step), step)
            save(run, 40)  # the disk has recovered: the same process goes on
            check(run.load(), 40)
            if last == 30 and boundary.count < at:
                break
        with Run.open(tmp_path / f"run-{at}") as run:
            check(run.resume(), 40)
            assert run.steps == [last, 40]
            kept = [name for name in os.listdir(run.folder / "replay") if "rows" in name]
            assert len(kept) == 4 - (last == 20)
    assert failures >= 10


FULL_DISK = """
import resource, sys, torch
from maxent.errors import CheckpointWriteError
from maxent.neural.runs import Run
run = Run.create("run", {})
run.log({"step": 1})
run.save(1, {"w": torch.arange(10.0)}, {})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
try:
    run.save(2, {"w": torch.zeros(10_000)}, {})
except CheckpointWriteError as error:
    print(error)
try:
    for row in range(1000):
        run.log({"step": row})
except CheckpointWriteError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert run.load().tensors["w"].tolist() == list(range(10))
print(run.steps)
"""


def test_a_full_disk(tmp_path):
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.stderr == ""
    first, second, third = done.stdout.splitlines()
    assert "step 2 of run 'run' could not be written: File too large" in first
    assert "(the last one is step-000001)" in first
    assert second == "'run/metrics.jsonl' could not be written: File too large"
    assert third == "[1]"
    assert os.listdir(tmp_path / "run/checkpoints") == ["step-000001"]
    for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines():
        json.loads(line)  # no half line


def test_dev_full(run, monkeypatch):
    """The kernel's own full disk: what is written there is refused when it is flushed."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    save(run, 10)
    opened = open

    def full(path, mode="r", *rest, **settings):
        return (
            opened("/dev/full", "wb") if mode == refused else opened(path, mode, *rest, **settings)
        )

    for refused in ("wb", "xb"):  # noqa: B007 (the segment of the replay buffer; the checkpoint)
        with monkeypatch.context() as patch:
            patch.setattr("builtins.open", full)
            with pytest.raises(CheckpointWriteError, match="No space left on device"):
                save(run, 20)
        assert run.steps == [10] and len(os.listdir(run.folder / "replay")) == 1
        check(run.load(), 10)


# order of writing


def test_everything_is_on_the_disk_before_it_is_named(run, monkeypatch):
    """Of a power cut, only the order of the calls can be tested."""
    calls = []

    def seen_fsync(handle):
        calls.append(("fsync", str(Path(f"/proc/self/fd/{handle}").readlink())))

    def seen(naming):
        def named(source, target, **settings):
            calls.append(("name", str(source), str(target)))
            naming(source, target, **settings)

        return named

    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    run.log({"step": 1})
    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "rename", seen(os.rename))
    monkeypatch.setattr(os, "link", seen(os.link))
    monkeypatch.setattr(checkpoints, "prune", lambda folder: calls.append(("prune", str(folder))))
    save(run, 10)
    folder = str(run.folder.resolve())
    names = [i for i, call in enumerate(calls) if call[0] == "name"]
    assert len(names) == 2
    segment, final = names
    stage = calls[final][1]
    assert Path(calls[segment][2]).name.startswith("rows-") and calls[final][2].endswith("000010")
    assert calls[segment - 1] == ("fsync", str(Path(calls[segment][1]).resolve()))
    assert calls[segment + 1] == ("fsync", f"{folder}/replay")
    between = calls[segment + 2 : final]
    assert between == [
        ("fsync", f"{folder}/metrics.jsonl"),
        ("fsync", f"{stage}/tensors.safetensors"),
        ("fsync", f"{stage}/values.json"),
        ("fsync", f"{stage}/manifest.json"),
        ("fsync", stage),
    ]
    assert calls[final + 1 :] == [("fsync", f"{folder}/checkpoints"), ("prune", str(run.folder))]


def test_a_checkpoint_is_gone_before_what_it_needs(run, monkeypatch):
    calls = []
    rename, unlink = os.rename, os.unlink

    def seen_fsync(handle):
        calls.append(Path(f"/proc/self/fd/{handle}").readlink().name)

    def seen(call):
        def wrapped(path, *rest, **settings):
            calls.append(Path(path).name[:14])
            return call(path, *rest, **settings)

        return wrapped

    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    for step in (30, 60):
        save(run, step, rows_to=step)
    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "rename", seen(rename))
    monkeypatch.setattr(os, "unlink", seen(unlink))
    save(run, 90, rows_to=90)
    gone = calls.index("step-000030")
    assert "checkpoints" in calls[gone : calls.index("rows-000000000")]


# kill -9


DRIVER = Path(__file__).with_name("crash_driver.py")


def drive(tmp_path, *arguments: str) -> dict:
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(tmp_path), *arguments],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_killed_at_boundaries_nothing_is_lost(tmp_path):
    told = drive(tmp_path, "boundaries", "30", "5")
    assert told["kills"] > 20 and told["lost"] == 0


def test_killed_at_random_times_nothing_is_lost(tmp_path):
    told = drive(tmp_path, "random", "8")
    assert told["kills"] == 8 and told["lost"] == 0


@pytest.mark.slow
def test_killed_at_every_boundary(tmp_path):
    told = drive(tmp_path, "boundaries", "70", "1")
    assert told["kills"] > 250 and told["lost"] == 0


@pytest.mark.slow
def test_killed_often_at_random_times(tmp_path):
    told = drive(tmp_path, "random", "200")
    assert told["kills"] == 200 and told["lost"] == 0
