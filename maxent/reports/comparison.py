"""Runs side by side: their curves as one figure, and as a page; what a sweep found, drawn."""

from __future__ import annotations

import base64
import html
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maxent.reports.records import versions
from maxent.reports.shell import html_page

if TYPE_CHECKING:
    from maxent.neural.training.comparison import Comparison
    from maxent.plots import Figure
    from maxent.sweeps import Sweep


def comparison_figure(found: Comparison) -> Figure:
    """The learning curves of a comparison."""
    from maxent import plots

    words = found.metric_in_words
    score = words if words == found.metric else f"{words}\n(undiscounted)"
    return plots.learning_curves(
        {task: {group.name: group.curve for group in each} for task, each in found.by_task.items()},
        score=score,
    )


def comparison_page(found: Comparison) -> str:
    """Figure and tables as one HTML page that asks for nothing from anywhere."""
    from maxent import plots

    with tempfile.TemporaryDirectory() as folder:
        drawn = plots.save(comparison_figure(found), Path(folder, "curves.svg")).read_bytes()
    made = ", ".join(f"{library} {number}" for library, number in versions().items())
    return html_page(
        "Learning curves",
        "<h1>Learning curves</h1>\n"
        '<img alt="Learning curves; their last values are in the tables below" '
        'style="max-width:100%;height:auto" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(drawn).decode()}">\n'
        f'<pre style="overflow-x:auto">{html.escape(str(found))}</pre>\n'
        f'<p class="small">Made by {html.escape(made)}</p>',
    )


def sweep_figure(found: Sweep) -> Figure | None:
    """The curves of what is done of a sweep, or its trade-offs; None where nothing is.

    ConfigError where they cannot be drawn.
    """
    from maxent import plots

    if found.runs:
        return comparison_figure(found.comparison())
    if fronts := found.tradeoffs():
        return plots.lines(
            {name: _front(front["points"]) for name, front in fronts.items()},
            x="discounted entropy (nats)",
            y="discounted return",
            title="What entropy costs in return",
        )
    return None


def _front(points: Sequence[dict[str, float]]) -> tuple[list[float], list[float]]:
    """The entropies and the returns of a trade-off, from its lowest entropy on."""
    ordered = sorted((point["entropy"], point["return"]) for point in points)
    return [entropy for entropy, _ in ordered], [gained for _, gained in ordered]
