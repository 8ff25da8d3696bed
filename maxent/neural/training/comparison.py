"""`compare`: several runs by their logs, as learning curves with intervals over seeds."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from maxent.errors import ConfigError, MaxEntWarning
from maxent.neural.algorithms import with_defaults
from maxent.neural.runs.durable import alike
from maxent.neural.runs.log import read_log
from maxent.neural.runs.record import read_record
from maxent.neural.training.averages import CLOCK
from maxent.neural.training.plan import require_recorded
from maxent.statistics import (
    LearningCurve,
    bootstrap_interval,
    is_range,
    learning_curve,
    probability_of_improvement,
)
from maxent.support.arguments import nearest, require_kind
from maxent.support.files import require_path
from maxent.support.frames import data_frame
from maxent.support.tables import table

METRICS = {
    "evaluation_return": "return of the deterministic policy",
    "return": "return of training episodes",
}
"""What curves are usually of, the first one that all runs have: in the log, and in words."""

FEW = 4
"""Runs up to which the bootstrap reaches as far as the runs do, and is no interval yet."""
NOT_SETTINGS = (
    *("algorithm", "env", "seed", "steps", "device", "threads", "compile", "log_every"),
    *("checkpoint_every", "evaluate_every", "evaluation_episodes", "env_settings"),
    *("vectorization",),
)
"""What runs of one group may differ in, or is said otherwise."""


@dataclass(frozen=True)
class ComparedRun:
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
    runs: Sequence[ComparedRun]
    curve: LearningCurve

    @property
    def task(self) -> str:
        """The environment and what it was made with."""
        return self.runs[0].task


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    metric : what is compared, a name in the log.
    groups : runs of one algorithm with one configuration on one environment, each with its
        `curve` (`maxent.statistics.LearningCurve`): the interquartile mean over seeds by
        environment step, in the units of the metric (returns are undiscounted), with its bootstrap
        interval.  The groups of one environment stand together.

    `str(comparison)` is a table for each environment, with how likely one group is ahead of
    another.
    """

    metric: str
    groups: tuple[Group, ...]

    @property
    def by_task(self) -> dict[str, list[Group]]:
        """The groups of each environment."""
        found: dict[str, list[Group]] = {}
        for group in self.groups:
            found.setdefault(group.task, []).append(group)
        return found

    @property
    def metric_in_words(self) -> str:
        """What is compared, for people."""
        return METRICS.get(self.metric, self.metric)

    def to_dict(self) -> dict[str, Any]:
        """Every number, by group; arrays are NumPy's."""
        return {"metric": self.metric, "groups": [_record(group) for group in self.groups]}

    def to_frame(self) -> Any:
        """A pandas DataFrame, a row for each group and step of its curve.

        Needs pandas: `pip install pandas`.
        """
        return data_frame(
            [
                {
                    "environment": group.task,
                    "group": group.name,
                    "runs": len(group.runs),
                    "step": step,
                    "interquartile_mean": mean,
                    "low": low,
                    "high": high,
                }
                for group in self.groups
                for step, mean, low, high in zip(
                    *(getattr(group.curve, name) for name in ("steps", "mean", "low", "high"))
                )
            ]
        )

    def __str__(self) -> str:
        return "\n\n".join(_table(task, each, self.metric) for task, each in self.by_task.items())


def compare(runs: Iterable[str | os.PathLike[str]], metric: str | None = None) -> Comparison:
    """Learning curves of several runs, with intervals over seeds, and how likely one is ahead.

    Runs of one algorithm with the same settings on the same environment, of different seeds, are
    one curve: their interquartile mean with its bootstrap interval (Agarwal et al. 2021).

    runs : folders of runs, as given to `train(..., run=)`; they may be going on.
    metric : what to compare, of what was logged; None: "evaluation_return", or else "return", the
        first that all runs have.

    Raises ConfigError for a folder named twice or that is no run, and for a metric that a run has
    not logged; warns where two runs of a group have one seed.

    >>> import tempfile, maxent
    >>> folder = tempfile.mkdtemp()
    >>> for seed in (1, 2):
    ...     agent = maxent.train(
    ...         "sql", "maxent/Gridworld-v0", env_settings={"map": "S.G", "discount": 0.9},
    ...         steps=60, seed=seed, log_every=20, run=f"{folder}/{seed}", hidden=(8,),
    ...         batch_size=4, learning_starts=10,
    ...     )
    >>> found = maxent.compare([f"{folder}/1", f"{folder}/2"])
    >>> found.metric, [(group.name, len(group.runs)) for group in found.groups]
    ('return', [('sql_discrete', 2)])
    """
    if metric is not None:
        require_kind("metric", metric, str)
    given: Any = (
        runs if isinstance(runs, Iterable) and not isinstance(runs, str | bytes) else [runs]
    )
    folders = [str(require_path(run, "run")) for run in given]
    if not folders:
        raise ConfigError("runs is empty: name one run or more")
    read = [_read(folder) for folder in folders]
    _require_once(folders)
    chosen = _metric(read, metric)
    grouped = _grouped(read, chosen)
    return Comparison(chosen, tuple(group for each in grouped.values() for group in each))


def _require_once(folders: Sequence[str]) -> None:
    """ConfigError where a folder is named twice."""
    seen: list[Path] = []
    for folder in folders:
        if (real := Path(folder).resolve()) in seen:
            raise ConfigError(f"run {folder!r} is named twice; name each run once")
        seen.append(real)


def _read(folder: str) -> ComparedRun:
    config = require_recorded(folder, read_record(require_path(folder, "run"))["config"])
    config = {"env_settings": {}, "start": None} | config
    config = config | {"settings": with_defaults(config["algorithm"], config["settings"])}
    return ComparedRun(folder, alike(config), read_log(folder))


def _metric(runs: Sequence[ComparedRun], asked: str | None) -> str:
    """What is compared; ConfigError where a run has not logged it."""
    for metric in [asked] if asked else METRICS:
        without = [run for run in runs if not run.scored(metric)[0]]
        if not without:
            return metric
    run = without[0]
    known = {name for row in run.rows for name in row} - CLOCK - {"step"}
    if not known:
        raise ConfigError(f"run {run.folder!r} has logged nothing yet; leave it out")
    if asked is None:
        raise ConfigError(f"run {run.folder!r} has logged no episode yet; leave it out")
    raise ConfigError(f"run {run.folder!r} has logged no {asked!r}; {nearest(asked, known)}")


def _grouped(runs: Sequence[ComparedRun], metric: str) -> dict[str, list[Group]]:
    """The groups of each environment, named by their algorithm and what sets them apart."""
    same: dict[str, list[ComparedRun]] = {}
    for run in runs:
        kind = json.dumps([run.task, run.config["algorithm"], run.settings], sort_keys=True)
        same.setdefault(kind, []).append(run)
    found: dict[str, list[Group]] = {}
    for pooled in same.values():
        _warn_of_equal_seeds(pooled)
        task, algorithm = pooled[0].task, pooled[0].config["algorithm"]
        rivals = [
            other[0].settings
            for other in same.values()
            if (other[0].task, other[0].config["algorithm"]) == (task, algorithm)
        ]
        apart = [
            _setting_in_words(name, value)
            for name, value in pooled[0].settings.items()
            if any(other.get(name) != value for other in rivals)
        ]
        curve = learning_curve([run.scored(metric) for run in pooled])
        group = Group(", ".join([algorithm, *apart]), pooled, curve)
        found.setdefault(task, []).append(group)
    return found


def _setting_in_words(name: str, value: Any) -> str:
    """A setting in the name of a group."""
    if name == "start":
        return "begun fresh" if value is None else f"begun with ({value})"
    return f"{name} {value}"


def _warn_of_equal_seeds(runs: Sequence[ComparedRun]) -> None:
    """A warning where two runs of a group have one seed: they are one draw, not two."""
    first: dict[str, str] = {}
    for run in runs:
        seed = str(run.config.get("seed", f"of {run.folder}"))
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
    rows = []
    for group in groups:
        curve, last = group.curve, group.curve.runs[:, -1]
        several = len(last) > 1
        interval = f"{curve.low[-1]:.5g} to {curve.high[-1]:.5g}" if several else "one run"
        if is_range(last, curve.low[-1], curve.high[-1]):
            interval = "too few runs"  # their range, which is beside it
        spread = f"{last.min():.5g} to {last.max():.5g}"
        step, mean = f"{curve.steps[-1]:.0f}", f"{curve.mean[-1]:.5g}"
        rows.append([group.name, str(len(last)), step, mean, interval, spread])
    header = ("algorithm", "runs", "step", "IQM", "95 % interval", "lowest to highest")
    lines = [f"{env}: {METRICS.get(metric, metric)}", "", table(header, rows)]
    for one, other in combinations(groups, 2):
        step = min(one.curve.steps[-1], other.curve.steps[-1])
        scores = [_at(group.curve, step) for group in (one, other)]
        words = f"P({one.name} > {other.name}) = {probability_of_improvement(*scores):.3g}"
        if min(map(len, scores)) > 1:
            low, high = bootstrap_interval(probability_of_improvement, *scores)
            if min(map(len, scores)) <= FEW:
                words += f" ({low:.3g} to {high:.3g} over resamples: too few runs for an interval)"
            else:
                words += f", 95 % interval {low:.3g} to {high:.3g}"
        lines.append(f"{words}, at step {step:.0f}")
    lines.insert(3, "")
    return "\n".join(lines).rstrip()


def _at(curve: LearningCurve, step: float) -> list[float]:
    """Each run's score at a step of the curve."""
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
