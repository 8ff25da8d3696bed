"""The trade-off against 60-digit truth, its identities, its two ends, and the way back from an
entropy to a temperature."""

import dataclasses
import itertools
import json
import math
import time

import numpy as np
import pytest
from mpmath import mpf
from scipy import optimize
from small_mdps import ended
from truth import optimal_value

import maxent
from maxent.tabular.solvers.loop import Outcome
from maxent.tabular.tradeoff import front, goal_states, newton, reaching_probability

FAMILIES = {
    "dense": {"branching": None},
    "masked": {"branching": 3, "masked": 0.4},
    "terminal": {"branching": 3, "terminal": 2, "masked": 0.3},
    "everything": {"branching": 2, "absorbing": 1, "terminal": 1, "transition_rewards": True},
}


def family(name, discount=0.9, seed=5, n_states=7, **changes):
    return maxent.garnet(n_states, 3, discount=discount, seed=seed, **(FAMILIES[name] | changes))


def start_value(mdp, v):
    return sum(float(m) * x for m, x in zip(mdp.initial_distribution, v, strict=True))


def true_point(mdp, temperature, start, prior=None):
    """J*, its derivative in the temperature (the entropy, ENVELOPE) and the return, in mpmath."""
    three = [temperature * (1.0 + side * 2.0**-34) for side in (-1, 0, 1)]
    values = [start_value(mdp, optimal_value(mdp, t, start, prior)) for t in three]
    entropy = (values[2] - values[0]) / (mpf(three[2]) - mpf(three[0]))
    return values[1], entropy, values[1] - temperature * entropy


def tied_grid(discount=0.9):
    """An open 4 x 4 room without slip: every step that shortens the way is hard-optimal."""
    mdp = maxent.gridworld("S...\n....\n....\n...G", discount=discount)
    cells = mdp.grid.cells
    closer = np.zeros((mdp.n_states, 4), dtype=bool)
    for state, action in itertools.product(range(mdp.n_states), range(4)):
        row, column = cells[state] + mdp.grid.moves[action]
        inside = 0 <= row < 4 and 0 <= column < 4
        closer[state, action] = inside and row + column > cells[state].sum()
    closer[mdp.terminal] = True
    return mdp, closer


def random_policy(mdp, rng, concentration):
    weights = (rng.standard_gamma(concentration, mdp.reward.shape) + 1e-200) * mdp.action_mask
    return weights / weights.sum(axis=1, keepdims=True)


# -- points --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("discount", [0.0, 0.9, 0.9999])
def test_points_against_the_truth(name, discount):
    """ENVELOPE: entropy and return from derivatives of a 60-digit J*, a route without policies."""
    mdp = family(name, discount)
    temperatures = [3e-2, 1.0, 1e3, 1e-5, 1e12]
    curve = maxent.tradeoff(mdp, temperatures)
    close = 1e-13 / (1.0 - discount)
    for i, temperature in enumerate(temperatures):
        objective, entropy, reward = true_point(mdp, temperature, np.zeros(mdp.n_states))
        assert abs(objective - curve.objectives[i]) <= curve.error_bounds[i]
        assert curve.error_bounds[i] <= 1e-7 * max(1.0, abs(objective))
        assert float(entropy) == pytest.approx(curve.entropies[i], rel=close, abs=1e-11)
        if temperature < 1e6:  # the truth of the return is a difference
            assert float(reward) == pytest.approx(curve.returns[i], rel=close, abs=1e-8)


def test_points_are_those_of_the_solvers_policy():
    mdp = family("everything")
    curve = maxent.tradeoff(mdp, [0.3])
    solution = maxent.soft_policy_iteration(mdp, 0.3, tolerance=1e-11)
    assert curve.returns[0] == pytest.approx(maxent.policy_return(mdp, solution.policy), abs=1e-11)
    assert curve.entropies[0] == pytest.approx(
        maxent.discounted_entropy(mdp, solution.policy), abs=1e-11
    )
    np.testing.assert_allclose(curve.policy(0.3), solution.policy, atol=1e-11)
    at_another = maxent.soft_policy_iteration(mdp, 0.7, tolerance=1e-11)
    np.testing.assert_allclose(curve.policy(0.7), at_another.policy, atol=1e-11)
    solved = curve.solution(0.7)
    assert solved.converged and solved.temperature == 0.7
    np.testing.assert_allclose(solved.policy, curve.policy(0.7), atol=1e-13)
    assert 0.0 <= solved.policy_bound < 1e-9
    assert abs(solved.v - at_another.v).max() <= solved.error_bound + at_another.error_bound


def test_an_episode_that_begins_at_its_end_earns_nothing():
    mdp = family("terminal")
    start = np.where(mdp.terminal, 4.0, 1.0)
    mdp = mdp.replace(initial_distribution=start / start.sum())
    curve = maxent.tradeoff(mdp, [0.0, 0.3, 1.0, math.inf])
    for i, temperature in enumerate(curve.temperatures):
        policy = curve.policy(temperature)
        assert curve.returns[i] == pytest.approx(maxent.policy_return(mdp, policy), abs=1e-11)
        nats = maxent.discounted_entropy(mdp, policy)
        assert curve.entropies[i] == pytest.approx(nats, abs=1e-11)


def test_order_duplicates_and_ends_are_kept_as_given():
    mdp = family("terminal")
    given = [3.0, math.inf, 0.1, 0, 3.0]
    curve = maxent.tradeoff(mdp, given)
    np.testing.assert_array_equal(curve.temperatures, given)
    assert curve.entropies[0] == curve.entropies[4]
    assert (curve.entropies[3], curve.entropies[1]) == curve.entropy_range
    assert (curve.returns[3], curve.returns[1]) == curve.return_range
    assert curve.objectives[1] == math.inf and curve.objectives[3] == curve.returns[3]
    sorted_too = maxent.tradeoff(mdp, sorted(given))
    np.testing.assert_array_equal(sorted_too.returns, curve.returns[curve.order])
    np.testing.assert_array_equal(curve.slopes, [-3.0, -math.inf, -0.1, 0.0, -3.0])
    assert not curve.returns.flags.writeable and "5 temperatures" in repr(curve)


def test_a_prior_is_the_entropy_less_a_constant_or_a_cost_of_its_own():
    mdp = family("dense")
    uniform = maxent.tradeoff(mdp, [0.1, 1.0, 10.0], prior=np.full(3, 1 / 3))
    plain = maxent.tradeoff(mdp, [0.1, 1.0, 10.0])
    np.testing.assert_allclose(uniform.returns, plain.returns, atol=1e-12)
    np.testing.assert_allclose(
        uniform.entropies, plain.entropies - math.log(3) / (1 - 0.9), atol=1e-12
    )
    prior = random_policy(mdp, np.random.default_rng(1), 1.0)
    curve = maxent.tradeoff(mdp, [0.5, math.inf], prior=prior)
    objective, entropy, reward = true_point(mdp, 0.5, np.zeros(7), prior)
    assert float(objective) == pytest.approx(curve.objectives[0], abs=1e-11)
    assert float(entropy) == pytest.approx(curve.entropies[0], abs=1e-11)
    assert float(reward) == pytest.approx(curve.returns[0], abs=1e-11)
    np.testing.assert_allclose(curve.policy(math.inf), prior, atol=1e-12)
    assert curve.entropies[1] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_array_equal(curve.prior, prior)
    assert plain.prior is None and not plain.to_dict()["prior"] and curve.to_dict()["prior"]


def test_tolerance_is_asked_of_the_objectives():
    mdp = family("dense")
    assert (maxent.tradeoff(mdp, [0.1, 1.0, math.inf], tolerance=1e-9).error_bounds <= 1e-9).all()
    with pytest.raises(maxent.ToleranceError):
        maxent.tradeoff(mdp, [0.1], tolerance=1e-18)
    with pytest.warns(maxent.MaxEntWarning, match="certified to"):
        maxent.tradeoff(mdp, [1.0], tolerance=1e-13)


@pytest.mark.parametrize(
    "bad", [[], 0.1, "0.1", [float("nan")], [-1.0], [True], ["0.1"], [1e-310], [1e16], [-math.inf]]
)
def test_bad_temperatures(bad):
    with pytest.raises(maxent.ConfigError):
        maxent.tradeoff(family("dense"), bad)


def test_discount_one_and_interruption(monkeypatch):
    with pytest.raises(maxent.ConfigError, match="discount = 1"):
        maxent.tradeoff(family("dense", discount=1.0), [0.1])
    with pytest.raises(maxent.ConfigError, match="policy\\(inf\\)"):
        maxent.tradeoff(family("dense"), [0.1]).solution(math.inf)

    def interrupted(kernel, step, options, start):
        certified = front.certify(kernel, np.zeros(kernel.mdp.n_states))
        return Outcome(certified, 1e-9, "interrupted", 1, np.zeros(1), step)

    monkeypatch.setattr(newton, "iterate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        maxent.tradeoff(tied_grid()[0], [0.1])


def test_small_and_degenerate_mdps():
    curve = maxent.tradeoff(ended(), [0.0, 1.0, math.inf])
    np.testing.assert_array_equal(curve.returns, 0.0)
    np.testing.assert_array_equal(curve.entropies, 0.0)
    one_action = maxent.MDP(np.ones((1, 1, 1)), np.ones((1, 1)), discount=0.5)
    curve = maxent.tradeoff(one_action, [0.0, 1.0])
    np.testing.assert_allclose(curve.returns, 2.0)
    assert curve.entropy_range == (0.0, 0.0) and np.isnan(curve.secants).all()
    indifferent = family("dense").replace(reward=np.ones((7, 3)))
    curve = maxent.tradeoff(indifferent, [0.0, 1e-9, 1.0])
    np.testing.assert_allclose(curve.entropies, math.log(3) / 0.1, rtol=1e-12)


def test_fifty_temperatures_on_four_rooms_take_under_five_seconds():
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    started = time.perf_counter()
    maxent.tradeoff(mdp, np.logspace(-3, 1, 50))
    assert time.perf_counter() - started < 5.0


def test_a_warm_start_saves_newton_steps():
    curve_of = front.Front(maxent.gridworld("four-rooms", slip=0.1, discount=0.95))
    cold = warm = 0
    w = None
    for temperature in np.logspace(-3, 1, 12):
        point = curve_of.solve(temperature, w)
        fresh = curve_of.solve(temperature)
        warm, cold, w = warm + point.iterations, cold + fresh.iterations, point.w
        assert point.entropy == pytest.approx(fresh.entropy, rel=1e-11)
    assert warm < cold


# -- the shape of the front ----------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_slope_monotone_and_concave(name):
    """SLOPE, MONOTONE: secants lie between the temperatures of their ends, so they fall."""
    mdp = family(name)
    curve = maxent.tradeoff(mdp, np.logspace(-2, 2, 60))
    known = ~np.isnan(curve.secants)
    assert known.sum() > 30
    alpha, slack = curve.temperatures, 1e-10
    assert (curve.secants <= -alpha[:-1] * (1 - slack) + slack)[known].all()
    assert (curve.secants >= -alpha[1:] * (1 + slack) - slack)[known].all()
    assert (np.diff(curve.entropies) >= -1e-12).all() and (np.diff(curve.returns) <= 1e-12).all()
    assert curve.entropies[-1] - curve.entropies[0] > 1.0
    slopes = np.diff(curve.objectives) / np.diff(alpha)  # J* is convex, its slope the entropy
    assert (slopes >= curve.entropies[:-1] - 1e-9).all()
    assert (slopes <= curve.entropies[1:] + 1e-9).all()


def test_slope_as_a_derivative():
    mdp = family("everything")
    for temperature in (0.1, 0.5, 2.0):
        near = maxent.tradeoff(mdp, temperature * (1.0 + np.array([-1e-4, 1e-4])))
        assert near.secants[0] == pytest.approx(-temperature, rel=1e-6)


@pytest.mark.parametrize("name", ["masked", "terminal"])
def test_no_random_policy_lies_above_the_front(name):
    mdp = family(name)
    temperatures = np.logspace(-2, 2, 20)
    curve = maxent.tradeoff(mdp, temperatures)
    rng = np.random.default_rng(0)
    for index, concentration in enumerate(np.exp(rng.uniform(-3, 3, 80))):
        policy = random_policy(mdp, rng, concentration)
        nats, reward = maxent.discounted_entropy(mdp, policy), maxent.policy_return(mdp, policy)
        assert (reward + temperatures * nats <= curve.objectives + 1e-9).all()
        if index % 10 == 0:
            best = maxent.temperature_for_entropy(mdp, nats)
            assert maxent.policy_return(mdp, best.policy) >= reward - 1e-9


def test_the_whole_range_of_temperatures_is_monotone_between_the_ends():
    for mdp in (tied_grid(0.99)[0], family("terminal", reward_scale=1e6), family("masked", 0.9999)):
        curve = maxent.tradeoff(mdp, [0.0, 1e-300, *np.logspace(-14, 15, 30), math.inf])
        rounding = 1e-14 / (1.0 - mdp.discount)
        size = max(1.0, curve.entropy_range[1])
        assert (np.diff(curve.entropies) >= -rounding * size).all()
        assert (np.diff(curve.returns) <= rounding * np.abs(curve.returns).max()).all()
        assert curve.entropies[1] == pytest.approx(curve.entropies[0], abs=rounding * size)
        assert curve.entropies[-2] == pytest.approx(curve.entropies[-1], rel=1e-6)


# -- the ends ------------------------------------------------------------------------------------


def test_limit_zero_is_the_hard_optimal_policy_of_greatest_entropy():
    """LIMIT-ZERO against a 60-digit reward-free solve on ties found by counting steps."""
    mdp, closer = tied_grid()
    curve = maxent.tradeoff(mdp, [0.0, 1e-14, 1e-9, 1e-3])
    free = mdp.replace(reward=np.zeros(mdp.reward.shape), action_mask=closer)
    most = float(start_value(free, optimal_value(free, 1.0, np.zeros(16))))
    np.testing.assert_allclose(curve.entropies[:3], most, rtol=1e-13)
    assert curve.entropies[3] == pytest.approx(most, rel=1e-2)
    steps = 6  # the shortest way
    best = -0.04 * (1 - 0.9**steps) / (1 - 0.9) + 0.9 ** (steps - 1)
    assert curve.returns[0] == pytest.approx(best, abs=1e-13)
    limit = curve.policy(0.0)
    assert (limit[~closer] == 0.0).all()
    uniform = maxent.solve(mdp, 0.0).policy
    nonterminal = ~mdp.terminal
    assert np.abs(limit - uniform)[nonterminal].max() > 0.01  # not uniform over the ties
    assert maxent.discounted_entropy(mdp, uniform) < most - 0.01


def test_limit_infinity_is_the_policy_of_greatest_entropy():
    """LIMIT-INFINITY: the reward-free solution; with terminal states and masks not uniform."""
    mdp = family("terminal")
    curve = maxent.tradeoff(mdp, [1e2, 1e4, 1e8, math.inf])
    free = mdp.replace(reward=np.zeros(mdp.reward.shape))
    v = optimal_value(free, 1.0, np.zeros(7))
    assert curve.entropies[3] == pytest.approx(float(start_value(free, v)), rel=1e-13)
    gaps = curve.entropies[3] - curve.entropies  # entropy is flat at its maximum: O(1/alpha^2)
    assert gaps[0] / gaps[1] == pytest.approx(1e4, rel=0.1)
    policy = curve.policy(math.inf)
    future = mdp.expect(np.array([float(x) for x in v]) * mdp.discount_on_arrival)
    weights = np.exp(future) * mdp.action_mask
    np.testing.assert_allclose(policy, weights / weights.sum(axis=1, keepdims=True), atol=1e-12)
    uniform = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    assert np.abs(policy - uniform)[~mdp.terminal].max() > 0.1


# -- from entropy to temperature -----------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_entropy_asked_for_is_met(name, scale):
    """DUAL-TEMPERATURE, over rewards, and so temperatures, of twelve orders of magnitude."""
    for discount in (0.9, 0.9999):
        mdp = family(name, discount, reward_scale=scale)
        low, high = maxent.tradeoff(mdp, [0.0]).entropy_range
        for part in (1e-6, 0.3, 0.99):
            target = low + part * (high - low)
            solution = maxent.temperature_for_entropy(mdp, target)
            met = maxent.discounted_entropy(mdp, solution.policy)
            assert abs(met - target) <= 1e-9 * max(1.0, target)
            assert solution.converged and solution.temperature > 0.0
            assert solution.policy_bound <= 1e-4 * max(1.0, np.abs(solution.v).max())


def test_the_way_back_and_the_dual():
    mdp = family("everything")
    alpha = np.array([0.05, 0.4, 3.0])
    curve = maxent.tradeoff(mdp, alpha)
    for i in range(3):
        target = curve.entropies[i]
        solution = maxent.temperature_for_entropy(mdp, target)
        assert solution.temperature == pytest.approx(alpha[i], rel=1e-9)
        # g(alpha) = J* - alpha h is least there, and its minimum is the return that is best
        near = solution.temperature * np.array([0.5, 0.9, 1.0, 1.1, 2.0])
        dual = maxent.tradeoff(mdp, near).objectives - near * target
        assert np.argmin(dual) == 2
        assert dual[2] == pytest.approx(maxent.policy_return(mdp, solution.policy), abs=1e-10)


def test_entropies_below_and_above_the_range():
    mdp, closer = tied_grid()
    low, high = maxent.tradeoff(mdp, [1.0]).entropy_range
    for target in (low, 0.5 * low, 0.0, -3.0):
        solution = maxent.temperature_for_entropy(mdp, target)
        assert solution.temperature == 0.0
        assert maxent.discounted_entropy(mdp, solution.policy) == pytest.approx(low, rel=1e-12)
        assert (solution.policy[~closer] == 0.0).all() and solution.policy_bound < 1e-12
    for target in (high, high + 1e-9, 1e9):
        with pytest.raises(maxent.ConfigError, match="attainable range") as error:
            maxent.temperature_for_entropy(mdp, target)
        assert repr(low) in str(error.value) and repr(high) in str(error.value)
    just_below = high * (1.0 - 1e-13)
    solution = maxent.temperature_for_entropy(mdp, just_below)
    assert solution.temperature > 100.0


def test_an_entropy_next_to_the_highest_is_met_whatever_actions_nearly_tie():
    """Two actions 1e-13 apart, the third by 1: what it costs decides how warm it must be."""
    mdp = maxent.MDP(np.ones((1, 3, 1)), np.array([[1.0, 1.0 - 1e-13, 0.0]]), discount=0.5)
    target = 2.0 * math.log(3) * (1.0 - 1e-11)
    solution = maxent.temperature_for_entropy(mdp, target)
    assert solution.temperature > 1e4
    assert maxent.discounted_entropy(mdp, solution.policy) == pytest.approx(target, rel=1e-12)


@pytest.mark.parametrize("bad", [float("nan"), math.inf, True, "1", None, [1.0]])
def test_bad_entropies(bad):
    with pytest.raises(maxent.ConfigError, match="entropy"):
        maxent.temperature_for_entropy(family("dense"), bad)


def test_a_divergence_from_a_prior_can_be_asked_for():
    mdp = family("masked")
    prior = random_policy(mdp, np.random.default_rng(1), 2.0)
    solution = maxent.temperature_for_entropy(mdp, -0.5, prior=prior)
    assert maxent.discounted_entropy(mdp, solution.policy, prior) == pytest.approx(-0.5, abs=1e-9)
    with pytest.raises(maxent.ConfigError, match="attainable"):
        maxent.temperature_for_entropy(mdp, 0.5, prior=prior)


# -- arriving ------------------------------------------------------------------------------------


def walk(right, n=6):
    """A corridor with a pit on the left and a goal on the right; the policy of a random walk."""
    mdp = maxent.gridworld("X" + "." * n + "G", discount=0.9)
    names = list(mdp.action_names)
    policy = np.zeros((mdp.n_states, 4))
    policy[:, names.index("right")], policy[:, names.index("left")] = right, 1.0 - right
    return mdp, policy


@pytest.mark.parametrize("right", [0.5, 0.3, 0.9])
def test_reaching_is_gamblers_ruin(right):
    mdp, policy = walk(right)
    ratio = (1 - right) / right
    place = np.arange(8)
    ruin = place / 7 if ratio == 1 else (1 - ratio**place) / (1 - ratio**7)
    np.testing.assert_allclose(reaching_probability(mdp, policy), ruin, rtol=1e-12)
    pit = reaching_probability(mdp, policy, states=[0])
    np.testing.assert_allclose(pit, 1 - ruin, rtol=1e-12)


def test_reaching_within_a_horizon():
    mdp, policy = walk(0.5)
    for horizon in (0, 1, 2, 5, 400):
        chance = np.eye(8)[7]
        for _ in range(horizon):
            inner = 0.5 * (np.r_[chance[1:], 0.0] + np.r_[0.0, chance[:-1]])
            chance = np.where(np.isin(np.arange(8), (0, 7)), chance, inner)
        np.testing.assert_allclose(reaching_probability(mdp, policy, horizon), chance, atol=1e-14)
    ever = reaching_probability(mdp, policy)
    np.testing.assert_allclose(reaching_probability(mdp, policy, 2000), ever, atol=1e-12)


def test_reaching_a_goal_that_stays_or_that_no_path_leads_to():
    stays = maxent.gridworld("S..G", discount=0.9, goals="absorbing")
    uniform = np.full((4, 4), 0.25)
    np.testing.assert_array_equal(reaching_probability(stays, uniform), 1.0)
    assert list(goal_states(stays)) == [3]
    left = np.tile(np.eye(4)[list(stays.action_names).index("left")], (4, 1))
    np.testing.assert_array_equal(reaching_probability(stays, left), [0, 0, 0, 1])
    with pytest.raises(maxent.ConfigError, match="neither goal"):
        reaching_probability(family("dense"), np.full(3, 1 / 3))
    for bad in ([], [7], [-1], [0.5], 3):
        with pytest.raises(maxent.ConfigError, match="states"):
            goal_states(family("dense"), bad)
    with pytest.raises(maxent.ConfigError, match="horizon"):
        reaching_probability(stays, uniform, 2.5)


def test_reaching_against_all_odds():
    """Sure, however long it takes, while float64 can tell the chance of a step; then never."""
    mdp = maxent.gridworld("S" + "." * 12 + "G", discount=0.9)
    for chance, expected in ((1e-3, 1.0), (1e-11, 1.0), (1e-13, 0.0)):
        policy = np.zeros((mdp.n_states, 4))
        names = list(mdp.action_names)
        policy[:, names.index("right")], policy[:, names.index("left")] = chance, 1.0 - chance
        np.testing.assert_allclose(reaching_probability(mdp, policy)[:-1], expected)
    lonely = maxent.MDP(
        np.array([[[1.0, 1e-20, 1e-20]], [[0, 1, 0]], [[0, 0, 1]]]),
        np.zeros(3),
        discount=0.9,
        terminal=[1, 2],
    )
    chance = reaching_probability(lonely, np.ones((3, 1)), states=[1])
    np.testing.assert_array_equal(chance, [0.0, 1.0, 0.0])


def test_an_agent_paid_for_entropy_stops_arriving():
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    curve = maxent.tradeoff(mdp, [0.0, 0.01, 0.1, 1.0])
    soon, ever = curve.reaching(100), curve.reaching()
    assert soon[0] > 0.999 and soon[2] < 0.01
    np.testing.assert_allclose(ever, 1.0)
    one = curve.reaching(100, states=[goal_states(mdp)[0]])
    np.testing.assert_allclose(one, soon)
    policy = curve.policy(0.01)
    assert soon[1] == pytest.approx(
        mdp.initial_distribution @ reaching_probability(mdp, policy, 100)
    )


# -- records -------------------------------------------------------------------------------------


def test_json_and_frame(tmp_path):
    curve = maxent.tradeoff(family("terminal"), [1.0, math.inf, 0.0])
    path = tmp_path / "curve.json"
    curve.save(path)
    read = json.loads(path.read_text())
    assert read == curve.to_dict()
    assert [point["temperature"] for point in read["points"]] == [1.0, None, 0.0]
    assert read["points"][0]["return"] == curve.returns[0]
    assert read["entropy_range"] == list(curve.entropy_range)
    with pytest.raises(maxent.OutputExistsError):
        curve.save(path)
    curve.save(path, overwrite=True)
    assert sorted(tmp_path.iterdir()) == [path]
    frame = curve.to_frame()
    assert list(frame.columns[:4]) == ["temperature", "return", "entropy", "objective"]
    np.testing.assert_array_equal(frame["entropy"], curve.entropies)


def test_without_pandas_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        maxent.tradeoff(family("dense"), [1.0]).to_frame()


def test_what_is_no_mdp_and_a_bad_tolerance_are_named_first():
    for call in (
        lambda: maxent.tradeoff(None, [1]),
        lambda: maxent.temperature_for_entropy(None, 1.0),
        lambda: maxent.tabular.tradeoff.reaching_probability(3, None),
        lambda: maxent.tabular.tradeoff.goal_states(3),
    ):
        with pytest.raises(maxent.ModelError, match="not an MDP"):
            call()
    mdp = maxent.garnet(5, 2, discount=0.9, seed=0)
    for nats in (-1.0, 2.0):  # below the limit of temperature 0, and inside the range
        for bad in (0.0, -1.0, float("nan"), True, "small"):
            with pytest.raises(maxent.ConfigError, match="tolerance"):
                maxent.temperature_for_entropy(mdp, nats, tolerance=bad)
        with pytest.raises(maxent.ToleranceError):
            maxent.temperature_for_entropy(mdp, nats, tolerance=1e-30)
        assert maxent.temperature_for_entropy(mdp, nats, tolerance=1e-6).error_bound <= 1e-6


def test_where_four_rooms_is_no_longer_reached_more_often_than_not():
    """The exact crossing, not the nearest of a grid of temperatures: .04299."""
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)

    def chance(temperature):
        return maxent.tradeoff(mdp, [temperature]).reaching(100)[0] - 0.5

    crossing = optimize.brentq(chance, 0.02, 0.1, xtol=1e-9)
    assert crossing == pytest.approx(0.04299, abs=5e-6)


def test_secants_go_by_temperature_whatever_the_order_given():
    mdp = maxent.garnet(8, 3, discount=0.9, seed=3, branching=3)
    temperatures = [0.5, 0.02, 2.0, 0.1]
    mixed, sorted_ = (maxent.tradeoff(mdp, given) for given in (temperatures, sorted(temperatures)))
    np.testing.assert_allclose(mixed.secants, sorted_.secants, rtol=1e-6)
    between = np.sort(temperatures)
    assert (-mixed.secants >= between[:-1] - 1e-9).all()
    assert (-mixed.secants <= between[1:] + 1e-9).all()


def test_secants_of_temperatures_that_are_one_to_rounding_are_not_told():
    """Entropies differ by rounding alone there, and its quotients would be any number."""
    temperatures = [0.1 * (1.0 + k * 2.0**-52) for k in range(6)] + [0.2]
    curve = maxent.tradeoff(family("dense", discount=0.999), temperatures)
    assert np.isnan(curve.secants[:-1]).all()
    assert -0.2 <= curve.secants[-1] <= -0.1
    two = maxent.tradeoff(family("dense", discount=0.5), [0.1, 0.2])
    apart = 3.0 * 1000.0 * 2.0**-52 / (1.0 - 0.5)  # the documented limit, at entropies of 3
    for times, told in ((0.9, False), (1.1, True)):
        near = np.array([3.0 - times * apart, 3.0])
        assert np.isfinite(dataclasses.replace(two, entropies=near).secants[0]) == told
