"""Folders of runs from elsewhere: of another version, changed by hand and sealed again, or made to
do harm.  Each ends in an error that says what is wrong; no document brings anything else about."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest

import maxent
from maxent.errors import (
    ConfigError,
    CorruptCheckpointError,
    MaxEntError,
    MaxEntWarning,
    MemoryBudgetError,
)
from maxent.neural.runs.durable import seal, sha256

SOURCE = Path(__file__).parents[1] / "old_files" / "0.1.0" / "sql_discrete"
STEP = "checkpoints/step-000060"
ODD = [None, True, -1, 2.5, 1e308, 10**13, 2**70, "", "../x", "\0", [], [[]], {"a": 1}, ["a", "b"]]
CLOSED = "ignore:.*may not continue bit for bit"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return Path(shutil.copytree(SOURCE, tmp_path / "run"))


def rewrite(run, name, change):
    """Change a document and seal it again, manifest included, as another version would."""
    path = run / name if name == "config.json" else run / STEP / name
    document = json.loads(path.read_bytes())
    document.pop("sha256", None)
    change(document)
    if name != "values.json":
        path.write_bytes(seal(document))
        return
    data = json.dumps(document).encode()
    path.write_bytes(data)

    def note(manifest):
        entry = next(each for each in manifest["files"] if each["name"] == name)
        entry.update(size=len(data), sha256=sha256(data))

    rewrite(run, "manifest.json", note)


def places(document, path=()):
    """The path of every value in a document."""
    if path:
        yield path
    parts = {dict: lambda: document.items(), list: lambda: enumerate(document[:3])}
    for key, value in parts.get(type(document), tuple)():
        yield from places(value, (*path, key))


def mutation(draw):
    """A change of one value, drawn at random."""

    def change(document):
        *way, last = draw.choice(list(places(document)))
        part = document
        for key in way:
            part = part[key]
        part[last] = draw.choice(ODD)
        if draw.random() < 0.3:
            del part[last]

    return change


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["config.json", "manifest.json", "values.json"])
def test_whatever_a_sealed_document_holds(name, run):
    told = 0
    for seed in range(12):
        shutil.rmtree(run)
        shutil.copytree(SOURCE, run)
        rewrite(run, name, mutation(random.Random(seed)))
        for call in (maxent.load_agent, lambda folder: maxent.resume(folder, steps=61)):
            try:
                call(run)
            except MaxEntError:
                told += 1
    assert told >= 5


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of this version, whose environments tell of action masks."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    maxent.train(
        "sql",
        "maxent/Gridworld-v0",
        env_settings={"map": "S.G", "discount": 0.9},
        steps=20,
        num_envs=2,
        hidden=(8,),
        batch_size=4,
        learning_starts=10,
        run=folder,
    )
    return folder


def with_environments(source, folder, change):
    """A copy of a run with a change in what its last checkpoint's environments remember."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    (step,) = (folder / "checkpoints").iterdir()
    document = json.loads((step / "environments.json").read_bytes())
    change(document)
    data = json.dumps(document).encode()
    (step / "environments.json").write_bytes(data)
    manifest = json.loads((step / "manifest.json").read_bytes())
    manifest.pop("sha256")
    entry = next(each for each in manifest["files"] if each["name"] == "environments.json")
    entry.update(size=len(data), sha256=sha256(data))
    (step / "manifest.json").write_bytes(seal(manifest))
    return folder


ODD_PLACES = {
    "layers": 1,
    "layers of numbers": [0, 0],
    "observation": 0.0,
    "available": [False] * 4,
    "available of another size": [True],
    "total": "much",
    "length": [1, 2],
}


@pytest.mark.parametrize("case", ODD_PLACES)
def test_what_environments_remember_is_looked_at(case, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    name = case.split()[0]
    run = with_environments(
        trained, tmp_path / "run", lambda d: d["environments"][0].update({name: ODD_PLACES[case]})
    )
    with pytest.raises((CorruptCheckpointError, ConfigError)):
        maxent.resume(run, steps=22)
    if name == "layers":
        with pytest.raises(CorruptCheckpointError):
            maxent.load_agent(run)


@pytest.mark.filterwarnings("ignore")
def test_whatever_environments_remember(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    told = 0
    for seed in range(25):
        run = with_environments(trained, tmp_path / "run", mutation(random.Random(seed)))
        for call in (maxent.load_agent, lambda folder: maxent.resume(folder, steps=21)):
            try:
                call(run)
            except MaxEntError:
                told += 1
    assert told >= 10


def test_a_setting_of_a_later_version_is_told_and_not_left_out(run):
    rewrite(run, "config.json", lambda record: record["config"].update(curiosity=0.1))
    for call in (maxent.load_agent, maxent.resume, lambda folder: maxent.compare([folder])):
        with pytest.raises(ConfigError, match=r"'curiosity', which maxent .* later version"):
            call(run)


def test_an_agent_of_many_environments_makes_one(run):
    rewrite(run, "config.json", lambda record: record["config"].update(copies=10**5))
    assert maxent.load_agent(run).steps == 60


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda manifest: manifest["stored"].update(inserted=10**13, capacity=10**13), "needs"),
        (
            lambda manifest: manifest["stored"]["columns"].update(reward=["float32", 10**12]),
            "needs",
        ),
        (lambda manifest: manifest["stored"]["columns"].update(reward=["O"]), "column"),
        (lambda manifest: manifest["stored"]["segments"][0].update(name="../config.json"), "names"),
        (lambda manifest: manifest["files"][0].update(name="/dev/zero"), "files"),
        (lambda manifest: manifest["files"][0].update(size="large"), "names no file"),
    ],
)
def test_what_a_manifest_claims_is_looked_at_first(change, error, run):
    rewrite(run, "manifest.json", change)
    rows_alone = error == "needs"  # what the replay buffer would need, which an agent does not
    with pytest.raises((CorruptCheckpointError, MemoryBudgetError), match=error):
        (maxent.resume if rows_alone else maxent.load_agent)(run)
    assert not rows_alone or maxent.load_agent(run).steps == 60


@pytest.mark.filterwarnings(CLOSED)
def test_a_checkpoint_does_not_need_the_log(run):
    (run / "metrics.jsonl").unlink()
    with pytest.warns(MaxEntWarning, match="is gone"):
        agent = maxent.load_agent(run)
    assert agent.steps == 60 and agent.history == []
    with pytest.warns(MaxEntWarning, match="0 bytes of the"):
        assert maxent.resume(run, steps=80).steps == 80


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", f"{STEP}/manifest.json"])
def test_brackets_without_end(name, run):
    (run / name).write_text("[" * 100_000 + "\n")
    with pytest.raises((ConfigError, CorruptCheckpointError)):
        maxent.load_agent(run)
    if name == "metrics.jsonl":
        with pytest.raises(ConfigError, match="line 1 is no row"):
            maxent.compare([run])


@pytest.mark.parametrize("made", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
@pytest.mark.parametrize("name", ["metrics.jsonl", f"{STEP}/manifest.json", f"{STEP}/values.json"])
def test_what_is_no_ordinary_file_is_not_waited_for(made, name, run):
    (run / name).unlink()
    made(run / name)
    with pytest.raises((ConfigError, CorruptCheckpointError), match=r"no ordinary file|Is a dir"):
        maxent.load_agent(run)


def test_a_file_that_is_larger_than_memory_is_not_read(run):
    with open(run / "config.json", "r+b") as file:
        file.truncate(10**13)  # takes no room
    with pytest.raises(MemoryBudgetError, match="reading"):
        maxent.load_agent(run)


@pytest.mark.parametrize("name", ["lock", "metrics.jsonl"])
def test_a_link_in_place_of_what_a_run_cuts_is_not_followed(name, run, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(precious)
    with pytest.raises((MaxEntError, OSError)):
        maxent.resume(run)
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 300, "x/" * 3000, b"nowhere", 5, None, ["a"]])
def test_a_path_that_is_none_is_told(path):
    for call in (maxent.load_agent, maxent.resume, lambda folder: maxent.compare([folder])):
        with pytest.raises(ConfigError):
            call(path)
