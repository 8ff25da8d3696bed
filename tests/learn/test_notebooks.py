"""The notebooks are what their sources say, run from top to bottom, and keep to their size."""

import sys
import warnings
from html import escape
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from no_torch import HIDE_TORCH

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
sys.path.insert(0, str(NOTEBOOKS))
from build import built  # noqa: E402

TEXTS = built()
NAMES = {str(path.relative_to(NOTEBOOKS)): path for path in TEXTS}


def test_every_source_has_its_two_notebooks_and_no_other_lies_about():
    assert sorted(NOTEBOOKS.rglob("*.ipynb")) == sorted(TEXTS)
    assert len(TEXTS) == 2 * len(list((NOTEBOOKS / "sources").glob("*.py"))) > 0


def test_a_notebook_is_what_its_source_makes():
    stale = [name for name, path in NAMES.items() if path.read_text("utf-8") != TEXTS[path]]
    assert stale == [], "run: python notebooks/build.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_keeps_to_its_size(name):
    notebook = nbformat.reads(TEXTS[NAMES[name]], 4)
    words = sum(len(c.source.split()) for c in notebook.cells if c.cell_type == "markdown")
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    lines = sum(bool(line.strip()) for source in code for line in source.splitlines())
    assert len(notebook.cells) <= 25
    assert 400 <= words <= 900
    assert lines <= 120
    assert not any("# solution" in source or "# stub" in source for source in code)
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert prose.count("Predict, then run") >= 2
    assert 2 <= prose.count("**Exercise ") <= 3
    assert prose.startswith("# ")
    assert "{" + "math}" not in prose and ":::" not in prose  # no MyST: Jupyter shows it raw


@pytest.mark.notebook
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_in_silence_from_top_to_bottom(name):
    notebook = nbformat.reads(TEXTS[NAMES[name]], 4)
    if Path(name).name < "09":  # the first half needs no torch
        notebook.cells.insert(0, nbformat.v4.new_code_cell(HIDE_TORCH))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the notebook machinery, not of the notebook
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    assert [o.text for o in outputs if o.get("name") == "stderr"] == []
    said = "".join(o.text for o in outputs if o.get("name") == "stdout")
    if name.startswith("solutions"):
        assert "Not attempted" not in said and "Not quite" not in said
        assert said.count("Right") >= 2
    else:
        assert said.count("Not attempted") >= 2 and "Not quite" not in said
    drawn = [o for o in outputs if "image/png" in o.get("data", {})]
    assert drawn
    for output in drawn:  # JupyterLab and the site show the HTML, others the image
        words = output.metadata["image/png"]["alt"]
        assert "axis: " in words or " rows, " in words
        assert f'alt="{escape(words)}"' in output.data["text/html"]
