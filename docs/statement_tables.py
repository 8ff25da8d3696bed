"""The parts of the docs that are made from `maxent.theorems.statements`.

theory.md: the statements under each heading.  counterexamples.md: the table of hypotheses.
keys.md: where each key is stated, computed, checked, tested and told.  theorems/*.md: each key's
statement, hypotheses and clauses, between its marks.

    python docs/statement_tables.py            # which pages are out of date
    python docs/statement_tables.py --write    # bring them up to date
"""

from __future__ import annotations

import ast
import functools
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from maxent.proofs.clauses import CLAUSES as PROVABLE
from maxent.theorems import hypotheses
from maxent.theorems.counterexamples import ALL
from maxent.theorems.hypotheses import Hypothesis
from maxent.theorems.statements import CLAUSES, FAMILIES, STATEMENTS, Statement

DOCS = Path(__file__).parent
ROOT = DOCS.parent
TESTS = (ROOT / "tests" / "theorems", ROOT / "tests" / "proofs")
BEGIN, END = "<!-- from maxent/theorems/statements.py: begin -->", "<!-- end -->"


def pages() -> dict[Path, str]:
    """Each page, as it ought to be."""
    theory, examples = DOCS / "theory.md", DOCS / "counterexamples.md"
    theorems = sorted((DOCS / "theorems").glob("*.md"))
    return {
        **{page: _told(page.read_text()) for page in theorems},
        theory: _filled(theory.read_text(), _statements),
        examples: _filled(examples.read_text(), lambda heading: _hypotheses()),
        DOCS / "keys.md": _keys(),
        ROOT / "README.md": _front((ROOT / "README.md").read_text()),
    }


def _filled(text: str, made: Callable[[str], str]) -> str:
    """The page with each marked part made anew, from the heading above it."""
    parts = re.split(f"({re.escape(BEGIN)}.*?{re.escape(END)})", text, flags=re.DOTALL)
    for i in range(1, len(parts), 2):
        heading = re.findall(r"^#+ (.*)$", "".join(parts[:i]), re.M)[-1]
        parts[i] = f"{BEGIN}\n\n{made(heading)}\n\n{END}"
    return "".join(parts)


OF_A_KEY = re.compile(
    r"<!-- (\S+), from maxent/theorems/statements.py: begin -->.*?<!-- end -->", re.DOTALL
)


def _told(text: str) -> str:
    """The page of a theorem with the marked part of each key made anew."""

    def made(mark: re.Match[str]) -> str:
        first = mark[0].partition("\n")[0]
        return f"{first}\n\n{_statement(STATEMENTS[mark[1]])}\n\n{END}"

    return OF_A_KEY.sub(made, text)


@functools.cache
def page_of(key: str) -> str:
    """The page of docs/theorems that tells a key; "" if there is none."""
    for page in sorted((DOCS / "theorems").glob("*.md")):
        if key in OF_A_KEY.findall(page.read_text()):
            return f"theorems/{page.name}"
    return ""


def _statement(about: Statement) -> str:
    """Statement, source, hypotheses and clauses of a key."""
    text = re.sub(r"\]\((?=\w+\.md)", "](../", about.latex)
    functions = ", ".join(f"`{name}`" for name in about.functions)
    source = f"Source: {_escaped(about.source)}. Functions: {functions}."
    if test := test_of(about.key, "../../"):
        source += f" Test: {test}."
    assumed = [
        f"- {_escaped(each.words)} (test: {_test_of_hypothesis(each)}{_refusal(each)})"
        for each in about.hypotheses
    ]
    parts = [
        "\n".join(f"> {line}" for line in _wrapped(f"**{about.key}.** {text}").splitlines()),
        source,
        "It assumes:",
        "\n".join(assumed),
        _clause_table(about),
    ]
    return "\n\n".join(parts)


def _clause_table(about: Statement) -> str:
    own = [clause for clause in CLAUSES if clause.key == about.key]
    extra = [each.hypotheses[len(about.hypotheses) :] for each in own]
    cells = [
        [
            each.name,
            _escaped(each.statement),
            *[_escaped("; ".join(more.words for more in also))] * any(extra),
            _file_link(each.cases),
        ]
        for each, also in zip(own, extra)
    ]
    header = ["clause", "what is checked", *["assumes also"] * any(extra), "check"]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *cells))


def _test_of_hypothesis(hypothesis: Hypothesis) -> str:
    """The name under which a hypothesis stands, with its file."""
    for family in (hypotheses, *FAMILIES.values()):
        for name, value in vars(family).items():
            if value is hypothesis and name.isupper():
                path = Path(inspect.getfile(family)).relative_to(ROOT).as_posix()
                return f"[`{name}`](../../{path})"
    maker = hypothesis.is_met.__qualname__.split(".")[0]
    path = Path(inspect.getfile(hypothesis.is_met)).relative_to(ROOT).as_posix()
    return f"[`{maker}`](../../{path})"


def _refusal(hypothesis: Hypothesis) -> str:
    """Which function refuses what lacks a hypothesis; "" where none does."""
    if not hypothesis.refused_by:
        return ""
    return f"; else refused by {_file_link(pkgutil.resolve_name(hypothesis.refused_by))}"


def _file_link(function: Callable) -> str:
    path = Path(inspect.getfile(function)).relative_to(ROOT).as_posix()
    return f"[`{function.__name__}`](../../{path})"


def address(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _statements(heading: str) -> str:
    """The statements of a section, an item each."""
    own = [about for about in STATEMENTS.values() if about.section == address(heading)]
    return "\n".join(_item(about) for about in own if not about.against)


def _item(about: Statement) -> str:
    page = page_of(about.key)
    proof = f"[Proof]({page})" if page else "Proof"
    text = f"- **{about.key}. {about.title}.** {about.latex} *{proof}: {_escaped(about.source)}.*"
    return _wrapped(text, "  ")


def _wrapped(text: str, indent: str = "") -> str:
    """Lines of at most 110 characters; no formula is broken."""
    whole = re.sub(r"\$[^$]+\$", lambda m: m[0].replace(" ", "\0"), text)
    lines = textwrap.fill(
        whole, 110, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return lines.replace("\0", " ")


def _hypotheses() -> str:
    """The table of docs/counterexamples.md."""
    rows = [
        f"| {about.key} | {about.against} | {_escaped(about.missing)} |"
        for about in STATEMENTS.values()
        if about.against
    ]
    header = ["| key | against | the hypothesis that is missing |", "| --- | --- | --- |"]
    return "\n".join([*header, *rows])


NOTEBOOKS = {
    "GIBBS-1": "01-soft-max",
    "SQL-T1": "00-tour",
    "SQL-T2": "03-soft-value-iteration",
    "SQL-T3": "03-soft-value-iteration",
    "SQL-T4": "04-policy-iteration",
    "SAC-L1": "02-soft-policy-evaluation",
    "SAC-L2": "04-policy-iteration",
    "SAC-T1": "04-policy-iteration",
    "SPI-NEWTON": "04-policy-iteration",
    "NPG": "04-policy-iteration",
    "SLOPE": "06-entropy-reward-tradeoff",
    "SUBOPT": "09-from-tables-to-networks",
    "SENSITIVITY": "13-dynamic-logit",
    "LIMIT-ZERO": "05-the-agent-that-wont-finish",
    "LIMIT-INFINITY": "05-the-agent-that-wont-finish",
    "BALANCE": "05-the-agent-that-wont-finish",
}
"""The keys in the table of the README, and the notebook in which a learner meets each."""
FRONT = "<!-- theorems: begin -->", "<!-- theorems: end -->"


def _front(text: str) -> str:
    """The README with its table of theorems made anew."""
    rows = []
    for key, notebook in NOTEBOOKS.items():
        about = STATEMENTS[key]
        first = next(clause for clause in CLAUSES if clause.key == key).cases
        path = Path(inspect.getfile(first)).relative_to(ROOT).as_posix()
        told = (
            f"[{notebook[:2].lstrip('0') or '0'}](notebooks/{notebook}.ipynb)" if notebook else ""
        )
        cells = (
            f"[{key}](docs/{page_of(key)})",
            _escaped(about.title),
            f"`{about.functions[0]}`",
            f"[{Path(path).stem}]({path})",
            told,
        )
        rows.append(f"| {' | '.join(cells)} |")
    header = ["| theorem | what it says | function | check | notebook |", "|" + " --- |" * 5]
    before, rest = text.split(FRONT[0])
    _, after = rest.split(FRONT[1])
    return "\n".join([before + FRONT[0], "", *header, *rows, "", FRONT[1] + after])


def _keys() -> str:
    rows = [_row(about) for about in STATEMENTS.values()]
    header = ("key", "what it says", "function", "check", "proof", "test", "notebook")
    return "\n".join(
        [
            "# Where each key is",
            "",
            "A row a statement: what it says, with a link to the page that tells it, the function",
            "that it is about, the functions that check it, those that prove it, a test of it,",
            "and the notebooks of the course that show it.",
            "`maxent verify --list KEY` prints hypotheses, source and clauses. Made from",
            "`maxent/theorems/statements.toml` by `python docs/statement_tables.py --write`.",
            "",
            f"| {' | '.join(header)} |",
            f"|{' --- |' * len(header)}",
            *rows,
            "",
        ]
    )


def _row(about: Statement) -> str:
    where = about.anchor.removeprefix("docs/")
    cells = (
        f"[{about.key}]({where})",
        _escaped(about.title),
        ", ".join(f"`{name}`" for name in about.functions),
        _checks(about),
        _code(each.margins for each in PROVABLE if each.key == about.key),
        test_of(about.key),
        ", ".join(_notebooks(about.key)),
    )
    return f"| {' | '.join(cells)} |"


def _notebooks(key: str) -> Iterator[str]:
    """Links to the notebooks whose code names the key."""
    for source in sorted((ROOT / "notebooks" / "sources").glob("*.py")):
        if f'"{key}"' in source.read_text(encoding="utf-8"):
            number = source.stem.partition("-")[0].removeprefix("0") or "0"
            yield f"[{number}](../notebooks/{source.stem}.ipynb)"


def _checks(about: Statement) -> str:
    if about.against:
        return _code([ALL[about.key]])
    return _code(clause.cases for clause in CLAUSES if clause.key == about.key)


def _code(functions: Iterable[Callable]) -> str:
    """Functions of one file: a link to it, and their names."""
    found = list(dict.fromkeys(functions))
    if not found:
        return ""
    path = Path(inspect.getfile(found[0])).relative_to(ROOT).as_posix()
    names = ", ".join(f"`{function.__name__}`" for function in found)
    return f"[{path.removeprefix('maxent/')}](../{path}): {names}"


def test_of(key: str, root: str = "../") -> str:
    """The test that is about this key, or else names it and the fewest others; "" for none."""
    found = [
        (not text.startswith(key), len(keys), path, name)
        for path, name, text, keys in _tests()
        if key in keys
    ]
    if not found:
        return ""
    *_, path, name = min(found)
    return f"[{Path(path).name}]({root}{path}): `{name}`"


@functools.cache
def _tests() -> list[tuple[str, str, str, set[str]]]:
    """Each test of the theorems and proofs, its docstring, and the keys in its text."""
    return list(_each_test())


def _each_test() -> Iterator[tuple[str, str, str, set[str]]]:
    known = "|".join(sorted(STATEMENTS, key=len, reverse=True))
    for path in sorted(path for folder in TESTS for path in folder.glob("test_*.py")):
        text = path.read_text()
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                body = "\n".join(lines[first - 1 : node.end_lineno])
                keys = set(re.findall(rf"(?<![\w-])(?:{known})(?![\w-])", body))
                about = ast.get_docstring(node) or ""
                yield path.relative_to(ROOT).as_posix(), node.name, about, keys


def _escaped(text: str) -> str:
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([*|_<>])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def main(arguments: list[str]) -> int:
    stale = {path: text for path, text in pages().items() if _read(path) != text}
    for path, text in stale.items():
        if arguments == ["--write"]:
            path.write_text(text)
        print(f"{path.relative_to(ROOT)}: {'written' if arguments == ['--write'] else 'stale'}")
    return int(bool(stale) and arguments != ["--write"])


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
