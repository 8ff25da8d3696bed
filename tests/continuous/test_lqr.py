"""The linear-quadratic problem against closed forms, recursions, quadrature and simulation."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import integrate, stats

import maxent
from maxent.continuous import distances, lqr

GAMMA, ALPHA = 0.9, 0.2


@pytest.fixture
def solution():
    return lqr.solve_lqr(lqr.coupled_masses(), ALPHA)


def changed(**fields):
    """The coupled masses with something changed."""
    problem = lqr.coupled_masses()
    kept = {name: getattr(problem, name) for name in ("A", "B", "Q", "R", "W", "discount")}
    return lqr.LinearQuadratic(**kept | fields)


def test_lqr_1_one_dimension_is_a_quadratic_equation():
    """a = 0.9, b = 0.5, q = 1, r = 0.5: g b^2 p^2 + (r - g a^2 r - g b^2 q) p - q r = 0."""
    second, first, last = GAMMA * 0.25, 0.5 * (1 - GAMMA * 0.81) - GAMMA * 0.25, -0.5
    p = (-first + math.sqrt(first**2 - 4 * second * last)) / (2 * second)
    m = 0.5 + GAMMA * 0.25 * p
    solution = lqr.solve_lqr(lqr.scalar(), ALPHA)
    assert solution.P.item() == pytest.approx(p, rel=1e-13)
    assert solution.M.item() == pytest.approx(m, rel=1e-13)
    assert solution.gain.item() == pytest.approx(GAMMA * 0.5 * p * 0.9 / m, rel=1e-13)
    assert solution.covariance.item() == pytest.approx(ALPHA / 2 / m, rel=1e-13)
    entropy_part = ALPHA * 0.5 * math.log(math.pi * ALPHA / m)
    constant = (entropy_part - GAMMA * p * 0.1) / (1 - GAMMA)
    assert solution.constant == pytest.approx(constant, rel=1e-13)


def test_lqr_1_is_the_limit_of_dynamic_programming(solution):
    P = np.zeros((4, 4))
    for _ in range(300):
        P, K, _ = lqr.riccati_step(solution.problem, P)
    np.testing.assert_allclose(solution.P, P, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(solution.gain, K, rtol=1e-11, atol=1e-13)
    assert solution.residual < 1e-13


def test_lqr_2_and_3_by_quadrature_of_the_soft_bellman_equation():
    solution = lqr.solve_lqr(lqr.scalar(), ALPHA)
    for state in (-3.0, 0.0, 1.7):
        s = np.array([state])
        top = float(solution.q(s, -s * solution.gain[0]))

        def weight(a, s=s, top=top):
            return math.exp((float(solution.q(s, np.array([a]))) - top) / ALPHA)

        centre, width = float(-solution.gain[0, 0] * state), math.sqrt(solution.covariance.item())
        total, _ = integrate.quad(
            weight, centre - 12 * width, centre + 12 * width, epsabs=0, epsrel=1e-12
        )
        assert float(solution.v(s)) == pytest.approx(top + ALPHA * math.log(total), abs=1e-10)
        for a in (centre, centre + width, centre - 2 * width):
            log_density = float(solution.log_density(s, np.array([a])))
            assert log_density == pytest.approx(math.log(weight(a) / total), abs=1e-9)


def test_the_expectation_in_q_is_over_the_noise(solution):
    """E[V(s')] by Gauss-Hermite in the coordinates of W, which is diagonal here."""
    problem, rng = solution.problem, np.random.default_rng(0)
    s, a = rng.standard_normal(4), rng.standard_normal(2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)
    grid = np.stack(np.meshgrid(*4 * [nodes], indexing="ij"), -1).reshape(-1, 4)
    mass = np.prod(np.stack(np.meshgrid(*4 * [weights], indexing="ij"), -1), -1).ravel()
    after = problem.A @ s + problem.B @ a + grid * np.sqrt(np.diag(problem.W))
    expected = (
        -s @ problem.Q @ s - a @ problem.R @ a + GAMMA * (mass @ solution.v(after) / mass.sum())
    )
    assert float(solution.q(s, a)) == pytest.approx(expected, rel=1e-12)


def test_log_density_is_the_gaussians_and_samples_follow_it(solution):
    rng = np.random.default_rng(1)
    s, a = rng.standard_normal((5, 4)), rng.standard_normal((5, 2))
    for i in range(5):
        law = stats.multivariate_normal(-solution.gain @ s[i], solution.covariance)
        assert solution.log_density(s, a)[i] == pytest.approx(law.logpdf(a[i]), rel=1e-12)
    drawn = solution.sample(np.broadcast_to(s[0], (40_000, 4)), rng)
    np.testing.assert_allclose(drawn.mean(axis=0), -solution.gain @ s[0], atol=0.01)
    np.testing.assert_allclose(np.cov(drawn.T), solution.covariance, atol=0.005)
    for shape in ((), (3,), (2, 3)):  # (..., n) -> (..., m), one draw a state
        some = solution.sample(np.ones((*shape, 4)), rng)
        assert some.shape == (*shape, 2) and len(np.unique(some)) == some.size


def test_the_optimum_is_its_own_value_and_better_than_others(solution):
    problem = solution.problem
    same = lqr.evaluate_linear_policy(problem, solution.gain, solution.covariance, ALPHA)
    np.testing.assert_allclose(same.P, solution.P, rtol=1e-12, atol=1e-13)
    assert same.constant == pytest.approx(solution.constant, rel=1e-13)
    assert same.objective == pytest.approx(solution.objective, rel=1e-13)
    rng = np.random.default_rng(2)
    for _ in range(50):
        gain = solution.gain + 0.1 * rng.standard_normal((2, 4))
        covariance = solution.covariance * rng.uniform(0.5, 2.0)
        other = lqr.evaluate_linear_policy(problem, gain, covariance, ALPHA)
        assert np.linalg.eigvalsh(other.P - solution.P).min() > 0.0
        assert other.constant < solution.constant


def test_a_policys_value_is_its_simulated_return():
    """Discounted soft returns of 4,000 episodes against V of an arbitrary policy."""
    problem, rng = lqr.coupled_masses(), np.random.default_rng(3)
    policy = lqr.evaluate_linear_policy(problem, np.full((2, 4), 0.2), np.eye(2) * 0.3, ALPHA)
    start = np.array([1.0, -1.0, 0.5, 0.0])
    s, total = np.tile(start, (4000, 1)), np.zeros(4000)
    for t in range(120):
        a = policy.sample(s, rng)
        total += GAMMA**t * (problem.reward(s, a) + ALPHA * policy.entropy)
        noise = rng.standard_normal(s.shape) * np.sqrt(np.diag(problem.W))
        s = problem.expected_next(s, a) + noise
    error = total.std() / math.sqrt(4000)
    assert abs(total.mean() - float(policy.v(start))) < 4 * error
    assert error < 0.02 * abs(total.mean())


def test_the_stationary_law_stays(solution):
    problem, law = solution.problem, solution.stationary_covariance()
    F, C = solution.closed_loop, solution.covariance
    np.testing.assert_allclose(F @ law @ F.T + problem.B @ C @ problem.B.T + problem.W, law)
    states = solution.stationary_states(50_000, np.random.default_rng(4))
    np.testing.assert_allclose(np.cov(states.T), law, atol=0.01)


def test_temperature_zero_is_the_classical_controller(solution):
    hard = lqr.solve_lqr(solution.problem, 0.0)
    np.testing.assert_array_equal(hard.gain, solution.gain)
    assert (hard.covariance == 0.0).all()
    noise = GAMMA * np.trace(hard.P @ solution.problem.W)
    assert hard.constant == pytest.approx(-noise / (1 - GAMMA), rel=1e-13)
    near = lqr.solve_lqr(solution.problem, 1e-9)
    assert near.constant == pytest.approx(hard.constant, abs=1e-6)
    with pytest.raises(maxent.ConfigError, match="no density"):
        hard.log_density(np.zeros((1, 4)), np.zeros((1, 2)))
    states = np.ones((3, 4))
    np.testing.assert_allclose(hard.sample(states, np.random.default_rng(0)), -states @ hard.gain.T)


def test_without_a_discount_factor_only_the_first_step_counts():
    solution = lqr.solve_lqr(changed(discount=0.0), ALPHA)
    np.testing.assert_allclose(solution.P, solution.problem.Q)
    np.testing.assert_array_equal(solution.gain, np.zeros((2, 4)))


def test_distances_are_zero_at_the_optimum_and_measured_in_its_units(solution):
    rng = np.random.default_rng(5)
    states = solution.stationary_states(200_000, rng)
    means = -states @ (1.1 * solution.gain).T
    fitted = distances.fitted_gain(states, means)
    assert distances.frobenius_error(fitted, solution.gain) == pytest.approx(0.1, rel=1e-9)
    assert distances.frobenius_error(0.8 * solution.covariance, solution.covariance) == (
        pytest.approx(0.2, rel=1e-12)
    )
    exact = solution.v(states)
    assert distances.value_error(exact, states, solution) == 0.0
    by_deviation = distances.value_error(np.full(len(states), exact.mean()), states, solution)
    assert by_deviation == pytest.approx(1.0, abs=0.02)
    with pytest.raises(maxent.ModelError, match=r"estimate has shape \(4, 2\)"):
        distances.frobenius_error(solution.gain.T, solution.gain)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"A": np.eye(3)}, r"A has shape \(3, 3\); it must be \(4, 4\)"),
        ({"B": np.ones(4)}, r"B has shape \(4,\)"),
        ({"Q": np.eye(2)}, r"Q has shape \(2, 2\)"),
        ({"R": np.diag([1.0, 0.0])}, "R has the eigenvalue 0; it must be positive definite"),
        ({"R": [[1.0, 0.3], [0.0, 1.0]]}, "R is not symmetric"),
        ({"Q": np.diag([1.0, 1.0, 1.0, -0.1])}, "Q has the eigenvalue -0.1"),
        ({"W": np.full((4, 4), np.nan)}, "W has an entry that is not finite"),
        ({"A": 1.2 * np.eye(4), "B": np.eye(4)[:, :2]}, "cannot be controlled"),
        (
            {"A": np.diag([1.2, 0.1, 0.1, 0.1]), "B": np.eye(4)[:, :2], "Q": np.zeros((4, 4))},
            "costs nothing",
        ),
    ],
)
def test_what_is_no_problem_is_refused(fields, message):
    with pytest.raises(maxent.ModelError, match=message):
        changed(**fields)


def test_a_discount_can_hide_what_would_grow():
    """A direction that grows by 1.02 a step is no matter at discount 0.9, but has no stationary
    law."""
    uncontrolled = {"A": np.diag([1.02, 0.1, 0.1, 0.1]), "B": np.eye(4)[:, 1:3]}
    solution = lqr.solve_lqr(changed(**uncontrolled), ALPHA)
    assert np.isfinite(solution.P).all()
    with pytest.raises(maxent.ModelError, match=r"spectral radius 1\.02"):
        solution.stationary_covariance()
    with pytest.raises(maxent.ModelError, match=r"grows by 1\.02 a step cannot be controlled"):
        changed(**uncontrolled, discount=0.99)


def test_wrong_settings_are_named(solution):
    with pytest.raises(maxent.ConfigError, match="discount = 1"):
        changed(discount=1.0)
    with pytest.raises(maxent.ConfigError, match="temperature = -1"):
        lqr.solve_lqr(solution.problem, -1.0)
    with pytest.raises(maxent.ModelError, match="value of this policy is -inf"):
        lqr.evaluate_linear_policy(solution.problem, np.full((2, 4), -3.0), np.eye(2), ALPHA)
    with pytest.raises(maxent.ModelError, match="covariance has the eigenvalue 0"):
        lqr.evaluate_linear_policy(solution.problem, solution.gain, np.zeros((2, 2)), ALPHA)


def test_problem_and_solution_cannot_be_changed(solution):
    with pytest.raises(ValueError, match="read-only"):
        solution.problem.A[0, 0] = 2.0
    with pytest.raises(ValueError, match="read-only"):
        solution.gain[0, 0] = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        solution.problem.discount = 0.5


def test_the_documented_system_is_what_its_page_says(solution):
    assert max(abs(np.linalg.eigvals(solution.problem.A))) == pytest.approx(0.90, abs=0.005)
    deviation = np.sqrt(np.diag(solution.stationary_covariance()))
    np.testing.assert_allclose(deviation, 0.26, atol=0.025)
    K, law = solution.gain, solution.stationary_covariance()
    np.testing.assert_allclose(
        np.sqrt(np.diag(K @ law @ K.T + solution.covariance)), 0.45, atol=0.06
    )


def test_the_objective_is_the_mean_value_of_the_first_state_wherever_it_begins():
    """For a quadratic, m -+ sqrt(n) times the columns of a root of the covariance are enough."""
    mean, spread = np.array([1.0, -2.0, 0.5, 3.0]), np.diag([0.5, 1.0, 2.0, 0.1])
    solution = lqr.solve_lqr(changed(initial_mean=mean, initial_covariance=spread), ALPHA)
    steps = 2.0 * np.sqrt(spread)  # columns; n = 4
    points = np.concatenate([mean + steps.T, mean - steps.T])
    assert solution.objective == pytest.approx(solution.v(points).mean(), rel=1e-12)
    still = lqr.solve_lqr(changed(initial_covariance=spread), ALPHA)
    assert abs(still.objective - solution.objective) > 1.0


def test_a_gain_that_is_not_stable_is_worth_minus_infinity_and_refused():
    problem = lqr.scalar()  # sqrt(0.9) |0.9 - 0.5 K| < 1
    for gain, stable in ((0.3, True), (-0.4, False), (4.2, False), (-1.5, False)):
        if stable:
            assert np.isfinite(lqr.evaluate_linear_policy(problem, [[gain]], [[0.1]], 0.2).constant)
        else:
            with pytest.raises(maxent.ModelError, match="spectral radius"):
                lqr.evaluate_linear_policy(problem, [[gain]], [[0.1]], 0.2)


def test_at_a_spectral_radius_of_one_the_value_is_minus_infinity():
    """At discount 1/4 the state doubles: each step costs what the one before did."""
    problem = lqr.LinearQuadratic([[2.0]], [[1.0]], [[1.0]], [[1.0]], [[0.0]], discount=0.25)
    with pytest.raises(maxent.ModelError, match="value of this policy is -inf"):
        lqr.evaluate_linear_policy(problem, [[0.0]], [[1.0]], ALPHA)


def test_at_temperature_zero_a_policy_may_be_deterministic():
    problem = lqr.scalar()
    best = lqr.solve_lqr(problem, 0.0)
    judged = lqr.evaluate_linear_policy(problem, best.gain, [[0.0]], 0.0)
    assert judged.objective == pytest.approx(best.objective, rel=1e-12)
    with pytest.raises(maxent.ModelError):
        lqr.evaluate_linear_policy(problem, best.gain, [[0.0]], 0.2)
