"""The parts of the docs that are made from the course: exercises for teachers, the theorem sheet.

python docs/course_tables.py            # which pages are out of date
python docs/course_tables.py --write    # bring them up to date
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from maxent.learn.exercise import Exercise
from maxent.learn.registry import sheets
from maxent.theorems.statements import STATEMENTS

DOCS = Path(__file__).parent
BEGIN, END = "<!-- from maxent/learn/exercises: begin -->", "<!-- end -->"
SHEET = {
    "Soft maximum": ("GIBBS-1", "GIBBS-2", "GIBBS-4", "MELLOWMAX"),
    "Soft Q-learning": ("SQL-T1", "SQL-T2", "SQL-T3", "SQL-T4"),
    "Soft actor-critic": ("SAC-L1", "SAC-L2", "SAC-T1", "SPI-NEWTON"),
    "Gradients and paths": ("PG", "NPG", "PATH", "SUBOPT"),
    "Temperature": ("MONOTONE", "ENVELOPE", "SLOPE", "LIMIT-ZERO", "LIMIT-INFINITY", "BALANCE"),
    "Transformations": ("SCALE", "SHIFT", "SHAPE", "DUPLICATE", "PRIOR"),
}
"""What a student should have at hand, in the order of the course."""


def pages() -> dict[Path, str]:
    """Each page, as it ought to be."""
    teaching = DOCS / "teaching.md"
    text = teaching.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return {
        teaching: f"{before}{BEGIN}\n\n{exercise_table()}\n\n{END}{after}",
        DOCS / "theorem_sheet.md": theorem_sheet(),
    }


def exercise_table() -> str:
    """A row an exercise; then how long each notebook's exercises take."""
    rows = ["| exercise | about | difficulty | minutes | mistakes called by name | variants |"]
    rows.append("|---|---|---|---|---|---|")
    for name, sheet in sheets().items():
        link = f"[{{}}](../notebooks/{name}.ipynb)"
        rows += [_row(each, link.format(each.number)) for each in sheet.EXERCISES]
    return "\n".join(rows)


def _row(each: Exercise, link: str) -> str:
    varies = each.is_value and each.cases(0) != each.cases(1)
    names = ", ".join(mistake.name for mistake in each.mistakes)
    stars = "*" * each.difficulty
    return (
        f"| {link} | {each.title} | {stars.replace('*', chr(0x2605))} | {each.minutes} | {names} | "
        f"{'yes' if varies else ''} |"
    )


def theorem_sheet() -> str:
    """The statements that a student should have at hand, in two printed pages."""
    lines = [
        "# Theorem sheet",
        "",
        "Prints on two pages of A4. Value $V$, action value $Q$, temperature $\\alpha$, discount "
        "$\\gamma$, entropy $\\mathcal H$ in nats; $T$ is the soft Bellman operator. Hypotheses "
        "and proofs: [theory](theory.md). Made by `python docs/course_tables.py --write`.",
    ]
    for title, keys in SHEET.items():
        lines += ["", f"## {title}", ""]
        lines += [f"- **{key}** *({STATEMENTS[key].title}.)* {_one_line(key)}" for key in keys]
    return "\n".join(lines) + "\n"


def _one_line(key: str) -> str:
    return re.sub(r"\s*\n\s*", " ", STATEMENTS[key].latex).strip()


def main(arguments: list[str]) -> int:
    """1 where a page is out of date and not written."""
    stale = [path for path, text in pages().items() if _now(path) != text]
    for path in stale:
        if "--write" in arguments:
            path.write_text(pages()[path], encoding="utf-8")
        print(f"{path.name} {'written' if '--write' in arguments else 'is out of date'}")
    return int(bool(stale) and "--write" not in arguments)


def _now(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
