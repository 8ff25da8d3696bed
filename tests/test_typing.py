"""What a type checker and an editor see of `import maxent`."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import maxent

PACKAGE = Path(maxent.__file__).parent
STUB = PACKAGE / "__init__.pyi"
FILES = {
    "wrong": """
import maxent

mdp = maxent.gridworld("four-rooms", discount=0.9)
solution = maxent.solve(mdp, temprature=0.1)
print(solution.polciy)
""",
    "right": """
import numpy as np

import maxent
from maxent import plots

mdp: maxent.MDP = maxent.gridworld("four-rooms", slip=0.1, discount=0.9)
solution = maxent.solve(mdp, temperature=0.1, tolerance=1e-6)
probabilities: np.ndarray = solution.policy
report: maxent.Report = maxent.verify(mdp, temperature=0.1)
plots.save(maxent.plots.value_map(mdp, solution), "map.png")
maxent.testing.check_solver(maxent.solve).raise_if_failed()
try:
    maxent.maze(3, 3, seed=1)
except (maxent.MaxEntError, maxent.errors.ModelError):
    pass
""",
    "everything": "from maxent import *\n\nsolve(gridworld('four-rooms', discount=0.9), 0.1)\n",
    "revealed": "import maxent\n\n"
    + "".join(f"reveal_type(maxent.{name})\n" for name in maxent.__all__),
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """What mypy says of each file, line by line."""
    folder = tmp_path_factory.mktemp("typed")
    for name, text in FILES.items():
        (folder / f"{name}.py").write_text(text)
    root = PACKAGE.parent
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--hide-error-context", "--no-error-summary"),
            *("--config-file", root / "pyproject.toml", "--cache-dir", root / ".mypy_cache"),
            *(folder / f"{name}.py" for name in FILES),
        ],
        cwd=folder,
        env=os.environ | {"MYPYPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines, done.stdout + done.stderr
    kept = [line for line in lines if ": error:" in line or "Revealed type" in line]
    return {name: [line for line in kept if f"{name}.py:" in line] for name in FILES}


def test_a_misspelt_argument_and_a_misspelt_field_are_errors(complaints):
    assert len(complaints["wrong"]) == 2, complaints["wrong"]
    argument, field = complaints["wrong"]
    assert "wrong.py:5: error" in argument and '"temprature"' in argument
    assert "wrong.py:6: error" in field and 'no attribute "polciy"' in field


def test_right_calls_pass(complaints):
    assert complaints["right"] == complaints["everything"] == []


def test_every_public_name_has_its_own_type(complaints):
    kinds = dict(zip(maxent.__all__, complaints["revealed"], strict=True))
    assert [name for name, kind in kinds.items() if '"Any"' in kind] == []
    assert "(mdp: maxent.mdp.model.MDP, temperature: float" in kinds["solve"]
    assert "-> maxent.solution.Solution" in kinds["solve"]


def test_the_stub_is_the_table():
    """Read by the rules of Python, the stub says what `maxent` made of its lines."""
    stated = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name, f"{alias.name}: not re-exported"
                assert alias.name not in stated, f"{alias.name}: listed twice"
                stated[alias.name] = node.module
    assert sorted([*stated, "__version__"]) == maxent.__all__ == sorted(dir(maxent))
    for name, home in stated.items():
        value = getattr(maxent, name)
        if home == "maxent":
            assert value is importlib.import_module(f"maxent.{name}")
        else:
            assert value is getattr(importlib.import_module(home), name)


def test_types_are_shipped():
    assert (PACKAGE / "py.typed").is_file() and STUB.is_file()
