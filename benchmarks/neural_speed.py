"""Updates and steps a second: compiled beside uncompiled, and beside Stable-Baselines3.

    python benchmarks/neural_speed.py --sb3-python .venv-sb3/bin/python --write
    python benchmarks/neural_speed.py --task sql --write        # one row again

Everything is seconds of the processor on one thread, in segments that alternate, and what is
reported is the median of the rounds' own ratios: other work on the machine meets all sides alike.
Beside each rate stands how many updates a second the products of matrices alone would allow, at the
rate of a product of 256 x 256 matrices in the same run.  Each row is kept in `neural_speed.json` as
soon as it is measured; `--write` puts the tables of all rows between the marks of `docs/speed.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

PAGE = Path(__file__).parent.parent / "docs" / "speed.md"
RECORDS = Path(__file__).with_suffix(".json")
BEGIN, END = "<!-- neural: begin -->", "<!-- neural: end -->"
RANDOM_STEPS = 500
SMALL = {"hidden": (64, 64), "batch_size": 64}
GRID = {"map": "\n".join(["S" + "." * 9] + ["." * 10] * 8 + ["." * 9 + "G"]), "discount": 0.95}


class Task(NamedTuple):
    """An algorithm on an environment: words for it, and what `train` takes."""

    words: str
    algorithm: str
    env: str
    env_settings: dict[str, Any]
    settings: dict[str, Any]
    sb3: bool
    updates: int


TASKS = {
    "sac-64": Task(
        "`sac`, Pendulum-v1, 2x64, batches of 64", "sac", "Pendulum-v1", {}, SMALL, True, 300
    ),
    "sac_discrete-64": Task(
        *("`sac_discrete`, 10x10 grid, 2x64, batches of 64", "sac", "maxent/Gridworld-v0"),
        *(GRID, SMALL, False, 300),
    ),
    "sql_discrete-64": Task(
        *("`sql_discrete`, 10x10 grid, 2x64, batches of 64", "sql", "maxent/Gridworld-v0"),
        *(GRID, SMALL, False, 300),
    ),
    "sql": Task(
        "`sql`, Pendulum-v1, its defaults (2x128)", "sql", "Pendulum-v1", {}, {}, False, 25
    ),
    "sac-256": Task(
        "`sac`, HalfCheetah-v5, 2x256, batches of 256", "sac", "HalfCheetah-v5", {}, {}, True, 40
    ),
}


def learner_of(task: Task, compiled: bool) -> Any:
    """A learner whose replay buffer holds the random steps."""
    from maxent.neural.training.learner import Learner
    from maxent.neural.training.plan import Plan

    plan = Plan(
        algorithm=task.algorithm,
        env=task.env,
        env_settings=task.env_settings,
        steps=RANDOM_STEPS,
        seed=1,
        compile=compiled,
    )
    settings = {"learning_starts": RANDOM_STEPS + 1, "replay_capacity": 100_000} | task.settings
    learner = Learner(plan, task.env, settings)
    learner.compile(False)
    learner.train(progress=False)
    learner.config = replace(learner.config, learning_starts=RANDOM_STEPS)
    return learner


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds of the processor that this process spent."""
    began = time.process_time()
    work()
    return time.process_time() - began


def product_rate(task: Task) -> float:
    """GFLOP a second of a product of 256 x 256 matrices, made as this task's compiled updates make
    their large ones (those of `SMALL` are none), one thread."""
    import torch

    from maxent.neural.training import products

    large = task.settings is not SMALL and products.options()
    multiply = products.product if large else torch.matmul
    a, b = torch.randn(256, 256), torch.randn(256, 256)
    taken = [seconds_of(lambda: [multiply(a, b) for _ in range(200)]) for _ in range(5)]
    return 200 * 2 * 256**3 / median(taken) / 1e9


def compiling(name: str) -> float:
    """Seconds of the processor that making the graph takes, the C++ compiler's included: those of
    processes that have ended, as each has with one thread for compiling (see `worker`)."""
    learner = learner_of(TASKS[name], False)
    learner.plan = replace(learner.plan, compile=True)
    before = sum(os.times()[:4])
    learner.compile(False)
    return sum(os.times()[:4]) - before


def updates_row(name: str, rounds: int) -> dict[str, Any]:
    """Updates a second of both forms, which alternate."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    task = TASKS[name]
    plain = learner_of(task, False)
    with FlopCounterMode(display=False) as counted:
        plain._learn(1)
    fused = learner_of(task, True)
    ratios, rates, floors = [], [], []
    for count in range(rounds + 1):
        one = seconds_of(lambda: plain._learn(task.updates))
        two = seconds_of(lambda: fused._learn(task.updates))
        if count:  # the first warms up
            ratios.append(one / two)
            rates.append((task.updates / one, task.updates / two))
            floors.append(product_rate(task))
    speed = median(floors)
    return {
        "task": task.words,
        "eager": median(each[0] for each in rates),
        "compiled": median(each[1] for each in rates),
        "ratio": median(ratios),
        "spread": f"{min(ratios):.1f} to {max(ratios):.1f}",
        "bound": speed * 1e9 / counted.get_total_flops(),
        "gflops": speed,
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def segments(name: str, side: str) -> Callable[[int], object]:
    """What lives through so many steps, learning: "eager", "compiled" or "sb3"."""
    task = TASKS[name]
    if side == "sb3":
        import stable_baselines3

        network = {"net_arch": list(task.settings.get("hidden", (256, 256)))}
        model = stable_baselines3.SAC(
            *("MlpPolicy", task.env),
            batch_size=task.settings.get("batch_size", 256),
            ent_coef="auto_1.0",
            buffer_size=100_000,
            learning_starts=RANDOM_STEPS,
            policy_kwargs=network,
            device="cpu",
            seed=1,
        )
        model.learn(RANDOM_STEPS)
        return lambda count: model.learn(count, reset_num_timesteps=False)
    learner = learner_of(task, side == "compiled")

    def segment(count: int) -> None:
        learner.plan = replace(learner.plan, steps=learner.step + count)
        learner.train(progress=False)

    return segment


def work(job: str, name: str, rounds: int) -> None:
    """In a worker: a measurement of updates, or a segment for each number of steps read."""
    import torch

    torch.set_num_threads(1)
    if job in ("updates", "compiling"):
        found = updates_row(name, rounds) if job == "updates" else compiling(name)
        print("took", json.dumps(found), flush=True)
        return
    segment = segments(name, job)
    for line in sys.stdin:
        taken = seconds_of(lambda steps=int(line): segment(steps))  # type: ignore[misc]
        print("took", taken, flush=True)


def worker(python: str, job: str, name: str, rounds: int) -> subprocess.Popen[str]:
    """A process of its own, on one thread."""
    command = [python, __file__, "--worker", job, "--task", name, "--rounds", str(rounds)]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TORCHINDUCTOR_COMPILE_THREADS")
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | dict.fromkeys(names, "1"),
    )


def told(process: subprocess.Popen[str]) -> str:
    """What a worker says next."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith("took "):
            return line.removeprefix("took ")
    raise SystemExit(f"a worker ended: {process.args}")


def steps_row(name: str, sb3_python: str | None, rounds: int) -> dict[str, Any]:
    """Steps a second of all sides, which alternate."""
    task = TASKS[name]
    sides = {"eager": sys.executable, "compiled": sys.executable}
    if sb3_python and task.sb3:
        sides["sb3"] = sb3_python
    workers = {side: worker(python, side, name, rounds) for side, python in sides.items()}
    taken: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(rounds + 1):
        for side in list(sides)[:: 1 if number % 2 else -1]:
            process = workers[side]
            assert process.stdin
            process.stdin.write(f"{task.updates}\n")
            process.stdin.flush()
            taken[side].append(float(told(process)))
    for process in workers.values():
        process.communicate()
    kept = {side: seconds[1:] for side, seconds in taken.items()}

    def ratio(side: str) -> str:
        if side not in kept:
            return "-"
        each = [a / b for a, b in zip(kept[side], kept["compiled"], strict=True)]
        return f"**{median(each):.1f}** ({min(each):.1f} to {max(each):.1f})"

    rates = {side: f"{task.updates / median(seconds):.0f}" for side, seconds in kept.items()}
    return (
        {"task": task.words, "sb3": "-"}
        | rates
        | {"eager_x": ratio("eager"), "sb3_x": ratio("sb3")}
    )


def measured(job: str, name: str, rounds: int) -> Any:
    """What a worker of its own finds."""
    process = worker(sys.executable, job, name, rounds)
    found = json.loads(told(process))
    process.communicate()
    return found


def measure(name: str, sb3_python: str | None, rounds: int, only_compiling: bool) -> None:
    """Measure a row of both tables, or what its compilation takes alone, and keep it."""
    from maxent.neural.runs.record import surroundings

    record = records()[name] if only_compiling else {"surroundings": surroundings()}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        seconds = measured("compiling", name, rounds)
        if not only_compiling:
            record["updates"] = measured("updates", name, rounds)
            record["steps"] = steps_row(name, sb3_python, rounds)
    record["updates"]["compiling"] = seconds
    print(json.dumps(record, indent=1), flush=True)
    RECORDS.write_text(json.dumps(records() | {name: record}, indent=1) + "\n")


def records() -> dict[str, Any]:
    """What was measured, by the names of the rows."""
    return json.loads(RECORDS.read_text()) if RECORDS.exists() else {}


def tables(rows: list[dict[str, Any]]) -> str:
    """The two tables, as the Markdown of the page."""
    updates, steps = [row["updates"] for row in rows], [row["steps"] for row in rows]

    def named(*names: str) -> str:
        found = {tuple(row["surroundings"][name] for name in names) for row in rows}
        return " or ".join(", ".join(each) for each in sorted(found))

    rates = sorted(round(row["gflops"]) for row in updates)
    lines = [
        f"Machine: {named('processor')}, {updates[0]['instructions']}, one thread; a product of "
        f"256 x 256 matrices: {rates[0]} to {rates[-1]} GFLOP/s (the row's own is in "
        f"`benchmarks/neural_speed.json`). Versions: maxent {named('maxent')}, PyTorch "
        f"{named('torch')}, Gymnasium {named('gymnasium')}.",
        "",
        "| updates a second | uncompiled | compiled | times as fast (rounds) | the products alone "
        "| compiling, nothing cached |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['task']} | {row['eager']:.0f} | {row['compiled']:.0f} "
            f"| **{row['ratio']:.1f}** "
            f"({row['spread']}) | {row['bound']:.0f} | {row['compiling']:.0f} s |"
            for row in updates
        ),
        "",
        "| steps a second, all of it | uncompiled | compiled | Stable-Baselines3 | compiled over "
        "uncompiled | over Stable-Baselines3 |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['task']} | {row['eager']} | {row['compiled']} | {row['sb3']} | "
            f"{row['eager_x']} | {row['sb3_x']} |"
            for row in steps
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, or be a worker."""
    parser = argparse.ArgumentParser(description="Updates and steps a second, interleaved.")
    parser.add_argument("--task", nargs="*", choices=TASKS, default=list(TASKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--compiling", action="store_true", help="only what compiling takes, of recorded rows"
    )
    parser.add_argument("--sb3-python", help="of an environment with Stable-Baselines3")
    parser.add_argument("--write", action="store_true", help="into docs/speed.md")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        work(asked.worker, asked.task[0], asked.rounds)
        return
    for name in asked.task:
        measure(name, asked.sb3_python, asked.rounds, asked.compiling)
    kept = records()
    text = tables([kept[name] for name in TASKS if name in kept])
    print(text)
    if asked.write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()
