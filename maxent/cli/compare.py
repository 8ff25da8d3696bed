"""`maxent compare RUN...`: learning curves of several runs, and who is ahead."""

from __future__ import annotations

from argparse import Namespace

import maxent
from maxent.cli.exit_codes import DONE
from maxent.cli.outputs import require_outputs, say_written, write_record
from maxent.support.extras import require_neural


def run(asked: Namespace) -> int:
    """Read, compare, write the file, print the tables."""
    require_neural()
    from maxent import reports
    from maxent.reports.comparison import comparison_figure, comparison_page

    outputs = require_outputs("compare", asked)
    out = outputs.get("out")
    found = maxent.compare(asked.folders, asked.metric)
    if out is not None and out.suffix.lower() == ".json":
        write_record("compare", asked, out, **found.to_dict())
    elif out is not None and out.suffix.lower() == ".html":
        reports.write_text(comparison_page(found), out, overwrite=asked.overwrite)
    elif out is not None:
        from maxent import plots

        plots.save(comparison_figure(found), out, overwrite=asked.overwrite)
    print(reports.printable(str(found)))
    say_written(outputs)
    return DONE
