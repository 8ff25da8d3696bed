"""Make the notebooks from their sources: `python notebooks/build.py` (needs jupytext).

`sources/NAME.py` (percent format) is the one place to edit.  From it come

- `NAME.ipynb`, for learners: each block between `# solution` and `# stub: CODE` becomes CODE;
- `solutions/NAME.ipynb`, with the blocks in place.

Both are free of output, and the same source always gives the same bytes.  The tables for teachers
(`docs/course_tables.py`) and of keys (`docs/statement_tables.py`) are brought up to date as well.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).parent
BLOCK = re.compile(
    r"^(?P<indent> *)# solution\n(?P<body>.*?)^ *# stub: (?P<stub>.*?)$", re.M | re.S
)


def build(source: Path, *, solved: bool) -> str:
    """The text of a notebook, with the solutions or with the stubs in their place."""
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            kept = r"\g<body>" if solved else r"\g<indent>\g<stub>"
            cell.source = BLOCK.sub(kept, cell.source).rstrip()
        cell.metadata = {}
        cell.id = hashlib.sha256(f"{source.stem} {number}".encode()).hexdigest()[:8]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "maxent": {"notebook": source.stem},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    text: str = nbformat.writes(notebook)
    return text + "\n"


def built() -> dict[Path, str]:
    """Every notebook's path and the text it should have."""
    texts = {}
    for source in sorted((HERE / "sources").glob("*.py")):
        texts[HERE / f"{source.stem}.ipynb"] = build(source, solved=False)
        texts[HERE / "solutions" / f"{source.stem}.ipynb"] = build(source, solved=True)
    return texts


if __name__ == "__main__":
    for path, text in built().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(HERE.parent), file=sys.stdout)
    for tables in ("course_tables.py", "statement_tables.py"):
        subprocess.run([sys.executable, HERE.parent / "docs" / tables, "--write"], check=True)
