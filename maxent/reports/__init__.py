"""What the command line and the tour show and write.

=============  ===========================================================================
`records.py`   numbers and what they are about as JSON, for machines
`text.py`      tables and pictures of policies, for a terminal
`page.py`      the checks of an MDP as one self-contained HTML page, for people
`comparison.py`  runs side by side, as a figure and as a page
`shell.py`     what is around the content of every page
`slack_plots.py`  the small figures in it: where each clause's slack lies
`formulas.py`  statements in plain characters as HTML with Greek letters and indices
=============  ===========================================================================
"""

from maxent.reports.records import (
    mdp_record,
    solution_record,
    value_at_start,
    versions,
    write_json,
    write_text,
)
from maxent.reports.text import LEGEND, discount_text, policy_picture, printable, size_text
from maxent.support.tables import table, table_row

__all__ = [
    "LEGEND",
    "discount_text",
    "mdp_record",
    "policy_picture",
    "printable",
    "size_text",
    "solution_record",
    "table",
    "table_row",
    "value_at_start",
    "versions",
    "write_json",
    "write_text",
]
