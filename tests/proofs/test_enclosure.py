"""Proved enclosures hold the truth and are narrow, and nothing but a proof makes them so."""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
import truth
from mpmath import mp, mpf
from small_mdps import DISCOUNTS, FAMILIES, TEMPERATURES, ended, family

import maxent
from maxent.proofs import balls, enclosure
from maxent.proofs.enclosure import enclose

flint = pytest.importorskip("flint")


def exact_midpoint(found: maxent.Enclosure) -> list[mpf]:
    return [mp.fsum(mpf(float(x)) for x in column) for column in found.midpoint.T]


def holds(found: maxent.Enclosure, values: list[mpf]) -> bool:
    """Whether the proved interval, and the float64 one around it, hold the values."""
    noise = mpf(10) ** -45 * max(1, *(abs(x) for x in values))  # of the 60 digits themselves
    near = all(
        abs(x - middle) <= found.radius + noise
        for x, middle in zip(values, exact_midpoint(found), strict=True)
    )
    return near and all(
        mpf(float(low)) - noise <= x <= mpf(float(high)) + noise
        for low, x, high in zip(found.lower, values, found.upper, strict=True)
    )


@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_optimum_is_enclosed(name, discount):
    for temperature in TEMPERATURES:
        mdp, prior = family(name, discount)
        found = enclose(mdp, temperature, prior=prior)
        exact = truth.optimal_value(mdp, temperature, found.midpoint[0], prior)
        assert holds(found, exact), temperature
        assert found.width <= 1e-10, temperature


@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_value_of_a_policy_is_enclosed(name, discount):
    rng = np.random.default_rng(1)
    mdp, prior = family(name, discount)
    policy = rng.dirichlet(np.ones(mdp.n_actions), size=mdp.n_states)
    allowed = mdp.action_mask if prior is None else prior > 0.0
    policy = np.where(allowed, policy, 0.0)
    policy /= policy.sum(axis=1, keepdims=True)
    for temperature in TEMPERATURES:
        found = enclose(mdp, temperature, policy=policy, prior=prior)
        assert holds(found, truth.policy_value(mdp, policy, temperature, prior)), temperature
        assert found.width <= 1e-10, temperature


@pytest.mark.parametrize("of_a_policy", [False, True])
@pytest.mark.parametrize("name", FAMILIES)
def test_action_values_and_policy_are_enclosed(name, of_a_policy):
    """Q = r + gamma P V and its Boltzmann policy, prior exp(Q / alpha) normalised, from 60 digits;
    V is V* or the value of a policy."""
    for temperature in (1e-2, 1.0, 1e4):
        mdp, prior = family(name, 0.95)
        allowed = mdp.action_mask if prior is None else prior > 0.0
        given = np.arange(1.0, 1.0 + mdp.n_actions) * allowed
        given /= np.maximum(given.sum(axis=1, keepdims=True), 1.0)
        policy = given if of_a_policy else None
        found = enclose(mdp, temperature, prior=prior, policy=policy, width=1e-15)
        if of_a_policy:
            v = truth.policy_value(mdp, given, temperature, prior)
        else:
            v = truth.optimal_value(mdp, temperature, found.midpoint[0], prior)
        dense, alpha = mdp.to_dense().transition, mpf(temperature)
        for s in range(mdp.n_states):
            actions = [] if mdp.terminal[s] else np.flatnonzero(allowed[s]).tolist()
            q = {
                a: mpf(float(mdp.reward[s, a]))
                + mpf(mdp.discount)
                * mp.fsum(mpf(float(p)) * x for p, x in zip(dense[s, a], v, strict=True))
                for a in actions
            }
            weights = {
                a: (1 if prior is None else mpf(float(prior[s, a])))
                * mp.exp((q[a] - max(q.values())) / alpha)
                for a in actions
            }
            for a in range(mdp.n_actions):
                low, high = found.policy_lower[s, a], found.policy_upper[s, a]
                if a not in q:
                    assert low == high == found.q_lower[s, a] == found.q_upper[s, a] == 0.0
                    continue
                assert found.q_lower[s, a] <= q[a] <= found.q_upper[s, a]
                probability = weights[a] / mp.fsum(weights.values())
                assert low - mpf(10) ** -45 <= probability <= high + mpf(10) ** -45
                assert high - low <= 1e-10


def test_a_policy_counts_as_it_is_stored_also_where_it_sums_to_a_little_more_than_one(monkeypatch):
    """One state: V = r m / (1 - gamma m), m the sum of its probabilities; here gamma m is 9e-10
    nearer to 1 than gamma, and the error of a start off by 1 is exactly what it proves."""
    policy = np.array([[0.5, 0.5 + 9e-10]])
    mdp = maxent.MDP(np.ones((1, 2, 1)), np.ones((1, 2)), discount=1.0 - 1e-8)
    mass = mpf(policy[0, 0]) + mpf(policy[0, 1])
    exact = mass / (1 - mpf(mdp.discount) * mass)
    off = np.array([float(exact) + 1.0])
    monkeypatch.setattr(enclosure, "_candidate", lambda *_: off)
    found = enclose(mdp, 0.0, policy=policy, width=10.0)
    assert abs(exact_midpoint(found)[0] - exact) <= found.radius < 2.0
    assert found.lower[0] <= exact <= found.upper[0]


def test_p_log_p_is_enclosed_where_p_may_be_zero():
    for high in (0.0, 1e-300, 0.2, 0.35, 0.5, 1.0):
        ball = balls.times_log(flint.arb(0.5 * high, 0.5 * high))
        for share in (0.0, 0.3, 1.0, np.exp(-1.0) / max(high, np.exp(-1.0))):
            p = mpf(share * high)
            exact = p * mp.log(p) if p else mpf(0)
            assert mpf(float(ball.lower())) - 1e-15 <= exact <= mpf(float(ball.upper())) + 1e-15
        assert float(ball.rad()) <= 0.51


def test_an_mdp_that_has_ended_is_worth_nothing():
    for policy in (None, [0.5, 0.5]):
        found = enclose(ended(), 0.5, policy=policy)
        assert found.lower[0] == found.upper[0] == found.width == 0.0


def test_what_a_proof_took_is_counted():
    mdp, _ = family("dense", 0.95)
    started = time.perf_counter()
    found = enclose(mdp, 0.3, width=1.0)  # the float64 solution is near enough
    assert found.applications == 1 and found.bits == 128
    assert 0.0 < found.seconds <= time.perf_counter() - started
    assert enclose(mdp, 0.3, width=1e-25).applications > 1


def test_at_temperature_zero_the_best_actions_are_named():
    """State 0: action 0 is best by 1e-12.  State 1: two actions tie exactly, the third is worse."""
    reward = np.array([[1.0 + 1e-12, 1.0, 0.0], [1.0, 1.0, 1.0 - 1e-12]])
    mdp = maxent.MDP(np.full((2, 3, 2), 0.5), reward, discount=0.9)
    found = enclose(mdp, 0.0)
    np.testing.assert_array_equal(found.policy_lower, [[1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(found.policy_upper, [[1, 0, 0], [1, 1, 0]])


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_problem_whose_soft_values_are_rational(temperature):
    """r = -alpha log m where m actions do the same: sum exp(r / alpha) = 1, so V* solves the
    deterministic V = c + gamma V(next), in rationals.  float64 has no log 2, so the -alpha log m
    is a prior of 1/m, which is the same exactly: V = alpha log sum (1/m) exp(Q / alpha) = Q."""
    chain = np.zeros((3, 2, 3))
    chain[0, :, 1] = chain[1, :, 2] = chain[2, :, 2] = 1.0
    costs = np.array([[0.25, 0.25], [-1.5, -1.5], [3.0, 3.0]])
    mdp = maxent.MDP(chain, costs, discount=0.75)
    found = enclose(mdp, temperature, prior=np.full((3, 2), 0.5), width=1e-25)
    exact = [0.25 + 0.75 * (-1.5 + 0.75 * 12.0), -1.5 + 0.75 * 12.0, 12.0]  # 3 / (1 - 3/4) = 12
    for middle, value in zip(exact_midpoint(found), exact, strict=True):
        assert abs(middle - value) <= found.radius <= 1e-25
    assert (found.lower <= exact).all() and (exact <= found.upper).all()
    np.testing.assert_array_less(found.upper - found.lower, 1e-14)


@pytest.mark.parametrize("m", [2, 3, 4, 7])
def test_rewards_of_minus_alpha_log_m_make_all_values_almost_zero(m):
    """The same without a prior: r is -alpha log m rounded, wrong by less than an ulp each, so
    |V*| <= ulp / (1 - gamma) holds, and V* = (r + alpha log m) / (1 - gamma) exactly."""
    alpha, discount = 0.375, 0.875
    rng = np.random.default_rng(m)
    moves = np.zeros((4, m, 4))
    moves[np.arange(4)[:, None], np.arange(m), rng.integers(4, size=(4, m))] = 1.0
    reward = -alpha * np.log(m)
    mdp = maxent.MDP(moves, np.full((4, m), reward), discount=discount)
    found = enclose(mdp, alpha, width=1e-25)
    exact = (mpf(float(reward)) + mpf(alpha) * mp.log(m)) / (1 - mpf(discount))
    for middle in exact_midpoint(found):
        assert abs(middle - exact) <= found.radius <= 1e-25
    assert abs(float(exact)) <= 8 * np.spacing(abs(reward))
    assert np.abs(found.lower).max() <= 1e-14


@pytest.mark.parametrize("discount, temperature", [(0.9999, 1e8), (1 - 1e-9, 1.0), (0.99, 1e15)])
def test_where_float64_ends_more_parts_are_taken(discount, temperature):
    """Values of 1e12 and more to within 1e-10: no float64 pair of bounds is that narrow."""
    mdp, _ = family("dense", discount)
    found = enclose(mdp, temperature)
    assert found.width <= 1e-10 < float((found.upper - found.lower).max())
    assert holds(found, truth.optimal_value(mdp, temperature, found.midpoint[0]))


def test_a_width_is_reached_as_asked():
    mdp, _ = family("terminal", 0.99)
    widths = [enclose(mdp, 0.5, width=width).width for width in (1e-3, 1e-20, 1e-40)]
    assert all(found <= asked for found, asked in zip(widths, (1e-3, 1e-20, 1e-40), strict=True))


def test_a_width_that_cannot_be_reached_is_named():
    mdp, _ = family("dense", 0.99)
    with pytest.warns(maxent.MaxEntWarning, match="width = 1e-200 could not be reached"):
        found = enclose(mdp, 0.5, width=1e-200)
    assert holds(found, truth.optimal_value(mdp, 0.5, found.midpoint[0]))


@pytest.mark.parametrize("what", ["zeros", "huge", "alternating"])
def test_a_bad_candidate_costs_time_and_no_truth(what, monkeypatch):
    wrong = {
        "zeros": np.zeros(4),
        "huge": np.full(4, 1e9),
        "alternating": np.array([1e3, -1e3, 1e3, -1e3]),
    }
    for name in ("dense", "terminal"):
        mdp, _ = family(name, 0.95)
        start = np.where(mdp.terminal, 0.0, wrong[what])
        monkeypatch.setattr(enclosure, "_candidate", lambda *_, start=start: start)
        found = enclose(mdp, 0.3)
        assert found.width <= 1e-10
        assert holds(found, truth.optimal_value(mdp, 0.3, found.midpoint[0]))


def test_a_bad_correction_gives_no_false_proof(monkeypatch):
    mdp, _ = family("dense", 0.95)
    monkeypatch.setattr(enclosure, "_newton_step", lambda *_: np.full(4, 1e-6))
    with pytest.warns(maxent.MaxEntWarning, match="could not be reached"):
        found = enclose(mdp, 0.3, width=1e-13)
    assert holds(found, truth.optimal_value(mdp, 0.3, found.midpoint[0]))


@pytest.mark.parametrize("fault", ["hard maximum", "no gain", "ends exchanged", "other reward"])
def test_a_faulty_proof_is_seen_by_these_tests(fault, monkeypatch):
    """The comparison with 60 digits has teeth: each fault excludes the truth."""
    mdp, _ = family("dense", 0.95)
    given, width = mdp, 1e-10
    if fault == "hard maximum":
        monkeypatch.setattr(balls, "soft_maximum", lambda scores, _: balls.largest(scores))
    elif fault == "other reward":
        given = mdp.replace(reward=mdp.reward + 1e-9)
    else:  # a candidate that is off by about 1e-3, so that its bounds are put to use
        off = maxent.solve(mdp, 0.3).v + 1e-3 * np.arange(1.0, 5.0)
        monkeypatch.setattr(enclosure, "_candidate", lambda *_: off)
        width = 1.0
        if fault == "no gain":
            made = balls._operator
            nothing = {"least": flint.arb(0), "greatest": flint.arb(0)}
            monkeypatch.setattr(balls, "_operator", lambda *x: replace(made(*x), **nothing))
        else:
            monkeypatch.setattr(balls, "_greatest", lambda ends: min(x.upper() for x in ends))
            monkeypatch.setattr(balls, "_least", lambda ends: max(x.lower() for x in ends))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = enclose(given, 0.3, width=width)
    assert not holds(found, truth.optimal_value(mdp, 0.3, found.midpoint[0]))


def test_without_flint_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    mdp, _ = family("dense", 0.9)
    for call in (lambda: enclose(mdp, 1.0), lambda: maxent.prove(mdp, 1.0)):
        with pytest.raises(maxent.ConfigError, match="pip install python-flint"):
            call()


@pytest.mark.parametrize(
    "settings, error, words",
    [
        ({"width": 0.0}, maxent.ConfigError, "width"),
        ({"width": -1.0}, maxent.ConfigError, "width"),
        ({"temperature": -1.0}, maxent.ConfigError, "temperature"),
        ({"policy": [0.5, 0.5, 0.5]}, maxent.ModelError, "policy of state 0 sums"),
        ({"prior": [1.0, 0.0, 0.0], "policy": [0, 1, 0]}, maxent.ModelError, "policy"),
        ({"mdp": maxent.MDP(np.ones((1, 1, 1)), [0.0], discount=1)}, maxent.ConfigError, "1 makes"),
        ({"mdp": 3}, maxent.ModelError, "not an MDP"),
    ],
)
def test_bad_settings_are_named(settings, error, words):
    given = {"mdp": family("dense", 0.9)[0], "temperature": 1.0} | settings
    with pytest.raises(error, match=words):
        enclose(**given)


def test_a_discount_too_close_to_one_for_the_rows_is_named():
    p = np.full((2, 1, 2), 0.5 * (1 + 9e-10))
    mdp = maxent.MDP(p, np.ones((2, 1)), discount=1 - 1e-10)
    with pytest.raises(maxent.ModelError, match="largest row sum"):
        enclose(mdp, 1.0)


def test_a_grid_of_ten_thousand_states_takes_seconds():
    mdp = maxent.gridworld("open-100x100", discount=0.9999, slip=0.1)
    found = enclose(mdp, 0.1)
    assert found.width <= 1e-10
    solution = maxent.solve(mdp, 0.1)
    assert (solution.lower <= found.upper).all() and (found.lower <= solution.upper).all()
