"""The curves of both packages side by side: interquartile means, their intervals, one figure.

    python benchmarks/mujoco_returns/compare.py --figure curves.png

The score of a run is the mean of its last three evaluations (30 episodes): at equal steps, and at
equal seconds, where each run counts up to the processor time of the one that ended first.  Curves
made before seconds were kept count with the mean rate of their package's other runs of the task.
"Not worse" says that the interval of the difference of the interquartile means, ours less theirs,
reaches 0 or above.  With few runs a side such an interval is narrow for what it claims: read the
runs themselves too.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

from protocol import CURVES

from maxent.plots import save
from maxent.plots.curves.learning_curves import learning_curves
from maxent.statistics import (
    bootstrap_interval,
    interquartile_mean,
    learning_curve,
    probability_of_improvement,
)

OURS, THEIRS = "maxent", "stable-baselines3"
LAST = 3
"""Evaluations that make a run's score."""

Curves = dict[str, dict[str, list[dict[str, Any]]]]
"""The curves by environment, then by package."""


def read_curves(folder: Path) -> Curves:
    """Every curve of a folder; refused where runs of one environment had different settings."""
    curves: Curves = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.glob("*.json")):
        curve = json.loads(path.read_text())
        curves[curve["env"]][curve["package"]].append(curve)
    for env, packages in curves.items():
        runs = [run for curves_of_package in packages.values() for run in curves_of_package]
        for field in ("settings", "evaluation", "steps"):
            if any(run[field] != runs[0][field] for run in runs):
                raise SystemExit(f"{env}: the runs differ in {field!r}, so they are not comparable")
    return {env: dict(packages) for env, packages in curves.items()}


def score(run: dict[str, Any], evaluations: int | None = None) -> float:
    """The mean of a run's last evaluations, or of the last of its first `evaluations`."""
    return mean(run["returns"][:evaluations][-LAST:])


def with_seconds(runs: list[dict[str, Any]]) -> list[list[float]]:
    """Processor seconds at each evaluation of a package's runs; empty where none were kept.

    A run without them has the mean of those with.
    """
    kept = [run["cpu_seconds"] for run in runs if "cpu_seconds" in run]
    usual = [mean(at) for at in zip(*kept, strict=True)]
    return [run.get("cpu_seconds", usual) for run in runs]


def at_equal_seconds(packages: dict[str, list[dict[str, Any]]]) -> dict[str, list[float]] | None:
    """Scores when the first run ends, by package; None where a package kept no seconds."""
    seconds = {package: with_seconds(runs) for package, runs in packages.items()}
    if not all(all(at for at in runs) for runs in seconds.values()):
        return None
    end = min(at[-1] for runs in seconds.values() for at in runs)
    print(f"  at {end:.0f} seconds of a processor:")
    return {
        package: [
            score(run, sum(second <= end for second in at))
            for run, at in zip(packages[package], runs, strict=True)
        ]
        for package, runs in seconds.items()
    }


def difference(ours: Any, theirs: Any) -> float:
    """Interquartile mean of our runs less that of theirs."""
    return interquartile_mean(ours) - interquartile_mean(theirs)


def print_environment(env: str, packages: dict[str, list[dict[str, Any]]]) -> None:
    """Print what the runs of an environment say."""
    print(f"{env}\n  at equal steps:")
    print_scores({package: [score(run) for run in runs] for package, runs in packages.items()})
    scores = at_equal_seconds(packages)
    if scores is None:
        print("  at equal seconds: the runs of a package kept none")
    else:
        print_scores(scores)


def print_scores(scores: dict[str, list[float]]) -> None:
    """Print interquartile means, their intervals and the difference of the packages."""
    for package, values in scores.items():
        told = f"    {package}: interquartile mean {interquartile_mean(values):.0f}"
        if len(values) > 1:
            told += " [{:.0f}, {:.0f}]".format(*bootstrap_interval(interquartile_mean, values))
        print(f"{told}, runs {', '.join(f'{value:.0f}' for value in values)}")
    if min(len(scores.get(package, [])) for package in (OURS, THEIRS)) < 2:
        print("    too few runs to compare: two of each package are needed")
        return
    ours, theirs = scores[OURS], scores[THEIRS]
    low, high = bootstrap_interval(difference, ours, theirs)
    verdict = "not worse" if high >= 0.0 else "worse"
    print(
        f"    difference {difference(ours, theirs):+.0f} [{low:+.0f}, {high:+.0f}]: {verdict}; "
        f"a run of ours is above one of theirs with {probability_of_improvement(ours, theirs):.0%}"
    )


def main() -> None:
    """Print the comparison, and draw it where a figure is asked for."""
    parser = argparse.ArgumentParser(description="Both packages' curves, side by side.")
    parser.add_argument("--curves", type=Path, default=CURVES)
    parser.add_argument("--figure", type=Path, help="a PNG or SVG to write")
    told = parser.parse_args()
    curves = read_curves(told.curves)
    if not curves:
        raise SystemExit(f"no curves in {told.curves}; run_all.py makes them")
    for env, packages in curves.items():
        print_environment(env, packages)
    if told.figure is not None:
        tasks = {
            env: {
                package: learning_curve([(run["steps"], run["returns"]) for run in runs])
                for package, runs in packages.items()
            }
            for env, packages in curves.items()
        }
        save(learning_curves(tasks, score="return of the deterministic policy"), told.figure)


if __name__ == "__main__":
    main()
