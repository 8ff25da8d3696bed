"""Grades: every notebook is run in a kernel of its own, and its answers are checked here.

Nothing that a notebook printed counts.  In the kernel, `answer_of` runs the learner's function on
cases that the learner has not seen and writes what came out as JSON; the verdict is made in the
grader's process.  The learner's folder is not touched.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from maxent.errors import ConfigError
from maxent.learn import progress
from maxent.learn.exercise import Exercise
from maxent.learn.judging import HandedIn, Verdict, hand_in, verdict_on
from maxent.learn.registry import exercise, sheets
from maxent.support.extras import optional_module
from maxent.support.files import write_whole
from maxent.support.tables import table


@dataclass(frozen=True)
class Grade:
    """One exercise of one notebook file.

    learner: the folder, or what the file's name has beside the notebook's.
    verdict: "right", "wrong", "not attempted", or "did not run" where the kernel died, or the cell
        with the answer raised an error before there was one.
    """

    learner: str
    notebook: str
    exercise: str
    verdict: str
    mistake: str
    words: str
    seed: int
    file: str


def grade(folder: str | os.PathLike[str], *, timeout: float = 60.0) -> list[Grade]:
    """A grade for each exercise of each notebook of the course in a folder and below.

    timeout: seconds that one cell, or one exercise, may take.
    Raises ConfigError where there is no such folder or no notebook in it, MissingExtraError
    without nbclient.  It runs the code of the notebooks.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ConfigError(f"{str(folder)!r} is not a folder")
    found = [(path, name) for path in _notebooks(root) if (name := course_name(path))]
    if not found:
        names = ", ".join(list(sheets())[:3])
        raise ConfigError(f"{str(folder)!r} holds no notebook of the course ({names}, ...)")
    optional_module("ipykernel", "grading needs")
    client = optional_module("nbclient", "grading needs")
    return [
        each
        for path, name in tqdm(found, disable=None, unit="notebook")
        for each in _grades_of(client, path, name, learner_of(path, root, name), timeout)
    ]


def left_out(folder: str | os.PathLike[str]) -> list[str]:
    """The notebooks in a folder and below that are none of the course, by neither their name nor
    what they say of themselves."""
    root = Path(folder)
    return [str(path.relative_to(root)) for path in _notebooks(root) if not course_name(path)]


def _notebooks(root: Path) -> list[Path]:
    paths = sorted(root.rglob("*.ipynb"))
    return [path for path in paths if ".ipynb_checkpoints" not in path.parts and path.is_file()]


def course_name(path: Path) -> str:
    """Which notebook of the course a file is, by its name or by what it says of itself; or ""."""
    by_name = [name for name in sheets() if name in path.stem]
    if by_name:
        return by_name[0]
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["metadata"]["maxent"]["notebook"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return said if said in sheets() else ""


def learner_of(path: Path, root: Path, name: str) -> str:
    """Whose notebook it is: its folder below `root`, or the rest of its file's name."""
    below = path.parent.relative_to(root).as_posix()
    rest = re.sub(r"^[-_ .]+|[-_ .]+$", "", path.stem.replace(name, ""))
    parts = [part for part in (below if below != "." else "", rest) if part]
    return "/".join(parts) or root.resolve().name


def _grades_of(client: Any, path: Path, name: str, learner: str, timeout: float) -> list[Grade]:
    """The grades of one file."""
    seed = _seed_beside(path)
    asked = sheets()[name].EXERCISES
    verdicts = _verdicts(client, path, asked, seed, timeout)
    return [
        Grade(learner, name, each.number, kind, mistake, words, seed, str(path))
        for each, (kind, mistake, words) in zip(asked, verdicts)
    ]


def _seed_beside(path: Path) -> int:
    """The seed of the learner's variants."""
    try:
        record = progress.read(path.parent)
    except ConfigError:
        return 0
    return 0 if record is None else int(record["seed"])


def _verdicts(
    client: Any, path: Path, asked: Sequence[Exercise], seed: int, timeout: float
) -> Iterable[tuple[str, str, str]]:
    nbformat = optional_module("nbformat", "grading needs")
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), 4)
        cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    except Exception as error:  # nbformat raises what it likes for a file that is no notebook
        return [("did not run", "", f"not a notebook: {error}")] * len(asked)
    with tempfile.TemporaryDirectory() as folder:
        progress.write(Path(folder), progress.new(seed))
        results = _run(client, cells, asked, seed, timeout, Path(folder))
    return [_judged(each, result, seed) for each, result in zip(asked, results)]


def _run(
    client: Any,
    cells: list[str],
    asked: Sequence[Exercise],
    seed: int,
    timeout: float,
    folder: Path,
) -> list[tuple[int, HandedIn | str]]:
    """What the notebook hands in for each exercise with the seed of its cases, or why nothing."""
    nbformat = optional_module("nbformat", "grading needs")
    results: list[tuple[int, HandedIn | str]] = []
    runner = client.NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=max(1, round(timeout)),
        interrupt_on_timeout=True,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=40"],  # what the kernel says of itself is no grade
    )

    def execute(source: str) -> str:
        """Run a cell; the error that it raised, or ""."""
        cell = nbformat.v4.new_code_cell(source)
        runner.nb.cells.append(cell)
        runner.execute_cell(cell, len(runner.nb.cells) - 1)
        raised = [each for each in cell.outputs if each.output_type == "error"]
        return f"{raised[0].ename}: {raised[0].evalue}" if raised else ""

    try:
        with runner.setup_kernel():
            raised = [(source, error) for source in cells if (error := execute(source))]
            for each in asked:
                # A value is asked for the learner's own seed; a function, for one never seen.
                own = seed if each.is_value else secrets.randbelow(2**31)
                target = folder / f"{secrets.token_hex(8)}.json"
                execute(
                    "from maxent.learn.grading import answer_of as _answer_of\n"
                    f"_answer_of(globals(), {each.number!r}, {own}, {str(target)!r})"
                )
                handed = _read(target, each, timeout)
                if isinstance(handed, HandedIn) and handed.blank:
                    handed = _why_blank(each.answer, raised) or handed
                results.append((own, handed))
    except client.exceptions.DeadKernelError:
        pass
    left = len(asked) - len(results)
    return results + [(seed, "the kernel died while the notebook ran")] * left


def _why_blank(answer: str, raised: Sequence[tuple[str, str]]) -> str:
    """The error of the cell in which an answer should have been made; "" where there was none."""
    makes = re.compile(rf"^\s*(def {answer}\b|{answer}\s*=[^=])", re.MULTILINE)
    errors = [error for source, error in raised if makes.search(source)]
    return f"the cell of {answer} raised {errors[-1]}" if errors else ""


def answer_of(names: dict[str, Any], number: str, seed: int, path: str) -> None:
    """In the learner's kernel: write what their answer to an exercise gives."""
    about = exercise(number)
    handed = hand_in(about, names.get(about.answer, ...), seed)
    plain = asdict(handed) | {"results": [_encoded(result) for result in handed.results]}
    with write_whole(path) as temporary:
        temporary.write_text(json.dumps(plain), encoding="utf-8")


def _encoded(result: Any) -> Any:
    """An array as its shape and its numbers; a text, or None, as it is."""
    if isinstance(result, np.ndarray):
        return {"shape": result.shape, "numbers": result.ravel().tolist()}
    return result


def _read(path: Path, about: Exercise, timeout: float) -> HandedIn | str:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        results = [
            np.array(each["numbers"], dtype=float).reshape(each["shape"])
            if isinstance(each, dict)
            else each
            for each in plain["results"]
        ]
        return HandedIn(**(plain | {"results": results}))
    except FileNotFoundError:
        return f"{about.answer} gave nothing within {timeout:g} seconds"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"what {about.answer} gave cannot be read: {error}"


def _judged(about: Exercise, result: tuple[int, HandedIn | str], seed: int) -> tuple[str, str, str]:
    own, handed = result
    if isinstance(handed, str):
        return "did not run", "", handed
    verdict: Verdict = verdict_on(about, handed, own)
    return verdict.kind, verdict.mistake, verdict.words


def write_grades(
    grades: Sequence[Grade], path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write grades as CSV, a row an exercise."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(Grade)])
    writer.writeheader()
    writer.writerows({k: _cell(v) for k, v in asdict(each).items()} for each in grades)
    with write_whole(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(text.getvalue().encode())


def _cell(value: Any) -> Any:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def summary(grades: Sequence[Grade]) -> str:
    """A line a learner and notebook: how many exercises are right."""
    rows: dict[tuple[str, str], list[str]] = {}
    for each in grades:
        rows.setdefault((each.learner, each.notebook), []).append(each.verdict)
    lines = [
        [learner, notebook, f"{verdicts.count('right')} of {len(verdicts)}", _others(verdicts)]
        for (learner, notebook), verdicts in rows.items()
    ]
    return table(["learner", "notebook", "right", "other"], lines)


def _others(verdicts: list[str]) -> str:
    counts = {kind: verdicts.count(kind) for kind in ("wrong", "not attempted", "did not run")}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
