"""All figures of the course in one PDF: `python notebooks/figures.py [FILE.pdf]` (needs torch).

Every notebook's solution is run from top to bottom, and each figure that a cell shows becomes a
page, drawn anew as vectors, with the notebook's name and the number of the cell in its corner.
"""

from __future__ import annotations

import ast
import contextlib
import io
import sys
from pathlib import Path
from typing import Any

import nbformat
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from maxent.support.files import require_output, write_whole

SOLUTIONS = Path(__file__).parent / "solutions"


def shown(code: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, if that is an expression."""
    body = ast.parse(code).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def figures_of(path: Path) -> list[tuple[str, Figure]]:
    """The figures of a notebook, each with the words for its corner."""
    notebook, names, found = nbformat.read(path, 4), {"__name__": "__main__"}, []
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            with contextlib.redirect_stdout(io.StringIO()):
                value = shown(cell.source, names)
            if isinstance(value, Figure):
                found.append((f"{path.stem}, cell {number}", value))
    return found


def main(destination: Path) -> None:
    """Write the pack, whole or not at all."""
    target = require_output(destination, True, (".pdf",))
    with write_whole(target, overwrite=True) as temporary, PdfPages(temporary) as pack:
        for path in sorted(SOLUTIONS.glob("*.ipynb")):
            figures = figures_of(path)
            for words, figure in figures:
                figure.text(0.995, 0.005, words, ha="right", va="bottom", fontsize=6, color="0.4")
                pack.savefig(figure)
            print(f"{path.stem:<32} {len(figures)} figures", flush=True)
    print(f"wrote {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/course-figures.pdf"))
