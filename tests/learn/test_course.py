"""`maxent learn`: notebooks copied, progress kept, classes graded."""

import csv
import json
from pathlib import Path

import nbformat
import pytest

from maxent import learn
from maxent.cli import main
from maxent.learn import progress
from maxent.learn.course import notebook_files
from maxent.learn.grading import course_name, learner_of
from maxent.learn.registry import sheets


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def says(capsys):
    def run(*words):
        code = main(["learn", *words])
        out, err = capsys.readouterr()
        return code, out + err

    return run


def test_the_learners_and_the_solutions_have_the_same_names():
    assert list(notebook_files()) == list(notebook_files(solutions=True))
    assert set(sheets()) <= set(notebook_files())


def test_the_notebooks_are_copied_and_a_learners_work_is_kept(says):
    code, said = says("course")
    assert code == 0 and said.count("wrote ") >= len(notebook_files())
    mine = Path("course/03-soft-value-iteration.ipynb")
    mine.write_text("my work")
    Path("course/00-tour.ipynb").unlink()
    code, said = says("course")
    assert code == 0 and "wrote course/00-tour.ipynb" in said and "kept" in said
    assert mine.read_text() == "my work"
    assert says("course", "--overwrite")[0] == 0
    assert mine.read_bytes() == notebook_files()["03-soft-value-iteration"].read_bytes()


def test_solutions_are_copied_for_teachers(says):
    assert says("teacher", "--solutions")[0] == 0
    copied = Path("teacher/03-soft-value-iteration.ipynb").read_text()
    assert "learn.check_exercise" in copied and "return ..." not in copied


def test_a_folder_has_one_seed(says):
    assert says("course", "--seed", "7")[0] == 0
    code, said = says("course", "--seed", "8")
    assert code == 2 and "has the seed 7" in said
    assert says("course", "--seed", "8", "--overwrite")[0] == 0
    assert progress.read(Path("course"))["seed"] == 8


def test_words_and_folders(says):
    assert says("./status")[0] == 0 and Path("status/00-tour.ipynb").exists()
    assert "exercises left" in says("status", "status")[1]
    Path("empty").mkdir()
    for words, error in [
        (["status"], "holds no .progress.json"),
        (["grade"], "needs the FOLDER"),
        (["a", "b"], "'b' is one argument too many"),
        (["status", "--seed", "1"], "takes no --seed"),
        (["course", "--out", "g.csv"], "takes no --out"),
        (["grade", "nowhere"], "is not a folder"),
        (["grade", "empty"], "holds no notebook of the course"),
        (["grade", "empty", "--out", "grades.txt"], "must end in .csv"),
        (["no/such/place"], "does not exist"),
        (["stauts"], "'stauts' looks like status"),
        (["grades", "--seed", "7"], "'grades' looks like grade"),
    ]:
        code, said = says(*words)
        assert code == 2 and error in said, said
    assert not Path("course").exists()


def test_progress_is_recorded_where_there_is_a_record(says, monkeypatch):
    learn.check_exercise("3.1", sheets()["03-soft-value-iteration"].sweep)
    assert not Path(".progress.json").exists()
    says("course")
    monkeypatch.chdir("course")
    learn.check_exercise("3.1", lambda mdp, v, temperature: v)
    learn.check_exercise("3.1", ...)
    learn.check_exercise("3.1", sheets()["03-soft-value-iteration"].sweep)
    learn.check_exercise("3.1", lambda mdp, v, temperature: v)
    learn.quiz("3.a", "a")
    learn.quiz("3.a", "c")
    learn.reference("3.2")
    record = json.loads(Path(".progress.json").read_text())
    assert record["exercises"]["3.1"] == {
        "tries": 3, "right": True, "mistakes": ["no sweep", "no sweep"]
    }  # fmt: skip
    assert record["exercises"]["3.2"]["reference"] is True
    assert record["quizzes"]["3.a"] == {"tries": 2, "right": True}
    _, said = says("status")
    row = next(line for line in said.splitlines() if line.startswith("03-"))
    assert "1 of 3" in row and "1 of 1" in row


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "other"}', "\x00", "[" * 100_000])
def test_a_broken_record_is_told_and_left_alone(says, text):
    Path(".progress.json").write_text(text)
    code, said = says("status")
    assert code == 2 and "is not a record of progress" in said
    learn.quiz("3.a", "c")
    assert Path(".progress.json").read_text() == text


def test_which_notebook_and_whose(tmp_path):
    name = "03-soft-value-iteration"
    for path, learner in [
        (f"ada/{name}.ipynb", "ada"),
        (f"ada_{name}.ipynb", "ada"),
        (f"week 1/{name} (Noether).ipynb", "week 1/(Noether)"),
        (f"{name}.ipynb", tmp_path.name),
    ]:
        assert course_name(tmp_path / path) == name
        assert learner_of(tmp_path / path, tmp_path, name) == learner
    renamed = tmp_path / "homework.ipynb"
    renamed.write_bytes(notebook_files()[name].read_bytes())
    assert course_name(renamed) == name
    (tmp_path / "other.ipynb").write_text("{}")
    assert course_name(tmp_path / "other.ipynb") == ""


def notebook(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(made, path)


SWEEP = "def my_sweep(mdp, v, alpha): return maxent.soft_value(maxent.backup(mdp, v), alpha)"


@pytest.mark.notebook
@pytest.mark.filterwarnings("ignore")  # those of the notebook machinery
def test_a_class_is_graded_by_what_its_answers_do(says):
    name = "03-soft-value-iteration.ipynb"
    notebook(
        Path("class/ada") / name,
        "import maxent, numpy as np",
        SWEEP,
        "1 / 0",
        "def my_error_bound(v, after, discount): return np.abs(after - v).max()",
        "def my_bounds(mdp, v, alpha): return ...",
    )
    notebook(  # says that all is right, and is not
        Path("class/mallory") / name,
        "print('Right: all 14 numbers agree in 2 of 2 cases.')",
        "import maxent.learn as learn\nlearn.check_exercise = lambda *_: print('Right.')",
        "learn.check_exercise('3.1', None)",
        "def my_sweep(mdp, v, alpha):\n while True: pass",
        "def my_error_bound(v, after, discount): return 1 / 0",
        "my_bounds = [1, 2]",
    )
    notebook(
        Path("class/grace") / name, "import os, signal", "os.kill(os.getpid(), signal.SIGKILL)"
    )
    Path("class/broken").mkdir()
    Path("class/broken", name).write_text("{")
    notebook(
        Path("class/ian") / name,
        "def my_sweep(mdp, v, alpha):\n    return maxent.soft_value(",
        "my_error_bound = lambda *_: ...\n1 / 0",
        "my_bounds = ...",
        "my_bounds == 1 / 0",
    )
    notebook(Path("class/ian/homework.ipynb"), "pass")
    before = sorted(Path("class").rglob("*"))
    code, said = says("grade", "class", "--out", "grades.csv", "--timeout", "8")
    assert code == 0, said
    with open("grades.csv", newline="", encoding="utf-8") as file:
        rows = {(row["learner"], row["exercise"]): row for row in csv.DictReader(file)}
    found = {key: (row["verdict"], row["mistake"]) for key, row in rows.items()}
    assert found["ada", "3.1"] == ("right", "")
    assert found["ada", "3.2"] == ("wrong", "the change alone")
    assert found["ada", "3.3"] == ("not attempted", "")
    assert found["mallory", "3.1"] == ("did not run", "")
    assert "within 8 seconds" in rows["mallory", "3.1"]["words"]
    assert found["mallory", "3.2"] == ("wrong", "raises ZeroDivisionError")
    assert "ZeroDivisionError" in rows["mallory", "3.2"]["words"]
    assert found["mallory", "3.3"] == ("wrong", "no function")
    assert {found["grace", n][0] for n in ("3.1", "3.2", "3.3")} == {"did not run"}
    assert {found["broken", n][0] for n in ("3.1", "3.2", "3.3")} == {"did not run"}
    assert found["ian", "3.1"] == found["ian", "3.2"] == ("did not run", "")
    assert found["ian", "3.3"] == ("not attempted", "")
    assert "the cell of my_sweep raised SyntaxError" in rows["ian", "3.1"]["words"]
    assert "the cell of my_error_bound raised ZeroDivisionError" in rows["ian", "3.2"]["words"]
    assert sorted(Path("class").rglob("*")) == before
    assert "1 of 3" in said
    assert f"left out, not of the course by name or contents: {Path('ian/homework.ipynb')}" in said
    assert says("grade", "class", "--out", "grades.csv")[0] == 2  # it exists
