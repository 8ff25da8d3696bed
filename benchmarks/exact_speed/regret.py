"""What `maxent.solve` loses by choosing a method itself: its time over that of the best one forced.

    python benchmarks/exact_speed/regret.py --grids 30 100 --discounts .9 .99 .999 .9999

Process time, one thread, all methods in turn within each round, the median of the rounds; the error
asked for is 1e-6.  A method that takes ten times as long as `solve` in the first round is left out
of the others.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import problems

import maxent

TOLERANCE = 1e-6
EVALUATIONS = (10, 20, 40, 100)


def methods(mdp: Any) -> dict[str, Callable[..., Any]]:
    """The methods by name.  LU of random sparse MDPs fills in: not above 1,000 states."""
    found: dict[str, Callable[..., Any]] = {
        "solve": maxent.solve,
        "value iteration": maxent.soft_value_iteration,
    }
    for sweeps in EVALUATIONS:
        found[f"modified {sweeps}"] = partial(maxent.modified_soft_policy_iteration, sweeps=sweeps)
    if mdp.grid is not None or mdp.n_states <= 1_000:
        found["direct"] = partial(maxent.soft_policy_iteration, evaluation="direct")
    if mdp.is_sparse:
        found["krylov"] = partial(maxent.soft_policy_iteration, evaluation="krylov")
    return found


def measure(mdp: Any, temperature: float, rounds: int) -> dict[str, float]:
    """Median process time of each method, in milliseconds."""
    times: dict[str, list[float]] = {}
    for name, method in methods(mdp).items():
        times[name] = [timed(method, mdp, temperature)]
    slow = 10.0 * times["solve"][0]
    for _ in range(rounds - 1):
        for name, method in methods(mdp).items():
            if times[name][0] <= slow:
                times[name].append(timed(method, mdp, temperature))
    return {name: statistics.median(all_of_it) for name, all_of_it in times.items()}


def timed(method: Callable[..., Any], mdp: Any, temperature: float) -> float:
    begin = time.process_time()
    solution = method(mdp, temperature, tolerance=TOLERANCE)
    taken = 1e3 * (time.process_time() - begin)
    return taken if solution.error_bound <= TOLERANCE * 1.001 else float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grids", type=int, nargs="*", default=[30, 100])
    parser.add_argument("--rows", nargs="*", default=[], help="rows whose names hold one of these")
    parser.add_argument("--discounts", type=float, nargs="*", default=[0.9, 0.99, 0.999, 0.9999])
    parser.add_argument("--temperatures", type=float, nargs="*", default=[0.0, 0.01, 0.1, 1.0])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    warnings.simplefilter("ignore", maxent.MaxEntWarning)
    print("| row | discount | temperature | solve, ms | best of our own | ms | regret |")
    print("|---|---|---|---|---|---|---|")
    for name, build in problems.rows(tuple(given.grids)).items():
        if given.rows and not any(part in name for part in given.rows):
            continue
        for discount in given.discounts:
            mdp = build(discount)
            for temperature in given.temperatures:
                times = measure(mdp, temperature, given.rounds)
                own = times.pop("solve")
                best = min(times, key=lambda method: times[method])
                print(
                    f"| {name} | {discount:g} | {temperature:g} | {own:.1f} | {best} | "
                    f"{times[best]:.1f} | {own / times[best]:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
