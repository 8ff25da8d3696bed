"""One table of solvers, one table of MDP families: every solver inherits every property.

A new solver adds a row to SOLVERS.  The truth comes from `truth.py` (60 digits).
"""

import importlib.util

import numpy as np
import pytest
from truth import optimal_value, policy_value

import maxent
from maxent.mdp import validation
from maxent.tabular import bounds, operators
from maxent.tabular.solvers import steps
from maxent.tabular.solvers.kernels import SoftKernel
from maxent.tabular.solvers.loop import require_start

SOLVERS = {
    "value iteration": maxent.soft_value_iteration,
    "policy iteration": maxent.soft_policy_iteration,
    "policy iteration, krylov": lambda mdp, temperature, **options: maxent.soft_policy_iteration(
        mdp, temperature, evaluation="krylov", **options
    ),
    "modified policy iteration": maxent.modified_soft_policy_iteration,
    "solve": maxent.solve,
}
if importlib.util.find_spec("numba"):
    SOLVERS["solve, compiled"] = lambda mdp, temperature, **options: maxent.solve(
        mdp.to_sparse(), temperature, engine="numba", **options
    )
FAMILIES = {
    "dense": {"branching": None},
    "sparse": {"branching": 3},
    "masked": {"branching": 3, "masked": 0.4},
    "deterministic": {"branching": 1},
    "terminal": {"branching": 3, "terminal": 2},
    "absorbing": {"branching": 2, "absorbing": 2},
    "everything": {
        "branching": 2,
        "absorbing": 1,
        "terminal": 1,
        "masked": 0.3,
        "transition_rewards": True,
    },
}
DISCOUNTS = (0.0, 0.5, 0.9, 0.99, 0.9999)
TEMPERATURES = (0.0, 1e-8, 1e-4, 1e-2, 1.0, 1e2, 1e4, 1e8)
EVALUATIONS = ("iterative", "direct", "krylov")


def family(name, discount, n_states=7, seed=5):
    return maxent.garnet(n_states, 3, discount=discount, seed=seed, **FAMILIES[name])


def slow_sweeps(solver, discount):
    """Plain sweeps at discount 0.9999 take minutes over the whole table."""
    return discount > 0.99 and solver in ("value iteration", "modified policy iteration")


def check_against_truth(mdp, temperature, solution, truth):
    """The interval holds the truth and is narrow enough; the policy is as good as promised."""
    assert solution.converged, solution
    assert (solution.upper - solution.lower).max() <= 2 * solution.tolerance
    for lower, exact, upper in zip(solution.lower, truth, solution.upper, strict=True):
        assert lower <= exact <= upper
    errors = [abs(exact - float(v)) for exact, v in zip(truth, solution.v, strict=True)]
    assert max(errors) <= solution.error_bound
    earned = policy_value(mdp, solution.policy, temperature)
    assert max(x - y for x, y in zip(truth, earned, strict=True)) <= solution.policy_bound


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("discount", DISCOUNTS)
def test_every_converged_interval_holds_the_truth(name, discount):
    mdp = family(name, discount)
    for temperature in TEMPERATURES:
        truth = None
        for label, solver in SOLVERS.items():
            if slow_sweeps(label, discount):
                continue
            solution = solver(mdp, temperature)
            if truth is None:
                truth = optimal_value(mdp, temperature, solution.v)
            check_against_truth(mdp, temperature, solution, truth)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["terminal", "absorbing"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_sweeps_at_discount_9999_hold_the_truth(name, temperature):
    mdp = family(name, 0.9999)
    for label in SOLVERS:
        if slow_sweeps(label, 0.9999):
            solution = SOLVERS[label](mdp, temperature)
            truth = optimal_value(mdp, temperature, solution.v)
            check_against_truth(mdp, temperature, solution, truth)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("discount", (0.0, 0.9, 0.9999))
def test_every_evaluation_holds_the_truth(name, discount):
    mdp = family(name, discount)
    rng = np.random.default_rng(1)
    policy = rng.dirichlet(np.full(3, 0.3), size=mdp.n_states) * mdp.action_mask
    policy += 1e-3 * mdp.action_mask
    policy /= policy.sum(axis=1, keepdims=True)
    for temperature in (0.0, 1e-6, 0.3, 1e6):
        truth = policy_value(mdp, policy, temperature)
        for method in EVALUATIONS:
            if method == "iterative" and discount > 0.99:
                continue
            solution = maxent.soft_policy_evaluation(mdp, policy, temperature, method=method)
            assert solution.converged
            assert (solution.upper - solution.lower).max() <= 2 * solution.tolerance
            for lower, exact, upper in zip(solution.lower, truth, solution.upper, strict=True):
                assert lower <= exact <= upper
            assert np.isnan(solution.policy_bound)
            np.testing.assert_array_equal(
                solution.policy[~mdp.terminal] > 0, policy[~mdp.terminal] > 0
            )


@pytest.mark.parametrize("label", SOLVERS)
def test_a_prior_takes_the_place_of_the_uniform_measure(label):
    mdp = family("everything", 0.9)
    rng = np.random.default_rng(2)
    prior = rng.dirichlet(np.ones(3), size=mdp.n_states) * mdp.action_mask
    prior[0, np.flatnonzero(mdp.action_mask[0])[0]] = 0.0  # a zero prior is a mask
    if prior[0].sum() == 0.0:
        prior[0] = mdp.action_mask[0]
    prior /= prior.sum(axis=1, keepdims=True)
    for temperature in (1e-6, 0.3, 1e6):
        solution = SOLVERS[label](mdp, temperature, prior=prior)
        truth = optimal_value(mdp, temperature, solution.v, prior)
        for lower, exact, upper in zip(solution.lower, truth, solution.upper, strict=True):
            assert lower <= exact <= upper
        assert (solution.policy[~mdp.terminal][prior[~mdp.terminal] == 0.0] == 0.0).all()
        earned = policy_value(mdp, solution.policy, temperature, prior)
        assert max(x - y for x, y in zip(truth, earned, strict=True)) <= solution.policy_bound


@pytest.mark.parametrize("method", EVALUATIONS)
@pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-6, 1e-2, 1.0])
def test_a_policy_near_its_prior_is_evaluated_soundly(method, distance):
    """The divergence nearly vanishes, the rounding of its logarithms does not."""
    rng = np.random.default_rng(0)
    for temperature in (1e-3, 1.0, 1e7):
        mdp = family("dense", 0.9, n_states=3)
        prior = rng.dirichlet(np.ones(3), size=3)
        policy = prior * np.exp(distance * rng.normal(size=(3, 3)))
        policy /= policy.sum(axis=1, keepdims=True)
        mdp = mdp.replace(reward=np.zeros((3, 3)))
        solution = maxent.soft_policy_evaluation(
            mdp, policy, temperature, prior=prior, method=method
        )
        truth = policy_value(mdp, policy, temperature, prior)
        for lower, exact, upper in zip(solution.lower, truth, solution.upper, strict=True):
            assert lower <= exact <= upper


@pytest.mark.parametrize("label", SOLVERS)
def test_the_default_tolerance_is_about_the_answer_not_the_start(label):
    mdp = family("terminal", 0.9, n_states=20)
    usual = SOLVERS[label](mdp, 0.1)
    for v0 in (np.full(20, 1e12), 1e12 * (np.arange(20) % 2), np.full(20, -1e9)):
        far = SOLVERS[label](mdp, 0.1, v0=v0)
        assert far.converged
        assert far.tolerance == pytest.approx(usual.tolerance, rel=1e-6)
        assert np.abs(far.v - usual.v).max() <= far.error_bound + usual.error_bound
    slow = maxent.MDP(np.ones((1, 1, 1)), np.ones(1), discount=1 - 1e-6)
    answer = SOLVERS[label](slow, 0.0)
    assert answer.converged and answer.error_bound <= answer.tolerance < 0.01  # of 1e6


@pytest.mark.parametrize("label", SOLVERS)
def test_a_long_way_to_the_goal_is_not_taken_for_rounding(label):
    """At the hard maximum values spread one cell an iteration, and the interval waits for them."""
    mdp = maxent.gridworld("open-2x400", discount=0.99)
    exact = maxent.soft_value_iteration(mdp, 0.0)
    solution = SOLVERS[label](mdp, 0.0)
    assert solution.converged
    assert np.abs(solution.v - exact.v).max() <= solution.error_bound + exact.error_bound


@pytest.mark.parametrize("label", SOLVERS)
def test_a_discount_within_a_billionth_of_one_is_certified(label):
    mdp = maxent.gridworld("russell-norvig-4x3")
    assert mdp.discount == 1 - 1e-9
    temperature = 0.01  # below 0.04 / log 4 the entropy does not pay for staying nonterminal
    solution = SOLVERS[label](mdp, temperature)
    truth = optimal_value(mdp, temperature, solution.v)
    check_against_truth(mdp, temperature, solution, truth)


def test_solve_ends_where_sweeps_would_take_a_billion_steps():
    mdp = maxent.gridworld("open-50x50", discount=1 - 1e-9)
    solution = maxent.solve(mdp, 1.0, tolerance=1e4)  # float64 certifies 2e-6 of the value
    assert solution.converged and solution.iterations < 200
    assert np.sort(solution.v)[1] > 1e9  # staying nonterminal for its entropy, but at the goal


@pytest.mark.parametrize("label", SOLVERS)
def test_rows_that_sum_to_one_within_the_tolerance_are_accounted_for(label):
    dense = family("dense", 0.99)
    for factor in (1 - 9e-10, 1 + 9e-10):
        mdp = maxent.MDP(dense.transition * factor, dense.reward, discount=0.99)
        solution = SOLVERS[label](mdp, 1.0, tolerance=1e-9)
        truth = optimal_value(mdp, 1.0, solution.v)
        check_against_truth(mdp, 1.0, solution, truth)


@pytest.mark.parametrize("label", SOLVERS)
def test_a_tolerance_is_met_from_any_start(label):
    mdp = family("sparse", 0.9, n_states=60)
    reference = maxent.soft_policy_iteration(mdp, 0.5, tolerance=1e-11)
    for tolerance, v0 in ((1.0, None), (1e-3, np.full(60, 1e4)), (1e-8, reference.v)):
        solution = SOLVERS[label](mdp, 0.5, tolerance=tolerance, v0=v0)
        assert np.abs(solution.v - reference.v).max() <= tolerance + 1e-11
        assert solution.tolerance == tolerance


@pytest.mark.parametrize("label", SOLVERS)
def test_terminal_states_are_worth_nothing(label):
    mdp = family("terminal", 0.9)
    solution = SOLVERS[label](mdp, 2.0)
    assert (solution.v[mdp.terminal] == 0.0).all()
    assert (solution.q[mdp.terminal] == 0.0).all()
    assert (solution.lower[mdp.terminal] == 0.0).all()
    np.testing.assert_allclose(solution.policy[mdp.terminal], 1 / 3)


def test_an_mdp_of_terminal_states_only():
    mdp = maxent.MDP(
        np.zeros((2, 1, 2)),
        np.ones(2),
        discount=0.9,
        terminal=[True, True],
        initial_distribution=[0.5, 0.5],
    )
    for label in SOLVERS:
        solution = SOLVERS[label](mdp, 1.0)
        assert solution.converged and solution.v.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("label", SOLVERS)
def test_max_iterations_gives_a_warning_and_a_true_bound(label):
    mdp = family("sparse", 0.99, n_states=50)
    exact = maxent.soft_policy_iteration(mdp, 0.1, tolerance=1e-9).v
    with pytest.warns(maxent.MaxEntWarning, match="max_iterations = 2 reached"):
        solution = SOLVERS[label](mdp, 0.1, max_iterations=2)
    assert solution.status == "max_iterations" and not solution.converged
    assert solution.iterations == 2 and len(solution.residuals) == 2
    assert np.isfinite(solution.error_bound)
    assert np.abs(solution.v - exact).max() <= solution.error_bound + 1e-9


@pytest.mark.parametrize("label", SOLVERS)
def test_float64_running_out_is_said_and_ends(label):
    mdp = family("terminal", 0.99, n_states=30).replace(discount=0.99)
    floor = bounds.soft_bounds(mdp, 1.0, None).floor(0.0)
    with pytest.warns(maxent.MaxEntWarning, match="float64 can do no more"):
        solution = SOLVERS[label](mdp, 1.0, tolerance=1.05 * floor)
    assert solution.status == "stalled"
    truth = optimal_value(mdp, 1.0, solution.v)
    for lower, exact, upper in zip(solution.lower, truth, solution.upper, strict=True):
        assert lower <= exact <= upper


@pytest.mark.parametrize("label", SOLVERS)
def test_a_tolerance_below_the_floor_is_refused_before_any_sweep(label):
    mdp = family("sparse", 0.99)
    sweeps = []
    with pytest.raises(maxent.ToleranceError, match="below what float64 can certify"):
        SOLVERS[label](mdp, 1.0, tolerance=1e-18, callback=sweeps.append)
    assert sweeps == []


@pytest.mark.parametrize("label", SOLVERS)
def test_the_callback_sees_every_iteration_with_true_bounds(label):
    mdp = family("sparse", 0.9, n_states=40)
    exact = maxent.soft_policy_iteration(mdp, 0.3, tolerance=1e-11).v
    seen = []
    solution = SOLVERS[label](mdp, 0.3, callback=seen.append)
    assert [it.iteration for it in seen] == list(range(1, solution.iterations + 1))
    assert [it.residual for it in seen] == solution.residuals.tolist()
    assert [it.iteration for it in seen] == solution.residual_iterations.tolist()
    for it in seen:
        assert (it.lower <= exact + 1e-11).all() and (exact - 1e-11 <= it.upper).all()
        assert np.abs(it.v - exact).max() <= it.error_bound + 1e-11
    with pytest.raises(ValueError, match="read-only"):
        seen[0].v[0] = 1.0


@pytest.mark.parametrize("label", SOLVERS)
@pytest.mark.parametrize("after", [1, 3])
def test_ctrl_c_returns_the_best_certified_answer(label, after):
    mdp = family("sparse", 0.99, n_states=50)
    exact = maxent.soft_policy_iteration(mdp, 0.1, tolerance=1e-9).v
    widths = []

    def press(iteration):
        widths.append((iteration.upper - iteration.lower).max())
        if iteration.iteration == after:
            raise KeyboardInterrupt

    solution = SOLVERS[label](mdp, 0.1, callback=press)
    assert solution.status == "interrupted" and solution.iterations == after
    assert np.abs(solution.v - exact).max() <= solution.error_bound + 1e-9
    assert solution.error_bound == pytest.approx(0.5 * min(widths), rel=1e-6)


def test_a_start_that_is_none_is_named():
    mdp, most = family("sparse", 0.9), validation.MAX_REWARD
    for bad in (np.nan, np.inf, -2.0 * most):
        start = np.zeros(mdp.n_states)
        start[2] = bad
        with pytest.raises(maxent.ModelError, match="v0 of state 2 is "):
            maxent.solve(mdp, 0.1, v0=start)
    assert (require_start(mdp, np.full(mdp.n_states, most)) == most).all()  # at most, as it says


def test_solve_chooses_by_size_and_rate():
    fast = maxent.garnet(300, 3, discount=0.9, branching=20, seed=1)
    assert maxent.solve(fast, 1.0).method == "soft value iteration"
    small = maxent.gridworld("open-10x10", discount=0.999)
    assert maxent.solve(small, 1.0).method == "soft policy iteration"
    large = maxent.gridworld("open-60x60", discount=0.99)
    assert maxent.solve(large, 1.0).method == "soft policy iteration"
    assert maxent.solve(small.replace(discount=0.9), 1.0).method.startswith("modified")
    assert maxent.solve(large, 0.0).method == "modified soft policy iteration"


def test_an_undiscounted_evaluation_needs_a_proper_policy():
    mdp = maxent.gridworld("sutton-barto-4x4", discount=1.0)
    up = np.zeros((mdp.n_states, 4))
    up[:, 0] = 1.0
    with pytest.raises(maxent.ConfigError, match="it never ends"):
        maxent.soft_policy_evaluation(mdp, up, 0.0)
    uniform = np.full((mdp.n_states, 4), 0.25)
    truth = policy_value(mdp, uniform, 0.5)
    for method in EVALUATIONS:
        solution = maxent.soft_policy_evaluation(mdp, uniform, 0.5, method=method)
        assert solution.converged
        for lower, exact, upper in zip(solution.lower, truth, solution.upper, strict=True):
            assert lower <= exact <= upper


def test_the_same_call_gives_the_same_bits():
    mdp = family("everything", 0.99, n_states=50)
    for solver in SOLVERS.values():
        first, second = solver(mdp, 0.2), solver(mdp, 0.2)
        assert first.v.tobytes() == second.v.tobytes()
        assert first.log_policy.tobytes() == second.log_policy.tobytes()


def test_a_solution_cannot_be_changed():
    solution = maxent.solve(family("sparse", 0.9), 0.5)
    for name in ("v", "q", "log_policy", "lower", "upper", "residuals"):
        assert not getattr(solution, name).flags.writeable


def test_the_progress_bar_writes_only_to_a_terminal(capsys):
    maxent.solve(family("sparse", 0.9), 0.5, progress=True)
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == ""


def test_an_unknown_choice_names_the_nearest():
    mdp = family("sparse", 0.9)
    with pytest.raises(maxent.ConfigError, match="did you mean 'direct'"):
        maxent.soft_policy_iteration(mdp, 0.5, evaluation="dirct")
    policy = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True)
    with pytest.raises(maxent.ConfigError, match="did you mean 'krylov'"):
        maxent.soft_policy_evaluation(mdp, policy, 0.5, method="krilov")


@pytest.mark.parametrize("cheap", [True, False])
def test_where_bicgstab_fails_another_method_takes_its_place(cheap, monkeypatch):
    """The factorisation where it is cheap, else 100 sweeps of evaluation."""
    mdp = maxent.gridworld("open-10x10", discount=0.5)
    monkeypatch.setattr(steps, "SMALL", 1)
    monkeypatch.setattr(steps, "_bicgstab", lambda *_: None)
    monkeypatch.setattr(steps, "is_cheap_to_factorise", lambda transition: cheap)
    kernel = SoftKernel(mdp, 0.3, None)
    b = kernel.apply(np.zeros(mdp.n_states))
    d = steps.thrifty(mdp.transition, 1e-3)(kernel, b)
    np.testing.assert_allclose(d - kernel.policy_transition() @ d, b, atol=1e-12)


@pytest.mark.parametrize("terminal", [None, [3, 17]])
def test_the_matrix_of_a_policy_is_the_average_of_its_rows(terminal):
    """Of a sparse MDP the pattern is found once, the entries for each policy; a small one is held
    dense."""
    for n_states in (30, 90):
        mdp = maxent.garnet(n_states, 3, branching=4, discount=0.9, seed=3)
        mdp = mdp.replace(terminal=terminal)
        kernel, rng = SoftKernel(mdp, 0.2, None), np.random.default_rng(0)
        for _ in range(3):
            v = rng.normal(size=n_states) * ~mdp.terminal
            kernel.apply(v)
            policy = np.exp(operators.boltzmann_policy(operators.backup(mdp, v), 0.2))
            expected = 0.9 * operators.policy_transition(mdp, policy).toarray()
            found = kernel.policy_transition()
            assert isinstance(found, np.ndarray) == (n_states == 30)
            found = found if n_states == 30 else found.toarray()
            np.testing.assert_allclose(found, expected, atol=1e-15)


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_sparse_problems_of_few_states_are_solved_as_dense_ones(temperature):
    """By LU from the first iteration on, whatever terminal states, masks and priors there are."""
    for seed in range(6):
        mdp = maxent.garnet(
            12, 3, branching=3, discount=0.95, seed=seed, terminal=seed % 3, masked=0.3 * (seed > 2)
        )
        prior = mdp.action_mask / mdp.action_mask.sum(axis=1, keepdims=True) if seed % 2 else None
        assert mdp.is_sparse
        few = maxent.solve(mdp, temperature, prior=prior, tolerance=1e-9)
        dense = maxent.solve(mdp.to_dense(), temperature, prior=prior, tolerance=1e-9)
        swept = maxent.soft_value_iteration(mdp, temperature, prior=prior, tolerance=1e-9)
        assert few.method == dense.method == "soft policy iteration"
        np.testing.assert_allclose(few.v, dense.v, atol=1e-12)
        assert (few.lower <= swept.upper).all() and (swept.lower <= few.upper).all()
        assert few.policy_bound < 1e-7


def test_krylov_ends_where_its_iteration_fails(monkeypatch):
    """Terms of the Neumann series would take a million iterations at this discount."""
    monkeypatch.setattr(steps, "_bicgstab", lambda matrix, b, accuracy: None)
    mdp = maxent.MDP(np.eye(3)[:, None], [0.0, 1.0, 2.0], discount=1.0 - 1e-6)
    found = maxent.soft_policy_evaluation(mdp, [1.0], 0.1, method="krylov", max_iterations=50)
    assert found.converged and found.iterations < 10
    exact = policy_value(mdp, np.ones((3, 1)), 0.1)
    assert all(low <= v <= high for low, v, high in zip(found.lower, exact, found.upper))
