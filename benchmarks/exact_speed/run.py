"""Exact solvers of several packages side by side: processor time to a true error, taken in turns.

    python benchmarks/exact_speed/run.py                      # every row that has no record yet
    python benchmarks/exact_speed/run.py --rows "grid 30" --again
    python benchmarks/exact_speed/run.py --report             # docs/speed.md and its figure

Each package runs in an environment and a process of its own; all solve one problem in turns, five
rounds, one thread.  The time is processor time of the solve alone, the median of the rounds.  Every
answer is compared with our own solution, certified to a hundredth of the tolerance.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import select
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from environments import PINS, python_of  # noqa: E402
from limit import limits  # noqa: E402
from problems import for_peers, rows  # noqa: E402
from solvers import SOFT, SOLVERS  # noqa: E402

import maxent  # noqa: E402

RESULTS = HERE / "results"
ROUNDS = 5
HOPELESS = 20.0
"""A solver this many times slower than the fastest is timed once only."""
PATIENCE = 300.0
"""Seconds by the clock that a solver may take to construct, or to solve, before it is given up."""
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def cases(large: bool, discounts: bool) -> list[tuple[str, float, float]]:
    """(row, discount, temperature) of everything that is measured, small problems first."""
    found = [(row, 0.99, 0.0) for row in rows() if "by state" not in row]
    found += [("dense 1000", 0.99, temperature) for temperature in (1.0, 0.1, 0.01)]
    found += [("dense 1000 by state", 0.99, 1.0)]
    if discounts:
        chosen = [row for row in rows() if row.startswith("grid 100 ")]
        found += [(row, discount, 0.0) for discount in (0.999, 0.9999) for row in chosen]
    if large:
        found += [(row, 0.99, 0.0) for row in rows((1000,)) if row.startswith("grid")]
    return found


def goal(discount: float) -> float:
    """The true error to reach: 1e-6 at discount .99, always the same part of 1 / (1 - discount)."""
    return 1e-8 / (1.0 - discount)


def measure(row: str, discount: float, temperature: float, given: dict[str, str]) -> dict[str, Any]:
    """The record of one row."""
    mdp = rows((30, 100, 316, 1000))[row](discount)
    tolerance = goal(discount)
    truth = maxent.solve(mdp, temperature, tolerance=1e-2 * tolerance)
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), mdp, row, discount, temperature, tolerance)
        found: dict[str, Any] = {}
        running: dict[str, Worker] = {}
        for name, (environment, _, settings) in (SOLVERS if temperature == 0.0 else SOFT).items():
            python = python_of(environment, given)
            for setting in settings:
                worker = Worker(python, folder, name, setting)
                found[name] = worker.first(truth, tolerance)
                if "fails" not in found[name]:
                    running[name] = worker
                    break
                worker.stop()
        times = {name: [1e3 * worker.solve()[0]] for name, worker in running.items()}
        fastest = min(each[0] for each in times.values())
        in_time = [name for name, each in times.items() if each[0] <= HOPELESS * fastest]
        for _ in range(1, ROUNDS if fastest < 20e3 else 3):
            for name in in_time:
                times[name].append(1e3 * running[name].solve()[0])
        for name, worker in running.items():
            worker.stop()
            found[name] |= {"milliseconds": times[name], "median": statistics.median(times[name])}
    return {
        "row": row,
        "discount": discount,
        "temperature": temperature,
        "states": mdp.n_states,
        "tolerance": tolerance,
        "error_of_the_truth": truth.error_bound,
        "solvers": found,
        "limits": limits(),
        "processor": _processor(),
        "maxent": maxent.__version__,
    }


class Worker:
    """A solver in a process of its own (`worker.py`)."""

    def __init__(self, python: str, folder: str, name: str, setting: str) -> None:
        self.setting = setting
        # a solver sees this checkout where it is maxent itself, and no other package's path
        path = {"PYTHONPATH": str(HERE.parents[1])} if name.startswith("maxent") else {}
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self.process = subprocess.Popen(
            [python, str(HERE / "worker.py"), folder, name, setting],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=kept | ONE_THREAD | {"JAX_PLATFORMS": "cpu"} | path,
        )

    def first(self, truth: maxent.Solution, tolerance: float) -> dict[str, Any]:
        """Construction and the first solve, which compiles; `fails` says what is wrong."""
        try:
            construction = self.read()["construction"]
            seconds, values = self.solve()
        except Failure as failure:
            return {"setting": self.setting, "fails": str(failure)}
        error = float(np.abs(values - truth.v).max())
        record = {
            "setting": self.setting,
            "construction": construction,
            "first": seconds,
            "error": error,
        }
        if not error <= tolerance + truth.error_bound:
            record["fails"] = f"true error {error:.1e}"
        return record

    def solve(self) -> tuple[float, np.ndarray]:
        """Seconds of processor time, and the values."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write("solve\n")
            self.process.stdin.flush()
        answer = self.read()
        return answer["seconds"], np.load(answer["values"])

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None and self.process.stderr is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        if not ready:
            raise Failure(f"over {PATIENCE:g} s")
        line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read().strip().splitlines()
            raise Failure(said[-1][:120] if said else "ended without a word")
        found: dict[str, Any] = json.loads(line)
        return found


class Failure(Exception):
    """What a solver could not do."""


def _write(
    folder: Path, mdp: Any, row: str, discount: float, temperature: float, tolerance: float
) -> None:
    transition, reward = for_peers(mdp)
    if sparse.issparse(transition):
        sparse.save_npz(folder / "rows.npz", sparse.csr_matrix(transition), compressed=False)
    else:
        np.save(folder / "rows.npy", transition)
    np.save(folder / "reward.npy", reward)
    meta = {"row": row, "discount": discount, "temperature": temperature, "tolerance": tolerance}
    (folder / "meta.json").write_text(json.dumps(meta))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def record_of(row: str, discount: float, temperature: float) -> Path:
    """Where the record of a row is kept."""
    return RESULTS / f"{row.replace(' ', '-')}_gamma-{discount:g}_T-{temperature:g}.json"


def main() -> None:
    """Measure the rows asked for that have no record; with --report write page and figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", default="", help="only rows whose name begins so")
    parser.add_argument("--again", action="store_true", help="measure rows that have a record too")
    parser.add_argument("--large", action="store_true", help="the grids of 1000 x 1000 cells too")
    parser.add_argument("--discounts", action="store_true", help="discounts .999 and .9999 too")
    parser.add_argument(
        "--report", action="store_true", help="write docs/speed.md from the records"
    )
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help=f"an interpreter that has a package already ({', '.join(PINS)})",
    )
    options = parser.parse_args()
    if options.report:
        import report

        report.write(RESULTS)
        return
    given = dict(each.split("=", 1) for each in options.python)
    RESULTS.mkdir(exist_ok=True)
    for row, discount, temperature in cases(options.large, options.discounts):
        target = record_of(row, discount, temperature)
        if not row.startswith(options.rows) or (target.exists() and not options.again):
            continue
        record = measure(row, discount, temperature, given)
        target.write_text(json.dumps(record, indent=1) + "\n")
        print(f"{row}, discount {discount:g}, temperature {temperature:g}")
        for name, each in record["solvers"].items():
            said = each["fails"] if "fails" in each else f"{each['median']:.1f} ms"
            print(f"  {name:32}{said}", flush=True)


if __name__ == "__main__":
    main()
