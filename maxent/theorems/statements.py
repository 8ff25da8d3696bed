"""Every statement of the theory: the one table of clauses, proofs, pages and lists.

The texts are in `statements.toml`, the clauses of a key in the file of `maxent.theorems.clauses`
that has its section's name.  A key that begins with NOT- is a counter-example: what happens without
a hypothesis of another statement.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from maxent.errors import ConfigError
from maxent.support.arguments import nearest, quoted
from maxent.support.data_files import beside, paragraphs
from maxent.support.tables import filled
from maxent.theorems import clauses, hypotheses
from maxent.theorems.clause import Clause
from maxent.theorems.hypotheses import Hypothesis


@dataclass(frozen=True)
class Statement:
    """What one key says.

    key, title : its name, and what it is about in a few words.
    section : of the docs page that tells it, as in the address of its heading.
    plain, latex : the statement, in plain characters and in Markdown with LaTeX.
    source : where it is proved.
    functions : what in maxent it is about, as dotted names.
    hypotheses : what all its clauses assume, each in words and as a test.
    against, missing : of a counter-example: the key whose conclusion fails, and the hypothesis that
        is missing.
    """

    key: str
    title: str
    section: str
    plain: str
    latex: str
    source: str
    functions: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...] = ()
    against: str = ""
    missing: str = ""

    @property
    def anchor(self) -> str:
        """The docs page and the heading under which it stands."""
        page = "counterexamples" if self.against else "theory"
        return f"docs/{page}.md#{self.section}"


def _family(section: str) -> ModuleType:
    """The file of the clauses of a section."""
    return importlib.import_module(f"{clauses.__name__}.{section.replace('-', '_')}")


def _statement(key: str, row: Mapping[str, Any]) -> Statement:
    """One row of the file; hypotheses are named as in `hypotheses` or in the file of clauses."""
    assumed: list[Hypothesis] = []
    for name in row.get("hypotheses", ()):
        found = vars(hypotheses).get(name) or getattr(_family(row["section"]), name)
        assumed += [found] if isinstance(found, Hypothesis) else found
    latex = row.get("latex", row["plain"])
    given = {"latex": latex, "functions": tuple(row["functions"]), "hypotheses": tuple(assumed)}
    return Statement(key, **{**row, **given})


STATEMENTS: dict[str, Statement] = {
    key: _statement(key, row) for key, row in paragraphs(beside(__file__)).items()
}
"""Every key in the order of the theory, SQL and SAC first; the counter-examples last."""

FAMILIES: dict[str, ModuleType] = {
    each.section: _family(each.section) for each in STATEMENTS.values() if not each.against
}
"""The files of clauses, by section."""


def _clauses(about: Statement) -> list[Clause]:
    """The clauses of a statement, with its hypotheses, and its source where they name none."""
    defined = vars(FAMILIES[about.section]).values() if not about.against else ()
    return [
        replace(
            each,
            hypotheses=(*about.hypotheses, *each.hypotheses),
            source=each.source or about.source,
        )
        for each in defined
        if isinstance(each, Clause) and each.key == about.key
    ]


CLAUSES: tuple[Clause, ...] = tuple(
    each for about in STATEMENTS.values() for each in _clauses(about)
)
"""Every clause, by key."""


def listing(key: str | None = None) -> str:
    """What is stated, as text within 80 columns: a line a key; or, of one key, all of it.

    >>> print(listing("SQL-T2").splitlines()[0])
    SQL-T2  The soft Bellman equation
    """
    if key is None:
        return "\n".join(_line(about) for about in STATEMENTS.values())
    if key not in STATEMENTS:
        raise ConfigError(f"no statement has the key {quoted(key)}; {nearest(key, STATEMENTS)}")
    about = STATEMENTS[key]
    facts = {
        "source": about.source,
        "assumes": "; ".join(each.words for each in about.hypotheses),
        "against": about.against,
        "missing": about.missing,
        "about": ", ".join(about.functions),
        "docs": about.anchor,
    }
    lines = [f"{key}  {about.title}", filled(about.plain, 2, 2), ""]
    lines += [filled(f"{name}: {text}", 2, 4) for name, text in facts.items() if text]
    for each in (clause for clause in CLAUSES if clause.key == key):
        lines += ["", filled(f"{each.name}: {each.statement}", 2, 4)]
        own = "; ".join(hypothesis.words for hypothesis in each.hypotheses[len(about.hypotheses) :])
        lines += [filled(f"assumes also: {own}", 4, 6)] if own else []
        if each.source != about.source:
            lines.append(filled(f"source: {each.source}", 4, 6))
    return "\n".join(lines)


def _line(about: Statement) -> str:
    count = sum(clause.key == about.key for clause in CLAUSES)
    end = f"against {about.against}" if about.against else f"{count} clause{'s' * (count != 1)}"
    return f"{about.key:<20} {about.title:<{59 - len(end)}}{end}"
