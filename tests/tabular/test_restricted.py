"""Soft policy iteration inside a set: projections against convex programs, optima against
enumeration and an independent value iteration, certified bounds against both."""

import itertools

import numpy as np
import pytest
import truth
from mpmath import mpf
from scipy.optimize import brentq, minimize

import maxent
from maxent import Choices, EntropyFloor, EpsilonFloor, ModelError
from maxent.tabular import operators as ops
from maxent.tabular.restricted import RestrictedKernel

TEMPERATURES = (0.0, 1e-8, 0.05, 0.7, 1e4)


def mdp_with(seed=0, n_states=4, discount=0.9, **settings):
    return maxent.garnet(n_states, 3, discount=discount, seed=seed, **settings)


def log(x):
    with np.errstate(divide="ignore"):
        return np.log(x)


def gain(p, scores, temperature):
    """<p, scores> + alpha H(p) of each row, written out."""
    terms = np.where(p > 0, p * (np.where(p > 0, scores, 0.0) - temperature * log(p + (p == 0))), 0)
    return terms.sum(axis=-1)


def random_scores(seed, shape):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) * 10 ** rng.uniform(-2, 2, size=(shape[0], 1))


# -- independent projections, one state at a time ------------------------------------------------


def epsilon_value(scores, temperature, epsilon):
    """The best value by bisection on the multiplier of sum p = 1: no sorting, no water level."""
    n = len(scores)
    if temperature == 0.0:
        return (1 - n * epsilon) * scores.max() + epsilon * scores.sum()
    x = (scores - scores.max()) / temperature

    def surplus(log_c):
        return np.maximum(epsilon, np.exp(np.minimum(x + log_c, 1.0))).sum() - 1.0

    if epsilon == 0.0:
        log_c = -np.log(np.exp(x).sum())
    else:
        log_c = brentq(surplus, np.log(epsilon) - 1e-9, 0.5, xtol=1e-15, rtol=1e-15)
    return gain(np.maximum(epsilon, np.exp(x + log_c)), scores, temperature)


def entropy_value(scores, temperature, floor):
    """The best value by the dual, min over lambda of (alpha + lambda) lse(scores/(alpha + lambda))
    - lambda h: a convex function of one variable, on a fine grid and refined."""
    span = np.ptp(scores)

    def dual(heat):
        top = scores.max()
        soft = top + heat * np.log(np.exp((scores - top) / heat).sum()) if heat > 0 else top
        return soft - (heat - temperature) * floor

    low, high = max(temperature, 1e-9 * span), max(2.0 * temperature, 1e7 * span)
    if temperature >= high:
        return dual(temperature)
    for _ in range(10):
        grid = np.geomspace(low, high, 100)
        values = [dual(heat) for heat in grid]
        k = int(np.argmin(values))
        low, high = grid[max(k - 1, 0)], grid[min(k + 1, 99)]
    return min(values[k], dual(temperature))


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("epsilon", [0.0, 0.01, 0.1, 0.2, 0.25])
def test_the_epsilon_floor_is_projected_on_exactly(temperature, epsilon):
    q = random_scores(1, (40, 4))
    p = np.exp(EpsilonFloor(epsilon).improve(q, temperature))
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-15 * 4)
    assert p.min() >= epsilon * (1 - 1e-15)
    expected = [epsilon_value(row, temperature, epsilon) for row in q]
    scale = np.abs(q).max(axis=1) + temperature
    assert (np.abs(gain(p, q, temperature) - expected) <= 1e-13 * scale).all()


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("floor", [0.0, 1e-3, 0.3, 1.0, 1.38])
def test_the_entropy_floor_is_projected_on_exactly(temperature, floor):
    q = random_scores(2, (15, 4))
    log_p = EntropyFloor(floor).improve(q, temperature)
    p = np.exp(log_p)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=4e-15)
    assert ops.entropy(log_p).min() >= floor - 1e-13
    expected = [entropy_value(row, temperature, floor) for row in q]
    scale = np.abs(q).max(axis=1) + temperature
    assert (np.abs(gain(p, q, temperature) - expected) <= 2e-8 * scale).all()
    # it is feasible to rounding, so it can only be too low; the dual is never too low
    assert (gain(p, q, temperature) <= expected + 1e-11 * scale).all()


@pytest.mark.parametrize(
    ("policies", "constraint"),
    [
        (EpsilonFloor(0.12), None),
        (EntropyFloor(0.9), lambda p: -(p * np.log(p)).sum() - 0.9),
    ],
)
def test_a_general_convex_solver_finds_the_same_point(policies, constraint):
    rng = np.random.default_rng(3)
    for temperature in (0.1, 1.0):
        q = rng.normal(size=(8, 3))
        got = np.exp(policies.improve(q, temperature))
        for row, p in zip(q, got, strict=True):
            limits = [{"type": "eq", "fun": lambda x: x.sum() - 1.0}]
            if constraint is not None:
                limits.append({"type": "ineq", "fun": constraint})
            least = 0.12 if constraint is None else 1e-12
            found = minimize(
                lambda x, row=row, alpha=temperature: -gain(x, row, alpha),
                np.full(3, 1 / 3),
                bounds=[(least, 1.0)] * 3,
                constraints=limits,
                method="SLSQP",
                options={"ftol": 1e-12, "maxiter": 500},
            )
            assert found.success
            np.testing.assert_allclose(p, found.x, atol=2e-5)


def test_the_improvement_is_the_nearest_policy_in_the_kl_of_sac_eq_4():
    rng = np.random.default_rng(4)
    q = rng.normal(size=(1, 4))
    goal = ops.boltzmann_policy(q, 0.2)
    everyone = rng.dirichlet(np.full(4, 0.7), size=4000)
    log_everyone = log(everyone)
    for policies, inside in (
        (EpsilonFloor(0.1), everyone.min(axis=1) >= 0.1),
        (EntropyFloor(1.1), ops.entropy(log_everyone) >= 1.1),
    ):
        nearest = ops.kl_divergence(policies.improve(q, 0.2), goal)[0]
        others = ops.kl_divergence(log_everyone[inside], np.repeat(goal, inside.sum(), axis=0))
        assert inside.sum() > 50 and nearest <= others.min() + 1e-12
        assert nearest < ops.kl_divergence(np.full((1, 4), -np.log(4.0)), goal)[0]


def test_floors_that_do_not_bind_leave_the_boltzmann_policy():
    q = np.random.default_rng(5).normal(size=(6, 4))
    for policies in (EpsilonFloor(0.0), EpsilonFloor(1e-9), EntropyFloor(0.0), EntropyFloor(0.1)):
        got = policies.improve(q, 3.0)
        np.testing.assert_allclose(got, ops.boltzmann_policy(q, 3.0), atol=1e-14)


def test_ties_at_temperature_zero():
    q = np.array([[1.0, 1.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.0]])
    p = np.exp(EpsilonFloor(0.1).improve(q, 0.0))
    np.testing.assert_allclose(p, [[0.4, 0.4, 0.1, 0.1], [0.7, 0.1, 0.1, 0.1]], atol=1e-15)
    p = np.exp(EntropyFloor(np.log(2.0)).improve(q, 0.0))
    np.testing.assert_allclose(p[0], [0.5, 0.5, 0.0, 0.0], atol=1e-15)
    p = np.exp(EntropyFloor(1.0).improve(q, 0.0))  # both need more entropy than their ties give
    np.testing.assert_allclose(ops.entropy(log(p)), 1.0, atol=1e-13)
    assert p[0, 0] == p[0, 1] and p[0, 2] == p[0, 3] > 0
    # nearly tied: the best two differ by a rounding error
    q = np.array([[1.0, 1.0 + 2e-16, 0.0, -1.0]])
    for floor in (0.3, 0.69, 0.8, 1.3):
        assert ops.entropy(EntropyFloor(floor).improve(q, 0.0))[0] >= floor - 1e-13


def test_masks_and_priors():
    q = random_scores(6, (30, 4))
    mask = np.random.default_rng(6).random((30, 4)) < 0.6
    mask[:, 0] = True
    prior = np.where(mask, np.random.default_rng(7).exponential(size=(30, 4)), 0.0)
    prior /= prior.sum(axis=1, keepdims=True)
    for temperature in (0.3, 0.0):
        for policies in (EpsilonFloor(0.1), EntropyFloor(np.log(mask.sum(axis=1)) * 0.7)):
            p = np.exp(policies.improve(q, temperature, log(prior)))
            assert (p[~mask] == 0.0).all()
            for row in range(30):
                allowed = mask[row]
                scores = q[row, allowed] + temperature * np.log(prior[row, allowed])
                floor = getattr(policies, "minimum", np.zeros(30))[row]
                alone = EntropyFloor(float(floor)) if hasattr(policies, "minimum") else policies
                expected = np.exp(alone.improve(scores[None], temperature))[0]
                np.testing.assert_allclose(p[row, allowed], expected, atol=1e-12)


def test_choices_takes_the_best_and_the_first_of_equals():
    choices = Choices([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.5, 0.5]])
    q = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 5.0]])
    np.testing.assert_array_equal(np.exp(choices.improve(q, 0.1)), [[1, 0], [0.5, 0.5], [0, 1]])
    assert np.exp(choices.improve(np.zeros((1, 2)), 0.0))[0].tolist() == [1.0, 0.0]
    prior = log(np.array([[0.1, 0.9]]))  # a choice pays for its divergence from the prior
    assert np.exp(choices.improve(np.zeros((1, 2)), 1.0, prior))[0].tolist() == [0.0, 1.0]
    assert np.exp(choices.improve(np.zeros((1, 2)), 0.0, prior))[0].tolist() == [1.0, 0.0]
    by_state = Choices(np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[0.25, 0.75]]]))
    np.testing.assert_allclose(np.exp(by_state.improve(q, 1.0)), by_state.policies[:, 0])


# -- optima in the set ---------------------------------------------------------------------------


def linear_value(mdp, policy, temperature):
    """V^pi by the linear system, written out."""
    return np.linalg.solve(
        np.eye(mdp.n_states) - mdp.discount * ops.policy_transition(mdp.to_dense(), policy),
        np.where(mdp.terminal, 0.0, gain(policy, mdp.reward, temperature)),
    )


def check_solution(mdp, solution, v, accuracy):
    assert solution.converged, solution
    assert (solution.lower - accuracy <= v).all() and (v <= solution.upper + accuracy).all()
    earned = linear_value(mdp, solution.policy, solution.temperature)
    assert (v - earned).max() <= solution.policy_bound + accuracy
    assert (earned - v).max() <= accuracy + 1e-12


@pytest.mark.parametrize("temperature", [0.0, 0.2, 3.0])
@pytest.mark.parametrize("terminal", [0, 1])
def test_choices_against_every_policy_in_the_set(temperature, terminal):
    mdp = mdp_with(7, terminal=terminal)
    table = np.random.default_rng(8).dirichlet(np.full(3, 0.5), size=(4, 4))
    solution = maxent.soft_policy_iteration(mdp, temperature, policies=Choices(table))
    everyone = [
        linear_value(mdp, table[np.arange(4), list(chosen)], temperature)
        for chosen in itertools.product(range(4), repeat=4)
    ]
    best = np.max(everyone, axis=0)  # one policy attains it in every state: SAC-T1
    assert min(np.abs(v - best).max() for v in everyone) < 1e-12
    check_solution(mdp, solution, best, 1e-12)


def iterate(mdp, projected, temperature, sweeps):
    """Value iteration with a projection of its own, state by state."""
    v = np.zeros(mdp.n_states)
    for _ in range(sweeps):
        q = ops.backup(mdp, v)
        new = [
            0.0 if mdp.terminal[s] else projected(q[s, mdp.action_mask[s]], temperature)
            for s in range(mdp.n_states)
        ]
        v = np.array(new)
    return v


@pytest.mark.parametrize("temperature", [0.0, 0.2, 3.0])
@pytest.mark.parametrize("settings", [{}, {"branching": 2, "terminal": 1, "masked": 0.2}])
def test_epsilon_floor_against_an_independent_value_iteration(temperature, settings):
    mdp = mdp_with(9, n_states=5, **settings)
    solution = maxent.soft_policy_iteration(mdp, temperature, policies=EpsilonFloor(0.15))
    v = iterate(mdp, lambda q, alpha: epsilon_value(q, alpha, 0.15), temperature, 320)
    check_solution(mdp, solution, v, 1e-12 + 0.9**320 * 100)


@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_an_epsilon_floor_is_an_mdp_of_its_own_at_temperature_zero(temperature):
    """At alpha = 0 it is the hard MDP whose action a is: a with probability 1 - A eps, else a
    uniformly random one.  At alpha > 0 that MDP's soft value is another problem."""
    mdp, epsilon = mdp_with(10, n_states=6).to_dense(), 0.1
    mixed = (1 - 3 * epsilon) * np.eye(3) + epsilon
    blended = maxent.MDP(
        np.einsum("ab,sbt->sat", mixed, mdp.transition), mdp.reward @ mixed.T, discount=0.9
    )
    inside = maxent.soft_policy_iteration(mdp, temperature, policies=EpsilonFloor(epsilon))
    hard = maxent.solve(blended, temperature)
    same = np.abs(inside.v - hard.v).max() <= inside.error_bound + hard.error_bound
    assert same == (temperature == 0.0)


@pytest.mark.parametrize("temperature", [0.0, 0.2, 3.0])
def test_entropy_floor_against_an_independent_value_iteration(temperature):
    mdp = mdp_with(11, n_states=3, discount=0.5, terminal=1)
    solution = maxent.soft_policy_iteration(mdp, temperature, policies=EntropyFloor(0.8))
    v = iterate(mdp, lambda q, alpha: entropy_value(q, alpha, 0.8), temperature, 35)
    check_solution(mdp, solution, v, 1e-7)


SETS = {
    "epsilon floor": (EpsilonFloor(0.1), lambda p: p.min(axis=-1) >= 0.1),
    "entropy floor": (EntropyFloor(0.7), lambda p: ops.entropy(log(p)) >= 0.7),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("temperature", [0.0, 0.1, 0.3])
def test_no_member_of_the_set_is_better_in_any_state(name, temperature):
    policies, inside = SETS[name]
    mdp = mdp_with(12, n_states=6)
    rng = np.random.default_rng(13)
    solution = maxent.soft_policy_iteration(mdp, temperature, policies=policies)
    assert inside(solution.policy + 1e-13).all()
    free = maxent.solve(mdp, temperature)
    assert (solution.v <= free.v + solution.error_bound + free.error_bound).all()
    assert (free.v - solution.v).max() > 1e-4  # the floor costs something here
    for _ in range(40):
        scores = random_scores(rng.integers(10**6), (6, 3))
        member = np.exp(policies.improve(scores, rng.choice([0.0, 0.3, 3.0])))
        for share in (0.02, 0.3, 1.0):  # near the optimum and far from it; the sets are convex
            policy = (1 - share) * solution.policy + share * member
            assert inside(policy + 1e-13).all()
            v = linear_value(mdp, policy, temperature)
            assert (v <= solution.upper + 1e-12).all()


@pytest.mark.parametrize("temperature", [0.0, 0.1, 2.0])
def test_improvement_inside_the_set_never_makes_a_state_worse(temperature):
    table = np.random.default_rng(14).dirichlet(np.full(3, 0.5), size=(6, 5))
    for policies in (EpsilonFloor(0.1), EntropyFloor(0.7), Choices(table)):
        for seed in range(5):
            mdp = mdp_with(seed, n_states=6, masked=0.0, terminal=1)
            start = policies.improve(random_scores(seed, (6, 3)), temperature)  # some member
            v = linear_value(mdp, np.exp(start), temperature)
            rose = 0.0
            for _ in range(4):  # SAC-L2, step by step
                better = policies.improve(ops.backup(mdp, v), temperature)
                new = linear_value(mdp, np.exp(better), temperature)
                scale = 1e-14 * (np.abs(v).max() + np.abs(mdp.reward).max()) / (1 - mdp.discount)
                assert (new >= v - 100 * scale).all()
                rose, v = max(rose, float((new - v).max())), new
            assert rose > 1e-3


# -- certified bounds at 60 digits ---------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.0, 1e-3, 0.3, 1e4])
@pytest.mark.parametrize("discount", [0.3, 0.99])
@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_every_interval_holds_the_exact_value(temperature, discount, scale):
    mdp = mdp_with(
        19, n_states=4, discount=discount, branching=2, terminal=1, masked=0.2, reward_scale=scale
    )
    count = np.where(mdp.terminal, 1, mdp.action_mask.sum(axis=1))
    for policies, project in (
        (EpsilonFloor(0.07), lambda q, alpha: truth.exact_epsilon(q, alpha, 0.07)),
        (
            EntropyFloor(0.6 * (count > 1)),
            lambda q, alpha: truth.exact_entropy(q, alpha, 0.6 * (len(q) > 1)),
        ),
    ):
        solution = maxent.soft_policy_iteration(mdp, temperature, policies=policies)
        assert solution.converged
        exact = truth.value_in_set(mdp, temperature, project, solution.v)
        earned = truth.policy_value(mdp, solution.policy, temperature)
        for s in range(4):
            assert solution.lower[s] <= exact[s] <= solution.upper[s]
            assert abs(exact[s] - mpf(float(solution.v[s]))) <= solution.error_bound
            assert exact[s] - earned[s] <= solution.policy_bound


# -- the solver ----------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.0, 1e-8, 0.1, 1e4])
@pytest.mark.parametrize("discount", [0.0, 0.9, 0.9999])
def test_bounds_hold_for_the_set_that_leaves_everything(temperature, discount):
    mdp = maxent.garnet(
        12, 3, discount=discount, seed=1, branching=3, masked=0.3, terminal=1, absorbing=1
    )
    free = maxent.soft_policy_iteration(mdp, temperature)
    for policies in (EpsilonFloor(0.0), EntropyFloor(0.0)):
        inside = maxent.soft_policy_iteration(mdp, temperature, policies=policies)
        assert inside.converged and inside.error_bound <= inside.tolerance
        assert (inside.lower <= free.upper).all() and (free.lower <= inside.upper).all()
        if temperature:
            nonterminal = ~mdp.terminal
            np.testing.assert_allclose(
                inside.policy[nonterminal], free.policy[nonterminal], atol=1e-7 + 1e-7 / temperature
            )


def test_bounds_hold_where_the_floor_leaves_one_policy():
    mdp = maxent.garnet(12, 3, discount=0.99, seed=2, masked=0.4, terminal=1, branching=3)
    count = mdp.action_mask.sum(axis=1)
    uniform = mdp.action_mask / count[:, None]
    for temperature in (0.0, 0.5):
        alone = maxent.soft_policy_evaluation(mdp, uniform, temperature)
        everywhere = EntropyFloor(np.nextafter(np.log(count), 9.0))  # beyond any by rounding
        solution = maxent.soft_policy_iteration(mdp, temperature, policies=everywhere)
        assert (alone.lower <= solution.upper).all() and (solution.lower <= alone.upper).all()
        np.testing.assert_allclose(solution.policy, uniform, atol=1e-15)
    one = Choices(uniform[:, None])
    solution = maxent.soft_policy_iteration(mdp, 0.5, policies=one)
    assert (alone.lower <= solution.upper).all() and (solution.lower <= alone.upper).all()


def test_a_solve_in_the_set_has_all_the_options_of_a_solve():
    mdp = maxent.gridworld("four-rooms", slip=0.1, discount=0.95)
    policies = EpsilonFloor(0.05)
    seen = []
    solution = maxent.soft_policy_iteration(
        mdp, 0.02, policies=policies, tolerance=1e-10, callback=seen.append
    )
    assert solution.method == "soft policy iteration in EpsilonFloor"
    assert len(seen) == solution.iterations < 20 and solution.error_bound <= 1e-10
    krylov = maxent.soft_policy_iteration(mdp, 0.02, policies=policies, evaluation="krylov")
    again = maxent.soft_policy_iteration(mdp, 0.02, policies=policies, v0=solution.v)
    for other in (krylov, again):
        assert np.abs(other.v - solution.v).max() <= other.error_bound + 1e-10
    np.testing.assert_array_equal(solution.q, ops.backup(mdp, solution.v))
    with pytest.raises(maxent.ToleranceError):
        maxent.soft_policy_iteration(mdp, 0.02, policies=policies, tolerance=1e-18)


def test_a_prior_is_a_reward_inside_a_set_too():
    mdp = mdp_with(15, n_states=6)
    prior = np.random.default_rng(16).dirichlet(np.ones(3), size=6)
    rewarded = mdp.replace(reward=mdp.reward + 0.3 * np.log(prior))
    for policies in (EpsilonFloor(0.1), EntropyFloor(0.7), Choices(np.eye(3))):
        with_prior = maxent.soft_policy_iteration(mdp, 0.3, prior=prior, policies=policies)
        with_reward = maxent.soft_policy_iteration(rewarded, 0.3, policies=policies)
        np.testing.assert_allclose(with_prior.v, with_reward.v, atol=1e-8)
        np.testing.assert_allclose(with_prior.policy, with_reward.policy, atol=1e-8)


def test_terminal_states_are_asked_for_nothing():
    mask = np.array([[True, True, True], [True, True, False], [True, False, False]])
    mdp = maxent.MDP(
        np.full((3, 3, 3), 1 / 3),
        np.eye(3),
        discount=0.9,
        terminal=[False, False, True],
        action_mask=mask,
    )
    for policies in (EpsilonFloor(0.3), EntropyFloor(0.6), Choices([[0.5, 0.5, 0.0]])):
        solution = maxent.soft_policy_iteration(mdp, 0.1, policies=policies)
        assert solution.converged and solution.v[2] == 0.0
        np.testing.assert_array_equal(solution.policy[2], [1.0, 0.0, 0.0])
    only = maxent.MDP(
        np.zeros((1, 2, 1)), np.ones(1), discount=0.9, terminal=[True], initial_distribution=[1.0]
    )
    assert maxent.soft_policy_iteration(only, 0.1, policies=EpsilonFloor(0.5)).converged


def test_the_rounding_of_the_projection_is_within_its_bound():
    """One application against 60 digits would need the sets in mpmath; the free and the single
    policy are known exactly, and a floor's own duality gap bounds the rest."""
    rng = np.random.default_rng(17)
    for scale in (1e-3, 1.0, 1e6):
        mdp = maxent.MDP(
            rng.dirichlet(np.ones(8), (8, 4)), scale * rng.normal(size=(8, 4)), discount=0.9
        )
        v = scale * rng.normal(size=8) * 5
        for temperature in (0.0, 0.3):
            for floor in (0.1, 0.9, 1.3, np.log(4) - 1e-6):
                kernel = RestrictedKernel(mdp, temperature, None, EntropyFloor(floor))
                primal = kernel.apply(v)
                q = ops.backup(mdp, v)
                log_p = kernel.improve(q)
                heat = np.ptp(q, axis=1) / np.ptp(log_p, axis=1)  # alpha' read off the policy
                dual = [
                    float(ops.soft_value(row[None], h)[0]) - (h - temperature) * floor
                    for row, h in zip(q, np.maximum(heat, temperature), strict=True)
                ]
                limit = kernel.bounds.rounding(float(np.abs(v).max()))
                assert (np.abs(np.array(dual) - primal) <= limit).all()


# -- bad input -----------------------------------------------------------------------------------


def test_bad_sets_are_refused_with_reasons():
    for bad in (-0.1, 1.5, float("nan"), True, "0.1"):
        with pytest.raises(maxent.ConfigError, match="epsilon"):
            EpsilonFloor(bad)
    for bad in (-0.1, float("nan"), float("inf"), True, "0.1", [0.1, -1.0]):
        with pytest.raises(maxent.ConfigError, match="minimum"):
            EntropyFloor(bad)
    with pytest.raises(ModelError, match="minimum has shape"):
        EntropyFloor([[0.1]])
    for bad in ([0.5, 0.5], np.zeros((0, 2)), np.zeros((2, 2, 2, 2))):
        with pytest.raises(ModelError, match="policies has shape"):
            Choices(bad)
    with pytest.raises(ModelError, match=r"choice 1 of state 0 sums to 0.9"):
        Choices([[1.0, 0.0], [0.5, 0.4]])
    with pytest.raises(ModelError, match=r"choice 0 of state 1, action 0 is -0.5"):
        Choices([[[0.5, 0.5]], [[-0.5, 1.5]]])


def test_sets_that_do_not_fit_the_mdp_name_the_state():
    mask = np.ones((4, 3), dtype=bool)
    mask[2, 1:] = False
    mdp = mdp_with(1)
    masked = maxent.MDP(mdp.transition, mdp.reward, discount=0.9, action_mask=mask)

    def run(target, policies):
        return maxent.soft_policy_iteration(target, 0.1, policies=policies)

    with pytest.raises(maxent.ConfigError, match=r"state 0 allows .* at most 0.333333"):
        run(mdp, EpsilonFloor(0.4))
    assert run(mdp, EpsilonFloor(1 / 3)).converged
    with pytest.raises(maxent.ConfigError, match=r"state 2 is more than 0 nats"):
        run(masked, EntropyFloor(0.5))
    with pytest.raises(maxent.ConfigError, match=r"state 0 is more than 1.09861 nats"):
        run(mdp, EntropyFloor(1.1))
    with pytest.raises(ModelError, match=r"must be \(4,\)"):
        run(mdp, EntropyFloor([0.5, 0.5]))
    with pytest.raises(ModelError, match="choice 1 takes action 1 in state 2"):
        run(masked, Choices([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]))
    with pytest.raises(ModelError, match="with 4 states and 3 actions"):
        run(mdp, Choices([[0.5, 0.5]]))
    for bad in (0.05, "EpsilonFloor", EpsilonFloor, [0.5, 0.5]):
        with pytest.raises(maxent.ConfigError, match="no set of policies"):
            run(mdp, bad)
    with pytest.raises(maxent.ConfigError, match="discount = 1"):
        run(mdp.replace(discount=1.0), EpsilonFloor(0.1))


def test_sets_cannot_be_changed_from_outside():
    table = np.full((2, 2), 0.5)
    choices = Choices(table)
    table[0] = [1.0, 0.0]
    assert choices.policies[0].tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="read-only"):
        choices.policies[0] = 0.0
    with pytest.raises(AttributeError):
        EpsilonFloor(0.1).epsilon = 0.2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda q: np.full(q.shape, 0.25), "sum to 1"),
        (lambda q: np.full(q.shape, np.nan), "sum to 1"),
        (lambda q: np.zeros(3), r"shape \(3,\)"),
    ],
)
def test_a_set_of_ones_own_that_returns_no_policy_is_refused(answer, words):
    class Mine:
        def improve(self, q, temperature, log_prior=None):
            return answer(q)

    mdp = maxent.gridworld("two-goals", discount=0.9)
    with pytest.raises(maxent.ModelError, match=words):
        maxent.soft_policy_iteration(mdp, 0.1, policies=Mine())
