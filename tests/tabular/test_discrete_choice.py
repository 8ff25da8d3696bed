"""The words of dynamic discrete choice, on the bus engines of docs/discrete_choice.md."""

import re
from pathlib import Path

import numpy as np
import pytest

import maxent

PAGE = Path(__file__).parents[2] / "docs" / "discrete_choice.md"


def bus():
    """What the page's code makes."""
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    made: dict = {}
    exec(code.replace("print(", "(lambda x: None)("), made)
    return made


def test_rusts_ev():
    """EV(x) = E log(exp(u(x',0) + beta EV(x')) + exp(u(x',1) + beta EV(0))), by iteration."""
    made = bus()
    keep, utility, beta = made["keep"], made["utility"], made["discount"]
    ev = np.zeros(90)
    for _ in range(60):  # Newton-Kantorovich, as Rust does
        v = np.stack([utility[:, 0] + beta * ev, utility[:, 1] + beta * ev[0] + 0.0 * ev])
        top = v.max(axis=0)
        chances = np.exp(v - top)
        total = np.log(chances.sum(axis=0)) + top
        chances /= chances.sum(axis=0)
        slope = keep * chances[0]
        slope[:, 0] += keep @ chances[1]
        step = np.linalg.solve(np.eye(90) - beta * slope, keep @ total - ev)
        ev = ev + step
    np.testing.assert_allclose(made["ev"], ev, rtol=1e-9)
    np.testing.assert_allclose(made["solution"].policy[:, 1], chances[1], rtol=1e-6)
    average = maxent.average_reward(made["mdp"], 1.0)
    # the differences of EV are near those at discount 1
    np.testing.assert_allclose(average.bias, made["solution"].v - made["solution"].v[0], atol=0.1)


def test_eulers_constant():
    """With shocks of mean gamma_E each expected maximum, and V, rises by a constant."""
    made, rng = bus(), np.random.default_rng(0)
    solution = made["solution"]
    shocks = rng.gumbel(size=(400_000, 2))
    best = (solution.q[45] + shocks).max(axis=1)
    assert best.mean() == pytest.approx(solution.v[45] + np.euler_gamma, abs=0.01)
    chosen = (solution.q[45] + shocks).argmax(axis=1)
    assert chosen.mean() == pytest.approx(solution.policy[45, 1], abs=0.005)
    shifted = made["mdp"].replace(reward=made["utility"] + np.euler_gamma)
    rise = maxent.solve(shifted, 1.0).v - solution.v
    np.testing.assert_allclose(rise, np.euler_gamma / (1.0 - 0.9999), rtol=1e-6)
