"""`maxent compare RUN...`: learning curves of several runs, and who is ahead."""

from __future__ import annotations

import base64
import html
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import maxent
from maxent.cli.arguments import Parser
from maxent.cli.exit_codes import DONE
from maxent.cli.outputs import write_record
from maxent.support.extras import require_neural
from maxent.support.files import require_output

if TYPE_CHECKING:
    from maxent.neural.training.comparison import Comparison
    from maxent.plots import Figure


def add_options(parser: Parser) -> None:
    """What the command takes."""
    parser.place("folders", "RUN", "Their folders; the runs may be going on.", many=True)
    parser.option(
        "metric",
        "NAME",
        "What to compare, of what was logged; left out: evaluations, or else training episodes.",
    )
    parser.option(
        "out",
        "FILE.png|.svg|.pdf|.json|.html",
        "Draw the curves there, or write every number, or both with the table as a page.",
    )
    parser.flag("overwrite", "Replace an output file that exists.")
    parser.need("folders")


def run(asked: Namespace) -> int:
    """Read, compare, write the file, print the tables."""
    from maxent import reports

    require_neural()
    endings = (".png", ".svg", ".pdf", ".json", ".html")
    out = None if asked.out is None else require_output(asked.out, asked.overwrite, endings)
    found = maxent.compare(asked.folders, asked.metric)
    text = str(found)
    if out is not None and out.suffix.lower() == ".json":
        write_record("compare", asked, out, **found.to_dict())
    elif out is not None and out.suffix.lower() == ".html":
        reports.write_text(_page(comparison_figure(found), text), out, overwrite=asked.overwrite)
    elif out is not None:
        from maxent import plots

        plots.save(comparison_figure(found), out, overwrite=asked.overwrite)
    print(reports.printable(text))
    if out is not None:
        print(f"wrote {out}")
    return DONE


def comparison_figure(found: Comparison) -> Figure:
    """The learning curves of a comparison."""
    from maxent import plots

    words = found.metric_in_words
    score = words if words == found.metric else f"{words}\n(undiscounted)"
    return plots.learning_curves(
        {task: {group.name: group.curve for group in each} for task, each in found.by_task.items()},
        score=score,
    )


def _page(figure: Figure, text: str) -> str:
    """Figure and tables as one HTML page that asks for nothing from anywhere."""
    from maxent import plots, reports
    from maxent.reports.shell import html_page

    with tempfile.TemporaryDirectory() as folder:
        drawn = base64.b64encode(plots.save(figure, Path(folder, "curves.svg")).read_bytes())
    made = ", ".join(f"{library} {number}" for library, number in reports.versions().items())
    return html_page(
        "Learning curves",
        "<h1>Learning curves</h1>\n"
        '<img alt="Learning curves; their last values are in the tables below" '
        'style="max-width:100%;height:auto" '
        f'src="data:image/svg+xml;base64,{drawn.decode()}">\n'
        f'<pre style="overflow-x:auto">{html.escape(text)}</pre>\n'
        f'<p class="small">Made by {html.escape(made)}</p>',
    )
