"""LQR-1 to 3: no false alarm, every planted fault caught, and who is asked what."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import maxent
from maxent.continuous import lqr
from maxent.theorems.clauses.linear_quadratic_regulator import LinearQuadraticInstance
from maxent.theorems.statements import CLAUSES

KEYS = ("LQR-1", "LQR-2", "LQR-3")


def random_problem(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    A = rng.standard_normal((n, n))
    A *= rng.uniform(0.1, 1.2) / np.abs(np.linalg.eigvals(A)).max()
    Q, R, W = (rng.standard_normal((k, k)) for k in (n, m, n))
    return lqr.LinearQuadratic(
        A,
        rng.standard_normal((n, m)),
        Q @ Q.T,
        R @ R.T + 10 ** rng.uniform(-3, 0) * np.eye(m),
        W @ W.T * 10 ** rng.uniform(-4, 1),
        discount=(0.0, 0.5, 0.9, 0.99, 0.999)[seed % 5],
    )


@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1e-6, 0.2, 10.0, 1e15])
def test_no_false_alarm(temperature):
    for problem in (lqr.coupled_masses(), lqr.scalar(), *map(random_problem, range(10))):
        report = maxent.verify(problem, temperature)
        report.raise_if_failed()
        assert {check.key for check in report if check.verdict == "holds"} == set(KEYS)


@pytest.mark.slow
def test_no_false_alarm_on_many():
    for seed in range(200):
        maxent.verify(random_problem(seed), (0.0, 0.1, 10.0)[seed % 3]).raise_if_failed()


def faulty(change):
    """solve_lqr with its solution changed: solution, problem, temperature -> new fields."""

    def solve(problem, temperature):
        solution = lqr.solve_lqr(problem, temperature)
        return replace(solution, **change(solution, problem, temperature))

    return SimpleNamespace(solve_lqr=solve)


def log_det(X):
    return float(np.linalg.slogdet(X)[1])


def undiscounted(s, p, t):
    """The controller of the problem without discount in M and K."""
    M = p.R + p.B.T @ s.P @ p.B
    return {"gain": np.linalg.solve(M, p.B.T @ s.P @ p.A)}


VALUE = {"soft Bellman equation", "value of the policy"}
POLICY = {"Boltzmann policy", "covariance"}
FAULTS = {
    "P a little off": (
        lambda s, p, t: {"P": s.P * (1 + 1e-9)},
        VALUE | {"Riccati equation", "no better gain"},
    ),
    "K of the wrong sign": (lambda s, p, t: {"gain": -s.gain}, {"gain", "Boltzmann policy"}),
    "no discount in the controller": (undiscounted, {"gain", "Boltzmann policy"}),
    "a temperature that moves the mean": (
        lambda s, p, t: {"gain": s.gain * (1 + 1e-8 * (t > 0.2))},
        {"temperature"},
    ),
    "covariance alpha M^-1": (lambda s, p, t: {"covariance": 2 * s.covariance}, POLICY),
    "covariance of R": (lambda s, p, t: {"covariance": t / 2 * np.linalg.inv(p.R)}, POLICY),
    "correlations left out": (
        lambda s, p, t: {"covariance": np.diag(np.diag(s.covariance))},
        POLICY,
    ),
    "constant not divided by 1 - gamma": (
        lambda s, p, t: {"constant": (1 - p.discount) * s.constant},
        VALUE,
    ),
    "noise not discounted": (
        lambda s, p, t: {"constant": s.constant - np.trace(s.P @ p.W)},
        VALUE | {"no better gain"},
    ),
    "log det M of the wrong sign": (
        lambda s, p, t: {"constant": s.constant + t * log_det(s.M) / (1 - p.discount)},
        VALUE | {"no better gain"},
    ),
    "log pi for log(pi alpha)": (
        lambda s, p, t: {
            "constant": s.constant - t * p.n_actions / 2 * math.log(t) / (1 - p.discount)
        },
        VALUE,
    ),
}
"""Fault -> the clauses that fail."""


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_caught(fault):
    change, clauses = FAULTS[fault]
    report = maxent.verify(lqr.coupled_masses(), 0.2, operators=faulty(change))
    assert {check.clause for check in report if check.verdict == "fails"} == clauses


def test_every_clause_is_failed_by_a_fault():
    failed = set().union(*(clauses for _, clauses in FAULTS.values()))
    assert {clause.name for clause in CLAUSES if clause.key in KEYS} == failed


def test_the_truth_is_that_of_the_one_dimensional_formula():
    instance = LinearQuadraticInstance(lqr.scalar(), 0.2, 0, SimpleNamespace())
    second, first = 0.225, 0.5 * (1 - 0.9 * 0.81) - 0.225
    p = (-first + math.sqrt(first**2 + 2 * second)) / (2 * second)
    P, K, doubt = instance.truth
    assert P.item() == pytest.approx(p, rel=1e-15, abs=0.0) and doubt < 1e-15
    assert K.item() == pytest.approx(0.9 * 0.5 * p * 0.9 / (0.5 + 0.225 * p), rel=1e-15, abs=0.0)


def test_each_kind_of_problem_has_its_statements():
    mdp = maxent.garnet(4, 2, discount=0.9, seed=0)
    assert not {check.key for check in maxent.verify(mdp, 0.1)} & set(KEYS)
    assert {check.key for check in maxent.verify(lqr.scalar(), 0.1)} == set(KEYS)
    for check in maxent.verify(mdp, 0.1, keys=KEYS):
        assert check.verdict == "not applicable"
        assert "linear-quadratic" in check.witness["missing"]
    for check in maxent.verify(lqr.scalar(), 0.1, keys=["SQL-T3", "GIBBS-1"]):
        assert check.verdict == "not applicable"
        assert "finitely many" in check.witness["missing"]


def test_a_prior_is_refused_and_sizes_have_limits():
    with pytest.raises(maxent.ConfigError, match="takes no prior"):
        maxent.verify(lqr.scalar(), 0.1, prior=np.ones(2) / 2)
    many = lqr.LinearQuadratic(
        0.5 * np.eye(4), np.eye(4), np.eye(4), np.eye(4), np.eye(4), discount=0.9
    )
    missing = [c.witness["missing"] for c in maxent.verify(many, 0.1) if c.slack != c.slack]
    assert missing == ["at most 3 action coordinates"]
