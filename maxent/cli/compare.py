"""`maxent compare RUN...`: learning curves of several runs, and who is ahead."""

from __future__ import annotations

import base64
import html
import json
import tempfile
import warnings
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxent.cli.arguments import Parser
from maxent.cli.exit_codes import DONE
from maxent.cli.outputs import write_record
from maxent.cli.process import require_neural
from maxent.errors import ConfigError, MaxEntWarning
from maxent.support.arguments import nearest
from maxent.support.files import require_output

if TYPE_CHECKING:
    from maxent.plots import Figure
    from maxent.statistics import LearningCurve

METRICS = {
    "evaluation_return": "return of the deterministic policy",
    "return": "return of training episodes",
}
"""What curves are usually of, the first one that all runs have: in the log, and in words."""

NOT_SETTINGS = (
    *("algorithm", "env", "seed", "steps", "device", "log_every", "checkpoint_every"),
    *("evaluate_every", "evaluation_episodes", "env_settings"),
)
"""What runs of one group may differ in, or is said otherwise."""


DESCRIPTION = """\
Compare runs: learning curves with intervals over seeds, and how likely one is ahead.

Runs of one algorithm with the same settings on the same environment, of different seeds, are
one curve: their interquartile mean with its bootstrap interval."""
EXAMPLES = """\
  maxent compare pendulum-1 pendulum-2 pendulum-3
  maxent compare sac-1 sac-2 sql-1 sql-2 --out curves.png
  maxent compare sac-1 sac-2 --metric entropy --out entropy.json"""


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
        "FILE.png|.svg|.json|.html",
        "Draw the curves there, or write every number, or both with the table as a page.",
    )
    parser.flag("overwrite", "Replace an output file that exists.")
    parser.need("folders")


def run(asked: Namespace) -> int:
    """Read, compare, write the file, print the tables."""
    from maxent import reports

    require_neural()
    endings = (".png", ".svg", ".json", ".html")
    out = None if asked.out is None else require_output(asked.out, asked.overwrite, endings)
    runs = [_read(folder) for folder in asked.folders]
    _check_once(asked.folders)
    metric = _metric(runs, asked.metric)
    groups = _grouped(runs, metric)
    text = "\n\n".join(_table(env, each, metric) for env, each in groups.items())
    if out is not None and out.suffix.lower() == ".json":
        numbers = [_record(group) for each in groups.values() for group in each]
        write_record("compare", asked, out, metric=metric, groups=numbers)
    elif out is not None and out.suffix.lower() == ".html":
        page = _page(_figure(groups, metric), text)
        reports.write_text(page, out, overwrite=asked.overwrite)
    elif out is not None:
        from maxent import plots

        plots.save(_figure(groups, metric), out, overwrite=asked.overwrite)
    print(reports.printable(text))
    if out is not None:
        print(f"wrote {out}")
    return DONE


@dataclass(frozen=True)
class _Run:
    """What a run was made with, and what it logged."""

    folder: str
    config: dict[str, Any]
    rows: list[dict[str, Any]]

    def scored(self, metric: str) -> tuple[list[float], list[float]]:
        """The steps and values of the rows that have the metric."""
        rows = [row for row in self.rows if row.get(metric) is not None]
        return [row["step"] for row in rows], [row[metric] for row in rows]

    @property
    def task(self) -> str:
        """The environment and what it was made with."""
        name, made = self.config["env"] or "unnamed environment", self.config["env_settings"]
        return f"{name} with {json.dumps(made, sort_keys=True)}" if made else name

    @property
    def settings(self) -> dict[str, Any]:
        """What runs of one group have in common, flat."""
        plan = {name: value for name, value in self.config.items() if name not in NOT_SETTINGS}
        found: dict[str, Any] = plan | plan.pop("settings")
        return found


@dataclass(frozen=True)
class Group:
    """Runs of one algorithm with one configuration on one environment, and their curve."""

    name: str
    runs: Sequence[_Run]
    curve: LearningCurve


def _check_once(folders: Sequence[str]) -> None:
    """ConfigError where a folder is named twice."""
    seen: list[Path] = []
    for folder in folders:
        if (real := Path(folder).resolve()) in seen:
            raise ConfigError(f"run {folder!r} is named twice; name each run once")
        seen.append(real)


def _read(folder: str) -> _Run:
    from maxent.neural.algorithms import with_defaults
    from maxent.neural.runs.durable import alike
    from maxent.neural.runs.log import read_log
    from maxent.neural.runs.record import read_record

    config = read_record(Path(folder))["config"]
    config = {"env_settings": {}, "start": None} | config
    config = config | {"settings": with_defaults(config["algorithm"], config["settings"])}
    return _Run(folder, alike(config), read_log(folder))


def _metric(runs: Sequence[_Run], asked: str | None) -> str:
    """What is compared; ConfigError where a run has not logged it."""
    for metric in [asked] if asked else METRICS:
        without = [run for run in runs if not run.scored(metric)[0]]
        if not without:
            return metric
    run = without[0]
    known = {name for row in run.rows for name in row} - {"step", "seconds"}
    if not known:
        raise ConfigError(f"run {run.folder!r} has logged nothing yet; leave it out")
    if asked is None:
        raise ConfigError(f"run {run.folder!r} has logged no episode yet; leave it out")
    raise ConfigError(f"run {run.folder!r} has logged no {asked!r}; {nearest(asked, known)}")


def _grouped(runs: Sequence[_Run], metric: str) -> dict[str, list[Group]]:
    """The groups of each environment, named by their algorithm and what sets them apart."""
    from maxent.statistics import learning_curve

    same: dict[str, list[_Run]] = {}
    for run in runs:
        kind = json.dumps([run.task, run.config["algorithm"], run.settings], sort_keys=True)
        same.setdefault(kind, []).append(run)
    found: dict[str, list[Group]] = {}
    for pooled in same.values():
        _check_seeds(pooled)
        task, algorithm = pooled[0].task, pooled[0].config["algorithm"]
        rivals = [
            other[0].settings
            for other in same.values()
            if (other[0].task, other[0].config["algorithm"]) == (task, algorithm)
        ]
        apart = [
            _said(name, value)
            for name, value in pooled[0].settings.items()
            if any(other.get(name) != value for other in rivals)
        ]
        curve = learning_curve([run.scored(metric) for run in pooled])
        group = Group(", ".join([algorithm, *apart]), pooled, curve)
        found.setdefault(task, []).append(group)
    return found


def _said(name: str, value: Any) -> str:
    """A setting in the name of a group."""
    if name == "start":
        return "begun fresh" if value is None else f"begun with ({value})"
    return f"{name} {value}"


def _check_seeds(runs: Sequence[_Run]) -> None:
    """A warning where two runs of a group have one seed: they are one draw, not two."""
    first: dict[int, str] = {}
    for run in runs:
        seed = run.config["seed"]
        if seed in first:
            warnings.warn(
                f"runs {first[seed]!r} and {run.folder!r} have the same settings and seed {seed}: "
                "they are no independent draws, and intervals with both are too narrow",
                MaxEntWarning,
                stacklevel=2,
            )
        first.setdefault(seed, run.folder)


def _table(env: str, groups: Sequence[Group], metric: str) -> str:
    """The last step of each curve of an environment, and how likely one algorithm is ahead."""
    from maxent import reports
    from maxent.statistics import bootstrap_interval, probability_of_improvement

    rows = []
    for group in groups:
        curve, last = group.curve, group.curve.runs[:, -1]
        several = len(last) > 1
        interval = f"{curve.low[-1]:.5g} to {curve.high[-1]:.5g}" if several else "one run"
        spread = f"{last.min():.5g} to {last.max():.5g}"
        step, mean = f"{curve.steps[-1]:.0f}", f"{curve.mean[-1]:.5g}"
        rows.append([group.name, str(len(last)), step, mean, interval, spread])
    header = ("algorithm", "runs", "step", "IQM", "95 % interval", "lowest to highest")
    lines = [f"{env}: {METRICS.get(metric, metric)}", "", reports.table(header, rows)]
    for one, other in combinations(groups, 2):
        step = min(one.curve.steps[-1], other.curve.steps[-1])
        scores = [_at(group.curve, step) for group in (one, other)]
        words = f"P({one.name} > {other.name}) = {probability_of_improvement(*scores):.3g}"
        if min(map(len, scores)) > 1:
            low, high = bootstrap_interval(probability_of_improvement, *scores)
            words += f", 95 % interval {low:.3g} to {high:.3g}"
        lines.append(f"{words}, at step {step:.0f}")
    lines.insert(3, "")
    return "\n".join(lines).rstrip()


def _at(curve: LearningCurve, step: float) -> list[float]:
    """Each run's score at a step of the curve."""
    import numpy as np

    return [float(np.interp(step, curve.steps, row)) for row in curve.runs]


def _record(group: Group) -> dict[str, Any]:
    """Every number of a group."""
    config, curve = group.runs[0].config, group.curve
    return {
        "name": group.name,
        "algorithm": config["algorithm"],
        "env": config["env"],
        "env_settings": config["env_settings"],
        "settings": group.runs[0].settings,
        "runs": [run.folder for run in group.runs],
        "seeds": [run.config["seed"] for run in group.runs],
        "steps": curve.steps,
        "scores": curve.runs,
        "interquartile_mean": curve.mean,
        "low": curve.low,
        "high": curve.high,
        "level": curve.level,
    }


def _figure(groups: Mapping[str, Sequence[Group]], metric: str) -> Figure:
    from maxent import plots

    score = f"{METRICS[metric]}\n(undiscounted)" if metric in METRICS else metric
    return plots.learning_curves(
        {env: {group.name: group.curve for group in each} for env, each in groups.items()},
        score=score,
    )


def _page(figure: Figure, text: str) -> str:
    """Figure and tables as one HTML page that asks for nothing from anywhere."""
    from maxent import plots, reports

    with tempfile.TemporaryDirectory() as folder:
        drawn = base64.b64encode(plots.save(figure, Path(folder, "curves.svg")).read_bytes())
    made = ", ".join(f"{library} {number}" for library, number in reports.versions().items())
    return reports.html_page(
        "Learning curves",
        "<h1>Learning curves</h1>\n"
        '<img alt="Learning curves; their last values are in the tables below" '
        'style="max-width:100%;height:auto" '
        f'src="data:image/svg+xml;base64,{drawn.decode()}">\n'
        f'<pre style="overflow-x:auto">{html.escape(text)}</pre>\n'
        f'<p class="small">Made by {html.escape(made)}</p>',
    )
