"""What this machine can do at best: a random read, an exponential, a logarithm."""

from __future__ import annotations

import time

import numpy as np


def limits(repeats: int = 5) -> dict[str, float]:
    """Nanoseconds of processor time, the best of `repeats`.

    gather : a random read from 1e5 numbers.  exp, log : of one number in a long array.
    """
    rng = np.random.default_rng(0)
    values, places = rng.uniform(0.1, 1.0, 100_000), rng.integers(0, 100_000, 1_000_000)
    many, out = rng.uniform(-2.0, -0.1, 1_000_000), np.empty(1_000_000)
    tasks = {
        "gather": lambda: np.take(values, places, out=out, mode="clip"),
        "exp": lambda: np.exp(many, out=out),
        "log": lambda: np.log(np.negative(many, out=out), out=out),
    }
    found = {}
    for name, task in tasks.items():
        task()
        times = []
        for _ in range(repeats):
            began = time.process_time()
            for _ in range(10):
                task()
            times.append((time.process_time() - began) / 10)
        found[name] = min(times) / len(out) * 1e9
    return found
