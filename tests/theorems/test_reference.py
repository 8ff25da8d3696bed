"""The truth behind the checks, against closed forms and high precision."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import maxent
from maxent.theorems import reference
from maxent.theorems.reference import ReferenceProblem


def precise_optimum(mdp, alpha):
    """V* by value iteration with 60 digits, for small discounts."""
    mpmath.mp.dps = 60
    n, m = mdp.reward.shape
    rows = [[[mpmath.mpf(float(p)) for p in row] for row in state] for state in mdp.transition]
    v = [mpmath.mpf(0)] * n
    for _ in range(200):
        new = []
        for s in range(n):
            q = [
                mpmath.mpf(float(mdp.reward[s, a]))
                + mpmath.mpf(mdp.discount) * mpmath.fdot(rows[s][a], v)
                for a in range(m)
                if mdp.action_mask[s, a]
            ]
            value = (
                max(q) if alpha == 0 else alpha * mpmath.log(sum(mpmath.exp(x / alpha) for x in q))
            )
            new.append(mpmath.mpf(0) if mdp.terminal[s] else value)
        v = new
    return np.array([np.longdouble(mpmath.nstr(x, 30)) for x in v])


@pytest.mark.parametrize("alpha", [0.0, 1e-6, 0.1, 3.0, 1e6])
def test_the_optimum_agrees_with_sixty_digits(alpha):
    mdp = maxent.garnet(5, 3, discount=0.5, seed=3, terminal=1, masked=0.3)
    found = ReferenceProblem(mdp, alpha, None).optimum()
    exact = precise_optimum(mdp, mpmath.mpf(alpha) if alpha else 0)
    assert np.abs(found.v - exact).max() <= found.error + 1e-27
    assert found.error <= 1e-13 * max(1.0, float(np.abs(exact).max()))


@pytest.mark.parametrize("alpha", [1e-300, 1e-8, 0.3, 1e15])
@pytest.mark.parametrize("discount", [0.0, 0.9, 0.9999])
def test_one_state_has_a_closed_form(alpha, discount):
    mdp = maxent.MDP(np.ones((1, 2, 1)), np.array([[1.0, 0.0]]), discount=discount)
    found = ReferenceProblem(mdp, alpha, None).optimum()
    long = np.longdouble
    exact = (1 + long(alpha) * np.log1p(np.exp(-1 / long(alpha)))) / (1 - long(discount))
    assert abs(found.v[0] - exact) <= found.error
    assert found.error <= 1e-14 * float(exact) / (1.0 - discount)


def test_the_value_of_a_policy_is_the_linear_systems_solution():
    mdp = maxent.garnet(6, 3, discount=0.97, seed=5, terminal=1)
    rng = np.random.default_rng(0)
    policy = rng.dirichlet(np.ones(3), size=6)
    found = ReferenceProblem(mdp, 0.7, None).evaluate(np.log(policy))
    moves = np.einsum("sa,sat->st", policy, mdp.transition)[:5, :5]
    earned = (policy * (mdp.reward - 0.7 * np.log(policy))).sum(axis=1)[:5]
    solved = np.linalg.solve(np.eye(5) - 0.97 * moves, earned)
    np.testing.assert_allclose(found.v[:5].astype(float), solved, rtol=1e-12)
    assert found.v[5] == 0.0


@pytest.mark.parametrize("what", ["sparse factors", "iteration", "iteration that fails"])
def test_every_way_of_solving_gives_the_same(what, monkeypatch):
    mdp = maxent.garnet(60, 3, discount=0.99, seed=1, branching=4, terminal=2)
    expected = ReferenceProblem(mdp, 0.2, None).optimum()
    monkeypatch.setattr(reference, "DENSE_STATES", 0)
    if what != "sparse factors":
        monkeypatch.setattr(reference, "FILL", 0)
    if what == "iteration that fails":
        monkeypatch.setattr(
            reference.sparse_linalg, "bicgstab", lambda a, b, **_: (np.zeros_like(b), 1)
        )
    found = ReferenceProblem(mdp, 0.2, None).optimum()
    assert np.abs(found.v - expected.v).max() <= found.error + expected.error
    assert found.error <= 1e-13 * float(np.abs(found.v).max())


@pytest.mark.parametrize("fault", ["sums to 2", "nan", "outside the support", "infinite"])
def test_what_is_no_policy_has_no_value(fault):
    mdp = maxent.MDP(
        np.ones((1, 3, 1)),
        np.zeros((1, 3)),
        discount=0.5,
        action_mask=np.array([[True, True, False]]),
    )
    rows = {
        "sums to 2": [0.0, 0.0, -np.inf],
        "nan": [np.nan, 0.0, -np.inf],
        "outside the support": [np.log(0.5), -np.inf, np.log(0.5)],
        "infinite": [800.0, 0.0, -np.inf],
    }
    problem = ReferenceProblem(mdp, 0.5, None)
    assert np.isnan(problem.evaluate(np.array([rows[fault]])).v).all()
