"""The package as a whole: what imports what, what an import costs, what the public names are."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import maxent

ROOT = Path(maxent.__file__).parent

GUIDE = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROOMS = re.findall(r"^\| `(\w+)` \|", GUIDE, re.M)  # from the ground up
HEAVY_ONLY_IN = {  # library: the only rooms that may import it
    "matplotlib": ["plots"],
    "gymnasium": ["environments", "continuous.environments", "neural"],
    "pandas": ["support.frames"],
    "flint": ["proofs.balls", "proofs.checker"],
    "torch": ["neural", "support.devices", "tabular.solvers.engines"],
    "numba": ["tabular.solvers.engines"],
}


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def imports(path):
    """Every module a file imports, at whatever depth of the code, absolute names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts(module):
    """The folders and the file of a module's name, from the top on."""
    return tuple(module.removesuffix(".__init__").split("."))


def test_the_picture_of_the_house_shows_every_room():
    files = {path.stem for path in ROOT.glob("*.py")}
    folders = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert sorted(ROOMS) == sorted((folders | files) - {"__init__", "__main__"})
    assert len(folders) <= 18 and len(files) <= 6


def test_imports_point_down():
    order = {name: number for number, name in enumerate([*ROOMS, "__main__"])}
    assert not [
        f"{name} -> {target}"
        for name, path in modules()
        for target in imports(path)
        if target.startswith("maxent.") and name != "__init__"
        if order.get(parts(target)[1], -1) > order[parts(name)[0]]
    ]


def test_no_circles_at_any_level():
    """Files and folders that lie beside each other import one another in one direction only."""
    beside = {}
    for name, path in modules():
        here = ("maxent", *parts(name))
        for there in map(parts, imports(path)):
            same = [a == b for a, b in zip(here, there, strict=False)]
            level = same.index(False) if False in same else 0
            if level:
                beside.setdefault(here[:level], {}).setdefault(here[level], set()).add(there[level])
    for folder, arrows in beside.items():
        TopologicalSorter(arrows).prepare()  # CycleError names the circle
        assert arrows, folder


def test_the_exact_half_is_told_from_the_ground_up():
    page = ast.get_docstring(ast.parse((ROOT / "tabular" / "__init__.py").read_text()))
    ground = ["arrays", "products", "linear_systems"]  # told beside the operators
    order = ground + re.findall(r"^`(\w+)/?`", page, re.MULTILINE)
    arrows = {
        (parts(name)[1], parts(target)[2])
        for name, path in modules()
        for target in imports(path)
        if parts(name)[0] == "tabular" and len(parts(name)) > 1
        if target.startswith("maxent.tabular.")
    }
    assert not [(here, there) for here, there in arrows if order.index(here) < order.index(there)]


def test_both_halves_stand_apart_but_for_the_diagnostics():
    exact = ("maxent.tabular", "maxent.theorems", "maxent.continuous")
    for name, path in modules():
        seen = tuple(imports(path))
        if name.startswith("neural") and not name.startswith("neural.diagnostics"):
            assert not [target for target in seen if target.startswith(exact)], name
        if f"maxent.{name}".startswith(exact):
            assert not [target for target in seen if target.startswith("maxent.neural")], name


def test_heavy_libraries_stay_where_they_are_used():
    wrong = [
        f"{name} imports {target}"
        for name, path in modules()
        for target in imports(path)
        if (allowed := HEAVY_ONLY_IN.get(target.partition(".")[0])) is not None
        and not any(name == place or name.startswith(place + ".") for place in allowed)
    ]
    assert not wrong


def test_no_file_runs_what_it_reads():
    """No pickle, no eval: nothing that a file contains is ever executed."""
    banned = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
    for name, path in modules():
        assert not banned & {target.partition(".")[0] for target in imports(path)}, name
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func
                word = getattr(called, "id", getattr(called, "attr", ""))
                assert not (isinstance(called, ast.Name) and word in {"eval", "exec"}), name
                for keyword in node.keywords:
                    risky = keyword.arg in {"allow_pickle", "shell"}
                    value = getattr(keyword.value, "value", None)
                    assert not (risky and value is not False), name


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_maxent_imports_next_to_nothing():
    loaded = run("import sys, maxent; print(*sorted(sys.modules))").split()
    heavy = {
        "numpy",
        "scipy",
        "matplotlib",
        "torch",
        "gymnasium",
        "numba",
        "pandas",
        "flint",
    }
    assert not heavy & set(loaded)


def test_solving_needs_neither_figures_nor_environments():
    code = """
import sys, maxent
maxent.solve(maxent.gridworld("four-rooms", discount=0.9), 0.1)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    loaded = set(run(code).split())
    assert not {"matplotlib", "torch", "gymnasium", "pandas"} & loaded


def test_every_public_name_resolves_and_is_documented():
    for name in maxent.__all__:
        value = getattr(maxent, name)
        if callable(value):
            assert (value.__doc__ or "").strip(), name
    assert set(maxent.__all__) <= set(dir(maxent))
    with pytest.raises(AttributeError, match="no attribute 'value_mep'; did you mean 'value_map'"):
        maxent.plots.value_mep  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'solv'; did you mean 'solve'"):
        _ = maxent.solv
    star = {}
    exec("from maxent import *", star)
    assert "solve" in star


def test_an_environment_is_registered_once_gymnasium_is_there():
    for order in ("import gymnasium, maxent", "import maxent, gymnasium"):
        code = f"""
{order}
mdp = maxent.gridworld("four-rooms", discount=0.9)
env = gymnasium.make("maxent/MDP-v0", mdp=mdp)
print(env.reset(seed=1)[0] in env.observation_space)
"""
        assert run(code) == "True"


def test_the_guide_for_contributors_names_files_that_exist():
    named = re.findall(r"`((?:maxent|docs|tests)/[\w./]*)`", GUIDE)
    assert len(named) > 20
    assert [path for path in named if not (ROOT.parent / path).exists()] == []


def test_the_floor_is_what_pyproject_declares():
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    declared = list(project["dependencies"])
    for extra in ("neural", "fast", "rigorous", "data"):
        declared += project["optional-dependencies"][extra]
    floors = Path("constraints-floor.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in floors if "==" in line)
    assert set(pinned) == {re.match(r"[\w-]+", text)[0] for text in declared}
    for text in declared:
        name, lowest = text.split(">=")
        assert (pinned[name] + ".0").startswith(lowest + "."), text
