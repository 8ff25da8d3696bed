"""`maxent compare RUN...`: learning curves of several runs, and who is ahead."""

from __future__ import annotations

from argparse import Namespace

import maxent
from maxent.cli.arguments import Parser
from maxent.cli.exit_codes import DONE
from maxent.cli.outputs import write_record
from maxent.support.extras import require_neural
from maxent.support.files import require_output


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
    require_neural()
    from maxent import reports
    from maxent.reports.comparison import comparison_figure, comparison_page

    endings = (".png", ".svg", ".pdf", ".json", ".html")
    out = None if asked.out is None else require_output(asked.out, asked.overwrite, endings)
    found = maxent.compare(asked.folders, asked.metric)
    if out is not None and out.suffix.lower() == ".json":
        write_record("compare", asked, out, **found.to_dict())
    elif out is not None and out.suffix.lower() == ".html":
        reports.write_text(comparison_page(found), out, overwrite=asked.overwrite)
    elif out is not None:
        from maxent import plots

        plots.save(comparison_figure(found), out, overwrite=asked.overwrite)
    print(reports.printable(str(found)))
    if out is not None:
        print(f"wrote {out}")
    return DONE
