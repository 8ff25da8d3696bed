"""Sweeps: which cells there are, what is refused before anything begins, what goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import maxent
import maxent.neural.training
from maxent.cli import main
from maxent.errors import ConfigError, MaxEntWarning, OutputExistsError, ResumeMismatchError
from maxent.neural.runs.checkpoints import load
from maxent.support.ranges import read_seeds
from maxent.sweeps.cells import cells_of

SMALL = {"steps": 120, "hidden": (4,), "batch_size": 4, "learning_starts": 10, "log_every": 40}
WORLD = {"env_settings": {"map": "S.G", "discount": 0.9}}
TASK = {"algorithm": "sql", "env": "maxent/Gridworld-v0", "jobs": 1, **SMALL, **WORLD}
EXACT = {"algorithm": "tradeoff", "env": "two-goals", "temperatures": [0.1, 1.0], "jobs": 1}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, and the disk is not waited for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return tmp_path


def files(folder="."):
    """Every file below a folder with the time it was written."""
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*") if path.is_file()}


def test_a_missing_library_is_told_as_everywhere(monkeypatch):
    def missing():
        raise maxent.MissingExtraError("agents need PyTorch")

    monkeypatch.setattr(sys.modules["maxent.sweeps.work"], "require_neural", missing)
    with pytest.raises(maxent.MissingExtraError, match=r"^agents need PyTorch$"):
        maxent.sweep(folder="all", **TASK)
    assert not Path("all").exists()


def test_where_one_process_is_enough_it_is_this_one(monkeypatch):
    """One cell for two processes, and one core: joblib then works in the caller's process, which a
    worker whose parent is gone must not be taken for."""

    def ended(code):
        raise AssertionError("this process was ended")

    monkeypatch.setattr(os, "_exit", ended)
    assert maxent.sweep(folder="one", **EXACT | {"jobs": 2}).done
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    both = maxent.sweep(folder="two", grid={"discount": [0.9, 0.8]}, **EXACT | {"jobs": None})
    assert both.done and len(both.cells) == 2


def test_a_damaged_run_stops_no_other():
    maxent.sweep(folder="all", seeds="0:2", **TASK)
    record = Path("all/seed-0/config.json")
    record.write_text(record.read_text()[:-9])
    shutil.rmtree("all/seed-1")
    found = maxent.sweep(folder="all", seeds="0:3", **TASK)
    assert [cell.status for cell in found.cells] == ["failed", "done", "done"]
    assert "config.json" in found.cells[0].error and "trains it anew" in found.cells[0].error
    assert "seed-0 failed" in str(found) and len(found.runs) == 2
    shutil.rmtree("all/seed-0")
    assert maxent.sweep(folder="all", seeds="0:3", **TASK).done


# which cells there are


def names(algorithm="sac", env="Pendulum-v1", seeds=None, grid=None, **settings):
    return [cell.name for cell in cells_of(algorithm, env, seeds, grid, settings)]


def test_names_say_what_varies():
    assert names() == ["seed-0"]
    assert names(seeds="0:2") == ["seed-0", "seed-1"]
    assert names(["sac", "sql"], ["a/B-v1", "C"], [3]) == [
        *("sac_a-B-v1/seed-3", "sac_C/seed-3", "sql_a-B-v1/seed-3", "sql_C/seed-3")
    ]
    grid = {"hidden": [[8, 8], (64,)], "env_settings": [{"map": "x y"}, {}], "temperature": [0.5]}
    assert names(grid=grid) == [
        "hidden=8x8_env_settings=map=x-y/seed-0",
        "hidden=8x8_env_settings=none/seed-0",
        "hidden=64_env_settings=map=x-y/seed-0",
        "hidden=64_env_settings=none/seed-0",
    ]
    assert names("tradeoff", ["gym:FrozenLake-v1", "four-rooms"]) == [
        *("gym-FrozenLake-v1", "four-rooms")
    ]
    assert names("tradeoff", "four-rooms") == ["tradeoff"]


def test_seeds_as_text():
    assert read_seeds("2:5") == [2, 3, 4] and read_seeds("1,4,5") == [1, 4, 5]
    for wrong in ("", "a", "0:8:2", "5:5", "-1:3", "0:100000", "1,,2"):
        with pytest.raises(ConfigError, match="seeds"):
            read_seeds(wrong)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"seeds": 3}, r"seeds = 3: give \"0:3\" for 0 to 3 - 1, or \[3\]"),
        ({"seeds": [1, 1]}, "seeds has 1 twice"),
        ({"seeds": [0.5]}, "a seed = 0.5 must be a whole number"),
        ({"seeds": "x"}, "seeds 'x' must have the form FIRST:END"),
        ({"algorithm": []}, "algorithm is empty"),
        ({"env": ["a", "a"]}, "env has a twice"),
        ({"env": [3]}, "env = 3 is no name"),
        ({"grid": {"temperature": [1, 1.0]}}, "grid, temperature has 1.0 twice"),
        ({"grid": {"temperature": 0.5}}, r"temperature = 0.5 must be a list; write \[0.5\]"),
        ({"grid": [1]}, "give lists of values by name"),
        ({"grid": {"batch_size": [1], "hidden": []}}, "grid, hidden is empty"),
        ({"grid": {"seed": [1, 2]}}, "seed is no setting of a cell"),
        ({"grid": {"run": ["a"]}}, "run is no setting of a cell"),
        ({"overwrite": True}, "overwrite belongs to one training"),
        ({"grid": {"batch_size": [1]}, "batch_size": 2}, "batch_size is given for all cells and"),
        ({"env": ["a/b", "a-b"]}, "two cells would be called 'a-b/seed-0': env 'a/b' and 'a-b'"),
        ({"env": ["a", "A"]}, "two cells would be called 'A/seed-0'"),
        ({"env": ["a", "b" * 300]}, "over 255 bytes"),
        ({"algorithm": ["sac", "tradeoff"]}, "trade-offs and trainings need a sweep each"),
        ({"algorithm": "tradeoff", "seeds": [1]}, "exact and has no seeds"),
    ],
)
def test_no_cells(given, words):
    with pytest.raises(ConfigError, match=words):
        names(**given)


# what is refused before anything begins


@pytest.mark.parametrize(
    "given, words",
    [
        ({"bach_size": 3}, "cell 'seed-0'.*bach_size"),
        ({"grid": {"temperature": [0.1, -1.0]}}, "cell 'temperature=-1.0/seed-0'.*temperature"),
        ({"gamma": 0.9}, "cell 'seed-0'.*here it is discount="),
        ({"steps": None}, "steps"),
        ({"env": "No-v0"}, "No-v0"),
        ({"algorithm": "sacc"}, "sacc"),
        ({"jobs": 0}, "jobs = 0"),
        ({"cluster": "slurm"}, "cluster = 'slurm'; give dask:ADDRESS"),
        ({"folder": "a\0b"}, "NUL"),
        ({"report": 3}, "report = 3 is no function"),
    ],
)
def test_wrong_settings_begin_nothing(given, words):
    with pytest.raises(ConfigError, match=words):
        maxent.sweep(**TASK | {"folder": "sweep"} | given)
    assert not list(Path().iterdir())


def test_steps_are_needed():
    task = {name: value for name, value in TASK.items() if name != "steps"}
    with pytest.raises(ConfigError, match="it has no steps"):
        maxent.sweep(**task, folder="sweep")


@pytest.mark.parametrize(
    "given, words",
    [
        ({"temperatures": [-1.0]}, "temperature"),
        ({"temperatures": "1:2"}, "LOW:HIGH:COUNT"),
        ({"temperatures": []}, "give a list"),
        ({"env": "no-map"}, "no-map"),
        ({"discont": 0.9}, "discont"),
    ],
)
def test_wrong_tradeoffs_begin_nothing(given, words):
    with pytest.raises(maxent.MaxEntError, match=words):
        maxent.sweep(**EXACT | {"folder": "sweep"} | given)
    assert not list(Path().iterdir())


def test_what_is_no_run_is_left_alone():
    Path("sweep/seed-0").mkdir(parents=True)
    Path("sweep/seed-0/notes.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="is no training run"):
        maxent.sweep(**TASK, folder="sweep")
    Path("front").mkdir()
    Path("front/tradeoff.json").write_text("{}")
    with pytest.raises(OutputExistsError, match="is no cell of a sweep"):
        maxent.sweep(**EXACT, folder="front")
    with pytest.raises(ConfigError, match="is no folder"):
        maxent.sweep(**TASK, folder="front/tradeoff.json")
    assert len(files()) == 2


# what is done, and what goes on


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of two seeds that is done."""
    folder = tmp_path_factory.mktemp("done") / "sweep"
    return maxent.sweep(**TASK, folder=folder, seeds="0:2")


def test_a_cell_is_the_run_alone(swept):
    assert swept.done and repr(swept).endswith("2 cells: 2 done)")
    arguments = {name: value for name, value in TASK.items() if name != "jobs"}
    maxent.train(**arguments, seed=1, run="alone", threads=1)
    ours, alone = load(swept.runs[1]).tensors, load(Path("alone")).tensors
    assert ours.keys() == alone.keys() and all(torch.equal(ours[x], alone[x]) for x in alone)
    assert [len(group.runs) for group in swept.comparison().groups] == [2]
    assert "sql_discrete" in str(swept)


def test_what_is_done_is_skipped_and_more_is_added(swept, tmp_path):
    shutil.copytree(swept.folder, tmp_path / "sweep")
    before = files()
    told = []
    again = maxent.sweep(**TASK, folder="sweep", seeds="0:2", report=told.append)
    assert again.done and files() == before and told == []
    more = maxent.sweep(**TASK, folder="sweep", seeds=[0, 1, 5], report=told.append)
    assert more.done and [cell.name for cell in told] == ["seed-5"]
    planned = maxent.sweep(**TASK, folder="sweep", seeds="0:4", dry_run=True)
    assert [cell.status for cell in planned.cells] == ["done", "done", "waiting", "waiting"]


def test_other_settings_are_refused(swept, tmp_path):
    before = files(swept.folder)
    for change in (
        {"batch_size": 5},
        {"steps": 80},
        {"env_settings": {"map": "S..G", "discount": 0.9}},
    ):
        with pytest.raises(ResumeMismatchError, match=rf"seed-0.*{next(iter(change))}.*->"):
            maxent.sweep(**TASK | change, folder=swept.folder, seeds="0:2")
    assert files(swept.folder) == before


def test_a_run_that_was_compiled_is_not_another_run(swept, tmp_path, monkeypatch):
    recorded = maxent.neural.training.recorded_configuration
    compiled = lambda run: recorded(run) | {"compile": True}  # noqa: E731
    monkeypatch.setattr("maxent.neural.training.recorded_configuration", compiled)
    assert maxent.sweep(**TASK, folder=swept.folder, seeds="0:2", dry_run=True).done
    with pytest.raises(ResumeMismatchError, match="compile: True -> False"):
        maxent.sweep(**TASK, compile=False, folder=swept.folder, seeds="0:2", dry_run=True)


def test_a_run_that_was_cut_goes_on(swept):
    Path("sweep").mkdir()
    settings = TASK | {"checkpoint_every": 20}
    rows = []

    def stop(row):
        rows.append(row)
        return len(rows) < 2

    arguments = {name: value for name, value in settings.items() if name != "jobs"}
    maxent.train(**arguments, seed=1, run="sweep/seed-1", threads=1, report=stop)
    found = maxent.sweep(**settings, folder="sweep", seeds="1:2")
    assert found.done
    ours, whole = load(found.runs[0]).tensors, load(swept.runs[1]).tensors
    assert all(torch.equal(ours[x], whole[x]) for x in whole)


def test_a_cell_that_fails_leaves_the_others(monkeypatch):
    train = maxent.train

    def sometimes(*arguments, seed, **settings):
        if seed == 1:
            raise RuntimeError("no luck")
        return train(*arguments, seed=seed, **settings)

    monkeypatch.setattr(maxent, "train", sometimes)
    found = maxent.sweep(**TASK, folder="sweep", seeds="0:3")
    assert [cell.status for cell in found.cells] == ["done", "failed", "done"]
    assert "seed-1 failed: RuntimeError: no luck" in str(found) and not found.done
    assert len(found.runs) == 2


def test_warnings_are_told_with_their_cell():
    with pytest.warns(MaxEntWarning, match=r"^seed-0: .*learning_starts"):
        maxent.sweep(**TASK | {"learning_starts": 500}, folder="sweep")


def test_a_run_of_another_process_is_left_to_it(swept, tmp_path):
    from maxent.neural.runs import Run

    shutil.copytree(swept.folder, tmp_path / "sweep")
    shutil.rmtree("sweep/seed-1/checkpoints")
    with Run.open("sweep/seed-1"):
        found = maxent.sweep(**TASK, folder="sweep", seeds="0:2")
    assert [cell.status for cell in found.cells] == ["done", "elsewhere"]
    assert "1 being worked on by another process" in str(found)


def test_nothing_done_is_nothing_to_compare():
    planned = maxent.sweep(**TASK, folder="sweep", dry_run=True)
    with pytest.raises(ConfigError, match="nothing to compare yet"):
        planned.comparison()
    assert str(planned) == "1 cell: 1 not begun" and not Path("sweep").exists()


# trade-offs


def test_tradeoffs():
    task = EXACT | {"env": ["two-goals", "gym:FrozenLake-v1"], "temperatures": [0.1, 1.0, np.inf]}
    found = maxent.sweep(**task, grid={"discount": [0.5, 0.9]}, folder="fronts")
    fronts = found.tradeoffs()
    assert list(fronts)[2] == "gym-FrozenLake-v1_discount=0.5" and len(fronts) == 4
    mdp = maxent.from_gymnasium("FrozenLake-v1", discount=0.5)
    exact = maxent.tradeoff(mdp, [0.1, 1.0, np.inf])
    points = fronts["gym-FrozenLake-v1_discount=0.5"]["points"]
    assert [point["return"] for point in points] == exact.returns.tolist()
    assert str(found).count("\n") > 12
    before = files()
    assert maxent.sweep(**task, grid={"discount": [0.5, 0.9]}, folder="fronts").done
    assert files() == before
    with pytest.raises(ResumeMismatchError, match="other settings"):
        changed = {**task, "temperatures": [0.2]}
        maxent.sweep(**changed, grid={"discount": [0.5, 0.9]}, folder="fronts")


def test_mdps_from_files():
    mdp = maxent.gridworld("S.G", discount=0.9)
    mdp.save("own.npz")
    Path("own.txt").write_text("S.G\n")
    found = maxent.sweep(
        "tradeoff", ["own.npz", "own.txt"], temperatures="0.1:1:2", discount=0.9, jobs=1, folder="f"
    )
    one, other = found.tradeoffs().values()
    assert one["points"] == other["points"] and len(one["points"]) == 2


# files and commands


def toml(text, name="task.toml"):
    Path(name).write_text(text)
    return name


SWEEP = '[sweep]\nalgorithm = "sac"\nenv = "Pendulum-v1"\n'


@pytest.mark.parametrize(
    "text, words",
    [
        ("[sweep", "is no TOML"),
        ("a = 1\na = 2", "is no TOML"),
        ("[swep]", "did you mean 'sweep'"),
        ("sweep = 3", r"sweep must be a table, \[sweep\]"),
        ('[sweep]\nalgorithm = "sac"', "does not say its env"),
        (SWEEP + "seed = 3", r"\[sweep\] has no 'seed'; did you mean 'seeds'"),
        (SWEEP + "jobs = 2", r"\[sweep\] has no 'jobs'; it is said with the command, --jobs, or"),
        (SWEEP + "[settings]\nseeds = [1]", r"\[settings\]: seeds is no setting of a cell"),
        (SWEEP + "[settings]\ndry_run = true", r"\[settings\]: dry_run is no setting of a cell"),
        (SWEEP + "[settings]\nprogress = true", r"\[settings\]: progress belongs to one training"),
        (SWEEP + "steps = 3\n[settings]\nsteps = 4", r"gives steps in \[sweep\] and in \[settings"),
        (SWEEP + "steps = 3\n[grid]\nsteps = [4]", r"gives steps in \[sweep\] and in \[grid\]"),
    ],
)
def test_wrong_files(text, words, capsys):
    with pytest.raises(ConfigError, match=words):
        maxent.read_sweep(toml(text))
    assert main(["sweep", "task.toml"]) == 2
    assert "maxent: error: " in capsys.readouterr().err
    assert list(Path().iterdir()) == [Path("task.toml")]


def test_a_file_says_what_python_says():
    Path("x").mkdir()
    text = SWEEP + 'seeds = "0:2"\nsteps = 9\n[settings]\nhidden = [4]\n[grid]\nbatch_size = [1, 2]'
    assert maxent.read_sweep(toml(text, "x/task.toml")) == {
        **{"algorithm": "sac", "env": "Pendulum-v1", "seeds": "0:2", "steps": 9, "hidden": [4]},
        **{"grid": {"batch_size": [1, 2]}, "folder": Path("x/task")},
    }
    assert maxent.read_sweep(toml(SWEEP + 'folder = "runs"'))["folder"] == Path("runs")
    with pytest.raises(ConfigError, match="no file is called"):
        maxent.read_sweep("absent.toml")


def test_the_commands(capsys):
    common = ["--steps", "120", "--set", "hidden=4", "--set", "batch_size=4", "--jobs", "1"]
    common += ["--env-option", "map=S.G", "--env-option", "discount=0.9", "--log-every", "40"]
    common += ["--set", "learning_starts=10"]
    train = ["train", "sql", "--env", "maxent/Gridworld-v0", *common]
    assert main([*train, "--seeds", "0,3", "--run", "many"]) == 0
    said = capsys.readouterr().out
    assert "seed-0: done" in said and "2 cells: 2 done" in said and Path("many/curves.png").exists()
    assert {path.name for path in Path("many").iterdir()} == {"seed-0", "seed-3", "curves.png"}
    for wrong, words in [
        (["--seeds", "0:2"], "--seeds needs a --run"),
        (["--seeds", "0:2", "--seed", "4", "--run", "x"], "exclude each other"),
        (["--seeds", "0:2", "--overwrite", "--run", "x"], "--overwrite is for one run"),
        (["--seeds", "2", "--run", "many/seed-0/x/y", "--set", "hidden=a"], "hidden"),
        (["--run", "x"], "--jobs is for many runs"),
    ]:
        assert main([*train, *wrong]) == 2
        assert words in capsys.readouterr().err
    text = '[sweep]\nalgorithm = "tradeoff"\nenv = ["two-goals"]\n[settings]\ntemperatures = [0.1]'
    assert main(["sweep", toml(text), "--list"]) == 0
    assert "waiting" in capsys.readouterr().out and not Path("task").exists()
    assert main(["sweep", "task.toml", "--run", "out", "--jobs", "1"]) == 0
    assert "wrote " in capsys.readouterr().out
    assert json.loads(Path("out/tradeoff.json").read_text())["format"] == "maxent-sweep-tradeoff-1"


@pytest.mark.slow
def test_two_processes_share_a_sweep():
    """As the tasks of a job array do."""
    text = f'{SWEEP}steps = 400\nseeds = "0:6"\n[settings]\nhidden = [8]\nlearning_starts = 50\n'
    command = [sys.executable, "-m", "maxent", "sweep", toml(text), "--jobs", "1"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in both]
    worked = [
        {line.split(":")[0] for line in text.splitlines() if ": done, " in line} for text in said
    ]
    assert worked[0] | worked[1] == {f"seed-{seed}" for seed in range(6)}
    assert worked[0] and worked[1]
    assert main(["sweep", "task.toml"]) == 0
