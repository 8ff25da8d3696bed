"""Where an interval is most easily wrong: tiny probabilities, floors next to the uniform policy,
long horizons, ties, discounts next to 1.  Truth has 60 digits."""

from types import SimpleNamespace

import numpy as np
import pytest
import truth
from mpmath import mp, mpf

import maxent
from maxent.tabular.bounds import longest_stay
from maxent.tabular.solvers import exits
from maxent.tabular.solvers.certified import Certified
from maxent.tabular.solvers.loop import Options, verdict


def assert_holds(solution, exact):
    for lower, value, upper in zip(solution.lower, exact, solution.upper, strict=True):
        assert lower <= value <= upper


@pytest.mark.parametrize("temperature", [1e-5, 1.0, 3e7])
def test_an_evaluation_holds_the_truth_for_the_tiniest_probabilities(temperature):
    """exp(log p) is off by |log p| units in the last place: the policy itself is to be used."""
    mdp = maxent.MDP(np.ones((1, 2, 1)), np.zeros((1, 2)), discount=0.0)
    tiny = [1.6299806301955848e-284, 5e-324, *10 ** np.random.default_rng(0).uniform(-323, -1, 60)]
    for p in tiny:
        policy = np.array([[1.0 - p, p]])
        for method in ("direct", "iterative"):
            found = maxent.soft_policy_evaluation(mdp, policy, temperature, method=method)
            assert_holds(found, truth.policy_value(mdp, policy, temperature))


def test_an_evaluation_holds_the_truth_where_products_are_too_small_for_float64():
    mdp = maxent.MDP(np.ones((1, 2, 1)), np.array([[3e-300, -7e-308]]), discount=0.9)
    policy, prior = np.array([[1.0, 3e-20]]), np.array([[1.0, 2e-310]])
    for temperature in (0.0, 1e-300):
        for given in (None, prior):
            found = maxent.soft_policy_evaluation(mdp, policy, temperature, prior=given)
            assert_holds(found, truth.policy_value(mdp, policy, temperature, given))


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("below", [0.0, 1.2e-16, 6e-15, 1e-13, 1e-9])
def test_an_entropy_floor_next_to_the_largest_entropy_is_that_floor(temperature, below):
    """log 2 - h decides, not h: the value moves with its square root."""
    mdp = maxent.garnet(4, 3, discount=0.95, seed=5, branching=2, terminal=1, masked=0.3)
    count = np.where(mdp.terminal, 1, mdp.action_mask.sum(axis=1))
    floor = np.maximum(np.log(count) - below, 0.0)
    by_count = {int(n): float(h) for n, h in zip(count, floor, strict=True)}
    inside = maxent.EntropyFloor(floor)
    solution = maxent.soft_policy_iteration(mdp, temperature, policies=inside)
    exact = truth.value_in_set(
        mdp,
        temperature,
        lambda q, alpha: truth.exact_entropy(q, alpha, by_count[len(q)]),
        solution.v,
    )
    assert solution.converged and solution.error_bound < 1e-9
    assert_holds(solution, exact)


def test_the_float_nearest_to_log_2_is_not_log_2():
    mdp = maxent.MDP(np.ones((1, 2, 1)), np.array([[0.0, 1.0]]), discount=0.99)
    inside = maxent.EntropyFloor(float(np.log(2.0)))
    solution = maxent.soft_policy_iteration(mdp, 0.0, policies=inside)
    assert solution.lower[0] <= 50.00000034051771 <= solution.upper[0]
    assert solution.error_bound < 1e-10


def test_a_floor_above_the_largest_entropy_by_rounding_is_the_uniform_policy():
    mdp = maxent.garnet(4, 3, discount=0.9, seed=0)
    inside = maxent.EntropyFloor(np.nextafter(np.log(3.0), 2.0))
    solution = maxent.soft_policy_iteration(mdp, 0.0, policies=inside)
    np.testing.assert_allclose(solution.policy, 1 / 3, rtol=1e-15)


def test_without_a_tolerance_an_error_as_large_as_the_value_is_no_answer():
    """1e-6 max(1, |V|) is the most that is called converged; a tolerance asked for is kept."""
    mdp = maxent.garnet(3, 2, discount=1 - 1e-15, seed=0).replace(reward=np.full((3, 2), 5.0))
    uniform = np.full((3, 2), 0.5)
    for problem, message in ((mdp, "stalled"), (mdp.replace(discount=0.9999), "converged")):
        for run in (
            lambda m, **given: maxent.solve(m, 0.1, **given),
            lambda m, **given: maxent.soft_policy_evaluation(m, uniform, 0.1, **given),
            lambda m, **given: maxent.soft_policy_iteration(
                m, 0.1, policies=maxent.EpsilonFloor(0.1), **given
            ),
        ):
            if message == "stalled":
                with pytest.warns(maxent.MaxEntWarning, match="did not reach the tolerance"):
                    found = run(problem)
                assert found.error_bound > found.tolerance
                assert run(problem, tolerance=1e17).converged
            else:
                found = run(problem)
            assert found.status == message
            large = found.error_bound > 1e-6 * max(1.0, float(np.abs(found.v).max()))
            assert large == (message == "stalled")


@pytest.mark.parametrize("temperature", [0.0, 0.01, 0.02])
def test_where_episodes_end_the_discount_does_not_blur_the_interval(temperature):
    """The textbook map at discount 1 - 1e-9: the time to a terminal state counts."""
    mdp = maxent.gridworld("russell-norvig-4x3")
    assert 0.0 < 1.0 - mdp.discount < 1e-8
    solution = maxent.solve(mdp, temperature)
    assert solution.converged and solution.error_bound < 1e-12
    assert_holds(solution, truth.optimal_value(mdp, temperature, solution.v))
    uniform = np.full((mdp.n_states, 4), 0.25)
    found = maxent.soft_policy_evaluation(mdp, uniform, temperature)
    assert found.converged and found.error_bound < 1e-11
    assert_holds(found, truth.policy_value(mdp, uniform, temperature))
    inside = maxent.soft_policy_iteration(mdp, temperature, policies=maxent.EpsilonFloor(0.1))
    exact = truth.value_in_set(
        mdp, temperature, lambda q, alpha: truth.exact_epsilon(q, alpha, 0.1), inside.v
    )
    assert inside.converged and inside.error_bound < 1e-10
    assert_holds(inside, exact)


def test_the_error_of_a_finite_horizon_adds_up_along_the_way():
    """Without a discount each of 3000 steps adds its rounding."""
    mdp = maxent.MDP(np.ones((1, 3, 1)), np.array([[0.1, 0.2, 0.3]]), discount=1.0)
    horizon = 3000
    for found in (
        maxent.finite_horizon(mdp, 0.7, horizon),
        maxent.finite_horizon(mdp, 0.0, horizon),
        maxent.finite_horizon_evaluation(mdp, [0.2, 0.3, 0.5], 0.7, horizon),
    ):
        alpha = mpf(found.temperature)
        r = [mpf(float(x)) for x in mdp.reward[0]]
        if found.policy[0, 0, 0] == pytest.approx(0.2):
            p = [mpf(float(x)) for x in (0.2, 0.3, 0.5)]
            step = mp.fsum(x * (y - alpha * mp.log(x)) for x, y in zip(p, r, strict=True))
        else:
            step = alpha * mp.log(mp.fsum(mp.exp(x / alpha) for x in r)) if alpha else max(r)
        errors = [abs(mpf(float(found.v[t, 0])) - (horizon - t) * step) for t in range(horizon)]
        assert max(errors) <= found.error_bound < 1e-7
        one = maxent.finite_horizon(mdp, 0.7, 1).error_bound
        assert found.error_bound > horizon * one


def test_the_error_of_a_finite_horizon_is_the_largest_over_time():
    """A large reward two steps before the end: earlier values, and their rounding, are smaller."""
    chain = np.zeros((3, 1, 3))
    chain[0, 0, 1] = chain[1, 0, 2] = chain[2, 0, 0] = 1.0
    mdp = maxent.MDP(chain, np.array([1.0, -1.0, 0.0]), discount=0.01)
    short, long = (maxent.finite_horizon(mdp, 0.0, horizon).error_bound for horizon in (2, 30))
    assert long >= short > 0.0


def test_the_policy_bound_allows_for_ties():
    """At temperature 0 and a coarse tolerance actions that are not tied are taken as if they were:
    what that costs is in the bound."""
    rng = np.random.default_rng(3)
    worst = 0.0
    for seed in range(12):
        mdp = maxent.garnet(4, 3, discount=0.9, seed=seed)
        mdp = mdp.replace(reward=rng.uniform(0.0, 0.3, size=(4, 3)))
        solution = maxent.soft_value_iteration(mdp, 0.0, tolerance=0.05)
        best = truth.optimal_value(mdp, 0.0, maxent.solve(mdp, 0.0).v)
        earned = truth.policy_value(mdp, solution.policy, 0.0)
        loss = max(x - y for x, y in zip(best, earned, strict=True))
        assert loss <= solution.policy_bound
        worst = max(worst, float(loss) / solution.policy_bound)
    assert worst > 0.2  # the bound is of the size of the loss


def test_the_longest_stay_is_certified_not_believed():
    """Next to a policy that never ends, what a linear solve says is no bound."""
    for stay in (0.5, 1 - 1e-6, 1 - 3e-15, 1 - 1e-16, 1.0):
        transition = np.array([[stay, 0.0], [0.0, 0.0]])
        bound = longest_stay(transition, np.array([True, False]), 1)
        exact = mpf(1) / (1 - mpf(stay)) if stay < 1.0 else mp.inf
        assert bound >= exact
    assert longest_stay(np.array([[0.5, 0], [0, 0]]), np.array([True, False]), 1) < 2.1


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_an_interval_by_the_time_to_a_terminal_state_allows_for_the_whole_rounding(side):
    """T U <= U must be seen with a margin of the sweep's rounding: three quarters of it do not do,
    at twice the distance one and a half do."""
    rounding = 1e-3
    kernel = SimpleNamespace(
        mdp=SimpleNamespace(terminal=np.array([False, True])),
        apply=lambda bound: bound - 0.375 * rounding * bound,
        bounds=SimpleNamespace(rounding=lambda norm: rounding),
    )
    distance = exits._checked(kernel, np.zeros(2), side * np.array([1.0, 0.0]), 1.0)
    assert distance == pytest.approx(4.0, rel=1e-12)


@pytest.mark.parametrize("width, status", [(1.9, "converged"), (2.1, "stalled"), (3.9, "stalled")])
def test_what_is_narrowed_is_converged_at_twice_the_tolerance(width, status):
    v = np.full(2, 1e6)
    best = Certified(v, 0 * v, -width / 2, width / 2, 0.0, 1e6, 1e6, np.zeros(2, bool))
    assert verdict(best, Options(tolerance=1.0), 1.0) == (1.0, status)
