"""The certified interval: its rounding term against 60 digits, its shape against the theory."""

import numpy as np
import pytest
from mpmath import mp, mpf
from truth import optimal_value

import maxent
from maxent.tabular.bounds import FixedPointBounds, soft_bounds
from maxent.tabular.solvers.certified import certify
from maxent.tabular.solvers.kernels import SoftKernel

SETTINGS = [
    {"branching": None},
    {"branching": 3, "masked": 0.4},
    {"branching": 2, "terminal": 2, "reward_scale": 1e6},
    {"branching": 1, "reward_scale": 1e-9},
]


def exact_sweep(mdp, v, temperature):
    """T V in 60 digits, for v in float64."""
    transition = mdp.to_dense().transition
    alpha, values = mpf(temperature), []
    for s in range(mdp.n_states):
        if mdp.terminal[s]:
            values.append(mpf(0))
            continue
        q = [
            mpf(float(mdp.reward[s, a]))
            + mpf(mdp.discount)
            * mp.fsum(
                mpf(float(transition[s, a, t])) * mpf(float(v[t]))
                for t in range(mdp.n_states)
                if not mdp.terminal[t]
            )
            for a in range(mdp.n_actions)
            if mdp.action_mask[s, a]
        ]
        top = max(q)
        more = alpha * mp.log(mp.fsum(mp.exp((x - top) / alpha) for x in q)) if alpha else 0
        values.append(top + more)
    return values


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("temperature", [0.0, 1e-12, 1e-3, 1.0, 1e3, 1e12])
def test_one_sweep_is_within_its_rounding_bound(settings, temperature):
    rng = np.random.default_rng(0)
    for seed in range(3):
        mdp = maxent.garnet(9, 4, discount=0.99, seed=seed, **settings)
        kernel = SoftKernel(mdp, temperature, mdp.log_mask)
        for scale in (0.0, 1.0, 1e3, 1e9):
            v = scale * rng.normal(size=9) * ~mdp.terminal
            bound = kernel.bounds.rounding(float(np.abs(v).max()))
            exact = exact_sweep(mdp, v, temperature)
            for got, want in zip(kernel.apply(v), exact, strict=True):
                assert abs(mpf(float(got)) - want) <= bound


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_interval_of_any_values_holds_the_fixed_point(settings):
    rng = np.random.default_rng(1)
    for seed in range(3):
        mdp = maxent.garnet(9, 4, discount=0.9, seed=seed, **settings)
        kernel = SoftKernel(mdp, 0.5, mdp.log_mask)
        truth = optimal_value(mdp, 0.5, maxent.soft_policy_iteration(mdp, 0.5).v)
        for v in (np.zeros(9), 1e3 * rng.normal(size=9), np.full(9, 1e6), np.full(9, -1e6)):
            v = np.where(mdp.terminal, 0.0, v)
            now = certify(kernel, v)
            for lower, exact, upper in zip(now.lower, truth, now.upper, strict=True):
                assert lower <= exact <= upper


def test_without_terminal_states_the_width_is_the_span_of_the_change():
    mdp = maxent.garnet(20, 3, discount=0.9, branching=4, seed=0)
    kernel = SoftKernel(mdp, 0.5, None)
    v = np.random.default_rng(0).normal(size=20)
    now = certify(kernel, v)
    assert now.width == pytest.approx(0.9 / 0.1 * np.ptp(now.b), rel=1e-9)


def test_terminal_states_count_a_change_of_zero():
    """With every change equal to 1 the interval must still allow for paths that end at once."""
    limits = FixedPointBounds(gain_low=0.0, gain_high=9.0, relative=0.0, absolute=0.0, scale=0.0)
    assert limits.interval(1.0, 1.0, 1.0) == (0.0, 9.0)
    assert limits.interval(-1.0, -1.0, 1.0) == (-9.0, 0.0)
    steady = FixedPointBounds(gain_low=9.0, gain_high=9.0, relative=0.0, absolute=0.0, scale=0.0)
    assert steady.interval(1.0, 1.0, 1.0) == (9.0, 9.0)


def test_a_bare_residual_is_not_an_error():
    """A change of 1e-6 at discount 0.9999 can hide an error ten thousand times as large."""
    mdp = maxent.MDP(np.ones((1, 1, 1)), np.ones(1), discount=0.9999)
    kernel = SoftKernel(mdp, 0.0, None)
    v = np.array([1e4 - 1e-2])
    now = certify(kernel, v)
    assert now.b[0] < 2e-6 and now.lower[0] <= 1e4 <= now.upper[0]


def test_the_floor_grows_with_the_horizon_and_the_values():
    floors = [
        soft_bounds(maxent.garnet(9, 3, discount=g, branching=3), 1.0, None).floor(norm)
        for g, norm in ((0.9, 1.0), (0.99, 1.0), (0.99, 1e6))
    ]
    assert floors[0] < floors[1] < floors[2]
    assert floors[2] < 1e-6 * 1e6


def test_the_refusal_names_what_can_be_had():
    limits = soft_bounds(maxent.garnet(9, 3, discount=0.999, branching=3), 1.0, None)
    with pytest.raises(maxent.ToleranceError) as caught:
        limits.require_tolerance(1e-15)
    named = float(str(caught.value).split("ask for ")[1].split(" ")[0])
    assert named >= limits.floor(0.0)
    limits.require_tolerance(named)
