"""The tour as a user takes it: its numbers against published ones, its figures, its exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maxent
from maxent import plots, tour
from maxent.cli import main
from maxent.tour import figures, published, solving
from maxent.tour.problems import TourProblem

PRINTED = {
    ("gym:FrozenLake-v1", 0.0): 0.5420259320,
    ("gym:FrozenLake-v1", 0.1): 2.4710324780,
    ("gym:FrozenLake-v1", 0.01): 0.5989242013,
    ("gym:CliffWalking-v1", 0.0): -12.2478977,
    ("gym:CliffWalking-v1", 0.1): -12.2478482457,
    ("frozen-lake-8x8", 0.0): 0.4146403618,
    ("russell-norvig-4x3", 0.0): 0.705,
}
"""Values at the start, as printed."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """The tour, taken once: its folder, what it printed, its record, its seconds."""
    folder = tmp_path_factory.mktemp("tour") / "out"
    printed, began = io.StringIO(), time.process_time()
    with contextlib.redirect_stdout(printed):
        code = main(["tour", "--out", str(folder)])
    assert code == 0, printed.getvalue()
    record = json.loads((folder / "tour.json").read_text())
    return folder, printed.getvalue(), record, time.process_time() - began


def test_everything_agreed_in_time(taken):
    _, printed, record, seconds = taken
    assert record["passed"] is True and record["failures"] == []
    assert "everything agreed" in printed and "FAILED" not in printed
    assert seconds < 180


def test_values_at_the_start(taken):
    found = {}
    for solved in taken[2]["solved"]:
        solution = solved["solution"]
        key = (solved["mdp"]["name"], solution["temperature"])
        found.setdefault(key, (solution["value_at_start"], solution["error_bound"]))
    for key, printed in PRINTED.items():
        decimals = len(str(printed).partition(".")[2])
        value, error = found[key]
        assert abs(value - printed) <= 0.5 * 10.0**-decimals + error, key


def test_every_problem_is_solved_by_every_solver_within_bounds(taken):
    solved = taken[2]["solved"]
    assert len(solved) == sum(len(problem.temperatures) for problem in tour.PROBLEMS)
    for record in solved:
        solution = record["solution"]
        v, lower, upper = (np.array(solution[name]) for name in ("v", "lower", "upper"))
        assert (lower <= v).all() and (v <= upper).all()
        assert record["solvers_agree"] and len(record["solvers"]) == 3
        for solver in record["solvers"]:
            assert solver["difference"] <= solver["error_bound"] + solution["error_bound"]


def test_published_values(taken):
    published = taken[2]["published"]
    values = [value for record in published for value in record["values"]]
    assert len(values) == 47 and all(value["agrees"] for value in values)
    at = {
        (record["mdp"], record["policy"], record["temperature"], tuple(value["cell"])): value
        for record in published
        for value in record["values"]
    }
    top = at["sutton-barto-5x5", "optimal", 0.0, (0, 1)]
    assert abs(top["computed"] - 10.0 / (1.0 - 0.9**5)) < 1e-9
    assert abs(at["sutton-barto-5x5", "optimal", 1.0, (0, 1)]["computed"] - 28.87074732) < 1e-9
    assert abs(at["russell-norvig-4x3", "optimal", 0.0, (2, 3)]["computed"] - 0.388) < 5e-4
    assert abs(at["sutton-barto-4x4", "uniform", None, (0, 3)]["computed"] + 22.0) < 1e-9


def test_theorems_held(taken):
    theorems, printed = taken[2]["theorems"], taken[1]
    assert all(record["passed"] for record in theorems) and len(theorems) == 5
    keys = {check["key"] for record in theorems for check in record["checks"]}
    assert {"SQL-T1", "SQL-T2", "SQL-T3", "SQL-T4", "SAC-L1", "SAC-L2", "SAC-T1"} <= keys
    for key in keys:
        (line,) = [line for line in printed.splitlines() if line.startswith(f"{key} ")]
        assert line.endswith("holds") or line.endswith("not applicable")


def test_figures_are_images(taken):
    folder, _, record, _ = taken
    drawn = [figure["file"] for figure in record["figures"]]
    assert sorted([*drawn, "tour.json"]) == names(folder)
    assert len(drawn) == len(tour.FIGURES)
    for name in drawn:
        with Image.open(folder / name) as image:
            pixels = np.asarray(image.convert("L"))
        assert min(pixels.shape) > 250 and pixels.std() > 5.0, name


def test_errors_stay_below_their_bounds(taken):
    curves = taken[2]["convergence"]
    assert {curve["method"] for curve in curves} >= {
        "soft value iteration",
        "soft policy iteration",
    }
    for curve in curves:
        errors = np.array(curve["errors"])[1:]
        certified = np.array(curve["certified"][1:], dtype=float)
        assert (errors <= certified + curve["reference_error"]).all()
    newton = [curve for curve in curves if curve["method"] == "soft policy iteration"]
    assert newton[0]["order"] > 1.7


def test_the_tables_fit_a_terminal(taken):
    lines = [line for line in taken[1].splitlines() if str(taken[0]) not in line]
    assert max(map(len, lines)) <= 80


def test_the_record_names_its_versions(taken):
    assert taken[2]["versions"]["maxent"] == maxent.__version__
    assert {"python", "numpy", "scipy"} <= taken[2]["versions"].keys()


def test_a_second_tour_needs_overwrite(taken, capsys):
    folder = taken[0]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["tour", "--out", str(folder)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_with_other_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["tour", "--out", str(tmp_path)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert names(tmp_path) == ["mine.txt"]


@pytest.fixture
def short(monkeypatch):
    """A tour of one problem."""
    monkeypatch.setattr(tour, "PROBLEMS", (TourProblem("two-goals", (0.0, 0.1)),))
    monkeypatch.setattr(tour, "PUBLISHED", tour.PUBLISHED[:1])
    monkeypatch.setattr(tour, "VERIFIED", ())
    drawing = figures.Drawing(
        "values.png", "values", figures._one(plots.value_map, "two-goals", 0.1)
    )
    monkeypatch.setattr(tour, "FIGURES", (drawing,))


def test_overwriting_replaces_and_leaves_other_files(short, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "tour.json").write_text("old")
    assert main(["tour", "--out", str(tmp_path), "--overwrite"]) == 0
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert json.loads((tmp_path / "tour.json").read_text())["format"] == "maxent-tour-1"


def test_a_published_value_that_differs_exits_with_1(short, monkeypatch, tmp_path, capsys):
    wrong = published.Published("wrong", "russell-norvig-4x3", None, 0.0, 3, ((0.813,),))
    monkeypatch.setattr(tour, "PUBLISHED", (wrong,))
    assert main(["tour", "--out", str(tmp_path / "out")]) == 1
    out = capsys.readouterr().out
    assert "FAILED: wrong (russell-norvig-4x3) differs" in out
    record = json.loads((tmp_path / "out" / "tour.json").read_text())
    assert record["passed"] is False and len(record["failures"]) == 1


def test_a_theorem_that_fails_exits_with_1(short, monkeypatch, tmp_path, capsys):
    check = maxent.Check("SQL-T2", "x", "y", "z", (), -1.0, 1e-9, {}, "fails")
    monkeypatch.setattr(tour, "VERIFIED", (TourProblem("two-goals", (0.1,)),))
    monkeypatch.setattr(maxent, "verify", lambda *_: maxent.Report((check,)), raising=False)
    assert main(["tour", "--out", str(tmp_path / "out")]) == 1
    assert "DOES NOT" in capsys.readouterr().out


def test_solvers_that_disagree_exit_with_1(short, monkeypatch, tmp_path, capsys):
    def wrong(mdp, temperature):
        return maxent.soft_value_iteration(mdp, temperature + 0.01)

    monkeypatch.setitem(solving.SOLVERS, "VI", wrong)
    assert main(["tour", "--out", str(tmp_path / "out")]) == 1
    assert "solvers disagree" in capsys.readouterr().out


def test_a_failure_in_the_middle_leaves_whole_files(short, monkeypatch, tmp_path, capsys):
    def broken(_):
        raise OSError(28, "No space left on device")

    drawing = figures.Drawing("never.png", "nothing", broken)
    monkeypatch.setattr(tour, "FIGURES", (*tour.FIGURES, drawing))
    assert main(["tour", "--out", str(tmp_path / "out")]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert names(tmp_path / "out") == ["values.png"]


def test_the_default_folder(short, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["tour"]) == 0
    assert Path("tour-output/tour.json").exists()
    assert "tour-output/" in capsys.readouterr().out
