"""The certified interval: its rounding term against 60 digits, its shape against the theory."""

from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import sparse
from truth import optimal_value

import maxent
from maxent.tabular.bounds import FixedPointBounds, longest_stay, policy_bounds, soft_bounds
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


U, TINY = 2.0**-53, 5e-324
PAID = 1e-9


def ends_by_half(n_actions):
    """Two states that end or go on with probability 1/2; the actions of the second are masked but
    for one."""
    transition = np.zeros((3, n_actions, 3))
    transition[:2] = [0.25, 0.25, 0.5]
    mask = np.ones((3, n_actions), bool)
    mask[1, 1:] = False
    return maxent.MDP(
        transition,
        np.full((3, n_actions), PAID),
        discount=0.8,
        terminal=[False, False, True],
        action_mask=mask,
    )


@pytest.mark.parametrize("temperature", [0.0, 0.5, 40.0])
@pytest.mark.parametrize("n_actions", [1, 2, 5])
def test_rounding_costs_what_the_documentation_says(n_actions, temperature):
    """docs/semantics.md: e = u [(k + 12) N + alpha (2 A + 5 + 4 log A)], N = max(|V|, |r| + alpha
    |log prior|), the second term where A > 1, and what products below 2.2e-308 lose."""
    mdp, k = ends_by_half(n_actions), 3
    prior = np.where(mdp.action_mask, 0.5 / max(n_actions - 1, 1), 0.0)
    prior[:, 0] = 1.0 - prior[:, 1:].sum(axis=1)
    largest = -np.log(prior[prior > 0.0].min())
    bounds = soft_bounds(mdp, temperature, mdp.log_prior(prior))
    lost = TINY * (k + n_actions + 8) * max(1.0, temperature)
    entropy = 0.0
    if n_actions > 1:
        entropy = U * temperature * (2 * n_actions + 5 + 4 * np.log(n_actions))
    assert bounds.absolute == pytest.approx(entropy + lost, rel=1e-14, abs=0.0)
    scale = PAID + temperature * largest
    for norm in (0.0, 3.0):
        expected = U * (k + 12) * max(norm, scale) + entropy + lost
        assert bounds.rounding(norm) == pytest.approx(expected, rel=1e-13, abs=0.0)
    assert bounds.gain_low == pytest.approx(0.8 * 0.5 / (1 - 0.8 * 0.5)) == bounds.gain_high


@pytest.mark.parametrize("temperature", [0.0, 0.5, 40.0])
def test_rounding_of_an_evaluation_costs_what_its_docstring_says(temperature):
    """(k + 2 A + 16) u N and (A + 8) u alpha sum pi (|log pi| + |log prior|), the most of a state;
    A the most actions that a state's policy takes."""
    mdp, policy = ends_by_half(4), np.array([[0.7, 0.2, 0.1, 0], [1, 0, 0, 0], [0.25] * 4])
    prior = np.array([[0.1, 0.1, 0.2, 0.6], [1, 0, 0, 0], [0.25] * 4])
    moves = np.full((3, 3), 0.25) * [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    bounds = policy_bounds(mdp, policy, moves, temperature, mdp.log_prior(prior))
    taken = policy[0, :3]
    size = float((taken * (np.abs(np.log(taken)) + np.abs(np.log(prior[0, :3])))).sum())
    lost = TINY * (3 + 2 * 3 + 8) * max(1.0, temperature)
    entropy = U * temperature * (3 + 8) * size
    assert bounds.absolute == pytest.approx(entropy + lost, rel=1e-13, abs=0.0)
    assert bounds.relative == U * (3 + 2 * 3 + 16) and bounds.scale == PAID
    stored = sparse.csr_array([[0.2, 0.3, 0.0], [0.1, 0.0, 0.0], [0.0, 0.0, 0.0]])  # 2, 1, none
    fewer = policy_bounds(mdp, policy, stored, temperature, mdp.log_prior(prior))
    assert fewer.relative == U * (2 + 2 * 3 + 16)


def test_the_default_tolerance_is_what_the_documentation_says():
    """max(1e-9 max(1, |V|), 4 floors), or 2 floors where 4 are above 1e-6 max(1, |V|)."""
    bounds = FixedPointBounds(0.0, 0.0, relative=1e-12, absolute=0.0, scale=0.0)
    assert bounds.tolerance(0.0) == bounds.tolerance(1.0) == 1e-9
    assert bounds.tolerance(100.0) == 1e-9 * 100.0
    coarse = FixedPointBounds(999.0, 999.0, relative=1e-11, absolute=0.0, scale=0.0)
    assert coarse.tolerance(2.0) == pytest.approx(4 * 2e-8)
    coarser = FixedPointBounds(999.0, 999.0, relative=1e-8, absolute=0.0, scale=0.0)
    assert coarser.tolerance(2.0) == pytest.approx(2 * 2e-5)


@pytest.mark.parametrize("over", [0.0, 9e-10])
@pytest.mark.parametrize("discount", [0.5, 0.99, 0.9999])
def test_the_long_run_factors_are_those_of_the_rows_as_stored(discount, over):
    """beta / (1 - beta) in rational numbers, beta of the least and of the greatest row."""
    going_on = np.array([[0.3, 0.4], [0.6, 0.4 + over]])
    mdp = maxent.MDP(
        np.array([[[*going_on[0], 0.3]], [[*going_on[1], 0.0]], [[0.0, 0.0, 1.0]]]),
        np.zeros((3, 1)),
        discount=discount,
        terminal=[False, False, True],
    )
    bounds = soft_bounds(mdp, 0.0, None)
    least, greatest = (Fraction(discount) * sum(map(Fraction, row.tolist())) for row in going_on)
    assert bounds.gain_low <= least / (1 - least)
    assert greatest / (1 - greatest) <= bounds.gain_high
    assert bounds.gain_high == pytest.approx(float(greatest / (1 - greatest)), rel=1e-8)


def test_no_length_of_stay_is_certified_by_times_below_zero():
    """(I - P) w = 1 has the solution w = -1e9 where a row sums to more than 1."""
    assert longest_stay(np.array([[1.0 + 1e-9]]), np.array([True]), 1) == np.inf
