"""What solvers keep of a long run is bounded, and which iterations it is of is known."""

from __future__ import annotations

import numpy as np
import pytest

import maxent
from maxent.support import traces
from maxent.tabular.solvers import loop, steps
from maxent.tabular.solvers.kernels import SoftKernel


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(traces, "MOST", 8)


@pytest.mark.parametrize("count", [0, 1, 8, 9, 16, 17, 18, 35, 1000])
def test_what_is_kept_is_what_is_said_to_be_kept(few, count):
    trace = traces.Trace()
    for number in range(1, count + 1):
        trace.append(float(number))
    assert trace.count == count and len(trace.array()) <= 8
    assert trace.array().tolist() == traces.kept_iterations(count).tolist()
    assert count <= 8 or len(trace.array()) >= 4


@pytest.mark.parametrize("discount", [0.99, 1.0])
def test_a_long_solve_keeps_some_residuals_and_counts_all_iterations(few, discount):
    mdp = maxent.gridworld("S....G", discount=discount, step_reward=-3.0)
    seen = []
    solution = maxent.soft_value_iteration(mdp, 1.0, callback=seen.append)
    assert solution.iterations == len(seen) > 16
    kept = solution.residual_iterations
    assert 4 <= len(kept) <= 8 and (np.diff(kept) == kept[0]).all()
    assert solution.residuals.tolist() == [seen[k - 1].residual for k in kept]


def test_whoever_chooses_steps_sees_the_last_widths_only():
    kernel, seen, kept = SoftKernel(maxent.gridworld("S.G", discount=0.99), 1.0, None), [], []

    def choose(history: loop.History) -> steps.Step:
        kept.append((history.iterations, list(history.widths)))
        return steps.SWEEP

    options = loop.Options(max_iterations=400, callback=seen.append)
    loop.iterate(kernel, steps.SWEEP, options, choose=choose)
    assert max(len(widths) for _, widths in kept) < 2 * loop.RECENT < len(seen)
    for iterations, widths in kept:
        assert len(widths) >= min(iterations, loop.RECENT)
        assert len(seen[iterations - 1].v) and widths == [
            each._above - each._below for each in seen[iterations - len(widths) : iterations]
        ]
