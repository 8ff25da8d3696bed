"""What the README and the docs tell people to type works, word for word."""

import ast
import re
import shlex
from pathlib import Path

import fresh
import pytest

from maxent import plots
from maxent.cli import main
from maxent.cli.commands import COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "notebooks"),
]
INCLUDED = {"index", "changes", "contributing", "security"}
"""The site's first page, and pages that only include a file from outside docs/."""
PYTHON = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
SHELL = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
"""What a test types; blocks that say bash take minutes, or a network."""
EXAMPLES = [page for page in PAGES if PYTHON.search(page.read_text(encoding="utf-8"))]
SMALL = [page for page in EXAMPLES if page.parent.name in ("theorems", "algorithms", "guides")]
WITH_CODE = [page for page in EXAMPLES if page not in SMALL]


@pytest.mark.parametrize("page", SMALL, ids=lambda page: page.name)
def test_the_examples_of_a_small_page_hold(page, tmp_path, monkeypatch):
    """Each asserts what it shows; all in this process, as they are many."""
    if page.name == "large.md":
        pytest.importorskip("numba")
    monkeypatch.chdir(tmp_path)
    text = page.read_text("utf-8")
    exec(compile("\n".join(PYTHON.findall(text)), page.name, "exec"), {})
    for command in "".join(SHELL.findall(text)).splitlines():
        assert main(shlex.split(command, comments=True)[1:]) == 0, command


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, tmp_path):
    code = "\n".join(PYTHON.findall(page.read_text(encoding="utf-8")))
    if page.name == "README.md":  # its agent succeeds: 0 is the random policy, 1 the optimal one
        code += "\nassert score > 0.98, score"
    assert fresh.run(code, tmp_path) == ""


def test_commands_and_python_of_the_readme_agree():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    python = set(re.findall(r'gridworld\("four-rooms", slip=([\d.]+)', readme))
    commands = re.findall(r"^maxent \w+ four-rooms (.*)$", readme, re.M)
    assert python == {"0.1"} and len(commands) == 3
    assert all("--slip 0.1 " in command for command in commands)


def test_the_commands_of_the_readme_run(tmp_path):
    blocks = SHELL.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("maxent ")]
    assert len(commands) >= 4
    for command in commands:
        code = f"from maxent.cli import main\nassert main({command.split()[1:]}) == 0"
        assert fresh.run(code, tmp_path) == "", command


def test_the_page_of_the_command_line_has_every_command():
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    first = set(re.findall(r"^maxent ([\w-]+) ?", page.partition("## ")[0], re.M))
    told = set(re.findall(r"^## ([\w-]+)$", page, re.M))
    assert set(COMMANDS) - first == set() and set(COMMANDS) - told == set()


def included(page):
    return page.parent.name == "docs" and page.stem in INCLUDED


def links(page):
    """The files that a page links, in words or in the list of a section."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        if "://" not in target:
            yield page.parent / target


def test_links_lead_somewhere():
    broken = [
        f"{page.name} links to {target}"
        for page in PAGES
        if not included(page)
        for target in links(page)
        if not target.exists()
    ]
    assert broken == []


def test_no_page_is_longer_than_a_reader_is_patient():
    """At most 3,000 words, tables and code included."""
    words = {page.name: len(page.read_text(encoding="utf-8").split()) for page in PAGES}
    assert {name: count for name, count in words.items() if count > 3_000} == {}


def test_every_page_is_reached_from_the_readme():
    reached, rest = set(), [ROOT / "README.md"]
    while rest:
        page = rest.pop().resolve()
        if page.suffix == ".md" and page not in reached:
            reached.add(page)
            rest += links(page)
    missing = [page.name for page in PAGES if page not in reached and not included(page)]
    assert missing == []


@pytest.mark.parametrize("name", ["sac", "sac_v1", "sac_discrete", "sql", "sql_discrete"])
def test_the_page_of_an_algorithm_explains_what_it_logs(name):
    tree = ast.parse((ROOT / "maxent" / "neural" / "algorithms" / f"{name}.py").read_text("utf-8"))
    (update,) = (f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == "update")
    (logged,) = (each.value for each in update.body if isinstance(each, ast.Return))
    page = (ROOT / "docs" / "algorithms" / f"{name}.md").read_text("utf-8")
    explained = re.findall(r"^\| `(\w+)` \|", page, re.M)
    assert sorted(key.value for key in logged.keys) == sorted(explained)


def test_every_figure_has_its_row():
    lines = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8").splitlines()
    rows = " ".join(line.split("|")[1] for line in lines if line.startswith("| `"))
    listed = set(re.findall(r"`(?:plots\.)?(\w+)", rows))
    assert set(plots.__all__) - listed == {"Figure"}
